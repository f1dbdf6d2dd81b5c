import { describe, expect, test } from 'vitest';
import { completeTask } from '../../../src/model/verbs/complete.ts';
import { failTask } from '../../../src/model/verbs/fail.ts';
import { releaseTask } from '../../../src/model/verbs/release.ts';
import { board, claimed, later, NOW, refusal, task } from '../../support/boards.ts';

describe('failing', () => {
  test('a task with attempts left is available, and says what went wrong', () => {
    const after = task('task-001', { attempt: 1, last_error: 'w: no\nway', cost_usd: 2, note: 'n' });
    const held = claimed('task-001', 'w', { lease_seconds: 60, note: 'n', cost_usd: 1.5 });
    expect(
      failTask(board(held), { worker: 'w', task_id: 'task-001', error: 'no\nway', attempt: 1, cost_usd: 0.5 }, NOW),
    ).toStrictEqual({
      board: board(after),
      answer: { task: after },
      events: [{ agent: 'w', event: 'fail', task_id: 'task-001', message: 'attempt 1 of 3: no way' }],
    });
  });

  test.each([
    [1, undefined, 'available'],
    [2, undefined, 'available'],
    [2, true, 'available'],
    [3, undefined, 'failed'],
    [3, true, 'failed'],
    [4, undefined, 'failed'],
    [1, false, 'failed'],
  ])('attempt %i of 3, retry %s: %s', (attempt, retry, status) => {
    const { answer } = failTask(
      board(claimed('task-001', 'w', { attempt })),
      { worker: 'w', task_id: 'task-001', error: 'e', retry },
      later(5),
    );
    expect(answer.task).toStrictEqual(
      task('task-001', {
        status: status === 'failed' ? 'failed' : 'available',
        attempt,
        last_error: 'w: e',
        completed_at: status === 'failed' ? later(5) : null,
      }),
    );
  });
});

describe('releasing', () => {
  test('a task given back is available, with a note and no attempt used up', () => {
    const after = task('task-001', { attempt: 1, max_attempts: 4, note: 'w: half\ndone', cost_usd: 0.5 });
    const held = claimed('task-001', 'w', { lease_seconds: 60 });
    const input = { worker: 'w', task_id: 'task-001', reason: 'half\ndone', attempt: 1, cost_usd: 0.5 };
    expect(releaseTask(board(held), input, NOW)).toStrictEqual({
      board: board(after),
      answer: { task: after },
      events: [{ agent: 'w', event: 'release', task_id: 'task-001', message: 'half done' }],
    });
  });

  test.each([{}, { note: 'v: before' }])('without a reason the note stays as it is: %j', (note) => {
    const change = releaseTask(board(claimed('task-001', 'w', note)), { worker: 'w', task_id: 'task-001' }, NOW);
    expect(change.answer.task).toStrictEqual(task('task-001', { attempt: 1, max_attempts: 4, ...note }));
    expect(change.events).toEqual([{ agent: 'w', event: 'release', task_id: 'task-001', message: '' }]);
  });
});

const VERBS = {
  complete: (b: ReturnType<typeof board>, worker: string, attempt?: number) =>
    completeTask(b, { worker, task_id: 'task-001', output: 'o', digest: 'd', attempt }, later(60)),
  fail: (b: ReturnType<typeof board>, worker: string, attempt?: number) =>
    failTask(b, { worker, task_id: 'task-001', error: 'e', attempt }, later(60)),
  release: (b: ReturnType<typeof board>, worker: string, attempt?: number) =>
    releaseTask(b, { worker, task_id: 'task-001', attempt }, later(60)),
};
type Name = keyof typeof VERBS;

describe.each<Name>(['complete', 'fail', 'release'])('only the holder may %s', (verb) => {
  test.each([
    [claimed('task-001', 'v', { attempt: 2 }), undefined, 'it is claimed by v (attempt 2)'],
    [claimed('task-001', 'v', { attempt: 2 }), 2, 'it is claimed by v (attempt 2)'],
    [claimed('task-001', 'w', { attempt: 2 }), 1, 'this is attempt 2, not 1'],
    [claimed('task-001', 'w', { attempt: 2 }), 3, 'this is attempt 2, not 3'],
    [task('task-001'), undefined, 'it is not claimed by anybody'],
    [task('task-001', { status: 'done', claimed_by: 'v' }), undefined, 'v completed it'],
    [task('task-001', { status: 'done', claimed_by: null }), undefined, 'somebody completed it'],
    [task('task-001', { status: 'done', claimed_by: 'w' }), undefined, 'w completed it already, with another result'],
    [task('task-001', { status: 'failed' }), undefined, 'it is failed'],
    [task('task-001', { status: 'cancelled' }), undefined, 'it is cancelled'],
  ])('$status of $claimed_by, attempt %s: %s', (held, attempt, why) => {
    expect(refusal(() => VERBS[verb](board(held), 'w', attempt))).toStrictEqual({
      code: 'claim-lost',
      message: `Cannot ${verb} task-001: ${why}.`,
      details: { task_id: 'task-001', worker: 'w', status: held.status },
    });
  });

  test('a lease that ran out matters to nobody until the task is taken over', () => {
    expect(VERBS[verb](board(claimed('task-001', 'w', { lease_expires_at: NOW })), 'w').board).toBeDefined();
  });

  test('what else the worker holds is renewed, and nothing of anybody else', () => {
    const others = [claimed('task-003', 'v'), task('task-004')];
    const before = board(claimed('task-001', 'w'), claimed('task-002', 'w', { lease_expires_at: NOW }), ...others);
    const after = VERBS[verb](before, 'w').board;
    expect(after?.tasks.slice(1)).toStrictEqual([
      claimed('task-002', 'w', { lease_expires_at: later(1860) }),
      ...others,
    ]);
    expect(after?.tasks[0]?.status).not.toBe('claimed');
  });
});
