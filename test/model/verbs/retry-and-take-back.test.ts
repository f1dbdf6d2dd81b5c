import { expect, test } from 'vitest';
import { retryTasks } from '../../../src/model/verbs/retry-tasks.ts';
import { takeBackTasks } from '../../../src/model/verbs/take-back-tasks.ts';
import { board, claimed, NOW, refusal, task } from '../../support/boards.ts';

test('a retry makes tasks available, with one more attempt at least', () => {
  const others = [claimed('task-003', 'w')];
  const change = retryTasks(
    board(
      task('task-001', { status: 'failed', attempt: 3, completed_at: NOW, last_error: 'e' }),
      task('task-002', { status: 'cancelled', attempt: 1, completed_at: NOW }),
      ...others,
    ),
    { task_ids: ['task-001', 'task-002'] },
  );
  const tasks = [
    task('task-001', { attempt: 3, max_attempts: 4, last_error: 'e' }),
    task('task-002', { attempt: 1, max_attempts: 3 }),
  ];
  expect(change).toStrictEqual({
    board: board(...tasks, ...others),
    answer: { tasks },
    events: [
      { agent: 'leader', event: 'retry', task_id: 'task-001', message: 'attempt 4 of 4 is free' },
      { agent: 'leader', event: 'retry', task_id: 'task-002', message: 'attempt 2 of 3 is free' },
    ],
  });
});

test('what is taken back is available, and has used up none of its attempts', () => {
  const others = [claimed('task-002', 'v')];
  const tasks = [task('task-001', { attempt: 1, max_attempts: 4, note: 'n', taken_from: 'w' })];
  expect(
    takeBackTasks(board(claimed('task-001', 'w', { lease_seconds: 60, note: 'n' }), ...others), {
      task_ids: ['task-001'],
    }),
  ).toStrictEqual({
    board: board(...tasks, ...others),
    answer: { tasks },
    events: [{ agent: 'leader', event: 'release', task_id: 'task-001', message: 'taken from w' }],
  });
});

const all = board(
  task('task-001'),
  claimed('task-002', 'w'),
  task('task-003', { status: 'done' }),
  task('task-004', { status: 'failed' }),
  task('task-005', { status: 'cancelled' }),
);
test.each([
  ['task-001', 'available'],
  ['task-002', 'claimed'],
  ['task-003', 'done'],
])('no retry of %s, which is %s', (id, status) => {
  expect(refusal(() => retryTasks(all, { task_ids: ['task-004', id] }))).toEqual({
    code: 'task-state',
    message: `${id} is ${status}; only failed and cancelled tasks can be retried.`,
    details: { task_id: id },
  });
});

test.each([
  ['task-001', 'available'],
  ['task-003', 'done'],
  ['task-004', 'failed'],
  ['task-005', 'cancelled'],
])('%s, which is %s, cannot be taken from anybody', (id, status) => {
  expect(refusal(() => takeBackTasks(all, { task_ids: ['task-002', id] }))).toEqual({
    code: 'task-state',
    message: `${id} is ${status}, not claimed.`,
    details: { task_id: id },
  });
});
