/** The doctor's checks of what lies around the board, and of what the machine can do: lock, scratch, links, clock, watching. */
import { touch, namesIn, removeIfThere } from './atomic.ts';
import { fileSystemTime, scratchName, removeScratch, scratchIn } from './scratch.ts';
import { watchBell } from './watch.ts';
import { writeFileSync, lstatSync, linkSync, mkdirSync } from 'node:fs';
import { setAside, type Patient, type Check } from './doctor-check.ts';
import { isLinkUnsupported } from './errno.ts';
import { STALE_MS } from './lock.ts';
import { clockSkew } from './board-clock.ts';

/** Scratch of a command that has just ended is swept by the next one. */
const MINUTE_MS = 60_000;

export async function checkLock({ tree }: Patient): Promise<Check> {
  const check = 'lock';
  const stat = lstatSync(tree.lock, { throwIfNoEntry: false });
  if (!stat) return { check, ok: true, message: 'free' };
  if (!stat.isDirectory() || namesIn(tree.lock).length > 0)
    return {
      check,
      ok: false,
      message: 'something else stands in its place, and writers do without it',
      fix: 'move it to rejected/',
      mend: () => setAside(tree, tree.lock, 'lock-'),
    };
  const age = fileSystemTime(tree.tmp) - stat.mtimeMs;
  if (age < STALE_MS) return { check, ok: true, message: 'held by a command that is at work' };
  const message = `left behind ${Math.round(age / 1000)} s ago by a process that died; the next command takes it over`;
  return { check, ok: true, message };
}

export async function checkRejected({ tree }: Patient): Promise<Check> {
  const names = namesIn(tree.rejected).filter((name) => name.startsWith('tasks-'));
  const message =
    names.length === 0
      ? 'none rejected'
      : `${names.length} kept in rejected/: compare them with tasks.json, then delete them`;
  return { check: 'hand edits', ok: true, message };
}

export async function checkScratch({ tree, options, tasks }: Patient): Promise<Check> {
  const check = 'scratch files';
  const left = scratchIn(tree.tmp, Date.parse(options.now())).filter(
    // Each commit leaves the tasks.json before it for the next to remove.
    (file) => file.isLeft && file.age > MINUTE_MS && (!file.isDisplaced || tasks.isTouched(file)),
  );
  if (left.length === 0) return { check, ok: true, message: 'none left behind' };
  return {
    check,
    ok: false,
    message: `${left.length} left behind by crashes`,
    fix: 'remove them',
    mend: async () => {
      await tasks.sweep(); // what may hold somebody's edit is merged first
      for (const file of left) removeScratch(file.path);
    },
  };
}

export async function checkClock({ options }: Patient): Promise<Check> {
  const skew = clockSkew(options.now());
  return { check: 'clock', ok: skew === undefined, message: skew ?? 'agrees with that of the file system' };
}

export async function checkLinks({ tree }: Patient): Promise<Check> {
  const check = 'hard links';
  const from = scratchName(tree.tmp);
  const to = scratchName(tree.tmp);
  mkdirSync(tree.tmp, { recursive: true });
  writeFileSync(from, '');
  try {
    linkSync(from, to);
    return { check, ok: true, message: 'work here' };
  } catch (error) {
    if (!isLinkUnsupported(error)) throw error;
    return { check, ok: true, message: 'do not exist here; commits rename folders instead' };
  } finally {
    removeIfThere(from);
    removeIfThere(to);
  }
}

/** How long an event may take before watching counts as impossible; it takes milliseconds where it works. */
const WATCH_MS = 3000;

export async function checkWatching({ tree, options }: Patient): Promise<Check> {
  const check = 'watching';
  const ending = new AbortController();
  const bell = scratchName(tree.tmp);
  let problem: string | undefined;
  const events = watchBell(bell, {
    poll: options.poll,
    signal: ending.signal,
    onPolling: (error) => (problem ??= error instanceof Error ? error.message : 'an unknown error'),
  });
  try {
    await events.next(); // the watcher stands
    const seen = events.next();
    touch(bell);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), WATCH_MS)));
    const isSeen = await Promise.race([seen.then(() => true), tooLate]);
    clearTimeout(timer);
    if (problem !== undefined) {
      return { check, ok: false, message: `is refused, so the board is looked at twice a second instead: ${problem}` };
    }
    if (isSeen)
      return { check, ok: true, message: options.poll ? 'works by polling (COORD_WATCH=poll)' : 'works here' };
    return {
      check,
      ok: false,
      message:
        'the file system reports no changes: set COORD_WATCH=poll, or waiting workers notice tasks up to 5 s late',
    };
  } finally {
    ending.abort();
    await events.return(undefined);
    removeIfThere(bell);
  }
}
