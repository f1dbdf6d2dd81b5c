import { expect, test } from 'vitest';
import { addCost, withCost } from '../../../src/model/verbs/add-cost.ts';
import { board, task } from '../../support/boards.ts';

test('what agents cost adds up on the board', () => {
  const first = addCost(board(task('task-001')), { cost_usd: 0.25 });
  expect(first).toStrictEqual({ board: { ...board(task('task-001')), cost_usd: 0.25 }, answer: {} });
  expect(addCost({ ...board(), cost_usd: 0.25 }, { cost_usd: 0.5 }).board?.cost_usd).toBe(0.75);
});

test('no cost is no change', () => {
  expect(addCost(board(), { cost_usd: 0 })).toStrictEqual({ answer: {} });
});

test.each([
  ['nothing said', task('a', { cost_usd: 1 }), {}, task('a', { cost_usd: 1 })],
  ['the first cost', task('a'), { cost_usd: 0.5 }, task('a', { cost_usd: 0.5 })],
  ['a later one', task('a', { cost_usd: 1 }), { cost_usd: 0.5 }, task('a', { cost_usd: 1.5 })],
  ['a cost of nothing', task('a'), { cost_usd: 0 }, task('a', { cost_usd: 0 })],
])('what an attempt cost is added to the task: %s', (_, before, input, after) => {
  expect(withCost(before, input)).toStrictEqual(after);
});
