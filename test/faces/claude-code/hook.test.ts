/** The hooks of Claude Code, against the events that it sends; whatever is wrong, a session goes on. */
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { Agent } from '../../support/mcp.ts';
import { Repository } from '../../support/repository.ts';
import { type Ran, Rig, until, isWatching } from '../../support/rig.ts';

const EVENTS = [
  'session-start',
  'user-prompt-submit',
  'pre-tool-use',
  'post-tool-use',
  'post-tool-batch',
  'stop',
  'wake',
  'session-end',
];
const SILENT = { code: 0, stdout: '', stderr: '' };
const ATTENDED = { COORD_WORKER: 'terminal-2', CLAUDE_CODE_SESSION_ATTENDED: '1' };

let rig: Rig;
beforeEach(async () => {
  rig = new Rig();
  await rig.ok(['leader', 'init', 'Build a REST API']);
});

/** The recorded event, in the folder of this rig, with some of its fields replaced. */
function event(name: string, fields: Record<string, unknown> = {}, cwd = rig.cwd): string {
  const file = fileURLToPath(new URL(`../../fixtures/hooks/${name}.json`, import.meta.url));
  const recorded = readFileSync(file, 'utf8').replaceAll('CWD', cwd);
  return JSON.stringify({ ...(JSON.parse(recorded) as object), ...fields });
}

const { session_id: SESSION } = JSON.parse(event('stop', {}, '/')) as { session_id: string };
/** A claim made in the session of the recorded events. */
const claim = (worker = 'terminal-2', args: string[] = []): Promise<string> =>
  rig.ok(['worker', 'claim', worker, ...args], { env: { CLAUDE_CODE_SESSION_ID: SESSION } });

const hook = (
  name: string,
  fields: Record<string, unknown> = {},
  env: Record<string, string> = { COORD_WORKER: 'terminal-2' },
): Promise<Ran> => rig.coord(['hook', name], { input: event(name, fields), env });

describe.each(EVENTS)('%s', (name) => {
  test.each([
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['fields of other types', '{"session_id": 5, "cwd": [], "tool_input": "x", "tool_name": {}}'],
    ['something huge', JSON.stringify({ session_id: 's', last_assistant_message: 'x'.repeat(3_000_000) })],
  ])('is silent on %s', async (_what, input) => {
    expect(
      await rig.coord(['hook', name], { input, env: { COORD_WORKER: 'w', CLAUDE_CODE_SESSION_ATTENDED: '0' } }),
    ).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  test('is silent without a board, without a worker, and on a board that is broken', async () => {
    const bare = new Rig();
    expect(await bare.coord(['hook', name], { input: event(name, { cwd: bare.cwd }), env: ATTENDED })).toEqual(SILENT);
    expect(await hook(name, {}, { CLAUDE_CODE_SESSION_ATTENDED: '1' })).toEqual(SILENT);
    rig.write('.coordination/tasks.json', '{ "tasks": [');
    expect(await hook(name, {}, ATTENDED)).toEqual(SILENT);
  });
});

test('an event that nobody knows is silent', async () => {
  expect(await rig.coord(['hook', 'pre-compact'], { input: event('stop'), env: ATTENDED })).toEqual(SILENT);
});

describe('session-start', () => {
  test('says who one is, what is held, what there is to do; again the same', async () => {
    await rig.ok(['leader', 'add-task', 'Create User model', '-f', 'src/user.ts', '--hints', 'zod']);
    await rig.ok(['leader', 'add-task', 'Create login']);
    const env = { COORD_WORKER: 'terminal-2', CLAUDE_ENV_FILE: rig.path('env.sh') };
    const idle = await hook('session-start', {}, env);
    expect(idle.stdout).toMatchInlineSnapshot(`
      "You are terminal-2, one of several agents on this project's task queue (command coord, or MCP).
      Goal: Build a REST API
      2 tasks can be claimed, first:
        task-001 Create User model
        task-002 Create login
      Claim the next one when you are asked to work: coord worker claim terminal-2
      "
    `);
    await rig.ok(['worker', 'claim', 'terminal-2']);
    const held = await hook('session-start', { source: 'resume' }, env);
    expect(held.stdout).toMatch(
      /You hold task-001 until [-\d :]+: Create User model\nGo on with it\. .*\nFiles: src\/user\.ts\nHints: zod\n/,
    );
    expect(held.stdout.trim().split('\n').length).toBeLessThanOrEqual(20);
    expect(rig.read('env.sh')).toBe('export COORD_WORKER=terminal-2\n');
    // Remembered: the session needs no variable any more.
    expect((await hook('session-start', {}, {})).stdout).toBe(held.stdout);
  });

  test('a session that claimed on the command line is known by that', async () => {
    await rig.ok(['leader', 'add-task', 'one']);
    const { session_id } = JSON.parse(event('stop')) as { session_id: string };
    await rig.ok(['worker', 'claim', 'terminal-7'], { env: { CLAUDE_CODE_SESSION_ID: session_id } });
    expect((await hook('session-start', {}, {})).stdout).toMatch(/^You are terminal-7/);
  });
});

test('post-tool-use renews the lease, at most once in fifteen seconds', async () => {
  await rig.ok(['leader', 'add-task', 'one']);
  await claim('terminal-2', ['--lease', '10m']);
  const lease = (): string => rig.board().tasks[0]?.lease_expires_at ?? '';
  const first = lease();
  expect(await hook('post-tool-use')).toEqual(SILENT);
  const second = lease();
  expect(second > first).toBe(true);
  expect(await hook('post-tool-use')).toEqual(SILENT);
  expect(lease()).toBe(second);
});

describe('pre-tool-use', () => {
  test('denies a file that another worker has to itself, by name; warns where it is shared', async () => {
    await rig.ok(['leader', 'add-task', 'auth', '-f', 'src/auth.ts', '--exclusive']);
    await rig.ok(['leader', 'add-task', 'routes', '-f', 'src/routes/']);
    expect(await hook('pre-tool-use')).toEqual(SILENT);
    await rig.ok(['worker', 'claim', 'terminal-3']);
    await rig.ok(['worker', 'claim', 'terminal-4']);
    const denied = await hook('pre-tool-use');
    expect(JSON.parse(denied.stdout)).toEqual({
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        permissionDecision: 'deny',
        permissionDecisionReason: expect.stringMatching(
          /^src\/auth\.ts belongs to task-001 of terminal-3 alone/,
        ) as string,
      },
    });
    const shared = await hook('pre-tool-use', {
      tool_name: 'Edit',
      tool_input: { file_path: rig.path('src/routes/a.ts') },
    });
    expect(JSON.parse(shared.stdout)).toEqual({
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        additionalContext: expect.stringContaining('terminal-4 works on src/routes/a.ts too (task-002)') as string,
      },
    });
    // One's own task, another file, a tool that only reads.
    expect(await hook('pre-tool-use', {}, { COORD_WORKER: 'terminal-3' })).toEqual(SILENT);
    expect(await hook('pre-tool-use', { tool_input: { file_path: rig.path('README.md') } })).toEqual(SILENT);
    expect(await hook('pre-tool-use', { tool_name: 'Read' })).toEqual(SILENT);
    await rig.ok(['worker', 'complete', 'terminal-3', 'task-001', 'done']);
    expect(await hook('pre-tool-use')).toEqual(SILENT);
  });
});

describe('stop', () => {
  test('holds up once for a claim, says what to type, and not again without news', async () => {
    await rig.ok(['leader', 'add-task', 'Create User model']);
    expect(await hook('stop')).toEqual(SILENT);
    await claim();
    expect(await hook('stop', { background_tasks: [{ id: 'b1' }] })).toEqual(SILENT);
    const blocked = await hook('stop');
    expect(JSON.parse(blocked.stdout)).toEqual({
      decision: 'block',
      reason: expect.stringMatching(
        /^You still hold task-001 \(Create User model\).*coord worker done terminal-2 task-001/,
      ) as string,
    });
    expect(await hook('stop')).toEqual(SILENT);
    // Another attempt is news.
    await rig.ok(['worker', 'release', 'terminal-2', 'task-001']);
    await claim();
    // A turn that a hook has woken carries this all along: it is held up like any other.
    expect((await hook('stop', { stop_hook_active: true })).stdout).toContain('"block"');
    expect(await hook('stop', { stop_hook_active: true })).toEqual(SILENT);
  });
});

describe('wake', () => {
  const start = (env: Record<string, string> = ATTENDED) => {
    const waiting = rig.start(['hook', 'wake'], env);
    waiting.child.stdin?.end(event('wake'));
    return waiting;
  };

  test('wakes an idle terminal when a task arrives, and not again for the same', async () => {
    const waiting = start();
    await until(() => rig.exists('.coordination/.sessions'), 'the waiter');
    await rig.ok(['leader', 'add-task', 'Create User model']);
    const woken = await waiting.ended;
    expect([woken.code, woken.stdout]).toEqual([2, '']);
    expect(woken.stderr).toMatch(
      /^A task has come, and is yours:\ntask-001 claimed by terminal-2 until [^\n]*\n\n> Create User model\n\nDone: /,
    );
    expect(rig.board().tasks[0]).toMatchObject({ status: 'claimed', claimed_by: 'terminal-2' });
    await rig.ok(['worker', 'done', 'terminal-2', 'task-001', 'x']);
    const again = start();
    await rig.ok(['leader', 'add-task', 'Create login']);
    expect((await again.ended).stderr).toContain('task-002 claimed by terminal-2');
  });

  test('leaves at once where nobody sits', async () => {
    expect(await start({ COORD_WORKER: 'terminal-2', CLAUDE_CODE_SESSION_ATTENDED: '0' }).ended).toEqual(SILENT);
  });

  test('ends with its session: when that says so, and when it was killed', async () => {
    const told = start();
    await until(() => isWatching(told.child.pid), 'the waiter');
    expect(await hook('session-end')).toEqual(SILENT);
    expect(await told.ended).toEqual(SILENT);

    const killed = rig.start(['leader', 'status', '--watch']);
    await until(() => killed.output() !== '', 'a process to stand for the session');
    const orphan = start({ ...ATTENDED, CLAUDE_PID: String(killed.child.pid) });
    await until(() => isWatching(orphan.child.pid), 'the waiter');
    killed.child.kill('SIGKILL');
    expect(await orphan.ended).toEqual(SILENT);
  });

  test('a newer waiter of the session replaces the older', async () => {
    const older = start();
    await until(() => isWatching(older.child.pid), 'the first waiter');
    const newer = start();
    expect(await older.ended).toEqual(SILENT);
    await rig.ok(['leader', 'add-task', 'one']);
    expect((await newer.ended).code).toBe(2);
  });
});

test('a worker of the orchestrator is left to it', async () => {
  await rig.ok(['leader', 'add-task', 'one']);
  await rig.ok(['worker', 'claim', 'terminal-2']);
  for (const name of ['stop', 'wake', 'session-end'])
    expect(await hook(name, {}, { ...ATTENDED, COORD_ORCHESTRATED: '1' })).toEqual(SILENT);
  expect(rig.board().tasks[0]?.status).toBe('claimed');
});

test('session-end gives back what is held, notes kept; a cleared session goes on', async () => {
  await rig.ok(['leader', 'add-task', 'one']);
  await claim();
  expect(await hook('session-end', { reason: 'clear' })).toEqual(SILENT);
  expect(rig.board().tasks[0]?.status).toBe('claimed');
  expect(await hook('session-end')).toEqual(SILENT);
  expect(rig.board().tasks[0]).toMatchObject({ status: 'available', note: 'terminal-2: its session ended' });
});

test('a session in a linked worktree finds the board of the main one', async () => {
  const git = (...args: string[]) =>
    rig
      .coord(['--version'])
      .then(() => import('node:child_process'))
      .then(({ execFileSync }) =>
        execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: rig.cwd, stdio: 'pipe' }),
      );
  await git('init', '-q');
  await git('commit', '-q', '--allow-empty', '-m', 'x');
  await git('worktree', 'add', '-q', '.claude/worktrees/w1');
  await rig.ok(['leader', 'add-task', 'auth', '-f', 'src/auth.ts', '--exclusive']);
  await rig.ok(['worker', 'claim', 'terminal-3']);
  const cwd = rig.path('.claude/worktrees/w1');
  expect((await hook('session-start', { cwd })).stdout).toMatch(/^You are terminal-2/);
  const denied = await hook('pre-tool-use', { cwd, tool_input: { file_path: `${cwd}/src/auth.ts` } });
  expect(denied.stdout).toContain('"deny"');
});

describe('a claim belongs to the session that made it', () => {
  const OTHER = '99999999-9999-4999-8999-999999999999';
  /** Two processes that stand for the clients of two sessions. */
  const clients = (): { pid: string; kill: () => void }[] =>
    [0, 1].map(() => {
      const { child } = rig.start(['leader', 'status', '--watch']);
      return { pid: String(child.pid), kill: () => child.kill('SIGKILL') };
    });
  const inSession = (id: string, pid: string, more: Record<string, string> = {}) => ({
    COORD_WORKER: 'terminal-2',
    CLAUDE_CODE_SESSION_ID: id,
    CLAUDE_PID: pid,
    ...more,
  });

  beforeEach(async () => {
    await rig.ok(['leader', 'add-task', 'one']);
  });

  test('a nested one of the same name neither holds it up, nor renews it, nor gives it back', async () => {
    const [mine, nested] = clients();
    await rig.ok(['worker', 'claim', 'terminal-2'], { env: inSession(SESSION, mine!.pid) });
    const before = rig.board();
    const env = inSession(OTHER, nested!.pid);
    const started = await hook('session-start', { session_id: OTHER }, env);
    expect(started.stdout).toMatch(/Another live session works as terminal-2 too/);
    expect(await hook('post-tool-use', { session_id: OTHER }, env)).toEqual(SILENT);
    expect(await hook('stop', { session_id: OTHER }, env)).toEqual(SILENT);
    expect(await hook('session-end', { session_id: OTHER }, env)).toEqual(SILENT);
    expect(await rig.ok(['worker', 'heartbeat', 'terminal-2'], { env })).toBe('terminal-2 holds no task\n');
    expect(rig.board()).toEqual(before);
    // Nor does asking again make it the other's.
    const asked = await rig.coord(['worker', 'claim', 'terminal-2'], { env });
    expect([asked.code, asked.stderr]).toEqual([0, '']); // it was told so when it began
    expect(await hook('session-end', { session_id: OTHER }, env)).toEqual(SILENT);
    expect(rig.board().tasks[0]).toMatchObject({ status: 'claimed', attempt: 1 });
    expect((await hook('stop', {}, inSession(SESSION, mine!.pid))).stdout).toContain('"block"');
    expect(await hook('session-end', {}, inSession(SESSION, mine!.pid))).toEqual(SILENT);
    expect(rig.board().tasks[0]).toMatchObject({ status: 'available' });
  });

  test('a claim over MCP too', async () => {
    const [mine, nested] = clients();
    const agent = await Agent.start(rig, { env: inSession(SESSION, mine!.pid) });
    await agent.ok('claim_task');
    expect(await hook('session-end', { session_id: OTHER }, inSession(OTHER, nested!.pid))).toEqual(SILENT);
    expect(rig.board().tasks[0]?.status).toBe('claimed');
    expect((await hook('stop', {}, inSession(SESSION, mine!.pid))).stdout).toContain('"block"');
  });

  test('two live sessions of one name are told; a dead one leaves its claim to who goes on', async () => {
    const [first, second] = clients();
    await hook('session-start', {}, inSession(SESSION, first!.pid));
    await rig.ok(['worker', 'claim', 'terminal-2'], { env: inSession(SESSION, first!.pid) });
    const told = await hook('session-start', { session_id: OTHER }, inSession(OTHER, second!.pid));
    expect(told.stdout).toMatch(/Another live session works as terminal-2 too/);
    first!.kill();
    const { claimed_session: before } = rig.board().tasks[0] ?? {};
    await until(async () => {
      await hook('session-start', { session_id: OTHER }, inSession(OTHER, second!.pid));
      return rig.board().tasks[0]?.claimed_session !== before;
    }, 'the first to be gone');
    expect((await hook('stop', { session_id: OTHER }, inSession(OTHER, second!.pid))).stdout).toContain('"block"');
  });

  test('a terminal without a name keeps its task after /clear, under its new session id', async () => {
    const [mine] = clients();
    const { COORD_WORKER: _, ...nameless } = inSession(SESSION, mine!.pid);
    await rig.ok(['worker', 'claim', 'terminal-9'], { env: nameless });
    expect(await hook('session-end', { reason: 'clear' }, nameless)).toEqual(SILENT);
    const cleared = { ...nameless, CLAUDE_CODE_SESSION_ID: OTHER };
    const started = await hook('session-start', { session_id: OTHER, source: 'clear' }, cleared);
    expect(started.stdout).toMatch(/^You are terminal-9[^]*You hold task-001/);
    expect((await hook('stop', { session_id: OTHER }, cleared)).stdout).toContain('"block"');
    expect(await hook('session-end', { session_id: OTHER }, cleared)).toEqual(SILENT);
    expect(rig.board().tasks[0]).toMatchObject({ status: 'available' });
  });
});

test('the guard of exclusive files needs to write nothing', async () => {
  await rig.ok(['leader', 'add-task', 'auth', '-f', 'src/auth.ts', '--exclusive']);
  await rig.ok(['worker', 'claim', 'terminal-3']);
  rmSync(rig.path('.coordination/.sessions'), { recursive: true, force: true });
  const before = rig.snapshot();
  const denied = await hook(
    'pre-tool-use',
    { tool_input: { file_path: rig.path('src/auth.ts') } },
    { COORD_WORKER: 'terminal-2' },
  );
  expect(denied.stdout).toContain('"deny"');
  expect(rig.snapshot()).toEqual(before);
});

describe('with worktrees', () => {
  let repo: Repository;
  const call = (
    name: string,
    fields: Record<string, unknown>,
    env: Record<string, string> = {},
    cwd = repo.cwd,
  ): Promise<Ran> =>
    repo.coord(['hook', name], {
      input: event(name, { cwd, ...fields }, repo.cwd),
      env: { COORD_WORKER: 'w1', ...env },
    });
  const write = (file: string, env: Record<string, string> = {}): Promise<Ran> =>
    call('pre-tool-use', { tool_name: 'Write', tool_input: { file_path: file } }, env);
  beforeEach(async () => {
    repo = new Repository();
    await repo.begin(2);
  });

  test("a session writes in its worktree and the board's folders, and nowhere else", async () => {
    const inside = repo.path(`${repo.worktree('task-001')}/new/file.txt`);
    for (const free of [inside, repo.path('.coordination/context/x.md'), '/home/x/.claude/plans/p.md'])
      expect([free, await write(free, { CLAUDE_CONFIG_DIR: '/home/x/.claude' })]).toEqual([free, SILENT]);
    for (const file of [
      repo.path('a.txt'),
      repo.path(`${repo.worktree('task-002')}/a.txt`),
      repo.path(`${repo.worktree('task-001')}x/a.txt`),
      repo.path(`${repo.worktree('task-001')}/../../../a.txt`),
      '/etc/passwd',
    ]) {
      const { stdout } = await write(file);
      expect([file, JSON.parse(stdout || 'null')]).toMatchObject([
        file,
        {
          hookSpecificOutput: {
            permissionDecision: 'deny',
            permissionDecisionReason: expect.stringContaining(repo.path(repo.worktree('task-001'))),
          },
        },
      ]);
    }
    // A link in the worktree leads where it leads.
    symlinkSync(repo.path('a.txt'), repo.path(`${repo.worktree('task-001')}/link.txt`));
    expect((await write(repo.path(`${repo.worktree('task-001')}/link.txt`))).stdout).toContain('deny');
    // Who holds nothing is not held.
    expect(await write(repo.path('a.txt'), { COORD_WORKER: 'leader-1' })).toEqual(SILENT);
    expect((await write(repo.path('a.txt'), { COORD_ORCHESTRATED: '1' })).stdout).toContain('deny');
  });

  test('a session that starts in a worktree finds the board and its task, and is told where it works', async () => {
    const cwd = repo.path(repo.worktree('task-001'));
    const { stdout } = await call('session-start', {}, {}, cwd);
    expect(stdout).toContain('You hold task-001');
    expect(stdout).toContain(`Its worktree, where you work and commit: ${cwd}`);
  });
});
