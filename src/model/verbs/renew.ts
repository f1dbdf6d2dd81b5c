/** Renews the leases that a worker holds. */
import * as z from 'zod/mini';
import { type Board, type Change, replaceTasks } from '../board.ts';
import { lazily, Name, Worker } from '../fields.ts';
import { heldBy, withLease } from '../lifecycle.ts';
import type { ClaimedTask } from '../task.ts';

export const Renew = lazily(() =>
  z.strictObject({
    worker: Worker(),
    /** Only what was claimed in this session, or in none; as sessionTag names it. */
    session: z.optional(Name()),
  }),
);
export type Renew = z.infer<ReturnType<typeof Renew>>;

/** Renews every lease that a worker holds, expired ones too as long as nobody took the task over. */
export function renewLeases(board: Board, { worker, session }: Renew, now: string): Change<{ tasks: ClaimedTask[] }> {
  const isOurs = ({ claimed_session: own }: ClaimedTask): boolean =>
    session === undefined || own === undefined || own === session;
  const tasks = heldBy(board.tasks, worker)
    .filter(isOurs)
    .map((task) => withLease(task, undefined, now));
  if (tasks.length === 0) return { answer: { tasks } };
  return { board: replaceTasks(board, tasks), answer: { tasks }, repeatable: true };
}

/** Whatever a worker does is a sign of life: the same as part of another change. */
export function withSignOfLife(board: Board, worker: string, now: string): Board {
  return renewLeases(board, { worker }, now).board ?? board;
}
