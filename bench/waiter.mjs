// One waiting worker for the wake bench: claims, says when its claim was committed, completes, waits again.
import { nextTask, openStore } from '../dist/index.js';

const [dir, worker] = process.argv.slice(2);
let linked = 0;
const store = openStore({
  dir,
  at: (point) => point === 'linked' && (linked = performance.timeOrigin + performance.now()),
});
const controller = new AbortController();
process.on('disconnect', () => controller.abort());
process.send({ ready: true });
try {
  for (;;) {
    const { task } = await nextTask(store, { worker }, { stay: true, signal: controller.signal });
    process.send({ task: task.id, at: linked });
    await store.complete({ worker, task_id: task.id, output: 'woken' });
  }
} catch (error) {
  if (error.code !== 'interrupted') throw error;
}
