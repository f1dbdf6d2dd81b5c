/** What must hold before a task is done: the checks and the review that it, or its board, asks for. */
import type { Board } from './board.ts';
import type { CheckRun } from './evidence.ts';
import { PathIndex } from './files.ts';
import { DEFAULT_CHECK_SECONDS } from './limits.ts';
import type { Task } from './task.ts';

/** The commands that must end well before this task is done; without one, those of the board itself. */
export function checksOf({ defaults }: Board, task?: Task): readonly string[] {
  return task?.checks ?? defaults?.checks ?? [];
}

/** How long one of them may take, in seconds. */
export function checkSecondsOf({ defaults }: Board, task?: Task): number {
  return task?.check_timeout ?? defaults?.check_timeout ?? DEFAULT_CHECK_SECONDS;
}

/** The checks that these runs do not prove. */
export function unproven(board: Board, task: Task, runs: readonly CheckRun[]): string[] {
  const green = new Set(runs.filter(({ exit_code }) => exit_code === 0).map(({ command }) => command));
  return checksOf(board, task).filter((command) => !green.has(command));
}

/** Whether somebody else must look at it: it is asked for, or one of these files is protected. */
export function wantsReview(board: Board, task: Task, files: readonly string[]): boolean {
  return asksForReview(board, task) || protectedOf(board, files).length > 0;
}

/** The files that nobody changes unseen. */
export function protectedOf({ defaults }: Board, files: readonly string[]): string[] {
  const patterns = new PathIndex<true>();
  for (const pattern of defaults?.protect ?? []) patterns.add(pattern, true);
  return files.filter((file) => patterns.find(file).size > 0);
}

/** Whether it may come to a review, so that who held it must be known. */
export function mayBeReviewed(board: Board, task: Task): boolean {
  return asksForReview(board, task) || (board.defaults?.protect ?? []).length > 0;
}

function asksForReview({ defaults }: Board, { review }: Task): boolean {
  return review ?? defaults?.review ?? false;
}
