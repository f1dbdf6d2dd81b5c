/** Sets what holds for all tasks of a board that say nothing else. */
import * as z from 'zod/mini';
import { type Board, type Change, LEADER } from '../board.ts';
import { Checks, CheckTimeout, Files, lazily } from '../fields.ts';
import type { Defaults } from '../defaults.ts';

/** Each a field of {@link Defaults}. */
export const DefaultFields = lazily(() =>
  z.strictObject({
    checks: z.optional(Checks()),
    check_timeout: z.optional(CheckTimeout()),
    review: z.optional(z.boolean()),
    protect: z.optional(Files()),
  }),
);
const CLEARABLE = ['checks', 'check_timeout', 'review', 'protect'] as const;

export const SetDefaults = lazily(() =>
  z.extend(DefaultFields(), {
    /** Fields that are to say nothing any more. */
    clear: z.optional(z.array(z.enum(CLEARABLE))),
  }),
);
export type SetDefaults = z.infer<ReturnType<typeof SetDefaults>>;

export function setDefaults(board: Board, { clear = [], ...given }: SetDefaults): Change<{ defaults: Defaults }> {
  const kept = Object.entries({ ...board.defaults, ...given }).filter(
    ([name, value]) => value !== undefined && !(clear as string[]).includes(name),
  );
  const changed = [...Object.keys(given), ...clear];
  const defaults = Object.fromEntries(kept) as Defaults; // some of its fields
  if (changed.length === 0) return { answer: { defaults } };
  const { defaults: _, ...rest } = board;
  return {
    board: { ...rest, ...(kept.length > 0 ? { defaults } : {}) },
    answer: { defaults },
    events: [{ agent: LEADER, event: 'defaults', message: changed.join(', ') }],
    repeatable: true,
  };
}
