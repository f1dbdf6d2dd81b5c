/** What a board says for all its tasks: the checks, the review, and what nobody changes unseen. */
import { isRecord } from './values.ts';
import { isWorktrees, type Worktrees } from './worktrees.ts';

/** What holds for every task of a board that says nothing else. */
export interface Defaults {
  checks?: string[] | undefined;
  /** Seconds. */
  check_timeout?: number | undefined;
  review?: boolean | undefined;
  /** Patterns of paths: who changes one of them is reviewed. */
  protect?: string[] | undefined;
  /** Each claim gets a branch and a worktree of its own; see landing.ts. */
  worktrees?: Worktrees | undefined;
}

export function isDefaults(value: unknown): value is Defaults {
  if (!isRecord(value)) return false;
  const { checks, check_timeout, review, protect, worktrees } = value;
  const areTexts = (list: unknown): boolean =>
    list === undefined || (Array.isArray(list) && list.every((one) => typeof one === 'string' && one !== ''));
  return (
    areTexts(checks) &&
    areTexts(protect) &&
    (check_timeout === undefined || (typeof check_timeout === 'number' && check_timeout > 0)) &&
    (review === undefined || typeof review === 'boolean') &&
    (worktrees === undefined || isWorktrees(worktrees))
  );
}
