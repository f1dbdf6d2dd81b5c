/** The table of the lifecycle is what the verbs do: each verb on a task of each status, with everything else in its favour. */
import { answerQuestion } from '../../src/model/verbs/answer.ts';
import { askQuestion } from '../../src/model/verbs/ask.ts';
import { describe, expect, test } from 'vitest';
import type { Board, Change } from '../../src/model/board.ts';
import { CoordError } from '../../src/model/errors.ts';
import { allows, LIFECYCLE, type Verb } from '../../src/model/lifecycle.ts';
import { STATUSES } from '../../src/model/limits.ts';
import type { Status, Task } from '../../src/model/task.ts';
import { cancelTasks } from '../../src/model/verbs/cancel-tasks.ts';
import { acceptResult } from '../../src/model/verbs/accept-result.ts';
import { claimTask } from '../../src/model/verbs/claim.ts';
import { completeTask } from '../../src/model/verbs/complete.ts';
import { editTask } from '../../src/model/verbs/edit-task.ts';
import { failTask } from '../../src/model/verbs/fail.ts';
import { releaseTask } from '../../src/model/verbs/release.ts';
import { beginLanding, landTask, renewLanding } from '../../src/model/verbs/land-task.ts';
import { recordCheck } from '../../src/model/verbs/record-check.ts';
import { renewLeases } from '../../src/model/verbs/renew.ts';
import { reopenTasks } from '../../src/model/verbs/reopen-tasks.ts';
import { retryTasks } from '../../src/model/verbs/retry-tasks.ts';
import { approveTask, sendBackTask, verifyTask } from '../../src/model/verbs/review-task.ts';
import { takeBackTasks } from '../../src/model/verbs/take-back-tasks.ts';
import { expireLastAttempts } from '../../src/model/board.ts';
import { board, claimed, later, NOW, task } from '../support/boards.ts';

const id = 'task-001';
const OF: Record<Status, Task> = {
  available: task(id, { taken_from: 'w' }),
  claimed: claimed(id, 'w'),
  submitted: task(id, { status: 'submitted', claimed_by: 'w', completed_at: NOW, result_digest: 'x', review: true }),
  done: task(id, { status: 'done', claimed_by: 'w', completed_at: NOW, result_digest: 'x' }),
  failed: task(id, { status: 'failed', completed_at: NOW, taken_from: 'w' }),
  cancelled: task(id, { status: 'cancelled', completed_at: NOW }),
};

const COMMIT = 'c'.repeat(40);
const LANDING = { task_id: id, token: 'token-of-a-landing' };

function withFields(b: Board, fields: Partial<Task>): Board {
  return { ...b, tasks: b.tasks.map((one) => ({ ...one, ...fields }) as Task) };
}

/** What a verb makes of the one task of a board; several ways where the table names several statuses. */
const RUN: Record<Verb, ((board: Board) => Change<unknown>)[]> = {
  claim: [(b) => claimTask(b, { worker: 'w', task_id: id }, NOW)],
  renew: [(b) => renewLeases(b, { worker: 'w' }, NOW)],
  complete: [false, true].map(
    (review) => (b) =>
      completeTask(
        { ...b, defaults: { review } },
        { worker: 'w', task_id: id, output: 'o', digest: 'x', proof: {} },
        NOW,
      ),
  ),
  recordCheck: [
    (b) =>
      recordCheck(
        b,
        {
          worker: 'w',
          task_id: id,
          verdict: 'red',
          run: { command: 'c', exit_code: 1, duration_ms: 1, tail: '' },
          tree: null,
        },
        NOW,
      ),
  ],
  ask: [false, true].map((park) => (b) => askQuestion(b, { worker: 'w', task_id: id, question: 'q', park }, NOW)),
  answer: [
    (b) =>
      answerQuestion(
        withFields(b, { questions: [{ text: 'q', by: 'w', at: NOW }] }),
        { by: 'v', task_id: id, answer: 'a' },
        NOW,
      ),
  ],
  approve: [
    (b) => approveTask(b, { by: 'v', task_id: id }, NOW),
    (b) => approveTask(withFields(b, { branch: 'coord/x.1' }), { by: 'v', task_id: id }, NOW),
  ],
  verify: [false, true].map(
    (review) => (b) =>
      verifyTask(
        { ...b, tasks: b.tasks.map((one) => ({ ...one, review })) },
        { by: 'v', task_id: id, proof: { runs: [] } },
        NOW,
      ),
  ),
  land: [
    (b) =>
      beginLanding(withFields(b, { branch: 'coord/x.1', review: false }), { ...LANDING, by: 'v', head: COMMIT }, NOW),
    (b) =>
      landTask(
        withFields(b, { branch: 'coord/x.1', landing: { by: 'v', token: LANDING.token, until: later(9) } }),
        { ...LANDING, commit: COMMIT, branch: 'coord/main' },
        NOW,
      ),
    (b) =>
      renewLanding(
        withFields(b, { branch: 'coord/x.1', landing: { by: 'v', token: LANDING.token, until: later(9) } }),
        LANDING,
        NOW,
      ),
  ],
  sendBack: [0, 4].map(
    (bounces) => (b) =>
      sendBackTask(
        { ...b, tasks: b.tasks.map((one) => ({ ...one, bounces })) },
        { by: 'v', task_id: id, reason: 'r' },
        NOW,
      ),
  ),
  accept: [
    (b) =>
      acceptResult(
        b,
        { task_id: id, kept: 'k', proof: { runs: [] }, late: { worker: 'z', output: 'o', digest: 'y' } },
        NOW,
      ),
    (b) =>
      acceptResult(
        b,
        {
          task_id: id,
          kept: 'k',
          branch: 'coord/x.1',
          proof: { unchecked: true, head: COMMIT },
          late: { worker: 'z', output: 'o', digest: 'y' },
        },
        NOW,
      ),
  ],
  fail: [
    (b) => failTask(b, { worker: 'w', task_id: id, error: 'e' }, NOW),
    (b) => failTask(b, { worker: 'w', task_id: id, error: 'e', retry: false }, NOW),
  ],
  release: [(b) => releaseTask(b, { worker: 'w', task_id: id }, NOW)],
  expire: [
    (b) => {
      const last = { ...b, tasks: b.tasks.map((one) => ({ ...one, attempt: one.max_attempts })) };
      const { board: next, failed } = expireLastAttempts(last, later(9999));
      return failed.length > 0 ? { board: next, answer: undefined } : { answer: undefined };
    },
  ],
  edit: [(b) => editTask(b, { task_id: id, priority: 1 })],
  retry: [(b) => retryTasks(b, { task_ids: [id] })],
  reopen: [(b) => reopenTasks(b, { task_ids: [id] })],
  cancel: [(b) => cancelTasks(b, { task_ids: [id] }, NOW)],
  takeBack: [(b) => takeBackTasks(b, { task_ids: [id] })],
};

describe.each(Object.keys(LIFECYCLE) as Verb[])('%s', (verb) => {
  test.each(STATUSES)('of a task that is %s does what the table says', (status) => {
    const { from, refused } = LIFECYCLE[verb];
    const wanted = from[status];
    expect(allows(verb, { status })).toBe(wanted !== undefined);
    const ends: (Status | undefined)[] = [];
    for (const run of RUN[verb]) {
      try {
        const next = run(board(OF[status])).board;
        ends.push(next ? next.tasks[0]?.status : wanted === undefined ? undefined : status);
      } catch (error) {
        expect(error).toBeInstanceOf(CoordError);
        expect([wanted, (error as CoordError).code]).toEqual([undefined, refused]); // as just checked
      }
    }
    if (refused !== undefined && wanted === undefined) expect(ends).toEqual([]);
    else expect([...new Set(ends)]).toEqual(wanted === undefined ? [undefined] : [wanted].flat());
  });
});

const WHO = {
  worker: 'any worker',
  holder: 'who holds it',
  reviewer: 'the leader, or a worker that never held it',
  other: 'anybody but who asked',
  leader: 'the leader',
  clock: 'the clock',
};

test('the table of the docs is this table', async () => {
  const rows = Object.entries(LIFECYCLE).flatMap(([verb, { by, from, refused }]) =>
    Object.entries(from).map(
      ([status, to]) => `| ${status} | ${verb} | ${WHO[by]} | ${[to].flat().join(' or ')} | ${refused ?? '—'} |`,
    ),
  );
  await expect(
    [
      '# The life of a task',
      '',
      'Made from the table in `src/model/lifecycle.ts` by its test. From a status that a verb does not name it is refused, with the code of the last column.',
      'Done needs its checks proven and its review given; see "Proof of done" in the README.',
      '',
      '| from | verb | who | to | else |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
      '',
    ].join('\n'),
  ).toMatchFileSnapshot('../../docs/lifecycle.md');
});
