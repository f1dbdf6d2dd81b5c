/**
 * The fields that tasks and inputs share. Apart from task.ts, so that a command checks its input without building the
 * schema of a whole task, which only a hand edit needs.
 */
import * as z from 'zod/mini';

/**
 * A schema that is built when it is first asked for. A command checks one input; building the schemas of all the others
 * would cost it a tenth of its time.
 */
export function lazily<S extends z.ZodMiniType>(build: () => S): () => S {
  let schema: S | undefined;
  return () => (schema ??= build());
}

/** Statuses that are stored. `done`, `failed` and `cancelled` are settled: no worker is needed. */
export const STATUSES = ['available', 'claimed', 'done', 'failed', 'cancelled'] as const;

/** Names of workers and tags, and ids of tasks: they become file names, so no dot first, no slash. */
const NAME_PATTERN = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;
const NAME_RULE = 'must be 1 to 64 letters, digits, ".", "_" or "-", not starting with a dot';

/** Longest description, reason, hint or discovery, in characters. Results may be longer: see inputs.ts. */
export const MAX_TEXT = 10_000;
/** Claims of a task before it counts as failed, unless the task says otherwise. */
export const DEFAULT_MAX_ATTEMPTS = 3;
/** Priority of a task that names none; 1 is the most urgent, 10 the least. */
export const DEFAULT_PRIORITY = 5;
/** Thirty minutes: twice the longest task that the best practices ask for (5 to 15 minutes). */
export const DEFAULT_LEASE_SECONDS = 1800;

export const Name = lazily(() => z.string().check(z.regex(NAME_PATTERN, NAME_RULE)));
export const Priority = lazily(() => z.int().check(z.minimum(1), z.maximum(10)));
export const Description = lazily(() =>
  z.string().check(z.trim(), z.minLength(1, 'must not be empty'), z.maxLength(MAX_TEXT)),
);
