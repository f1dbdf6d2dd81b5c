import { describe, expect, test } from 'vitest';
import { claimTask } from '../../../src/model/verbs/claim.ts';
import { board, claimed, later, NOW, refusal, task } from '../../support/boards.ts';

const touching = (...files: string[]) => ({ context: { files, hints: '' } });

describe('what a claim does', () => {
  test('an available task is the worker’s, one attempt on', () => {
    const mine = claimed('task-001', 'w', { attempt: 2, last_error: 'v: no', note: 'v: half' });
    const before = board(task('task-001', { attempt: 1, last_error: 'v: no', note: 'v: half' }), task('task-002'));
    expect(claimTask(before, { worker: 'w' }, NOW)).toStrictEqual({
      board: board(mine, task('task-002')),
      answer: { task: mine, already: false, overlaps: [] },
      events: [{ agent: 'w', event: 'claim', task_id: 'task-001', message: `attempt 2, lease until ${later(1800)}` }],
      repeatable: true,
    });
  });

  test('a lease of another length is kept with the task', () => {
    const change = claimTask(board(task('task-001')), { worker: 'w', lease_seconds: 60 }, NOW);
    expect(change.answer.task).toStrictEqual(
      claimed('task-001', 'w', { lease_expires_at: later(60), lease_seconds: 60 }),
    );
  });

  test('an expired claim passes on, and everybody can read from whom', () => {
    const mine = claimed('task-001', 'w', {
      attempt: 2,
      claimed_at: later(1800),
      lease_expires_at: later(3600),
      last_error: 'lease of dead expired on attempt 1',
    });
    expect(claimTask(board(claimed('task-001', 'dead')), { worker: 'w' }, later(1800))).toStrictEqual({
      board: board(mine),
      answer: { task: mine, already: false, taken_over_from: 'dead', overlaps: [] },
      events: [
        {
          agent: 'w',
          event: 'claim',
          task_id: 'task-001',
          message: `attempt 2, lease until ${later(3600)}, taken over from dead`,
        },
      ],
      repeatable: true,
    });
  });

  test('a claim that ran out on its last attempt fails on the way', () => {
    const failed = task('task-001', {
      status: 'failed',
      attempt: 3,
      completed_at: later(1800),
      last_error: 'lease of dead expired on attempt 3 of 3',
      taken_from: 'dead',
    });
    const expiry = {
      agent: 'leader',
      event: 'expire',
      task_id: 'task-001',
      message: 'lease of dead expired on attempt 3 of 3',
    };
    const dead = claimed('task-001', 'dead', { attempt: 3 });
    const mine = claimed('task-002', 'w', { claimed_at: later(1800), lease_expires_at: later(3600) });
    const other = claimTask(board(dead, task('task-002')), { worker: 'w' }, later(1800));
    expect(other.board).toStrictEqual(board(failed, mine));
    expect(other.events?.[0]).toStrictEqual(expiry);
    expect(other.events?.map(({ event }) => event)).toEqual(['expire', 'claim']);
    expect(claimTask(board(dead), { worker: 'w' }, later(1800))).toStrictEqual({
      board: board(failed),
      answer: { task: null, reason: 'drained', open: 0, waiting_for: [], next_expiry: null },
      events: [expiry],
      repeatable: true,
    });
  });

  test('where there is nothing to claim, nothing is written', () => {
    expect(claimTask(board(claimed('task-001', 'v')), { worker: 'w' }, NOW)).toStrictEqual({
      answer: {
        task: null,
        reason: 'blocked',
        open: 1,
        waiting_for: [{ task_id: 'task-001', worker: 'v', status: 'claimed' }],
        next_expiry: later(1800),
      },
    });
  });

  test.each([
    ['any task', {}, 1860],
    ['that very task', { task_id: 'task-001' }, 1860],
    ['it for another time', { lease_seconds: 10 }, 70],
  ])('who holds a task and asks for %s gets it again, its lease renewed', (_, input, until) => {
    const file = touching('a.ts');
    const before = board(
      claimed('task-001', 'w', file),
      claimed('task-002', 'v', file),
      task('task-003', { priority: 1 }),
    );
    const mine = claimed('task-001', 'w', {
      ...file,
      lease_expires_at: later(until),
      ...('lease_seconds' in input ? { lease_seconds: 10 } : {}),
    });
    expect(claimTask(before, { worker: 'w', ...input }, later(60))).toStrictEqual({
      board: board(mine, ...before.tasks.slice(1)),
      answer: { task: mine, already: true, overlaps: [{ task_id: 'task-002', worker: 'v', files: ['a.ts'] }] },
      repeatable: true,
    });
  });
});

describe('which task is handed out', () => {
  const busy = claimed('task-009', 'v', touching('src'));
  test.each([
    [
      'of equal priority the smallest id, wherever it stands',
      [task('task-003'), task('task-001'), task('task-002')],
      1,
    ],
    ['priority 10 before nothing', [task('task-001', { priority: 10 })], 1],
    [
      'a task alone on its files before a more urgent one that is not, which stands behind it',
      [busy, task('task-002', { priority: 10 }), task('task-001', { priority: 1, ...touching('src/a.ts') })],
      2,
    ],
    [
      'a task alone on its files before a more urgent one that is not, which stands before it',
      [busy, task('task-001', { priority: 1, ...touching('src/a.ts') }), task('task-002', { priority: 10 })],
      2,
    ],
    [
      'of those that share files the most urgent',
      [busy, task('task-001', touching('src')), task('task-002', { priority: 4, ...touching('src/b.ts') })],
      2,
    ],
    [
      'one’s own expired claim, however urgent the others',
      [task('task-001', { priority: 1 }), claimed('task-002', 'w', { priority: 10, lease_expires_at: NOW })],
      2,
    ],
    [
      'another’s expired claim like any other task',
      [task('task-001', { priority: 4 }), claimed('task-002', 'v', { lease_expires_at: NOW })],
      1,
    ],
    [
      'even one’s own expired claim after what is alone on its files',
      [
        busy,
        task('task-001', { priority: 10 }),
        claimed('task-002', 'w', { lease_expires_at: NOW, ...touching('src') }),
      ],
      1,
    ],
    [
      'no exclusive task beside a claim that shares a file, but the next',
      [busy, task('task-001', { priority: 1, exclusive: true, ...touching('src') }), task('task-002', touching('src'))],
      2,
    ],
    [
      'an exclusive task that shares no file',
      [busy, task('task-001', { exclusive: true, ...touching('docs') }), task('task-002')],
      1,
    ],
    [
      'an exclusive task beside an expired claim that shares a file',
      [
        claimed('task-003', 'v', { lease_expires_at: NOW, priority: 9, ...touching('src') }),
        task('task-001', { exclusive: true, ...touching('src') }),
      ],
      1,
    ],
  ])('%s', (_, tasks, number) => {
    expect(claimTask(board(...tasks), { worker: 'w' }, NOW).answer.task?.id).toBe(`task-00${number}`);
  });
});

describe('a task asked for by name', () => {
  test('shares its files with whom the answer names', () => {
    const tasks = [
      claimed('task-002', 'v', touching('src/b.ts', 'src/a.ts')),
      claimed('task-001', 'u', touching('src')),
      task('task-003', touching('./src/a.ts', 'docs', 'src')),
    ];
    const { answer } = claimTask(board(...tasks), { worker: 'w', task_id: 'task-003' }, NOW);
    expect(answer).toMatchObject({
      overlaps: [
        { task_id: 'task-001', worker: 'u', files: ['./src/a.ts', 'src'] },
        { task_id: 'task-002', worker: 'v', files: ['./src/a.ts', 'src'] },
      ],
    });
  });

  test('may be one’s own expired claim', () => {
    const { answer } = claimTask(board(claimed('task-001', 'w')), { worker: 'w', task_id: 'task-001' }, later(1800));
    expect(answer).toMatchObject({ already: false, taken_over_from: 'w', task: { attempt: 2 } });
  });

  const all = board(
    claimed('task-001', 'v', touching('a', 'b', 'c')),
    task('task-002', {
      dependencies: ['task-001', 'task-003', 'task-008', 'task-009', 'task-010', 'task-011', 'task-012'],
    }),
    task('task-003', { status: 'done' }),
    task('task-004', { status: 'failed' }),
    task('task-005', { status: 'cancelled' }),
    task('task-006', { exclusive: true, ...touching('b', 'c/d') }),
    claimed('task-007', 'expired', { lease_expires_at: NOW }),
    ...['008', '009', '010', '011', '012'].map((n) => task(`task-${n}`)),
    task('task-013', { dependencies: ['task-004'] }),
  );
  test.each([
    ['task-001', 'held', `task-001 is claimed by v until ${later(1800)}.`, { status: 'claimed' }],
    [
      'task-002',
      'waits',
      'task-002 waits for task-001 (claimed), task-008 (available), task-009 (available), task-010 (available), task-011 (available).',
      { status: 'available' },
    ],
    ['task-013', 'waits', 'task-013 waits for task-004 (failed).', { status: 'available' }],
    ['task-003', 'settled', 'task-003 is done.', { status: 'done' }],
    ['task-004', 'settled', 'task-004 is failed.', { status: 'failed' }],
    ['task-005', 'settled', 'task-005 is cancelled.', { status: 'cancelled' }],
    [
      'task-006',
      'exclusive',
      'task-006 must not run beside task-001 of v: b, c/d.',
      { status: 'available', other_id: 'task-001' },
    ],
  ])('%s is refused: %s', (task_id, why, message, details) => {
    expect(refusal(() => claimTask(all, { worker: 'w', task_id }, NOW))).toStrictEqual({
      code: 'not-claimable',
      message,
      details: { why, task_id, ...details },
    });
  });

  test.each([
    ['v', 'task-001'],
    ['expired', 'task-007'],
  ])('%s, who holds another, is told to end that first', (worker, other_id) => {
    expect(refusal(() => claimTask(all, { worker, task_id: 'task-008' }, NOW))).toStrictEqual({
      code: 'worker-busy',
      message: `${worker} still holds ${other_id}.`,
      details: { worker, task_id: 'task-008', other_id },
    });
  });

  test('that does not exist is refused with the nearest id', () => {
    expect(refusal(() => claimTask(all, { worker: 'w', task_id: '8' }, NOW))).toStrictEqual({
      code: 'task-not-found',
      message: 'No task 8 on this board.',
      details: { task_id: '8', other_id: 'task-008' },
    });
  });
});
