/**
 * The board and what can be read off it. The functions that change it stand in
 * leader-verbs.ts and worker-verbs.ts: pure, each `(board, input, now) -> Change`.
 */
import { CoordError } from './errors.ts';
import type { Status, Task } from './task.ts';

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
}

/** What a verb did to a board. */
export interface Change<T> {
  /** The board after the change; absent when nothing changed and nothing is to be written. */
  board?: Board;
  answer: T;
  events?: BoardEvent[];
  result?: ResultToStore;
  /** True when running the verb twice gives the same board, so that an unsure commit may simply be tried again. */
  repeatable?: boolean;
}

export const LEADER = 'leader';

/** A board without tasks, before its first commit. */
export function emptyBoard(goal?: string): Board {
  return { version: 1, revision: 0, ...(goal === undefined ? {} : { goal }), tasks: [] };
}

export function isSettled(task: Task): boolean {
  return task.status === 'done' || task.status === 'failed' || task.status === 'cancelled';
}

/** A claim whose lease has run out: the next claim takes the task over. Times are ISO 8601 UTC, compared as text. */
export function isExpired(task: Task, now: string): boolean {
  return task.status === 'claimed' && task.lease_expires_at !== null && task.lease_expires_at <= now;
}

/** Names one claim of a task, which no other has: `task-001#2` is its second. */
export function claimOf({ id, attempt }: Pick<Task, 'id' | 'attempt'>): string {
  return `${id}#${attempt}`;
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
  const near = nearestId(board, id);
  throw new CoordError('task-not-found', `No task ${id} on this board.`, {
    hint: near ? `Did you mean ${near}?` : 'coord leader list',
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

/** The task with another status and nobody holding it. */
export function unclaimed(task: Task, status: Exclude<Status, 'claimed'>): Task {
  const { lease_seconds: _, ...rest } = task;
  return { ...rest, status, claimed_by: null, claimed_at: null, lease_expires_at: null };
}

/** When the next lease among these tasks runs out after `now`, ISO 8601 UTC; null where none does. */
export function nextExpiry(tasks: readonly Task[], now: string): string | null {
  let next: string | null = null;
  for (const { lease_expires_at: time } of tasks) {
    if (time !== null && time > now && (next === null || time < next)) next = time;
  }
  return next;
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
    .filter((task) => isExpired(task, now) && task.attempt >= task.max_attempts)
    .map((task) => ({
      ...unclaimed(task, 'failed'),
      last_error: `lease of ${task.claimed_by} expired on attempt ${task.attempt} of ${task.max_attempts}`,
      completed_at: now,
    }));
  return { board: replaceTasks(board, failed), failed };
}

/** Adds what agents have cost that did no task, in US dollars. */
export function addCost(board: Board, { cost_usd }: { cost_usd: number }): Change<void> {
  if (cost_usd === 0) return { answer: undefined };
  return { board: { ...board, cost_usd: (board.cost_usd ?? 0) + cost_usd }, answer: undefined };
}

/** Questions about the dependencies of one board, each task looked at once however many ask. */
export class Dependencies {
  readonly #board: Board;
  #byId: Map<string, Task> | undefined;
  readonly #dead = new Map<string, boolean>();

  constructor(board: Board) {
    this.#board = board;
  }

  #find(id: string): Task | undefined {
    this.#byId ??= tasksById(this.#board);
    return this.#byId.get(id);
  }

  /** Dependencies that are not done yet. */
  pending(task: Task): Task[] {
    if (task.dependencies.length === 0) return [];
    return task.dependencies
      .map((id) => this.#find(id))
      .filter((dependency) => dependency !== undefined)
      .filter((dependency) => dependency.status !== 'done');
  }

  /** Available, or claimed with an expired lease, and every dependency done. */
  isClaimable(task: Task, now: string): boolean {
    return (task.status === 'available' || isExpired(task, now)) && this.areDone(task);
  }

  areDone(task: Task): boolean {
    return task.dependencies.every((id) => this.#find(id)?.status === 'done');
  }

  isBlocked(task: Task): boolean {
    return task.status === 'available' && !this.areDone(task);
  }

  /** Blocked behind a failed or cancelled task, however far up: it never runs unless somebody acts. */
  isStuck(task: Task): boolean {
    return task.status === 'available' && this.#leadsToDead(task);
  }

  /** The failed or cancelled tasks that a stuck task waits for. */
  causes(task: Task): Task[] {
    const causes = new Map<string, Task>();
    const seen = new Set<string>([task.id]);
    const queue = [task];
    for (let next = queue.pop(); next; next = queue.pop()) {
      for (const dependency of this.pending(next)) {
        if (seen.has(dependency.id)) continue;
        seen.add(dependency.id);
        if (dependency.status === 'failed' || dependency.status === 'cancelled') causes.set(dependency.id, dependency);
        else queue.push(dependency);
      }
    }
    return [...causes.values()].toSorted((a, b) => compareIds(a.id, b.id));
  }

  /** Depth first with a stack of its own: a chain of ten thousand tasks must not end the call stack. */
  #leadsToDead(task: Task): boolean {
    const stack = [task];
    while (stack.length > 0) {
      const top = stack.at(-1) as Task; // the stack is not empty
      if (this.#dead.has(top.id)) {
        stack.pop();
        continue;
      }
      const pending = this.pending(top);
      if (pending.some((d) => d.status === 'failed' || d.status === 'cancelled' || this.#dead.get(d.id) === true)) {
        this.#dead.set(top.id, true);
        stack.pop();
        continue;
      }
      const unknown = pending.filter((d) => !this.#dead.has(d.id));
      if (unknown.length === 0) this.#dead.set(top.id, false);
      else stack.push(...unknown);
    }
    return this.#dead.get(task.id) === true;
  }
}
