/** Random files and claims: who may work beside whom. */
import { posix } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PathIndex } from '../../src/model/files.ts';
import type { Task } from '../../src/model/task.ts';
import { claimTask } from '../../src/model/verbs/claim.ts';
import { board, claimed, NOW, refusal, task } from '../support/boards.ts';

const part = fc.constantFrom('a', 'b', 'c', 'a.ts', '.', '..', '');
const path = fc
  .tuple(fc.constantFrom('', '/', './'), fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom('/', '\\'))
  .map(([start, parts, slash]) => start + parts.join(slash))
  // Above the root there is nothing, which nobody writes.
  .filter((text) => text.length > 0 && !text.startsWith('\\') && !(text.startsWith('/') && text.includes('..')));

/** What a path means. */
function plain(text: string): string {
  const normal = posix.normalize(text.replaceAll('\\', '/'));
  return normal === '.' || normal === './' ? '' : normal.replace(/(.)\/$/, '$1');
}

/** The same file, or a folder and what lies in it; the whole tree and the root are no folder around anything. */
function share(a: string, b: string): boolean {
  const [one, two] = [plain(a), plain(b)];
  if (one === two) return true;
  const isIn = (inner: string, outer: string) => outer !== '' && outer !== '/' && inner.startsWith(`${outer}/`);
  return isIn(one, two) || isIn(two, one);
}

test('the index finds what comparing every path with every other finds', () => {
  fc.assert(
    fc.property(fc.array(path, { maxLength: 12 }), path, (named, asked) => {
      const index = new PathIndex<number>();
      for (const [owner, name] of named.entries()) index.add(name, owner);
      const naive = named.flatMap((name, owner) => (share(name, asked) ? [owner] : []));
      expect([...index.find(asked)].toSorted((a, b) => a - b)).toEqual(naive);
    }),
    { numRuns: 500 },
  );
});

const files = fc.uniqueArray(fc.constantFrom('a', 'a/x', 'b', './b/y', 'c\\z', 'c/z'), { maxLength: 2 });
const tasks = fc
  .array(
    fc.record({ files, exclusive: fc.boolean(), isClaimed: fc.boolean(), priority: fc.integer({ min: 1, max: 10 }) }),
    {
      maxLength: 7,
    },
  )
  .map((drawn) =>
    drawn.map(({ files: names, exclusive, isClaimed, priority }, i): Task => {
      const fields = { priority, exclusive, context: { files: names, hints: '' } };
      return isClaimed ? claimed(`task-${i}`, `w${i}`, fields) : task(`task-${i}`, fields);
    }),
  );
const sharing = (one: Task, all: readonly Task[]) =>
  all.filter(
    (other) =>
      other.id !== one.id &&
      other.status === 'claimed' &&
      other.context.files.some((a) => one.context.files.some((b) => share(a, b))),
  );

test('an exclusive task is never beside a claim that shares a file, nor a claim beside an exclusive one', () => {
  fc.assert(
    fc.property(tasks, (all) => {
      const mayRun = (one: Task) =>
        one.status === 'available' &&
        sharing(one, all).every((other) => one.exclusive !== true && other.exclusive !== true);
      const { answer } = claimTask(board(...all), { worker: 'me' }, NOW);
      const free = all.filter(mayRun);
      expect(answer.task === null).toBe(free.length === 0);
      if (answer.task) expect(free.map(({ id }) => id)).toContain(answer.task.id);
      for (const one of all) {
        const refused = refusal(() => claimTask(board(...all), { worker: 'me', task_id: one.id }, NOW));
        expect(refused === undefined, one.id).toBe(mayRun(one));
      }
    }),
    { numRuns: 300 },
  );
});

test('a task alone on its files comes before one that is not, and then the most urgent', () => {
  fc.assert(
    fc.property(tasks, (drawn) => {
      const all = drawn.map((one) => ({ ...one, exclusive: false }));
      const { answer } = claimTask(board(...all), { worker: 'me' }, NOW);
      const [best] = all
        .filter((one) => one.status === 'available')
        .toSorted(
          (a, b) =>
            Number(sharing(a, all).length > 0) - Number(sharing(b, all).length > 0) ||
            a.priority - b.priority ||
            (a.id < b.id ? -1 : 1),
        );
      expect(answer.task?.id).toBe(best?.id);
      const shared = answer.task ? sharing(answer.task, all).map(({ id }) => id) : [];
      expect('overlaps' in answer ? answer.overlaps.map(({ task_id }) => task_id) : []).toEqual(shared);
    }),
    { numRuns: 300 },
  );
});
