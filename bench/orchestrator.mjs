// A process that orchestrates tasks through the stand-in for Claude Code: `node --expose-gc orchestrator.mjs <folder> <tasks> <slots>`.
// Prints how long it took, in milliseconds, and its heap after the tenth and after the last task, in bytes.
import { fileURLToPath } from 'node:url';
import { Orchestrator } from '../dist/index.js';

const [cwd, tasks, slots] = process.argv.slice(2);
let done = 0;
let early = 0;
const heap = () => {
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};
const orchestrator = new Orchestrator({
  workingDirectory: cwd,
  maxWorkers: Number(slots),
  claude: fileURLToPath(new URL('../test/fixtures/claude', import.meta.url)),
  onEvent: ({ type }) => {
    if (type === 'complete' && ++done === 10) early = heap();
  },
});
await orchestrator.initialize('Measure');
await orchestrator.addTasks(Array.from({ length: Number(tasks) }, (_unused, i) => ({ description: `task ${i + 1}` })));
const { durationMs, tasksCompleted } = await orchestrator.runWithPredefinedTasks();
if (tasksCompleted !== Number(tasks)) throw new Error(`${tasksCompleted} of ${tasks} done`);
console.log(JSON.stringify({ durationMs, early, late: heap() }));
