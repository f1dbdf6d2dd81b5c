/** The one check of all that only the holder of a task may do. */
import { CoordError } from '../errors.ts';
import { allows, isHeldBy, LIFECYCLE } from '../lifecycle.ts';
import type { ClaimedTask, Task } from '../task.ts';

/** What is done to a task, where the verb is no such word. */
const WORD_OF: Readonly<Record<string, string>> = { recordCheck: 'complete', ask: 'ask about' };

interface Holder {
  worker: string;
  /** Fences off an earlier claim of the same worker. */
  attempt?: number | undefined;
}

/** @throws CoordError `claim-lost` unless this worker holds the task, in this very attempt where it names one */
export function heldTask(
  task: Task,
  verb: 'complete' | 'fail' | 'release' | 'recordCheck' | 'ask',
  holder: Holder,
): ClaimedTask {
  const isTheirs = isHeldBy(task, holder.worker) && (holder.attempt ?? task.attempt) === task.attempt;
  if (isTheirs && allows(verb, task)) return task;
  throw new CoordError(
    LIFECYCLE[verb].refused ?? 'claim-lost',
    `Cannot ${WORD_OF[verb] ?? verb} ${task.id}: ${whoHolds(task, holder)}.`,
    {
      details: { task_id: task.id, worker: holder.worker, status: task.status },
    },
  );
}

/**
 * Whether this worker's claim ended without a word of its own, and nobody has taken the task since: what it hands in late is as
 * good as in time.
 */
export function isLate(task: Task, holder: Holder): boolean {
  return (
    (task.status === 'available' || task.status === 'failed') &&
    task.taken_from === holder.worker &&
    (holder.attempt ?? task.attempt) === task.attempt
  );
}

function whoHolds(task: Task, input: Holder): string {
  switch (task.status) {
    case 'claimed':
      return task.claimed_by === input.worker
        ? `this is attempt ${task.attempt}, not ${input.attempt}`
        : `it is claimed by ${task.claimed_by} (attempt ${task.attempt})`;
    case 'available':
      return 'it is not claimed by anybody';
    case 'submitted':
      return `${task.claimed_by} handed it in`;
    case 'done':
      return task.claimed_by === input.worker
        ? `${input.worker} completed it already, with another result`
        : `${task.claimed_by ?? 'somebody'} completed it`;
    case 'failed':
    case 'cancelled':
      return `it is ${task.status}`;
  }
}
