import { describe, expect, test } from 'vitest';
import type { Board } from '../../src/model/board.ts';
import { adoptBoard, type EditedBoard, mergeEdit, parseBoard } from '../../src/model/hand-edit.ts';
import type { Task } from '../../src/model/task.ts';
import { board, claimed, later, NOW, task } from '../support/boards.ts';

/** What somebody saved, read as coord reads it. */
function written(document: object): EditedBoard {
  const parsed = parseBoard(document);
  if (!parsed.ok) throw new Error(`${parsed.field}: ${parsed.problem}`);
  return parsed.board;
}

const merge = (base: Board, head: Board, edit: object) => mergeEdit(base, head, written(edit), later(60));
/** A base of these tasks, its head and its edit with one of them changed. */
const mergeOne = (base: Task, head: object, edit: object, ...others: Task[]) =>
  merge(board(base, ...others), board({ ...base, ...head }, ...others), board({ ...base, ...edit }, ...others)); // a task's fields
const a = task('task-001', { key: 'k', more: { x: 1, y: 1 }, context: { files: ['a'], hints: 'h' } });

const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

describe('a document is a board', () => {
  test('of which only the tasks must be there', () => {
    expect(parseBoard({ tasks: [] })).toStrictEqual({ ok: true, board: { version: 1, tasks: [] } });
    const whole = {
      version: 1,
      revision: 500_000_000_000,
      commit: 'c',
      goal: 'g',
      last_id: 0,
      cost_usd: 0,
      tasks: [],
      more: [1],
    };
    expect(parseBoard(whole)).toStrictEqual({ ok: true, board: whole });
  });

  test.each<[string, unknown, PropertyKey[], string, string]>([
    ['no object', null, [], 'input', 'expected object, received null'],
    ['without tasks', {}, ['tasks'], 'tasks', 'expected array, received undefined'],
    ['of another version', { version: 2, tasks: [] }, ['version'], 'version', 'expected 1'],
    ['before the first', { revision: -1, tasks: [] }, ['revision'], 'revision', 'Too small: expected number to be >=0'],
    [
      'of no real revision',
      { revision: 500_000_000_001, tasks: [] },
      ['revision'],
      'revision',
      'Too big: expected number to be <=500000000000',
    ],
    ['with a number for a commit', { commit: 1, tasks: [] }, ['commit'], 'commit', 'expected string, received number'],
    ['with a number for a goal', { goal: 1, tasks: [] }, ['goal'], 'goal', 'expected string, received number'],
    [
      'that counted below nothing',
      { last_id: -1, tasks: [] },
      ['last_id'],
      'last_id',
      'Too small: expected number to be >=0',
    ],
    [
      'that cost less than nothing',
      { cost_usd: -1, tasks: [] },
      ['cost_usd'],
      'cost_usd',
      'Too small: expected number to be >=0',
    ],
    [
      'with two tasks of one id',
      board(task('a'), task('b'), task('a')),
      ['tasks', 2, 'id'],
      'tasks[2].id',
      'two tasks have the id "a"',
    ],
    [
      'with an unknown dependency',
      board(task('a'), task('b', { dependencies: ['a', 'c'] })),
      ['tasks', 1, 'dependencies', 1],
      'tasks[1].dependencies[1]',
      'there is no task "c"',
    ],
    [
      'that goes in a circle',
      board(task('x'), task('a', { dependencies: ['b'] }), task('b', { dependencies: ['a'] })),
      ['tasks', 1, 'dependencies'],
      'tasks[1].dependencies',
      'tasks wait for each other: a -> b -> a',
    ],
    ['too deep', nested(100_000), [], 'the board', 'nested more than 64 levels deep'],
  ])('but not one %s', (_, document, path, field, problem) => {
    expect(parseBoard(document)).toStrictEqual({ ok: false, path, field, problem });
  });

  test('with fields in fields as long as they end', () => {
    expect(parseBoard({ tasks: [], more: nested(63) }).ok).toBe(true);
    expect(parseBoard({ tasks: [], more: nested(67) }).ok).toBe(false);
  });
});

describe('what the two sides changed comes together', () => {
  test('where the edit changed nothing, the head is what it was', () => {
    const head = { ...board(a, claimed('task-002', 'w')), revision: 7, commit: 'c' };
    expect(merge(board(a), head, board(a))).toStrictEqual({ ok: true, board: head });
    const merged = merge(board(a), head, { revision: 1, tasks: [{ ...a, created_at: undefined }] });
    expect(merged.ok && merged.board).toBe(head);
  });

  test('each field from the side that changed it, under the revision of the head', () => {
    const base = { ...board(a), goal: 'g', cost_usd: 1, more: { x: 1, y: 1 } };
    const head = {
      ...base,
      revision: 9,
      commit: 'head',
      cost_usd: 2,
      more: { x: 2, y: 1 },
      tasks: [{ ...a, priority: 1, more: { x: 2, y: 1 }, context: { files: ['a', 'b'], hints: 'h' } } as Task], // fields of one
    };
    const edit = {
      ...base,
      revision: 4,
      commit: 'edit',
      goal: 'new',
      more: { x: 1, y: 2 },
      fresh: true,
      tasks: [
        {
          ...a,
          description: 'new',
          key: undefined,
          more: { x: 1, y: 2 },
          context: { files: ['a'], hints: 'new' },
          other: 1,
        },
      ],
    };
    const { key: _, ...kept } = a;
    expect(merge(base, head, edit)).toStrictEqual({
      ok: true,
      board: {
        version: 1,
        revision: 9,
        commit: 'head',
        goal: 'new',
        cost_usd: 2,
        more: { x: 2, y: 2 },
        fresh: true,
        tasks: [
          {
            ...kept,
            description: 'new',
            priority: 1,
            more: { x: 2, y: 2 },
            context: { files: ['a', 'b'], hints: 'new' },
            other: 1,
          },
        ],
      },
    });
  });

  test('the same change on both sides is one', () => {
    const merged = mergeOne(a, { priority: 1, more: { x: 3 } }, { priority: 1, more: { x: 3 } });
    expect(merged).toStrictEqual({ ok: true, board: board({ ...a, priority: 1, more: { x: 3 } }) });
  });

  test('a field taken away is gone, on either side', () => {
    const bare = { ...a, more: undefined };
    const { more: _, ...gone } = a;
    for (const [head, edit] of [
      [a, bare],
      [gone, a], // a task without what was beside its fields
      [gone, bare],
    ]) {
      const merged = merge(board(a), board(head as Task), board(edit as Task)); // as above
      expect(merged).toStrictEqual({ ok: true, board: board(gone) });
      if (merged.ok) expect(Object.keys(merged.board.tasks[0] ?? {})).not.toContain('more');
    }
  });

  test('fields stay where they stood, and new ones come last', () => {
    const { key, ...rest } = a;
    const merged = mergeOne({ key, ...rest }, {}, { aaa: 1, status: 'failed' }); // the same fields in another order
    expect(merged.ok && Object.keys(merged.board.tasks[0] ?? {})).toEqual([...Object.keys({ key, ...rest }), 'aaa']);
  });

  test.each<[string, string | undefined, string | undefined, string | undefined, string | undefined]>([
    ['who leaves the goal out does not take it away', 'g', 'g', undefined, 'g'],
    ['nor one that was changed since', 'g', 'h', undefined, 'h'],
    ['a new goal counts', 'g', 'g', 'new', 'new'],
    ['also where there was none', undefined, undefined, 'new', 'new'],
    ['where there is none, none is made', undefined, undefined, undefined, undefined],
  ])('%s', (_, base, head, edit, goal) => {
    const of = (text: string | undefined) => ({ ...board(a), ...(text === undefined ? {} : { goal: text }) });
    expect(merge(of(base), of(head), of(edit))).toStrictEqual({ ok: true, board: of(goal) });
  });

  test('tasks of both sides are there: those of the head first', () => {
    const merged = merge(board(a), board(a, task('task-002')), board(task('mine'), a));
    expect(merged.ok && merged.board.tasks.map(({ id }) => id)).toEqual(['task-001', 'task-002', 'mine']);
  });

  test('a task that both sides added alike is one', () => {
    const both = board(a, task('task-002'));
    expect(merge(board(a), both, both)).toStrictEqual({ ok: true, board: both });
  });

  test('what was deleted stays deleted, and its id is not given again', () => {
    const base = board(a, task('task-002'), task('task-009'));
    expect(merge(base, base, board(a, task('task-002')))).toStrictEqual({
      ok: true,
      board: { ...board(a, task('task-002')), last_id: 9 },
    });
    expect(merge(base, board(a, task('task-009')), base)).toStrictEqual({
      ok: true,
      board: board(a, task('task-009')),
    });
    expect(merge(base, { ...base, last_id: 20 }, { ...board(a), last_id: 3 })).toMatchObject({
      board: { last_id: 20 },
    });
  });

  test('an id that came and went by hand is not needed', () => {
    expect(merge(board(a), board(a), board(a, task('task-005')))).toStrictEqual({
      ok: true,
      board: board(a, task('task-005')),
    });
  });
});

describe('what contradicts is refused', () => {
  const other = task('task-002');
  test.each<[string, Board, Board, object, string]>([
    ['one id for two tasks', board(), board(a), board({ ...a, priority: 1 }), 'task-001 was added on both sides'],
    [
      'deleted and changed',
      board(a),
      board({ ...a, priority: 1 }),
      board(),
      'task-001 was deleted by hand but changed since',
    ],
    [
      'deleted while it is worked on',
      board(claimed('task-001', 'w')),
      board(claimed('task-001', 'w')),
      board(),
      'task-001 was deleted by hand, but w works on it',
    ],
    [
      'changed and deleted',
      board(a, other),
      board(other),
      board({ ...a, priority: 1 }, other),
      'task-001 was changed by hand but deleted since',
    ],
    [
      'one field twice',
      board(a),
      board({ ...a, priority: 1 }),
      board({ ...a, priority: 2 }),
      'task-001: priority was changed on both sides',
    ],
    [
      'one field within a field twice',
      board(a),
      board({ ...a, context: { files: ['b'], hints: 'h' } }),
      board({ ...a, context: { files: ['c'], hints: 'h' } }),
      'task-001: context.files was changed on both sides',
    ],
    [
      'a field changed and taken away',
      board(a),
      board({ ...a, key: 'l' }),
      board({ ...a, key: undefined }),
      'task-001: key was changed on both sides',
    ],
    [
      'a record and a list',
      board(a),
      board({ ...a, more: { x: 2 } }),
      board({ ...a, more: [1] }),
      'task-001: more was changed on both sides',
    ],
    [
      'a list and a record',
      board(a),
      board({ ...a, more: [1] }),
      board({ ...a, more: { x: 2 } }),
      'task-001: more was changed on both sides',
    ],
    [
      'two goals',
      { ...board(), goal: 'g' },
      { ...board(), goal: 'h' },
      { goal: 'i', tasks: [] },
      'goal was changed on both sides',
    ],
    [
      'claimed and cancelled',
      board(a),
      board({ ...a, ...claimed('task-001', 'w') }),
      board(task('task-001', { status: 'cancelled' })),
      'task-001: status or claim was changed on both sides',
    ],
    [
      'claimed by two',
      board(a),
      board({ ...a, ...claimed('task-001', 'w') }),
      board({ ...a, ...claimed('task-001', 'v') }),
      'task-001: status or claim was changed on both sides',
    ],
    [
      'waiting for what is gone',
      board(a, other),
      board(a),
      board({ ...a, dependencies: ['task-002'] }, other),
      'tasks[0].dependencies[0]: there is no task "task-002"',
    ],
    [
      'waiting for each other',
      board(a, other),
      board(a, { ...other, dependencies: ['task-001'] }),
      board({ ...a, dependencies: ['task-002'] }, other),
      'tasks[0].dependencies: tasks wait for each other: task-001 -> task-002 -> task-001',
    ],
  ])('%s', (_, base, head, edit, conflict) => {
    expect(merge(base, head, edit)).toStrictEqual({ ok: false, conflict });
  });
});

describe('who holds a task is decided by one side alone', () => {
  const held = claimed('task-001', 'w', { note: 'n', lease_seconds: 60, lease_expires_at: later(60) });
  const one = (base: Task, head: object, edit: object): unknown => {
    const merged = mergeOne(base, head, edit);
    return merged.ok ? merged.board.tasks[0] : merged.conflict;
  };

  test('a claim of the head stays, with what was written by hand beside it', () => {
    const mine = claimed('task-001', 'w', { lease_seconds: 5 });
    expect(one(task('task-001'), mine, { description: 'new' })).toStrictEqual({ ...mine, description: 'new' });
  });

  test('a note that the head took away stays away', () => {
    const { note: _, ...done } = {
      ...held,
      status: 'done',
      lease_expires_at: null,
      lease_seconds: undefined,
      completed_at: NOW,
    };
    expect(one(held, { ...done, note: undefined }, { priority: 1 })).toStrictEqual(
      task('task-001', {
        status: 'done',
        claimed_by: 'w',
        attempt: 1,
        claimed_at: NOW,
        completed_at: NOW,
        priority: 1,
      }),
    );
  });

  test.each([
    ['a renewal', { lease_expires_at: later(100) }],
    ['a longer one', { lease_expires_at: later(100), lease_seconds: 90 }],
  ])('%s does not keep anybody from ending the claim by hand', (_name, renewed) => {
    expect(one(held, renewed, { status: 'cancelled', claimed_by: null, note: undefined })).toMatchObject({
      status: 'cancelled',
      claimed_by: null,
      lease_expires_at: null,
      completed_at: later(60),
    });
  });

  test.each([
    ['attempt', 2],
    ['claimed_by', 'v'],
    ['last_error', 'e'],
    ['note', 'other'],
    ['result_digest', 'd'],
    ['claimed_at', later(1)],
    ['completed_at', later(1)],
  ])('a %s that changed since does', (field, value) => {
    expect(one(held, { [field]: value }, { status: 'cancelled' })).toBe(
      'task-001: status or claim was changed on both sides',
    );
    expect(one(held, { status: 'cancelled' }, { [field]: value })).toBe(
      'task-001: status or claim was changed on both sides',
    );
  });

  test('both sides may make the very same of it', () => {
    const done = { status: 'failed', claimed_by: null, completed_at: NOW, lease_expires_at: null };
    expect(one(task('task-001'), done, done)).toStrictEqual(task('task-001', { status: 'failed', completed_at: NOW }));
  });
});

describe('what somebody leaves out of a status is filled in', () => {
  const now = later(60);
  const held = claimed('task-001', 'w', { attempt: 2 });
  const by = (base: Task | undefined, edit: object): unknown => {
    const merged = merge(
      board(...(base ? [base] : [])),
      board(...(base ? [base] : [])),
      board({ ...(base ?? task('task-001')), ...edit }),
    ); // as written
    return merged.ok ? merged.board.tasks[0] : merged.conflict;
  };

  test.each<[string, Task | undefined, object, Task]>([
    ['a new task', undefined, { created_at: null }, task('task-001', { created_at: now })],
    ['a new task with a time of its own', undefined, {}, task('task-001')],
    [
      'a new claimed task',
      undefined,
      { status: 'claimed', claimed_by: 'w' },
      claimed('task-001', 'w', { claimed_at: now, lease_expires_at: later(1860) }),
    ],
    [
      'a claim by hand is an attempt',
      task('task-001', { attempt: 2 }),
      { status: 'claimed', claimed_by: 'w' },
      claimed('task-001', 'w', { attempt: 3, claimed_at: now, lease_expires_at: later(1860) }),
    ],
    [
      'a claim by hand with everything it needs',
      task('task-001', { attempt: 2 }),
      { status: 'claimed', claimed_by: 'w', attempt: 7, claimed_at: later(5), lease_expires_at: later(90) },
      claimed('task-001', 'w', { attempt: 7, claimed_at: later(5), lease_expires_at: later(90) }),
    ],
    [
      'a claim that passes on does not inherit times',
      held,
      { claimed_by: 'v' },
      claimed('task-001', 'v', { attempt: 3, claimed_at: now, lease_expires_at: later(1860) }),
    ],
    ['a claim that stays keeps them', held, { note: 'n' }, claimed('task-001', 'w', { attempt: 2, note: 'n' })],
    [
      'a lease given longer by hand',
      held,
      { lease_expires_at: later(9000) },
      claimed('task-001', 'w', { attempt: 2, lease_expires_at: later(9000) }),
    ],
    [
      'a lease taken out',
      held,
      { lease_expires_at: null, claimed_at: null },
      claimed('task-001', 'w', { attempt: 2, claimed_at: now, lease_expires_at: later(1860) }),
    ],
    ['an attempt counted down to nothing', held, { attempt: 0 }, claimed('task-001', 'w', { attempt: 1 })],
    [
      'given back by hand',
      held,
      { status: 'available', claimed_by: null, completed_at: NOW, attempt: 0 },
      task('task-001', { attempt: 2 }),
    ],
    [
      'available, with more attempts than before',
      held,
      { status: 'available', claimed_by: null, attempt: 5 },
      task('task-001', { attempt: 5 }),
    ],
    [
      'done by hand',
      held,
      { status: 'done' },
      task('task-001', { status: 'done', claimed_by: 'w', attempt: 2, claimed_at: NOW, completed_at: now }),
    ],
    [
      'failed by hand at a time',
      held,
      { status: 'failed', claimed_by: null, claimed_at: null, completed_at: later(3), attempt: 1 },
      task('task-001', { status: 'failed', attempt: 2, completed_at: later(3) }),
    ],
    [
      'cancelled by hand, with more attempts',
      task('task-001'),
      { status: 'cancelled', attempt: 4 },
      task('task-001', { status: 'cancelled', attempt: 4, completed_at: now }),
    ],
  ])('%s', (_, base, edit, expected) => {
    expect(by(base, edit)).toStrictEqual(expected);
  });

  test('a board that nobody has a log of is taken as it is', () => {
    expect(adoptBoard(written({ tasks: [{ id: 'a', description: 'Do a' }], goal: 'g' }), now)).toStrictEqual({
      version: 1,
      revision: 0,
      goal: 'g',
      tasks: [task('a', { created_at: now })],
    });
    expect(adoptBoard(written({ revision: 5, tasks: [claimed('a', 'w')] }), now)).toStrictEqual({
      version: 1,
      revision: 5,
      tasks: [claimed('a', 'w')],
    });
  });
});
