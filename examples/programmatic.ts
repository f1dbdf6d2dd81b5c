// The orchestrator from a program. Run it in a project of yours, with Claude Code installed:
//   npm install claude-coord tsx && npx tsx programmatic.ts ./my-project
import { Orchestrator } from 'claude-coord';

const orchestrator = new Orchestrator({
  workingDirectory: process.argv[2] ?? '.',
  maxWorkers: 3,
  taskTimeoutSeconds: 600,
  onEvent: (event) => {
    if (event.type === 'complete') console.log(`${event.worker} completed ${event.task_id}`);
    if (event.type === 'fail') console.log(`${event.worker} failed ${event.task_id}: ${event.reason}`);
    if (event.type === 'discovery') console.log(`${event.worker} found: ${event.content}`);
  },
});

try {
  await orchestrator.initialize('Build user authentication');

  const user = await orchestrator.addTask('Create User model', { priority: 1, files: ['src/models/user.ts'] });
  await orchestrator.addTask('Implement login endpoint', {
    priority: 2,
    dependencies: [user.id],
    files: ['src/auth.ts'],
    hints: 'JWT',
  });

  // Or let an agent read the code base and break the goal down: await orchestrator.runWithLeaderPlanning()
  const result = await orchestrator.runWithPredefinedTasks();
  console.log(`completed: ${result.tasksCompleted}, failed: ${result.tasksFailed}`);
  console.log(`discoveries: ${result.discoveries.length}, cost: $${result.costUsd.toFixed(2)}`);
  console.log(result.summary);
} finally {
  await orchestrator.stop();
}
