/** The real Claude Code with the hooks, the skills, the MCP server and the plugin of `coord setup claude`. */
import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Move } from '../support/model-server.ts';
import { bash, claude, CLAUDE, hasTmux, RULES, Terminal, untilWaiting } from '../support/real-claude.ts';
import { Rig, scrubbedEnv, until } from '../support/rig.ts';

const PLUGIN = fileURLToPath(new URL('../../dist/plugin', import.meta.url));

async function project(...tasks: string[][]): Promise<Rig> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Say hello']);
  for (const task of tasks) await rig.ok(['leader', 'add-task', ...task]);
  await rig.ok(['setup', 'claude', '--hooks']);
  return rig;
}

test('a worker that claims, edits and completes over MCP, told who it is when it starts', async () => {
  const rig = await project(['Write hello.txt']);
  const steps: Move[] = [
    { tool: 'mcp__coordination__claim_task', input: {} },
    { tool: 'Write', input: { file_path: rig.path('hello.txt'), content: 'hello\n' } },
    {
      tool: 'mcp__coordination__complete_task',
      input: { task_id: 'task-001', output: 'Wrote it', files_created: ['hello.txt'] },
    },
    { text: 'Done.' },
  ];
  const session = await claude(rig, 'Work', ({ toolResults }) => steps[toolResults] ?? { text: 'Done.' }, [
    '--permission-mode',
    'acceptEdits',
    '--allowedTools',
    'mcp__coordination',
  ]);
  expect(rig.board().tasks[0], session.output).toMatchObject({ status: 'done', claimed_by: 'terminal-2' });
  expect(rig.read('hello.txt')).toBe('hello\n');
  expect(session.requests.some(({ said }) => said.includes('You are terminal-2, one of several agents'))).toBe(true);
});

test('the same by the command line, with the skill at hand', async () => {
  const rig = await project(['Say hello']);
  const steps: Move[] = [
    { tool: 'Bash', input: { command: 'coord worker claim terminal-2', description: 'claim' } },
    { tool: 'Bash', input: { command: 'coord worker done terminal-2 task-001 "Hello"', description: 'complete' } },
    { text: 'Done.' },
  ];
  const session = await claude(rig, 'Work', ({ toolResults }) => steps[toolResults] ?? { text: 'Done.' }, [
    '--allowedTools',
    ...RULES,
  ]);
  expect(rig.board().tasks[0], session.output).toMatchObject({ status: 'done', claimed_by: 'terminal-2' });
  expect(session.output).toContain('coord-worker');
});

test('a stop with a task in hand is held up once, with what to type', async () => {
  const rig = await project(['Say hello']);
  const session = await claude(
    rig,
    'Work',
    ({ said, toolResults }) => {
      if (toolResults === 0) return bash('coord worker claim terminal-2');
      if (toolResults === 1 && said.includes('You still hold task-001'))
        return bash('coord worker done terminal-2 task-001 "Hello"');
      return { text: 'I stop here.' };
    },
    ['--allowedTools', ...RULES],
  );
  expect(rig.board().tasks[0], session.output).toMatchObject({ status: 'done' });
});

test('in a worktree of the client, where its shell guard refuses a bare word, `done` passes', async () => {
  const rig = await project(['Say hello']);
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.test', ...args], {
      cwd: rig.cwd,
      stdio: 'pipe',
    });
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'x');
  const steps: Move[] = [
    bash('coord worker claim terminal-2'),
    bash('coord worker done terminal-2 task-001 "Hello"'),
    { text: 'Done.' },
  ];
  const session = await claude(rig, 'Work', ({ toolResults }) => steps[toolResults] ?? { text: 'Done.' }, [
    '--worktree',
    'w1',
    '--allowedTools',
    ...RULES,
  ]);
  expect(rig.board().tasks[0], session.output).toMatchObject({ status: 'done', claimed_by: 'terminal-2' });
});

test('a `claude -p` that a worker starts itself, of the same name, leaves its task alone', async () => {
  const rig = await project(['Say hello']);
  let afterwards: string | undefined;
  const session = await claude(
    rig,
    'Work',
    ({ said, toolResults }) => {
      if (toolResults === 0 && said.includes('a nested question')) return { text: 'Nested answer.' };
      if (toolResults === 0) return bash('coord worker claim terminal-2');
      if (toolResults === 1) return bash(`${CLAUDE} -p "a nested question" --model claude-sonnet-4-5 < /dev/null`);
      afterwards ??= rig.board().tasks[0]?.status;
      return toolResults === 2 ? bash('coord worker done terminal-2 task-001 "Hello"') : { text: 'Done.' };
    },
    ['--allowedTools', ...RULES, `Bash(${CLAUDE} *)`],
  );
  expect(session.output).toContain('Nested answer.');
  expect(afterwards, session.output).toBe('claimed');
  expect(rig.board().tasks[0]).toMatchObject({ status: 'done', attempt: 1 });
});

test('a file that another worker has to itself is denied, naming worker and task', async () => {
  const rig = await project(['auth', '-f', 'src/auth.ts', '--exclusive']);
  await rig.ok(['worker', 'claim', 'terminal-3']);
  const session = await claude(
    rig,
    'Work',
    ({ toolResults }) =>
      toolResults === 0
        ? { tool: 'Write', input: { file_path: rig.path('src/auth.ts'), content: 'x' } }
        : { text: 'Left it.' },
    ['--permission-mode', 'acceptEdits'],
  );
  expect(rig.exists('src/auth.ts'), session.output).toBe(false);
  expect(session.requests.some(({ said }) => said.includes('src/auth.ts belongs to task-001 of terminal-3'))).toBe(
    true,
  );
});

test('the end of a session gives its task back', async () => {
  const rig = await project(['Say hello']);
  await claude(
    rig,
    'Work',
    ({ toolResults }) =>
      toolResults === 0
        ? { tool: 'Bash', input: { command: 'coord worker claim terminal-2', description: 'claim' } }
        : { text: 'I stop.' },
    ['--allowedTools', ...RULES],
  );
  expect(rig.board().tasks[0]).toMatchObject({ status: 'available', note: 'terminal-2: its session ended' });
});

test.skipIf(!hasTmux)('an idle terminal is woken when a task arrives, with it in hand (needs tmux)', async () => {
  const rig = await project();
  // Woken, it stops with the task in hand.
  const terminal = await Terminal.open(rig, ({ said, toolResults }) =>
    /You still hold task-001/.test(said) && toolResults === 0
      ? bash('coord worker done terminal-2 task-001 "Hello"')
      : { text: 'Idle now.' },
  );
  const { requests } = terminal.model;
  terminal.type('hello');
  await until(() => requests.length > 0, 'the first request');
  await untilWaiting(rig, 1);
  const asked = requests.length; // waiting asks no model anything
  await rig.ok(['leader', 'add-task', 'A new thing']);
  await until(() => requests.slice(asked).some(({ said }) => /task-001 claimed by terminal-2/.test(said)), 'the wake');
  await until(() => rig.board().tasks[0]?.status === 'done', 'the task, which a stop was held up for');
});

test('the plugin loads without errors, and is valid', async () => {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Say hello']);
  await rig.ok(['leader', 'add-task', 'one']);
  const session = await claude(rig, 'Hello', () => ({ text: 'Hello.' }), ['--plugin-dir', PLUGIN]);
  const init = session.output.split('\n').find((line) => line.includes('"subtype":"init"')) ?? '';
  expect(init, session.output.slice(0, 2000)).toMatch(/coord:work/);
  expect(init).not.toMatch(/"plugin_errors":\[[^\]]/);
  expect(init).toMatch(/plugin:coord:coordination/);
  expect(session.requests.some(({ said }) => said.includes('You are terminal-2'))).toBe(true);
  const valid = await new Promise<string>((resolve) =>
    execFile(
      CLAUDE,
      ['plugin', 'validate', '--strict', PLUGIN],
      { env: scrubbedEnv({ HOME: rig.path('home') }) },
      (error, stdout, stderr) => resolve(`${error ? 'FAILED ' : ''}${stdout}${stderr}`),
    ),
  );
  expect(valid).not.toMatch(/^FAILED/);
});
