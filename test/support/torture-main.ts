/**
 * `npm run torture`: the long run, every combination, figures printed. Arguments: processes, operations, seconds a run.
 * TORTURE_ONLY names the beginning of the one that should run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GIT_ENV } from './git-env.ts';
import { landingRun, type LandingRunOptions } from './landing-run.ts';
import { runOnServer } from './postgres-run.ts';
import { postgresBin, PostgresServer } from './postgres-server.ts';
import { torture, type TortureOptions } from './torture.ts';

const [processes = '32', operations = '10000', seconds = '120'] = process.argv.slice(2);
const base = {
  processes: Number(processes),
  operations: Number(operations),
  seconds: Number(seconds),
  children: dirname(fileURLToPath(import.meta.url)),
  // Each kill may leave the lock behind, which costs everybody two seconds: rarer, so that there is work to disturb.
  killEveryMs: 1000,
  pauseEveryMs: 3000,
};
const only = process.env['TORTURE_ONLY'];
const runs: [string, TortureOptions][] = [
  [
    'lock on, editor saves by rename, disk at fault',
    { ...base, lock: true, canLink: true, faults: true, editor: 'rename' },
  ],
  ['lock off, editor saves in place', { ...base, lock: false, canLink: true, faults: false, editor: 'in place' }],
  ['no hard links, disk at fault, no editor', { ...base, lock: true, canLink: false, faults: true, editor: 'none' }],
];
let failed = 0;
for (const [name, options] of runs) {
  if (only !== undefined && !name.startsWith(only)) continue;
  const { violations, figures } = await torture(options);
  const numbers = Object.entries(figures).map(([figure, value]) => `${figure} ${value}`);
  console.log(`${violations.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${numbers.join(', ')}`);
  for (const violation of violations.slice(0, 20)) console.log(`     ${violation}`);
  failed += violations.length;
}
const ON_SERVER = 'server: restarts, crashes, lost sessions and connections';
if (postgresBin() !== undefined && (only === undefined || ON_SERVER.startsWith(only))) {
  const server = await PostgresServer.start();
  const { processes: many, operations: most, seconds: long, children } = base;
  const { violations, figures } = await runOnServer({
    server,
    processes: Math.min(many, 16),
    operations: most,
    seconds: long,
    children,
    faultEveryMs: 1000,
  });
  await server.remove();
  const numbers = Object.entries(figures).map(([figure, value]) => `${figure} ${value}`);
  console.log(`${violations.length === 0 ? 'ok  ' : 'FAIL'} ${ON_SERVER}: ${numbers.join(', ')}`);
  for (const violation of violations.slice(0, 20)) console.log(`     ${violation}`);
  failed += violations.length;
}
/** Most that thirty tasks may be sent back, and how much longer than its checks one after the other the run may take. */
const MOST_BOUNCES = 20;
const MOST_OF_CHECKS = 1.5;
const landings: [string, Partial<LandingRunOptions>][] = [
  ['landing: 30 tasks, 5 workers', {}],
  ['landing: the same, two landers, kills', { landers: 2, killEveryMs: 4000 }],
  ['landing: the same, two clones and a bare remote', { clones: true }],
];
for (const [name, options] of landings) {
  if (only !== undefined && !name.startsWith(only)) continue;
  const dir = mkdtempSync(join(tmpdir(), 'coord-landing-'));
  const env = { ...(process.env as Record<string, string>), ...GIT_ENV, XDG_STATE_HOME: join(dir, 'state') };
  const bin = fileURLToPath(new URL('../../../bin/coord.cjs', import.meta.url));
  const { violations, figures } = await landingRun({
    dir,
    bin,
    env,
    tasks: 30,
    workers: 5,
    shared: 6,
    checkMs: 2000,
    ...options,
  });
  if (options.killEveryMs === undefined) {
    if (figures.bounces > MOST_BOUNCES) violations.push(`${figures.bounces} bounces, at most ${MOST_BOUNCES}`);
    if (figures.ofChecks > MOST_OF_CHECKS && options.clones !== true)
      violations.push(`${figures.ofChecks.toFixed(2)} times its checks, at most ${MOST_OF_CHECKS}`);
  }
  const numbers = Object.entries(figures).map(([figure, value]) => `${figure} ${Math.round(value * 100) / 100}`);
  console.log(`${violations.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${numbers.join(', ')}`);
  for (const violation of violations.slice(0, 20)) console.log(`     ${violation}`);
  failed += violations.length;
  rmSync(dir, { recursive: true, force: true });
}
console.log(failed === 0 ? 'no violation' : `${failed} violations`);
process.exitCode = failed === 0 ? 0 : 1;
