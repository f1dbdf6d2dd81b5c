/** Random boards, edited on both sides: what a three-way merge must never do. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Board } from '../../src/model/board.ts';
import { adoptBoard, type EditedBoard, mergeEdit, parseBoard } from '../../src/model/hand-edit.ts';
import { toAvailable, toClaimed, toDead, toDone } from '../../src/model/lifecycle.ts';
import { faultOf } from '../../src/model/stored-board.ts';
import type { Task } from '../../src/model/task.ts';
import { isSame } from '../../src/model/values.ts';
import { highestNumber } from '../../src/model/verbs/add-tasks.ts';
import { board, claimed, later, NOW, task } from '../support/boards.ts';

const LIFECYCLE = [
  'status',
  'claimed_by',
  'attempt',
  'claimed_at',
  'lease_expires_at',
  'lease_seconds',
  'completed_at',
  'last_error',
  'note',
  'result_digest',
];
const id = (n: number) => `task-00${n}`;
const status = fc.constantFrom('available', 'claimed', 'done', 'failed', 'cancelled');

/** Up to five tasks; each may wait for those before it. */
const boards: fc.Arbitrary<Board> = fc
  .array(fc.record({ status, needs: fc.nat(), key: fc.boolean(), more: fc.boolean() }), { maxLength: 5 })
  .map((drawn) =>
    board(
      ...drawn.map(({ status: s, needs, key, more }, i) => {
        const fields = {
          ...(i > 0 && needs % 2 === 0 ? { dependencies: [id(1 + (needs % i))] } : {}),
          ...(key ? { key: `k${i}` } : {}),
          ...(more ? { more: { x: 1, y: 1 } } : {}),
        };
        if (s === 'claimed') return claimed(id(i + 1), 'w', fields);
        return task(id(i + 1), { ...fields, status: s, completed_at: s === 'available' ? null : NOW });
      }),
    ),
  );

/** One change of a board: of a field, of who holds a task, or of what tasks there are. */
type Step = { at: number; act: string; value: number };
const ACTS = [
  'description',
  'priority',
  'files',
  'hints',
  'more.x',
  'more.y',
  'no key',
  'exclusive',
  'claim',
  'release',
  'cancel',
  'fail',
  'done',
  'delete',
  'add',
  'goal',
] as const;
const steps = (acts: readonly string[] = ACTS): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ at: fc.nat(4), act: fc.constantFrom(...acts), value: fc.integer({ min: 1, max: 3 }) }), {
    maxLength: 4,
  });

function changed(one: Task, act: string, value: number): Task {
  const more = { x: 1, y: 1, ...(one['more'] as object | undefined) }; // the boards above have no other
  switch (act) {
    case 'description':
      return { ...one, description: `new ${value}` };
    case 'priority':
      return { ...one, priority: value };
    case 'files':
      return { ...one, context: { ...one.context, files: [`f${value}`] } };
    case 'hints':
      return { ...one, context: { ...one.context, hints: `h${value}` } };
    case 'more.x':
      return { ...one, more: { ...more, x: value } };
    case 'more.y':
      return { ...one, more: { ...more, y: value } };
    case 'no key': {
      const { key: _, ...rest } = one;
      return rest; // a key is no part that must be there
    }
    case 'exclusive':
      return { ...one, exclusive: true };
    case 'claim':
      return toClaimed(one, `v${value}`, 60, later(value));
    case 'release':
      return toAvailable(one);
    case 'cancel':
      return toDead(one, 'cancelled', later(value));
    case 'fail':
      return toDead(one, 'failed', later(value));
    default:
      return one.status === 'claimed' ? toDone(one, one.claimed_by, `d${value}`, later(value)) : one; // as its status says
  }
}

/** The board after these changes, the tasks that need what was deleted without it; added ones are named by the side. */
function after(before: Board, side: string, list: readonly Step[]): Board {
  let next = before;
  for (const { at, act, value } of list) {
    const wanted = next.tasks[at % Math.max(1, next.tasks.length)];
    if (act === 'add') {
      const name = `${side}-${next.tasks.length}`;
      if (!next.tasks.some((one) => one.id === name)) next = { ...next, tasks: [...next.tasks, task(name)] };
    } else if (act === 'goal') next = { ...next, goal: `goal ${value}` };
    else if (act === 'delete') {
      const tasks = next.tasks.filter((one) => one.id !== wanted?.id);
      if (!tasks.some((one) => one.dependencies.includes(wanted?.id ?? ''))) next = { ...next, tasks };
    } else next = { ...next, tasks: next.tasks.map((one) => (one === wanted ? changed(one, act, value) : one)) };
  }
  return next;
}

function written(document: unknown): EditedBoard | undefined {
  const parsed = parseBoard(JSON.parse(JSON.stringify(document)));
  return parsed.ok ? parsed.board : undefined;
}
const merge = (base: Board, head: Board, edit: Board) => mergeEdit(base, head, written(edit) ?? head, later(30));
const find = (b: Board, name: string) => b.tasks.find((one) => one.id === name);

/** Every place of a board with what stands there, one level below the fields of a task; who holds it as one. */
function places(b: Board): Map<string, unknown> {
  const found = new Map<string, unknown>([['goal', b.goal]]);
  for (const one of b.tasks) {
    found.set(one.id, true);
    found.set(`${one.id} held`, Object.fromEntries(LIFECYCLE.map((field) => [field, one[field]])));
    for (const [field, value] of Object.entries(one)) {
      if (LIFECYCLE.includes(field)) continue;
      if (field !== 'more' && field !== 'context') found.set(`${one.id} ${field}`, value);
      else for (const [inner, deep] of Object.entries(value as object)) found.set(`${one.id} ${field}.${inner}`, deep); // both are records
    }
  }
  return found;
}

test('nothing that either side changed is lost, and nothing comes from nowhere, unless the merge says no', () => {
  fc.assert(
    fc.property(boards, steps(), steps(), (base, ours, theirs) => {
      const head = after(base, 'head', ours);
      const edit = after(base, 'edit', theirs);
      const merged = merge(base, head, edit);
      if (!merged.ok) return;
      const [was, atHead, atEdit, now] = [base, head, edit, merged.board].map(places);
      const all = new Set(
        [was, atHead, atEdit, now].flatMap((side) => [...(side ?? new Map<string, unknown>()).keys()]),
      );
      for (const place of all) {
        const [w, h, e, n] = [was, atHead, atEdit, now].map((side) => side?.get(place));
        // The goal may be left out of an edit without being meant to go.
        const wanted = isSame(e, w) || (place === 'goal' && e === undefined) ? h : e;
        expect(n, `${place}: base ${JSON.stringify(w)}, head ${JSON.stringify(h)}, edit ${JSON.stringify(e)}`).toEqual(
          wanted,
        );
      }
      expect(highestNumber(merged.board)).toBeGreaterThanOrEqual(Math.max(highestNumber(base), highestNumber(head)));
    }),
    { numRuns: 300 },
  );
});

test('where one side changed nothing, the other is the result', () => {
  fc.assert(
    fc.property(boards, steps(), (base, list) => {
      const head = { ...after(base, 'head', list), revision: 9 };
      const kept = merge(base, head, base);
      expect(kept.ok && { ...kept.board, last_id: 0 }).toEqual({ ...head, last_id: 0 });
      const held = base.tasks.filter((one) => one.status === 'claimed' && find(head, one.id) === undefined);
      const taken = merge(base, base, head);
      if (held.length > 0) {
        expect(taken.ok, 'a task that somebody works on was deleted').toBe(false);
        return;
      }
      expect(taken.ok && { ...taken.board, last_id: 0 }).toEqual({ ...head, revision: base.revision, last_id: 0 });
    }),
    { numRuns: 200 },
  );
});

test('edits of different tasks may come in any order', () => {
  const acts = ACTS.filter((act) => act !== 'add' && act !== 'goal');
  fc.assert(
    fc.property(boards, steps(acts), steps(acts), (base, one, two) => {
      const a = after(
        base,
        'a',
        one.map((step) => ({ ...step, at: 0 })),
      );
      const changedBy = (side: Board) => base.tasks.filter((t) => !isSame(t, find(side, t.id))).map((t) => t.id);
      const b = after(
        base,
        'b',
        two.map((step) => ({ ...step, at: 1 })),
      );
      fc.pre(!changedBy(a).some((name) => changedBy(b).includes(name)));
      const both = [[a, b] as const, [b, a] as const].map(([first, second]) => {
        const then = merge(base, base, first);
        return then.ok ? merge(base, then.board, second) : then;
      });
      const [left, right] = both.map((merged) =>
        merged.ok ? { ...merged.board, last_id: highestNumber(merged.board) } : 'refused',
      );
      expect(left).toEqual(right);
    }),
    { numRuns: 200 },
  );
});

/** Whatever somebody types into the fields that say who holds a task. */
const wild = fc.record(
  {
    status,
    claimed_by: fc.constantFrom(null, 'w', 'v'),
    attempt: fc.constantFrom(0, 1, 2, 9),
    claimed_at: fc.constantFrom(null, '2026-01-01', later(7)),
    lease_expires_at: fc.constantFrom(null, NOW, later(7), later(1800)),
    lease_seconds: fc.constantFrom(1, 60),
    completed_at: fc.constantFrom(null, NOW),
    last_error: fc.constantFrom(null, 'e'),
    note: fc.constantFrom('n'),
    created_at: fc.constantFrom(null, NOW, '2026-01-01T13:00:00+01:00'),
    dependencies: fc.subarray([id(1), id(2), id(3)]),
  },
  { requiredKeys: [] },
);

test('whatever somebody typed, what comes of it can be stored', () => {
  fc.assert(
    fc.property(boards, steps(), steps(), fc.nat(4), wild, (base, ours, theirs, at, typed) => {
      const head = after(base, 'head', ours);
      const typedIn = after(base, 'edit', theirs);
      const edit = written({
        ...typedIn,
        tasks: typedIn.tasks.map((one, i) => (i === at ? { ...one, ...typed } : one)),
      });
      fc.pre(edit !== undefined);
      if (!edit) return;
      expect(faultOf(JSON.parse(JSON.stringify(adoptBoard(edit, NOW))))).toBeUndefined();
      const merged = mergeEdit(base, head, edit, later(30));
      if (merged.ok) expect(faultOf(JSON.parse(JSON.stringify(merged.board)))).toBeUndefined();
    }),
    { numRuns: 400 },
  );
});
