/**
 * The life of a task, in one table: what each verb makes of each status, who may do so, and as what it is refused elsewhere.
 *
 * ```
 *                  ┌──────── release, park, takeBack, fail ────────┐
 *                  ▼                                               │
 *   add ──► available ───────────── claim ─────────────────────► claimed ──complete──► done
 *              │  ▲                                               │  │  ▲ │                ▲
 *           cancel└──────────── retry ───┐          ┌── fail, ◄───┘  │  │ └─complete─► submitted ──approve, verify, land
 *              ▼                         │          │   expire       │  │                │
 *          cancelled ──► retry ──► available      failed          cancel └ claim, once   └─sendBack─► available,
 *                                                                   ▼     the lease ran out           after five failed
 *                          (done ──reopen──► available)         cancelled
 * ```
 *
 * A task is `submitted` where somebody else is to look at it, or where it was handed in from without a tree to check it in.
 *
 * The functions below are the only ones that write a status, each with all the fields that go with it.
 */
import { DEFAULT_LEASE_SECONDS } from './limits.ts';
import type { AvailableTask, ClaimedTask, SettledStatus, SettledTask, Status, SubmittedTask, Task } from './task.ts';

export type Verb =
  | 'claim'
  | 'renew'
  | 'complete'
  | 'recordCheck'
  | 'ask'
  | 'answer'
  | 'approve'
  | 'verify'
  | 'sendBack'
  | 'land'
  | 'accept'
  | 'fail'
  | 'release'
  | 'expire'
  | 'edit'
  | 'retry'
  | 'reopen'
  | 'cancel'
  | 'takeBack';

interface Rule {
  /**
   * Who may: any worker, the worker who holds the task, the leader or a worker who never held it, anybody but who asked, the leader,
   * or the clock.
   */
  by: 'worker' | 'holder' | 'reviewer' | 'other' | 'leader' | 'clock';
  /** From which status to which; from any other it is refused. */
  from: Partial<Record<Status, Status | readonly Status[]>>;
  /** Error code of a refusal; undefined where there is nobody to be told. */
  refused: 'not-claimable' | 'claim-lost' | 'task-state' | undefined;
}

export const LIFECYCLE: Record<Verb, Rule> = {
  // A claimed task: one's own again, or another's whose lease ran out.
  claim: { by: 'worker', from: { available: 'claimed', claimed: 'claimed' }, refused: 'not-claimable' },
  renew: { by: 'holder', from: { claimed: 'claimed' }, refused: undefined },
  // A done or submitted task: the very same result again, which changes nothing. One that is nobody's, or failed: by whom it was
  // taken away from without a word of theirs.
  complete: {
    by: 'holder',
    from: {
      available: ['done', 'submitted'],
      claimed: ['done', 'submitted'],
      submitted: 'submitted',
      done: 'done',
      failed: ['done', 'submitted'],
    },
    refused: 'claim-lost',
  },
  // What came of a check that did not end well: the claim stays.
  recordCheck: { by: 'holder', from: { claimed: 'claimed' }, refused: 'claim-lost' },
  // Asked in passing, or parked: given back until there is an answer.
  ask: { by: 'holder', from: { claimed: ['claimed', 'available'] }, refused: 'claim-lost' },
  // By anybody but who asked; most often the leader.
  answer: { by: 'other', from: { available: 'available', claimed: 'claimed' }, refused: 'task-state' },
  approve: { by: 'reviewer', from: { submitted: ['done', 'submitted'] }, refused: 'task-state' },
  // The checks of what was handed in without a tree, where there is one.
  verify: { by: 'worker', from: { submitted: ['done', 'submitted'] }, refused: 'task-state' },
  sendBack: { by: 'reviewer', from: { submitted: ['available', 'failed'] }, refused: 'task-state' },
  // Begun, renewed, and ended by whoever lands it; or given back, which is sendBack.
  land: { by: 'worker', from: { submitted: ['submitted', 'done'] }, refused: 'task-state' },
  // A late result, instead of what its holder may still hand in.
  accept: {
    by: 'leader',
    from: { available: ['done', 'submitted'], claimed: ['done', 'submitted'], failed: ['done', 'submitted'] },
    refused: 'task-state',
  },
  // Failed on its last attempt, or where nobody should try again.
  fail: { by: 'holder', from: { claimed: ['available', 'failed'] }, refused: 'claim-lost' },
  release: { by: 'holder', from: { claimed: 'available' }, refused: 'claim-lost' },
  // A lease that runs out on the last attempt.
  expire: { by: 'clock', from: { claimed: 'failed' }, refused: undefined },
  edit: {
    by: 'leader',
    from: {
      available: 'available',
      claimed: 'claimed',
      submitted: 'submitted',
      failed: 'failed',
      cancelled: 'cancelled',
    },
    refused: 'task-state',
  },
  retry: { by: 'leader', from: { failed: 'available', cancelled: 'available' }, refused: 'task-state' },
  // Their results stay until others take their place.
  reopen: { by: 'leader', from: { done: 'available' }, refused: 'task-state' },
  cancel: {
    by: 'leader',
    from: {
      available: 'cancelled',
      claimed: 'cancelled',
      submitted: 'cancelled',
      failed: 'cancelled',
      cancelled: 'cancelled',
    },
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
  const { taken_from: _, returned_to: __, reviewed: ___, branch: ____, claimed_session: _____, ...rest } = task;
  const claimed = {
    ...rest,
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
  const { lease_seconds: _, landing: __, landed: ___, claimed_session: ____, ...rest } = task;
  return { ...rest, ...NOBODYS, status: 'available', completed_at: null };
}

/** The task given up, with nobody holding it. */
export function toDead(task: Task, status: Exclude<SettledStatus, 'done'>, now: string): SettledTask {
  const { lease_seconds: _, landing: __, claimed_session: ___, ...rest } = task;
  return { ...rest, ...NOBODYS, status, completed_at: now };
}

const NOBODYS = { claimed_by: null, claimed_at: null, lease_expires_at: null } as const;

/** The task handed in by this worker, for somebody else to look at. */
export function toSubmitted(task: Task, worker: string, digest: string, now: string): SubmittedTask {
  return { ...handedIn(task), status: 'submitted', claimed_by: worker, completed_at: now, result_digest: digest };
}

/** The task done by this worker. */
export function toDone(task: Task, worker: string, digest: string | undefined, now: string): SettledTask {
  return { ...handedIn(task), status: 'done', claimed_by: worker, completed_at: now, result_digest: digest };
}

/** Without what only who works on it has to know. */
function handedIn(task: Task) {
  const {
    lease_seconds: _,
    note: __,
    taken_from: ___,
    returned_to: ____,
    reviewed: _____,
    evidence: ______,
    head: _______,
    landing: ________,
    landed: _________,
    claimed_session: __________,
    ...rest
  } = task;
  return { ...rest, lease_expires_at: null, last_error: null };
}
