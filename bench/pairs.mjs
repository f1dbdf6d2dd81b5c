// One client of the bench of PostgreSQL: claims and gives back for eight seconds, and says how many, and
// from when to when.
import { openStore } from '../dist/index.js';

const [cwd, worker, address] = process.argv.slice(2);
const MOST_MS = 8000;
const store = openStore({ cwd, stateFolder: cwd, env: { COORD_STORE: address } });
await store.read();
process.send({ ready: true });
await new Promise((resolve) => process.once('message', resolve));
let count = 0;
const from = performance.timeOrigin + performance.now();
while (performance.timeOrigin + performance.now() - from < MOST_MS) {
  const { task } = await store.claim({ worker });
  if (!task) break;
  await store.release({ worker, task_id: task.id });
  count++;
}
const to = performance.timeOrigin + performance.now();
await store.close();
process.send({ count, from, to }, () => process.disconnect());
