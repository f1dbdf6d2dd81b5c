/** Boards narrowed down to the tasks that somebody asks for. */
import { type Board, compareIds, expireLastAttempts } from '../board.ts';
import { Dependencies } from '../dependencies.ts';
import { type Sort, STATUSES } from '../limits.ts';
import { isAsking } from '../questions.ts';
import type { Task } from '../task.ts';

/** What a list shows of a task: its status, or why an available one cannot run. */
export type Shown = Task['status'] | 'asking' | 'blocked' | 'stuck';

/** What a list can be narrowed to: what is stored, and what is derived from it. */
export const LISTABLE = [...STATUSES, 'claimable', 'asking', 'blocked', 'stuck'] as const;
export type Listable = (typeof LISTABLE)[number];

export interface Listed {
  task: Task;
  shown: Shown;
}

/** What a list is narrowed down to. Every field that is given must fit. */
export interface Wanted {
  /** One of these. */
  statuses?: readonly Listable[] | undefined;
  tag?: string | undefined;
  /** Claimed by this worker, now or when it was settled. */
  worker?: string | undefined;
  /** In the description, the hints, the key or a file, in letters of either case. */
  search?: string | undefined;
}

/** The tasks of a board in its order, as they stand at `now` (ISO 8601 UTC). */
export function listTasks(before: Board, wanted: Wanted, now: string): Listed[] {
  const { board } = expireLastAttempts(before, now);
  const dependencies = new Dependencies(board);
  const shownOf = shownStatus(board, now);
  const search = wanted.search?.toLowerCase();
  const isOf = ({ task, shown }: Listed, status: Listable): boolean => {
    if (status === 'claimable') return dependencies.isClaimable(task, now);
    if (status === 'blocked') return dependencies.isBlocked(task);
    return task.status === status || shown === status;
  };
  return board.tasks
    .filter((task) => wanted.tag === undefined || task.tags.includes(wanted.tag))
    .filter((task) => wanted.worker === undefined || task.claimed_by === wanted.worker)
    .filter((task) => search === undefined || textOf(task).includes(search))
    .map((task) => ({ task, shown: shownOf(task) }))
    .filter((listed) => wanted.statuses === undefined || wanted.statuses.some((status) => isOf(listed, status)));
}

function textOf({ id, key = '', description, context }: Task): string {
  return [id, key, description, context.hints, ...context.files].join('\n').toLowerCase();
}

/** In the order that somebody asks for; the board's own among equals. What has no time comes last. */
export function sortListed(listed: readonly Listed[], by: Sort): Listed[] {
  const order = [...LISTABLE];
  const rank = ({ task, shown }: Listed): number | string => {
    switch (by) {
      case 'id':
        return '';
      case 'priority':
        return task.priority;
      case 'status':
        return order.indexOf(shown);
      case 'created':
        return task.created_at ?? '~';
      case 'completed':
        return task.completed_at ?? '~';
    }
  };
  return listed.toSorted((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    if (left !== right) return left < right ? -1 : 1;
    return by === 'id' ? compareIds(a.task.id, b.task.id) : 0;
  });
}

/** The word to show for each task of this board, as it stands at `now` (ISO 8601 UTC). */
export function shownStatus(board: Board, now: string): (task: Task) => Shown {
  const dependencies = new Dependencies(board);
  return (task) => {
    if (dependencies.isStuck(task)) return 'stuck';
    if (dependencies.isBlocked(task)) return 'blocked';
    return isAsking(task, now) ? 'asking' : task.status;
  };
}
