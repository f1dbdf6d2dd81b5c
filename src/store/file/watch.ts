/** Notices that somebody committed. An event means "look again", never "this happened". */
import { type FSWatcher, watch } from 'chokidar';
import { lstatSync } from 'node:fs';
import { createIfAbsent } from './atomic.ts';
import { unsafe } from './errno.ts';
import { Nudges } from '../nudges.ts';

/** After the last event one more look, for what came while the previous look was under way. */
const ECHO_MS = 100;
/** Where watching is impossible: how often to look instead. */
const POLL_MS = 500;
/** How often to look whether the bell is still the same file: the folder may have been moved away with it, and made anew. */
const SAME_MS = 5000;

/**
 * Yields once the watcher stands, and then whenever the bell was rung. Rings that come while the reader is busy are
 * yielded as one.
 *
 * The bell is a file that is never replaced and whose times every commit sets. A watch on tasks.json would lose
 * wake-ups, since it follows the old inode after a rename; a watch on the folder of commits loses none, but chokidar
 * lists the folder and stats each file in it at every event, and fifty waiters doing that kept two cores busy for longer
 * than the claim that they waited for. It also throttles its events for one path; `raw` comes straight from the kernel,
 * or from the poller.
 *
 * Where the kernel can watch no more (its instances are used up), the file is polled. Where the whole folder goes away, its
 * watch goes with it: a new one is set once there is a bell again.
 */
export async function* watchBell(
  bell: string,
  options: {
    poll: boolean;
    signal: AbortSignal;
    /** Told why the file has to be polled. */
    onPolling?: (error: unknown) => void;
  },
): AsyncGenerator<void> {
  const { signal } = options;
  if (signal.aborted) return;
  if (!mayBeWatched(bell)) throw unsafe(bell, 'is no ordinary file');
  const nudges = new Nudges();
  const note = nudges.nudge;
  let echo: NodeJS.Timeout | undefined;
  let again: NodeJS.Timeout | undefined;
  const noteTwice = (): void => {
    note();
    clearTimeout(echo);
    echo = setTimeout(note, ECHO_MS);
  };
  let watcher: FSWatcher | undefined;
  let watched: number | undefined;
  const begin = (isPolling: boolean): void => {
    const old = watcher;
    void old?.close();
    watcher = undefined;
    try {
      createIfAbsent(bell, '');
      if (!mayBeWatched(bell)) throw unsafe(bell, 'is no ordinary file');
    } catch {
      again = setTimeout(() => begin(isPolling), POLL_MS); // the folder is away, perhaps for a moment
      return note();
    }
    watched = inodeOf(bell);
    const next = watch(bell, {
      ignoreInitial: true,
      followSymlinks: false,
      depth: 0,
      usePolling: isPolling,
      interval: POLL_MS,
    });
    watcher = next;
    next.on('raw', noteTwice).on('all', (event) => {
      if (event === 'unlink' && watcher === next) begin(isPolling);
      else noteTwice();
    });
    next.on('ready', note).on('error', (error) => {
      if (watcher !== next) return;
      if (!isPolling) options.onPolling?.(error);
      if (!isPolling) begin(true);
      else note();
    });
  };
  begin(options.poll);
  const checking = setInterval(() => {
    if (watcher && inodeOf(bell) !== watched) begin(watcher.options.usePolling);
  }, SAME_MS);
  try {
    yield* nudges.until(signal);
  } finally {
    clearTimeout(echo);
    clearTimeout(again);
    clearInterval(checking);
    await watcher?.close();
  }
}

/** A link would lead the watch elsewhere, and to all that lies below. */
function mayBeWatched(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}
