/** Notices that somebody committed. An event means "look again", never "this happened". */
import { watch } from 'chokidar';
import { createIfAbsent } from './atomic.ts';

/** After the last event one more look, for what came while the previous look was under way. */
const ECHO_MS = 100;
/** Where watching is impossible: how often to look instead. */
const POLL_MS = 500;

/**
 * Yields once the watcher stands, and then whenever the bell was rung. Rings that come while the reader is busy are
 * yielded as one.
 *
 * The bell is a file that is never replaced and whose times every commit sets. A watch on tasks.json would lose
 * wake-ups, since it follows the old inode after a rename; a watch on the folder of commits loses none, but chokidar
 * lists the folder and stats each file in it at every event, and fifty waiters doing that kept two cores busy for longer
 * than the claim that they waited for. It also throttles its events for one path; `raw` comes straight from the kernel,
 * or from the poller.
 */
export async function* watchBell(bell: string, options: { poll: boolean; signal: AbortSignal }): AsyncGenerator<void> {
  const { signal } = options;
  if (signal.aborted) return;
  let isNew = false;
  let wake = (): void => {};
  let echo: NodeJS.Timeout | undefined;
  const note = (): void => {
    isNew = true;
    wake();
  };
  const noteTwice = (): void => {
    note();
    clearTimeout(echo);
    echo = setTimeout(note, ECHO_MS);
  };
  createIfAbsent(bell, '');
  const watcher = watch(bell, { ignoreInitial: true, usePolling: options.poll, interval: POLL_MS });
  watcher.on('raw', noteTwice).on('all', noteTwice).on('ready', note).on('error', note);
  signal.addEventListener('abort', note, { once: true });
  try {
    while (!signal.aborted) {
      if (isNew) {
        isNew = false;
        yield;
      } else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    clearTimeout(echo);
    await watcher.close();
  }
}
