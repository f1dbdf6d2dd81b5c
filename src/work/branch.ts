/** What a worker hands in from its worktree: the commits of its branch. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Board } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import { protectedOf } from '../model/gate.ts';
import type { Task } from '../model/task.ts';
import { plural, visible } from '../model/text.ts';
import { git, gitOrThrow, namesOf } from './git.ts';
import { fetchBranch } from './repository.ts';
import { statusOf } from './worktree-files.ts';
import { branchFrom, type ClaimWorktrees, namedFiles } from './worktrees.ts';

/** Files that a task may name, and characters of each. */
const MOST_FILES = 1000;
const LONGEST_NAME = 1024;

export interface HandedIn {
  /** The project's folder in the worktree. */
  root: string;
  head: string;
  /** What it changes, from the root of the project. */
  files: string[];
}

/**
 * What stands in the worktree of a claim, all of it committed.
 *
 * @param isUnchanged  its worker says that there was nothing to change
 * @throws CoordError `not-committed`
 */
export async function handedIn(worktrees: ClaimWorktrees, task: Task, isUnchanged: boolean): Promise<HandedIn> {
  const branch = branchFrom(task);
  const path = worktrees.rootOf(branch);
  const refuse = (message: string, why: string): never => {
    throw new CoordError('not-committed', message, { details: { why, path, branch, task_id: task.id } });
  };
  if (!existsSync(join(path, '.git'))) refuse(`${task.id} has no worktree here: ${path} is not there.`, 'gone');
  const { env } = worktrees.repository;
  const status = await statusOf(path, env);
  if (status.dirty.length > 0) refuse(`Not committed: ${namedFiles(status.dirty)}.`, 'dirty');
  if (status.branch !== branch) {
    const is = status.branch === '(detached)' ? 'no branch' : visible(status.branch);
    refuse(`${path} has ${is} checked out, not ${branch}: what is handed in is on that.`, 'branch');
  }
  const shared = worktrees.sharedBranch;
  const count = Number(await gitOrThrow(path, ['rev-list', '--count', `${shared}..${status.head}`], env));
  if (count === 0 && !isUnchanged) refuse(`There is no commit on ${branch}.`, 'empty');
  if (count > 0 && isUnchanged)
    refuse(`${branch} has ${plural(count, 'commit')}: hand it in without --no-changes.`, 'not-empty');
  const root = worktrees.projectOf(branch);
  return { root, head: status.head, files: await changedBy(worktrees, status.head) };
}

/** The files that a branch changes, from the root of the project; what others have landed meanwhile is not among them. */
export async function changedBy({ repository, sharedBranch }: ClaimWorktrees, head: string): Promise<string[]> {
  const { top, within, env } = repository;
  const own = within === '' ? '--relative' : `--relative=${within}/`;
  const args = ['diff', '--name-only', '-z', own, '--no-renames', `${sharedBranch}...${head}`];
  return namesOf(await gitOrThrow(top, args, env));
}

/** Of a list of files what a task may name, those that are protected before others: by them it is reviewed. */
export function namedInTask(board: Board, files: readonly string[]): string[] {
  const guarded = new Set(protectedOf(board, files));
  return [...guarded, ...files.filter((file) => !guarded.has(file))]
    .filter((name) => name.length <= LONGEST_NAME)
    .slice(0, MOST_FILES);
}

/** Fetches what another clone has handed in, where it is not here yet. */
export async function fetchHead(worktrees: ClaimWorktrees, branch: string, head: string): Promise<void> {
  const { top, env } = worktrees.repository;
  const { remote } = worktrees.settings;
  if (remote === undefined || (await git(top, ['cat-file', '-e', `${head}^{commit}`], env)) !== undefined) return;
  await fetchBranch({ top, env }, remote, branch);
}

/** The newest commit of a claim's branch, here or in the remote; undefined where there is none. */
export async function headOfBranch(worktrees: ClaimWorktrees, branch: string): Promise<string | undefined> {
  const { top, env } = worktrees.repository;
  const { remote } = worktrees.settings;
  const tipOf = async (ref: string): Promise<string | undefined> =>
    (await git(top, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], env))?.trim();
  const own = await tipOf(`refs/heads/${branch}`);
  if (own !== undefined || remote === undefined) return own;
  await fetchBranch({ top, env }, remote, branch);
  return tipOf(`refs/remotes/${remote}/${branch}`);
}

/** Shares the branch with the other clones. @throws CoordError `git-failed` */
export async function shareBranch(
  { repository, settings }: ClaimWorktrees,
  branch: string,
  head: string,
): Promise<void> {
  if (settings.remote === undefined) return;
  const to = `${head}:refs/heads/${branch}`;
  await gitOrThrow(repository.top, ['push', '--quiet', '--no-verify', settings.remote, to], repository.env);
}
