/** However it ends: agents are ended with all that they have started, tasks given back, costs counted, and one orchestrator owns a board. */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Project } from '../support/claude.ts';
import { BIN, Rig, scrubbedEnv, until } from '../support/rig.ts';

const run = (project: Project, args: string[], env: Record<string, string> = {}) =>
  project.coord(['orchestrate', ...args], { env: { ...project.env, ...env } });

describe('a closed terminal window', () => {
  test.each(['SIGHUP', 'SIGTERM'] as const)('orchestrate, %s: agents end, tasks go back, exit 130', async (signal) => {
    const project = new Project();
    await project.tasks('[slow 60000]', '[stubborn]');
    const running = project.start(['orchestrate', 'resume', '-w', '2'], project.env);
    await until(() => project.starts().length === 2, 'two agents');
    running.child.kill(signal);
    if (signal === 'SIGHUP') running.child.kill(signal); // the kernel and the shell each send one
    expect(await running.ended).toMatchObject({ code: 130, stderr: expect.stringMatching(/stopping/) as string });
    expect(project.alive()).toEqual([]);
    expect(project.board().tasks.map((task) => task.status)).toEqual(['available', 'available']);
  });

  test('worker run: the command ends, the task goes back, exit 130', async () => {
    const rig = new Rig();
    await rig.ok(['leader', 'init', 'Goal']);
    await rig.ok(['leader', 'add-task', 'one']);
    const running = rig.start(['worker', 'run', 'w', '--', 'sh', '-c', 'echo $$ > pid; sleep 100']);
    await until(() => rig.exists('pid') && rig.read('pid') !== '', 'the command');
    running.child.kill('SIGHUP');
    const ended = await running.ended;
    expect(ended).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/stopping task-001[^]*given back/) as string,
    });
    expect(rig.board().tasks[0]).toMatchObject({ status: 'available', attempt: 1, max_attempts: 4 });
    expect(() => process.kill(Number(rig.read('pid')), 0)).toThrow();
  });

  test.runIf(process.platform === 'linux')('nohup keeps it running', async () => {
    const rig = new Rig();
    await rig.ok(['leader', 'init', 'Goal']);
    await rig.ok(['leader', 'add-task', 'one']);
    rig.write('task.sh', 'echo > begun; while [ ! -e go ]; do sleep 0.05; done');
    const command = `nohup ${process.execPath} ${BIN} worker run w -- sh task.sh & echo $! > pid; wait $!`;
    const child = spawn('bash', ['-c', command], { cwd: rig.cwd, env: scrubbedEnv(), stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise((resolve) => child.on('close', resolve));
    await until(() => rig.exists('begun'), 'the command');
    process.kill(Number(rig.read('pid')), 'SIGHUP');
    rig.write('go', '');
    expect(await ended).toBe(0);
    expect(rig.board().tasks[0]?.status).toBe('done');
  });
});

describe('the second Ctrl-C', () => {
  test('orchestrate: kills what runs, gives the task back, and says so', async () => {
    const project = new Project();
    await project.tasks('[stubborn]');
    const running = project.start(['orchestrate', 'resume'], project.env);
    await until(() => project.noted().some((one) => one.event === 'child'), 'an agent with a child');
    running.child.kill('SIGINT');
    await until(() => running.errors().includes('stopping'), 'it to say that it stops');
    running.child.kill('SIGINT');
    expect((await running.ended).stderr).toMatch(/stopping[^]*killed; giving the tasks back/);
    await until(() => project.alive().length === 0, 'everything to end');
    expect(project.board().tasks[0]).toMatchObject({ status: 'available', attempt: 1, max_attempts: 4 });
  });

  test('worker run: the same, with what it started in a session of its own', async () => {
    const rig = new Rig();
    await rig.ok(['leader', 'init', 'Goal']);
    await rig.ok(['leader', 'add-task', 'one']);
    const script =
      "trap '' TERM INT; setsid sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 1; done' & while :; do sleep 1; done";
    const running = rig.start(['worker', 'run', 'w', '--', 'sh', '-c', script]);
    await until(() => rig.exists('pid') && rig.read('pid') !== '', 'the grandchild');
    running.child.kill('SIGINT');
    await until(() => running.errors().includes('stopping'), 'it to say that it stops');
    running.child.kill('SIGINT');
    expect((await running.ended).stderr).toMatch(/killed; giving task-001 back[^]*given back/);
    expect(rig.board().tasks[0]?.status).toBe('available');
    await until(() => spawnSync('ps', ['-p', rig.read('pid').trim()]).status !== 0, 'the grandchild to be gone');
  });
});

test('what an agent that crashed has started is ended, by the mark that it inherited', async () => {
  const project = new Project();
  await project.tasks({ description: '[background] [crash]', max_attempts: 1 });
  await run(project, ['resume']);
  expect(project.noted().some((one) => one.event === 'child')).toBe(true);
  expect(project.alive()).toEqual([]);
});

test('an agent whose orchestrator was killed, and that was killed itself, leaves nothing to the next run; its cost counts', async () => {
  const project = new Project();
  await project.tasks('[background] [paid] [slow 60000]');
  const running = project.start(['orchestrate', 'resume'], project.env);
  await until(() => project.noted().some((one) => one.event === 'child'), 'an agent with a child');
  const transcript = '.coordination/logs/worker-1.jsonl';
  await until(
    () => project.exists(transcript) && project.read(transcript).includes('total_cost_usd'),
    'a first result',
  );
  running.child.kill('SIGKILL');
  await running.ended;
  process.kill(project.starts()[0]?.pid ?? 0, 'SIGKILL');
  await project.ok(['leader', 'edit', 'task-001', '--description', 'quick']);
  const resumed = await run(project, ['resume']);
  expect(resumed).toMatchObject({ code: 0 });
  expect(project.alive()).toEqual([]);
  expect(project.board().tasks[0]?.cost_usd).toBeCloseTo(0.51);
  expect(project.read('.coordination/summary.md')).toMatch(/All runs together cost \$0\.51, this one \$0\.01/);
});

test("the planner's cost, and that of earlier runs, stands in the summary", async () => {
  const project = new Project();
  const planned = await run(project, ['run', 'Goal', '--plan-only']);
  expect(planned.code).toBe(0);
  expect(project.board().cost_usd).toBeCloseTo(0.01);
  await run(project, ['resume', '--summarize']);
  expect(project.read('.coordination/summary.md')).toMatch(/planning and summaries \| \| \| \| \$0\.02/);
  expect(project.read('.coordination/summary.md')).toMatch(/All runs together cost \$0\.04, this one \$0\.03/);
});

test('an error that follows a success, of a turn that nobody asked for, throws no finished work away', async () => {
  const project = new Project();
  await project.tasks({ description: '[spurious]', max_attempts: 1 });
  expect((await run(project, ['resume'])).code).toBe(0);
  expect(project.board().tasks[0]).toMatchObject({ status: 'done', cost_usd: 0.01 });
});

describe('one orchestrator a board', () => {
  test('of several that begin at once exactly one runs, whoever holds the lock', async () => {
    const project = new Project();
    await project.tasks('[slow 3000]', '[slow 3000]');
    const ran = await Promise.all(Array.from({ length: 5 }, () => run(project, ['resume', '-w', '1'])));
    expect(ran.map(({ code }) => code ?? -1).toSorted((a, b) => a - b)).toEqual([0, 4, 4, 4, 4]);
    expect(project.starts()).toHaveLength(2);
  });

  test.each([
    ['until its lease has run out', -1],
    ['unless its lease is longer than any', 86_400],
  ])('one of another machine is believed %s', async (_, unbelievable) => {
    const project = new Project();
    await project.tasks('one');
    await project.ok(['mcp', 'token', 'w']);
    const folder = project.path('.coordination/.registry');
    const [log = ''] = readdirSync(folder);
    const known = JSON.parse(readFileSync(`${folder}/${log}/00000001.json`, 'utf8')) as Record<string, unknown>;
    const lease = (seconds: number) => ({
      host: 'other',
      pid: 4711,
      started: '1',
      fence: 7,
      expires_at: new Date(Date.now() + seconds * 1000).toISOString(),
    });
    const write = (revision: number, seconds: number): void =>
      writeFileSync(
        `${folder}/${log}/0000000${revision}.json`,
        JSON.stringify({ ...known, revision, fence: 7, orchestrator: lease(seconds) }),
        { mode: 0o600 },
      );
    write(2, 60);
    expect(await run(project, ['resume'])).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/Another orchestrator/) as string,
    });
    write(3, unbelievable);
    expect((await run(project, ['resume'])).code).toBe(0);
  });
});

test('six tokens at once, while a stranger holds the lock: six tokens; a revocation is never lost', async () => {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Goal']);
  rig.write('.coordination/.lock/held', '');
  const names = Array.from({ length: 6 }, (_, i) => `w${i}`);
  await rig.ok(['mcp', 'token', 'old']);
  const made = await Promise.all([
    ...names.map((name) => rig.ok(['mcp', 'token', name])),
    rig.ok(['mcp', 'token', 'old', '--revoke']),
  ]);
  expect(new Set(made).size).toBe(7);
  const [folder = ''] = readdirSync(rig.path('.coordination/.registry'));
  const revisions = readdirSync(rig.path(`.coordination/.registry/${folder}`)).toSorted();
  const { tokens } = JSON.parse(rig.read(`.coordination/.registry/${folder}/${revisions.at(-1)}`)) as {
    tokens: { worker: string }[];
  };
  expect(tokens.map(({ worker }) => worker).toSorted()).toEqual(names);
});

test('agents are not given the tokens of the server', async () => {
  const project = new Project();
  await project.tasks('one');
  await run(project, ['resume'], { COORD_MCP_TOKENS: 'w=0123456789abcdef' });
  expect(project.starts()[0]?.env).not.toContain('COORD_MCP_TOKENS');
  expect(project.starts()[0]?.env).toContain('COORD_RUN');
  await project.ok(['leader', 'add-task', 'two']);
  await project.ok(['worker', 'run', 'w', '--', 'sh', '-c', 'env > seen'], {
    env: { COORD_MCP_TOKENS: 'w=0123456789abcdef' },
  });
  expect(project.read('seen')).not.toContain('COORD_MCP_TOKENS');
});
