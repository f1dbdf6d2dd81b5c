/** Claims with a worktree each: how they are made, what is handed in from them, and what is never lost of them. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Repository } from '../support/repository.ts';
import { scrubbedEnv } from '../support/rig.ts';

let repo: Repository;
beforeEach(() => {
  repo = new Repository({ 'a.txt': 'a\n', '.gitignore': '.env\n.env.*\ndist/\nnode_modules/\ncache/\n' });
});

describe('init', () => {
  test('makes the branch from what is checked out, and says where things land', async () => {
    const ran = await repo.coord(['leader', 'init', 'goal', '--worktrees']);
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('lands on coord/main')]);
    expect(repo.git(['rev-parse', 'coord/main'])).toBe(repo.git(['rev-parse', 'main']));
    expect(repo.board()['defaults']).toEqual({ worktrees: { branch: 'coord/main' } });
  });

  test.each([
    ['no repository', async (r: Repository) => rmSync(r.path('.git'), { recursive: true }), 'no git repository'],
    [
      'no commit',
      async (r: Repository) => {
        rmSync(r.path('.git'), { recursive: true });
        r.git(['init', '--quiet']);
      },
      'no commit yet',
    ],
    [
      'the branch is checked out',
      async (r: Repository) => void r.git(['switch', '--quiet', '-c', 'coord/main']),
      'is checked out',
    ],
  ])('%s: a clear error, and no board', async (_, prepare, message) => {
    await prepare(repo);
    const ran = await repo.coord(['leader', 'init', 'goal', '--worktrees']);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(repo.exists('.coordination')).toBe(false);
  });

  test('an older git, or none at all: a clear error, and no board', async () => {
    const old = repo.tool(
      'git',
      '#!/bin/sh\ncase "$*" in *--version*) echo "git version 2.37.9";; *) exec /usr/bin/git "$@";; esac\n',
    );
    const ran = await repo.coord(['leader', 'init', 'goal', '--worktrees'], { env: { PATH: old } });
    expect([ran.code, ran.stderr]).toEqual([
      1,
      expect.stringContaining('need git 2.38 or newer; this is git version 2.37.9'),
    ]);
    const none = await repo.coord(['leader', 'init', 'goal', '--worktrees'], { env: { PATH: '/nowhere' } });
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('git')]);
    expect(repo.exists('.coordination')).toBe(false);
  });

  test('--branch and the like go with --worktrees, and are checked', async () => {
    expect((await repo.coord(['leader', 'init', 'goal', '--branch', 'x'])).code).toBe(2);
    for (const branch of ['-x', 'a..b', 'a b', 'x.lock', ''])
      expect([
        branch,
        (await repo.coord(['leader', 'init', 'goal', '--worktrees', `--branch=${branch}`])).code,
      ]).toEqual([branch, 2]);
    expect((await repo.coord(['leader', 'init', 'goal', '--worktrees', '--remote', 'nowhere'])).stderr).toContain(
      'no remote nowhere',
    );
  });

  test('a second board never takes the branches of the first for its own', async () => {
    await repo.begin(1);
    repo.commit('task-001', { 'first.txt': 'first\n' });
    await repo.ok(['leader', 'init', 'again', '--force', '--worktrees']);
    await repo.ok(['leader', 'add-task', 'other']);
    const claim = await repo.ok(['worker', 'claim', 'w1']);
    expect(claim).toContain('coord/2+task-001.1');
    expect(repo.exists('.claude/worktrees/coord-2+task-001.1/first.txt')).toBe(false);
    expect(repo.git(['log', '--format=%s', '-1', 'coord/task-001.1'])).toBe('Work on task-001');
  });
});

describe('claim', () => {
  test('prints where to work; the worktree is locked, without upstream, and no untracked file of the project', async () => {
    await repo.begin(1);
    const again = await repo.ok(['worker', 'claim', 'w1']);
    expect(again).toContain(`Work in ${repo.path(repo.worktree('task-001'))} (branch coord/task-001.1)`);
    expect(repo.git(['worktree', 'list', '--porcelain'])).toContain('locked coord: task-001 of w1');
    expect(repo.gitSays(['rev-parse', '--verify', 'coord/task-001.1@{upstream}'])).toBe(false);
    expect(repo.git(['status', '--porcelain', '--', '.claude'])).toBe('');
    const json = await repo.json(['worker', 'claim', 'w1']);
    expect(json).toMatchObject({ worktree: repo.path(repo.worktree('task-001')), branch: 'coord/task-001.1' });
    expect(await repo.ok(['worker', 'context', 'w1'])).toContain('Its branch is coord/task-001.1');
  });

  test('the board is found from inside, and everything works from there', async () => {
    await repo.begin(1);
    repo.commit('task-001', { 'b.txt': 'b\n' });
    const cwd = repo.path(repo.worktree('task-001'));
    expect((await repo.coord(['status'], { cwd })).stdout).toContain('goal');
    expect((await repo.coord(['worker', 'done', 'w1', 'task-001', 'done'], { cwd })).stdout).toContain('task-001 done');
    expect(repo.landed('b.txt')).toBe('b');
  });

  test('copies what is ignored and named in .worktreeinclude, and nothing else; then runs the set-up that a person allowed', async () => {
    repo.write('.worktreeinclude', '.env\nsettings/*.json\na.txt\n');
    repo.write('.env', 'SECRET=1\n');
    repo.write('.env.local', 'OTHER=1\n');
    repo.write('settings/x.json', '{}');
    repo.git(['add', '.worktreeinclude']);
    repo.git(['commit', '--quiet', '-m', 'Include']);
    repo.typed([
      'leader',
      'init',
      'goal',
      '--worktrees',
      '--setup',
      'mkdir -p node_modules && pwd > node_modules/where',
    ]);
    await repo.ok(['leader', 'add-task', 'one']);
    await repo.ok(['worker', 'claim', 'w1']);
    const folder = repo.worktree('task-001');
    expect(repo.read(`${folder}/.env`)).toBe('SECRET=1\n');
    expect([repo.exists(`${folder}/.env.local`), repo.exists(`${folder}/settings/x.json`)]).toEqual([false, false]); // not named; not ignored
    expect(repo.read(`${folder}/node_modules/where`).trim()).toBe(repo.path(folder));
  });

  test('a set-up that nobody has allowed is not run, and said; one that fails is said with its words', async () => {
    await repo.begin(1, ['--setup', 'touch ran.txt']);
    expect(repo.exists(`${repo.worktree('task-001')}/ran.txt`)).toBe(false);
    await repo.ok(['leader', 'add-task', 'two']);
    const ran = await repo.coord(['worker', 'claim', 'w2']);
    expect(ran.stderr).toContain('Nobody has allowed the set-up');
    repo.typed(['trust', 'check', 'echo broken >&2; exit 3']);
    await repo.ok(['leader', 'defaults', '--setup', 'echo broken >&2; exit 3']);
    await repo.ok(['leader', 'add-task', 'three']);
    expect((await repo.coord(['worker', 'claim', 'w3'])).stderr).toMatch(/has not ended well.*exit 3.*broken/);
  });

  test('a second attempt goes on where the first was left, and what was not committed is kept', async () => {
    await repo.begin(1);
    repo.commit('task-001', { 'half.txt': 'half\n' });
    repo.write(`${repo.worktree('task-001')}/a.txt`, 'changed\n');
    repo.write(`${repo.worktree('task-001')}/new.txt`, 'new\n');
    await repo.ok(['worker', 'release', 'w1', 'task-001', 'half done']);
    const ran = await repo.coord(['worker', 'claim', 'w2']);
    expect(repo.read(`${repo.worktree('task-001', 2)}/half.txt`)).toBe('half\n');
    expect(repo.read(`${repo.worktree('task-001', 2)}/a.txt`)).toBe('a\n');
    const ref = 'refs/coord/kept/task-001.1/1';
    expect(ran.stderr).toContain(`git diff HEAD...${ref}`);
    expect([repo.landed('a.txt', ref), repo.landed('new.txt', ref)]).toEqual(['changed', 'new']);
    // The first worktree is as it was: somebody may still be in it.
    expect(repo.read(`${repo.worktree('task-001')}/a.txt`)).toBe('changed\n');
    expect(repo.git(['status', '--porcelain'], repo.worktree('task-001'))).toContain('?? new.txt');
  });

  test.each(['before', 'after'])(
    'a worktree that was half made when coord died (%s its files) is made whole',
    async (when) => {
      await repo.ok(['leader', 'init', 'goal', '--worktrees']);
      await repo.ok(['leader', 'add-task', 'one']);
      // A git that ends its caller, before or after it has done what it was asked for.
      const dies = `#!/bin/sh\ncase "$*" in *"worktree add"*)\n${when === 'before' ? 'kill -9 $PPID; exit 1' : '/usr/bin/git "$@"; kill -9 $PPID; exit 0'};;\nesac\nexec /usr/bin/git "$@"\n`;
      await repo.coord(['worker', 'claim', 'w1'], { env: { PATH: repo.tool('git', dies) } });
      expect(repo.task('task-001')).toMatchObject({ status: 'claimed', branch: 'coord/task-001.1' });
      const claim = await repo.ok(['worker', 'claim', 'w1']);
      expect(claim).toContain('already claimed');
      expect(repo.read(`${repo.worktree('task-001')}/a.txt`)).toBe('a\n');
      expect(repo.git(['status', '--porcelain'], repo.worktree('task-001'))).toBe('');
    },
  );

  test("where it cannot be made the claim is given back, at no attempt's cost", async () => {
    await repo.ok(['leader', 'init', 'goal', '--worktrees']);
    await repo.ok(['leader', 'add-task', 'one', '--max-attempts', '1']);
    repo.write(`${repo.worktree('task-001')}/in-the-way.txt`, 'x');
    const ran = await repo.coord(['worker', 'claim', 'w1']);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('already exists')]);
    expect(repo.task('task-001')).toMatchObject({ status: 'available', max_attempts: 2 });
    expect(repo.read(`${repo.worktree('task-001')}/in-the-way.txt`)).toBe('x');
  });

  test('a worktree that somebody has deleted is made anew, with its commits', async () => {
    await repo.begin(1);
    repo.commit('task-001', { 'b.txt': 'b\n' });
    rmSync(repo.path(repo.worktree('task-001')), { recursive: true });
    await repo.ok(['worker', 'claim', 'w1']);
    expect(repo.read(`${repo.worktree('task-001')}/b.txt`)).toBe('b\n');
  });

  test('ids that git takes no branch for have one of their own all the same', async () => {
    await repo.ok(['leader', 'init', 'goal', '--worktrees']);
    const task = (id: string) => ({ id, description: id });
    const board = repo.board();
    repo.write(
      '.coordination/tasks.json',
      JSON.stringify({ ...board, tasks: ['a..b', 'a.', 'x.lock', '-dash'].map(task) }),
    );
    for (const [n, id] of ['a..b', 'a.', 'x.lock', '-dash'].entries())
      await repo.ok(['worker', 'claim', `w${n}`, '--', id]);
    const branches = repo.git(['branch', '--list', 'coord/*', '--format=%(refname:short)']).split('\n');
    expect(branches.toSorted()).toEqual([
      'coord/-dash.1',
      'coord/a%2E.1',
      'coord/a%2E.b.1',
      'coord/main',
      'coord/x.lock.1',
    ]);
  });
});

describe('done', () => {
  beforeEach(() => repo.begin(1));

  const done = (more: string[] = []) => repo.coord(['worker', 'done', 'w1', 'task-001', 'I did it', ...more]);

  test('refuses a dirty tree and names the files; the task stays claimed', async () => {
    repo.commit('task-001', { 'b.txt': 'b\n' });
    repo.write(`${repo.worktree('task-001')}/a.txt`, 'changed\n');
    repo.write(`${repo.worktree('task-001')}/with space.txt`, 'x\n');
    const ran = await done();
    expect([ran.code, ran.stderr]).toEqual([4, expect.stringContaining('Not committed: a.txt, with space.txt.')]);
    expect(repo.task('task-001').status).toBe('claimed');
    expect(JSON.parse((await repo.coord(['worker', 'done', 'w1', 'task-001', 'x', '--json'])).stderr)).toMatchObject({
      error: { code: 'not-committed' },
    });
  });

  test('no commit is refused, unless there was nothing to change; then nothing lands', async () => {
    expect((await done()).stderr).toContain('There is no commit on coord/task-001.1');
    const ran = await done(['--no-changes']);
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('task-001 done')]);
    expect(repo.git(['rev-parse', 'coord/main'])).toBe(repo.git(['rev-parse', 'main']));
  });

  test('--no-changes is refused where there are commits, and with a dirty tree', async () => {
    repo.commit('task-001', { 'b.txt': 'b\n' });
    expect((await done(['--no-changes'])).stderr).toContain('has 1 commit');
    repo.write(`${repo.worktree('task-001')}/a.txt`, 'changed\n');
    expect((await done(['--no-changes'])).stderr).toContain('Not committed: a.txt');
  });

  test.each([
    ['another branch', ['switch', '--quiet', '-c', 'mine'], 'has mine checked out'],
    ['a detached head', ['switch', '--quiet', '--detach'], 'has no branch checked out'],
  ])('%s in the worktree is refused, with what to do', async (_, args, message) => {
    repo.git(args, repo.worktree('task-001'));
    repo.commit('task-001', { 'b.txt': 'b\n' });
    const ran = await done();
    expect([ran.code, ran.stderr]).toEqual([4, expect.stringContaining(message)]);
    expect(ran.stderr).toContain('switch coord/task-001.1');
  });

  test('an unfinished merge is refused', async () => {
    repo.commit('task-001', { 'a.txt': 'mine\n' });
    repo.git(['switch', '--quiet', '-c', 'theirs']);
    repo.write('a.txt', 'theirs\n');
    repo.git(['commit', '--quiet', '-am', 'theirs']);
    expect(repo.gitSays(['merge', 'theirs'], repo.worktree('task-001'))).toBe(false);
    expect((await done()).stderr).toContain('Not committed: a.txt');
  });

  test('checks run in the worktree; red, mended, landed in the same attempt', async () => {
    repo.typed(['leader', 'defaults', '--check', 'test -f wanted.txt && test -f .git']);
    repo.commit('task-001', { 'b.txt': 'b\n' });
    expect((await done()).code).toBe(4);
    repo.commit('task-001', { 'wanted.txt': 'x\n' });
    expect((await done()).stdout).toContain('task-001 landed on coord/main');
    expect(repo.task('task-001')).toMatchObject({
      status: 'done',
      attempt: 1,
      evidence: { verdict: 'green', files: ['b.txt', 'wanted.txt'] },
      landed: { branch: 'coord/main', commit: repo.git(['rev-parse', 'coord/main']) },
    });
  });
});

describe('what is left', () => {
  test('the worktree is gone once it has landed, and its branch too', async () => {
    await repo.begin(1);
    repo.commit('task-001', { 'b.txt': 'b\n' });
    await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
    expect(repo.exists(repo.worktree('task-001'))).toBe(false);
    expect(repo.git(['branch', '--list', 'coord/task-*'])).toBe('');
    expect(repo.git(['for-each-ref', 'refs/coord/landing/'])).toBe('');
  });

  test('a worktree that somebody is in stays, and goes with the next landing', async () => {
    await repo.begin(2);
    repo.commit('task-001', { 'b.txt': 'b\n' });
    repo.commit('task-002', { 'c.txt': 'c\n' });
    const child = spawn('sleep', ['1000'], { cwd: repo.path(repo.worktree('task-001')), env: scrubbedEnv() });
    onTestFinished(() => void child.kill('SIGKILL'));
    await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
    expect(repo.exists(`${repo.worktree('task-001')}/b.txt`)).toBe(true);
    expect(await repo.ok(['worktree', 'clean'])).toContain('stays: coord/task-001.1, somebody is in it');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    await repo.ok(['worker', 'done', 'w2', 'task-002', 'x']);
    expect([repo.exists(repo.worktree('task-001')), repo.exists(repo.worktree('task-002'))]).toEqual([false, false]);
  });

  test('ignored files that were changed or made survive; what came with the worktree, or is in the project too, does not pile up', async () => {
    repo.write('.worktreeinclude', '.env\n.env.*\n');
    repo.write('.env', 'A=1\n');
    repo.write('.env.same', 'S=1\n');
    repo.write('node_modules/x', 'x');
    repo.git(['add', '.worktreeinclude']);
    repo.git(['commit', '--quiet', '-m', 'Include']);
    await repo.begin(1);
    const folder = repo.worktree('task-001');
    repo.write(`${folder}/.env`, 'A=2\n');
    repo.write(`${folder}/.env.made`, 'M=1\n');
    repo.write(`${folder}/cache/data`, 'data');
    repo.write(`${folder}/node_modules/y`, 'y');
    repo.commit('task-001', { 'b.txt': 'b\n' });
    await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
    expect(repo.exists(folder)).toBe(false);
    const kept = '.git/coord/kept/task-001.1';
    expect(repo.snapshot(kept)).toEqual({
      [`${kept}/.env`]: 'A=2\n',
      [`${kept}/.env.made`]: 'M=1\n',
      [`${kept}/cache/data`]: 'data',
    });
  });

  test('clean keeps what has not landed, what is not committed, and what is claimed, and says why', async () => {
    await repo.begin(4);
    for (const n of [1, 2, 3, 4]) repo.commit(`task-00${n}`, { [`${n}.txt`]: `${n}\n` });
    await repo.ok(['worker', 'fail', 'w1', 'task-001', 'cannot', '--no-retry']);
    await repo.ok(['worker', 'done', 'w3', 'task-003', 'x']);
    repo.git(['worktree', 'add', '--quiet', repo.worktree('task-003'), '-b', 'coord/task-003.1', 'coord/main']);
    repo.write(`${repo.worktree('task-003')}/a.txt`, 'later\n');
    repo.git(['branch', 'coord/task-003.2', 'coord/main']);
    repo.git(['branch', 'coord/release-1.2', 'coord/main']);
    const trial = await repo.ok(['worktree', 'clean', '--dry-run']);
    expect(trial).toContain('would remove coord/task-003.2');
    const said = await repo.ok(['worktree', 'clean']);
    expect(said.trim().split('\n').toSorted()).toEqual([
      'removed coord-landing.1',
      'removed coord/task-003.2',
      'stays: coord/release-1.2, no task of this board has it',
      'stays: coord/task-001.1, it has commits that have not landed',
      'stays: coord/task-003.1, not committed: a.txt',
    ]);
    expect(repo.read(`${repo.worktree('task-003')}/a.txt`)).toBe('later\n');
    for (const n of [1, 2, 4]) expect(repo.read(`${repo.worktree(`task-00${n}`)}/${n}.txt`)).toBe(`${n}\n`);
    expect(await repo.ok(['worktree', 'clean'])).not.toContain('removed');
  });

  test('of an attempt that another has followed nothing is lost and nothing stays, an unfinished merge included', async () => {
    await repo.begin(2);
    repo.commit('task-001', { 'a.txt': 'one\n' });
    repo.commit('task-002', { 'a.txt': 'two\n' });
    await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
    expect((await repo.coord(['worker', 'done', 'w2', 'task-002', 'x'])).code).toBe(4);
    // In the old worktree, as one may who has not read that there is a new one.
    expect(repo.gitSays(['merge', 'coord/main'], repo.worktree('task-002'))).toBe(false);
    await repo.ok(['worker', 'claim', 'w2']);
    expect(repo.gitSays(['merge', 'coord/main'], repo.worktree('task-002', 2))).toBe(false);
    repo.commit('task-002', { 'a.txt': 'one\ntwo\n' }, 2);
    await repo.ok(['worker', 'done', 'w2', 'task-002', 'x']);
    expect([repo.exists(repo.worktree('task-002')), repo.git(['branch', '--list', 'coord/task-*'])]).toEqual([
      false,
      '',
    ]);
    expect(repo.landed('a.txt', 'refs/coord/kept/task-002.1/1')).toContain('<<<<<<<');
    expect((await repo.coord(['doctor'])).stdout).not.toContain('unlanded work');
  });

  test('a repository that was made in a worktree is never removed with it', async () => {
    await repo.begin(1);
    repo.git(['init', '--quiet', 'v'], repo.worktree('task-001'));
    repo.write(`${repo.worktree('task-001')}/v/x.txt`, 'x');
    repo.git(['add', 'x.txt'], `${repo.worktree('task-001')}/v`);
    repo.git(['commit', '--quiet', '-m', 'x'], `${repo.worktree('task-001')}/v`);
    await repo.ok(['worker', 'release', 'w1', 'task-001', 'half']);
    await repo.ok(['worker', 'claim', 'w2']);
    repo.commit('task-001', { 'b.txt': 'b\n' }, 2);
    await repo.ok(['worker', 'done', 'w2', 'task-001', 'x']);
    expect(await repo.ok(['worktree', 'clean'])).toContain('stays: coord/task-001.1, a repository of its own is in it');
    expect(repo.read(`${repo.worktree('task-001')}/v/x.txt`)).toBe('x');
  });

  test('a folder that was half removed holds up neither landings nor clean', async () => {
    await repo.begin(2);
    for (const n of [1, 2]) repo.commit(`task-00${n}`, { [`${n}.txt`]: `${n}\n` });
    await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
    repo.write(`${repo.worktree('task-001')}/left.txt`, 'x');
    rmSync(repo.path('.claude/worktrees/coord-landing.1/.git'));
    expect(await repo.ok(['worker', 'done', 'w2', 'task-002', 'x'])).toContain('task-002 landed');
    expect((await repo.coord(['worktree', 'clean'])).code).toBe(0);
    expect(repo.git(['status', '--porcelain', '--', 'a.txt'])).toBe('');
  });

  test('an ignored folder that the project has too is kept where the work has written into it', async () => {
    repo.write('cache/known', 'x');
    await repo.begin(2);
    repo.write(`${repo.worktree('task-001')}/cache/result`, 'precious');
    repo.commit('task-001', { 'b.txt': 'b\n' });
    await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
    expect(repo.read('.git/coord/kept/task-001.1/cache/result')).toBe('precious');
  });

  test('a branch of a claim that somebody has checked out elsewhere stays', async () => {
    await repo.begin(1);
    repo.commit('task-001', { 'b.txt': 'b\n' });
    repo.git(['switch', '--quiet', '--detach'], repo.worktree('task-001'));
    repo.git(['switch', '--quiet', 'coord/task-001.1']);
    repo.git(['switch', '--quiet', '--ignore-other-worktrees', 'coord/task-001.1'], repo.worktree('task-001'));
    await repo.ok(['worker', 'done', 'w1', 'task-001', 'x']);
    expect([repo.git(['status', '--porcelain', '--', 'b.txt']), repo.read('b.txt')]).toEqual(['', 'b\n']);
    expect(repo.gitSays(['rev-parse', '--verify', 'coord/task-001.1'])).toBe(true);
  });

  test('two boards in one repository keep to their own branches', async () => {
    repo.write('sub/x.txt', 'x');
    const cwd = repo.path('sub');
    await repo.ok(['leader', 'init', 'sub goal', '--worktrees'], { cwd });
    await repo.ok(['leader', 'add-task', 'sub task'], { cwd });
    await repo.begin(1);
    expect(await repo.ok(['worker', 'claim', 's1'], { cwd })).toContain('branch coord/task-001.1');
    expect(repo.task('task-001').branch).toBe('coord/2+task-001.1');
    expect((await repo.coord(['worktree', 'clean'])).stdout).not.toContain('coord/task-001.1');
    expect((await repo.coord(['doctor', '--fix'])).stdout).not.toContain('coord/task-001.1');
    expect(repo.exists(`${repo.worktree('task-001')}/a.txt`)).toBe(true);
    expect(await repo.ok(['worktree', 'list'])).not.toContain('coord/task-001.1');
  });

  test('list says whose they are, what is not committed, and what has not landed', async () => {
    await repo.begin(2);
    repo.commit('task-001', { 'b.txt': 'b\n' });
    repo.write(`${repo.worktree('task-002')}/dirty.txt`, 'x');
    const text = await repo.ok(['worktree', 'list']);
    expect(text).toContain('coord/task-001.1  task-001 of w1, 1 commit not landed');
    expect(text).toContain('coord/task-002.1  task-002 of w2, 1 file not committed');
    expect(await repo.json(['worktree', 'list'])).toMatchObject({
      branch: 'coord/main',
      worktrees: [
        { branch: 'coord/task-001.1', task_id: 'task-001', dirty: 0, ahead: 1, state: 'task-001 of w1' },
        { branch: 'coord/task-002.1', task_id: 'task-002', dirty: 1, ahead: 0 },
      ],
    });
  });

  test('doctor names worktrees without tasks, tasks without worktrees, leftovers of git and of landings, and unlanded work', async () => {
    await repo.begin(3);
    repo.commit('task-001', { 'b.txt': 'b\n' });
    await repo.ok(['worker', 'fail', 'w1', 'task-001', 'no', '--no-retry']);
    rmSync(repo.path(repo.worktree('task-002')), { recursive: true });
    repo.git(['branch', 'coord/task-002.2', 'coord/main']);
    repo.git(['update-ref', 'refs/coord/landing/task-003.1', 'HEAD']);
    repo.write('.git/refs/heads/coord/main.lock', '');
    const { utimesSync } = await import('node:fs');
    utimesSync(repo.path('.git/refs/heads/coord/main.lock'), new Date(0), new Date(0));
    const said = await repo.coord(['doctor']);
    expect(said.code).toBe(1);
    expect(said.stdout).toContain('BAD  tasks without a worktree: task-002 of w2');
    expect(said.stdout).toContain(
      'worktrees without a task: 1 worktree or branches that nobody needs: coord/task-002.2',
    );
    expect(said.stdout).toContain('unlanded work: work that no open task lands: coord/task-001.1 (it has commits');
    expect(said.stdout).toContain('1 landing was left half-way: coord/task-003.1');
    expect(said.stdout).toContain('git has left 1 lock');
    await repo.coord(['doctor', '--fix']);
    expect(repo.git(['for-each-ref', 'refs/coord/landing/'])).toBe('');
    expect(repo.gitSays(['rev-parse', '--verify', 'coord/task-002.2'])).toBe(false);
    expect(repo.read(`${repo.worktree('task-001')}/b.txt`)).toBe('b\n');
    await repo.ok(['worker', 'claim', 'w2']);
    expect(existsSync(repo.path(repo.worktree('task-002')))).toBe(true);
    // Where another git runs at that moment the lock stays: whose it is nobody can tell.
    if (repo.exists('.git/refs/heads/coord/main.lock'))
      expect((await repo.coord(['doctor', '--fix'])).stdout).toMatch(
        /git has left 1 lock.*(?:a git runs now|\n.*fixed)/s,
      );
    expect(readFileSync(repo.path('.git/info/exclude'), 'utf8')).toContain('/.claude/worktrees/');
  });
});
