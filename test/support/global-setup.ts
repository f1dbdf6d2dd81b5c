import { existsSync } from 'node:fs';
import { bundleChildren } from './children.ts';

/** `pretest` has built the binary; the child processes of the tests are bundled here, as Node 20 runs no TypeScript. */
export default async function setup(): Promise<void> {
  if (!existsSync('dist/build-id')) throw new Error('dist/ is missing: npm run build');
  await bundleChildren();
}
