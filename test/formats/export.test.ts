/** What is exported is imported back to the same: another board with the same tasks, and nothing new on this one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exportTasks } from '../../src/formats/export.ts';
import { EXPORTS } from '../../src/formats/names.ts';
import { readTaskFile } from '../../src/formats/task-file.ts';
import { type Board, emptyBoard } from '../../src/model/board.ts';
import type { Task } from '../../src/model/task.ts';
import { addTasks, type NewTask } from '../../src/model/verbs/add-tasks.ts';
import { cancelTasks } from '../../src/model/verbs/cancel-tasks.ts';

const NOW = '2026-01-01T00:00:00.000Z';

function boardOf(tasks: NewTask[]): Board {
  return addTasks(emptyBoard('Build "it", all of it'), { tasks }, NOW).board ?? emptyBoard();
}

async function imported(text: string, board: Board): Promise<{ board: Board; added: number }> {
  const readStdin = (): Promise<Buffer> => Promise.resolve(Buffer.from(text));
  const { tasks } = await readTaskFile({ cwd: '/', file: '-', readStdin }, board);
  if (tasks.length === 0) return { board, added: 0 };
  const change = addTasks(board, { tasks }, NOW);
  return { board: change.board ?? board, added: change.answer.added };
}

/** All that a new task can be given, but for the key that an import makes up. */
const essence = ({
  id,
  description,
  priority,
  dependencies,
  context,
  tags,
  max_attempts,
  exclusive,
}: Task): unknown => ({
  id,
  description,
  priority,
  dependencies,
  files: context.files,
  hints: context.hints,
  tags,
  max_attempts,
  exclusive,
});

const HARD = [
  '- [ ] a box',
  '# heading',
  '1. one',
  'T003 like an id',
  '[US1] story',
  '```',
  '````js\ncode\n````',
  'two\nlines\n\n  indented',
  '  spaces   inside  ',
  '"quoted", with; commas\\',
  '=1+1',
  'description: x',
  'depends on T001',
  '<!-- comment -->',
  'café 日本語 👩‍💻',
  '---',
  '*',
  'a|b',
  'hints:',
  '- key: x',
];
const text = fc.oneof(
  fc.constantFrom(...HARD),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  fc.array(fc.constantFrom(...HARD), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('\n')),
);
/** A tab or a carriage return at the wrong place is layout to Markdown. */
const printable = text
  .map((one) => one.trim())
  .filter((one) => one !== '' && !/[\0\r\t\v\f\u0085\u2028\u2029]/.test(one));
const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/);
const path = fc.stringMatching(/^[a-z]{1,5}\/[a-z ;,\\-]{0,5}[a-z]{1,5}\.ts$/);
const tasks = fc
  .array(
    fc.record(
      {
        description: printable,
        key: name.map((one) => `k-${one}`),
        priority: fc.integer({ min: 1, max: 10 }),
        files: fc.uniqueArray(path, { maxLength: 3 }),
        hints: printable,
        tags: fc.uniqueArray(name, { maxLength: 3 }),
        max_attempts: fc.integer({ min: 1, max: 9 }),
        exclusive: fc.constant(true),
      },
      { requiredKeys: ['description'] },
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((list) =>
    list.map((task, i) => ({ ...task, key: task.key && `${task.key}${i}`, dependencies: i % 2 === 1 ? ['#1'] : [] })),
  )
  .map((list) => list.map(({ key, ...task }) => (key === undefined ? task : { ...task, key })));

describe.each(EXPORTS)('%s', (format) => {
  test('any tasks come back the same, and are known where they came from', async () => {
    await fc.assert(
      fc.asyncProperty(tasks, async (list) => {
        const board = boardOf(list);
        const exported = await exportTasks(board, format);
        const { board: other } = await imported(exported, emptyBoard());
        expect(other.tasks.map(essence)).toEqual(board.tasks.map(essence));
        expect((await imported(exported, board)).added).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('what is settled stays so: it is no task again, and nobody waits for it', async () => {
    const before = boardOf([{ description: 'a' }, { description: 'b', dependencies: ['#1'] }, { description: 'c' }]);
    const board = cancelTasks(before, { task_ids: ['task-001'] }, NOW).board ?? before;
    const { board: other } = await imported(await exportTasks(board, format), emptyBoard());
    expect(other.tasks.map(({ description, dependencies }) => [description, dependencies])).toEqual([
      ['b', []],
      ['c', []],
    ]);
  });
});
