/** The table of lifecycle.ts is what the verbs do: each verb is tried on each status. */
import { describe, expect, test } from 'vitest';
import type { Board, Change } from '../../src/model/board.ts';
import { expireLastAttempts } from '../../src/model/board.ts';
import {
  allows,
  claimOf,
  isExpired,
  isHeldBy,
  isLive,
  isSettled,
  LIFECYCLE,
  toAvailable,
  toClaimed,
  toDead,
  toDone,
  withLease,
} from '../../src/model/lifecycle.ts';
import { STATUSES } from '../../src/model/limits.ts';
import type { ClaimedTask, Status, Task } from '../../src/model/task.ts';
import { cancelTasks } from '../../src/model/verbs/cancel-tasks.ts';
import { claimTask } from '../../src/model/verbs/claim.ts';
import { editTask } from '../../src/model/verbs/edit-task.ts';
import { failTask } from '../../src/model/verbs/fail.ts';
import { releaseTask } from '../../src/model/verbs/release.ts';
import { renewLeases } from '../../src/model/verbs/renew.ts';
import { retryTasks } from '../../src/model/verbs/retry-tasks.ts';
import { takeBackTasks } from '../../src/model/verbs/take-back-tasks.ts';
import { board, claimed, later, NOW, refusal, task } from '../support/boards.ts';

const id = 'task-001';
const of: Record<Status, Task> = {
  available: task(id),
  claimed: claimed(id, 'w'),
  submitted: task(id, { status: 'submitted', claimed_by: 'w', result_digest: 'd' }),
  done: task(id, { status: 'done', claimed_by: 'w', result_digest: 'd' }),
  failed: task(id, { status: 'failed' }),
  cancelled: task(id, { status: 'cancelled' }),
};

describe.each<[keyof typeof LIFECYCLE, (b: Board) => Change<unknown>]>([
  ['claim', (b) => claimTask(b, { worker: 'w', task_id: id }, NOW)],
  ['renew', (b) => renewLeases(b, { worker: 'w' }, NOW)],
  ['fail', (b) => failTask(b, { worker: 'w', task_id: id, error: 'e' }, NOW)],
  ['release', (b) => releaseTask(b, { worker: 'w', task_id: id }, NOW)],
  ['expire', (b) => ({ ...expireLastAttempts(b, later(1800)), answer: {} })],
  ['edit', (b) => editTask(b, { task_id: id, priority: 1 })],
  ['retry', (b) => retryTasks(b, { task_ids: [id] })],
  ['cancel', (b) => cancelTasks(b, { task_ids: [id] }, NOW)],
  ['takeBack', (b) => takeBackTasks(b, { task_ids: [id] })],
])('%s', (verb, act) => {
  const rule = LIFECYCLE[verb];

  test.each(STATUSES)('on a task that is %s does what the table says', (status) => {
    const held = verb === 'expire' ? { ...of[status], attempt: 3 } : of[status];
    const to = rule.from[status];
    expect(allows(verb, held)).toBe(to !== undefined);
    if (to === undefined && rule.refused !== undefined) {
      expect(refusal(() => act(board(held)))?.code).toBe(rule.refused);
      return;
    }
    const after = act(board(held)).board?.tasks[0] ?? held;
    expect([to ?? status].flat()).toContain(after.status);
  });
});

test('who may do what', () => {
  const by = Object.entries(LIFECYCLE).map(([verb, rule]) => [verb, rule.by, rule.refused]);
  expect(by).toEqual([
    ['claim', 'worker', 'not-claimable'],
    ['renew', 'holder', undefined],
    ['complete', 'holder', 'claim-lost'],
    ['recordCheck', 'holder', 'claim-lost'],
    ['ask', 'holder', 'claim-lost'],
    ['answer', 'other', 'task-state'],
    ['approve', 'reviewer', 'task-state'],
    ['verify', 'worker', 'task-state'],
    ['sendBack', 'reviewer', 'task-state'],
    ['land', 'worker', 'task-state'],
    ['accept', 'leader', 'task-state'],
    ['fail', 'holder', 'claim-lost'],
    ['release', 'holder', 'claim-lost'],
    ['expire', 'clock', undefined],
    ['edit', 'leader', 'task-state'],
    ['retry', 'leader', 'task-state'],
    ['reopen', 'leader', 'task-state'],
    ['cancel', 'leader', 'task-state'],
    ['takeBack', 'leader', 'task-state'],
  ]);
});

test('a failure and an edit go where the table says, and nowhere else', () => {
  expect(LIFECYCLE.fail.from).toEqual({ claimed: ['available', 'failed'] });
  expect(LIFECYCLE.edit.from).toEqual({
    available: 'available',
    claimed: 'claimed',
    submitted: 'submitted',
    failed: 'failed',
    cancelled: 'cancelled',
  });
});

describe('what a task is', () => {
  test.each([
    ['available', false],
    ['claimed', false],
    ['submitted', false],
    ['done', true],
    ['failed', true],
    ['cancelled', true],
  ] as const)('%s: settled %s', (status, settled) => {
    expect(isSettled(of[status])).toBe(settled);
  });

  test.each([
    [1799.999, true, false],
    [1800, false, true],
    [1800.001, false, true],
  ])('%f seconds into a lease of 1800 it is live: %s, expired: %s', (seconds, live, expired) => {
    const held = claimed(id, 'w');
    expect([isLive(held, later(seconds)), isExpired(held, later(seconds))]).toEqual([live, expired]);
  });

  test.each(['available', 'done', 'failed', 'cancelled'] as const)('what is %s is no claim, live or not', (status) => {
    const stale = { ...of[status], claimed_by: 'w', lease_expires_at: later(5) } as Task; // contradicts itself: that is the test
    expect([isLive(stale, NOW), isExpired(stale, later(9)), isHeldBy(stale, 'w')]).toEqual([false, false, false]);
  });

  test('a claim is held by its worker, however old', () => {
    expect(isHeldBy(claimed(id, 'w', { lease_expires_at: '2000-01-01T00:00:00.000Z' }), 'w')).toBe(true);
    expect(isHeldBy(claimed(id, 'w'), 'v')).toBe(false);
  });

  test('each claim has a name of its own', () => {
    expect(claimOf({ id: 'task-001', attempt: 2 })).toBe('task-001#2');
  });
});

describe('what becomes of a task', () => {
  const rich = { priority: 2, last_error: 'v: no', note: 'v: n', cost_usd: 1, key: 'k', more: 'kept' };
  const held = claimed(id, 'w', { ...rich, lease_seconds: 60 }) as ClaimedTask; // as its status says

  test('taken, its lease begins', () => {
    expect(toClaimed(task(id, { ...rich, lease_seconds: 9 }), 'w', 60, NOW)).toStrictEqual(
      claimed(id, 'w', { ...rich, lease_seconds: 60, lease_expires_at: later(60) }),
    );
    expect(toClaimed(task(id, rich), 'w', 1800, NOW)).toStrictEqual(claimed(id, 'w', rich));
  });

  test.each([
    [undefined, 70, { lease_seconds: 60 }],
    [5, 15, { lease_seconds: 5 }],
    [1800, 1810, {}],
  ])('renewed for %s seconds its lease ends after %i', (seconds, end, kept) => {
    expect(withLease(held, seconds, later(10))).toStrictEqual(
      claimed(id, 'w', { ...rich, ...kept, lease_expires_at: later(end) }),
    );
  });

  test('available, it is as if it had just been added, but for its history', () => {
    expect(toAvailable({ ...held, completed_at: NOW })).toStrictEqual(task(id, { ...rich, attempt: 1 }));
  });

  test.each(['failed', 'cancelled'] as const)('%s, it is held by nobody', (status) => {
    expect(toDead(held, status, later(5))).toStrictEqual(
      task(id, { ...rich, attempt: 1, status, completed_at: later(5) }),
    );
  });

  test('done, it says who did it, and what went wrong before is forgotten', () => {
    const { note: _, ...kept } = rich;
    expect(toDone(held, 'w', 'd', later(5))).toStrictEqual(
      task(id, {
        ...kept,
        status: 'done',
        claimed_by: 'w',
        claimed_at: NOW,
        attempt: 1,
        last_error: null,
        completed_at: later(5),
        result_digest: 'd',
      }),
    );
  });
});
