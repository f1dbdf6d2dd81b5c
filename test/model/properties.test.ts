/** Random sequences of verbs against the pure board: what must hold whatever happens. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Board, type Change, emptyBoard } from '../../src/model/board.ts';
import { CoordError } from '../../src/model/errors.ts';
import { sortByDependency } from '../../src/model/graph.ts';
import { parseBoard } from '../../src/model/hand-edit.ts';
import { addTasks } from '../../src/model/verbs/add-tasks.ts';
import { cancelTasks } from '../../src/model/verbs/cancel-tasks.ts';
import { editTask } from '../../src/model/verbs/edit-task.ts';
import { takeBackTasks } from '../../src/model/verbs/take-back-tasks.ts';
import { retryTasks } from '../../src/model/verbs/retry-tasks.ts';
import { claimTask } from '../../src/model/verbs/claim.ts';
import { completeTask } from '../../src/model/verbs/complete.ts';
import { failTask } from '../../src/model/verbs/fail.ts';
import { releaseTask } from '../../src/model/verbs/release.ts';
import { renewLeases } from '../../src/model/verbs/renew.ts';
import { later } from '../support/boards.ts';

type Verb = (board: Board, now: string) => Change<unknown>;

const worker = fc.constantFrom('a', 'b', 'c');
const id = fc.integer({ min: 1, max: 12 }).map((n) => `task-${String(n).padStart(3, '0')}`);
const ids = fc.uniqueArray(id, { maxLength: 3 });
const files = fc.uniqueArray(fc.constantFrom('x', 'y', 'x/z'), { maxLength: 2 });

const verb: fc.Arbitrary<[string, Verb]> = fc.oneof(
  fc
    .tuple(ids, files, fc.boolean())
    .map(([dependencies, f, exclusive]): [string, Verb] => [
      'add',
      (b, now) => addTasks(b, { tasks: [{ description: 'd', dependencies, files: f, exclusive }] }, now),
    ]),
  worker.map((w): [string, Verb] => ['claim', (b, now) => claimTask(b, { worker: w, lease_seconds: 60 }, now)]),
  fc
    .tuple(worker, id)
    .map(([w, task_id]): [string, Verb] => [
      'claim named',
      (b, now) => claimTask(b, { worker: w, task_id, lease_seconds: 60 }, now),
    ]),
  worker.map((w): [string, Verb] => ['renew', (b, now) => renewLeases(b, { worker: w }, now)]),
  fc
    .tuple(worker, id)
    .map(([w, task_id]): [string, Verb] => [
      'complete',
      (b, now) => completeTask(b, { worker: w, task_id, output: 'o', digest: w }, now),
    ]),
  fc
    .tuple(worker, id, fc.boolean())
    .map(([w, task_id, retry]): [string, Verb] => [
      'fail',
      (b, now) => failTask(b, { worker: w, task_id, error: 'e', retry }, now),
    ]),
  fc
    .tuple(worker, id)
    .map(([w, task_id]): [string, Verb] => ['release', (b, now) => releaseTask(b, { worker: w, task_id }, now)]),
  ids
    .filter((list) => list.length > 0)
    .map((task_ids): [string, Verb] => ['revoke', (b) => takeBackTasks(b, { task_ids })]),
  ids
    .filter((list) => list.length > 0)
    .map((task_ids): [string, Verb] => ['retry', (b) => retryTasks(b, { task_ids })]),
  fc
    .tuple(
      ids.filter((list) => list.length > 0),
      fc.boolean(),
    )
    .map(([task_ids, cascade]): [string, Verb] => ['cancel', (b, now) => cancelTasks(b, { task_ids, cascade }, now)]),
  fc
    .tuple(id, ids)
    .map(([task_id, dependencies]): [string, Verb] => ['edit', (b) => editTask(b, { task_id, dependencies })]),
);

test('no sequence of verbs breaks the board', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(verb, fc.integer({ min: 0, max: 90 })), { maxLength: 60 }), (steps) => {
      let board = emptyBoard();
      let seconds = 0;
      for (const [[name, run], pause] of steps) {
        seconds += pause;
        const now = later(seconds);
        const before = structuredClone(board);
        let change: Change<unknown>;
        try {
          change = run(board, now);
        } catch (error) {
          if (!(error instanceof CoordError)) throw error;
          expect(board, `${name} was refused but changed the board`).toEqual(before);
          continue;
        }
        expect(board, `${name} changed the board in place`).toEqual(before);
        const next = change.board ?? board;
        checkStep(before, next, now);
        board = next;
      }
    }),
    { numRuns: 1000 },
  );
});

function checkStep(before: Board, after: Board, now: string): void {
  expect(parseBoard(JSON.parse(JSON.stringify(after))).ok).toBe(true);
  expect(new Set(after.tasks.map((task) => task.id)).size).toBe(after.tasks.length);
  expect(sortByDependency(after.tasks).cycle).toBeUndefined();
  const live = after.tasks.filter((task) => task.status === 'claimed' && (task.lease_expires_at ?? '') > now);
  expect(new Set(live.map((task) => task.claimed_by)).size, 'a worker holds two tasks').toBe(live.length);
  const was = new Map(before.tasks.map((task) => [task.id, task]));
  for (const task of after.tasks) {
    const old = was.get(task.id);
    if (old?.status === 'done') expect(task).toEqual(old);
    expect(task.attempt).toBeGreaterThanOrEqual(old?.attempt ?? 0);
    // A live claim changes hands only through its worker or the leader, never through another worker's claim.
    if (old?.status === 'claimed' && (old.lease_expires_at ?? '') > now && task.status === 'claimed') {
      expect([task.claimed_by, task.attempt]).toEqual([old.claimed_by, old.attempt]);
    }
    const isNew = task.status === 'claimed' && (old?.status !== 'claimed' || old.attempt !== task.attempt);
    if (isNew) for (const dependency of task.dependencies) expect(was.get(dependency)?.status).toBe('done');
  }
  for (const old of before.tasks) expect(after.tasks.some((task) => task.id === old.id)).toBe(true);
}
