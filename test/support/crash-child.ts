/** Runs one verb on a board and kills itself at a point of the commit protocol. Prints `acknowledged` if it gets that far. */
import { writeFileSync } from 'node:fs';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

const [dir = '', point = '', verb = '', canLink = 'true'] = process.argv.slice(2);

const store = openStore({
  dir,
  canLink: canLink === 'true',
  at: (reached) => {
    if (reached === point) process.kill(process.pid, 'SIGKILL');
  },
});

const verbs: Record<string, (store: Store) => Promise<unknown>> = {
  add: (s) => s.addTasks({ tasks: [{ description: 'added', key: 'added' }] }),
  claim: (s) => s.claim({ worker: 'w' }),
  prove: (s) =>
    s.complete({
      worker: 'holder',
      task_id: 'task-001',
      output: 'the result',
      proof: { runs: [{ command: 'npm test', exit_code: 0, duration_ms: 1, tail: 'ok' }], tree: 'abc' },
    }),
  complete: (s) => s.complete({ worker: 'holder', task_id: 'task-001', output: 'the result' }),
};
await verbs[verb]?.(store);
writeFileSync(1, 'acknowledged');
