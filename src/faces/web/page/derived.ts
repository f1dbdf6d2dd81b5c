/** What follows from the board by the very rules of the store: read off once for each board that the server tells. */
import { type Board, expireLastAttempts, tasksById } from '../../../model/board.ts';
import { Dependencies } from '../../../model/dependencies.ts';
import { criticalPath } from '../../../model/graph.ts';
import { submittedState } from '../../../model/landing.ts';
import { isLive } from '../../../model/lifecycle.ts';
import type { Task } from '../../../model/task.ts';
import { shownStatus, type Shown } from '../../../model/views/listing.ts';
import { questionsOf, summarise, type OpenQuestion, type Summary } from '../../../model/views/summary.ts';

/** How a task stands: as a list says it, and for what is handed in, what it waits for. */
export type Standing = Shown | 'review' | 'queued' | 'landing';

export interface Derived {
  byId: ReadonlyMap<string, Task>;
  standingOf: (task: Task) => Standing;
  summary: Summary;
  questions: OpenQuestion[];
  /** Ids of the tasks that they are about. */
  asking: ReadonlySet<string>;
  /** Handed in, and waiting for a review. */
  reviews: Task[];
  failed: Task[];
  /** What nobody can do, and the tasks because of which. */
  stuck: { task: Task; because: Task[] }[];
  /** US dollars. */
  cost: number;
  /** From the first task to the last thing that was settled, or to now where somebody works: milliseconds. */
  spanMs: number;
}

/** Stuck tasks of which it is looked up why: each may take a walk over the board. */
const MOST_CAUSES = 200;

/** By the board, and again every few seconds, since leases run out. */
export function derive(board: Board, now: string): Derived {
  const moment = now.slice(0, 18); // ten seconds
  if (last?.board === board && last.moment === moment) return last.derived;
  last = { board, moment, derived: derivedOf(board, now) };
  return last.derived;
}
let last: { board: Board; moment: string; derived: Derived } | undefined;

function derivedOf(before: Board, now: string): Derived {
  const { board } = expireLastAttempts(before, now);
  const { tasks } = board;
  const shownOf = shownStatus(board, now);
  const dependencies = new Dependencies(board);
  const standingOf = (task: Task): Standing =>
    task.status === 'submitted' ? submittedState(board, task, now) : shownOf(task);
  const summary = summarise(board, now);
  const questions = questionsOf(board, now);
  return {
    byId: tasksById(board),
    standingOf,
    summary,
    questions,
    asking: new Set(questions.map(({ task_id }) => task_id)),
    reviews: tasks.filter((task) => task.status === 'submitted' && standingOf(task) === 'review'),
    failed: tasks.filter(({ status }) => status === 'failed'),
    stuck: tasks
      .filter((task) => shownOf(task) === 'stuck')
      .slice(0, MOST_CAUSES)
      .map((task) => ({ task, because: dependencies.causes(task) })),
    cost: tasks.reduce((sum, { cost_usd = 0 }) => sum + cost_usd, board.cost_usd ?? 0),
    spanMs: spanOf(tasks, now),
  };
}

function spanOf(tasks: readonly Task[], now: string): number {
  const begins = tasks.flatMap(({ created_at, claimed_at }) => created_at ?? claimed_at ?? []);
  if (begins.length === 0) return 0;
  const from = begins.reduce((first, one) => (one < first ? one : first));
  const isGoingOn = tasks.some((task) => isLive(task, now));
  const ends = tasks.flatMap(({ completed_at }) => completed_at ?? []);
  const to = isGoingOn || ends.length === 0 ? now : ends.reduce((end, one) => (one > end ? one : end));
  return Math.max(0, Date.parse(to) - Date.parse(from));
}

/** Ids on the longest chain of what is not settled. */
export function criticalIds(board: Board): ReadonlySet<string> {
  if (lastPath?.board !== board) lastPath = { board, ids: new Set(criticalPath(board.tasks).map(({ id }) => id)) };
  return lastPath.ids;
}
let lastPath: { board: Board; ids: ReadonlySet<string> } | undefined;
