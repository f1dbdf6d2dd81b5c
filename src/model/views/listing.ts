/** Boards narrowed down to the tasks that somebody asks for. */
import { type Board, expireLastAttempts } from '../board.ts';
import { Dependencies } from '../dependencies.ts';
import { STATUSES } from '../limits.ts';
import type { Task } from '../task.ts';

/** What a list shows of a task: its status, or why an available one cannot run. */
export type Shown = Task['status'] | 'blocked' | 'stuck';

/** What a list can be narrowed to: what is stored, and what is derived from it. */
export const LISTABLE = [...STATUSES, 'claimable', 'blocked', 'stuck'] as const;
export type Listable = (typeof LISTABLE)[number];

export interface Listed {
  task: Task;
  shown: Shown;
}

/** The tasks of a board in its order, as they stand at `now` (ISO 8601 UTC). */
export function listTasks(before: Board, wanted: { status?: Listable; tag?: string }, now: string): Listed[] {
  const { board } = expireLastAttempts(before, now);
  const dependencies = new Dependencies(board);
  const shownOf = shownStatus(board);
  return board.tasks
    .filter((task) => wanted.tag === undefined || task.tags.includes(wanted.tag))
    .map((task) => ({ task, shown: shownOf(task) }))
    .filter(({ task, shown }) => {
      if (wanted.status === undefined) return true;
      if (wanted.status === 'claimable') return dependencies.isClaimable(task, now);
      if (wanted.status === 'blocked') return dependencies.isBlocked(task);
      return task.status === wanted.status || shown === wanted.status;
    });
}

/** The word to show for each task of this board. */
export function shownStatus(board: Board): (task: Task) => Shown {
  const dependencies = new Dependencies(board);
  return (task) => (dependencies.isStuck(task) ? 'stuck' : dependencies.isBlocked(task) ? 'blocked' : task.status);
}
