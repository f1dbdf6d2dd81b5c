/** Keeps what came of a check that did not end well: the claim stays, and whoever looks at the task sees why. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, findTask, replaceTasks } from '../board.ts';
import { checkText, type Evidence } from '../evidence.ts';
import { Attempt, lazily, TaskId, Worker } from '../fields.ts';
import type { Task } from '../task.ts';
import { clip } from '../text.ts';
import { heldTask } from './held-task.ts';
import { failing, Run } from './proof.ts';
import { withSignOfLife } from './renew.ts';

export const RecordCheck = lazily(() =>
  z.strictObject({
    worker: Worker(),
    task_id: TaskId(),
    attempt: z.optional(Attempt()),
    verdict: z.enum(['red', 'broken']),
    run: Run(),
    tree: z.nullable(z.string()),
  }),
);
export type RecordCheck = z.infer<ReturnType<typeof RecordCheck>>;

export interface RecordAnswer {
  task: Task;
  /** How many times in a row it has ended like this. */
  times: number;
}

/** Whether two say the same: times and counts differ from run to run. */
function isAlike(a: string, b: string): boolean {
  return a.replace(/\d+/g, '0') === b.replace(/\d+/g, '0');
}

/** @throws CoordError `task-not-found`, `claim-lost` */
export function recordCheck(board: Board, input: RecordCheck, now: string): Change<RecordAnswer> {
  const held = heldTask(findTask(board, input.task_id), 'recordCheck', input);
  const { verdict, run, tree, worker } = input;
  const found = failing(verdict, run, tree, worker, now);
  const before = held.evidence;
  const isSame =
    before?.verdict === verdict && before.worker === worker && isAlike(before.tail ?? '', found.tail ?? '');
  const times = isSame ? (before.times ?? 1) + 1 : 1;
  const evidence: Evidence = { ...found, times };
  const task: Task = { ...held, evidence };
  return {
    board: withSignOfLife(replaceTasks(board, [task]), worker, now),
    answer: { task, times },
    events: [eventOf(worker, verdict === 'red' ? 'check-failed' : 'check-broken', task, clip(checkText(run), 200))],
  };
}
