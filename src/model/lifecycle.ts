/**
 * The life of a task, in one table: what each verb makes of each status, who may do so, and as what it is refused elsewhere.
 *
 * ```
 *                  ┌─────────── release, takeBack, fail ───────────┐
 *                  ▼                                               │
 *   add ──► available ───────────── claim ─────────────────────► claimed ──complete──► done
 *              │  ▲                                               │  │  ▲
 *           cancel└──────────── retry ───┐          ┌── fail, ◄───┘  │  └ claim, once the lease ran out
 *              ▼                         │          │   expire       │  (done ──reopen──► available)
 *          cancelled ──► retry ──► available      failed          cancel ──► cancelled
 * ```
 *
 * The functions below are the only ones that write a status, each with all the fields that go with it.
 */
import { DEFAULT_LEASE_SECONDS } from './limits.ts';
import type { AvailableTask, ClaimedTask, SettledStatus, SettledTask, Status, Task } from './task.ts';

export type Verb =
  | 'claim'
  | 'renew'
  | 'complete'
  | 'fail'
  | 'release'
  | 'expire'
  | 'edit'
  | 'retry'
  | 'reopen'
  | 'cancel'
  | 'takeBack';

interface Rule {
  /** Who may: any worker, the worker who holds the task, the leader, or nobody but the clock. */
  by: 'worker' | 'holder' | 'leader' | 'clock';
  /** From which status to which; from any other it is refused. */
  from: Partial<Record<Status, Status | readonly Status[]>>;
  /** Error code of a refusal; undefined where there is nobody to be told. */
  refused: 'not-claimable' | 'claim-lost' | 'task-state' | undefined;
}

export const LIFECYCLE: Record<Verb, Rule> = {
  // A claimed task: one's own again, or another's whose lease ran out.
  claim: { by: 'worker', from: { available: 'claimed', claimed: 'claimed' }, refused: 'not-claimable' },
  renew: { by: 'holder', from: { claimed: 'claimed' }, refused: undefined },
  // A done task: the very same result again, which changes nothing.
  complete: { by: 'holder', from: { claimed: 'done', done: 'done' }, refused: 'claim-lost' },
  // Failed on its last attempt, or where nobody should try again.
  fail: { by: 'holder', from: { claimed: ['available', 'failed'] }, refused: 'claim-lost' },
  release: { by: 'holder', from: { claimed: 'available' }, refused: 'claim-lost' },
  // A lease that runs out on the last attempt.
  expire: { by: 'clock', from: { claimed: 'failed' }, refused: undefined },
  edit: {
    by: 'leader',
    from: { available: 'available', claimed: 'claimed', failed: 'failed', cancelled: 'cancelled' },
    refused: 'task-state',
  },
  retry: { by: 'leader', from: { failed: 'available', cancelled: 'available' }, refused: 'task-state' },
  // Their results stay until others take their place.
  reopen: { by: 'leader', from: { done: 'available' }, refused: 'task-state' },
  cancel: {
    by: 'leader',
    from: { available: 'cancelled', claimed: 'cancelled', failed: 'cancelled', cancelled: 'cancelled' },
    refused: 'task-state',
  },
  takeBack: { by: 'leader', from: { claimed: 'available' }, refused: 'task-state' },
};

/** Whether the table has a way for this verb from the task's status. */
export function allows(verb: Verb, { status }: Pick<Task, 'status'>): boolean {
  return LIFECYCLE[verb].from[status] !== undefined;
}

export function isSettled(task: Task): task is SettledTask {
  return task.status === 'done' || task.status === 'failed' || task.status === 'cancelled';
}

/** A claim whose lease has run out at `now`: the next claim takes the task over. ISO 8601 UTC, compared as text. */
export function isExpired(task: Task, now: string): task is ClaimedTask {
  return task.status === 'claimed' && task.lease_expires_at <= now;
}

/** A claim that stands. */
export function isLive(task: Task, now: string): task is ClaimedTask {
  return task.status === 'claimed' && !isExpired(task, now);
}

/** Whether this worker holds the task, live or not: nobody has taken it over. */
export function isHeldBy(task: Task, worker: string): task is ClaimedTask {
  return task.status === 'claimed' && task.claimed_by === worker;
}

/** The tasks that this worker holds. */
export function heldBy(tasks: readonly Task[], worker: string): ClaimedTask[] {
  return tasks.filter((task) => isHeldBy(task, worker));
}

/** Names one claim of a task, which no other has: `task-001#2` is its second. */
export function claimOf({ id, attempt }: Pick<Task, 'id' | 'attempt'>): string {
  return `${id}#${attempt}`;
}

/** The task in a worker's hands, one attempt on. */
export function toClaimed(task: Task, worker: string, leaseSeconds: number, now: string): ClaimedTask {
  const claimed = {
    ...task,
    status: 'claimed',
    claimed_by: worker,
    claimed_at: now,
    attempt: task.attempt + 1,
  } as const;
  return withLease({ ...claimed, lease_expires_at: now }, leaseSeconds, now);
}

/** The same claim with a lease that begins at `now`; by default as long as it was. */
export function withLease(
  task: ClaimedTask,
  seconds = task.lease_seconds ?? DEFAULT_LEASE_SECONDS,
  now: string,
): ClaimedTask {
  const { lease_seconds: _, ...rest } = task;
  return {
    ...rest,
    lease_expires_at: new Date(Date.parse(now) + seconds * 1000).toISOString(),
    ...(seconds === DEFAULT_LEASE_SECONDS ? {} : { lease_seconds: seconds }),
  };
}

/** The task in nobody's hands, as if it had just been added. */
export function toAvailable(task: Task): AvailableTask {
  const { lease_seconds: _, ...rest } = task;
  return { ...rest, ...NOBODYS, status: 'available', completed_at: null };
}

/** The task given up, with nobody holding it. */
export function toDead(task: Task, status: Exclude<SettledStatus, 'done'>, now: string): SettledTask {
  const { lease_seconds: _, ...rest } = task;
  return { ...rest, ...NOBODYS, status, completed_at: now };
}

const NOBODYS = { claimed_by: null, claimed_at: null, lease_expires_at: null } as const;

/** The task done by who holds it. */
export function toDone(task: ClaimedTask, digest: string, now: string): SettledTask {
  const { lease_seconds: _, note: __, ...rest } = task;
  return {
    ...rest,
    status: 'done',
    lease_expires_at: null,
    completed_at: now,
    last_error: null,
    result_digest: digest,
  };
}
