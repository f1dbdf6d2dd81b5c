/** Worktrees and branches of claims that nobody needs any more: found, and removed where nothing can be lost by it. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Board } from '../model/board.ts';
import type { Store } from '../store/store.ts';
import { branchesOf, isOfSeries } from '../model/worktrees.ts';
import { git, gitOrThrow } from './git.ts';
import { isOwned, isScratch } from './scratch-tree.ts';
import { type ClaimWorktrees, taskOf, type Worktree, worktreeFolders, type WorktreeEntry } from './worktrees.ts';

export interface ListedWorktree extends WorktreeEntry {
  /** Files that are not committed. */
  dirty: number;
  /** Commits that have not landed. */
  ahead: number;
}

/** What stays, and why. */
interface Left {
  branch: string;
  why: string;
}

export interface Cleaned {
  /** With the folder that holds its ignored files, where it had any of its own. */
  removed: { branch: string; aside: string | undefined }[];
  left: Left[];
}

export async function listWorktrees(worktrees: ClaimWorktrees, board: Board): Promise<ListedWorktree[]> {
  return Promise.all(
    (await worktrees.list()).map(async (entry) => {
      const [dirty, ahead] = await Promise.all([
        existsSync(entry.path) ? worktrees.uncommitted(entry.path) : [],
        git(
          worktrees.repository.top,
          ['rev-list', '--count', `${worktrees.sharedBranch}..${entry.head}`],
          worktrees.repository.env,
        ),
      ]);
      const task = taskOf(board, entry.branch, worktrees.settings);
      return { ...entry, task, dirty: dirty.length, ahead: Number(ahead ?? 0) };
    }),
  );
}

/** Whether somebody works on it, or it waits to land. */
function isNeeded({ branch, task }: Pick<WorktreeEntry, 'branch' | 'task'>): boolean {
  return task?.branch === branch && (task.status === 'claimed' || task.status === 'submitted');
}

/** @param isTrial  says what it would do, and does nothing */
export async function cleanWorktrees(worktrees: ClaimWorktrees, store: Store, isTrial: boolean): Promise<Cleaned> {
  const removed: Cleaned['removed'] = [];
  const left: Left[] = [];
  const { top, env } = worktrees.repository;
  const found = await worktrees.list();
  found.push(...(await branchesAlone(worktrees, new Set(found.map(({ branch }) => branch)))));
  // Read after what is there was listed: each of these was claimed before it was made.
  const board = await store.read();
  for (const one of found) {
    const { branch } = one;
    const entry = { ...one, task: taskOf(board, branch, worktrees.settings) };
    if (isNeeded(entry)) continue;
    const why = await whyItStays(worktrees, entry, isTrial);
    if (why === undefined) removed.push({ branch, aside: worktrees.asideOf(branch) });
    else left.push({ branch, why });
  }
  for (const path of worktreeFolders(worktrees.repository)) {
    const name = basename(path);
    const isLanding = board.tasks.some(({ status, landing }) => status === 'submitted' && landing !== undefined);
    if (!isScratch(name) || isOwned(path) || isLanding) continue;
    // Nothing in it is anybody's: each landing checks it out anew.
    if (!isTrial) await git(top, ['worktree', 'remove', '-f', '-f', path], env);
    removed.push({ branch: name, aside: undefined });
  }
  return { removed, left };
}

async function whyItStays(
  worktrees: ClaimWorktrees,
  entry: WorktreeEntry,
  isTrial: boolean,
): Promise<string | undefined> {
  if (!entry.task) return 'no task of this board has it';
  if (!(await worktrees.hasLanded(entry.head))) return 'it has commits that have not landed';
  // Of an attempt that another has followed nobody commits anything any more.
  const isOver = entry.task.branch !== entry.branch;
  return isTrial ? worktrees.whyNotRemoved(entry, isOver) : worktrees.remove(entry, isOver);
}

/** Removes what landings have left, of earlier attempts and where somebody was in it then. It looks only at what is there. */
export async function sweepLanded(worktrees: ClaimWorktrees, board: Board): Promise<void> {
  for (const path of worktreeFolders(worktrees.repository)) {
    const branch = basename(path).replace('-', '/'); // the other way of worktreeOf
    const task = taskOf(board, branch, worktrees.settings);
    if (task?.status !== 'done' || task.landed === undefined || worktrees.rootOf(branch) !== path) continue;
    if (!existsSync(join(path, '.git'))) continue; // git would speak of the project's own checkout
    const head = (await git(path, ['rev-parse', 'HEAD'], worktrees.repository.env))?.trim() ?? '';
    if (await worktrees.hasLanded(head)) await worktrees.remove({ path, branch, head }, task.branch !== branch);
  }
}

/** Branches of claims whose worktrees are gone. */
async function branchesAlone(worktrees: ClaimWorktrees, known: ReadonlySet<string>): Promise<Worktree[]> {
  const { top, env } = worktrees.repository;
  const start = branchesOf('*', worktrees.settings.series);
  const said = await gitOrThrow(
    top,
    ['for-each-ref', '--format=%(objectname) %(refname)', `refs/heads/${start}*`],
    env,
  );
  return said.split('\n').flatMap((line) => {
    const [head = '', ref = ''] = line.split(' ');
    const branch = ref.replace(/^refs\/heads\//, '');
    if (known.has(branch) || branch === worktrees.settings.branch || !isOfSeries(branch, worktrees.settings)) return [];
    return [{ path: worktrees.rootOf(branch), branch, head }];
  });
}
