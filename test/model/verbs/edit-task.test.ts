import { expect, test } from 'vitest';
import { editTask } from '../../../src/model/verbs/edit-task.ts';
import { board, claimed, refusal, task } from '../../support/boards.ts';

const before = board(
  task('task-001', {
    tags: ['old'],
    dependencies: ['task-003'],
    context: { files: ['a.ts'], hints: 'h', more: 1 },
    exclusive: true,
  }),
  task('task-002', { key: 'k' }),
  task('task-003'),
);

test('every field can be changed, and the log names those that were', () => {
  const edited = task('task-001', {
    description: 'new',
    priority: 1,
    dependencies: ['task-002', 'task-003'],
    context: { files: ['b.ts'], hints: '', more: 1 },
    tags: [],
    max_attempts: 9,
    exclusive: false,
  });
  expect(
    editTask(before, {
      task_id: 'task-001',
      description: 'new',
      priority: 1,
      dependencies: ['k', 'task-002', 'task-003'],
      files: ['b.ts'],
      hints: '',
      tags: [],
      max_attempts: 9,
      exclusive: false,
    }),
  ).toStrictEqual({
    board: { ...before, tasks: [edited, ...before.tasks.slice(1)] },
    answer: { task: edited },
    events: [
      {
        agent: 'leader',
        event: 'edit',
        task_id: 'task-001',
        message: 'description, priority, dependencies, files, hints, tags, max_attempts, exclusive',
      },
    ],
    repeatable: true,
  });
});

test('what is not named stays, as does what is undefined', () => {
  const { answer, events } = editTask(before, {
    task_id: 'task-001',
    priority: 2,
    description: undefined,
    files: undefined,
    hints: undefined,
    dependencies: undefined,
  });
  expect(answer.task).toStrictEqual({ ...before.tasks[0], priority: 2 });
  expect(events?.map(({ message }) => message)).toEqual(['priority']);
});

test.each([
  claimed('task-001', 'w'),
  task('task-001', { status: 'failed' }),
  task('task-001', { status: 'cancelled' }),
])('a task that is $status keeps its status and its holder', (held) => {
  expect(editTask(board(held), { task_id: 'task-001', hints: 'new' }).answer.task).toStrictEqual({
    ...held,
    context: { files: [], hints: 'new' },
  });
});

test.each([
  [
    'a done task',
    'task-004',
    ['task-001'],
    {
      code: 'task-state',
      message: 'task-004 is done and does not change any more.',
      details: { why: 'settled', task_id: 'task-004' },
    },
  ],
  [
    'a place in a batch, of which there is none',
    'task-001',
    ['#1'],
    { code: 'dependency-unknown', message: 'task-001 depends on #1, which is not on the board.', details: {} },
  ],
  [
    'a circle over the whole board',
    'task-003',
    ['task-001'],
    {
      code: 'dependency-cycle',
      message: 'These tasks would wait for each other for ever: task-001 -> task-003 -> task-001.',
      details: {},
    },
  ],
  [
    'a task that waits for itself',
    'task-003',
    ['task-003'],
    {
      code: 'dependency-cycle',
      message: 'These tasks would wait for each other for ever: task-003 -> task-003.',
      details: {},
    },
  ],
  [
    'an id that is on no board',
    'task-009',
    [],
    { code: 'task-not-found', message: 'No task task-009 on this board.', details: { task_id: 'task-009' } },
  ],
])('refused: %s', (_, task_id, dependencies, expected) => {
  const whole = { ...before, tasks: [...before.tasks, task('task-004', { status: 'done', claimed_by: 'w' })] };
  expect(refusal(() => editTask(whole, { task_id, dependencies }))).toEqual(expected);
});
