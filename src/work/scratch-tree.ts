/**
 * The checkout in which landings are checked: one for each lander at a time, made once and used again. It belongs to a process,
 * so that one that sleeps keeps its own, and who comes after it takes another.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Board } from '../model/board.ts';
import { isRecord } from '../model/values.ts';
import { WORKTREES_FOLDER } from '../model/worktrees.ts';
import type { CheckRecords } from '../store/open.ts';
import { gitOrThrow, runGit } from './git.ts';
import { identify, livenessOf } from './processes.ts';
import { excludeFromStatus, isReady, ownFolder } from './worktree-files.ts';
import type { Around, ClaimWorktrees } from './worktrees.ts';

/** Names its owner, in the folder that git keeps for it. */
const OWNER = 'coord-owner.json';
/** More landers than this do not sleep at once. */
const MOST = 20;
const NAME = /^coord-landing\.\d+$/;

export function isScratch(name: string): boolean {
  return NAME.test(name);
}

/**
 * A checkout of this commit, without anything that an earlier landing has left but what is ignored.
 *
 * @returns its root
 * @throws CoordError `git-failed`
 */
export async function scratchAt(worktrees: ClaimWorktrees, commit: string): Promise<string> {
  const { repository } = worktrees;
  for (let n = 1; n <= MOST; n++) {
    const path = join(repository.top, ...WORKTREES_FOLDER.split('/'), `coord-landing.${n}`);
    if (existsSync(join(path, '.git')) && existsSync(ownFolder(path))) {
      if (!own(path)) continue;
      const isWhole = await checkOut(path, commit, repository.env).then(
        () => true,
        () => false,
      );
      if (isWhole) return path;
    }
    // What a crash has left of one that nobody has.
    rmSync(path, { recursive: true, force: true });
    excludeFromStatus(repository.common);
    const args = ['worktree', 'add', '--quiet', '-f', '-f', '--lock', '--reason', 'coord: landing', '--detach'];
    await gitOrThrow(repository.top, [...args, path, commit], repository.env);
    if (own(path)) return path;
  }
  throw new Error('every scratch checkout is taken');
}

/** Makes it ready to be checked in, once. @returns what did not go well */
export async function equipScratch(
  worktrees: ClaimWorktrees,
  path: string,
  board: Board,
  records: CheckRecords,
  around: Around,
  again: boolean,
): Promise<string[]> {
  return !again && isReady(path) ? [] : worktrees.equip(path, board, undefined, records, around);
}

export async function checkOut(path: string, commit: string, env: ClaimWorktrees['repository']['env']): Promise<void> {
  const args = ['checkout', '--quiet', '-f', '--detach', commit];
  if ((await runGit(path, args, env)).code !== 0) {
    // A git that was killed leaves a lock on the index, which is this process's alone.
    rmSync(join(ownFolder(path), 'index.lock'), { force: true });
    await gitOrThrow(path, args, env);
  }
  await gitOrThrow(path, ['clean', '--quiet', '-f', '-d'], env);
}

/** Takes it, where nobody has it or who had it is dead. The landing's lease keeps two from asking at once. */
function own(path: string): boolean {
  const file = join(ownFolder(path), OWNER);
  const owner = ownerIn(file);
  const self = identify(process.pid) ?? { pid: process.pid, started: '' };
  const isOwn = owner?.pid === self.pid && owner.started === self.started;
  if (owner && !isOwn && livenessOf(owner) !== 'dead') return false;
  const mine = JSON.stringify(self);
  writeFileSync(`${file}.${process.pid}`, mine);
  renameSync(`${file}.${process.pid}`, file);
  return readFileSync(file, 'utf8') === mine;
}

/** Another may have it now. */
export function releaseScratch(path: string): void {
  rmSync(join(ownFolder(path), OWNER), { force: true });
}

/** Whether a living process has it. */
export function isOwned(path: string): boolean {
  const owner = existsSync(join(path, '.git')) ? ownerIn(join(ownFolder(path), OWNER)) : undefined;
  return owner !== undefined && livenessOf(owner) !== 'dead';
}

function ownerIn(file: string): { pid: number; started: string } | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isRecord(owner) && typeof owner['pid'] === 'number' && typeof owner['started'] === 'string'
      ? { pid: owner['pid'], started: owner['started'] }
      : undefined;
  } catch {
    return undefined;
  }
}
