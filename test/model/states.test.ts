/** Every state that a task can come into, found by trying all verbs from all states: none is a dead end, and done is always proven. */
import { expect, test } from 'vitest';
import { type Board, expireLastAttempts, LEADER } from '../../src/model/board.ts';
import { CoordError } from '../../src/model/errors.ts';
import { checksOf, mayBeReviewed } from '../../src/model/gate.ts';
import { faultOf } from '../../src/model/stored-board.ts';
import { acceptResult } from '../../src/model/verbs/accept-result.ts';
import { cancelTasks } from '../../src/model/verbs/cancel-tasks.ts';
import { claimTask } from '../../src/model/verbs/claim.ts';
import { completeTask } from '../../src/model/verbs/complete.ts';
import { failTask } from '../../src/model/verbs/fail.ts';
import { beginLanding, bounceTask, landTask, renewLanding } from '../../src/model/verbs/land-task.ts';
import type { Proof } from '../../src/model/verbs/proof.ts';
import { recordCheck } from '../../src/model/verbs/record-check.ts';
import { releaseTask } from '../../src/model/verbs/release.ts';
import { reopenTasks } from '../../src/model/verbs/reopen-tasks.ts';
import { retryTasks } from '../../src/model/verbs/retry-tasks.ts';
import { approveTask, sendBackTask, verifyTask } from '../../src/model/verbs/review-task.ts';
import { takeBackTasks } from '../../src/model/verbs/take-back-tasks.ts';
import { board, NOW, task } from '../support/boards.ts';

const task_id = 'task-001';
const WORKERS = ['w', 'v'];
const LATER = '2026-01-02T12:00:00.000Z';
const green = { command: 'npm test', exit_code: 0, duration_ms: 1, tail: '' };
const PROOFS: (Proof | undefined)[] = [
  undefined,
  { runs: [] },
  { runs: [green], head: 'h', files: ['a'] },
  { runs: [{ ...green, exit_code: 1 }] },
  { unchecked: true },
  { runs: [green], unchanged: true },
];

const TOKEN = 'token-of-a-landing';
const LANDING = { task_id, token: TOKEN };

type Step = [name: string, step: (b: Board) => Board | undefined];
const STEPS: Step[] = [
  ...WORKERS.flatMap((worker): Step[] => [
    [`${worker} claims`, (b) => claimTask(b, { worker, task_id }, NOW).board],
    [`${worker} releases`, (b) => releaseTask(b, { worker, task_id }, NOW).board],
    [`${worker} fails`, (b) => failTask(b, { worker, task_id, error: 'e' }, NOW).board],
    [`${worker} fails for good`, (b) => failTask(b, { worker, task_id, error: 'e', retry: false }, NOW).board],
    ...PROOFS.map((proof, i): Step => [
      `${worker} completes ${i}`,
      (b) => completeTask(b, { worker, task_id, output: 'o', digest: 'd', ...(proof ? { proof } : {}) }, NOW).board,
    ]),
    [
      `${worker} was red`,
      (b) =>
        recordCheck(b, { worker, task_id, verdict: 'red', run: { ...green, exit_code: 1 }, tree: null }, NOW).board,
    ],
  ]),
  ...[...WORKERS, LEADER].flatMap((by): Step[] => [
    [`${by} approves`, (b) => approveTask(b, { by, task_id, head: 'h' }, NOW).board],
    [`${by} approves something else`, (b) => approveTask(b, { by, task_id, head: 'other' }, NOW).board],
    [`${by} sends back`, (b) => sendBackTask(b, { by, task_id, reason: 'r' }, NOW).board],
  ]),
  ['it is verified', (b) => verifyTask(b, { by: LEADER, task_id, proof: { runs: [green] } }, NOW).board],
  [
    'a late result is accepted',
    (b) =>
      acceptResult(
        b,
        { task_id, kept: 'k', proof: { runs: [green] }, late: { worker: 'v', output: 'o', digest: 'd' } },
        NOW,
      ).board,
  ],
  ...['head', undefined].flatMap((head): Step[] => [
    [
      `a lander begins, ${head}`,
      (b) => beginLanding(b, { by: 'l', task_id, token: TOKEN, head: head ?? 'other' }, NOW).board,
    ],
  ]),
  [
    'it lands',
    (b) => landTask(b, { ...LANDING, commit: 'm', branch: 'coord/main', proof: { runs: [green] } }, NOW).board,
  ],
  [
    'it lands unproven',
    (b) => landTask(b, { ...LANDING, commit: 'm', branch: 'coord/main', proof: { runs: [] } }, NOW).board,
  ],
  ['it bounces', (b) => bounceTask(b, { ...LANDING, reason: 'r', files: ['a'] }, NOW).board],
  ['the lander gives up', (b) => renewLanding(b, { ...LANDING, ends: true }, NOW).board],
  // The lander sleeps, and the lease of its landing runs out.
  [
    'the leader cancels it all the same',
    (b) => cancelTasks(b, { task_ids: [task_id], withdrawn: [TOKEN] }, LATER).board,
  ],
  [
    'the leader sends it back all the same',
    (b) => sendBackTask(b, { by: LEADER, task_id, reason: 'r', withdrawn: TOKEN }, LATER).board,
  ],
  ['the leader takes it back', (b) => takeBackTasks(b, { task_ids: [task_id] }).board],
  ['the leader cancels', (b) => cancelTasks(b, { task_ids: [task_id] }, NOW).board],
  ['the leader retries', (b) => retryTasks(b, { task_ids: [task_id] }).board],
  ['the leader reopens', (b) => reopenTasks(b, { task_ids: [task_id] }).board],
  // Its worker has crashed, and the lease runs out: on the last attempt it is failed, else the next claim takes it over.
  [
    'the lease runs out',
    (b) => (expireLastAttempts(b, LATER).failed.length > 0 ? expireLastAttempts(b, LATER).board : undefined),
  ],
  [
    'its worker has crashed, and another takes over',
    (b) => {
      const taken = claimTask(b, { worker: 'v', task_id }, LATER).board;
      // As if it were noon again: only what has changed matters here.
      return (
        taken && {
          ...taken,
          tasks: taken.tasks.map((one) => ({ ...one, claimed_at: NOW, lease_expires_at: later }) as never),
        }
      );
    },
  ],
];
const later = '2026-01-01T12:30:00.000Z';

const UNTOLD = new Set([
  'attempt',
  'max_attempts',
  'claimed_at',
  'completed_at',
  'lease_expires_at',
  'last_error',
  'note',
  'evidence',
  'branch',
  'turn',
  'bounces',
]);

/** What tells one state from another: not the times, nor how many attempts, but whether any is left. */
function keyOf({ tasks: [one] }: Board): string {
  if (!one) return '';
  const { attempt, max_attempts, lease_expires_at, evidence, branch, bounces = 0 } = one;
  const rest = Object.fromEntries(Object.entries(one).filter(([name]) => !UNTOLD.has(name)));
  const isLast = attempt >= max_attempts;
  return JSON.stringify([
    rest,
    isLast,
    attempt > 0,
    lease_expires_at === null,
    evidence?.verdict,
    branch !== undefined,
    Math.min(bounces, 5),
  ]);
}

/** All states, each with where its steps lead. */
function explore(start: Board): Map<string, { board: Board; next: Map<string, string> }> {
  const states = new Map([[keyOf(start), { board: start, next: new Map<string, string>() }]]);
  const open = [start];
  for (let from = open.pop(); from; from = open.pop()) {
    const { next } = states.get(keyOf(from)) ?? { next: new Map<string, string>() };
    for (const [name, step] of STEPS) {
      let to: Board | undefined;
      try {
        to = step(from);
      } catch (error) {
        if (!(error instanceof CoordError)) throw error;
      }
      if (!to) continue;
      const key = keyOf(to);
      next.set(name, key);
      if (states.has(key)) continue;
      states.set(key, { board: to, next: new Map() });
      open.push(to);
    }
  }
  return states;
}

test.each([
  ['asks for nothing', {}, {}],
  ['has a check', { checks: ['npm test'] }, {}],
  ['is to be reviewed', {}, { review: true }],
  ['has a check and is to be reviewed', { checks: ['npm test'], review: true }, {}],
  ['lands', {}, { worktrees: { branch: 'coord/main' } }],
  [
    'has a check, is to be reviewed, and lands',
    { checks: ['npm test'], review: true },
    { worktrees: { branch: 'coord/main' } },
  ],
])('a task that %s', (_what, fields, defaults) => {
  const states = explore({ ...board(task(task_id, { max_attempts: 2, ...fields })), defaults });
  expect(states.size).toBeGreaterThan(10);
  expect(states.size).toBeLessThan(10_000);
  const reached = new Set(
    [...states].filter(([, { board: one }]) => one.tasks[0]?.status === 'done').map(([key]) => key),
  );
  expect(reached.size).toBeGreaterThan(0);
  for (let size = -1; size !== reached.size;) {
    size = reached.size;
    for (const [key, { next }] of states) if ([...next.values()].some((to) => reached.has(to))) reached.add(key);
  }
  for (const [key, { board: one, next }] of states) {
    const [only] = one.tasks;
    // As it would be read back from a disk.
    expect(faultOf(JSON.parse(JSON.stringify(one))), key).toBeUndefined();
    expect(next.size, `nothing leads on from ${key}`).toBeGreaterThan(0);
    expect(reached.has(key), `done is out of reach from ${key}`).toBe(true);
    if (only?.status !== 'done' || !only) continue;
    if (checksOf(one, only).length > 0) expect(only.evidence?.verdict, key).toBe('green');
    if (mayBeReviewed(one, only)) expect(only.reviewed?.by, key).toBeDefined();
    expect(only.reviewed?.by ?? 'nobody', key).not.toBe(only.claimed_by);
    // What has a branch is done because it is on that of the board, or there was nothing to land.
    if (one.defaults?.worktrees && only.branch !== undefined && !('late' in only))
      expect([key, only.landed?.commit]).toEqual([key, 'm']);
    expect(only.landing, key).toBeUndefined();
  }
});
