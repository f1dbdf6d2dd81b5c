/** Whatever a change does to the order of tasks, whoever hears of its rows comes to the same board. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Board } from '../../../src/model/board.ts';
import type { Task } from '../../../src/model/task.ts';
import { differenceOf, merge } from '../../../src/store/postgres/board-rows.ts';

/** One step of somebody's: which tasks stand on the board after it, by number; and which of them were changed. */
const step = fc.record({
  order: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 12 }),
  isAppended: fc.boolean(),
  changed: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 3 }),
});

test('rows of any change, merged, make the same tasks in the same order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), (steps, lag) => {
      const board = (tasks: Task[]): Board => ({ version: 1, revision: 0, tasks });
      /** What the table holds: position, document and when it changed. */
      const table = new Map<string, { id: string; position: number; doc: Task | null; revision: number }>();
      let [here, positions]: [Task[], readonly number[]] = [[], []];
      let there: { tasks: Task[]; positions: readonly number[]; revision: number } = {
        tasks: [],
        positions: [],
        revision: 0,
      };
      for (const [n, { order, isAppended, changed }] of steps.entries()) {
        const known = new Map(here.map((task) => [task.id, task]));
        const ids = isAppended ? [...new Set([...here.map(({ id }) => Number(id.slice(1))), ...order])] : order;
        const next = ids.map((id) => {
          const old = known.get(`t${id}`);
          return old && !changed.includes(id) ? old : ({ id: `t${id}`, description: `${n}` } as Task);
        });
        const { rows, removed, positions: after } = differenceOf(board(here), board(next), positions);
        for (const { task, position } of rows)
          table.set(task.id, { id: task.id, position, doc: task, revision: n + 1 });
        for (const id of removed) table.set(id, { ...table.get(id)!, doc: null, revision: n + 1 });
        [here, positions] = [next, after];
        expect(positions.every((position, i) => i === 0 || position > positions[i - 1]!)).toBe(true);
        if (n % lag !== 0) continue;
        const news = [...table.values()]
          .filter(({ revision }) => revision > there.revision)
          .toSorted((a, b) => a.position - b.position);
        there = { ...merge(there.tasks, there.positions, news), revision: n + 1 };
        expect(there.tasks).toEqual(here);
        expect(there.positions).toEqual(positions);
      }
    }),
    { numRuns: 2000 },
  );
});
