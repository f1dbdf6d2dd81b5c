/**
 * The real Claude Code against a scripted model on loopback: `npm run test:claude`. It has a home of its own, a made-up key, and
 * nothing to talk to but that model.
 */
import { mkdirSync, symlinkSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { type ModelRequest, type Move, startModel } from '../support/model-server.ts';
import { Repository } from '../support/repository.ts';
import { BIN, Rig } from '../support/rig.ts';

const CLAUDE = process.env['COORD_TEST_CLAUDE'] ?? '';

/** Variables that keep Claude Code to itself and to our model. */
function quiet(rig: Rig, url: string): Record<string, string> {
  mkdirSync(rig.path('home'), { recursive: true });
  mkdirSync(rig.path('bin'), { recursive: true });
  symlinkSync(BIN, rig.path('bin/coord'));
  return {
    PATH: `${rig.path('bin')}:${process.env['PATH']}`,
    COORD_CLAUDE_BIN: CLAUDE,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'sk-made-up',
    HOME: rig.path('home'),
    CLAUDE_CONFIG_DIR: rig.path('home/.claude'),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_ERROR_REPORTING: '1',
    CLAUDE_CODE_MAX_RETRIES: '1',
    IS_SANDBOX: '1',
  };
}

/** Plans three tasks, writes a file for the first, answers the second, and fails the third. */
function act(cwd: string, { said, tools, toolResults }: ModelRequest): Move {
  if (tools.includes('StructuredOutput')) {
    if (toolResults > 0) return { text: 'Planned.' };
    return {
      tool: 'StructuredOutput',
      input: {
        approach: 'One after the other.',
        tasks: [
          { key: 'file', description: 'Write hello.txt', priority: 1, dependencies: [] },
          { key: 'talk', description: 'Share a discovery', priority: 2, dependencies: ['file'] },
          { key: 'wrong', description: 'This one is refused by the API', priority: 3, dependencies: [] },
          { key: 'slow', description: 'This one never ends', priority: 4, dependencies: [] },
        ],
      },
    };
  }
  const task = /# task-\d+\\?n?[^]*?\n> ([^\n]*)/.exec(said)?.[1] ?? '';
  if (task.includes('refused')) return { status: 400, message: 'scripted refusal' };
  if (task.includes('never ends')) return { silence: true };
  if (task.includes('hello.txt') && toolResults === 0)
    return { tool: 'Write', input: { file_path: `${cwd}/hello.txt`, content: 'hello\n' } };
  if (task.includes('discovery') && toolResults === 0)
    return { tool: 'mcp__coordination__add_discovery', input: { content: 'The model is scripted' } };
  return { text: `Finished: ${task || 'a question'}` };
}

test('plan, two tasks, a failure, a time-out, aggregate', { timeout: 540_000 }, async () => {
  const rig = new Rig();
  // With hooks in the project: they must leave the workers' claims and endings to the orchestrator.
  await rig.ok(['setup', 'claude', '--hooks']);
  const model = await startModel((request) => act(rig.cwd, request));
  onTestFinished(model.close);
  const ran = await rig.coord(
    [
      'orchestrate',
      'run',
      'Say hello',
      '-w',
      '2',
      '--max-attempts',
      '1',
      '--timeout',
      '30',
      '--model',
      'claude-sonnet-4-5',
    ],
    { env: quiet(rig, model.url) },
  );
  const shown = `${ran.stdout}\n${ran.stderr}\n${JSON.stringify(model.requests.map(({ tools, toolResults }) => [tools.length, toolResults]))}`;
  const { tasks } = rig.board();
  expect(
    tasks.map((task) => [task.description, task.status]),
    shown,
  ).toEqual([
    ['Write hello.txt', 'done'],
    ['Share a discovery', 'done'],
    ['This one is refused by the API', 'failed'],
    ['This one never ends', 'failed'],
  ]);
  expect(ran.code, shown).toBe(1);
  expect(rig.read('hello.txt')).toBe('hello\n');
  expect(rig.read('.coordination/results/task-001.md')).toMatch(/Created: "hello.txt"[^]*Finished: Write hello.txt/);
  expect(rig.read('.coordination/context/discoveries.md')).toContain('The model is scripted');
  expect(tasks[2]?.last_error).toContain('scripted refusal');
  expect(tasks[3]?.last_error).toContain('longer than 30 s');
  expect(rig.read('.coordination/summary.md')).toMatch(/2 of 4 done, 2 failed/);
});

test('red work is held: the same session is told, mends it, and is done', { timeout: 540_000 }, async () => {
  const rig = new Rig();
  const model = await startModel(({ said, toolResults }) => {
    const isTold = said.includes('A check of your task has not ended well') && said.includes('mended.txt is missing');
    if (isTold && toolResults === 0)
      return { tool: 'Write', input: { file_path: `${rig.cwd}/mended.txt`, content: 'mended\n' } };
    return { text: isTold ? 'Mended it.' : 'It is all done.' };
  });
  onTestFinished(model.close);
  const env = { ...quiet(rig, model.url), XDG_STATE_HOME: rig.path('state') };
  await rig.ok(['leader', 'init', 'Say hello'], { env });
  await rig.ok(['leader', 'add-task', 'Do it well'], { env });
  const check = 'test -f mended.txt || { echo "mended.txt is missing"; exit 1; }';
  const ran = await rig.coord(
    ['orchestrate', 'resume', '-w', '1', '--timeout', '60', '--model', 'claude-sonnet-4-5', '--check', check],
    { env },
  );
  const shown = `${ran.stdout}\n${ran.stderr}`;
  expect(rig.board().tasks[0], shown).toMatchObject({ status: 'done', attempt: 1, evidence: { verdict: 'green' } });
  expect(rig.read('.coordination/results/task-001.md'), shown).toContain('Mended it.');
});

test('one worker in its worktree: it edits, commits, is done, and lands', { timeout: 540_000 }, async () => {
  const repo = new Repository();
  // With the guard: it lets pass what is written in the worktree.
  await repo.ok(['setup', 'claude', '--hooks']);
  const folder = repo.path(repo.worktree('task-001'));
  const model = await startModel(({ toolResults }) => {
    if (toolResults === 0) return { tool: 'Write', input: { file_path: `${folder}/hello.txt`, content: 'hello\n' } };
    if (toolResults === 1)
      return {
        tool: 'Bash',
        input: { command: 'git add hello.txt && git commit -m "Say hello"', description: 'Commit' },
      };
    return { text: 'Said hello.' };
  });
  onTestFinished(model.close);
  const env = { ...quiet(repo, model.url), ...repo.env };
  await repo.ok(['leader', 'init', 'Say hello', '--worktrees'], { env });
  await repo.ok(['leader', 'add-task', 'Write hello.txt'], { env });
  const ran = await repo.coord(
    ['orchestrate', 'resume', '-w', '1', '--timeout', '60', '--model', 'claude-sonnet-4-5', '--max-attempts', '1'],
    { env },
  );
  const shown = `${ran.stdout}\n${ran.stderr}`;
  expect(repo.board().tasks[0], shown).toMatchObject({ status: 'done', attempt: 1, landed: { branch: 'coord/main' } });
  expect([ran.code, repo.landed('hello.txt'), repo.exists('hello.txt')], shown).toEqual([0, 'hello', false]);
});
