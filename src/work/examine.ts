/** What `coord doctor` says of worktrees and landings, and mends where nothing can be lost by it. */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Board } from '../model/board.ts';
import { isLandingLive } from '../model/landing.ts';
import { plural } from '../model/text.ts';
import type { Finding, Store } from '../store/store.ts';
import { cleanWorktrees } from './clean.ts';
import { git } from './git.ts';
import { isGitRunning } from './processes.ts';
import { sharedRefs } from './refs.ts';
import { refuseCheckedOut } from './repository.ts';
import type { ClaimWorktrees } from './worktrees.ts';

/** A lock that is younger may be of a git on another machine, or one that has just ended. */
const OLD_LOCK_MS = 10_000;
const SHOWN = 5;

export async function examineWorktrees(worktrees: ClaimWorktrees, store: Store, fix: boolean): Promise<Finding[]> {
  const board = await store.read();
  const now = await store.now();
  return [
    await boardBranch(worktrees),
    ...leftLocks(worktrees, fix),
    await leftFences(worktrees, board, now, fix),
    missingWorktrees(worktrees, board),
    ...(await leftWorktrees(worktrees, store, fix)),
  ];
}

async function boardBranch(worktrees: ClaimWorktrees): Promise<Finding> {
  const { repository, settings, sharedBranch } = worktrees;
  const check = 'landing';
  const tip = await git(repository.top, ['rev-parse', '--verify', '--quiet', sharedBranch], repository.env);
  if (tip === undefined)
    return { check, ok: false, message: `there is no branch ${settings.branch}: git branch ${settings.branch}` };
  try {
    await refuseCheckedOut(repository, settings.branch);
    return { check, ok: true, message: `what is handed in lands on ${settings.branch}, at ${tip.trim().slice(0, 12)}` };
  } catch (error) {
    return { check, ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

/** Locks that a killed git has left: everybody's git waits for them in vain. */
function leftLocks({ repository }: ClaimWorktrees, fix: boolean): Finding[] {
  const locks = locksIn(repository.common, 0).filter((path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat?.isFile() === true && Date.now() - stat.mtimeMs > OLD_LOCK_MS;
  });
  if (locks.length === 0) return [{ check: 'git locks', ok: true, message: 'git has left no lock' }];
  const message = `git has left ${plural(locks.length, 'lock')}: ${named(locks)}`;
  // Whose it is cannot be told: as long as any git lives, none is taken away.
  if (isGitRunning())
    return [{ check: 'git locks', ok: false, message: `${message}; a git runs now, look again when it has ended` }];
  if (fix) for (const path of locks) rmSync(path, { force: true });
  return [{ check: 'git locks', ok: false, message, fix: 'remove them', ...(fix ? { fixed: true } : {}) }];
}

/** In the folders where git makes them; objects have none. */
function locksIn(folder: string, depth: number): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return entry.name.endsWith('.lock') ? [path] : [];
    const isLooked = depth > 0 || ['refs', 'worktrees', 'logs'].includes(entry.name);
    return entry.isDirectory() && isLooked && depth < 12 ? locksIn(path, depth + 1) : [];
  });
}

/** Fences of landings that are over: their landers died, or were taken the turn from. */
async function leftFences(worktrees: ClaimWorktrees, board: Board, now: string, fix: boolean): Promise<Finding> {
  const check = 'landings';
  const refs = sharedRefs(worktrees.repository, worktrees.settings);
  const live = new Set(board.tasks.flatMap((task) => (isLandingLive(task, now) ? (task.branch ?? []) : [])));
  const left = (await refs.fences()).filter(({ claim }) => !live.has(claim));
  if (left.length === 0) return { check, ok: true, message: 'no landing was left half-way' };
  if (fix) for (const { claim, commit } of left) await refs.drop(claim, commit);
  const message = `${plural(left.length, 'landing was', 'landings were')} left half-way: ${named(left.map(({ claim }) => claim))}`;
  const what = 'remove their fences; what was handed in stays queued';
  return { check, ok: false, message, fix: what, ...(fix ? { fixed: true } : {}) };
}

function missingWorktrees(worktrees: ClaimWorktrees, board: Board): Finding {
  const missing = board.tasks.filter(
    ({ status, branch }) =>
      status === 'claimed' && branch !== undefined && !existsSync(join(worktrees.rootOf(branch), '.git')),
  );
  const check = 'tasks without a worktree';
  if (missing.length === 0) return { check, ok: true, message: 'every claim has one' };
  const names = missing.map(({ id, claimed_by }) => `${id} of ${claimed_by}`);
  const [first] = missing;
  const message = `${named(names)}; made in another clone, or deleted: coord worker claim ${first?.claimed_by} makes it anew`;
  return { check, ok: false, message };
}

async function leftWorktrees(worktrees: ClaimWorktrees, store: Store, fix: boolean): Promise<Finding[]> {
  const { removed, left } = await cleanWorktrees(worktrees, store, !fix);
  const findings: Finding[] = [];
  const gone = removed.map(({ branch }) => branch);
  if (gone.length > 0)
    findings.push({
      check: 'worktrees without a task',
      ok: false,
      message: `${plural(gone.length, 'worktree')} or branches that nobody needs: ${named(gone)}`,
      fix: 'remove them: they hold nothing that has not landed',
      ...(fix ? { fixed: true } : {}),
    });
  if (left.length > 0)
    findings.push({
      check: 'unlanded work',
      ok: false,
      message: `work that no open task lands: ${named(left.map(({ branch, why }) => `${branch} (${why})`))}. Keep it, or delete it yourself: git worktree remove -f -f <path>; git branch -D <branch>`,
    });
  if (findings.length === 0) findings.push({ check: 'worktrees', ok: true, message: 'each is of an open claim' });
  return findings;
}

function named(all: readonly string[]): string {
  const shown = all.slice(0, SHOWN).join(', ');
  return all.length > SHOWN ? `${shown} and ${all.length - SHOWN} more` : shown;
}
