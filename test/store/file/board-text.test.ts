/** The board as bytes: what is spliced is what would be written anew, and what is read is judged by what it is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Board } from '../../../src/model/board.ts';
import { CoordError } from '../../../src/model/errors.ts';
import type { Task } from '../../../src/model/task.ts';
import {
  boardToBytes,
  isBlank,
  isTornCopy,
  knownBoard,
  nextBytes,
  parseRevision,
} from '../../../src/store/file/board-text.ts';
import { board, claimed, NOW, task } from '../../support/boards.ts';

/** What a reader has in hand: the board with its bytes. */
function stored(value: Board): { value: Board; bytes: Buffer } {
  const bytes = boardToBytes(value);
  return { value: knownBoard(bytes), bytes };
}

const id = (n: number): string => `task-${String(n).padStart(3, '0')}`;
const many = (count: number): Task[] => Array.from({ length: count }, (_, i) => task(id(i + 1)));
/** The same board one revision on, with other tasks. */
const withTasks = (before: Board, tasks: Task[]): Board => ({ ...before, revision: before.revision + 1, tasks });
/** Another object for the tasks of these places. */
const touched = (tasks: readonly Task[], ...places: number[]): Task[] =>
  tasks.map((one, i) => (places.includes(i) ? { ...one, note: `changed ${i}` } : one));

/** Whether a chunk is a part of these bytes and no copy of them. */
const isPartOf = (chunk: Buffer, bytes: Buffer): boolean =>
  chunk.buffer === bytes.buffer &&
  chunk.byteOffset >= bytes.byteOffset &&
  chunk.byteOffset + chunk.length <= bytes.byteOffset + bytes.length;

describe('a board as text', () => {
  test('is indented by two, with the tasks last and a line feed at the end', () => {
    const one = { ...board(task('task-001')), goal: 'G', last_id: 9, commit: 'a.b.c', future: { x: [1] } };
    const { version, revision, commit, goal, last_id, future, tasks } = one;
    const ordered = { version, revision, commit, goal, last_id, future, tasks };
    expect(boardToBytes(one).toString()).toBe(`${JSON.stringify(ordered, null, 2)}\n`);
  });

  test('names no field that the board does not have', () => {
    expect(boardToBytes(board()).toString()).toBe('{\n  "version": 1,\n  "revision": 1,\n  "tasks": []\n}\n');
  });

  test('is what JSON.stringify writes, for several tasks', () => {
    const several = board(task('task-001'), claimed('task-002', 'w'), task('task-003', { dependencies: ['task-001'] }));
    expect(boardToBytes(several).toString()).toBe(`${JSON.stringify(several, null, 2)}\n`);
  });
});

/** Texts that look like parts of the file itself. */
const TRAPS = [
  '\n    }',
  '\n    },\n    {\n      "id": "task-001"',
  '\n  ]\n}\n',
  '\n  "tasks": [\n',
  '    {\n      "id": "task-002"',
  '"}]}\\',
  'Grüße, 世界 🚀',
  '\u0000\u2028\ud800',
];
const text = fc.oneof(fc.constantFrom(...TRAPS), fc.string({ unit: 'binary', maxLength: 12 }));
const unknown = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('id', 'tasks', 'context', '7', 'ü', '}'), tie('value'), { maxKeys: 3 }),
  ),
})).value;
/** What coord does not know: fields that a later one may write. */
const extra = fc.record({ future: unknown, tasks_: unknown, '12': unknown }, { requiredKeys: [] });
const anyTask = fc.record({ description: text.filter((one) => one !== ''), hints: text, extra });
const anyBoard = fc.record({
  tasks: fc.array(anyTask, { maxLength: 9 }),
  added: fc.array(anyTask, { maxLength: 2 }),
  changed: fc.array(fc.nat(8), { maxLength: 4 }),
  order: fc.constantFrom('kept', 'kept', 'kept', 'shortened', 'reversed'),
  goal: fc.option(text, { nil: undefined }),
  extra,
});
const made = (parts: { description: string; hints: string; extra: object }, n: number): Task => ({
  ...task(id(n), { description: parts.description, context: { files: [], hints: parts.hints } }),
  ...parts.extra,
});

describe('the bytes of the next board', () => {
  test('are the whole board where there was none before', () => {
    const one = board(...many(2));
    expect(nextBytes(undefined, one)).toEqual([boardToBytes(one)]);
  });

  const SPLICED: [name: string, count: number, change: (tasks: readonly Task[]) => Task[], untouched: number][] = [
    ['nothing but the header changes', 5, (tasks) => [...tasks], 5],
    ['the first task changes', 5, (tasks) => touched(tasks, 0), 4],
    ['a task in the middle changes', 5, (tasks) => touched(tasks, 2), 4],
    ['the last task changes', 5, (tasks) => touched(tasks, 4), 4],
    ['two neighbours change', 5, (tasks) => touched(tasks, 1, 2), 3],
    ['the only task changes', 1, (tasks) => touched(tasks, 0), 0],
    ['a task is added', 5, (tasks) => [...tasks, task('task-006')], 5],
    ['tasks are added and one changes', 5, (tasks) => [...touched(tasks, 3), task('task-006'), task('task-007')], 4],
    ['a hundred change', 120, (tasks) => touched(tasks, ...Array.from({ length: 100 }, (_, i) => i)), 20],
  ];
  test.each(SPLICED)('take over what stays when %s', (_, count, change, untouched) => {
    const before = stored(board(...many(count)));
    const next = withTasks(before.value, change(before.value.tasks));
    const chunks = nextBytes(before, next);
    expect(Buffer.concat(chunks).toString()).toBe(boardToBytes(next).toString());
    const taken = Buffer.concat(chunks.filter((chunk) => isPartOf(chunk, before.bytes))).toString();
    expect(chunks.some((chunk) => isPartOf(chunk, before.bytes))).toBe(true);
    expect(taken.match(/^ {6}"id"/gm) ?? []).toHaveLength(untouched);
  });

  const ANEW: [name: string, count: number, change: (tasks: readonly Task[]) => Task[]][] = [
    ['the first task is removed', 5, (tasks) => tasks.slice(1)],
    ['the last task is removed', 5, (tasks) => tasks.slice(0, -1)],
    ['all tasks are removed', 2, () => []],
    ['two tasks change places', 3, ([a, b, c]) => [b, a, c].filter((one) => one !== undefined)],
    ['one is removed and another added', 3, (tasks) => [...tasks.slice(1), task('task-004')]],
    ['a hundred and one change', 120, (tasks) => touched(tasks, ...Array.from({ length: 101 }, (_, i) => i))],
    ['there was no task before', 0, () => many(2)],
    ['there is no task at all', 0, () => []],
  ];
  test.each(ANEW)('are written anew when %s', (_, count, change) => {
    const before = stored(board(...many(count)));
    const next = withTasks(before.value, change(before.value.tasks));
    expect(nextBytes(before, next)).toEqual([boardToBytes(next)]);
  });

  const FOREIGN: [name: string, write: (one: Board) => string][] = [
    ['in one line', (one) => JSON.stringify(one)],
    ['with tabs', (one) => JSON.stringify(one, null, '\t')],
    ['with another space before the list', (one) => boardToBytes(one).toString().replace('"tasks": ', '"tasks":  ')],
    ['without the line feed at the end', (one) => JSON.stringify(one, null, 2)],
    ['with more after the tasks', (one) => `${JSON.stringify({ ...one, x: 1 }, null, 2)}\n`],
    [
      'with the id last in each task',
      (one) =>
        `${JSON.stringify({ ...one, tasks: one.tasks.map(({ id: last, ...rest }) => ({ ...rest, id: last })) }, null, 2)}\n`,
    ],
    ['with the end of a task elsewhere', (one) => boardToBytes(one).toString().replaceAll('\n    }', ' }')],
  ];
  test.each(FOREIGN)('are written anew where the board before stands there %s', (_, write) => {
    const bytes = Buffer.from(write(board(...many(3))));
    const before = { value: knownBoard(bytes), bytes };
    const next = withTasks(before.value, touched(before.value.tasks, 1));
    expect(nextBytes(before, next)).toEqual([boardToBytes(next)]);
  });

  test('take nothing for a task that only stands in a field before the tasks', () => {
    const before = stored({ ...board(...many(3)), future: many(3) });
    const next = withTasks(before.value, touched(before.value.tasks, 0, 2));
    const chunks = nextBytes(before, next);
    expect(chunks.length).toBeGreaterThan(1);
    expect(Buffer.concat(chunks).toString()).toBe(boardToBytes(next).toString());
  });

  test('are byte for byte those of the board written anew, for any change, and parse back to it', () => {
    fc.assert(
      fc.property(anyBoard, ({ tasks, added, changed, order, goal, extra: fields }) => {
        const first: Board = { ...board(...tasks.map((one, i) => made(one, i + 1))), ...fields };
        const before = stored(first);
        const kept = touched(before.value.tasks, ...changed);
        const ordered = order === 'kept' ? kept : order === 'reversed' ? kept.toReversed() : kept.slice(1);
        const next: Board = {
          ...withTasks(before.value, [...ordered, ...added.map((one, i) => made(one, tasks.length + i + 1))]),
          ...(goal === undefined ? {} : { goal }),
          commit: 'abc.def.ghi',
          last_id: 77,
        };
        const bytes = Buffer.concat(nextBytes(before, next));
        expect(bytes.toString()).toBe(boardToBytes(next).toString());
        expect(parseRevision(bytes, next.revision, 'x')).toEqual({ value: next });
      }),
      { numRuns: 300 },
    );
  });
});

describe('the bytes of a revision', () => {
  const whole = { ...board(claimed('task-001', 'w')), revision: 7, goal: 'G', future: { a: [] } };

  test('are the board where they say the revision of their name', () => {
    expect(parseRevision(boardToBytes(whole), 7, 'x')).toEqual({ value: whole });
  });

  test('are none of another revision', () => {
    expect(parseRevision(boardToBytes(whole), 8, 'x')).toEqual({ fault: 'it says to be revision 7' });
  });

  test('are torn wherever they are cut short', () => {
    const bytes = boardToBytes(whole);
    // Only the line feed at the very end is not needed.
    for (let end = 0; end < bytes.length - 1; end++) expect(parseRevision(bytes.subarray(0, end), 7, 'x')).toBe('torn');
    expect(parseRevision(bytes.subarray(0, -1), 7, 'x')).toEqual({ value: whole });
  });

  test.each([
    ['null', 'it is no object'],
    ['5', 'it is no object'],
    ['"version"', 'it is no object'],
    ['true', 'it is no object'],
    ['{}', 'version: must be 1'],
    ['{"version":"9"}', 'version: must be 1'],
    ['{"version":0}', 'version: must be 1'],
    ['{"version":1,"revision":7}', 'tasks: must be a list'],
  ])('are none where they hold %s', (json, fault) => {
    expect(parseRevision(Buffer.from(json), 7, 'x')).toEqual({ fault });
  });

  test('are refused where a newer coord wrote them', () => {
    const newer = Buffer.from(JSON.stringify({ ...whole, version: 2 }));
    expect(() => parseRevision(newer, 7, 'the/log')).toThrow(CoordError);
    expect(() => parseRevision(newer, 7, 'the/log')).toThrow('the/log has version 2');
  });

  test('are read without a look at the revision once they are known', () => {
    expect(knownBoard(boardToBytes(whole))).toEqual(whole);
  });
});

describe('a torn copy', () => {
  const whole = Buffer.from('{"whole":true}\n');
  const nuls = (count: number): Buffer => Buffer.alloc(count);

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['the first byte', whole.subarray(0, 1)],
    ['all but the last byte', whole.subarray(0, -1)],
    ['a beginning and NULs', Buffer.concat([whole.subarray(0, 5), nuls(10)])],
    ['a beginning and one NUL', Buffer.concat([whole.subarray(0, 5), nuls(1)])],
    ['as many NULs', nuls(whole.length)],
    ['more NULs than the whole is long', nuls(whole.length + 5)],
  ])('is %s', (_, bytes) => {
    expect(isTornCopy(bytes, whole)).toBe(true);
  });

  test.each([
    ['the whole', whole],
    ['the whole and NULs', Buffer.concat([whole, nuls(3)])],
    ['the whole and more', Buffer.concat([whole, whole])],
    ['something as long', Buffer.from('{"other":true}\n')],
    ['another beginning', Buffer.from('{"other')],
    ['the end of it', whole.subarray(3)],
    ['a beginning with NULs in it', Buffer.concat([whole.subarray(0, 5), nuls(2), whole.subarray(7, 9)])],
  ])('is not %s', (_, bytes) => {
    expect(isTornCopy(bytes, whole)).toBe(false);
  });

  test('of nothing there is none', () => {
    expect(isTornCopy(Buffer.alloc(0), Buffer.alloc(0))).toBe(false);
  });
});

describe('what is blank', () => {
  test('is no file, and one without bytes', () => {
    expect(isBlank(undefined)).toBe(true);
    expect(isBlank(Buffer.alloc(0))).toBe(true);
  });

  test('is NULs, and the white space of ASCII, and no other byte', () => {
    const blank = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => isBlank(Buffer.from([byte])));
    expect(blank).toEqual([0x00, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20]);
  });

  test('is nothing with one other byte in it', () => {
    expect(isBlank(Buffer.from(' \n\t\r\0 '))).toBe(true);
    expect(isBlank(Buffer.from('  x '))).toBe(false);
    expect(isBlank(Buffer.from(NOW))).toBe(false);
  });
});

test('a board that somebody else laid out is written anew where splicing would lose or break something', () => {
  const one = { ...board(task('task-001'), task('task-002')), x: [1] };
  const next = { ...one, tasks: [...one.tasks, task('task-003')] };
  const behind = Buffer.from(
    `${JSON.stringify({ ...one, x: undefined, tasks: one.tasks, y: 1 }, null, 2)}\n`.replace(
      '"y": 1',
      '"x": [\n    1\n  ]',
    ),
  );
  expect(Buffer.concat(nextBytes({ value: one, bytes: behind }, next))).toEqual(boardToBytes(next));

  const before = board(task('task-001', { future: {} }), task('task-002'));
  const odd = Buffer.from(boardToBytes(before).toString().replace('"future": {}', '"future": {\n    }'));
  const after = {
    ...before,
    tasks: before.tasks.map((each) => (each.id === 'task-001' ? { ...each, priority: 1 } : each)),
  };
  expect(Buffer.concat(nextBytes({ value: before, bytes: odd }, after))).toEqual(boardToBytes(after));
});
