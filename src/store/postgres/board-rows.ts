/** A board as rows: what the tables say has changed, and what a change means for them. Pure. */
import type { Board } from '../../model/board.ts';
import type { Task } from '../../model/task.ts';
import { isRecord } from '../../model/values.ts';
import type { Row, Statement, Trip } from './database.ts';

/** The board as this process knows it. */
export interface Known {
  id: number;
  board: Board;
  /** The position of each task, in their order; ascending. */
  positions: readonly number[];
  texts: number;
  /** The number of the newest message. */
  messages: number;
}

/** What came of work on a locked board: statements to commit under an id of their own, or nothing to write. */
type Made<T> =
  | { answer: T; id?: undefined; statements?: undefined; after?: undefined }
  | { answer: T; id: string; statements: Statement[]; /** The board once it is committed. */ after?: Known };

export type Work<T> = (known: Known, now: string, trip: Trip) => Made<T> | Promise<Made<T>>;

/** Everything but the tasks and what has a column of its own. */
export function headOf(board: Board): string {
  const { tasks: _, revision: __, commit: ___, ...head } = board;
  return JSON.stringify(head);
}

/** Tasks in their order, and where each stands. */
interface Placed {
  tasks: Task[];
  positions: readonly number[];
}

/**
 * The tasks with those of the rows in their places. Most rows are of tasks that were there before, or come behind them: then
 * nothing is looked at but them.
 */
export function merge(tasks: readonly Task[], positions: readonly number[], rows: readonly Row[]): Placed {
  const merged = { tasks: [...tasks], positions: [...positions] };
  for (const row of rows) {
    const [task, position] = [row['doc'] as Task | null, Number(row['position'])];
    const i = indexOf(merged.positions, position);
    const isKnown = merged.positions[i] === position && merged.tasks[i]?.id === row['id'];
    if (task !== null && isKnown) merged.tasks[i] = task;
    else if (task !== null && i === merged.tasks.length) {
      merged.tasks.push(task);
      merged.positions.push(position);
    } else return mergeAnew(tasks, positions, rows);
  }
  const hasMore = tasks.length > 0 && merged.tasks.length > tasks.length;
  // One that has moved to the end would stand where it was, too.
  const isTwice = hasMore && new Set(merged.tasks.map(({ id }) => id)).size < merged.tasks.length;
  return isTwice ? mergeAnew(tasks, positions, rows) : merged;
}

/** Where a position stands among others, or would stand. */
function indexOf(positions: readonly number[], position: number): number {
  let [from, to] = [0, positions.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((positions[middle] as number) < position) from = middle + 1;
    else to = middle;
  }
  return from;
}

function mergeAnew(tasks: readonly Task[], positions: readonly number[], rows: readonly Row[]): Placed {
  const all = new Map(tasks.map((task, i) => [task.id, { task, position: positions[i] ?? 0 }]));
  for (const row of rows) {
    const [id, task] = [String(row['id']), row['doc'] as Task | null];
    if (task === null) all.delete(id);
    else all.set(id, { task, position: Number(row['position']) });
  }
  const placed = [...all.values()].toSorted((a, b) => a.position - b.position);
  return { tasks: placed.map(({ task }) => task), positions: placed.map(({ position }) => position) };
}

/** What the rows hold, each as a task by itself: the others were known before. */
export function withoutNeeds(rows: readonly Row[]): unknown[] {
  return rows.flatMap(({ doc }) => (doc === null ? [] : [isRecord(doc) ? { ...doc, dependencies: [] } : doc]));
}

/** Tasks that are other objects than before, or stand elsewhere, and ids of those that are gone. */
export interface Difference {
  rows: { task: Task; position: number }[];
  removed: string[];
  /** Of all tasks. */
  positions: readonly number[];
}

/** @param positions  of the tasks before */
export function differenceOf(before: Board, next: Board, positions: readonly number[]): Difference {
  const [was, is] = [before.tasks, next.tasks];
  // The usual case: each in its place, and perhaps more behind them.
  const rows: Difference['rows'] = [];
  for (let i = 0; i < was.length; i++) {
    const task = is[i];
    if (task?.id !== was[i]?.id) return differenceOfMoved(was, is, positions);
    if (task !== undefined && task !== was[i]) rows.push({ task, position: positions[i] as number });
  }
  const added = is.slice(was.length);
  if (added.length === 0) return { rows, removed: [], positions };
  const first = (positions.at(-1) ?? -1) + 1;
  rows.push(...added.map((task, n) => ({ task, position: first + n })));
  return { rows, removed: [], positions: [...positions, ...added.map((_, n) => first + n)] };
}

function differenceOfMoved(was: readonly Task[], is: readonly Task[], known: readonly number[]): Difference {
  const gone = new Map(was.map((task, i) => [task.id, { task, position: known[i] ?? -1 }]));
  const rows: Difference['rows'] = [];
  const positions: number[] = [];
  for (const task of is) {
    const old = gone.get(task.id);
    gone.delete(task.id);
    const last = positions.at(-1) ?? -1;
    const position = old && old.position > last ? old.position : Math.floor(last) + 1;
    positions.push(position);
    if (old?.task !== task || old.position !== position) rows.push({ task, position });
  }
  return { rows, removed: [...gone.keys()], positions };
}
