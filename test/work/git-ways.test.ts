/** What git sets in the way of worktrees and landings: each does what docs/worktrees.md says. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Repository } from '../support/repository.ts';

const lands = async (repo: Repository, worker = 'w1', task = 'task-001'): Promise<string> =>
  repo.ok(['worker', 'done', worker, task, 'x']);

test('a dirty checkout of the user, and a detached head, are left alone', async () => {
  const repo = new Repository();
  repo.git(['switch', '--quiet', '--detach']);
  repo.write('a.txt', 'not committed\n');
  repo.write('staged.txt', 'staged\n');
  repo.git(['add', 'staged.txt']);
  await repo.begin(1);
  repo.commit('task-001', { 'a.txt': 'landed\n' });
  const before = repo.git(['status', '--porcelain=v2']);
  expect(await lands(repo)).toContain('landed');
  expect([repo.git(['status', '--porcelain=v2']), repo.read('a.txt')]).toEqual([before, 'not committed\n']);
  const publish = await repo.coord(['leader', 'publish']);
  expect([publish.code, publish.stderr]).toEqual([1, expect.stringContaining('coord leader publish <branch>')]);
});

test("the board's branch checked out anywhere: nothing lands, and it says what to do; afterwards it lands", async () => {
  const repo = new Repository();
  await repo.begin(1);
  repo.commit('task-001', { 'b.txt': 'b\n' });
  repo.git(['switch', '--quiet', 'coord/main']);
  const done = await repo.coord(['worker', 'done', 'w1', 'task-001', 'x']);
  expect(done.stdout).toContain('coord/main is checked out in');
  expect(repo.task('task-001').status).toBe('submitted');
  expect(repo.exists('b.txt')).toBe(false);
  expect((await repo.coord(['doctor'])).stdout).toContain('coord/main is checked out in');
  repo.git(['switch', '--quiet', 'main']);
  expect(await repo.ok(['land'])).toContain('task-001 landed');
});

test('a shallow clone lands as any other', async () => {
  const origin = new Repository();
  for (let n = 0; n < 3; n++) {
    origin.write('a.txt', `${n}\n`);
    origin.git(['commit', '--quiet', '-am', `${n}`]);
  }
  const repo = new Repository();
  repo.git(['clone', '--quiet', '--depth', '1', `file://${origin.cwd}`, 'shallow']);
  const env = { ...repo.env };
  const cwd = repo.path('shallow');
  await repo.ok(['leader', 'init', 'goal', '--worktrees'], { cwd, env });
  await repo.ok(['leader', 'add-task', 'x'], { cwd });
  await repo.ok(['worker', 'claim', 'w1'], { cwd });
  const folder = `shallow/${repo.worktree('task-001')}`;
  repo.write(`${folder}/b.txt`, 'b\n');
  repo.git(['add', '--all'], folder);
  repo.git(['commit', '--quiet', '-m', 'b'], folder);
  expect(await repo.ok(['worker', 'done', 'w1', 'task-001', 'x'], { cwd })).toContain('task-001 landed');
});

test('submodules: they land; the worktree of one stays, since git removes none, and clean says so', async () => {
  const library = new Repository({ 'lib.txt': 'lib\n' });
  const repo = new Repository();
  repo.git(['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library.cwd, 'lib']);
  repo.git(['commit', '--quiet', '-m', 'Library']);
  await repo.begin(1);
  repo.git(['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init'], repo.worktree('task-001'));
  repo.commit('task-001', { 'b.txt': 'b\n' });
  expect(await lands(repo)).toContain('task-001 landed');
  expect(repo.read(`${repo.worktree('task-001')}/lib/lib.txt`)).toBe('lib\n');
  expect(await repo.ok(['worktree', 'clean'])).toContain('submodules cannot be moved or removed');
  expect(repo.git(['worktree', 'list', '--porcelain'])).toContain('locked coord: task-001');
});

test("the user's hooks run at their commits, and never at coord's own doings", async () => {
  const repo = new Repository();
  for (const hook of ['post-checkout', 'reference-transaction', 'post-merge', 'pre-push']) {
    repo.write(`.git/hooks/${hook}`, `#!/bin/sh\necho ${hook} >> "${repo.path('.git/ran.txt')}"\n`);
    chmodSync(repo.path(`.git/hooks/${hook}`), 0o755);
  }
  await repo.begin(1);
  expect(repo.exists('.git/ran.txt')).toBe(false);
  repo.write('.git/hooks/pre-commit', '#!/bin/sh\ntest ! -f forbidden.txt\n');
  chmodSync(repo.path('.git/hooks/pre-commit'), 0o755);
  expect(() => repo.commit('task-001', { 'forbidden.txt': 'x\n' })).toThrow();
  repo.git(['rm', '--quiet', '--cached', 'forbidden.txt'], repo.worktree('task-001'));
  repo.git(['clean', '--quiet', '-f'], repo.worktree('task-001'));
  repo.commit('task-001', { 'b.txt': 'b\n' });
  repo.write('.git/ran.txt', '');
  expect(await lands(repo)).toContain('landed');
  expect(repo.read('.git/ran.txt')).toBe('');
});

test('where commits are signed, merges are too; where they cannot be, nothing lands unsigned', async () => {
  const repo = new Repository();
  await repo.begin(1);
  repo.commit('task-001', { 'b.txt': 'b\n' });
  repo.git(['config', 'commit.gpgSign', 'true']);
  repo.git(['config', 'gpg.program', 'false']);
  expect((await repo.coord(['worker', 'done', 'w1', 'task-001', 'x'])).stdout).toMatch(
    /cannot land here: git commit-tree.*says no/,
  );
  expect(repo.git(['rev-parse', 'coord/main'])).toBe(repo.git(['rev-parse', 'main']));
  // As gpg answers, in as far as git looks at it.
  const gpg =
    '#!/bin/sh\ncat > /dev/null\necho "[GNUPG:] SIG_CREATED D 1 8 00 1 X" >&2\nprintf -- "-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n"\n';
  repo.git(['config', 'gpg.program', join(repo.tool('gpg', gpg).split(':')[0] ?? '', 'gpg')]);
  expect(await repo.ok(['land'])).toContain('task-001 landed');
  expect(repo.git(['cat-file', '-p', 'coord/main'])).toContain('BEGIN PGP SIGNATURE');
});

test('renames and mode changes land as they are', async () => {
  const repo = new Repository({ 'old.sh': 'line\n'.repeat(20), 'a.txt': 'a\n' });
  await repo.begin(2);
  repo.git(['mv', 'old.sh', 'new.sh'], repo.worktree('task-001'));
  chmodSync(repo.path(`${repo.worktree('task-001')}/new.sh`), 0o755);
  repo.commit('task-001', {});
  repo.commit('task-002', { 'old.sh': `${'line\n'.repeat(20)}more\n` });
  await lands(repo);
  expect(await lands(repo, 'w2', 'task-002')).toContain('task-002 landed'); // git follows the rename
  expect(repo.git(['ls-tree', 'coord/main', '--', 'new.sh', 'old.sh'])).toMatch(/^100755 blob [0-9a-f]+\tnew\.sh$/);
  expect(repo.landed('new.sh')).toContain('more');
});

test("the attributes of the project hold in a merge, those of the user's checkout do not", async () => {
  const repo = new Repository({ 'log.txt': 'first\n', '.gitattributes': 'log.txt merge=union\n' });
  await repo.begin(2);
  repo.write('.gitattributes', 'log.txt merge=binary\n'); // not committed
  repo.commit('task-001', { 'log.txt': 'first\none\n' });
  repo.commit('task-002', { 'log.txt': 'first\ntwo\n' });
  await lands(repo);
  expect(await lands(repo, 'w2', 'task-002')).toContain('task-002 landed');
  expect(repo.landed('log.txt').split('\n').toSorted()).toEqual(['first', 'one', 'two']);
});

test('filters, as those of LFS, run in the worktree as in any checkout, and what is stored is what they store', async () => {
  const repo = new Repository({ 'a.txt': 'a\n', '.gitattributes': '*.bin filter=fake\n' });
  repo.git(['config', 'filter.fake.clean', 'sed s/large/pointer/']);
  repo.git(['config', 'filter.fake.smudge', 'sed s/pointer/large/']);
  repo.write('x.bin', 'large\n');
  repo.git(['add', 'x.bin']);
  repo.git(['commit', '--quiet', '-m', 'Large']);
  await repo.begin(1);
  expect(repo.read(`${repo.worktree('task-001')}/x.bin`)).toBe('large\n');
  repo.commit('task-001', { 'y.bin': 'large too\n' });
  expect(await lands(repo)).toContain('landed');
  expect([repo.landed('y.bin'), repo.landed('x.bin')]).toEqual(['pointer too', 'pointer']);
});

test('a project within a repository: its own folder is what one works in, and what the checks run in', async () => {
  const repo = new Repository({ 'packages/one/a.txt': 'a\n', 'packages/two/b.txt': 'b\n' });
  const cwd = repo.path('packages/one');
  await repo.ok(['leader', 'init', 'goal', '--worktrees'], { cwd });
  await repo.ok(['leader', 'add-task', 'x', '--check', 'test -f a.txt'], { cwd });
  const claim = await repo.coord(['worker', 'claim', 'w1', '--json'], { cwd });
  expect(JSON.parse(claim.stdout)).toMatchObject({ worktree: repo.path(`${repo.worktree('task-001')}/packages/one`) });
  repo.commit('task-001', { 'packages/one/c.txt': 'c\n' });
  await repo.ok(['leader', 'edit', 'task-001', '--clear', 'check'], { cwd });
  expect(await repo.ok(['worker', 'done', 'w1', 'task-001', 'x'], { cwd })).toContain('landed');
  expect(repo.landed('packages/one/c.txt')).toBe('c');
});

test('a bare repository with worktrees beside it: the same', async () => {
  const repo = new Repository();
  repo.git(['clone', '--quiet', '--bare', '.', 'bare/.git']);
  repo.git(['worktree', 'add', '--quiet', '../trunk', 'main'], 'bare/.git');
  const cwd = repo.path('bare/trunk');
  await repo.ok(['leader', 'init', 'goal', '--worktrees'], { cwd });
  await repo.ok(['leader', 'add-task', 'x'], { cwd });
  const claim = await repo.coord(['worker', 'claim', 'w1', '--json'], { cwd });
  const { worktree } = JSON.parse(claim.stdout) as { worktree: string };
  const folder = worktree.slice(repo.cwd.length + 1);
  repo.write(`${folder}/b.txt`, 'b\n');
  repo.git(['add', '--all'], folder);
  repo.git(['commit', '--quiet', '-m', 'b'], folder);
  expect(await repo.ok(['worker', 'done', 'w1', 'task-001', 'x'], { cwd })).toContain('landed');
  expect(repo.git(['show', 'coord/main:b.txt'], 'bare/.git')).toBe('b');
});

test('called from a hook of git, whose variables name another repository, it works on its own', async () => {
  const repo = new Repository();
  const other = new Repository();
  const env = { GIT_DIR: other.path('.git'), GIT_INDEX_FILE: other.path('.git/index'), GIT_WORK_TREE: other.cwd };
  await repo.ok(['leader', 'init', 'goal', '--worktrees'], { env });
  await repo.ok(['leader', 'add-task', 'x']);
  await repo.ok(['worker', 'claim', 'w1'], { env });
  repo.commit('task-001', { 'b.txt': 'b\n' });
  expect(await repo.ok(['worker', 'done', 'w1', 'task-001', 'x'], { env })).toContain('landed');
  expect(other.git(['branch', '--list', 'coord/*'])).toBe('');
});
