/**
 * `npm run torture`: the long run, every combination, figures printed. Arguments: processes, operations, seconds a run.
 * TORTURE_ONLY names the beginning of the one that should run.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
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
console.log(failed === 0 ? 'no violation' : `${failed} violations`);
process.exitCode = failed === 0 ? 0 : 1;
