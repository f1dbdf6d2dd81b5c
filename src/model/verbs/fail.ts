/** Gives a task up as failed. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, findTask, replaceTasks } from '../board.ts';
import { Attempt, Cost, lazily, Reason, TaskId, Worker } from '../fields.ts';
import { toAvailable, toDead } from '../lifecycle.ts';
import type { Task } from '../task.ts';
import { clip } from '../text.ts';
import { withCost } from './add-cost.ts';
import { heldTask } from './held-task.ts';
import { withSignOfLife } from './renew.ts';

export const Fail = lazily(() =>
  z.strictObject({
    worker: Worker(),
    task_id: TaskId(),
    error: Reason(),
    retry: z.optional(z.boolean()),
    attempt: z.optional(Attempt()),
    cost_usd: z.optional(Cost()),
  }),
);
export type Fail = z.infer<ReturnType<typeof Fail>>;

/**
 * Available again with `last_error` until its attempts are used up, then `failed`.
 *
 * @throws CoordError `task-not-found`, `claim-lost`
 */
export function failTask(board: Board, input: Fail, now: string): Change<{ task: Task }> {
  const held = heldTask(findTask(board, input.task_id), 'fail', input);
  const isFinal = input.retry === false || held.attempt >= held.max_attempts;
  const next: Task = isFinal ? toDead(held, 'failed', now) : toAvailable(held);
  const task: Task = { ...withCost(next, input), last_error: `${input.worker}: ${input.error}` };
  const message = `attempt ${task.attempt} of ${task.max_attempts}: ${clip(input.error)}`;
  return {
    board: withSignOfLife(replaceTasks(board, [task]), input.worker, now),
    answer: { task },
    events: [eventOf(input.worker, 'fail', task, message)],
  };
}
