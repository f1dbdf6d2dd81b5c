import { expect, test } from 'vitest';
import { Dependencies } from '../../../src/model/dependencies.ts';
import type { Task } from '../../../src/model/task.ts';
import { explainIdle, type NotClaimed, waitingText } from '../../../src/model/views/idle.ts';
import { board, claimed, later, NOW, task } from '../../support/boards.ts';

const needs = (...dependencies: string[]) => ({ dependencies });
const idle = (tasks: Task[]) => explainIdle(board(...tasks), new Dependencies(board(...tasks)), NOW);

test.each<[string, Task[], Omit<NotClaimed, 'task'>, string]>([
  ['no task yet', [], { reason: 'empty', open: 0, waiting_for: [], next_expiry: null }, 'empty: no task yet'],
  [
    'all settled',
    [task('a', { status: 'done' }), task('b', { status: 'failed' }), task('c', { status: 'cancelled' })],
    { reason: 'drained', open: 0, waiting_for: [], next_expiry: null },
    'drained: every task is settled',
  ],
  [
    'a claim, and what waits for it',
    [claimed('a', 'w'), task('b', needs('a')), task('c', { status: 'done' })],
    {
      reason: 'blocked',
      open: 2,
      waiting_for: [{ task_id: 'a', worker: 'w', status: 'claimed' }],
      next_expiry: later(1800),
    },
    'blocked: 2 tasks left, waiting for a (claimed by w)',
  ],
  [
    'six claims',
    [6, 1, 2, 3, 4, 5].map((n) => claimed(`t${n}`, `w${n}`, { lease_expires_at: later(n) })),
    {
      reason: 'blocked',
      open: 6,
      waiting_for: [6, 1, 2, 3, 4].map((n) => ({ task_id: `t${n}`, worker: `w${n}`, status: 'claimed' })),
      next_expiry: later(1),
    },
    'blocked: 6 tasks left, waiting for t6 (claimed by w6), t1 (claimed by w1), t2 (claimed by w2), t3 (claimed by w3), t4 (claimed by w4)',
  ],
  [
    'nothing but what waits for dead tasks',
    [
      task('task-1000', { status: 'failed' }),
      task('task-999', { status: 'cancelled' }),
      task('a', needs('task-1000')),
      task('b', needs('a', 'task-999')),
    ],
    {
      reason: 'stuck',
      open: 2,
      waiting_for: [
        { task_id: 'task-999', worker: null, status: 'cancelled' },
        { task_id: 'task-1000', worker: null, status: 'failed' },
      ],
      next_expiry: null,
    },
    'stuck: 2 tasks left, behind task-999 (cancelled), task-1000 (failed)',
  ],
  [
    'one task that could be claimed but for its files',
    [task('a'), task('b', needs('a'))],
    {
      reason: 'blocked',
      open: 2,
      waiting_for: [{ task_id: 'a', worker: null, status: 'available' }],
      next_expiry: null,
    },
    'blocked: 2 tasks left, waiting for a (available)',
  ],
  [
    'one claim alone, beside what is stuck',
    [claimed('a', 'w'), task('c', { status: 'failed' })],
    {
      reason: 'blocked',
      open: 1,
      waiting_for: [{ task_id: 'a', worker: 'w', status: 'claimed' }],
      next_expiry: later(1800),
    },
    'blocked: 1 task left, waiting for a (claimed by w)',
  ],
])('why nothing can be claimed: %s', (_, tasks, expected, words) => {
  expect(idle(tasks)).toStrictEqual({ task: null, ...expected });
  expect(waitingText(idle(tasks))).toBe(words);
});
