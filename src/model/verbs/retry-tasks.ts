/** Gives failed and cancelled tasks another chance. */
import { type Board, type Change, eventOf, findTask, LEADER, replaceTasks } from '../board.ts';
import { CoordError } from '../errors.ts';
import * as z from 'zod/mini';
import { lazily, TaskIds } from '../fields.ts';
import { dependantsOf } from '../graph.ts';
import { allows, toAvailable } from '../lifecycle.ts';
import type { Task } from '../task.ts';

export const RetryTasks = lazily(() => z.extend(TaskIds(), { cascade: z.optional(z.boolean()) }));
export type RetryTasks = z.infer<ReturnType<typeof RetryTasks>>;

/**
 * Makes them available again, with at least one attempt left; with `cascade` also what failed or was cancelled
 * among all that wait for them.
 *
 * @throws CoordError `task-not-found`, `task-state` when one is neither failed nor cancelled
 */
export function retryTasks(board: Board, input: RetryTasks): Change<{ tasks: Task[] }> {
  const cascaded = input.cascade
    ? dependantsOf(board.tasks, input.task_ids).filter((task) => allows('retry', task))
    : [];
  const ids = [...new Set([...input.task_ids, ...cascaded.map(({ id }) => id)])];
  const tasks = ids.map((id) => {
    const task = findTask(board, id);
    if (!allows('retry', task)) {
      throw new CoordError('task-state', `${id} is ${task.status}; only failed and cancelled tasks can be retried.`, {
        details: { task_id: id },
      });
    }
    const { bounces: _, ...fresh } = toAvailable(task);
    return { ...fresh, max_attempts: Math.max(task.max_attempts, task.attempt + 1) };
  });
  return {
    board: replaceTasks(board, tasks),
    answer: { tasks },
    events: tasks.map((task) =>
      eventOf(LEADER, 'retry', task, `attempt ${task.attempt + 1} of ${task.max_attempts} is free`),
    ),
  };
}
