/** Sets what holds for all tasks of a board that say nothing else. */
import * as z from 'zod/mini';
import { type Board, type Change, LEADER } from '../board.ts';
import { CoordError } from '../errors.ts';
import { Checks, CheckTimeout, Files, lazily } from '../fields.ts';
import type { Defaults } from '../defaults.ts';
import type { Task } from '../task.ts';
import { isBranchName, REMOTE_PATTERN, SERIES_PATTERN } from '../worktrees.ts';

/** As {@link Worktrees}. */
const WorktreesInput = lazily(() =>
  z.strictObject({
    branch: z.string().check(z.refine(isBranchName, 'must be the name of a branch')),
    remote: z.optional(z.string().check(z.regex(REMOTE_PATTERN, 'must be the name of a remote'))),
    setup: z.optional(z.string().check(z.minLength(1), z.maxLength(2000))),
    series: z.optional(z.string().check(z.regex(SERIES_PATTERN))),
  }),
);

/** Each a field of {@link Defaults}. */
export const DefaultFields = lazily(() =>
  z.strictObject({
    checks: z.optional(Checks()),
    check_timeout: z.optional(CheckTimeout()),
    review: z.optional(z.boolean()),
    protect: z.optional(Files()),
    worktrees: z.optional(WorktreesInput()),
  }),
);
const CLEARABLE = ['checks', 'check_timeout', 'review', 'protect', 'worktrees'] as const;

export const SetDefaults = lazily(() =>
  z.extend(DefaultFields(), {
    /** Fields that are to say nothing any more. */
    clear: z.optional(z.array(z.enum(CLEARABLE))),
  }),
);
export type SetDefaults = z.infer<ReturnType<typeof SetDefaults>>;

/** @throws CoordError `task-state` where worktrees are to end that are worked in */
export function setDefaults(board: Board, { clear = [], ...given }: SetDefaults): Change<{ defaults: Defaults }> {
  const isUsed = ({ status, branch }: Task): boolean =>
    branch !== undefined && (status === 'claimed' || status === 'submitted');
  const open = board.tasks.find(isUsed);
  const now = board.defaults?.worktrees;
  const isElsewhere =
    given.worktrees !== undefined &&
    now !== undefined &&
    (given.worktrees.branch !== now.branch || given.worktrees.remote !== now.remote);
  if (open && (clear.includes('worktrees') || isElsewhere))
    throw new CoordError('task-state', `${open.id} is worked on in a worktree: it must land first.`, {
      details: { task_id: open.id },
    });
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
