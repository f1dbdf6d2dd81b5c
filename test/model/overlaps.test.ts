import { describe, expect, test } from 'vitest';
import { PathIndex } from '../../src/model/files.ts';
import { claimedFiles, claimsOn, findOverlaps, isHeldBack } from '../../src/model/overlaps.ts';
import { board, claimed, later, NOW, task } from '../support/boards.ts';

const on = (...files: string[]) => ({ context: { files, hints: '' } });

test('patterns that were made to take for ever do not', () => {
  const deep = '**/a/'.repeat(100);
  const stars = `${'*a'.repeat(120)}b`;
  for (const [a, b] of [
    [`${deep}x.ts`, `${'a/'.repeat(200)}y.ts`],
    [`${deep}x.ts`, `${deep}y.ts`],
    [stars, 'a'.repeat(250)],
    ['{a,b}'.repeat(60), 'a'.repeat(60)],
    ['**/'.repeat(300), `${'a/'.repeat(300)}b`],
  ]) {
    const index = new PathIndex<string>();
    index.add(a ?? '', 'owner');
    const start = performance.now();
    index.find(b ?? '');
    expect(performance.now() - start).toBeLessThan(5000);
  }
});

describe('two paths name the same', () => {
  test.each([
    ['src/a.ts', 'src/a.ts', true],
    ['./src//a.ts', 'src/a.ts', true],
    ['src\\a.ts', 'src/a.ts', true],
    ['src/a.ts/', 'src/a.ts', true],
    ['src/x/../a.ts', 'src/a.ts', true],
    ['src', 'src/a.ts', true],
    ['src/', 'src/deep/er/a.ts', true],
    ['src/deep', 'src/deep/er/a.ts', true],
    ['../x', '../x/y', true],
    ['../../x', '../x', false],
    ['a/../../x', '../x', true],
    ['/src', '/src/a.ts', true],
    ['/src', 'src/a.ts', false],
    ['/a', '/b', false],
    ['src', 'src2/a.ts', false],
    ['src/a.ts', 'src/a.tsx', false],
    ['src/a.ts', 'src/b.ts', false],
    ['a/b', 'b', false],
    ['A', 'a', false],
    ['...', '..', false],
    ['a...b', 'a', false],
    ['web/**/*.ts', 'web/x/y.ts', true],
    ['web/**/*.ts', 'web/y.ts', true],
    ['./web//**/*.ts', 'web/y.ts', true],
    ['web\\*.ts', 'web/y.ts', true],
    ['web/**/*.ts', 'web/x/y.js', false],
    ['web/**/*.ts', 'api/y.ts', false],
    ['web/**/*.ts', 'web', true],
    ['web/**/*.ts', 'web/x', true],
    ['web/**/*.ts', 'web/x/y.ts/z', true],
    ['web/**', 'web/x/y.js', true],
    ['**/*.md', 'docs/a.md', true],
    ['**/*.md', 'a.md', true],
    ['src/*', 'src/a/b.ts', true],
    ['src/*', 'src', true],
    ['src/*.ts', 'src/a/b.ts', false],
    ['src/?.ts', 'src/ab.ts', false],
    ['src/{a,b}.ts', 'src/b.ts', true],
    ['src/{a,b}.ts', 'src/c.ts', false],
    ['{src,test}/**', 'test/x.ts', true],
    ['app/[id]/*.tsx', 'app/[id]/page.tsx', true],
    ['app/[id]/*.tsx', 'app/i/page.tsx', false],
    ['app/(auth)/*.tsx', 'app/(auth)/page.tsx', true],
    ['.github/**', '.github/workflows/ci.yml', true],
    ['.e*', '.env', true],
    ['src/**/*.ts', 'src/**/*.css', false],
    ['src/**/*.ts', 'src/a/*', true],
    ['src/**/*.ts', '**/a.*', true],
    ['src/a*.ts', 'src/b*.ts', false],
    ['src/**', 'test/**', false],
    ['src/*/a.ts', 'src/b/*.ts', true],
    ['src/*/a.ts', 'src/b/c.*', false],
  ])('%s and %s: %s', (a, b, same) => {
    for (const [named, asked] of [
      [a, b],
      [b, a],
    ]) {
      const index = new PathIndex<string>();
      index.add(named ?? '', 'owner');
      index.add('elsewhere/x.txt', 'other');
      expect([...index.find(asked ?? '')]).toEqual(same ? ['owner'] : []);
    }
  });

  test('where nobody names anything, nothing is found', () => {
    expect(new PathIndex<string>().find('a')).toEqual(new Set());
  });

  test('each owner is found once', () => {
    const index = new PathIndex<string>();
    for (const path of ['src', 'src/a.ts', 'src/a.ts', 'src/b.ts']) index.add(path, 'one');
    index.add('src/a.ts', 'two');
    expect([...index.find('src/a.ts')]).toEqual(['one', 'two']);
    expect([...index.find('src')]).toEqual(['one', 'two']);
  });
});

const tasks = board(
  claimed('task-010', 'v', on('src/a.ts', 'docs')),
  claimed('task-002', 'w', on('src')),
  claimed('task-003', 'dead', { ...on('src'), lease_expires_at: NOW }),
  task('task-004', on('src')),
  task('task-005', { status: 'done', claimed_by: 'u', ...on('src') }),
);

test('only live claims hold files', () => {
  const claims = claimedFiles(tasks, NOW);
  expect([...claims.find('src/a.ts')].map(({ id }) => id).toSorted()).toEqual(['task-002', 'task-010']);
  expect(claimedFiles(tasks, later(1800)).find('src/a.ts')).toEqual(new Set());
});

test('overlaps name the other task, its worker, and the files in the words of this one', () => {
  const claims = claimedFiles(tasks, NOW);
  expect(findOverlaps(task('task-009', on('./src/a.ts', 'docs/x', 'other')), claims)).toStrictEqual([
    { task_id: 'task-002', worker: 'w', files: ['./src/a.ts'] },
    { task_id: 'task-010', worker: 'v', files: ['./src/a.ts', 'docs/x'] },
  ]);
  expect(findOverlaps(tasks.tasks[1] ?? task('x'), claims).map(({ task_id }) => task_id)).toEqual(['task-010']);
  expect(findOverlaps(task('task-009'), claims)).toEqual([]);
});

test('the claims of others on a file', () => {
  const ids = (path: string, worker: string) =>
    claimsOn(tasks, [path], worker, NOW)
      .map(({ id }) => id)
      .toSorted();
  expect(ids('src/a.ts', 'x')).toEqual(['task-002', 'task-010']);
  expect(ids('src/a.ts', 'w')).toEqual(['task-010']);
  expect(ids('src', 'v')).toEqual(['task-002']);
  expect(ids('README.md', 'x')).toEqual([]);
});

test.each([
  ['neither', {}, {}, false],
  ['this one', { exclusive: true }, {}, true],
  ['the other', {}, { exclusive: true }, true],
  ['neither, in so many words', { exclusive: false }, { exclusive: false }, false],
])('of two that share a file %s is exclusive', (_, mine, theirs, held) => {
  const one = task('a', { ...on('f'), ...mine });
  const both = board(one, claimed('b', 'v', on('f')), claimed('c', 'u', { ...on('f'), ...theirs }));
  expect(isHeldBack(both, one, findOverlaps(one, claimedFiles(both, NOW)))).toBe(held);
  expect(isHeldBack(both, one, [])).toBe(false);
});
