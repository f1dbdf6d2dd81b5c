/** Landing: crashes at every step, landers that sleep, conflicts, red merges, reviews. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { CHILDREN } from '../support/children.ts';
import { Repository } from '../support/repository.ts';
import { scrubbedEnv, until } from '../support/rig.ts';

/** A task that is approved and waits to land: nobody lands it by handing it in. */
async function queued(repo: Repository, files: Record<string, string> = { 'b.txt': 'b\n' }): Promise<void> {
  await repo.begin(1, ['--review']);
  repo.commit('task-001', files);
  await repo.ok(['worker', 'done', 'w1', 'task-001', 'I did it']);
  await approved(repo, 'task-001');
}

async function approved(repo: Repository, task_id: string): Promise<void> {
  const store = openStore({ cwd: repo.cwd });
  const head = repo.task(task_id).head;
  await store.approve({ by: 'leader', task_id, ...(head === undefined ? {} : { head }) });
  await store.close();
}

/** A lander that ends or stops itself after a step. */
function lander(
  repo: Repository,
  step: number,
  how: 'kill' | 'stop',
): { child: ChildProcess; reached: Promise<void>; ended: Promise<void> } {
  const child = spawn(process.execPath, [join(CHILDREN, 'landing-child.mjs'), repo.cwd, String(step), how], {
    cwd: repo.cwd,
    env: scrubbedEnv(repo.env),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const reached = until(() => said.includes(`step ${step}\n`), `step ${step}`);
  return { child, reached, ended };
}

/** The landings on the branch, oldest first: which tasks. */
function landings(repo: Repository, branch = 'coord/main'): string[] {
  const said = repo.git([
    'log',
    '--first-parent',
    '--reverse',
    '--format=%(trailers:key=Coord-Task,valueonly,separator=%x20)',
    branch,
  ]);
  return said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function isSound(repo: Repository): void {
  expect(repo.git(['fsck', '--no-dangling', '--strict'])).toBe('');
  expect(repo.git(['for-each-ref', 'refs/coord/landing/'])).toBe('');
  expect(repo.git(['status', '--porcelain', '--', 'a.txt'])).toBe('');
}

/** All at once: each waits for a lease to run out. */
const each = <T>(cases: readonly T[], run: (one: T) => Promise<void>): Promise<void[]> => Promise.all(cases.map(run));

test('a lander that is killed after any step: the next lands it, once', () =>
  each([1, 2, 3, 4, 5, 6, 7], async (step) => {
    const repo = new Repository();
    await queued(repo);
    await lander(repo, step, 'kill').ended;
    // It waits for the lease of the dead one to run out.
    const ran = await repo.coord(['land']);
    expect([0, 3], `step ${step}`).toContain(ran.code);
    expect(landings(repo), `step ${step}`).toEqual(['task-001']);
    const commit = repo.git(['rev-parse', 'coord/main']);
    expect(repo.task('task-001'), `step ${step}`).toMatchObject({ status: 'done', landed: { commit } });
    expect(repo.landed('b.txt')).toBe('b');
    isSound(repo);
    await repo.coord(['worktree', 'clean']);
    expect([step, repo.exists(repo.worktree('task-001')), repo.git(['branch', '--list', 'coord/task-*'])]).toEqual([
      step,
      false,
      '',
    ]);
  }));

const SEND_BACK = ['leader', 'send-back', 'task-001', 'not like this'];

test('a lander that sleeps lands nothing that was taken back meanwhile', () =>
  each(
    [
      { step: 1, verb: SEND_BACK, status: 'available' },
      { step: 2, verb: SEND_BACK, status: 'available' },
      { step: 3, verb: SEND_BACK, status: 'available' },
      { step: 4, verb: SEND_BACK, status: 'available' },
      { step: 4, verb: ['leader', 'cancel', 'task-001'], status: 'cancelled' },
    ],
    async ({ step, verb, status }) => {
      const repo = new Repository();
      await queued(repo);
      const { child, reached, ended } = lander(repo, step, 'stop');
      await reached;
      const refused = await repo.coord(verb);
      expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('lander lands task-001')]);
      await until(async () => (await repo.coord(verb)).code === 0, verb.join(' '));
      child.kill('SIGCONT');
      await ended;
      expect([step, repo.task('task-001').status, landings(repo)]).toEqual([step, status, []]);
      isSound(repo);
    },
  ));

test('a lander that sleeps does not land a second time what another has landed', () =>
  each([1, 3, 4], async (step) => {
    const repo = new Repository();
    await queued(repo);
    const { child, reached, ended } = lander(repo, step, 'stop');
    await reached;
    expect((await repo.coord(['land'])).stdout).toContain('task-001 landed');
    child.kill('SIGCONT');
    await ended;
    expect([step, ...landings(repo)]).toEqual([step, 'task-001']);
    isSound(repo);
  }));

test('what a sleeping lander has landed cannot be taken back', async () => {
  const repo = new Repository();
  await queued(repo);
  const { child, reached, ended } = lander(repo, 5, 'stop');
  await reached;
  await until(async () => (await repo.coord(SEND_BACK)).stderr.includes('has landed'), 'it has landed');
  expect(repo.task('task-001').status).toBe('done');
  child.kill('SIGCONT');
  await ended;
  expect([repo.task('task-001').status, landings(repo)]).toEqual(['done', ['task-001']]);
  isSound(repo);
});

test('a conflict goes back with the files and both sides named; merged and handed in again it lands', async () => {
  const repo = new Repository({ 'a.txt': 'a\n', 's.txt': 'shared\n' });
  await repo.begin(2);
  repo.commit('task-001', { 's.txt': 'one\n' });
  repo.commit('task-002', { 's.txt': 'two\n' });
  await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
  const ran = await repo.coord(['worker', 'done', 'w2', 'task-002', 'x']);
  expect(ran.stdout).toMatch(
    /task-002 sent back: coord\/task-002\.1 conflicts with coord\/main, by task-001 \([0-9a-f]+\), in s\.txt\./,
  );
  expect(repo.task('task-002')).toMatchObject({
    status: 'available',
    bounces: 1,
    returned_to: 'w2',
    turn: { files: ['s.txt'] },
  });
  // Its author first, before others that ask.
  expect((await repo.coord(['worker', 'claim', 'w2'])).stdout).toContain('git merge coord/main');
  expect(await repo.ok(['worker', 'context', 'w2'])).toContain('by task-001');
  const folder = repo.worktree('task-002', 2);
  expect(repo.gitSays(['merge', 'coord/main'], folder)).toBe(false);
  repo.commit('task-002', { 's.txt': 'one and two\n' }, 2);
  expect(await repo.ok(['worker', 'done', 'w2', 'task-002', 'x'])).toContain('task-002 landed');
  expect([landings(repo), repo.landed('s.txt')]).toEqual([['task-001', 'task-002'], 'one and two']);
  // Of both attempts nothing is left.
  expect(repo.git(['branch', '--list', 'coord/task-*'])).toBe('');
  isSound(repo);
});

test('a rename and a new caller merge clean, are red, and go back with the tail', async () => {
  const repo = new Repository({ 'lib.mjs': 'export const old = () => 1;\n', 'a.txt': '' });
  await repo.begin(2);
  repo.typed(['leader', 'defaults', '--check', 'for f in *.mjs; do node "$f" || exit 1; done']);
  repo.commit('task-001', { 'lib.mjs': 'export const renamed = () => 1;\n' });
  repo.commit('task-002', { 'caller.mjs': "import { old } from './lib.mjs';\nold();\n" });
  await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
  const ran = await repo.coord(['worker', 'done', 'w2', 'task-002', 'x']);
  expect(ran.stdout).toContain('task-002 sent back: merged with coord/main it is red');
  expect(landings(repo)).toEqual(['task-001']);
  expect(repo.task('task-002')).toMatchObject({ status: 'available', evidence: { verdict: 'red' } });
  expect((await repo.coord(['worker', 'claim', 'w2'])).code).toBe(0);
  expect(await repo.ok(['worker', 'context', 'w2'])).toContain("does not provide an export named 'old'");
});

test('paths that would differ by case alone go back, named', async () => {
  const repo = new Repository();
  await repo.begin(2);
  repo.commit('task-001', { 'src/Readme.md': '1\n' });
  repo.commit('task-002', { 'SRC/other.md': '2\n' });
  await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
  expect((await repo.coord(['worker', 'done', 'w2', 'task-002', 'x'])).stdout).toMatch(
    /differ by case alone: (?:src, SRC|SRC, src)/,
  );
  expect(landings(repo)).toEqual(['task-001']);
});

test('a tree that is green already is not checked again; a merged one is', async () => {
  const repo = new Repository();
  await repo.begin(2);
  const runs = join(repo.env['XDG_STATE_HOME'] ?? '', 'runs');
  repo.typed(['leader', 'defaults', '--check', `echo run >> ${runs}`]);
  const count = (): number => (existsSync(runs) ? readFileSync(runs, 'utf8').trim().split('\n').length : 0);
  repo.commit('task-001', { '1.txt': '1\n' });
  repo.commit('task-002', { '2.txt': '2\n' });
  await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
  expect(count()).toBe(1); // nothing has landed before: it lands as it was checked
  await repo.ok(['worker', 'done', 'w2', 'task-002', 'x']);
  expect(count()).toBe(3);
  expect(repo.task('task-002').evidence?.tree).toBe(repo.git(['rev-parse', 'coord/main^{tree}']));
});

test('what cannot be checked here stays queued, is said, and lands once it may', async () => {
  const repo = new Repository();
  await queued(repo);
  await repo.ok(['leader', 'edit', 'task-001', '--check', 'true']);
  const ran = await repo.coord(['land']);
  expect([ran.code, ran.stdout]).toEqual([
    4,
    expect.stringContaining('task-001 cannot land here: nobody has allowed the check'),
  ]);
  expect(repo.task('task-001')).toMatchObject({ status: 'submitted' });
  expect(repo.task('task-001').landing).toBeUndefined();
  expect(await repo.ok(['status'])).toContain('Lands\n  task-001 do 1 (of w1, queued)');
  repo.typed(['trust', 'check', 'true']);
  expect((await repo.coord(['land', '--once'])).stdout).toContain('task-001 landed');
  expect((await repo.coord(['land'])).code).toBe(3);
});

test('approval is bound to the commit: a new one voids it', async () => {
  const repo = new Repository();
  await repo.begin(1, ['--protect', 'package.json']);
  repo.commit('task-001', { 'package.json': '{}' });
  expect((await repo.coord(['worker', 'done', 'w1', 'task-001', 'x'])).stdout).toContain('submitted');
  expect(landings(repo)).toEqual([]);
  expect((await repo.coord(['land'])).code).toBe(3);
  expect(await repo.ok(['worker', 'review', 'w2', 'task-001'])).toContain('+{}');
  expect((await repo.coord(['worker', 'approve', 'w1', 'task-001'])).stderr).toContain('somebody else reviews it');
  repo.commit('task-001', { 'package.json': '{"evil": true}' });
  const moved = await repo.coord(['leader', 'approve', 'task-001']);
  expect([moved.code, moved.stderr]).toEqual([4, expect.stringContaining('has changed since it was handed in')]);
  repo.git(['reset', '--quiet', '--hard', 'HEAD~1'], repo.worktree('task-001'));
  expect(await repo.ok(['worker', 'approve', 'w2', 'task-001'])).toContain('task-001 landed');
  expect(repo.landed('package.json')).toBe('{}');
});

test('what was handed in from elsewhere lands by the branch that it was worked on', async () => {
  const repo = new Repository();
  await repo.begin(2);
  repo.commit('task-001', { 'b.txt': 'b\n' });
  const store = openStore({ cwd: repo.cwd });
  await store.complete({ worker: 'w1', task_id: 'task-001', output: 'x', proof: { unchecked: true } });
  await store.complete({ worker: 'w2', task_id: 'task-002', output: 'x', proof: { unchecked: true } });
  await store.close();
  repo.git(['worktree', 'remove', '-f', '-f', repo.worktree('task-002')]);
  repo.git(['branch', '-D', 'coord/task-002.1']);
  const ran = await repo.coord(['land']);
  expect(ran.stdout).toContain('task-001 landed');
  expect(ran.stdout).toContain('task-002 cannot land here: there is no branch coord/task-002.1 here');
});

test('a late result of an earlier attempt lands from its own branch', async () => {
  const repo = new Repository();
  await repo.begin(1);
  repo.commit('task-001', { 'late.txt': 'late\n' });
  await repo.ok(['leader', 'release', 'task-001']);
  await repo.ok(['worker', 'claim', 'w2']);
  expect((await repo.coord(['worker', 'done', 'w1', 'task-001', 'late work'])).code).toBe(4);
  await repo.ok(['leader', 'accept', 'task-001', 'task-001.w1.1']);
  expect((await repo.coord(['land'])).stdout).toContain('task-001 landed');
  expect([repo.landed('late.txt'), repo.task('task-001').claimed_by]).toEqual(['late', 'w1']);
});

test('whoever lost the claim and is late, with nobody else at it, still lands', async () => {
  const repo = new Repository();
  await repo.begin(1);
  repo.commit('task-001', { 'late.txt': 'late\n' });
  await repo.ok(['leader', 'release', 'task-001']);
  expect(await repo.ok(['worker', 'done', 'w1', 'task-001', 'late work'])).toContain('task-001 landed');
});

test('without checks a landing takes at most 15 processes of git', async () => {
  const repo = new Repository();
  await queued(repo);
  const log = join(repo.env['XDG_STATE_HOME'] ?? '', 'git.log');
  const counting = repo.tool('git', `#!/bin/sh\necho "$*" >> ${log}\nexec /usr/bin/git "$@"\n`);
  appendFileSync(log, '');
  expect((await repo.coord(['land'], { env: { PATH: counting } })).stdout).toContain('task-001 landed');
  const calls = readFileSync(log, 'utf8').trim().split('\n');
  expect(calls.length, calls.join('\n')).toBeLessThanOrEqual(15);
});

test('land --loop lands what is queued later, until Ctrl-C', async () => {
  const repo = new Repository();
  await repo.begin(1, ['--review']);
  const { child, output, ended } = repo.start(['land', '--loop']);
  repo.commit('task-001', { 'b.txt': 'b\n' });
  await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
  await approved(repo, 'task-001');
  await until(() => output().includes('task-001 landed on coord/main'), 'landed');
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
});

test('a waiting worker lands what nobody lands, as where the lander has died', async () => {
  const repo = new Repository();
  await queued(repo);
  const ran = await repo.coord(['worker', 'claim', 'w9', '--wait']);
  expect([ran.code, ran.stdout]).toEqual([3, expect.stringContaining('drained')]);
  expect(landings(repo)).toEqual(['task-001']);
});

describe('publish', () => {
  async function landed(): Promise<Repository> {
    const repo = new Repository({ 'a.txt': 'a\n', '.gitignore': '*.local\n' });
    await repo.begin(1);
    repo.commit('task-001', { 'b.txt': 'b\n', 'a.txt': 'changed\n' });
    await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
    return repo;
  }

  test('brings the checked-out branch forward, files and all, and leaves what is not committed', async () => {
    const repo = await landed();
    repo.write('mine.txt', 'not committed\n');
    expect(await repo.ok(['leader', 'publish'])).toMatch(/^main is at [0-9a-f]{12}: 2 commits further\n$/);
    expect([repo.read('a.txt'), repo.read('b.txt'), repo.read('mine.txt')]).toEqual([
      'changed\n',
      'b\n',
      'not committed\n',
    ]);
    expect(await repo.ok(['leader', 'publish', 'main'])).toContain('already');
  });

  test.each([
    ['a file that was changed', 'a.txt', 'mine\n'],
    ['an untracked file', 'b.txt', 'mine\n'],
  ])('%s is never overwritten', async (_, file, text) => {
    const repo = await landed();
    repo.write(file, text);
    const ran = await repo.coord(['leader', 'publish']);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('main stays as it is')]);
    expect([repo.read(file), repo.git(['log', '-1', '--format=%s', 'main'])]).toEqual([text, 'Begin']);
  });

  test('nor is an ignored file', async () => {
    const repo = new Repository({ 'a.txt': 'a\n' });
    await repo.begin(1);
    repo.commit('task-001', { 'x.local': 'landed\n' });
    await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
    repo.write('.git/info/exclude', '*.local\n/.claude/worktrees/\n');
    repo.write('x.local', 'mine\n');
    expect((await repo.coord(['leader', 'publish'])).stderr).toContain('main stays as it is');
    expect(repo.read('x.local')).toBe('mine\n');
  });

  test('no fast-forward is refused; a branch that nobody has checked out goes forward too', async () => {
    const repo = await landed();
    repo.git(['branch', 'other']);
    repo.write('c.txt', 'c\n');
    repo.git(['add', 'c.txt']);
    repo.git(['commit', '--quiet', '-m', 'mine']);
    const ran = await repo.coord(['leader', 'publish']);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('cannot simply go forward')]);
    await repo.ok(['leader', 'publish', 'other']);
    expect(repo.git(['rev-parse', 'other'])).toBe(repo.git(['rev-parse', 'coord/main']));
  });
});

test('what nobody has checked is not done because its branch holds nothing of its own', async () => {
  const repo = new Repository();
  await repo.begin(1);
  await repo.ok(['leader', 'edit', 'task-001', '--check', 'true']);
  const store = openStore({ cwd: repo.cwd });
  await store.complete({ worker: 'w1', task_id: 'task-001', output: 'x', proof: { unchecked: true } });
  await store.close();
  expect((await repo.coord(['land'])).stdout).toContain('cannot land here: nobody has allowed the check');
  expect(repo.task('task-001').status).toBe('submitted');
  repo.typed(['trust', 'check', 'true']);
  await repo.ok(['land']);
  expect(repo.task('task-001')).toMatchObject({ status: 'done', evidence: { verdict: 'green' } });
});

test('approved without a commit named, it lands what was looked at, and no later commit', async () => {
  const repo = new Repository();
  await repo.begin(1, ['--review']);
  repo.commit('task-001', { 'seen.txt': 'x\n' });
  const seen = repo.git(['rev-parse', 'HEAD'], repo.worktree('task-001'));
  const store = openStore({ cwd: repo.cwd });
  await store.complete({ worker: 'w1', task_id: 'task-001', output: 'x', proof: { unchecked: true } });
  await store.approve({ by: 'leader', task_id: 'task-001', head: seen });
  await store.close();
  repo.commit('task-001', { 'later.txt': 'x\n' });
  expect(await repo.ok(['land'])).toContain('task-001 landed');
  expect(repo.git(['ls-tree', '--name-only', 'coord/main'])).toBe('a.txt\nseen.txt');
  // The later commit has not landed: its branch stays.
  expect(repo.git(['log', '-1', '--format=%s', 'coord/task-001.1'])).toBe('Work on task-001');
});

test('a fence that git cannot remove keeps the task from being taken back', async () => {
  const repo = new Repository();
  await queued(repo);
  const { child, reached, ended } = lander(repo, 4, 'stop');
  await reached;
  repo.write('.git/refs/coord/landing/task-001.1.lock', '');
  await until(
    async () => (await repo.coord(SEND_BACK)).stderr.includes('cannot be made void'),
    'the lease has run out',
  );
  expect(repo.task('task-001').status).toBe('submitted');
  rmSync(repo.path('.git/refs/coord/landing/task-001.1.lock'));
  await repo.ok(SEND_BACK);
  child.kill('SIGCONT');
  await ended;
  expect([repo.task('task-001').status, landings(repo)]).toEqual(['available', []]);
});

test('a red merge says what the check said, and is no success', async () => {
  const repo = new Repository();
  await repo.begin(2);
  repo.typed([
    'leader',
    'defaults',
    '--check',
    'test ! -f 1.txt || test ! -f 2.txt || { echo "one of them too many"; exit 1; }',
  ]);
  repo.commit('task-001', { '1.txt': '' });
  repo.commit('task-002', { '2.txt': '' });
  await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
  const ran = await repo.coord(['worker', 'done', 'w2', 'task-002', 'x']);
  expect([ran.code, ran.stdout]).toEqual([4, expect.stringContaining('> one of them too many')]);
  expect(ran.stderr).toContain('coord worker claim w2 task-002: a new worktree');
});

test('a set-up that fails where it is checked holds the task; it is no fault of the work', async () => {
  const repo = new Repository();
  const broken = join(repo.env['XDG_STATE_HOME'] ?? '', 'broken');
  repo.typed([
    'leader',
    'init',
    'goal',
    '--worktrees',
    '--setup',
    `test ! -e ${broken}`,
    '--check',
    'test ! -f 1.txt || test -f 2.txt',
  ]);
  for (const n of [1, 2]) await repo.ok(['leader', 'add-task', `do ${n}`]);
  for (const n of [1, 2]) await repo.ok(['worker', 'claim', `w${n}`]);
  repo.commit('task-001', { 'x.txt': '' });
  repo.commit('task-002', { '1.txt': '', '2.txt': '' });
  await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
  writeFileSync(broken, '');
  const ran = await repo.coord(['worker', 'done', 'w2', 'task-002', 'x']);
  expect(ran.stdout).toContain('task-002 cannot land here: The set-up of this worktree has not ended well');
  expect(repo.task('task-002')).toMatchObject({ status: 'submitted' });
  rmSync(broken);
  expect(await repo.ok(['land'])).toContain('task-002 landed');
});

test('two clones: one lands what the other has handed in, and the remote holds no branch of it any more', async () => {
  const repo = new Repository();
  repo.git(['clone', '--quiet', '--bare', '.', 'remote.git']);
  repo.git(['remote', 'add', 'origin', repo.path('remote.git')]);
  repo.git(['clone', '--quiet', 'remote.git', 'other']);
  await repo.begin(1, ['--remote', 'origin', '--review']);
  repo.commit('task-001', { 'b.txt': 'b\n' });
  await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
  await approved(repo, 'task-001');
  const ran = await repo.coord(['--dir', repo.cwd, 'land'], { cwd: repo.path('other') });
  expect(ran.stdout).toContain('task-001 landed');
  expect(repo.git(['show', 'coord/main:b.txt'], 'remote.git')).toBe('b');
  expect(repo.git(['for-each-ref', '--format=%(refname)', 'refs/heads/coord/', 'refs/coord/'], 'remote.git')).toBe(
    'refs/heads/coord/main',
  );
});

test('a remote that takes no push: what git says is said, and the task stays queued', async () => {
  const repo = new Repository();
  repo.git(['clone', '--quiet', '--bare', '.', 'remote.git']);
  repo.git(['remote', 'add', 'origin', repo.path('remote.git')]);
  await repo.begin(1, ['--remote', 'origin']);
  repo.commit('task-001', { 'b.txt': 'b\n' });
  repo.write(
    'remote.git/hooks/pre-receive',
    '#!/bin/sh\nif grep -q refs/heads/coord/main; then echo "protected branch" >&2; exit 1; fi\n',
  );
  chmodSync(repo.path('remote.git/hooks/pre-receive'), 0o755);
  const ran = await repo.coord(['worker', 'done', 'w1', 'task-001', 'x']);
  expect(ran.stdout).toMatch(/cannot land here: Nothing can land: [^]*(?:protected branch|pre-receive hook declined)/);
  expect(repo.task('task-001').status).toBe('submitted');
});

test('what somebody has merged by hand is checked before it counts as landed', async () => {
  const repo = new Repository();
  await queued(repo);
  await repo.ok(['leader', 'edit', 'task-001', '--check', 'false']);
  repo.typed(['trust', 'check', 'false']);
  repo.git(['switch', '--quiet', 'coord/main']);
  repo.git(['merge', '--quiet', '--no-ff', '-m', 'By hand', 'coord/task-001.1']);
  repo.git(['switch', '--quiet', 'main']);
  expect((await repo.coord(['land'])).stdout).toContain('task-001 sent back: merged with coord/main it is red');
  expect(repo.task('task-001').status).toBe('available');
});
