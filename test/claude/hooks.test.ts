/** The real Claude Code with the hooks, the skills, the MCP server and the plugin of `coord setup claude`. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { shellRules, WORKER_COMMANDS } from '../../src/runner/agent-commands.ts';
import { type ModelRequest, type Move, startModel } from '../support/model-server.ts';
import { BIN, Rig, scrubbedEnv, until } from '../support/rig.ts';

const CLAUDE = process.env['COORD_TEST_CLAUDE'] ?? '';
const PLUGIN = fileURLToPath(new URL('../../dist/plugin', import.meta.url));

/** What set-up allows. */
const RULES = shellRules('worker', WORKER_COMMANDS);
const bash = (command: string): Move => ({ tool: 'Bash', input: { command, description: 'a step' } });

interface Session {
  code: number;
  output: string;
  requests: ModelRequest[];
}

/** A home, a key and a model of its own, and coord on the PATH. */
function surroundings(rig: Rig, url: string): Record<string, string> {
  return scrubbedEnv({
    PATH: `${rig.path('bin')}:${process.env['PATH']}`,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'sk-made-up',
    HOME: rig.path('home'),
    CLAUDE_CONFIG_DIR: rig.path('home/.claude'),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_ERROR_REPORTING: '1',
    IS_SANDBOX: '1',
    COORD_WORKER: 'terminal-2',
  });
}

/** One `claude -p` in a project with coord on the PATH, against a scripted model. */
async function claude(
  rig: Rig,
  prompt: string,
  act: (request: ModelRequest) => Move,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Session> {
  const model = await startModel(act);
  onTestFinished(model.close);
  mkdirSync(rig.path('home'), { recursive: true });
  mkdirSync(rig.path('bin'), { recursive: true });
  if (!rig.exists('bin/coord')) symlinkSync(BIN, rig.path('bin/coord'));
  return new Promise((resolve) => {
    const child = execFile(
      CLAUDE,
      ['-p', prompt, '--output-format', 'stream-json', '--verbose', '--model', 'claude-sonnet-4-5', ...args],
      {
        cwd: rig.cwd,
        maxBuffer: 100_000_000,
        timeout: 120_000,
        env: { ...surroundings(rig, model.url), ...env },
      },
      (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, output: `${stdout}${stderr}`, requests: model.requests }),
    );
    child.stdin?.end();
  });
}

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

const hasTmux = spawnSync('tmux', ['-V']).status === 0;

test.skipIf(!hasTmux)('an idle terminal is woken when a task arrives (needs tmux)', async () => {
  const rig = await project();
  // Woken, it claims, and stops with the task in hand.
  const model = await startModel(({ said, toolResults }) => {
    if (/You still hold task-001/.test(said) && toolResults === 1)
      return bash('coord worker done terminal-2 task-001 "Hello"');
    if (/task-001 can be claimed now/.test(said) && toolResults === 0) return bash('coord worker claim terminal-2');
    return { text: 'Idle now.' };
  });
  onTestFinished(model.close);
  // The questions that a person answers once.
  rig.write(
    'home/.claude/.claude.json',
    JSON.stringify({
      hasCompletedOnboarding: true,
      theme: 'dark',
      projects: { [rig.cwd]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
      customApiKeyResponses: { approved: ['sk-made-up'], rejected: [] },
    }),
  );
  mkdirSync(rig.path('bin'), { recursive: true });
  symlinkSync(BIN, rig.path('bin/coord'));
  const env = Object.entries(surroundings(rig, model.url)).map(([name, value]) => `${name}=${value}`);
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', `coord-${process.pid}`, ...args], { encoding: 'utf8' });
  onTestFinished(() => void spawnSync('tmux', ['-L', `coord-${process.pid}`, 'kill-server']));
  tmux(
    '-f',
    '/dev/null',
    'new-session',
    '-d',
    '-x',
    '120',
    '-y',
    '40',
    '-c',
    rig.cwd,
    'env',
    '-i',
    'TERM=xterm-256color',
    ...env,
    CLAUDE,
  );
  const screen = (): string => tmux('capture-pane', '-p');
  // The line to type in, whatever a release writes around it.
  await until(() => /^\s*[│|]?\s*[❯>]/m.test(screen()), 'the prompt of Claude Code');
  tmux('send-keys', 'hello');
  tmux('send-keys', 'Enter');
  await until(() => model.requests.length > 0, 'the first request');
  await until(
    () =>
      rig.exists('.coordination/.sessions') &&
      readdirSync(rig.path('.coordination/.sessions')).some((name) => name.endsWith('.waiter')),
    'the waiter',
  );
  const asked = model.requests.length; // waiting asks no model anything
  await rig.ok(['leader', 'add-task', 'A new thing']);
  await until(
    () => model.requests.slice(asked).some(({ said }) => /task-001 can be claimed now/.test(said)),
    'the wake',
  );
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
