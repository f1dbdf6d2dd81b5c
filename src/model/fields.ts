/**
 * The fields that tasks and inputs share. Apart from task.ts, so that a command checks its input without building the
 * schema of a whole task, which only a hand edit needs.
 */
import * as z from 'zod/mini';
import { MAX_TEXT, NAME_PATTERN } from './limits.ts';

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
