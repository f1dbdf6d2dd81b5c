/** Worktrees: where a board gives each claim a branch of its own, and lands what is handed in on one branch. */
import { isRecord } from './values.ts';

/** How a board lands what is handed in. */
export interface Worktrees {
  /** What lands goes here; nobody has it checked out. */
  branch: string;
  /** Several clones share the branch by this remote. */
  remote?: string | undefined;
  /** A command line that makes a new worktree ready to work in. */
  setup?: string | undefined;
  /** Stands in the names of its branches where another board of the repository was before it: `2` gives `coord/2+task-001.1`. */
  series?: string | undefined;
}

/** Somebody lands this task; until the lease runs out nobody else lands anything. */
export interface Landing {
  by: string;
  /** Names this very try. */
  token: string;
  /** ISO 8601 UTC. */
  until: string;
}

/** Where it landed. */
export interface Landed {
  /** The merge. */
  commit: string;
  branch: string;
  /** ISO 8601 UTC. */
  at: string;
}

/** What was sent back has the next turn with its files: else whoever lands meanwhile sends it back again. */
export interface Turn {
  files: string[];
  /** ISO 8601 UTC. */
  until: string;
}

/** Where branches and worktrees of claims begin. */
const PREFIX = 'coord';
/** The project's folder for worktrees: Claude Code enters what lies there without asking. */
export const WORKTREES_FOLDER = '.claude/worktrees';
export const DEFAULT_BRANCH = 'coord/main';

/** A branch as git takes it, and nothing that a command would take for an option. @see git-check-ref-format(1) */
const BRANCH = /^(?![-/.])(?!.*(?:\.\.|\/\/|\/\.|@\{|\.lock(?:\/|$)))[^\p{Cc} ~^:?*[\\]{1,200}(?<![/.])$/u;
export const REMOTE_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9._/-]{0,99}$/;
export const SERIES_PATTERN = /^\d{1,6}$/;

export function isBranchName(value: unknown): value is string {
  return typeof value === 'string' && BRANCH.test(value);
}

export function isWorktrees(value: unknown): value is Worktrees {
  if (!isRecord(value)) return false;
  const { branch, remote, setup, series } = value;
  return (
    isBranchName(branch) &&
    (remote === undefined || (typeof remote === 'string' && REMOTE_PATTERN.test(remote))) &&
    (setup === undefined || (typeof setup === 'string' && setup !== '')) &&
    (series === undefined || (typeof series === 'string' && SERIES_PATTERN.test(series)))
  );
}

/**
 * The branch of one claim: `coord/task-001.2` is that of its second. Each task and attempt has a name of its own, whatever dots
 * stand in the id: git takes no two in a row.
 */
export function branchOf({ id, attempt }: { id: string; attempt: number }, { series }: Worktrees): string {
  return `${branchesOf(id, series)}${attempt}`;
}

/** What the branches of all claims of a task begin with: `coord/task-001.`. */
export function branchesOf(id: string, series: string | undefined): string {
  return `${PREFIX}/${series === undefined ? '' : `${series}+`}${id.replaceAll(/\.(?=\.|$)/g, '%2E')}.`;
}

/** Whether a branch is of some claim of this board, or of one that its tasks know no more. */
export function isOfSeries(branch: string, { series }: Worktrees): boolean {
  const [claim, own] = /^coord\/(?:(\d+)\+)?[^/+]+\.\d+$/.exec(branch) ?? [];
  return claim !== undefined && own === series;
}

/** The folder of a claim's worktree, from the root of its repository. */
export function worktreeOf(branch: string): string {
  return `${WORKTREES_FOLDER}/${branch.replaceAll('/', '-')}`;
}

export function isLanding(value: unknown): value is Landing {
  return isRecord(value) && ['by', 'token', 'until'].every((field) => typeof value[field] === 'string');
}

export function isLanded(value: unknown): value is Landed {
  return isRecord(value) && ['commit', 'branch', 'at'].every((field) => typeof value[field] === 'string');
}

export function isTurn(value: unknown): value is Turn {
  if (!isRecord(value) || typeof value['until'] !== 'string') return false;
  return Array.isArray(value['files']) && value['files'].every((file) => typeof file === 'string');
}
