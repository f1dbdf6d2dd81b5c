/** Tells a person, or a program of theirs, that something has happened which they may be waiting for. Off unless asked for. */
import { spawn } from 'node:child_process';
import { CoordError } from '../../model/errors.ts';
import { visible } from '../../model/text.ts';
import type { Context } from '../io.ts';

export interface NotifyOptions {
  /** A command line for the shell. */
  onEvent?: string;
  notify?: 'bell' | 'desktop';
}

export interface Notice {
  /**
   * How it ended: all is `settled`; some of it `failed`; what is left waits for a `review`; what is left is `stuck`; a run was `interrupted` or has spent its
   * `budget`; the wait has `timed-out`; or it came to an `error`.
   */
  event:
    | 'settled'
    | 'failed'
    | 'question'
    | 'message'
    | 'review'
    | 'stuck'
    | 'budget'
    | 'interrupted'
    | 'timed-out'
    | 'error';
  message: string;
  /** More for the program: counts, ids. */
  [fact: string]: unknown;
}

/** How long a program of the person's may take before the command ends without it. */
const PATIENCE_MS = 10_000;

/** Runs something, and tells where it ends in an error. */
export async function withNotice<T>(context: Context, options: NotifyOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof CoordError ? error.code : undefined;
    const event = code === 'timed-out' || code === 'interrupted' ? code : 'error';
    await tell(context, options, { event, message: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

/** @returns when the program has ended, or was waited for long enough; what it does is no business of the command */
export async function tell(context: Context, options: NotifyOptions, notice: Notice): Promise<void> {
  const { stderr } = context.io;
  const text = visible(notice.message).replaceAll('\n', ' ');
  // BEL; and what terminals show as a notice of the desktop: OSC 9, and OSC 777 of others.
  if (options.notify !== undefined && stderr.isTTY)
    stderr.write(
      options.notify === 'bell'
        ? '\u0007'
        : `\u001b]9;coord: ${text}\u0007\u001b]777;notify;coord;${text.replaceAll(';', ',')}\u0007`,
    );
  if (options.onEvent !== undefined) await run(context, options.onEvent, notice);
}

/** The event in COORD_EVENT and COORD_MESSAGE, and all of it as JSON on stdin. */
async function run(context: Context, command: string, notice: Notice): Promise<void> {
  const child = spawn(command, {
    shell: true,
    stdio: ['pipe', 'ignore', 'inherit'],
    cwd: context.io.cwd,
    env: { ...context.io.env, COORD_EVENT: notice.event, COORD_MESSAGE: notice.message },
  });
  child.stdin?.on('error', () => {}); // it need not read
  child.stdin?.end(`${JSON.stringify(notice)}\n`);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS);
    const ended = (what: string | undefined): void => {
      clearTimeout(timer);
      if (what !== undefined) context.note(`--on-event: ${command} ${what}`);
      resolve();
    };
    child.once('error', (error) => ended(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => ended(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`));
  });
  child.unref();
}
