/** Agents of a run that ask: told, answered from elsewhere, by a person at its own terminal, or by a default. */
import { execFileSync, spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import type { RunEvent } from '../../src/runner/events.ts';
import { Project } from '../support/claude.ts';
import { orchestrate } from '../support/orchestrate.ts';
import { BIN, scrubbedEnv, until } from '../support/rig.ts';

const types = (events: RunEvent[]) =>
  events
    .map(({ type }) => type)
    .filter((type) => ['question', 'answer', 'release', 'fail', 'complete', 'warning'].includes(type));

test('one that waits goes on with the answer from another terminal, in the same attempt', async () => {
  const project = new Project();
  await project.tasks('[ask wait UTC or local?]');
  const { orchestrator, events } = orchestrate(project, { answerTimeoutSeconds: 60 });
  const running = orchestrator.runWithPredefinedTasks();
  await until(() => events.some(({ type }) => type === 'question'), 'the question');
  expect(events.find(({ type }) => type === 'question')).toMatchObject({
    task_id: 'task-001',
    worker: 'worker-1',
    question: 'UTC or local?',
  });
  await project.ok(['leader', 'answer', 'task-001', 'UTC']);
  expect(await running).toMatchObject({ outcome: 'done', tasksCompleted: 1 });
  expect(types(events)).toEqual(['question', 'answer', 'complete']);
  expect(project.board().tasks[0]).toMatchObject({ attempt: 1 });
  expect(project.read('.coordination/results/task-001.md')).toContain('leader answers:');
});

test('one that parks makes room for other work; answered, its task is begun again with the answer in its brief', async () => {
  const project = new Project();
  await project.tasks('[ask park UTC or local?]', 'other work');
  const { orchestrator, events } = orchestrate(project, { answerTimeoutSeconds: 60 });
  const running = orchestrator.runWithPredefinedTasks();
  await until(
    () => project.board().tasks[1]?.status === 'done' && events.some(({ type }) => type === 'question'),
    'the other work',
  );
  await orchestrator.answer('task-001', 'UTC');
  expect(await running).toMatchObject({ outcome: 'done', tasksCompleted: 2 });
  expect(project.board().tasks[0]).toMatchObject({ status: 'done', attempt: 2, max_attempts: 4 });
  const last = project.starts('task-001').at(-1)?.prompt ?? '';
  expect(last).toContain('Question of worker-');
  expect(last).toContain('Answer of leader: UTC');
  // Nothing of it counts as a failure, or as a result that came too late.
  expect(types(events).filter((type) => type === 'fail' || type === 'warning')).toEqual([]);
  expect(Object.keys(project.snapshot('.coordination/results'))).toEqual(
    expect.not.arrayContaining([expect.stringContaining('refused')]),
  );
});

test('where nobody answers a default holds, and without one the run ends and says so', async () => {
  const project = new Project();
  await project.tasks('[ask default UTC or local?]');
  const first = orchestrate(project, { answerTimeoutSeconds: 60 });
  expect(await first.orchestrator.runWithPredefinedTasks()).toMatchObject({ outcome: 'done' });
  expect(first.events.find(({ type }) => type === 'answer')).toMatchObject({ by: null, answer: 'UTC' });
  const other = new Project();
  await other.tasks('[ask park UTC or local?]');
  const second = orchestrate(other, { answerTimeoutSeconds: 1 });
  expect(await second.orchestrator.runWithPredefinedTasks()).toMatchObject({
    outcome: 'question',
    tasksAsking: 1,
    tasksFailed: 0,
  });
  const ran = await other.coord(['orchestrate', 'resume', '--timeout', '1s'], { env: other.env });
  expect(ran).toMatchObject({ code: 1, stdout: expect.stringMatching(/^question: 0 done, 1 asking/) });
  expect(ran.stderr).toContain('worker-1 asks about task-001: UTC or local?');
  expect(ran.stderr).toContain('coord leader answer <task> "<answer>", then coord orchestrate resume');
});

test('a person at the terminal of the run types the answer', async () => {
  const project = new Project();
  await project.tasks('[ask park UTC or local?]', '[ask wait Tabs?]');
  const words = [process.execPath, BIN, 'orchestrate', 'resume', '-w', '1'].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qefc', words, '/dev/null'], { cwd: project.cwd, env: scrubbedEnv(project.env) });
  onTestFinished(() => void child.kill('SIGKILL'));
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  await until(() => screen.includes('worker-1 asks about task-001:'), 'the first question');
  await until(() => screen.includes('Your answer, and Enter:'), 'the prompt');
  child.stdin.write('\nUTC, as everywhere\n');
  await until(() => screen.includes('worker-1 asks about task-002:'), 'the second question');
  // Another terminal is faster: the prompt goes, and the run goes on.
  execFileSync(process.execPath, [BIN, 'leader', 'answer', 'task-002', 'spaces'], {
    cwd: project.cwd,
    env: scrubbedEnv(),
  });
  expect(await ended).toBe(0);
  expect(project.board().tasks.map(({ status }) => status)).toEqual(['done', 'done']);
  expect(project.board().tasks[0]?.questions).toMatchObject([{ answer: { text: 'UTC, as everywhere', by: 'leader' } }]);
});
