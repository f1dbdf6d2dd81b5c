/** How a branch that was handed in lands: one at a time, told by a token which try it is. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, findTask, replaceTasks } from '../board.ts';
import { CoordError } from '../errors.ts';
import { Files, lazily, Reason, TaskId, Worker } from '../fields.ts';
import { isLandingLive, isQueued, LANDING_SECONDS, TURN_SECONDS } from '../landing.ts';
import { toDone } from '../lifecycle.ts';
import type { SubmittedTask, Task } from '../task.ts';
import { clip } from '../text.ts';
import type { Landing } from '../worktrees.ts';
import { freedBy } from './complete.ts';
import { failing, Proof, proven, refuseUnproven, Run } from './proof.ts';
import { type ReviewAnswer, sentBack, submitted } from './review-task.ts';

const Token = lazily(() => z.string().check(z.minLength(8), z.maxLength(64)));
const Commit = lazily(() => z.string().check(z.regex(/^[0-9a-f]{40,64}$/, 'must be the id of a commit')));

export const BeginLanding = lazily(() =>
  z.strictObject({
    by: Worker(),
    task_id: TaskId(),
    token: Token(),
    /** The commit that lands, and what it changes: of a task that was handed in from where nobody could look. */
    head: Commit(),
    files: z.optional(Files()),
  }),
);
export type BeginLanding = z.infer<ReturnType<typeof BeginLanding>>;

const OneLanding = lazily(() => z.strictObject({ task_id: TaskId(), token: Token() }));

export const RenewLanding = lazily(() =>
  z.extend(OneLanding(), {
    /** It was given up, and nothing of it is left. */
    ends: z.optional(z.boolean()),
  }),
);
export type RenewLanding = z.infer<ReturnType<typeof RenewLanding>>;

export const LandTask = lazily(() =>
  z.extend(OneLanding(), {
    /** The merge. */
    commit: Commit(),
    branch: z.string(),
    /** What the checks of the merged tree came to; without it the branch held the task already, as after a crash. */
    proof: z.optional(Proof()),
  }),
);
export type LandTask = z.infer<ReturnType<typeof LandTask>>;

export const BounceTask = lazily(() =>
  z.extend(OneLanding(), {
    reason: Reason(),
    /** Where it met with what others have changed: it has the next turn with these. */
    files: z.optional(Files()),
    /** The check of the merged tree that did not end well. */
    run: z.optional(Run()),
    tree: z.optional(z.string()),
  }),
);
export type BounceTask = z.infer<ReturnType<typeof BounceTask>>;

/**
 * Takes the one turn to land. Where what it changes asks for a review that nobody has given, it does not land, and waits for that.
 *
 * @throws CoordError `task-not-found`; `task-state` where it is not queued, another lands, or its head is another by now
 */
export function beginLanding(board: Board, input: BeginLanding, now: string): Change<{ task: Task; lands: boolean }> {
  const task = submitted(findTask(board, input.task_id), 'land');
  const refuse = (message: string, why: string): never => {
    throw new CoordError('task-state', message, { details: { why, task_id: task.id } });
  };
  const other = board.tasks.find((one) => isLandingLive(one, now));
  if (other) refuse(`${other.landing?.by} lands ${other.id}.`, 'landing');
  if (task.head !== undefined && task.head !== input.head) refuse(`${task.id} was handed in again.`, 'moved');
  const { reviewed, head } = task;
  if (reviewed !== undefined && head === undefined && reviewed.head !== input.head)
    refuse(`${task.id} was approved as another commit.`, 'moved');
  const { files } = input;
  const seen: SubmittedTask = {
    ...task,
    head: input.head,
    ...(files === undefined || task.evidence === undefined ? {} : { evidence: { ...task.evidence, files } }),
  };
  if (!isQueued(board, seen)) {
    if (task.head !== undefined) refuse(`${task.id} waits for a review.`, 'review');
    return { board: replaceTasks(board, [seen]), answer: { task: seen, lands: false }, repeatable: true };
  }
  const landing: Landing = { by: input.by, token: input.token, until: later(now, LANDING_SECONDS) };
  const next: Task = { ...seen, landing };
  return { board: replaceTasks(board, [next]), answer: { task: next, lands: true }, repeatable: true };
}

/** @throws CoordError `task-not-found`, `task-state` where the landing was taken away */
export function renewLanding(board: Board, input: RenewLanding, now: string): Change<{ task: Task }> {
  const { task, landing } = landed(board, input);
  const { landing: _, ...rest } = task;
  const next: Task =
    input.ends === true ? rest : { ...rest, landing: { ...landing, until: later(now, LANDING_SECONDS) } };
  return { board: replaceTasks(board, [next]), answer: { task: next }, repeatable: true };
}

/**
 * Makes a task done whose branch is in that of the board.
 *
 * @throws CoordError `task-not-found`, `task-state`, `unchecked`
 */
export function landTask(board: Board, input: LandTask, now: string): Change<ReviewAnswer> {
  const known = findTask(board, input.task_id);
  if (known.status === 'done' && known.landed?.commit === input.commit)
    return { answer: { task: known, now_claimable: [] }, repeatable: true };
  const { task, landing } = landed(board, input);
  const { proof, commit, branch } = input;
  if (proof) refuseUnproven(board, task, { ...proof, head: task.head, unchecked: false });
  const { turn: _, ...rest } = task;
  const { evidence, head, reviewed } = task;
  const done: Task = {
    ...toDone(rest, task.claimed_by, task.result_digest, now),
    ...(evidence === undefined ? {} : { evidence }),
    ...(head === undefined ? {} : { head }),
    ...(reviewed === undefined ? {} : { reviewed }),
    ...proven(proof && { ...proof, head, files: evidence?.files }, task.claimed_by, now),
    landed: { commit, branch, at: now },
    // Handed in then, done now.
    completed_at: now,
  };
  const next = replaceTasks(board, [done]);
  return {
    board: next,
    answer: { task: done, now_claimable: freedBy(board, next, done.id, now) },
    events: [eventOf(landing.by, 'land', done, `${commit.slice(0, 12)} on ${branch}`)],
    evidence: { task: done, checks: proof?.runs ?? [] },
    repeatable: true,
  };
}

/**
 * Gives back what could not land, its author before others.
 *
 * @throws CoordError `task-not-found`, `task-state`
 */
export function bounceTask(board: Board, input: BounceTask, now: string): Change<{ task: Task }> {
  const { task, landing } = landed(board, input);
  const { files, run, tree = null, reason } = input;
  const back = sentBack(task, 'landing', reason, now);
  const next: Task = {
    ...back,
    ...(run === undefined ? {} : { evidence: failing('red', run, tree, task.claimed_by, now) }),
    ...(files === undefined || back.status === 'failed' ? {} : { turn: { files, until: later(now, TURN_SECONDS) } }),
  };
  return {
    board: replaceTasks(board, [next]),
    answer: { task: next },
    events: [eventOf(landing.by, 'send-back', next, clip(reason, 200))],
  };
}

/** The task of this very landing, however long ago its lease has run out: nobody has taken it over. */
function landed(
  board: Board,
  { task_id, token }: { task_id: string; token: string },
): { task: SubmittedTask; landing: Landing } {
  const task = findTask(board, task_id);
  if (task.status === 'submitted' && task.landing?.token === token) return { task, landing: task.landing };
  throw new CoordError('task-state', `The landing of ${task_id} was taken away; it is ${task.status}.`, {
    details: { why: 'landing-lost', task_id },
  });
}

function later(now: string, seconds: number): string {
  return new Date(Date.parse(now) + seconds * 1000).toISOString();
}
