/**
 * The fields that tasks and inputs share. Apart from task.ts, so that a command checks its input without building the
 * schema of a whole task, which only a hand edit needs.
 */
import * as z from 'zod/mini';
import { MAX_MESSAGE, MAX_TEXT, NAME_PATTERN } from './limits.ts';

/**
 * A schema that is built when it is first asked for. A command checks one input; building the schemas of all the others
 * would cost it a tenth of its time.
 */
export function lazily<S extends z.ZodMiniType>(build: () => S): () => S {
  let schema: S | undefined;
  return () => (schema ??= build());
}

const NAME_RULE = 'must be 1 to 64 letters, digits, ".", "_" or "-", not starting with a dot';

export const Name = lazily(() => z.string().check(z.regex(NAME_PATTERN, NAME_RULE)));
export const Priority = lazily(() => z.int().check(z.minimum(1), z.maximum(10)));
export const Description = lazily(() =>
  z.string().check(z.trim(), z.minLength(1, 'must not be empty'), z.maxLength(MAX_TEXT)),
);
/** What a worker calls itself. */
export const Worker = lazily(() => Name());
export const TaskId = lazily(() => Name());
export const Files = lazily(() =>
  z.array(z.string().check(z.minLength(1), z.maxLength(1024))).check(z.maxLength(1000)),
);
export const Hints = lazily(() => z.string().check(z.maxLength(MAX_TEXT)));
export const Tags = lazily(() => z.array(Name()).check(z.maxLength(100)));
export const MaxAttempts = lazily(() => z.int().check(z.minimum(1), z.maximum(100)));
/** An id, a key, or a place in a batch: see add-tasks.ts. */
export const Dependencies = lazily(() =>
  z.array(z.string().check(z.minLength(1), z.maxLength(64))).check(z.maxLength(1000)),
);
/** The fields of a task that can be given when it is added, and changed afterwards. */
export const taskFields = () => ({
  priority: z.optional(Priority()),
  dependencies: z.optional(Dependencies()),
  files: z.optional(Files()),
  hints: z.optional(Hints()),
  tags: z.optional(Tags()),
  max_attempts: z.optional(MaxAttempts()),
  exclusive: z.optional(z.boolean()),
  checks: z.optional(Checks()),
  check_timeout: z.optional(CheckTimeout()),
  review: z.optional(z.boolean()),
});
export const Reason = lazily(() =>
  z.string().check(z.trim(), z.minLength(1, 'must not be empty'), z.maxLength(MAX_TEXT)),
);
/** A question, an answer, a message. */
export const ShortText = lazily(() =>
  z.string().check(z.trim(), z.minLength(1, 'must not be empty'), z.maxLength(MAX_MESSAGE)),
);
/** Command lines for the shell, all of which must end well before a task is done. */
export const Checks = lazily(() =>
  z.array(z.string().check(z.trim(), z.minLength(1, 'must not be empty'), z.maxLength(2000))).check(z.maxLength(20)),
);
/** Seconds, at most a day. */
export const CheckTimeout = lazily(() => z.int().check(z.minimum(1), z.maximum(86_400)));
/** US dollars. */
export const Cost = lazily(() => z.number().check(z.minimum(0), z.maximum(1_000_000)));
export const Attempt = lazily(() => z.int().check(z.minimum(1)));
/** Tasks by id, as several verbs of the leader take them. */
export const TaskIds = lazily(() =>
  z.strictObject({ task_ids: z.array(TaskId()).check(z.minLength(1), z.maxLength(100_000)) }),
);
export type TaskIds = z.infer<ReturnType<typeof TaskIds>>;
