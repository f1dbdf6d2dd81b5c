/** The orchestrator with a worktree for each agent: it lands as it goes, and ends with one branch that passes its checks. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import type { RunEvent } from '../../src/runner/events.ts';
import { type Noted, STAND_IN } from '../support/claude.ts';
import { Repository } from '../support/repository.ts';
import { until } from '../support/rig.ts';

let repo: Repository;
beforeEach(() => {
  repo = new Repository({
    'a.txt': 'a\n',
    's.txt': 'first\n',
    '.gitignore': 'bin/\nclaude.log\n.seen-*\ntasks.json\n',
  });
  chmodSync(STAND_IN, 0o755);
  mkdirSync(repo.path('bin'));
  symlinkSync(STAND_IN, repo.path('bin/claude'));
  Object.assign(repo.env, {
    PATH: `${repo.path('bin')}:${process.env['PATH']}`,
    FAKE_CLAUDE_LOG: repo.path('claude.log'),
  });
});

function tasks(...descriptions: string[]): void {
  repo.write('tasks.json', JSON.stringify(descriptions.map((description) => ({ description }))));
}
const events = (stdout: string): RunEvent[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
const starts = (): Noted[] =>
  readFileSync(repo.path('claude.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Noted)
    .filter(({ event }) => event === 'start');
const run = (...more: string[]) =>
  repo.coord([
    'orchestrate',
    'run',
    'goal',
    '--no-plan',
    '--tasks',
    'tasks.json',
    '-w',
    '3',
    '--worktrees',
    '--json',
    ...more,
  ]);

test('three agents in worktrees of their own, forced conflicts: a branch with everything, and a summary that names the merges', async () => {
  tasks(...Array.from({ length: 5 }, (_, n) => `do ${n + 1} [slow 300] [append s.txt]`));
  const check = '! grep -q "^[<=>]\\{7\\}" s.txt';
  const ran = await run('--check', check);
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  const lines = repo.landed('s.txt').split('\n').toSorted();
  expect(lines).toEqual(['first', 'task-001', 'task-002', 'task-003', 'task-004', 'task-005']);
  const told = events(ran.stdout);
  expect(told.filter(({ type }) => type === 'land')).toHaveLength(5);
  expect(told.at(-1)).toMatchObject({ type: 'settled', outcome: 'done' });
  const summary = repo.read('.coordination/summary.md');
  for (const { landed } of repo.board().tasks) expect(summary).toContain(`Landed on coord/main as ${landed?.commit}.`);
  // Nothing was done in the checkout of the user.
  expect([repo.read('s.txt'), repo.git(['status', '--porcelain', '--', 's.txt', '.claude'])]).toEqual(['first\n', '']);
  expect(
    repo
      .git(['worktree', 'list'])
      .split('\n')
      .filter((line) => line.includes('coord/task-')),
  ).toEqual([]);
  const [first] = starts();
  expect(first?.args).toEqual(expect.arrayContaining(['Bash(git commit *)']));
  expect(first?.prompt).toContain('Its branch is coord/task-');
}, 240_000);

test('what is not committed is told to the same agent once; then the attempt has failed', async () => {
  tasks('do it [write made.txt]');
  const ran = await repo.coord(
    [
      'orchestrate',
      'run',
      'goal',
      '--no-plan',
      '--tasks',
      'tasks.json',
      '-w',
      '1',
      '--worktrees',
      '--max-attempts',
      '1',
    ],
    { env: { FAKE_CLAUDE_MENDS: 'commit' } },
  );
  expect([ran.code, starts().length]).toEqual([0, 2]);
  expect(starts()[1]?.prompt).toContain('Not committed: made.txt');
  expect(repo.landed('made.txt')).toBe('by worker-1');
  await repo.ok(['leader', 'add-task', 'again [write other.txt]', '--max-attempts', '1']);
  const second = await repo.coord(['orchestrate', 'resume', '-w', '1']);
  expect([second.code, repo.task('task-002').status]).toEqual([1, 'failed']);
  expect(repo.task('task-002').last_error).toContain('Not committed: other.txt');
  expect(repo.read(`${repo.worktree('task-002')}/other.txt`)).toContain('by worker-1');
});

test('an agent that had nothing to change is done', async () => {
  tasks('look around');
  expect((await run()).code).toBe(0);
  expect(repo.task('task-001')).toMatchObject({ status: 'done' });
  expect(repo.git(['rev-parse', 'coord/main'])).toBe(repo.git(['rev-parse', 'main']));
});

test('resume after kill -9 goes on: what was queued lands, what was half done is done', async () => {
  tasks(...Array.from({ length: 4 }, (_, n) => `do ${n + 1} [slow 400] [append ${n}.txt]`));
  const started = repo.start([
    'orchestrate',
    'run',
    'goal',
    '--no-plan',
    '--tasks',
    'tasks.json',
    '-w',
    '2',
    '--worktrees',
    '--json',
  ]);
  await until(() => started.output().includes('"type":"submit"'), 'something is handed in');
  started.child.kill('SIGKILL');
  await started.ended;
  const ran = await repo.coord(['orchestrate', 'resume', '-w', '2', '--json']);
  expect(ran.code).toBe(0);
  expect(repo.board().tasks.map(({ status }) => status)).toEqual(['done', 'done', 'done', 'done']);
  for (let n = 0; n < 4; n++) expect(repo.landed(`${n}.txt`)).toBe(`task-00${n + 1}`);
  expect(repo.git(['fsck', '--no-dangling'])).toBe('');
}, 240_000);

test('another agent reviews what lands; a person decides on the rest', async () => {
  tasks('do it [append s.txt]');
  const ran = await run('--review', 'agent');
  expect([ran.code, repo.task('task-001').reviewed?.by]).toEqual([0, expect.stringContaining('reviewer')]);
  expect(starts().find(({ worker }) => worker.startsWith('reviewer'))?.prompt).toContain('+task-001');
  expect(repo.landed('s.txt')).toBe('first\ntask-001');
});

test('worker run works in the worktree and lands', async () => {
  await repo.ok(['leader', 'init', 'goal', '--worktrees']);
  await repo.ok(['leader', 'add-task', 'one']);
  await repo.ok(['leader', 'add-task', 'two', '-d', 'task-001']);
  const script = 'pwd; echo "$COORD_TASK_ID" > "$COORD_TASK_ID.txt"; git add -A; git commit -qm work';
  const ran = await repo.coord(['worker', 'run', 'w1', '--', 'sh', '-c', script]);
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('drained')]);
  expect([repo.landed('task-001.txt'), repo.landed('task-002.txt')]).toEqual(['task-001', 'task-002']);
  expect(repo.exists('task-001.txt')).toBe(false);
});
