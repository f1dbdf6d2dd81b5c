// One waiter of the bench of PostgreSQL: says when it was woken.
import { openStore } from '../dist/index.js';

const [cwd, address] = process.argv.slice(2);
const store = openStore({ cwd, stateFolder: cwd, env: { COORD_STORE: address } });
const ending = new AbortController();
process.on('disconnect', () => ending.abort());
let isReady = false;
for await (const _ of store.changes(ending.signal)) {
  process.send(isReady ? { at: performance.timeOrigin + performance.now() } : { ready: true });
  isReady = true;
}
await store.close();
