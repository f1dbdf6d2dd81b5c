/** Which task lands next, who may begin to, and what is never taken back while somebody lands it. */
import { describe, expect, test } from 'vitest';
import type { Board } from '../../src/model/board.ts';
import { isQueued, nextToLand, submittedState } from '../../src/model/landing.ts';
import type { SubmittedTask, Task } from '../../src/model/task.ts';
import { cancelTasks } from '../../src/model/verbs/cancel-tasks.ts';
import { claimTask } from '../../src/model/verbs/claim.ts';
import { completeTask } from '../../src/model/verbs/complete.ts';
import { beginLanding, bounceTask, landTask, renewLanding } from '../../src/model/verbs/land-task.ts';
import { approveTask, sendBackTask } from '../../src/model/verbs/review-task.ts';
import { setDefaults } from '../../src/model/verbs/set-defaults.ts';
import { branchOf, isBranchName, isWorktrees, worktreeOf } from '../../src/model/worktrees.ts';
import { board, later, NOW, task } from '../support/boards.ts';

const HEAD = 'a'.repeat(40);
const MERGE = 'b'.repeat(40);
const TOKEN = 'token-of-a-landing';
const WORKTREES = { defaults: { worktrees: { branch: 'coord/main' } } };

function queuedTask(id: string, fields: Partial<Task> = {}): Task {
  return task(id, {
    status: 'submitted',
    claimed_by: 'w',
    completed_at: NOW,
    branch: `coord/${id}.1`,
    head: HEAD,
    attempt: 1,
    ...fields,
  });
}
const files = (...names: string[]): Partial<Task> => ({
  evidence: { verdict: 'green', at: NOW, worker: 'w', tree: null, checks: [], files: names },
});
const withTasks = (...tasks: Task[]): Board => ({ ...board(...tasks), ...WORKTREES });
const only = (b: Board): Task => b.tasks[0] as Task;
const begin = (b: Board, id = 'a', now = NOW) =>
  beginLanding(b, { by: 'l', task_id: id, token: TOKEN, head: HEAD }, now);

describe('the queue', () => {
  test('what was sent back before comes first, then by priority, then who has waited longest', () => {
    const order = (...tasks: Task[]): string[] => {
      const skipped = new Set<string>();
      for (;;) {
        const next = nextToLand(withTasks(...tasks), NOW, skipped).task;
        if (!next) return [...skipped];
        skipped.add(next.id);
      }
    };
    expect(
      order(
        queuedTask('late', { completed_at: later(5) }),
        queuedTask('early'),
        queuedTask('urgent', { priority: 1, completed_at: later(9) }),
        queuedTask('back', { bounces: 1, priority: 9, completed_at: later(9) }),
      ),
    ).toEqual(['back', 'urgent', 'early', 'late']);
  });

  test('nothing lands beside another, until its lease runs out', () => {
    const landing = { by: 'l', token: TOKEN, until: later(20) };
    const both = withTasks(queuedTask('a', { landing }), queuedTask('b'));
    expect(nextToLand(both, NOW)).toEqual({ task: undefined, wakeAt: later(20) });
    expect(nextToLand(both, later(20)).task?.id).toBe('a');
  });

  test('the turn of what was sent back holds for its files, for fifteen seconds, until it has landed', () => {
    const turn = { files: ['src/x.ts'], until: later(15) };
    const back = task('back', { status: 'available', turn });
    const same = queuedTask('same', files('src/x.ts'));
    const folder = queuedTask('folder', { context: { files: ['src'], hints: '' } });
    const other = queuedTask('other', files('y.ts'));
    expect(nextToLand(withTasks(back, same, folder, other), NOW).task?.id).toBe('other');
    expect(nextToLand(withTasks(back, same, folder), NOW)).toEqual({ task: undefined, wakeAt: later(15) });
    expect(nextToLand(withTasks(back, same), later(15)).task?.id).toBe('same');
    const mended = queuedTask('back', { ...files('src/x.ts'), turn, bounces: 1 });
    expect(nextToLand(withTasks(mended, same), NOW).task?.id).toBe('back');
    expect(nextToLand(withTasks({ ...mended, status: 'done' } as Task, same), NOW).task?.id).toBe('same');
  });

  test('what asks for a review waits for it; what is protected too', () => {
    const of = (fields: Partial<Task>, defaults = {}): boolean =>
      isQueued({ ...withTasks(), defaults: { ...WORKTREES.defaults, ...defaults } }, queuedTask('a', fields));
    const reviewed = { by: 'leader', head: HEAD, at: NOW };
    expect([of({}), of({ review: true }), of({ review: true, reviewed }), of({ branch: undefined })]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    const protect = { protect: ['package.json'] };
    expect([of(files('package.json'), protect), of(files('other'), protect)]).toEqual([false, true]);
    const states = [
      submittedState(withTasks(), queuedTask('a', { review: true }) as SubmittedTask, NOW),
      submittedState(withTasks(), queuedTask('a') as SubmittedTask, NOW),
      submittedState(
        withTasks(),
        queuedTask('a', { landing: { by: 'l', token: TOKEN, until: later(1) } }) as SubmittedTask,
        NOW,
      ),
    ];
    expect(states).toEqual(['review', 'queued', 'landing']);
  });
});

describe('a landing', () => {
  test('is one at a time, of the very commit that was handed in', () => {
    const begun = begin(withTasks(queuedTask('a'), queuedTask('b'))).board as Board;
    expect(only(begun).landing).toEqual({ by: 'l', token: TOKEN, until: later(20) });
    expect(() => begin(begun, 'b')).toThrow('l lands a.');
    expect(begin(begun, 'b', later(20)).board?.tasks[1]?.landing?.until).toBe(later(40));
    expect(() =>
      beginLanding(withTasks(queuedTask('a')), { by: 'l', task_id: 'a', token: TOKEN, head: MERGE }, NOW),
    ).toThrow('handed in again');
  });

  test('of what nobody could look at learns what it changes first, and waits where that asks for a review', () => {
    const unseen = queuedTask('a', {
      head: undefined,
      evidence: { verdict: 'unchecked', at: NOW, worker: 'w', tree: null, checks: [] },
    });
    const guarded: Board = { ...withTasks(unseen), defaults: { ...WORKTREES.defaults, protect: ['x'] } };
    const input = { by: 'l', task_id: 'a', token: TOKEN, head: HEAD };
    const waits = beginLanding(guarded, { ...input, files: ['x'] }, NOW);
    expect([waits.answer.lands, only(waits.board as Board).head, only(waits.board as Board).landing]).toEqual([
      false,
      HEAD,
      undefined,
    ]);
    expect(beginLanding(guarded, { ...input, files: ['y'] }, NOW).answer.lands).toBe(true);
  });

  test('ends as done with the merge, once its checks are proven on the merged tree', () => {
    const begun = begin({ ...withTasks(queuedTask('a', { checks: ['npm test'] })) }).board as Board;
    const input = { task_id: 'a', token: TOKEN, commit: MERGE, branch: 'coord/main' };
    expect(() => landTask(begun, { ...input, proof: { runs: [] } }, NOW)).toThrow(
      'not done before its checks end well',
    );
    const run = { command: 'npm test', exit_code: 0, duration_ms: 1, tail: '' };
    const done = landTask(begun, { ...input, proof: { runs: [run], tree: 't' } }, later(5));
    expect(only(done.board as Board)).toMatchObject({
      status: 'done',
      claimed_by: 'w',
      head: HEAD,
      landed: { commit: MERGE, branch: 'coord/main', at: later(5) },
      evidence: { verdict: 'green', tree: 't' },
    });
    expect(only(done.board as Board).landing).toBeUndefined();
    // The same again is a success that changes nothing.
    expect(landTask(done.board as Board, input, later(6)).board).toBeUndefined();
  });

  test("is another's once the token is: nothing more comes of it", () => {
    const begun = begin(withTasks(queuedTask('a'))).board as Board;
    const late = { task_id: 'a', token: 'another-token' };
    expect(() => renewLanding(begun, late, NOW)).toThrow('was taken away');
    expect(() => landTask(begun, { ...late, commit: MERGE, branch: 'm' }, NOW)).toThrow('was taken away');
    expect(() => bounceTask(begun, { ...late, reason: 'r' }, NOW)).toThrow('was taken away');
    const ended = renewLanding(begun, { task_id: 'a', token: TOKEN, ends: true }, NOW).board as Board;
    expect(only(ended).landing).toBeUndefined();
  });

  test('is not taken back while it stands, nor afterwards before it was made void', () => {
    const begun = begin(withTasks(queuedTask('a'))).board as Board;
    const back = { by: 'leader', task_id: 'a', reason: 'r' };
    expect(() => sendBackTask(begun, { ...back, withdrawn: TOKEN }, NOW)).toThrow('l lands a.');
    expect(() => sendBackTask(begun, back, later(20))).toThrow('has begun to land a');
    expect(() => sendBackTask(begun, { ...back, withdrawn: 'other' }, later(20))).toThrow('has begun to land a');
    const sent = only(sendBackTask(begun, { ...back, withdrawn: TOKEN }, later(20)).board as Board);
    expect([sent.status, sent.landing, sent.branch]).toEqual(['available', undefined, 'coord/a.1']);
    expect(() => cancelTasks(begun, { task_ids: ['a'] }, later(20))).toThrow('has begun to land a');
    const waiting = withTasks(task('c', { status: 'failed' }), { ...only(begun), dependencies: ['c'] });
    expect(() => cancelTasks(waiting, { task_ids: ['c'], cascade: true }, later(20))).toThrow('has begun to land a');
    expect(only(cancelTasks(begun, { task_ids: ['a'], withdrawn: [TOKEN] }, later(20)).board as Board).status).toBe(
      'cancelled',
    );
  });

  test('that could not be gives the task back to its author with its turn; the fifth time it has failed, its branch kept', () => {
    const begun = begin(withTasks(queuedTask('a', { bounces: 4 }))).board as Board;
    const failed = only(
      bounceTask(begun, { task_id: 'a', token: TOKEN, reason: 'r', files: ['x'] }, NOW).board as Board,
    );
    expect([failed.status, failed.turn, failed.branch]).toEqual(['failed', undefined, 'coord/a.1']);
    const first = begin(withTasks(queuedTask('a'))).board as Board;
    const run = { command: 'c', exit_code: 1, duration_ms: 1, tail: 'wrong' };
    const back = only(
      bounceTask(first, { task_id: 'a', token: TOKEN, reason: 'r', files: ['x'], run }, NOW).board as Board,
    );
    expect(back).toMatchObject({
      status: 'available',
      returned_to: 'w',
      bounces: 1,
      turn: { files: ['x'], until: later(15) },
      evidence: { verdict: 'red', tail: 'wrong' },
      last_error: 'landing sent it back: r',
    });
  });
});

test('a claim gets its branch, and what is handed in from it is a commit, or nothing at all', () => {
  const claimed = claimTask(withTasks(task('a')), { worker: 'w' }, NOW).board as Board;
  expect(only(claimed).branch).toBe('coord/a.1');
  const input = { worker: 'w', task_id: 'a', output: 'o', digest: 'd' };
  expect(() => completeTask(claimed, input, NOW)).toThrow('handed in from its worktree');
  expect(() => completeTask(claimed, { ...input, proof: { runs: [] } }, NOW)).toThrow('handed in from its worktree');
  const handed = only(completeTask(claimed, { ...input, proof: { head: HEAD, files: ['x'] } }, NOW).board as Board);
  expect(handed).toMatchObject({ status: 'submitted', head: HEAD, branch: 'coord/a.1' });
  const unchanged = only(completeTask(claimed, { ...input, proof: { unchanged: true } }, NOW).board as Board);
  expect([unchanged.status, unchanged.branch]).toEqual(['done', undefined]);
});

test('approving what lands lets it land, of that very head', () => {
  const waiting = withTasks(queuedTask('a', { review: true }));
  expect(() => approveTask(waiting, { by: 'v', task_id: 'a', head: MERGE }, NOW)).toThrow('has changed since');
  const approved = approveTask(waiting, { by: 'v', task_id: 'a', head: HEAD }, NOW).board as Board;
  expect([only(approved).status, isQueued(approved, only(approved))]).toEqual(['submitted', true]);
});

test('worktrees do not end while somebody works in one', () => {
  expect(() => setDefaults(withTasks(queuedTask('a')), { clear: ['worktrees'] })).toThrow('must land first');
  expect(setDefaults(withTasks(task('a')), { clear: ['worktrees'] }).board?.['defaults']).toBeUndefined();
});

test('names: branches for every id, each its own; and nothing that git takes for an option or another ref', () => {
  const main = { branch: 'coord/main' };
  const ids = ['a', 'a.', 'a..b', 'a.b', 'x.lock', '-x', 'a..', 'main'];
  const names = ids.map((id) => branchOf({ id, attempt: 1 }, main));
  expect(new Set(names).size).toBe(ids.length);
  for (const name of names) expect([name, isBranchName(name)]).toEqual([name, true]);
  expect(branchOf({ id: 'a', attempt: 3 }, { ...main, series: '2' })).toBe('coord/2+a.3');
  expect(worktreeOf('coord/2+a.3')).toBe('.claude/worktrees/coord-2+a.3');
  for (const bad of [
    '-x',
    'a..b',
    'a b',
    'x.lock',
    '',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[',
    'a\\b',
    'a@{1}',
    'a\n',
  ])
    expect([bad, isBranchName(bad)]).toEqual([bad, false]);
  expect([
    isWorktrees({ branch: 'a', remote: '--upload-pack=x' }),
    isWorktrees({ branch: 'a', remote: 'origin' }),
  ]).toEqual([false, true]);
});
