/** Processes that the tests start: bundled from TypeScript, started as `node <file> <args>`. */
import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where the bundled children lie. */
export const CHILDREN = `${root}node_modules/.cache/coord-test`;

export async function bundleChildren(): Promise<void> {
  const bundle = await rolldown({
    input: {
      'crash-child': `${root}test/support/crash-child.ts`,
      'landing-child': `${root}test/support/landing-child.ts`,
      'tell-child': `${root}test/support/tell-child.ts`,
      'torture-child': `${root}test/support/torture-child.ts`,
    },
    platform: 'node',
    transform: { define: { COORD_VERSION: '"test"' } },
  });
  await bundle.write({
    dir: CHILDREN,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
  });
  copyFileSync(`${root}test/support/faults.cjs`, `${CHILDREN}/faults.cjs`);
}
