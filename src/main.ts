/** The process edge: argv, environment, streams and signals in, exit code out. */
import { fstatSync, readFileSync, realpathSync, statSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { runCli } from './faces/cli/run.ts';
import type { Stream } from './faces/io.ts';
import { CoordError } from './model/errors.ts';

/** Replaced by the build with the version of package.json. */
declare const COORD_VERSION: string;

/** How long a task may take to be given back, once what worked on it was killed. */
const LAST_MS = 3000;

let controller: AbortController | undefined;
const lastMoments = new Set<() => void>();
let interrupts = 0;
let lostOutput: string | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt(signal));

/** Made for whoever asks whether to stop: most commands are done before anybody could. */
function stopping(): AbortController {
  return (controller ??= new AbortController());
}

/** The first one stops cleanly; the second kills what runs and gives it back, if that can be done in a moment; the third ends it. */
function interrupt(signal: 'SIGINT' | 'SIGTERM'): void {
  interrupts++;
  if (interrupts === 1) return stopping().abort();
  if (interrupts === 2 && lastMoments.size > 0) {
    for (const work of lastMoments) work();
    setTimeout(() => endBy(signal), LAST_MS).unref();
    return;
  }
  for (const work of lastMoments) work();
  endBy(signal);
}

/** By the signal's own action, so that whoever waits for this process sees it. */
function endBy(signal: 'SIGINT' | 'SIGTERM'): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * A closed window is a first Ctrl-C, however often it is said (the kernel and the shell each do). Under `nohup` it is
 * nothing: Node has taken its disregard away, so it is given back here.
 */
function heedHangup(): void {
  void import('./work/processes.ts').then(({ isHangupIgnored }) => {
    const isIgnored = isHangupIgnored(process.env);
    process.on('SIGHUP', () => {
      if (!isIgnored) stopping().abort();
    });
  });
}

/** Where the process stands; the shell's word for it where that folder is gone, so that looking upwards still finds the board. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return process.env['PWD'] ?? '/';
  }
}

void runCli(
  {
    argv: process.argv.slice(2),
    cwd: workingFolder(),
    env: process.env,
    stdout: stream(1),
    stderr: stream(2),
    readStdin,
    readStdinAtOnce,
    openStreams: () => ({ input: process.stdin, output: process.stdout }),
    program: {
      node: process.execPath,
      get script() {
        return scriptPath();
      },
    },
    get isTerminal() {
      return mayBeTerminal(0) && process.stdin.isTTY && (mayBeTerminal(1) || mayBeTerminal(2));
    },
    get signal() {
      return stopping().signal;
    },
    heedHangup,
    atSecondInterrupt: (work) => {
      lastMoments.add(work);
      return () => lastMoments.delete(work);
    },
  },
  COORD_VERSION,
).then((exitCode) => {
  process.exitCode = exitCode;
  if (lostOutput === undefined) return;
  // What was asked for is done; that nobody could read the answer must show.
  writeAll(2, Buffer.from(`coord: the answer could not be written (${lostOutput}).\n`));
  if (exitCode === 0) process.exitCode = 1;
});

/** A global install is a link to it: what stands beside the script is found from where it really lies. */
function scriptPath(): string {
  const given = process.argv[1] ?? '';
  try {
    return realpathSync(given);
  } catch {
    return given;
  }
}

/**
 * Writes straight to the descriptor. `process.stdout` would load the stream machinery, a tenth of what a whole command
 * takes, and may lose the end of a long answer when the process ends.
 */
function stream(fd: 1 | 2): Stream {
  const terminal = (): NodeJS.WriteStream | undefined =>
    mayBeTerminal(fd) ? (fd === 1 ? process.stdout : process.stderr) : undefined;
  return {
    write: (text) => writeAll(fd, Buffer.from(text)),
    get isTTY() {
      return terminal()?.isTTY === true;
    },
    get columns() {
      return terminal()?.columns ?? 80;
    },
    get rows() {
      return terminal()?.rows ?? 24;
    },
    onResize: (listener) => {
      terminal()?.on('resize', listener);
      return () => terminal()?.off('resize', listener);
    },
  };
}

/** Only a character device can be a terminal, and not /dev/null; asking Node makes it load its terminals and sockets. */
function mayBeTerminal(fd: 0 | 1 | 2): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() && stat.rdev !== statSync(devNull, { throwIfNoEntry: false })?.rdev;
  } catch {
    return false; // closed by the caller: `coord … >&-`
  }
}

function writeAll(fd: 1 | 2, bytes: Buffer): void {
  for (let rest = bytes; rest.length > 0;) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EPIPE') stopping().abort(); // the reader has gone, as after `| head`: nothing to go on for
      else if (code !== 'EAGAIN' && fd === 1) lostOutput = String(code);
      if (code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5); // a full pipe that does not block: let the reader read
    }
  }
}

async function readStdinAtOnce(): Promise<string> {
  try {
    const stat = fstatSync(0);
    if (stat.isFIFO() || stat.isFile()) return readFileSync(0, 'utf8');
  } catch {
    // A descriptor that does not block has nothing yet: EAGAIN.
  }
  return (await readStdin()).toString(); // a terminal: Ctrl-C must be heard
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const stop = (): void =>
    void process.stdin.destroy(new CoordError('interrupted', 'Interrupted while reading stdin.'));
  stopping().signal.addEventListener('abort', stop);
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk); // no encoding is set: buffers
  stopping().signal.removeEventListener('abort', stop);
  return Buffer.concat(chunks);
}
