/** Why nothing can be claimed: in data, and in words. */
import { type Board, compareIds, earlier, nextExpiry } from '../board.ts';
import type { Dependencies } from '../dependencies.ts';
import { isQueued } from '../landing.ts';
import { isSettled } from '../lifecycle.ts';
import { isAsking, nextDefault } from '../questions.ts';
import type { Task } from '../task.ts';
import { plural } from '../text.ts';

/**
 * Why nothing was handed out: `drained` (every task is settled), `blocked` (others must finish first),
 * `stuck` (all that is left waits for a failed or cancelled task), `review` (what is left and not stuck waits for somebody to look at
 * what was handed in), `landing` (some of that is approved, and waits to land), `question` (what is left and not stuck waits for
 * somebody to answer, or to review), `empty` (no task yet).
 */
export type IdleReason = 'drained' | 'blocked' | 'stuck' | 'review' | 'landing' | 'question' | 'empty';

/** Nothing can be claimed now. */
export interface NotClaimed {
  task: null;
  reason: IdleReason;
  /** Tasks that are not settled. */
  open: number;
  /** What the open tasks wait for: claimed tasks (`blocked`), failed and cancelled ones (`stuck`). At most five. */
  waiting_for: { task_id: string; worker: string | null; status: Task['status'] }[];
  /** When the next lease runs out or the next default answer takes over, ISO 8601 UTC; null where neither does. */
  next_expiry: string | null;
}

/** Why there is nothing to claim on this board at `now`. Expired last attempts must have been failed before. */
export function explainIdle(board: Board, dependencies: Dependencies, now: string): NotClaimed {
  const open = board.tasks.filter((task) => !isSettled(task));
  const claimed = open.filter((task) => task.status === 'claimed');
  const base = {
    task: null,
    open: open.length,
    next_expiry: earlier(nextExpiry(claimed, now), nextDefault(open, now)),
  } as const;
  const named = (tasks: readonly Task[]): NotClaimed['waiting_for'] =>
    tasks.slice(0, 5).map((task) => ({ task_id: task.id, worker: task.claimed_by, status: task.status }));
  if (board.tasks.length === 0) return { ...base, reason: 'empty', waiting_for: [] };
  if (open.length === 0) return { ...base, reason: 'drained', waiting_for: [] };
  if (claimed.length > 0) return { ...base, reason: 'blocked', waiting_for: named(claimed) };
  const stuck = open.filter((task) => dependencies.isStuck(task));
  if (stuck.length === open.length) {
    const causes = new Map(stuck.flatMap((task) => dependencies.causes(task)).map((task) => [task.id, task]));
    return {
      ...base,
      reason: 'stuck',
      waiting_for: named([...causes.values()].toSorted((a, b) => compareIds(a.id, b.id))),
    };
  }
  const asking = open.filter((task) => isAsking(task, now));
  const submitted = open.filter((task) => task.status === 'submitted');
  const isLeft = (task: Task): boolean => dependencies.isStuck(task) || dependencies.awaitsSomebody(task, now);
  if (asking.length + submitted.length > 0 && open.every(isLeft)) {
    const queued = submitted.filter((task) => isQueued(board, task));
    if (queued.length > 0) return { ...base, reason: 'landing', waiting_for: named(queued) };
    return asking.length > 0
      ? { ...base, reason: 'question', waiting_for: named(asking) }
      : { ...base, reason: 'review', waiting_for: named(submitted) };
  }
  return { ...base, reason: 'blocked', waiting_for: named(open.filter((task) => dependencies.isClaimable(task, now))) };
}

/** Why there is nothing to claim, and which tasks and workers it takes. */
export function waitingText(idle: NotClaimed): string {
  const tasks = `${plural(idle.open, 'task')} left`;
  const named = idle.waiting_for
    .map(
      (task) =>
        `${task.task_id} (${task.status === 'submitted' ? 'to be reviewed' : task.worker === null ? task.status : `claimed by ${task.worker}`})`,
    )
    .join(', ');
  switch (idle.reason) {
    case 'drained':
      return 'drained: every task is settled';
    case 'empty':
      return 'empty: no task yet';
    case 'blocked':
      return `blocked: ${tasks}, waiting for ${named}`;
    case 'review':
      return `review: ${tasks}, waiting for a look at ${named}`;
    case 'landing':
      return `landing: ${tasks}, waiting to land: ${idle.waiting_for.map((task) => task.task_id).join(', ')}`;
    case 'question':
      return `question: ${tasks}, waiting for an answer: ${idle.waiting_for.map((task) => task.task_id).join(', ')}`;
    case 'stuck':
      return `stuck: ${tasks}, behind ${named}`;
  }
}
