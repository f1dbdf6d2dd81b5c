/** The verbs of a worker: claim, renew, complete, fail, release. Pure: `(board, input, now) -> Change`. */
import {
  type Board,
  type BoardEvent,
  type Change,
  compareIds,
  Dependencies,
  expireLastAttempts,
  findTask,
  isExpired,
  isSettled,
  LEADER,
  nextExpiry,
  replaceTasks,
  unclaimed,
} from './board.ts';
import { CoordError } from './errors.ts';
import { PathIndex } from './files.ts';
import type { Claim, Complete, Fail, Release, Renew } from './inputs.ts';
import { DEFAULT_LEASE_SECONDS } from './limits.ts';
import type { Task } from './task.ts';
import { clip } from './text.ts';

/** A claimed task of another worker that names files of this one. */
export interface Overlap {
  task_id: string;
  worker: string;
  files: string[];
}

/** A task was handed out. */
export interface Claimed {
  task: Task;
  /** True when the worker held it already and only the lease was renewed. */
  already: boolean;
  /** Whose expired claim was taken over. */
  taken_over_from?: string;
  overlaps: Overlap[];
}

/**
 * Why nothing was handed out: `drained` (every task is settled), `blocked` (others must finish first),
 * `stuck` (all that is left waits for a failed or cancelled task), `empty` (no task yet).
 */
export type IdleReason = 'drained' | 'blocked' | 'stuck' | 'empty';

/** Nothing can be claimed now. */
export interface NotClaimed {
  task: null;
  reason: IdleReason;
  /** Tasks that are not settled. */
  open: number;
  /** What the open tasks wait for: claimed tasks (`blocked`), failed and cancelled ones (`stuck`). At most five. */
  waiting_for: { task_id: string; worker: string | null; status: Task['status'] }[];
  /** When the next lease runs out, ISO 8601 UTC; null when nothing is claimed. */
  next_expiry: string | null;
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
  const expired = failed.map((task) => event(LEADER, 'expire', task, task.last_error ?? ''));
  const mine = board.tasks.find((task) => task.claimed_by === input.worker && isLive(task, now));
  if (mine && (input.task_id === undefined || input.task_id === mine.id)) {
    return { ...renewed(board, mine, input, now), repeatable: true };
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
  const task: Task = {
    ...withLease(best, input.lease_seconds ?? DEFAULT_LEASE_SECONDS, now),
    status: 'claimed',
    claimed_by: input.worker,
    claimed_at: now,
    attempt: best.attempt + 1,
    last_error: from === null ? best.last_error : `lease of ${from} expired on attempt ${best.attempt}`,
  };
  const answer: Claimed = {
    task,
    already: false,
    ...(from === null ? {} : { taken_over_from: from }),
    overlaps: findOverlaps(task, claimed),
  };
  const message = `attempt ${task.attempt}, lease until ${task.lease_expires_at}${from === null ? '' : `, taken over from ${from}`}`;
  return {
    board: replaceTasks(board, [task]),
    answer,
    events: [...expired, event(input.worker, 'claim', task, message)],
    repeatable: true,
  };
}

function isLive(task: Task, now: string): boolean {
  return task.status === 'claimed' && !isExpired(task, now);
}

/** The same task once more, its lease renewed. */
function renewed(board: Board, mine: Task, input: Claim, now: string): Change<ClaimAnswer> {
  const task = withLease(mine, input.lease_seconds ?? mine.lease_seconds ?? DEFAULT_LEASE_SECONDS, now);
  const answer: Claimed = { task, already: true, overlaps: findOverlaps(task, claimedFiles(board, now)) };
  return { board: replaceTasks(board, [task]), answer };
}

function withLease(task: Task, seconds: number, now: string): Task {
  const { lease_seconds: _, ...rest } = task;
  return {
    ...rest,
    lease_expires_at: new Date(Date.parse(now) + seconds * 1000).toISOString(),
    ...(seconds === DEFAULT_LEASE_SECONDS ? {} : { lease_seconds: seconds }),
  };
}

function pickTask(
  board: Board,
  claimed: PathIndex<Task>,
  dependencies: Dependencies,
  worker: string,
  now: string,
): Task | undefined {
  let best: { task: Task; rank: number } | undefined;
  const isBetter = (task: Task, rank: number): boolean =>
    !best || rank < best.rank || (rank === best.rank && compareIds(task.id, best.task.id) < 0);
  for (const task of board.tasks) {
    // One's own expired claim first: nobody knows that task better.
    const rank = (task.claimed_by === worker ? 0 : 100) + task.priority;
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
  claimed: PathIndex<Task>,
  dependencies: Dependencies,
  id: string,
  worker: string,
  now: string,
): Task {
  const task = findTask(board, id);
  // An expired claim counts too: its next heartbeat would renew it, and then the worker would hold two.
  const other = board.tasks.find((held) => held.status === 'claimed' && held.claimed_by === worker && held.id !== id);
  if (other) {
    throw new CoordError('worker-busy', `${worker} still holds ${other.id}.`, {
      hint: `coord worker done ${worker} ${other.id} "<what you did>" (or fail, or release), then claim ${id}`,
    });
  }
  if (task.status === 'claimed' && !isExpired(task, now)) {
    throw new CoordError('not-claimable', `${id} is claimed by ${task.claimed_by} until ${task.lease_expires_at}.`, {
      hint: 'Claim without naming a task to get the next one.',
    });
  }
  if (isSettled(task)) {
    throw new CoordError('not-claimable', `${id} is ${task.status}.`, {
      hint: task.status === 'done' ? 'Claim without naming a task to get the next one.' : `coord leader retry ${id}`,
    });
  }
  const pending = dependencies.pending(task);
  if (pending.length > 0) {
    const names = pending.slice(0, 5).map((p) => `${p.id} (${p.status})`);
    throw new CoordError('not-claimable', `${id} waits for ${names.join(', ')}.`, {
      hint: 'Claim without naming a task to get the next one.',
    });
  }
  const overlaps = findOverlaps(task, claimed);
  if (isHeldBack(board, task, overlaps)) {
    const [first] = overlaps;
    throw new CoordError(
      'not-claimable',
      `${id} must not run beside ${first?.task_id} of ${first?.worker}: ${first?.files.join(', ')}.`,
      {
        hint: `Wait until ${first?.task_id} is settled.`,
      },
    );
  }
  return task;
}

function claimedFiles(board: Board, now: string): PathIndex<Task> {
  const index = new PathIndex<Task>();
  for (const task of board.tasks) if (isLive(task, now)) for (const file of task.context.files) index.add(file, task);
  return index;
}

/** The claimed tasks that name files of this one, each with those files. */
function findOverlaps(task: Task, claimed: PathIndex<Task>): Overlap[] {
  const overlaps = new Map<string, Overlap>();
  for (const file of task.context.files) {
    for (const other of claimed.find(file)) {
      if (other.id === task.id) continue;
      const overlap = overlaps.get(other.id) ?? { task_id: other.id, worker: other.claimed_by ?? '', files: [] };
      overlap.files.push(file);
      overlaps.set(other.id, overlap);
    }
  }
  return [...overlaps.values()].toSorted((a, b) => compareIds(a.task_id, b.task_id));
}

/** The live claims of other workers that name this file, a folder around it, or something in it. */
export function claimsOn(board: Board, path: string, worker: string, now: string): Task[] {
  return [...claimedFiles(board, now).find(path)].filter((task) => task.claimed_by !== worker);
}

/** Exclusive tasks do not run beside a task that names one of their files, nor the other way round. */
function isHeldBack(board: Board, task: Task, overlaps: readonly Overlap[]): boolean {
  if (overlaps.length === 0) return false;
  return task.exclusive === true || overlaps.some(({ task_id }) => findTask(board, task_id).exclusive === true);
}

/** Why there is nothing to claim on this board now. Expired last attempts must have been failed before. */
function explainIdle(board: Board, dependencies: Dependencies, now: string): NotClaimed {
  const open = board.tasks.filter((task) => !isSettled(task));
  const claimed = open.filter((task) => task.status === 'claimed');
  const base = { task: null, open: open.length, next_expiry: nextExpiry(claimed, now) } as const;
  const named = (tasks: readonly Task[]): NotClaimed['waiting_for'] =>
    tasks.slice(0, 5).map((task) => ({ task_id: task.id, worker: task.claimed_by, status: task.status }));
  if (board.tasks.length === 0) return { ...base, reason: 'empty', waiting_for: [] };
  if (open.length === 0) return { ...base, reason: 'drained', waiting_for: [] };
  if (claimed.length > 0) return { ...base, reason: 'blocked', waiting_for: named(claimed) };
  const stuck = open.filter((task) => dependencies.isStuck(task));
  if (stuck.length === open.length) {
    const causes = new Map(stuck.flatMap((task) => dependencies.causes(task)).map((task) => [task.id, task]));
    return {
      ...base,
      reason: 'stuck',
      waiting_for: named([...causes.values()].toSorted((a, b) => compareIds(a.id, b.id))),
    };
  }
  return { ...base, reason: 'blocked', waiting_for: named(open.filter((task) => dependencies.isClaimable(task, now))) };
}

/** Renews every lease that a worker holds, expired ones too as long as nobody took the task over. */
export function renewLeases(board: Board, input: Renew, now: string): Change<Task[]> {
  const held = board.tasks
    .filter((task) => task.status === 'claimed' && task.claimed_by === input.worker)
    .map((task) => withLease(task, task.lease_seconds ?? DEFAULT_LEASE_SECONDS, now));
  return held.length === 0 ? { answer: [] } : { board: replaceTasks(board, held), answer: held, repeatable: true };
}

export interface CompleteAnswer {
  task: Task;
  /** True when this worker had handed in this very result before. */
  already: boolean;
  /** Ids that this completion made claimable, smallest first. */
  now_claimable: string[];
}

/**
 * Hands in a result. The same worker handing in the same result again is a success that changes nothing.
 *
 * @param digest  fingerprint of output and files, so that a repetition is known without reading the old result
 * @throws CoordError `task-not-found`, `claim-lost`
 */
export function completeTask(board: Board, input: Complete & { digest: string }, now: string): Change<CompleteAnswer> {
  const held = findTask(board, input.task_id);
  if (held.status === 'done' && held.claimed_by === input.worker && held.result_digest === input.digest) {
    return { answer: { task: held, already: true, now_claimable: [] }, repeatable: true };
  }
  refuseUnlessHeld(held, input, 'complete');
  const { lease_seconds: _, note: __, ...rest } = held;
  const task: Task = {
    ...withCost(rest, input),
    status: 'done',
    lease_expires_at: null,
    completed_at: now,
    last_error: null,
    result_digest: input.digest,
  };
  const next = replaceTasks(board, [task]);
  return {
    board: next,
    answer: { task, already: false, now_claimable: freedBy(board, next, task.id, now) },
    events: [event(input.worker, 'complete', task, `attempt ${task.attempt}: ${clip(input.output)}`)],
    result: {
      task,
      output: input.output,
      files_modified: input.files_modified ?? [],
      files_created: input.files_created ?? [],
    },
    repeatable: true,
  };
}

/** Only direct dependants can become claimable. */
function freedBy(before: Board, after: Board, id: string, now: string): string[] {
  const dependants = (board: Board): Task[] => board.tasks.filter((task) => task.dependencies.includes(id));
  const claimable = (board: Board): Set<string> => {
    const candidates = dependants(board);
    if (candidates.length === 0) return new Set();
    const dependencies = new Dependencies(board);
    return new Set(candidates.filter((task) => dependencies.isClaimable(task, now)).map((task) => task.id));
  };
  const were = claimable(before);
  return [...claimable(after)].filter((freed) => !were.has(freed)).toSorted(compareIds);
}

/**
 * Gives a task up as failed: available again with `last_error` until its attempts are used up, then `failed`.
 *
 * @throws CoordError `task-not-found`, `claim-lost`
 */
export function failTask(board: Board, input: Fail, now: string): Change<Task> {
  const held = findTask(board, input.task_id);
  refuseUnlessHeld(held, input, 'fail');
  const isFinal = input.retry === false || held.attempt >= held.max_attempts;
  const task: Task = {
    ...withCost(unclaimed(held, isFinal ? 'failed' : 'available'), input),
    last_error: `${input.worker}: ${input.error}`,
    completed_at: isFinal ? now : null,
  };
  const message = `attempt ${task.attempt} of ${task.max_attempts}: ${clip(input.error)}`;
  return { board: replaceTasks(board, [task]), answer: task, events: [event(input.worker, 'fail', task, message)] };
}

/**
 * Gives a task back unfinished; the reason is kept as a note for whoever claims it next.
 *
 * @throws CoordError `task-not-found`, `claim-lost`
 */
export function releaseTask(board: Board, input: Release): Change<Task> {
  const held = findTask(board, input.task_id);
  refuseUnlessHeld(held, input, 'release');
  const task: Task = {
    ...withCost(unclaimed(held, 'available'), input),
    // Giving back is no failure: it uses up none of the attempts, and their number only grows.
    max_attempts: held.max_attempts + 1,
    ...(input.reason === undefined ? {} : { note: `${input.worker}: ${input.reason}` }),
  };
  return {
    board: replaceTasks(board, [task]),
    answer: task,
    events: [event(input.worker, 'release', task, clip(input.reason ?? ''))],
  };
}

/** Costs add up over the attempts. */
function withCost<T extends Pick<Task, 'cost_usd'>>(task: T, { cost_usd }: { cost_usd?: number | undefined }): T {
  return cost_usd === undefined ? task : { ...task, cost_usd: (task.cost_usd ?? 0) + cost_usd };
}

function refuseUnlessHeld(task: Task, input: { worker: string; attempt?: number | undefined }, verb: string): void {
  const holds = task.status === 'claimed' && task.claimed_by === input.worker;
  if (holds && (input.attempt === undefined || input.attempt === task.attempt)) return;
  throw new CoordError('claim-lost', `Cannot ${verb} ${task.id}: ${whoHolds(task, input)}.`, {
    hint:
      task.status === 'available'
        ? `coord worker claim ${input.worker} ${task.id}`
        : `coord worker claim ${input.worker}`,
  });
}

function whoHolds(task: Task, input: { worker: string; attempt?: number | undefined }): string {
  switch (task.status) {
    case 'claimed':
      return task.claimed_by === input.worker
        ? `this is attempt ${task.attempt}, not ${input.attempt}`
        : `it is claimed by ${task.claimed_by} (attempt ${task.attempt})`;
    case 'available':
      return 'it is not claimed by anybody';
    case 'done':
      return task.claimed_by === input.worker
        ? `${input.worker} completed it already, with another result`
        : `${task.claimed_by ?? 'somebody'} completed it`;
    case 'failed':
    case 'cancelled':
      return `it is ${task.status}`;
  }
}

function event(agent: string, name: string, task: Task, message: string): BoardEvent {
  return { agent, event: name, task_id: task.id, message };
}
