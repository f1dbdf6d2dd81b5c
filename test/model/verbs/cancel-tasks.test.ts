import { expect, test } from 'vitest';
import { cancelTasks } from '../../../src/model/verbs/cancel-tasks.ts';
import { board, claimed, later, NOW, refusal, task } from '../../support/boards.ts';

const dead = (id: string, fields = {}) => task(id, { status: 'cancelled', completed_at: later(1), ...fields });

test('what is cancelled is held by nobody, and the log says who lost it', () => {
  const others = [task('task-003'), task('task-004', { dependencies: ['task-001'] })];
  const before = board(claimed('task-001', 'w', { lease_seconds: 60 }), task('task-002'), ...others);
  const after = [dead('task-001', { attempt: 1 }), dead('task-002')];
  expect(cancelTasks(before, { task_ids: ['task-002', 'task-001'] }, later(1))).toStrictEqual({
    board: board(...after, ...others),
    answer: { tasks: after.toReversed() },
    events: [
      { agent: 'leader', event: 'cancel', task_id: 'task-002', message: '' },
      { agent: 'leader', event: 'cancel', task_id: 'task-001', message: 'was claimed by w' },
    ],
  });
});

test('cancelling again changes nothing', () => {
  const gone = dead('task-001', { completed_at: NOW });
  expect(cancelTasks(board(gone), { task_ids: ['task-001'] }, later(1))).toStrictEqual({ answer: { tasks: [gone] } });
});

test('of several only those change that were not cancelled, and those that were come first', () => {
  const gone = dead('task-002', { completed_at: NOW });
  const change = cancelTasks(board(task('task-001'), gone), { task_ids: ['task-001', 'task-002'] }, later(1));
  expect(change.answer.tasks).toStrictEqual([gone, dead('task-001')]);
  expect(change.board?.tasks).toStrictEqual([dead('task-001'), gone]);
  expect(change.events).toHaveLength(1);
});

test('a cascade takes what waits along, however far, and leaves what is settled', () => {
  const failed = task('task-003', { status: 'failed', dependencies: ['task-001'] });
  const before = board(
    dead('task-001', { completed_at: NOW }),
    claimed('task-002', 'v', { dependencies: ['task-001'] }),
    failed,
    task('task-004', { dependencies: ['task-003'] }),
    task('task-005'),
  );
  const change = cancelTasks(before, { task_ids: ['task-001'], cascade: true }, later(1));
  expect(change.board?.tasks.map(({ id, status, claimed_by }) => [id, status, claimed_by])).toEqual([
    ['task-001', 'cancelled', null],
    ['task-002', 'cancelled', null],
    ['task-003', 'failed', null],
    ['task-004', 'cancelled', null],
    ['task-005', 'available', null],
  ]);
  expect(change.events).toEqual([
    { agent: 'leader', event: 'cancel', task_id: 'task-002', message: 'was claimed by v' },
    { agent: 'leader', event: 'cancel', task_id: 'task-004', message: '' },
  ]);
  expect(cancelTasks(before, { task_ids: ['task-001'], cascade: false }, later(1)).board).toBeUndefined();
});

test.each([
  [['task-001'], { code: 'task-state', message: 'task-001 is already done.', details: { task_id: 'task-001' } }],
  [
    ['task-003', 'task-001'],
    { code: 'task-state', message: 'task-001 is already done.', details: { task_id: 'task-001' } },
  ],
  [
    ['task-3'],
    {
      code: 'task-not-found',
      message: 'No task task-3 on this board.',
      details: { task_id: 'task-3', other_id: 'task-003' },
    },
  ],
  [['none'], { code: 'task-not-found', message: 'No task none on this board.', details: { task_id: 'none' } }],
])('refused as a whole: %j', (task_ids, expected) => {
  const before = board(task('task-001', { status: 'done' }), task('task-002', { status: 'failed' }), task('task-003'));
  expect(refusal(() => cancelTasks(before, { task_ids }, NOW))).toEqual(expected);
});
