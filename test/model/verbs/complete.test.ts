import { expect, test } from 'vitest';
import { completeTask } from '../../../src/model/verbs/complete.ts';
import { board, claimed, later, NOW, task } from '../../support/boards.ts';

const input = { worker: 'w', task_id: 'task-001', output: 'x\ny', digest: 'd1' };
const done = (fields = {}) =>
  task('task-001', {
    status: 'done',
    claimed_by: 'w',
    attempt: 1,
    claimed_at: NOW,
    completed_at: later(10),
    result_digest: 'd1',
    ...fields,
  });

test('a result settles the task, and goes to be stored whole', () => {
  const held = claimed('task-001', 'w', { lease_seconds: 60, note: 'v: half', last_error: 'v: no', cost_usd: 1 });
  const task1 = done({ cost_usd: 1.5 });
  expect(
    completeTask(
      board(held),
      { ...input, files_modified: ['a.ts'], files_created: ['b.ts'], cost_usd: 0.5, attempt: 1 },
      later(10),
    ),
  ).toStrictEqual({
    board: board(task1),
    answer: { task: task1, already: false, now_claimable: [] },
    events: [{ agent: 'w', event: 'complete', task_id: 'task-001', message: 'attempt 1: x y' }],
    result: { task: task1, output: 'x\ny', files_modified: ['a.ts'], files_created: ['b.ts'] },
    repeatable: true,
  });
});

test('a result without files is stored without files', () => {
  const change = completeTask(board(claimed('task-001', 'w')), input, later(10));
  expect(change.result).toStrictEqual({ task: done(), output: 'x\ny', files_modified: [], files_created: [] });
});

test('the same result of the same worker again is a success that changes nothing', () => {
  expect(completeTask(board(done()), input, later(20))).toStrictEqual({
    answer: { task: done(), already: true, now_claimable: [] },
    repeatable: true,
  });
});

test.each([
  ['another worker’s', done({ claimed_by: 'v' }), 'Cannot complete task-001: v completed it.'],
  ['another', done({ result_digest: 'd2' }), 'Cannot complete task-001: w completed it already, with another result.'],
])('%s result of a done task stands', (_, held, message) => {
  expect(() => completeTask(board(held), input, later(20))).toThrow(message);
});

test('a task that was reopened by hand can be done again with the same result', () => {
  const held = claimed('task-001', 'w', { attempt: 2, result_digest: 'd1' });
  const change = completeTask(board(held), input, later(10));
  expect(change.answer).toMatchObject({ already: false, task: { status: 'done', attempt: 2 } });
  expect(change.result?.output).toBe('x\ny');
});

test('what became claimable is named, smallest id first: not what is claimed, waits for more, or was claimable', () => {
  const needs = { dependencies: ['task-001'] };
  const { answer } = completeTask(
    board(
      claimed('task-001', 'w'),
      task('task-1000', needs),
      task('task-005', needs),
      task('task-002'),
      task('task-003', { dependencies: ['task-001', 'task-002'] }),
      claimed('task-004', 'v', { ...needs, lease_expires_at: later(10) }),
      claimed('task-006', 'u', needs),
      task('task-007', { ...needs, status: 'cancelled' }),
    ),
    input,
    later(10),
  );
  expect(answer.now_claimable).toEqual(['task-004', 'task-005', 'task-1000']);
});
