/** Takes a result that came too late instead of what its holder may still hand in. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, findTask, LEADER, replaceTasks } from '../board.ts';
import { CoordError } from '../errors.ts';
import { lazily, TaskId } from '../fields.ts';
import { mayBeReviewed } from '../gate.ts';
import { allows, toDone, toSubmitted } from '../lifecycle.ts';
import type { Task } from '../task.ts';
import { freedBy } from './complete.ts';
import { Proof, proven, refuseUnproven } from './proof.ts';
import type { ReviewAnswer } from './review-task.ts';

export const AcceptResult = lazily(() =>
  z.strictObject({
    task_id: TaskId(),
    /** The name under which the result is kept: `task-001.terminal-2.1`. */
    kept: z.string(),
    proof: z.optional(Proof()),
    /** Of the claim that it was written in: it is to land. */
    branch: z.optional(z.string()),
  }),
);
export type AcceptResult = z.infer<ReturnType<typeof AcceptResult>>;

/**
 * @param late  who wrote it, and what
 * @throws CoordError `task-not-found`, `task-state`, `unchecked`
 */
export function acceptResult(
  board: Board,
  input: AcceptResult & { late: { worker: string; output: string; digest: string } },
  now: string,
): Change<ReviewAnswer> {
  const before = findTask(board, input.task_id);
  if (!allows('accept', before))
    throw new CoordError('task-state', `${before.id} is ${before.status}: no other result is taken for it.`, {
      details: { task_id: before.id },
    });
  refuseUnproven(board, before, input.proof);
  const { worker, output, digest } = input.late;
  // Who leads has looked at it, or it would not be taken.
  const reviewed = mayBeReviewed(board, before)
    ? { reviewed: { by: LEADER, head: input.proof?.head ?? '', at: now } }
    : {};
  const lands = input.proof?.head !== undefined && input.branch !== undefined;
  const taken: Task = lands
    ? { ...toSubmitted(before, worker, digest, now), branch: input.branch }
    : toDone(before, worker, digest, now);
  const task: Task = { ...taken, ...proven(input.proof, worker, now), ...reviewed };
  const next = replaceTasks(board, [task]);
  return {
    board: next,
    answer: { task, now_claimable: freedBy(board, next, task.id, now) },
    events: [eventOf(LEADER, 'accept', task, `late, of ${worker}`)],
    result: {
      task,
      output,
      files_modified: [],
      files_created: [],
      ...(input.proof?.runs ? { checks: input.proof.runs } : {}),
    },
    repeatable: true,
  };
}
