/** `coord orchestrate` as people and scripts use it, crashes and Ctrl-C included. */
import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Project } from '../support/claude.ts';
import { until } from '../support/rig.ts';

const run = (project: Project, args: string[], env: Record<string, string> = {}) =>
  project.coord(['orchestrate', ...args], { env: { ...project.env, ...env } });

test('run: plans, works, sums up', async () => {
  const project = new Project();
  const ran = await run(project, ['run', 'Build a REST API for user management', '-w', '3']);
  expect(ran).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^done: 2 done in \d+s, \$\d\.\d\d\nSummary: \.coordination.summary\.md\n$/),
  });
  expect(project.read('.coordination/summary.md')).toMatch(/^# Summary[^]*2 of 2 done[^]*Time and cost/);
  expect(ran.stderr.split('\n')).toEqual(
    expect.arrayContaining([
      'planned 2 tasks, $0.01',
      expect.stringMatching(/^worker-\d began task-001: Create User model$/),
      expect.stringMatching(/^worker-\d completed task-002 in \d+ s, \$0\.01$/),
      'done: 2/2 done, $0.03',
    ]),
  );
  expect(project.read('.coordination/master-plan.md')).toContain('The model first');
  expect(project.read('.coordination/summary.md')).toContain('Did task-001');
  expect(project.board().tasks[1]).toMatchObject({ dependencies: ['task-001'], context: { hints: 'JWT' } });
  const [planner, worker] = project.starts();
  expect(planner?.args).toEqual(expect.arrayContaining(['--json-schema', 'dontAsk', '--disallowedTools']));
  expect(worker?.prompt).toContain('The model first'); // the plan is part of the brief
  // What they said is kept for whoever looks for a reason.
  expect(project.read('.coordination/logs/planner.jsonl')).toContain('structured_output');
});

describe('a plan', () => {
  const GOOD = { approach: 'x', tasks: [{ description: 'only task' }] };
  const CIRCLE = {
    approach: 'x',
    tasks: [
      { key: 'a', description: 'a', dependencies: ['b'] },
      { key: 'b', description: 'b', dependencies: ['a'] },
    ],
  };
  test.each([
    ['with a circle', CIRCLE, /wait for each other|circle|cycle/i],
    ['with an unknown dependency', { approach: 'x', tasks: [{ description: 'a', dependencies: ['nope'] }] }, /nope/],
    ['without tasks', { approach: 'x', tasks: [] }, /at least one task/],
    ['with another shape', { plan: [] }, /approach/],
    ['that is none', 'none', /form that was asked for/],
  ])('%s is sent back once, then the run ends', async (_what, bad, why) => {
    const project = new Project();
    project.write('plans.json', JSON.stringify([bad, GOOD]));
    const env = { FAKE_CLAUDE_PLANS: project.path('plans.json') };
    expect((await run(project, ['run', 'Goal'], env)).code).toBe(0);
    expect(project.starts('planner')[1]?.prompt).toMatch(why);
    expect(project.board().tasks.map((task) => task.description)).toEqual(['only task']);

    const again = new Project();
    again.write('plans.json', JSON.stringify([bad, bad]));
    const refused = await run(again, ['run', 'Goal'], { FAKE_CLAUDE_PLANS: again.path('plans.json') });
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(why) });
    expect(again.starts()).toHaveLength(2);
    expect(again.board().tasks).toEqual([]);
  });

  test('--plan-only stops for review, and resume goes on', async () => {
    const project = new Project();
    const planned = await run(project, ['run', 'Goal', '--plan-only']);
    expect(planned).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^task-001 .*Create User model\ntask-002/),
    });
    expect(project.board().tasks.map((task) => task.status)).toEqual(['available', 'available']);
    expect((await run(project, ['resume'])).code).toBe(0);
    expect(project.board().tasks.map((task) => task.status)).toEqual(['done', 'done']);
  });
});

test('tasks of a file, without a plan, in the format of the document', async () => {
  const project = new Project();
  project.write(
    'my-tasks.json',
    JSON.stringify([
      { description: 'Create User model', priority: 1, context_files: ['src/user.ts'] },
      { description: 'Create login', priority: 2, dependencies: ['task-1'], hints: 'JWT' },
    ]),
  );
  const ran = await run(project, ['run', 'Build API', '--no-plan', '--tasks', 'my-tasks.json', '--summarize']);
  expect(ran.code).toBe(0);
  expect(project.read('.coordination/summary.md')).toMatch(/^> All went well\./);
  expect(project.board().tasks).toMatchObject([
    { status: 'done', context: { files: ['src/user.ts'] } },
    { status: 'done', dependencies: ['task-001'] },
  ]);
  expect(project.starts('planner')).toEqual([]);
});

test('init, create-task, from-config: a file that can be run again', async () => {
  const project = new Project();
  await project.ok(['orchestrate', 'init', 'Build a REST API']);
  expect(JSON.parse(project.read('orchestration.json'))).toEqual({
    goal: 'Build a REST API',
    max_workers: 3,
    model: null,
    task_timeout: 600,
    tasks: [],
  });
  expect((await run(project, ['init', 'Another'])).code).toBe(4);
  await project.ok(['orchestrate', 'create-task', 'Create User model', '-p', '1']);
  await project.ok([
    'orchestrate',
    'create-task',
    'Create login endpoint',
    '-p',
    '2',
    '-d',
    'task-1',
    '-f',
    'a.ts',
    '--hints',
    'JWT',
  ]);
  const before = project.read('orchestration.json');
  expect(await run(project, ['create-task', 'x', '-d', 'task-7'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/task-7/),
  });
  expect(await run(project, ['create-task', ' '])).toMatchObject({ code: 2 });
  expect(project.read('orchestration.json')).toBe(before);
  expect((await run(project, ['from-config', 'orchestration.json'])).code).toBe(0);
  expect(project.board().tasks).toMatchObject([{ status: 'done' }, { status: 'done', dependencies: ['task-001'] }]);
  expect((await run(project, ['from-config'])).code).toBe(0);
  expect(project.board().tasks).toHaveLength(2);
  expect(await project.json(['orchestrate', 'status'])).toMatchObject({ counts: { done: 2, total: 2 } });
});

test('--json prints one event a line, and nothing else', async () => {
  const project = new Project();
  const ran = await run(project, ['run', 'Goal', '--json']);
  expect(ran.stderr).toBe('');
  const events = ran.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  expect(new Set(events.map((event) => event.type))).toEqual(
    new Set(['progress', 'plan', 'claim', 'complete', 'cost', 'status', 'settled']),
  );
  expect(events.at(-1)).toMatchObject({
    type: 'settled',
    outcome: 'done',
    counts: { done: 2 },
    cost_usd: expect.closeTo(0.03) as number,
  });
});

describe('before anything is planned or claimed', () => {
  test.each([
    [
      'missing',
      { COORD_CLAUDE_BIN: '/nowhere/claude' },
      /There is no Claude Code[^]*npm install -g @anthropic-ai\/claude-code/,
    ],
    ['something else', { COORD_CLAUDE_BIN: '/bin/false' }, /does not answer as Claude Code/],
    ['too old', { FAKE_CLAUDE_VERSION: '1.0.3 (Claude Code)' }, /1\.0\.3 is too old/],
    ['not logged in', { FAKE_CLAUDE_LOGIN: 'no' }, /Nobody is logged in/],
  ])('claude is %s: one clear message', async (_what, env, words) => {
    const project = new Project();
    const ran = await run(project, ['run', 'Goal'], env);
    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(words) });
    expect(project.exists('.coordination')).toBe(false);
  });
});

test.each([
  [['run'], 2],
  [['run', 'x', '--tasks', 'a.json'], 2],
  [['run', 'x', '--no-plan'], 2],
  [['run', 'x', '--no-plan', '--tasks', 'missing.json'], 1],
  [['run', 'x', '-w', '0'], 2],
  [['run', 'x', '--budget', 'free'], 2],
  [['run', 'x', '--plan-only', '--no-plan'], 2],
  [['resume'], 1],
  [['from-config'], 1],
])('orchestrate %j is refused without a trace of a stack', async (args, code) => {
  const project = new Project();
  const ran = await run(project, args);
  expect(ran).toMatchObject({ code, stdout: '' });
  expect(ran.stderr).toMatch(/^coord: /);
  expect(ran.stderr).not.toMatch(/\n\s+at /);
  expect(project.starts()).toEqual([]);
});

describe('Ctrl-C', () => {
  test('once: agents are interrupted, tasks given back, exit 130, and resume finishes', async () => {
    const project = new Project();
    await project.tasks('[slow 60000]', '[stubborn]', 'free');
    const running = project.start(['orchestrate', 'resume', '-w', '2'], project.env);
    await until(() => project.starts().length === 2, 'two agents');
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect(project.alive()).toEqual([]);
    expect(project.board().tasks.map((task) => [task.status, task.max_attempts - task.attempt])).toEqual([
      ['available', 3],
      ['available', 3],
      ['available', 3],
    ]);
    await project.ok(['leader', 'edit', 'task-001', '--description', 'quick']);
    await project.ok(['leader', 'edit', 'task-002', '--description', 'quick']);
    expect((await run(project, ['resume'])).code).toBe(0);
    expect(project.board().tasks.every((task) => task.status === 'done')).toBe(true);
  });

  test('twice: nothing is waited for, and nothing is left', async () => {
    const project = new Project();
    await project.tasks('[stubborn]');
    const running = project.start(['orchestrate', 'resume'], project.env);
    await until(() => project.noted().some((one) => one.event === 'child'), 'an agent with a child');
    running.child.kill('SIGINT');
    await until(() => running.errors().includes('stopping'), 'the first Ctrl-C to be heard');
    running.child.kill('SIGINT');
    await running.ended;
    await until(() => project.alive().length === 0, 'everything to end');
  });
});

test('kill -9 in mid-run, then resume: every task done once, no orphan', async () => {
  const project = new Project();
  await project.tasks(
    '[slow 400]',
    '[slow 400]',
    '[slow 60000] [write marker.txt]',
    '[stubborn]',
    '[slow 10]',
    '[slow 10]',
  );
  const running = project.start(['orchestrate', 'resume', '-w', '2'], project.env);
  await until(() => project.starts('task-003').length + project.starts('task-004').length === 2, 'the long ones');
  await until(() => project.noted().some((one) => one.event === 'child'), 'the grandchild');
  running.child.kill('SIGKILL');
  await running.ended;
  expect(project.alive().length).toBeGreaterThanOrEqual(3); // they work on, and nobody looks after them
  const done = project.board().tasks.filter((task) => task.status === 'done').length;
  expect(done).toBe(2);

  await project.ok(['leader', 'edit', 'task-003', '--description', 'quick']);
  await project.ok(['leader', 'edit', 'task-004', '--description', 'quick']);
  const resumed = await run(project, ['resume', '-w', '2']);
  expect(resumed).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/task-003 given back: its orchestrator died/),
  });
  expect(project.alive()).toEqual([]);
  expect(project.board().tasks.every((task) => task.status === 'done')).toBe(true);
  expect(project.starts('task-001')).toHaveLength(1);
  expect(project.starts('task-002')).toHaveLength(1);
});

test('two orchestrators on one board: the second is refused; a person may join in', async () => {
  const project = new Project();
  await project.tasks('[slow 3000]', 'by hand');
  const running = project.start(['orchestrate', 'resume', '-w', '1'], project.env);
  await until(() => project.starts().length === 1, 'an agent');
  expect(await run(project, ['resume'])).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/Another orchestrator/),
  });
  expect(await project.ok(['worker', 'claim', 'me'])).toMatch(/^task-002 claimed by me/);
  await project.ok(['worker', 'complete', 'me', 'task-002', 'mine']);
  expect((await running.ended).code).toBe(0);
  expect(project.board().tasks.map((task) => task.claimed_by)).toEqual(['worker-1', 'me']);
  rmSync(project.path('claude.log'));
});

test('--keep-going waits for more when all is done, until Ctrl-C', async () => {
  const project = new Project();
  await project.tasks('one');
  const running = project.start(['orchestrate', 'resume', '--keep-going'], project.env);
  await until(() => project.board().tasks[0]?.status === 'done', 'the first task');
  await project.ok(['leader', 'add-task', 'two']);
  await until(() => project.board().tasks[1]?.status === 'done', 'the second task');
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 130, stdout: expect.stringContaining('interrupted: 2 done') });
});

test('resume --max-attempts holds for the tasks that wait', async () => {
  const project = new Project();
  await project.tasks('[api_error]');
  expect((await run(project, ['resume', '--max-attempts', '1'])).code).toBe(1);
  expect(project.starts('task-001')).toHaveLength(1);
});

test('resume on a board without tasks has nothing to go on with', async () => {
  const project = new Project();
  await project.ok(['leader', 'init', 'x']);
  expect(await run(project, ['resume'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/no task/) });
});

test('a board with open tasks of another goal is not mixed with a new one', async () => {
  const project = new Project();
  await project.tasks('open');
  expect(await run(project, ['run', 'Another goal'])).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/orchestrate resume/),
  });
});
