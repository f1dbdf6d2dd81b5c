/** Hands a task to a worker: the rule that everything else is there for. */
import * as z from 'zod/mini';
import {
  type Board,
  type Change,
  compareIds,
  eventOf,
  expireLastAttempts,
  findTask,
  LEADER,
  replaceTasks,
} from '../board.ts';
import { Dependencies } from '../dependencies.ts';
import { CoordError } from '../errors.ts';
import { lazily, Name, TaskId, Worker } from '../fields.ts';
import type { PathIndex } from '../files.ts';
import { allows, isExpired, isHeldBy, isLive, toClaimed, withLease } from '../lifecycle.ts';
import { DEFAULT_LEASE_SECONDS } from '../limits.ts';
import { checksOf, mayBeReviewed } from '../gate.ts';
import { claimedFiles, findOverlaps, isHeldBack, type Overlap } from '../overlaps.ts';
import { isAsking } from '../questions.ts';
import type { ClaimedTask, Task } from '../task.ts';
import { branchOf } from '../worktrees.ts';
import { explainIdle, type NotClaimed } from '../views/idle.ts';

/** A year. A lease that never ends would lose the task of a crashed worker. */
const MAX_LEASE_SECONDS = 31_536_000;

export const Claim = lazily(() =>
  z.strictObject({
    worker: Worker(),
    task_id: z.optional(TaskId()),
    lease_seconds: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_LEASE_SECONDS))),
    /** Of the Claude Code session that claims, as sessionTag names it: the claim is its own. */
    session: z.optional(Name()),
    /** Takes over a claim of the same worker whose session is gone. */
    adopt: z.optional(z.boolean()),
  }),
);
export type Claim = z.infer<ReturnType<typeof Claim>>;

/** A task was handed out. */
export interface Claimed {
  task: ClaimedTask;
  /** True when the worker held it already and only the lease was renewed. */
  already: boolean;
  /** Whose expired claim was taken over. */
  taken_over_from?: string;
  overlaps: Overlap[];
  /** What must end well before it is done, where there is anything. */
  checks?: readonly string[];
}

export type ClaimAnswer = Claimed | NotClaimed;

/**
 * Hands out the best claimable task: no file in common with a claimed task, then lowest priority number, then
 * smallest id. A worker that holds a live claim gets that very task again. An expired claim counts as available;
 * taking it over counts one attempt, and past `max_attempts` the task becomes `failed` instead.
 *
 * @param now  the moment of the claim, ISO 8601 UTC
 * @throws CoordError `task-not-found`, `not-claimable`, `worker-busy`: only for a task asked for by name
 */
export function claimTask(before: Board, input: Claim, now: string): Change<ClaimAnswer> {
  const { board, failed } = expireLastAttempts(before, now);
  const expired = failed.map((task) => eventOf(LEADER, 'expire', task, task.last_error ?? ''));
  const mine = board.tasks.find((task): task is ClaimedTask => isHeldBy(task, input.worker) && isLive(task, now));
  if (mine && (input.task_id === undefined || input.task_id === mine.id)) {
    const events = expired.length > 0 ? { events: expired } : {};
    return { ...renewed(board, mine, input, now), ...events, repeatable: true };
  }
  const dependencies = new Dependencies(board);
  const claimed = claimedFiles(board, now);
  const best =
    input.task_id === undefined
      ? pickTask(board, claimed, dependencies, input.worker, now)
      : namedTask(board, claimed, dependencies, input.task_id, input.worker, now);
  if (!best) {
    const answer = explainIdle(board, dependencies, now);
    return failed.length > 0 ? { board, answer, events: expired, repeatable: true } : { answer };
  }
  const from = isExpired(best, now) ? best.claimed_by : null;
  const holders = mayBeReviewed(board, best)
    ? { held_by: [...new Set([...(best.held_by ?? []), input.worker])], begun_at: best.begun_at ?? now }
    : {};
  const task: ClaimedTask = {
    ...toClaimed(best, input.worker, input.lease_seconds ?? DEFAULT_LEASE_SECONDS, now),
    ...branchFor(board, best),
    ...holders,
    ...(input.session === undefined ? {} : { claimed_session: input.session }),
    last_error: from === null ? best.last_error : `lease of ${from} expired on attempt ${best.attempt}`,
  };
  const answer: Claimed = {
    task,
    already: false,
    ...(from === null ? {} : { taken_over_from: from }),
    overlaps: findOverlaps(task, claimed),
    ...checksIn(board, task),
  };
  const message = `attempt ${task.attempt}, lease until ${task.lease_expires_at}${from === null ? '' : `, taken over from ${from}`}`;
  return {
    board: replaceTasks(board, [task]),
    answer,
    events: [...expired, eventOf(input.worker, 'claim', task, message)],
    repeatable: true,
  };
}

/** The branch of the next claim, where each has one. */
function branchFor({ defaults }: Board, task: Task): Pick<Task, 'branch'> {
  const next = { id: task.id, attempt: task.attempt + 1 };
  return defaults?.worktrees ? { branch: branchOf(next, defaults.worktrees) } : {};
}

/** The same task once more, its lease renewed. */
function renewed(board: Board, mine: ClaimedTask, input: Claim, now: string): Change<ClaimAnswer> {
  const { session } = input;
  const isTheirs = session !== undefined && (mine.claimed_session === undefined || input.adopt === true);
  const task = withLease(isTheirs ? { ...mine, claimed_session: session } : mine, input.lease_seconds, now);
  const answer: Claimed = {
    task,
    already: true,
    overlaps: findOverlaps(task, claimedFiles(board, now)),
    ...checksIn(board, task),
  };
  return { board: replaceTasks(board, [task]), answer };
}

function checksIn(board: Board, task: Task): Pick<Claimed, 'checks'> {
  const checks = checksOf(board, task);
  return checks.length > 0 ? { checks } : {};
}

function pickTask(
  board: Board,
  claimed: PathIndex<ClaimedTask>,
  dependencies: Dependencies,
  worker: string,
  now: string,
): Task | undefined {
  let best: { task: Task; rank: number } | undefined;
  const isBetter = (task: Task, rank: number): boolean =>
    !best || rank < best.rank || (rank === best.rank && compareIds(task.id, best.task.id) < 0);
  for (const task of board.tasks) {
    // One's own expired claim first, and what was sent back to one: nobody knows that task better.
    const isOwn = task.claimed_by === worker || task.returned_to === worker;
    const rank = (isOwn ? 0 : task.returned_to === undefined ? 100 : 200) + task.priority;
    if (!isBetter(task, rank) || !dependencies.isClaimable(task, now)) continue;
    const overlaps = findOverlaps(task, claimed);
    if (isHeldBack(board, task, overlaps)) continue;
    const withOverlaps = overlaps.length > 0 ? rank + 1000 : rank;
    if (isBetter(task, withOverlaps)) best = { task, rank: withOverlaps };
  }
  return best?.task;
}

function namedTask(
  board: Board,
  claimed: PathIndex<ClaimedTask>,
  dependencies: Dependencies,
  id: string,
  worker: string,
  now: string,
): Task {
  const task = findTask(board, id);
  // An expired claim counts too: its next heartbeat would renew it, and then the worker would hold two.
  const other = board.tasks.find((held) => isHeldBy(held, worker) && held.id !== id);
  if (other) {
    throw new CoordError('worker-busy', `${worker} still holds ${other.id}.`, {
      details: { worker, task_id: id, other_id: other.id },
    });
  }
  const refuse = (why: string, message: string, other_id?: string): never => {
    const details = { why, task_id: id, status: task.status, ...(other_id === undefined ? {} : { other_id }) };
    throw new CoordError('not-claimable', message, { details });
  };
  if (isLive(task, now)) refuse('held', `${id} is claimed by ${task.claimed_by} until ${task.lease_expires_at}.`);
  if (!allows('claim', task)) refuse('settled', `${id} is ${task.status}.`);
  if (isAsking(task, now)) refuse('asks', `${id} waits for an answer.`);
  const pending = dependencies.pending(task);
  if (pending.length > 0) {
    const names = pending.slice(0, 5).map((p) => `${p.id} (${p.status})`);
    refuse('waits', `${id} waits for ${names.join(', ')}.`);
  }
  const overlaps = findOverlaps(task, claimed);
  if (isHeldBack(board, task, overlaps)) {
    const [first] = overlaps;
    const message = `${id} must not run beside ${first?.task_id} of ${first?.worker}: ${first?.files.join(', ')}.`;
    refuse('exclusive', message, first?.task_id);
  }
  return task;
}
