import { describe, expect, test } from 'vitest';
import {
  compareIds,
  emptyBoard,
  eventOf,
  expireLastAttempts,
  findTask,
  nextExpiry,
  replaceTasks,
  tasksById,
} from '../../src/model/board.ts';
import { assertNever, CoordError } from '../../src/model/errors.ts';
import { board, claimed, later, NOW, refusal, task } from '../support/boards.ts';

test('a new board has no task, no revision, and a goal where there is one', () => {
  expect(emptyBoard()).toStrictEqual({ version: 1, revision: 0, tasks: [] });
  expect(emptyBoard('g')).toStrictEqual({ version: 1, revision: 0, goal: 'g', tasks: [] });
});

test('an event names who, what and which task', () => {
  expect(eventOf('w', 'claim', task('task-001'), 'm')).toStrictEqual({
    agent: 'w',
    event: 'claim',
    task_id: 'task-001',
    message: 'm',
  });
});

describe('a task is found by its id', () => {
  const tasks = board(task('task-001'), task('task-020'), task('mine'), task('other-7'));
  test('and by nothing else', () => {
    expect(findTask(tasks, 'task-020')).toBe(tasks.tasks[1]);
    expect(tasksById(tasks).get('mine')).toBe(tasks.tasks[2]);
    expect([...tasksById(tasks).keys()]).toEqual(['task-001', 'task-020', 'mine', 'other-7']);
  });

  test.each([
    ['task-1', { other_id: 'task-001' }],
    ['1', { other_id: 'task-001' }],
    ['Task-020', { other_id: 'task-020' }],
    ['20', { other_id: 'task-020' }],
    ['task-7', { other_id: 'other-7' }],
    ['task-2', {}],
    ['120', {}],
    ['20x', {}],
    ['task', {}],
    ['', {}],
  ])('%j is unknown, and the nearest is %j', (id, near) => {
    expect(refusal(() => findTask(tasks, id))).toStrictEqual({
      code: 'task-not-found',
      message: `No task ${id} on this board.`,
      details: { task_id: id, ...near },
    });
  });
});

test('tasks are replaced in place, and what is not changed stays the very same', () => {
  const before = { ...board(task('a'), task('b'), task('c')), goal: 'g' };
  const changed = task('b', { priority: 1 });
  const after = replaceTasks(before, [changed]);
  expect(after).toStrictEqual({ ...before, tasks: [task('a'), changed, task('c')] });
  expect(after.tasks[0]).toBe(before.tasks[0]);
  expect(replaceTasks(before, [])).toBe(before);
  expect(replaceTasks(before, [task('d')]).tasks).toEqual(before.tasks);
});

test.each([
  [[], null],
  [[task('a')], null],
  [[claimed('a', 'w', { lease_expires_at: NOW })], null],
  [[claimed('a', 'w', { lease_expires_at: later(1) })], later(1)],
  [[claimed('a', 'w', { lease_expires_at: later(9) }), claimed('b', 'v', { lease_expires_at: later(3) })], later(3)],
  [[claimed('a', 'w', { lease_expires_at: later(3) }), claimed('b', 'v', { lease_expires_at: later(9) })], later(3)],
  [[claimed('a', 'w', { lease_expires_at: later(-3) }), task('b'), claimed('c', 'v')], later(1800)],
])('the next lease of case %# to run out', (tasks, next) => {
  expect(nextExpiry(tasks, NOW)).toBe(next);
});

test.each([
  ['task-001', 'task-001', 0],
  ['task-001', 'task-002', -1],
  ['task-009', 'task-010', -1],
  ['task-999', 'task-1000', -1],
  ['task-99', 'task-099', 1],
  ['task-2', 'task-010', -1],
  ['a', 'b', -1],
  ['a-10', 'b-2', -1],
  ['b-2', 'a-10', 1],
  ['mine', 'task-001', -1],
  ['a', 'a1', -1],
  ['9', '10', -1],
  ['x10y', 'x9yz', -1],
  ['a0', 'a00', -1],
  ['a:1', 'a:02', -1],
  ['a/1', 'a/02', -1],
])('%s against %s: %i', (a, b, expected) => {
  expect(Math.sign(compareIds(a, b))).toBe(expected);
  expect(Math.sign(compareIds(b, a)) + expected).toBe(0);
});

describe('a lease that runs out on the last attempt', () => {
  test.each([
    [2, later(1800), 'claimed'],
    [3, later(1799), 'claimed'],
    [3, later(1800), 'failed'],
    [4, later(1800), 'failed'],
  ])('attempt %i of 3 at %s: %s', (attempt, now, status) => {
    expect(expireLastAttempts(board(claimed('a', 'w', { attempt })), now).board.tasks[0]?.status).toBe(status);
  });

  test('fails the task and says whose it was; all others stay', () => {
    const others = [claimed('b', 'v'), task('c', { attempt: 3 })];
    const failed = task('a', {
      status: 'failed',
      attempt: 3,
      completed_at: later(1800),
      last_error: 'lease of w expired on attempt 3 of 3',
      taken_from: 'w',
    });
    expect(expireLastAttempts(board(claimed('a', 'w', { attempt: 3 }), ...others), later(1800))).toStrictEqual({
      board: board(failed, ...others),
      failed: [failed],
    });
    const untouched = board(...others);
    expect(expireLastAttempts(untouched, later(1800)).board).toBe(untouched);
  });
});

describe('an error', () => {
  test('says what happened, the facts of it, the next step, and what lay beneath', () => {
    const cause = new Error('disk');
    const error = new CoordError('usage', 'm', { details: { why: 'w' }, hint: 'h', cause });
    const { name, code, message, details, hint } = error;
    expect({ name, code, message, details, hint, cause: error.cause }).toEqual({
      name: 'CoordError',
      code: 'usage',
      message: 'm',
      details: { why: 'w' },
      hint: 'h',
      cause,
    });
    expect('cause' in new CoordError('usage', 'm')).toBe(false);
    expect(new CoordError('usage', 'm').details).toBeUndefined();
  });

  test('a case that was forgotten is named', () => {
    expect(() => assertNever({ a: 1 } as never)).toThrow('unexpected value: {"a":1}'); // no value is one
  });
});
