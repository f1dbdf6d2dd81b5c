/** A worker gives its task back unfinished. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, findTask, replaceTasks } from '../board.ts';
import { Attempt, Cost, lazily, Reason, TaskId, Worker } from '../fields.ts';
import { toAvailable } from '../lifecycle.ts';
import type { Task } from '../task.ts';
import { clip } from '../text.ts';
import { withCost } from './add-cost.ts';
import { heldTask } from './held-task.ts';
import { withSignOfLife } from './renew.ts';

export const Release = lazily(() =>
  z.strictObject({
    worker: Worker(),
    task_id: TaskId(),
    reason: z.optional(Reason()),
    attempt: z.optional(Attempt()),
    cost_usd: z.optional(Cost()),
  }),
);
export type Release = z.infer<ReturnType<typeof Release>>;

/**
 * The reason is kept as a note for whoever claims it next.
 *
 * @throws CoordError `task-not-found`, `claim-lost`
 */
export function releaseTask(board: Board, input: Release, now: string): Change<{ task: Task }> {
  const held = heldTask(findTask(board, input.task_id), 'release', input);
  const task: Task = {
    ...withCost(toAvailable(held), input),
    // Giving back is no failure: it uses up none of the attempts, and their number only grows.
    max_attempts: held.max_attempts + 1,
    ...(input.reason === undefined ? {} : { note: `${input.worker}: ${input.reason}` }),
  };
  return {
    board: withSignOfLife(replaceTasks(board, [task]), input.worker, now),
    answer: { task },
    events: [eventOf(input.worker, 'release', task, clip(input.reason ?? ''))],
  };
}
