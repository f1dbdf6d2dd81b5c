import { describe, expect, test } from 'vitest';
import { claimableTasks, idleReason, summarise } from '../../../src/model/views/summary.ts';
import { board, claimed, later, NOW, task } from '../../support/boards.ts';

const needs = (...dependencies: string[]) => ({ dependencies });
const many = Array.from({ length: 11 }, (_, i) => String(i + 1).padStart(3, '0'));

test('a board at a glance', () => {
  const all = {
    ...board(
      task('task-001', { priority: 7 }),
      task('task-002', { priority: 2 }),
      task('task-003', needs('task-001')),
      task('task-004', needs('task-003', 'task-010', 'task-011')),
      claimed('task-005', 'w', { claimed_at: later(2) }),
      claimed('task-006', 'v', { lease_expires_at: later(10), claimed_at: later(1), priority: 2 }),
      claimed('task-007', 'u', { lease_expires_at: later(10), attempt: 3 }),
      task('task-008', { status: 'done' }),
      claimed('task-009', 'x', { claimed_at: later(2) }),
      task('task-010', { status: 'failed', last_error: 'w: no' }),
      task('task-011', { status: 'cancelled' }),
    ),
    goal: 'G',
    revision: 5,
  };
  expect(summarise(all, later(10))).toStrictEqual({
    revision: 5,
    goal: 'G',
    counts: {
      total: 11,
      available: 4,
      claimed: 3,
      submitted: 0,
      done: 1,
      failed: 2,
      cancelled: 1,
      claimable: 3,
      asking: 0,
      blocked: 2,
      stuck: 1,
    },
    questions: [],
    open_questions: 0,
    active: [
      {
        task_id: 'task-006',
        worker: 'v',
        description: 'Do task-006',
        claimed_at: later(1),
        lease_expires_at: later(10),
        expired: true,
      },
      {
        task_id: 'task-005',
        worker: 'w',
        description: 'Do task-005',
        claimed_at: later(2),
        lease_expires_at: later(1800),
        expired: false,
      },
      {
        task_id: 'task-009',
        worker: 'x',
        description: 'Do task-009',
        claimed_at: later(2),
        lease_expires_at: later(1800),
        expired: false,
      },
    ],
    claimable: [
      { task_id: 'task-002', priority: 2, description: 'Do task-002' },
      { task_id: 'task-006', priority: 2, description: 'Do task-006' },
      { task_id: 'task-001', priority: 7, description: 'Do task-001' },
    ],
    stuck: [{ task_id: 'task-004', because: ['task-010', 'task-011'], description: 'Do task-004' }],
    review: [],
    landing: [],
    broken: [],
    failed: [
      { task_id: 'task-007', last_error: 'lease of u expired on attempt 3 of 3', description: 'Do task-007' },
      { task_id: 'task-010', last_error: 'w: no', description: 'Do task-010' },
    ],
  });
});

test('an empty board', () => {
  expect(summarise(board(), NOW)).toStrictEqual({
    revision: 1,
    goal: null,
    counts: {
      total: 0,
      available: 0,
      claimed: 0,
      submitted: 0,
      done: 0,
      failed: 0,
      cancelled: 0,
      claimable: 0,
      asking: 0,
      blocked: 0,
      stuck: 0,
    },
    questions: [],
    open_questions: 0,
    active: [],
    claimable: [],
    stuck: [],
    review: [],
    landing: [],
    broken: [],
    failed: [],
  });
});

describe('however long the board, a glance is short', () => {
  const dead = many.map((n) => task(`dead-${n}`, { status: 'failed' }));
  const all = board(
    ...many.map((n) => task(`free-${n}`)),
    ...many.map((n) => claimed(`held-${n}`, `w${n}`, { claimed_at: null })),
    ...dead,
    ...many.map((n) => task(`stuck-${n}`, needs(...dead.map(({ id }) => id)))),
  );
  test('every list names ten, and the counts all', () => {
    const summary = summarise(all, NOW);
    expect(summary.claimable.map((one) => one.task_id)).toEqual(many.slice(0, 10).map((n) => `free-${n}`));
    expect(summary.active.map((one) => one.task_id)).toEqual(many.slice(0, 10).map((n) => `held-${n}`));
    expect(summary.failed.map((one) => one.task_id)).toEqual(many.slice(0, 10).map((n) => `dead-${n}`));
    expect(summary.stuck.map((one) => one.task_id)).toEqual(many.slice(0, 10).map((n) => `stuck-${n}`));
    expect(summary.counts).toMatchObject({ total: 44, claimable: 11, claimed: 11, failed: 11, stuck: 11, blocked: 11 });
  });

  test('a stuck task names five of its causes', () => {
    expect(summarise(all, NOW).stuck[0]?.because).toEqual(many.slice(0, 5).map((n) => `dead-${n}`));
  });
});

test('the oldest claim comes first, and before it who has no time of claim', () => {
  const [a, b, c, d] = [
    claimed('a', 'w'),
    claimed('b', 'v', { claimed_at: null }),
    claimed('c', 'u', { claimed_at: later(-5) }),
    claimed('d', 't', { claimed_at: null }),
  ];
  for (const tasks of [
    [a, b, c, d],
    [d, c, b, a],
    [b, a, d, c],
    [c, a, d, b],
  ])
    expect(summarise(board(...tasks), NOW).active.map(({ task_id }) => task_id)).toEqual(['b', 'd', 'c', 'a']);
});

test('what can be claimed, most urgent first, then smallest id', () => {
  const tasks = [
    task('task-1000'),
    task('task-999'),
    task('task-003', { priority: 1 }),
    claimed('task-004', 'w', { lease_expires_at: NOW }),
    claimed('task-005', 'v', { lease_expires_at: NOW, attempt: 3 }),
    claimed('task-006', 'u'),
    task('task-007', needs('task-999')),
  ];
  expect(claimableTasks(board(...tasks), NOW).map(({ id }) => id)).toEqual([
    'task-003',
    'task-004',
    'task-999',
    'task-1000',
  ]);
});

describe('whether a claim is worth making', () => {
  test('not where nothing would be handed out and nothing change', () => {
    expect(idleReason(board(claimed('a', 'w')), 'v', NOW)).toMatchObject({ task: null, reason: 'blocked', open: 1 });
  });
  test('but for a task, for one’s own, and for a last attempt that ran out', () => {
    expect(idleReason(board(task('a')), 'v', NOW)).toBeUndefined();
    expect(idleReason(board(claimed('a', 'v')), 'v', NOW)).toBeUndefined();
    expect(idleReason(board(claimed('a', 'w', { attempt: 3 })), 'v', later(1800))).toBeUndefined();
  });
});
