import { describe, expect, test } from 'vitest';
import type { Board } from '../../src/model/board.ts';
import type { Claimed } from '../../src/model/verbs/claim.ts';
import type { NotClaimed } from '../../src/model/views/idle.ts';
import { claimTask } from '../../src/model/verbs/claim.ts';
import { completeTask } from '../../src/model/verbs/complete.ts';
import { failTask } from '../../src/model/verbs/fail.ts';
import { releaseTask } from '../../src/model/verbs/release.ts';
import { renewLeases } from '../../src/model/verbs/renew.ts';
import { board, claimed, later, NOW, task } from '../support/boards.ts';

function claim(
  before: Board,
  worker: string,
  now = NOW,
  task_id?: string,
): { board: Board; answer: Claimed | NotClaimed } {
  const change = claimTask(before, { worker, task_id }, now);
  return { board: change.board ?? before, answer: change.answer };
}
const get = (b: Board, id: string) => b.tasks.find((t) => t.id === id);

describe('which task a claim hands out', () => {
  test.each([
    ['the lowest priority number', [task('task-001'), task('task-002', { priority: 1 })], 'task-002'],
    ['then the smallest id, by number', [task('task-1000'), task('task-999')], 'task-999'],
    [
      'nothing whose dependency is open',
      [task('task-001', { dependencies: ['task-002'], priority: 1 }), task('task-002')],
      'task-002',
    ],
    [
      'what waits for a done task',
      [task('task-001', { status: 'done' }), task('task-002', { dependencies: ['task-001'] })],
      'task-002',
    ],
    [
      'not what is failed or cancelled',
      [task('task-001', { status: 'failed' }), task('task-002', { status: 'cancelled' }), task('task-003')],
      'task-003',
    ],
    [
      'files that somebody works on come last',
      [
        claimed('task-001', 'other', { context: { files: ['./src/a.ts'], hints: '' } }),
        task('task-002', { priority: 1, context: { files: ['src/a.ts'], hints: '' } }),
        task('task-003', { priority: 9 }),
      ],
      'task-003',
    ],
  ])('%s', (_, tasks, expected) => {
    expect(claim(board(...tasks), 'w').answer.task?.id).toBe(expected);
  });

  test('a claim names worker, attempt and lease', () => {
    const { answer } = claim(board(task('task-001')), 'w');
    expect(answer.task).toMatchObject({
      status: 'claimed',
      claimed_by: 'w',
      attempt: 1,
      claimed_at: NOW,
      lease_expires_at: later(1800),
    });
  });

  test('the lease can be chosen, and is kept by renewals', () => {
    const change = claimTask(board(task('task-001')), { worker: 'w', lease_seconds: 60 }, NOW);
    expect(change.answer.task?.lease_expires_at).toBe(later(60));
    const renewed = renewLeases(change.board as Board, { worker: 'w' }, later(30));
    expect(renewed.answer.tasks[0]?.lease_expires_at).toBe(later(90));
  });

  test('the same worker asking again gets its task with the same attempt', () => {
    const first = claim(board(task('task-001'), task('task-002')), 'w');
    const again = claim(first.board, 'w', later(60));
    expect(again.answer).toMatchObject({
      already: true,
      task: { id: 'task-001', attempt: 1, lease_expires_at: later(1860) },
    });
  });

  test('an expired claim is taken over, naming from whom', () => {
    const { answer } = claim(board(claimed('task-001', 'dead')), 'w', later(1800));
    expect(answer).toMatchObject({
      taken_over_from: 'dead',
      task: { claimed_by: 'w', attempt: 2, last_error: 'lease of dead expired on attempt 1' },
    });
  });

  test('a live claim is not taken over, up to the last millisecond', () => {
    const { answer } = claim(board(claimed('task-001', 'busy')), 'w', later(1799.999));
    expect(answer.task).toBeNull();
  });

  test('past its last attempt an expired task fails instead, and its dependants are stuck', () => {
    const tasks = board(claimed('task-001', 'dead', { attempt: 3 }), task('task-002', { dependencies: ['task-001'] }));
    const after = claim(tasks, 'w', later(1800));
    expect(get(after.board, 'task-001')).toMatchObject({ status: 'failed', claimed_by: null });
    expect(after.answer).toMatchObject({
      task: null,
      reason: 'stuck',
      waiting_for: [{ task_id: 'task-001', status: 'failed' }],
    });
  });

  test('a worker takes its own expired task first', () => {
    const { answer } = claim(board(task('task-001', { priority: 1 }), claimed('task-002', 'w')), 'w', later(1800));
    expect(answer.task).toMatchObject({ id: 'task-002', attempt: 2 });
  });

  test('an overlap is warned of, in the words of the claimed task', () => {
    const { answer } = claim(
      board(
        claimed('task-001', 'other', { context: { files: ['src'], hints: '' } }),
        task('task-002', { context: { files: ['src/a.ts', 'b.ts'], hints: '' } }),
      ),
      'w',
    );
    expect(answer).toMatchObject({ overlaps: [{ task_id: 'task-001', worker: 'other', files: ['src/a.ts'] }] });
  });

  test.each([
    ['an exclusive task waits for others', {}, { exclusive: true }],
    ['others wait for an exclusive task', { exclusive: true }, {}],
  ])('%s', (_, held, wanted) => {
    const files = { context: { files: ['a.ts'], hints: '' } };
    const tasks = board(claimed('task-001', 'other', { ...files, ...held }), task('task-002', { ...files, ...wanted }));
    expect(claim(tasks, 'w').answer).toMatchObject({
      task: null,
      reason: 'blocked',
      waiting_for: [{ task_id: 'task-001', worker: 'other' }],
    });
    expect(() => claim(tasks, 'w', NOW, 'task-002')).toThrow(/must not run beside task-001 of other: a.ts/);
  });
});

describe('a task asked for by name', () => {
  const tasks = board(
    claimed('task-001', 'other'),
    task('task-002', { dependencies: ['task-001'] }),
    task('task-003', { status: 'done' }),
    task('task-004'),
  );

  test('is claimed when it can be', () => {
    expect(claim(tasks, 'w', NOW, 'task-004').answer.task?.id).toBe('task-004');
  });

  test.each([
    ['task-001', 'not-claimable', /claimed by other/],
    ['task-002', 'not-claimable', /waits for task-001 \(claimed\)/],
    ['task-003', 'not-claimable', /is done/],
    ['task-4', 'task-not-found', /No task task-4/],
  ])('%s is refused: %s', (id, code, message) => {
    expect(() => claim(tasks, 'w', NOW, id)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
  });

  test('a worker that holds another task is told to end that first', () => {
    expect(() => claim(tasks, 'other', NOW, 'task-004')).toThrow(expect.objectContaining({ code: 'worker-busy' }));
  });
});

describe('why nothing can be claimed', () => {
  test.each([
    ['empty', [], []],
    ['drained', [task('task-001', { status: 'done' }), task('task-002', { status: 'failed' })], []],
    ['blocked', [claimed('task-001', 'a'), task('task-002', { dependencies: ['task-001'] })], ['task-001']],
    [
      'stuck',
      [
        task('task-001', { status: 'cancelled' }),
        task('task-002', { dependencies: ['task-001'] }),
        task('task-003', { dependencies: ['task-002'] }),
      ],
      ['task-001'],
    ],
  ])('%s', (reason, tasks, waiting) => {
    const { answer } = claim(board(...tasks), 'w');
    expect(answer).toMatchObject({ task: null, reason });
    expect((answer as NotClaimed).waiting_for.map((w) => w.task_id)).toEqual(waiting);
  });

  test('it says when the next lease runs out', () => {
    const tasks = board(
      claimed('task-001', 'a', { lease_expires_at: later(50) }),
      claimed('task-002', 'b', { lease_expires_at: later(20) }),
    );
    expect(claim(tasks, 'w').answer).toMatchObject({ next_expiry: later(20) });
  });
});

describe('handing in', () => {
  const complete = (b: Board, worker: string, fields = {}) =>
    completeTask(b, { worker, task_id: 'task-001', output: 'x', digest: 'd1', ...fields }, later(10));

  test('a completion frees the dependants that waited for nothing else', () => {
    const tasks = board(
      claimed('task-001', 'w'),
      task('task-002', { dependencies: ['task-001'] }),
      task('task-003', { dependencies: ['task-001', 'task-004'] }),
      task('task-004'),
    );
    const change = complete(tasks, 'w');
    expect(change.answer).toMatchObject({
      already: false,
      now_claimable: ['task-002'],
      task: { status: 'done', claimed_by: 'w', completed_at: later(10) },
    });
    expect(change.result).toMatchObject({ output: 'x', task: { id: 'task-001', attempt: 1 } });
  });

  test('the same result again is a success that changes nothing', () => {
    const done = complete(board(claimed('task-001', 'w')), 'w').board as Board;
    const again = complete(done, 'w');
    expect(again.board).toBeUndefined();
    expect(again.answer.already).toBe(true);
  });

  test('another result of a done task is refused', () => {
    const done = complete(board(claimed('task-001', 'w')), 'w').board as Board;
    expect(() => complete(done, 'w', { digest: 'd2' })).toThrow(/completed it already, with another result/);
  });

  test.each([
    ['taken over', claimed('task-001', 'other', { attempt: 2 }), {}, /claimed by other \(attempt 2\)/],
    ['an earlier attempt', claimed('task-001', 'w', { attempt: 2 }), { attempt: 1 }, /this is attempt 2, not 1/],
    ['cancelled', task('task-001', { status: 'cancelled' }), {}, /is cancelled/],
    ['never claimed', task('task-001'), {}, /not claimed by anybody/],
  ])('refused: %s', (_, held, fields, message) => {
    const refused = expect.objectContaining({ code: 'claim-lost', message: expect.stringMatching(message) as string });
    expect(() => complete(board(held), 'w', fields)).toThrow(refused);
    expect(() => failTask(board(held), { worker: 'w', task_id: 'task-001', error: 'e', ...fields }, NOW)).toThrow(
      refused,
    );
    expect(() => releaseTask(board(held), { worker: 'w', task_id: 'task-001', ...fields }, NOW)).toThrow(refused);
  });

  test('a late completion counts as long as nobody took the task over', () => {
    const tasks = board(claimed('task-001', 'w', { lease_expires_at: later(1) }));
    expect(complete(tasks, 'w').answer.task.status).toBe('done');
  });

  test('a failure gives the task back until its attempts are used up', () => {
    const fail = (attempt: number, retry?: boolean) =>
      failTask(
        board(claimed('task-001', 'w', { attempt })),
        { worker: 'w', task_id: 'task-001', error: 'no', retry },
        NOW,
      ).answer.task;
    expect(fail(2)).toMatchObject({ status: 'available', claimed_by: null, attempt: 2, last_error: 'w: no' });
    expect(fail(3)).toMatchObject({ status: 'failed', completed_at: NOW });
    expect(fail(1, false)).toMatchObject({ status: 'failed' });
  });

  test('a release keeps the notes for the next worker and costs the attempt its number only', () => {
    const change = releaseTask(
      board(claimed('task-001', 'w')),
      {
        worker: 'w',
        task_id: 'task-001',
        reason: 'half done',
      },
      NOW,
    );
    expect(change.answer.task).toMatchObject({ status: 'available', note: 'w: half done', attempt: 1 });
    expect(claim(change.board as Board, 'v').answer.task).toMatchObject({ note: 'w: half done', attempt: 2 });
  });
});
