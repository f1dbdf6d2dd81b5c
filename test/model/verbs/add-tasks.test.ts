import { describe, expect, test } from 'vitest';
import { addTasks, highestNumber } from '../../../src/model/verbs/add-tasks.ts';
import { board, NOW, refusal, task } from '../../support/boards.ts';

type New = Parameters<typeof addTasks>[1]['tasks'];
const add = (before: ReturnType<typeof board>, ...tasks: New) => addTasks(before, { tasks }, NOW);

describe('what is added', () => {
  test('a task that says nothing but what to do takes every default', () => {
    const added = task('task-002', { description: 'a' });
    expect(add(board(task('task-001')), { description: 'a' })).toStrictEqual({
      board: board(task('task-001'), added),
      answer: { tasks: [added], added: 1, shown: ['available'] },
      events: [{ agent: 'leader', event: 'add', task_id: 'task-002', message: 'priority 5: a' }],
      repeatable: false,
    });
  });

  test('a task that says everything is stored as it says', () => {
    const added = task('task-002', {
      description: 'all of it',
      priority: 2,
      dependencies: ['task-001'],
      context: { files: ['a.ts'], hints: 'look' },
      tags: ['t'],
      max_attempts: 7,
      exclusive: true,
      key: 'k',
    });
    const change = add(board(task('task-001')), {
      description: 'all of it',
      priority: 2,
      dependencies: ['task-001', 'task-001'],
      files: ['a.ts'],
      hints: 'look',
      tags: ['t'],
      max_attempts: 7,
      exclusive: true,
      key: 'k',
    });
    expect(change).toStrictEqual({
      board: board(task('task-001'), added),
      answer: { tasks: [added], added: 1, shown: ['blocked'] },
      events: [{ agent: 'leader', event: 'add', task_id: 'task-002', message: 'priority 2: all of it' }],
      repeatable: true,
    });
  });

  test('what is not exclusive does not say so', () => {
    expect(add(board(), { description: 'a', exclusive: false }).answer.tasks).toStrictEqual([
      task('task-001', { description: 'a' }),
    ]);
  });

  test('a key that is known gives its task, with what is new beside it', () => {
    const known = task('task-001', { key: 'k', description: 'a' });
    const fresh = task('task-002', { description: 'b' });
    expect(add(board(known), { description: 'b' }, { description: 'a', key: 'k' }).answer).toStrictEqual({
      tasks: [fresh, known],
      added: 1,
      shown: ['available', 'available'],
    });
    expect(add(board(known), { description: 'a', key: 'k', dependencies: ['nobody'] })).toStrictEqual({
      answer: { tasks: [known], added: 0, shown: ['available'] },
    });
  });

  test('a key that comes twice in a batch gives one task', () => {
    const { board: after, answer } = add(board(), { description: 'a', key: 'k' }, { description: 'a', key: 'k' });
    expect(after?.tasks).toStrictEqual([task('task-001', { description: 'a', key: 'k' })]);
    expect(answer.tasks.map(({ id }) => id)).toEqual(['task-001', 'task-001']);
    expect(answer.added).toBe(1);
  });

  test.each<[boolean, New]>([
    [true, [{ description: 'a', key: 'a' }]],
    [
      true,
      [
        { description: 'a', key: 'a' },
        { description: 'b', key: 'b' },
      ],
    ],
    [false, [{ description: 'a', key: 'a' }, { description: 'b' }]],
    [false, [{ description: 'a' }]],
  ])('adding twice is the same: %s, for a batch of which some or all have keys', (repeatable, tasks) => {
    expect(add(board(), ...tasks).repeatable).toBe(repeatable);
  });
});

describe('ids', () => {
  test.each([
    [0, []],
    [7, ['task-007', 'task-3']],
    [0, ['mine-041']],
    [0, ['task-99999999999999999999', 'task-x', 'task-0']],
    [1000, ['task-1000', 'task-999']],
  ])('the highest number is %i among %j', (highest, ids) => {
    expect(highestNumber(board(...ids.map((id) => task(id))))).toBe(highest);
  });

  test.each([
    [9, 'task-003', 9],
    [2, 'task-003', 3],
  ])('with %i used before and %s on the board it is %i', (last_id, id, highest) => {
    expect(highestNumber({ last_id, tasks: [{ id }] })).toBe(highest);
  });

  test('a batch is numbered in its order', () => {
    const { answer } = add(board(), { description: 'a' }, { description: 'b' }, { description: 'c' });
    expect(answer.tasks.map(({ id, description }) => [id, description])).toEqual([
      ['task-001', 'a'],
      ['task-002', 'b'],
      ['task-003', 'c'],
    ]);
  });
});

describe('dependencies', () => {
  const ten = Array.from({ length: 9 }, (_, i) => ({ description: `n${i}` }));

  test.each([
    ['#1', 'task-101'],
    ['#9', 'task-109'],
    ['#10', 'task-110'],
    ['task-1', 'task-101'],
    ['task-10', 'task-110'],
    ['task-100', 'task-100'],
    ['task-101', 'task-101'],
  ])('%s is a place in the batch unless it is an id: %s', (name, id) => {
    const batch: New = [...ten, { description: 'ten' }, { description: 'last', dependencies: [name] }];
    if (name === 'task-101') {
      expect(refusal(() => add(board(task('task-100')), ...batch))?.code).toBe('dependency-unknown');
      return;
    }
    expect(add(board(task('task-100')), ...batch).answer.tasks.at(-1)?.dependencies).toEqual([id]);
  });

  test('an id comes before a key, and a key before a place', () => {
    const before = board(task('task-001'), task('task-002', { key: 'task-001' }), task('task-003', { key: '#1' }));
    const { answer } = add(before, { description: 'first' }, { description: 'b', dependencies: ['task-001', '#1'] });
    expect(answer.tasks[1]?.dependencies).toEqual(['task-001', 'task-003']);
  });

  test.each(['a#1', 'a task-1', '#1b', 'task-1x', '#0', '#01', '#3', '1', '#'])('%s is no place in a batch', (name) => {
    expect(refusal(() => add(board(), { description: 'a' }, { description: 'b', dependencies: [name] }))).toEqual({
      code: 'dependency-unknown',
      message: `tasks[1] (b) depends on ${name}, which is neither on the board nor in this batch.`,
      details: {},
    });
  });
});

const long = 'x'.repeat(70);
test.each<[string, New, ReturnType<typeof refusal>]>([
  [
    'a dependency of a single task',
    [{ description: 'a', dependencies: ['task-009'] }],
    {
      code: 'dependency-unknown',
      message: 'The task depends on task-009, which is not on the board.',
      details: {},
    },
  ],
  [
    'a dependency in a batch',
    [{ description: 'a' }, { description: long, dependencies: ['task-009'] }],
    {
      code: 'dependency-unknown',
      message: `tasks[1] (${'x'.repeat(59)}…) depends on task-009, which is neither on the board nor in this batch.`,
      details: {},
    },
  ],
  [
    'a circle',
    [
      { description: 'a', dependencies: ['#2'] },
      { description: 'b', dependencies: ['#1'] },
    ],
    {
      code: 'dependency-cycle',
      message: 'These tasks would wait for each other for ever: task-002 -> task-003 -> task-002.',
      details: {},
    },
  ],
  [
    'a key of another task',
    [{ description: 'other', key: 'k' }],
    { code: 'key-taken', message: 'Key "k" is taken by task-001 (Do task-001).', details: { task_id: 'task-001' } },
  ],
  [
    'a key of another task, in a batch',
    [{ description: 'a' }, { description: 'other', key: 'k' }],
    {
      code: 'key-taken',
      message: 'Key "k" is taken by task-001 (Do task-001).',
      details: { task_id: 'task-001', index: 1 },
    },
  ],
  [
    'one key for two tasks of a batch',
    [
      { description: 'a', key: 'n' },
      { description: 'b', key: 'n' },
    ],
    { code: 'key-taken', message: 'Key "n" is taken by task-002 (a).', details: { task_id: 'task-002', index: 1 } },
  ],
])('refused as a whole: %s', (_, tasks, expected) => {
  expect(refusal(() => add(board(task('task-001', { key: 'k' })), ...tasks))).toEqual(expected);
});
