/** The clock that decides over leases: that of the file system the board lies on. */
import { monotonicMs } from '../clock.ts';
import { fileSystemTime } from './scratch.ts';
import type { Tree } from './tree.ts';

/** A clock that is further off than this is named. */
const SKEW_MS = 60_000;
/** How long what the board's clock said may be carried on by this machine's: within a commit, and for who only looks. */
const CARRIED_MS = 250;
export const CARRIED_BY_READERS_MS = 10_000;

/**
 * What the clock of the board's file system says, ISO 8601 UTC: the same for all who share it, whatever their own clocks.
 * Asked by making a file there, and carried on for a while by a clock that nobody sets.
 */
export function boardClock(tree: Tree): (carriedMs?: number) => string {
  let asked: { time: number; at: number } | undefined;
  return (carriedMs = CARRIED_MS) => {
    const now = monotonicMs();
    if (!asked || now - asked.at > carriedMs) asked = { time: fileSystemTime(tree.tmp), at: now };
    return new Date(asked.time + (now - asked.at)).toISOString();
  };
}

/**
 * How far this machine's clock is off, in words; undefined where that does not matter.
 * @param now  what the board's clock says
 */
export function clockSkew(now: string): string | undefined {
  const ahead = Date.now() - Date.parse(now);
  if (Math.abs(ahead) <= SKEW_MS) return undefined;
  return `this machine's clock is ${Math.round(Math.abs(ahead) / 60_000)} min ${ahead > 0 ? 'ahead of' : 'behind'} that of the board's file system, which decides over leases`;
}
