/** Runs one check: a command line for the shell, its end and the last of what it said. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { TAIL } from '../model/verbs/proof.ts';
import { allOf, killAndWait, processesMarked, signalAll, treeOf } from './processes.ts';

export interface CheckJob {
  command: string;
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface CheckEnd {
  exit_code: number | null;
  duration_ms: number;
  /** The last {@link TAIL} characters of stdout and stderr together. */
  tail: string;
  /** Why it says nothing about the work: it could not be found or started, or took too long. */
  broken?: string;
  /** It was stopped by the signal. */
  isInterrupted: boolean;
}

/** As shells say it: found, but not to be run; and not found. @see POSIX.1-2017, 2.8.2 Exit Status for Commands */
const NOT_RUN = new Map([
  [126, 'the command cannot be run'],
  [127, 'the command is not there'],
]);
/** What a check starts inherits it, beside the mark of the agent for whom it runs. */
const CHECK_MARK = 'COORD_CHECK';
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2000;
/** How long the last lines may take, where something that was left behind holds the streams open. */
const STREAM_GRACE_MS = 500;

/** Runs it to its end; afterwards nothing that it started is left. */
export async function runCheck(job: CheckJob): Promise<CheckEnd> {
  const start = Date.now();
  const mark = randomUUID();
  const { COORD_MCP_TOKENS: _, ...env } = job.env;
  const child = spawn(job.command, {
    shell: true, // sh -c; ComSpec on Windows
    cwd: job.cwd,
    env: { ...env, [CHECK_MARK]: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32', // a group of its own: Ctrl-C in the terminal is for us to pass on
  });
  const tail = tailOf(child);
  let stopped: 'late' | 'interrupted' | undefined;
  let killer: NodeJS.Timeout | undefined;
  const running = (): ReturnType<typeof treeOf> =>
    allOf(child.pid === undefined ? [] : treeOf(child.pid), processesMarked(mark, CHECK_MARK));
  const stop = (why: 'late' | 'interrupted'): void => {
    stopped ??= why;
    signalAll(running(), 'SIGTERM');
    killer ??= setTimeout(() => signalAll(running(), 'SIGKILL'), GRACE_MS);
  };
  const interrupt = (): void => stop('interrupted');
  const timer = setTimeout(() => stop('late'), job.timeoutMs);
  job.signal.addEventListener('abort', interrupt, { once: true });
  if (job.signal.aborted) interrupt();
  try {
    const { code, error } = await endOf(child);
    await killAndWait(processesMarked(mark, CHECK_MARK)); // what it left behind
    const broken =
      error ??
      (stopped === 'late' ? `it took longer than ${Math.round(job.timeoutMs / 1000)} s` : NOT_RUN.get(code ?? -1));
    return {
      exit_code: code,
      duration_ms: Date.now() - start,
      tail: tail(),
      ...(broken === undefined ? {} : { broken }),
      isInterrupted: stopped === 'interrupted',
    };
  } finally {
    clearTimeout(timer);
    clearTimeout(killer);
    job.signal.removeEventListener('abort', interrupt);
  }
}

function endOf(child: ChildProcess): Promise<{ code: number | null; error?: string }> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, error: error.message }));
    child.once('exit', () => {
      setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, STREAM_GRACE_MS).unref();
    });
    child.once('close', (code) => resolve({ code }));
  });
}

/** Keeps the end of what is said, however much it is. */
function tailOf({ stdout, stderr }: ChildProcess): () => string {
  let kept = Buffer.alloc(0);
  const hear = (chunk: Buffer): void => {
    // Four bytes a character at the most.
    const joined = Buffer.concat([kept, chunk]);
    kept = joined.length > TAIL * 4 ? Buffer.from(joined.subarray(-TAIL * 4)) : joined;
  };
  stdout?.on('data', hear);
  stderr?.on('data', hear);
  return () => kept.toString().replaceAll('\uFFFD', '').slice(-TAIL);
}
