import { describe, expect, test } from 'vitest';
import type { Board } from '../../src/model/board.ts';
import { addTasks } from '../../src/model/verbs/add-tasks.ts';
import { cancelTasks } from '../../src/model/verbs/cancel-tasks.ts';
import { editTask } from '../../src/model/verbs/edit-task.ts';
import { takeBackTasks } from '../../src/model/verbs/take-back-tasks.ts';
import { retryTasks } from '../../src/model/verbs/retry-tasks.ts';
import { board, claimed, later, NOW, task } from '../support/boards.ts';

const add = (b: Board, ...tasks: Parameters<typeof addTasks>[1]['tasks']) => addTasks(b, { tasks }, NOW);

describe('adding', () => {
  test('ids go on from the highest, also of deleted tasks, and widen past 999', () => {
    expect(add(board(), { description: 'a' }).answer.tasks[0]?.id).toBe('task-001');
    expect(add(board(task('task-007'), task('mine')), { description: 'a' }).answer.tasks[0]?.id).toBe('task-008');
    expect(add({ ...board(task('task-007')), last_id: 41 }, { description: 'a' }).answer.tasks[0]?.id).toBe('task-042');
    expect(add(board(task('task-999')), { description: 'a' }).answer.tasks[0]?.id).toBe('task-1000');
  });

  test('dependencies name ids, keys, and places in the batch', () => {
    const before = board(task('task-001', { key: 'old' }));
    const { answer } = add(
      before,
      { description: 'a', key: 'new' },
      { description: 'b', dependencies: ['task-001', 'old', 'new'] },
      { description: 'c', dependencies: ['task-2', '#1'] },
    );
    expect(answer.tasks.map((t) => t.dependencies)).toEqual([[], ['task-001', 'task-002'], ['task-003', 'task-002']]);
  });

  test('a known key gives the task that is there; nothing is written', () => {
    const change = add(board(task('task-001', { key: 'k', description: 'a' })), { description: 'a', key: 'k' });
    expect(change).toMatchObject({ answer: { added: 0, tasks: [{ id: 'task-001' }] } });
    expect(change.board).toBeUndefined();
  });

  test.each([
    [
      'dependency-unknown',
      [{ description: 'a', dependencies: ['task-009'] }],
      /depends on task-009, which is not on the board/,
    ],
    [
      'dependency-cycle',
      [
        { description: 'a', key: 'a', dependencies: ['b'] },
        { description: 'b', key: 'b', dependencies: ['a'] },
      ],
      /task-002 -> task-003 -> task-002/,
    ],
    ['dependency-cycle', [{ description: 'a', dependencies: ['#1'] }], /task-002 -> task-002/],
    ['key-taken', [{ description: 'other', key: 'k' }], /taken by task-001/],
  ])('refused: %s', (code, tasks, message) => {
    expect(() => add(board(task('task-001', { key: 'k' })), ...tasks)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
  });
});

describe('changing', () => {
  test('only the named fields change', () => {
    const before = board(task('task-001', { context: { files: ['a'], hints: 'h' } }), task('task-002'));
    const { answer } = editTask(before, { task_id: 'task-001', priority: 1, hints: 'new', dependencies: ['task-002'] });
    expect(answer.task).toMatchObject({
      priority: 1,
      dependencies: ['task-002'],
      context: { files: ['a'], hints: 'new' },
      description: 'Do task-001',
    });
  });

  test('a cycle over the whole board is refused', () => {
    const before = board(task('task-001'), task('task-002', { dependencies: ['task-001'] }));
    expect(() => editTask(before, { task_id: 'task-001', dependencies: ['task-002'] })).toThrow(/for ever/);
  });

  test('done never changes', () => {
    const done = board(task('task-001', { status: 'done' }));
    expect(() => editTask(done, { task_id: 'task-001', priority: 1 })).toThrow(/done/);
    expect(() => cancelTasks(done, { task_ids: ['task-001'] }, NOW)).toThrow(/already done/);
    expect(() => retryTasks(done, { task_ids: ['task-001'] })).toThrow(/is done/);
    expect(() => takeBackTasks(done, { task_ids: ['task-001'] })).toThrow(/not claimed/);
  });

  test('a retry leaves one more attempt at least, and attempts only grow', () => {
    const { answer } = retryTasks(board(task('task-001', { status: 'failed', attempt: 3, last_error: 'e' })), {
      task_ids: ['task-001'],
    });
    expect(answer.tasks[0]).toMatchObject({ status: 'available', attempt: 3, max_attempts: 4, last_error: 'e' });
  });

  test('cascade cancels everything that waits, and nothing that is settled', () => {
    const before = board(
      claimed('task-001', 'w'),
      task('task-002', { dependencies: ['task-001'] }),
      task('task-003', { dependencies: ['task-002'] }),
      task('task-004'),
    );
    const { answer } = cancelTasks(before, { task_ids: ['task-001'], cascade: true }, later(1));
    expect(answer.tasks.map((t) => [t.id, t.status, t.claimed_by])).toEqual([
      ['task-001', 'cancelled', null],
      ['task-002', 'cancelled', null],
      ['task-003', 'cancelled', null],
    ]);
  });

  test('one bad id leaves all tasks as they were', () => {
    expect(() => cancelTasks(board(task('task-001')), { task_ids: ['task-001', 'task-9'] }, NOW)).toThrow(
      /No task task-9/,
    );
  });

  test('a release by the leader makes the task available', () => {
    const { answer } = takeBackTasks(board(claimed('task-001', 'w')), { task_ids: ['task-001'] });
    expect(answer.tasks[0]).toMatchObject({ status: 'available', claimed_by: null, attempt: 1 });
  });
});
