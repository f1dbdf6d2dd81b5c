/** Notices that a folder got or lost a name. An event means "look again", never "this happened". */
import { watch } from 'chokidar';

/** After the last event one more look, for what came while the previous look was under way. */
const ECHO_MS = 100;
/** Where watching is impossible: how often to look instead. */
const POLL_MS = 500;

/**
 * Yields once the watcher stands, and then whenever something happened in the folder. Events that come while the
 * reader is busy are yielded as one.
 *
 * It watches the folder of commits, where every commit makes a new name. A watch on tasks.json would lose wake-ups:
 * chokidar throttles changes of one path, and a watch on a file follows the old inode after a rename.
 */
export async function* watchFolder(
  folder: string,
  options: { poll: boolean; signal: AbortSignal },
): AsyncGenerator<void> {
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
  const watcher = watch(folder, { depth: 0, ignoreInitial: true, usePolling: options.poll, interval: POLL_MS });
  // `raw` comes straight from the kernel; `all` comes after chokidar has listed the folder, and where raw is silent.
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
