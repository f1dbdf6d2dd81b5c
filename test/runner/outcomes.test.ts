/** Every way in which an agent can end, and what becomes of its task. The stand-in is a real process. */
import { describe, expect, test } from 'vitest';
import { Project } from '../support/claude.ts';
import { orchestrate } from '../support/orchestrate.ts';
import { scrubbedEnv } from '../support/rig.ts';

const CASES: [what: string, description: string, expected: Record<string, unknown>][] = [
  ['a success', 'do it', { status: 'done', attempt: 1, cost_usd: 0.01 }],
  ['lines that are no JSON', '[garbage]', { status: 'done' }],
  ['an empty result: what it said last', '[empty]', { status: 'done' }],
  ['a tool that was denied', '[denial]', { status: 'done' }],
  [
    'a crash',
    '[crash]',
    { status: 'failed', last_error: expect.stringContaining('without a result (killed by SIGKILL)') },
  ],
  ['an API error', '[api_error]', { status: 'failed', last_error: expect.stringContaining('API Error: 500') }],
  ['too many turns', '[max_turns]', { status: 'failed', last_error: expect.stringContaining('limit of turns') }],
];

describe('an agent that ends with', () => {
  test.each(CASES)('%s', async (_what, description, expected) => {
    const project = new Project();
    await project.tasks({ description, max_attempts: 1 });
    const { orchestrator } = orchestrate(project);
    const result = await orchestrator.runWithPredefinedTasks();
    expect(project.board().tasks[0]).toMatchObject(expected);
    expect(result.tasksCompleted + result.tasksFailed).toBe(1);
    expect(result.outcome).toBe(expected['status'] === 'done' ? 'done' : 'failed');
    expect(project.alive()).toEqual([]);
  });
});

test('the result names the files, and what was denied is told', async () => {
  const project = new Project();
  project.write('old.txt', 'old');
  await project.tasks('[write new.txt]', '[write old.txt]', '[denial]', '[empty]', '[discover Ids are UUIDs]');
  const { orchestrator, events } = orchestrate(project);
  const { discoveries, summary, tasksCompleted } = await orchestrator.runWithPredefinedTasks();
  expect(tasksCompleted).toBe(5);
  expect(project.read('.coordination/results/task-001.md')).toMatch(/Created: "new.txt"[^]*Did task-001/);
  expect(project.read('.coordination/results/task-002.md')).toMatch(/Modified: "old.txt"/);
  expect(project.read('.coordination/results/task-004.md')).toContain('I did task-004.');
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'complete', task_id: 'task-003', denied: ['Bash rm -rf /'] }),
  );
  expect(discoveries.map((found) => found.content)).toEqual(['Ids are UUIDs']);
  expect(events).toContainEqual(expect.objectContaining({ type: 'discovery', content: 'Ids are UUIDs' }));
  expect(summary).toContain('Ids are UUIDs');
});

test('a failure is tried again with what went wrong in the brief; what depends on a lost task is left stuck', async () => {
  const project = new Project();
  await project.tasks(
    '[fail once] first',
    { description: '[crash]', max_attempts: 2 },
    { description: 'never', dependencies: ['#2'] },
    'free',
  );
  const { orchestrator, events } = orchestrate(project, { maxWorkers: 2 });
  const result = await orchestrator.runWithPredefinedTasks();
  expect(result).toMatchObject({ outcome: 'failed', tasksCompleted: 2, tasksFailed: 1, tasksStuck: 1 });
  const [, second] = project.starts('task-001');
  expect(second?.prompt).toContain('Last attempt: worker-');
  expect(second?.prompt).toContain('API Error: flaky');
  expect(project.starts('task-002')).toHaveLength(2);
  expect(project.starts('task-003')).toEqual([]);
  expect(events).toContainEqual(expect.objectContaining({ type: 'retry', task_id: 'task-001', attempt: 2 }));
  expect(result.summary).toMatch(/## Failed[^]*task-002[^]*## Stuck[^]*task-003/);
});

test('a rate limit slows the run down and uses up no attempt', async () => {
  const project = new Project();
  await project.tasks({ description: '[limit once]', max_attempts: 1 }, 'other');
  const { orchestrator, events } = orchestrate(project, { maxWorkers: 1 });
  expect(await orchestrator.runWithPredefinedTasks()).toMatchObject({ outcome: 'done', tasksCompleted: 2 });
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'warning', message: expect.stringMatching(/limits the rate/) }),
  );
});

test.each(['[auth]', '[login]'])('%s ends the whole run: it would fail for every task', async (description) => {
  const project = new Project();
  await project.tasks(description, '[slow 60000]', { description: 'later', dependencies: ['#1'] });
  const { orchestrator } = orchestrate(project, { maxWorkers: 2 });
  await expect(orchestrator.runWithPredefinedTasks()).rejects.toMatchObject({ code: 'claude-not-authenticated' });
  expect(project.board().tasks.map((task) => task.status)).toEqual(['available', 'available', 'available']);
  expect(project.alive()).toEqual([]);
});

test('a task that takes too long is stopped, with all that it started', async () => {
  const project = new Project();
  await project.tasks({ description: '[stubborn]', max_attempts: 1 }, { description: '[slow 60000]', max_attempts: 1 });
  const { orchestrator } = orchestrate(project, { taskTimeoutSeconds: 1, maxWorkers: 2 });
  expect(await orchestrator.runWithPredefinedTasks()).toMatchObject({ tasksFailed: 2 });
  expect(project.board().tasks.map((task) => task.last_error)).toEqual([
    expect.stringContaining('longer than 1 s'),
    expect.stringContaining('longer than 1 s'),
  ]);
  expect(project.noted().filter((one) => one.event === 'child')).toHaveLength(1);
  expect(project.alive()).toEqual([]);
});

test('a budget ends the dispatching, and what is open stays open', async () => {
  const project = new Project();
  await project.tasks('[expensive]', 'two', 'three');
  const { orchestrator } = orchestrate(project, { budgetUsd: 1, maxWorkers: 1 });
  expect(await orchestrator.runWithPredefinedTasks()).toMatchObject({
    outcome: 'budget',
    tasksCompleted: 1,
    costUsd: 5,
  });
  expect(project.starts()).toHaveLength(1);
  expect(project.starts()[0]?.args).toEqual(expect.arrayContaining(['--max-budget-usd', '1']));
});

test('three workers on a graph of twelve tasks need about its critical path', async () => {
  const project = new Project();
  const task = (...dependencies: number[]) => ({
    description: '[slow 700]',
    dependencies: dependencies.map((n) => `#${n}`),
  });
  // Four layers of three.
  const needs = [[], [], [], [1], [2], [3], [4, 5], [5], [6], [7], [8, 9], [9]];
  await project.tasks(...needs.map((dependencies) => task(...dependencies)));
  const { orchestrator } = orchestrate(project);
  const { durationMs, tasksCompleted } = await orchestrator.runWithPredefinedTasks();
  expect(tasksCompleted).toBe(12);
  const work = 12 * 700;
  expect(durationMs).toBeLessThan(work); // four times 700 ms and the starting of processes, against twelve times 700
  const noted = project.noted();
  let running = 0;
  let most = 0;
  for (const one of noted) {
    if (one.event === 'start') most = Math.max(most, ++running);
    if (one.event === 'end') running--;
  }
  expect(most).toBe(3);
});

test('the example of a program runs', async () => {
  const project = new Project();
  const events: string[] = [];
  const { orchestrator } = orchestrate(project, { onEvent: ({ type }) => events.push(type) });
  await orchestrator.initialize('Build user authentication');
  const user = await orchestrator.addTask('Create User model', { priority: 1 });
  await orchestrator.addTask('Implement login endpoint', {
    priority: 2,
    dependencies: [user.id],
    files: ['src/auth.ts'],
    hints: 'JWT',
  });
  expect(await orchestrator.getStatus()).toMatchObject({ counts: { total: 2, claimable: 1 } });
  const result = await orchestrator.runWithPredefinedTasks();
  expect(result).toMatchObject({ tasksCompleted: 2, tasksFailed: 0, outcome: 'done' });
  expect(result.costUsd).toBeCloseTo(0.02);
  expect(result.summary).toContain('Did task-002');
  expect(events).toEqual(expect.arrayContaining(['claim', 'progress', 'complete', 'cost', 'status', 'settled']));
});

test('a worker without the tools of the board is worth a warning', async () => {
  const project = new Project();
  await project.tasks('do it');
  project.env['FAKE_CLAUDE_MCP'] = 'failed';
  const { orchestrator, events } = orchestrate(project);
  expect(await orchestrator.runWithPredefinedTasks()).toMatchObject({ outcome: 'done' });
  expect(events).toContainEqual({
    type: 'warning',
    message: expect.stringContaining('without the MCP server coordination') as string,
  });
});

test('one orchestrator, one run after the other; another goal gets a board of its own', async () => {
  const project = new Project();
  const { orchestrator, events } = orchestrate(project);
  await orchestrator.initialize('First');
  await orchestrator.addTask('one');
  expect(await orchestrator.runWithPredefinedTasks()).toMatchObject({ tasksCompleted: 1 });
  await orchestrator.addTask('two');
  expect(await orchestrator.runWithPredefinedTasks()).toMatchObject({ tasksCompleted: 2 });
  await orchestrator.initialize('Second');
  expect(project.board()).toMatchObject({ goal: 'Second', tasks: [] });
  expect(events).toContainEqual({ type: 'warning', message: expect.stringMatching(/kept in .*backup/) as string });
  expect(await orchestrator.runWithPredefinedTasks()).toMatchObject({ outcome: 'done', tasksCompleted: 0 });
});

test('workers are told of the board, and not of a session around them', async () => {
  const project = new Project();
  await project.tasks('do it');
  const surrounding = {
    CLAUDECODE: '1',
    CLAUDE_CODE_SESSION_ID: 'x',
    CLAUDE_CODE_ENTRYPOINT: 'cli',
    CLAUDE_PROJECT_DIR: '/',
  };
  const { orchestrator } = orchestrate(project, {
    model: 'some-model',
    maxTurns: 7,
    allowedTools: ['Bash(npm test *)'],
    ...({ env: scrubbedEnv({ ...project.env, ...surrounding, CLAUDE_CONFIG_DIR: '/tmp/config' }) } as object),
  });
  await orchestrator.runWithPredefinedTasks();
  const [start] = project.starts();
  expect(start?.env).toEqual(
    expect.arrayContaining(['COORD_WORKER', 'COORDINATION_DIR', 'COORD_ORCHESTRATED', 'CLAUDE_CONFIG_DIR']),
  );
  for (const name of Object.keys(surrounding)) expect(start?.env).not.toContain(name);
  const args = start?.args?.join(' ') ?? '';
  expect(args).toContain('--model some-model');
  expect(args).toContain('--max-turns 7');
  expect(args).toContain('--permission-mode acceptEdits');
  expect(args).toMatch(/--allowedTools Bash\(coord worker discover \*\) .*Bash\(npm test \*\)$/);
  expect(args).not.toContain('dangerously');
});
