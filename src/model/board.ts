/**
 * The board. The functions that change it stand in verbs/, pure, each `(board, input, now) -> Change`; what can be read off
 * it in views/.
 */
import { isArchivedDone, mayBeArchived } from './archived.ts';
import { CoordError } from './errors.ts';
import type { Defaults } from './defaults.ts';
import { isExpired, toDead } from './lifecycle.ts';
import { LEADER } from './limits.ts';
import type { ClaimedTask, Task } from './task.ts';

export { LEADER };

/** Everything that tasks.json holds. Never changed in place: a change makes a new board. */
export interface Board {
  version: 1;
  /** Number of commits that led here; counts up by one with each. */
  revision: number;
  /** Names this very revision: the log's incarnation, the revision it was made from, itself. Only where it is kept in files. */
  commit?: string;
  goal?: string;
  /** Highest number ever used in an id, where it is more than the tasks show: ids are never reused. */
  last_id?: number;
  /** What agents have cost that did no task, such as planning, over all runs, in US dollars. */
  cost_usd?: number;
  tasks: Task[];
  /** What holds for tasks that say nothing else. */
  defaults?: Defaults;
  /** Where it is now: see moved.ts. */
  moved_to?: string;
  /** Fields that coord does not know are kept. */
  [unknown: string]: unknown;
}

/** One line of a log: who did what to which task. */
export interface BoardEvent {
  agent: string;
  event: string;
  task_id?: string;
  message?: string;
}

/** A result that must be on disk before the change that makes its task `done`. */
export interface ResultToStore {
  task: Task;
  output: string;
  files_modified: string[];
  files_created: string[];
  /** What its checks came to. */
  checks?: readonly { command: string; exit_code: number | null; duration_ms: number; tail: string }[];
}

export function eventOf(agent: string, event: string, task: Task, message: string): BoardEvent {
  return { agent, event, task_id: task.id, message };
}

/** What a verb did to a board. */
export interface Change<T> {
  /** The board after the change; absent when nothing changed and nothing is to be written. */
  board?: Board;
  answer: T;
  events?: BoardEvent[];
  result?: ResultToStore;
  /** What checks came to of a result that is stored already. */
  evidence?: Pick<ResultToStore, 'task' | 'checks'>;
  /** True when running the verb twice gives the same board, so that an unsure commit may simply be tried again. */
  repeatable?: boolean;
  /** Tasks that leave the board; they must be in the archive before that. */
  archive?: readonly Task[];
}

/** A board without tasks, before its first commit. */
export function emptyBoard(goal?: string, defaults: Defaults = {}): Board {
  const given = Object.entries(defaults).filter(([, value]) => value !== undefined);
  return {
    version: 1,
    revision: 0,
    ...(goal === undefined ? {} : { goal }),
    ...(given.length > 0 ? { defaults: Object.fromEntries(given) } : {}),
    tasks: [],
  };
}

/** Tasks by id, in one pass over the board. */
export function tasksById(board: Board): Map<string, Task> {
  const byId = new Map<string, Task>();
  for (const task of board.tasks) byId.set(task.id, task);
  return byId;
}

/** The task of that id, or `task-not-found` with the nearest id as a hint. */
export function findTask(board: Board, id: string): Task {
  const task = board.tasks.find((candidate) => candidate.id === id);
  if (task) return task;
  if (isArchivedDone(board, id))
    throw new CoordError('task-state', `${id} is done, and in the archive: nothing changes there.`, {
      details: { task_id: id },
    });
  if (mayBeArchived(board, id))
    throw new CoordError('task-not-found', `No task ${id} on this board. Its archive may have it.`, {
      details: { task_id: id, why: 'archived' },
    });
  const near = nearestId(board, id);
  throw new CoordError('task-not-found', `No task ${id} on this board.`, {
    details: { task_id: id, ...(near === undefined ? {} : { other_id: near }) },
  });
}

/** The id that a slip of the pen most likely meant: `task-1`, `1` and `Task-001` all mean task-001. */
function nearestId(board: Board, id: string): string | undefined {
  const digits = /(\d+)$/.exec(id)?.[1];
  if (digits === undefined) return undefined;
  const number = Number(digits);
  return board.tasks.find((task) => Number(/(\d+)$/.exec(task.id)?.[1]) === number)?.id;
}

/** The board with some of its tasks replaced, matched by id. Untouched tasks stay the same objects. */
export function replaceTasks(board: Board, changed: Iterable<Task>): Board {
  const byId = new Map<string, Task>();
  for (const task of changed) byId.set(task.id, task);
  if (byId.size === 0) return board;
  return { ...board, tasks: board.tasks.map((task) => byId.get(task.id) ?? task) };
}

/** When the next lease among these tasks runs out after `now`, ISO 8601 UTC; null where none does. */
export function nextExpiry(tasks: readonly Task[], now: string): string | null {
  let next: string | null = null;
  for (const { lease_expires_at: time } of tasks) {
    if (time !== null && time > now && (next === null || time < next)) next = time;
  }
  return next;
}

/** The earlier of two moments, ISO 8601 UTC; null is never. */
export function earlier(a: string | null, b: string | null): string | null {
  return a === null ? b : b === null || a < b ? a : b;
}

/** Ids in the order of their numbers, so that task-1000 follows task-999. */
export function compareIds(a: string, b: string): number {
  if (a.length === b.length) return a < b ? -1 : a > b ? 1 : 0; // the usual case: as many digits
  const stemA = a.slice(0, numberStart(a));
  const stemB = b.slice(0, numberStart(b));
  if (stemA !== stemB) return stemA < stemB ? -1 : 1;
  return Number(a.slice(stemA.length)) - Number(b.slice(stemB.length)) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Where the digits at the end of an id begin. A loop, since a claim compares thousands of ids. */
function numberStart(id: string): number {
  let start = id.length;
  while (start > 0 && id.charCodeAt(start - 1) >= 0x30 && id.charCodeAt(start - 1) <= 0x39) start--;
  return start;
}

/**
 * Sends claims to `failed` whose lease ran out on their last attempt; all others stay as they are.
 * Readers apply it too, so that nobody sees a task as claimable that the next claim would fail.
 */
export function expireLastAttempts(board: Board, now: string): { board: Board; failed: Task[] } {
  const failed = board.tasks
    .filter((task): task is ClaimedTask => isExpired(task, now) && task.attempt >= task.max_attempts)
    .map((task) => ({
      ...toDead(task, 'failed', now),
      last_error: `lease of ${task.claimed_by} expired on attempt ${task.attempt} of ${task.max_attempts}`,
      taken_from: task.claimed_by,
    }));
  return { board: replaceTasks(board, failed), failed };
}
