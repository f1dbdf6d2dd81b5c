/** Tells a person, or a program of theirs, that something has happened which they may be waiting for. Off unless asked for. */
import { spawn } from 'node:child_process';
import { visible } from '../../model/text.ts';
import type { Context } from '../io.ts';

export interface NotifyOptions {
  /** A command line for the shell. */
  onEvent?: string;
  notify?: 'bell' | 'desktop';
}

export interface Notice {
  /** `settled` or `stuck` of a board; `failed` of a task; `budget` and `interrupted` of a run. */
  event: 'settled' | 'stuck' | 'failed' | 'budget' | 'interrupted';
  message: string;
  /** More for the program: counts, ids. */
  [fact: string]: unknown;
}

/** How long a program of the person's may take before the command ends without it. */
const PATIENCE_MS = 10_000;

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
