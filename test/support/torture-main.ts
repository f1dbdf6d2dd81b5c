/** `npm run torture`: the long run, every combination, figures printed. Arguments: processes, operations, seconds a run. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { torture, type TortureOptions } from './torture.ts';

const [processes = '32', operations = '10000', seconds = '240'] = process.argv.slice(2);
const base = {
  processes: Number(processes),
  operations: Number(operations),
  seconds: Number(seconds),
  children: dirname(fileURLToPath(import.meta.url)),
  // Each kill may leave the lock behind, which costs everybody two seconds: rarer, so that there is work to disturb.
  killEveryMs: 1000,
  pauseEveryMs: 3000,
};
const runs: [string, TortureOptions][] = [
  ['lock on, editor saves by rename', { ...base, lock: true, canLink: true, editor: 'rename' }],
  ['lock off, editor saves in place', { ...base, lock: false, canLink: true, editor: 'in place' }],
  ['no hard links, no editor', { ...base, lock: true, canLink: false, editor: 'none' }],
];
let failed = 0;
for (const [name, options] of runs) {
  const { violations, figures } = await torture(options);
  const numbers = Object.entries(figures).map(([figure, value]) => `${figure} ${value}`);
  console.log(`${violations.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${numbers.join(', ')}`);
  for (const violation of violations.slice(0, 20)) console.log(`     ${violation}`);
  failed += violations.length;
}
console.log(failed === 0 ? 'no violation' : `${failed} violations`);
process.exitCode = failed === 0 ? 0 : 1;
