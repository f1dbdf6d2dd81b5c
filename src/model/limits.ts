/** What a name is, and the numbers that bound everything. Apart from the schemas, so that whoever only compares loads nothing else. */

/** Names of workers and tags, ids and keys of tasks: they become file names, so no dot first, no slash. */
export const NAME_PATTERN = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;

/** The name of whoever leads; also as agent of the log, and as a reader of messages. */
export const LEADER = 'leader';

export function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME_PATTERN.test(value);
}

/** Statuses that are stored. `done`, `failed` and `cancelled` are settled: no worker is needed. */
export const STATUSES = ['available', 'claimed', 'submitted', 'done', 'failed', 'cancelled'] as const;

/** What a list of tasks can be sorted by. */
export const SORTS = ['id', 'priority', 'status', 'created', 'completed'] as const;
export type Sort = (typeof SORTS)[number];

/** Longest description, reason, hint or discovery, in characters. Results may be longer: see verbs/complete.ts. */
export const MAX_TEXT = 10_000;
/** Longest message, question or answer, in characters. */
export const MAX_MESSAGE = 2000;
/** Claims of a task before it counts as failed, unless the task says otherwise. */
export const DEFAULT_MAX_ATTEMPTS = 3;
/** Priority of a task that names none; 1 is the most urgent, 10 the least. */
export const DEFAULT_PRIORITY = 5;
/** Thirty minutes: twice the longest task that the best practices ask for (5 to 15 minutes). */
export const DEFAULT_LEASE_SECONDS = 1800;
/** How long a check may take unless its task says otherwise: a test suite that takes longer is rare. */
export const DEFAULT_CHECK_SECONDS = 600;
/** Hand-ins that may be sent back before the task counts as failed. */
export const MOST_BOUNCES = 5;
/** Far above any real board, and far below where adding one loses precision. */
export const MAX_REVISION = 1_000_000_000_000;
/** Fields that coord does not know are kept, and copied and compared by functions that call themselves: to this depth. */
export const DEEPEST = 64;
