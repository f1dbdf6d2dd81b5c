/** What lands, and in which order: the way of what was handed in from a branch of its own into the one that all share. */
import { type Board, compareIds } from './board.ts';
import { PathIndex } from './files.ts';
import { wantsReview } from './gate.ts';
import { isSettled } from './lifecycle.ts';
import type { SubmittedTask, Task } from './task.ts';

/** Seconds that a landing stands unless renewed, at every third of it. Short: all others wait for it after a crash. */
export const LANDING_SECONDS = 20;
/** Seconds of a turn. Of 30 tasks on the same files 60 were sent back without one, and 15 with one. */
export const TURN_SECONDS = 15;

/** Where a submitted task stands: somebody looks at it, it waits for its turn to land, or it is landing. */
export type SubmittedState = 'review' | 'queued' | 'landing';

export function submittedState(board: Board, task: SubmittedTask, now: string): SubmittedState {
  if (isLandingLive(task, now)) return 'landing';
  return isQueued(board, task) ? 'queued' : 'review';
}

export function isLandingLive({ landing }: Task, now: string): boolean {
  return landing !== undefined && landing.until > now;
}

/** Approved, or nobody asks for a review, and it has not landed yet. */
export function isQueued(board: Board, task: Task): boolean {
  if (task.status !== 'submitted' || task.branch === undefined) return false;
  return task.reviewed !== undefined || !wantsReview(board, task, task.evidence?.files ?? []);
}

/** What lands next; without one, when to ask again (ISO 8601 UTC), null where nothing is queued that could land. */
export interface NextToLand {
  task: SubmittedTask | undefined;
  wakeAt: string | null;
}

/** @param skipped  tasks that whoever asks cannot land */
export function nextToLand(board: Board, now: string, skipped: ReadonlySet<string> = new Set()): NextToLand {
  const live = board.tasks.find((task) => isLandingLive(task, now));
  if (live?.landing) return { task: undefined, wakeAt: live.landing.until };
  const queued = board.tasks
    .filter((task): task is SubmittedTask => isQueued(board, task))
    .filter((task) => !skipped.has(task.id))
    .toSorted(compareTurns);
  const turns = board.tasks.filter(({ turn }) => turn !== undefined && turn.until > now);
  let wakeAt: string | null = null;
  for (const task of queued) {
    const before = turns.find((other) => other.id !== task.id && !isSettled(other) && shareFiles(other, task));
    if (!before?.turn) return { task, wakeAt: null };
    if (wakeAt === null || before.turn.until < wakeAt) wakeAt = before.turn.until;
  }
  return { task: undefined, wakeAt };
}

/** What was sent back before comes first, then by priority, then who has waited longest. */
function compareTurns(a: Task, b: Task): number {
  const isBack = ({ bounces }: Task): number => (bounces === undefined ? 1 : 0);
  return (
    isBack(a) - isBack(b) ||
    a.priority - b.priority ||
    (a.completed_at ?? '').localeCompare(b.completed_at ?? '') ||
    compareIds(a.id, b.id)
  );
}

function shareFiles({ turn }: Task, { evidence, context }: Task): boolean {
  const files = new PathIndex<true>();
  for (const file of turn?.files ?? []) files.add(file, true);
  return [...(evidence?.files ?? []), ...context.files].some((file) => files.find(file).size > 0);
}
