/** What becomes of a task that was handed in for others to look at: approved, sent back, or checked where there is a tree. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, findTask, LEADER, replaceTasks } from '../board.ts';
import { CoordError } from '../errors.ts';
import { lazily, Reason, TaskId, Worker } from '../fields.ts';
import { wantsReview } from '../gate.ts';
import { allows, toAvailable, toDead, toDone } from '../lifecycle.ts';
import { isLandingLive } from '../landing.ts';
import { MOST_BOUNCES } from '../limits.ts';
import type { SubmittedTask, Task } from '../task.ts';
import { clip } from '../text.ts';
import { freedBy } from './complete.ts';
import { Proof, proven, provenRuns, refuseUnproven } from './proof.ts';

export const ApproveTask = lazily(() =>
  z.strictObject({
    /** A worker that never held the task, or `leader`. */
    by: Worker(),
    task_id: TaskId(),
    /** What was seen, as the task's own; where it names one. */
    head: z.optional(z.string()),
  }),
);
export type ApproveTask = z.infer<ReturnType<typeof ApproveTask>>;

export const SendBackTask = lazily(() =>
  z.strictObject({
    by: Worker(),
    task_id: TaskId(),
    reason: Reason(),
    /** The landing that was made void before, where one was begun. */
    withdrawn: z.optional(z.string()),
  }),
);
export type SendBackTask = z.infer<ReturnType<typeof SendBackTask>>;

export const VerifyTask = lazily(() => z.strictObject({ by: Worker(), task_id: TaskId(), proof: Proof() }));
export type VerifyTask = z.infer<ReturnType<typeof VerifyTask>>;

export interface ReviewAnswer {
  task: Task;
  /** Ids that it made claimable, smallest first. */
  now_claimable: string[];
}

/**
 * Makes a submitted task done, or lets it land. Approving a done task that one has approved is a success that changes nothing.
 *
 * @throws CoordError `task-not-found`; `task-state` where it is not submitted, by its author, or where what was seen is not what
 *   was handed in; `unchecked`
 */
export function approveTask(board: Board, input: ApproveTask, now: string): Change<ReviewAnswer> {
  const found = findTask(board, input.task_id);
  if (found.status === 'done' && found.reviewed?.by === input.by)
    return { answer: { task: found, now_claimable: [] }, repeatable: true };
  const task = reviewable(found, 'approve', input.by);
  // By the checks that hold now: they may have changed since it was handed in. What lands is checked then, merged.
  if (task.branch === undefined) refuseUnproven(board, task, { runs: provenRuns(task) });
  if (task.head !== undefined && input.head !== task.head)
    throw new CoordError(
      'task-state',
      `${task.id} has changed since it was handed in: what you saw is not what was checked.`,
      {
        details: { why: 'moved', task_id: task.id },
      },
    );
  const reviewed = { by: input.by, head: task.head ?? '', at: now };
  if (task.branch !== undefined) {
    // Of what nobody could look at when it was handed in, this is what was seen.
    const head = task.head ?? input.head;
    const approved: Task = {
      ...task,
      ...(head === undefined ? {} : { head }),
      reviewed: { ...reviewed, head: head ?? '' },
    };
    const answer = { task: approved, now_claimable: [] };
    const events = [eventOf(input.by, 'approve', approved, `of ${task.claimed_by}, to land`)];
    return { board: replaceTasks(board, [approved]), answer, events, repeatable: true };
  }
  return settled(board, { ...doneAsSeen(task, now), reviewed }, input.by, 'approve', now);
}

/**
 * Gives a submitted task back to be mended, its author before others; after {@link MOST_BOUNCES} of these it is failed.
 *
 * @throws CoordError `task-not-found`, `task-state`
 */
export function sendBackTask(board: Board, input: SendBackTask, now: string): Change<{ task: Task }> {
  const task = reviewable(findTask(board, input.task_id), 'sendBack', input.by);
  refuseLanding(task, [input.withdrawn], now);
  const back = sentBack(task, input.by, input.reason, now);
  return {
    board: replaceTasks(board, [back]),
    answer: { task: back },
    events: [eventOf(input.by, 'send-back', back, clip(input.reason, 200))],
  };
}

/** The task in its author's hands before others'; failed, once it has come back too often. */
export function sentBack(task: SubmittedTask, by: string, reason: string, now: string): Task {
  const bounces = (task.bounces ?? 0) + 1;
  const { reviewed: _, head: __, ...rest } = bounces >= MOST_BOUNCES ? toDead(task, 'failed', now) : toAvailable(task);
  return {
    ...rest,
    bounces,
    last_error: `${by} sent it back: ${reason}`,
    ...(rest.status === 'available' ? { returned_to: task.claimed_by } : {}),
    max_attempts: Math.max(task.max_attempts, task.attempt + 1), // it is no failure of the attempt
  };
}

/**
 * What lands is not taken back; nor what somebody began to land before that was made void, since they may only be asleep.
 *
 * @param withdrawn  tokens of landings that were
 * @throws CoordError `task-state`, with the token as `token` where it is to be made void first
 */
export function refuseLanding(task: Task, withdrawn: readonly (string | undefined)[], now: string): void {
  const { landing } = task;
  if (task.status !== 'submitted' || landing === undefined) return;
  const isLive = isLandingLive(task, now);
  if (!isLive && withdrawn.includes(landing.token)) return;
  const message = isLive ? `${landing.by} lands ${task.id}.` : `${landing.by} has begun to land ${task.id}.`;
  const why = isLive ? 'landing' : 'landing-begun';
  throw new CoordError('task-state', message, { details: { why, task_id: task.id, token: landing.token } });
}

/**
 * Adds the checks of what was handed in without a tree to check; done, where no review is asked for.
 *
 * @throws CoordError `task-not-found`, `task-state`, `unchecked`
 */
export function verifyTask(board: Board, input: VerifyTask, now: string): Change<ReviewAnswer> {
  const task = submitted(findTask(board, input.task_id), 'verify');
  refuseUnproven(board, task, { ...input.proof, unchecked: false });
  const named = task.evidence?.files ?? [];
  const files = [...new Set([...named, ...(input.proof.files ?? [])])];
  const proof = { ...input.proof, ...(files.length > 0 ? { files } : {}) };
  const checked = { ...task, ...proven(proof, task.claimed_by, now) };
  const evidence = { task: checked, checks: input.proof.runs ?? [] };
  const lands = task.branch !== undefined && input.proof.unchanged !== true;
  if (!lands && !wantsReview(board, task, [...files, ...(input.proof.touched ?? [])]))
    return { ...settled(board, doneAsSeen(checked, now), input.by, 'verify', now), evidence };
  return {
    board: replaceTasks(board, [checked]),
    evidence,
    answer: { task: checked, now_claimable: [] },
    events: [eventOf(input.by, 'verify', checked, '')],
  };
}

/** Done, with the proof that was handed in. */
function doneAsSeen(task: SubmittedTask, now: string): Task {
  const { evidence, head } = task;
  return {
    ...toDone(task, task.claimed_by, task.result_digest, now),
    ...(evidence === undefined ? {} : { evidence }),
    ...(head === undefined ? {} : { head }),
  };
}

function settled(board: Board, task: Task, by: string, event: string, now: string): Change<ReviewAnswer> {
  const next = replaceTasks(board, [task]);
  return {
    board: next,
    answer: { task, now_claimable: freedBy(board, next, task.id, now) },
    events: [eventOf(by, event, task, `of ${task.claimed_by ?? 'nobody'}`)],
    repeatable: true,
  };
}

export function submitted(task: Task, verb: 'approve' | 'verify' | 'sendBack' | 'land'): SubmittedTask {
  if (task.status === 'submitted' && allows(verb, task)) return task;
  throw new CoordError(
    'task-state',
    `${task.id} is ${task.status}; only what is submitted ${verb === 'land' ? 'lands' : 'is reviewed'}.`,
    {
      details: { task_id: task.id },
    },
  );
}

/** Whether this one may review it: nobody looks at what they did themselves. */
export function mayReview(task: Task, by: string): boolean {
  return (
    task.status === 'submitted' && task.claimed_by !== by && (by === LEADER || task.held_by?.includes(by) !== true)
  );
}

function reviewable(found: Task, verb: 'approve' | 'sendBack', by: string): SubmittedTask {
  const task = submitted(found, verb);
  if (mayReview(task, by)) return task;
  throw new CoordError('task-state', `${by} has worked on ${task.id}: somebody else reviews it.`, {
    details: { why: 'author', task_id: task.id },
  });
}
