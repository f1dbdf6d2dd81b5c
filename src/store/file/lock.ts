/**
 * A lock that lowers contention, and that nothing relies on (see commit-log.ts for what is relied on).
 *
 * proper-lockfile makes a directory and refreshes its mtime; a lock whose mtime is older than {@link STALE_MS} belongs
 * to a dead or sleeping process and is taken over.
 */
import { existsSync, lstatSync, mkdirSync, realpathSync, rmdirSync, utimesSync } from 'node:fs';
import lockfile from 'proper-lockfile';
import { monotonicMs, sleep } from '../clock.ts';
import { isErrno } from './errno.ts';

/** The shortest that proper-lockfile allows. A commit holds the lock for milliseconds. */
export const STALE_MS = 2000;
/** After this long a writer goes on without the lock: a paused holder must not stop the world. */
const PATIENCE_MS = 2000;
/** First pause between two tries, and the longest; in between full jitter, so that waiters do not march in step. */
const FIRST_RETRY_MS = 5;
const LONGEST_RETRY_MS = 100;

/** The five calls that it needs. Given all of node:fs it copies it, which loads streams and promises: 7 ms. */
const FS = { mkdirSync, realpathSync, rmdirSync, statSync: lstatSync, utimesSync };

/**
 * Tries once.
 *
 * @returns what releases the lock; `held` while somebody else has it; `unusable` where something else stands in its place, a file
 *   or a folder with something in it: nobody will ever have it, and waiting would help nobody
 */
export function tryLock(folder: string, lockPath: string): (() => void) | 'held' | 'unusable' {
  try {
    // It knows its locks by what they are for: each of ours is for itself.
    const release = lockfile.lockSync(lockPath, {
      lockfilePath: lockPath,
      realpath: false,
      fs: FS,
      stale: STALE_MS,
      update: STALE_MS / 2,
      // Robbed, or the lock removed by hand: no reason to stop, since the log of commits decides.
      onCompromised: () => {},
    });
    return () => {
      try {
        release();
      } catch {
        // It was taken over meanwhile, or its folder is gone: either way it is not ours to release.
      }
    };
  } catch (error) {
    if (isErrno(error, 'ELOCKED', 'ECOMPROMISED')) return 'held';
    // Somebody who thought it stale removed it between two of proper-lockfile's steps.
    if (isErrno(error, 'ENOENT') && existsSync(folder)) return 'held';
    if (!(error instanceof Error && 'syscall' in error) || isErrno(error, 'ENOENT', 'ENOSPC', 'EROFS')) throw error;
    return 'unusable';
  }
}

/** Runs `work` holding the lock, or without it when it cannot be had in time. */
export async function withLock<T>(folder: string, lockPath: string, work: () => Promise<T>): Promise<T> {
  const start = monotonicMs();
  let release = tryLock(folder, lockPath);
  for (let tries = 0; release === 'held' && monotonicMs() - start < PATIENCE_MS; tries++) {
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** tries);
    await sleep(1 + Math.random() * longest);
    release = tryLock(folder, lockPath);
  }
  try {
    return await work();
  } finally {
    if (typeof release === 'function') release();
  }
}
