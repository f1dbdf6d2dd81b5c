import { describe, expect, test } from 'vitest';
import { Dependencies } from '../../src/model/dependencies.ts';
import type { Task } from '../../src/model/task.ts';
import { board, claimed, later, NOW, task } from '../support/boards.ts';

const needs = (...dependencies: string[]) => ({ dependencies });
const all = [
  task('done', { status: 'done' }),
  task('failed', { status: 'failed' }),
  task('cancelled', { status: 'cancelled' }),
  claimed('claimed', 'w'),
  task('free'),
  task('ready', needs('done')),
  task('waits', needs('done', 'claimed')),
  task('behind-failed', needs('failed')),
  task('behind-cancelled', needs('done', 'cancelled')),
  task('far-behind', needs('behind-failed', 'waits')),
  task('farther', needs('free', 'far-behind')),
  claimed('held-behind', 'v', { ...needs('failed'), lease_expires_at: NOW }),
  claimed('expired', 'u', { ...needs('done'), lease_expires_at: NOW }),
  task('settled-behind', { ...needs('failed'), status: 'cancelled' }),
  task('unknown', needs('nowhere')),
];
const dependencies = new Dependencies(board(...all));
const get = (id: string): Task => all.find((one) => one.id === id) ?? task(id);

test.each([
  ['free', []],
  ['ready', []],
  ['waits', ['claimed']],
  ['behind-failed', ['failed']],
  ['farther', ['free', 'far-behind']],
  ['unknown', []],
])('%s waits for %j', (id, pending) => {
  expect(dependencies.pending(get(id)).map((one) => one.id)).toEqual(pending);
});

test.each([
  ['done', false, false, false],
  ['failed', false, false, false],
  ['claimed', false, false, false],
  ['free', true, false, false],
  ['ready', true, false, false],
  ['waits', false, true, false],
  ['behind-failed', false, true, true],
  ['behind-cancelled', false, true, true],
  ['far-behind', false, true, true],
  ['farther', false, true, true],
  ['held-behind', false, false, false],
  ['expired', true, false, false],
  ['settled-behind', false, false, false],
  ['unknown', false, true, false],
])('%s: claimable %s, blocked %s, stuck %s', (id, claimable, blocked, stuck) => {
  const one = get(id);
  const fresh = new Dependencies(board(...all));
  expect([fresh.isClaimable(one, NOW), fresh.isBlocked(one), fresh.isStuck(one)]).toEqual([claimable, blocked, stuck]);
  // Whoever asked before, the answer is the same.
  expect(dependencies.isStuck(one)).toBe(stuck);
});

test('a live claim is not claimable, an expired one is', () => {
  const of = new Dependencies(board(claimed('a', 'w')));
  expect([later(1799), later(1800)].map((now) => of.isClaimable(claimed('a', 'w'), now))).toEqual([false, true]);
});

describe('the causes of being stuck', () => {
  test.each([
    ['free', []],
    ['waits', []],
    ['behind-failed', ['failed']],
    ['far-behind', ['failed']],
    ['farther', ['failed']],
  ])('%s: %j', (id, causes) => {
    expect(dependencies.causes(get(id)).map((one) => one.id)).toEqual(causes);
  });

  test('each is named once, smallest id first, and none that lies behind another', () => {
    const tasks = [
      task('task-1000', { status: 'failed', ...needs('task-001') }),
      task('task-001', { status: 'cancelled' }),
      task('task-999', { status: 'failed' }),
      task('a', needs('task-1000', 'task-999')),
      task('b', needs('task-999', 'a', 'c')),
      task('c', needs('a', 'task-1000')),
    ];
    const of = new Dependencies(board(...tasks));
    expect(of.causes(tasks[4] as Task).map((one) => one.id)).toEqual(['task-999', 'task-1000']); // there are six
  });
});

test('a chain of ten thousand is followed to its end', () => {
  const chain = Array.from({ length: 10_000 }, (_, i) => task(`t${i}`, i === 0 ? {} : needs(`t${i - 1}`)));
  const last = chain.at(-1) as Task; // there are ten thousand
  expect(new Dependencies(board(...chain)).isStuck(last)).toBe(false);
  chain[0] = task('t0', { status: 'failed' });
  expect(new Dependencies(board(...chain)).isStuck(last)).toBe(true);
});
