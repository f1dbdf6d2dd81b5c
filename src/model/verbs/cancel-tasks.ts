/** Cancels tasks, and with them what waits for them. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, findTask, LEADER, replaceTasks } from '../board.ts';
import { CoordError } from '../errors.ts';
import { lazily, TaskIds } from '../fields.ts';
import { dependantsOf } from '../graph.ts';
import { allows, isSettled, toDead } from '../lifecycle.ts';
import type { Task } from '../task.ts';
import { refuseLanding } from './review-task.ts';

export const CancelTasks = lazily(() =>
  z.extend(TaskIds(), {
    cascade: z.optional(z.boolean()),
    /** Landings that were made void before, by their tokens. */
    withdrawn: z.optional(z.array(z.string())),
  }),
);
export type CancelTasks = z.infer<ReturnType<typeof CancelTasks>>;

/**
 * Cancels tasks that are not done; with `cascade` also all that wait for them. Cancelling a cancelled task is a success.
 *
 * @throws CoordError `task-not-found`, `task-state` when one is done
 */
export function cancelTasks(board: Board, input: CancelTasks, now: string): Change<{ tasks: Task[] }> {
  const named = input.task_ids.map((id) => findTask(board, id));
  for (const task of named) {
    if (allows('cancel', task)) continue;
    throw new CoordError('task-state', `${task.id} is already ${task.status}.`, { details: { task_id: task.id } });
  }
  const cascaded = input.cascade ? dependantsOf(board.tasks, input.task_ids).filter((task) => !isSettled(task)) : [];
  for (const task of [...named, ...cascaded]) refuseLanding(task, input.withdrawn ?? [], now);
  const holders = new Map([...named, ...cascaded].map((task) => [task.id, task.claimed_by]));
  const before = named.filter((task) => task.status === 'cancelled');
  const cancelled = [...named.filter((task) => task.status !== 'cancelled'), ...cascaded].map((task) =>
    toDead(task, 'cancelled', now),
  );
  const answer = { tasks: [...before, ...cancelled] };
  if (cancelled.length === 0) return { answer };
  return {
    board: replaceTasks(board, cancelled),
    answer,
    events: cancelled.map((task) =>
      eventOf(LEADER, 'cancel', task, holders.get(task.id) ? `was claimed by ${holders.get(task.id)}` : ''),
    ),
  };
}
