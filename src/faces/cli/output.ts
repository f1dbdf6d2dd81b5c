/** Replies and errors on their way out: stdout or stderr, text or JSON, colour or none, and the exit code. */
import { CoordError, type ErrorCode } from '../../model/errors.ts';
import { visible } from '../../model/text.ts';
import type { Io, Paint, Reply, Stream } from '../io.ts';
import { hintOf } from './hints.ts';

/** Exit codes, a contract with scripts: codes are added, never changed. */
export const EXIT = {
  done: 0,
  error: 1,
  usage: 2,
  nothing: 3,
  refused: 4,
  timedOut: 5,
  bug: 70,
  interrupted: 130,
} as const;

const EXIT_OF = {
  usage: EXIT.usage,
  'invalid-input': EXIT.usage,
  'import-malformed': EXIT.error,
  'not-initialised': EXIT.error,
  'already-initialised': EXIT.refused,
  'board-moved': EXIT.refused,
  'tasks-malformed': EXIT.error,
  'version-unsupported': EXIT.error,
  'task-not-found': EXIT.error,
  'dependency-unknown': EXIT.error,
  'dependency-cycle': EXIT.error,
  'key-taken': EXIT.refused,
  'reader-unknown': EXIT.usage,
  'inbox-full': EXIT.refused,
  'task-state': EXIT.refused,
  'not-claimable': EXIT.refused,
  'worker-busy': EXIT.refused,
  'claim-lost': EXIT.refused,
  unchecked: EXIT.refused,
  'check-failed': EXIT.refused,
  'check-broken': EXIT.refused,
  'not-committed': EXIT.refused,
  'git-failed': EXIT.error,
  'check-not-allowed': EXIT.refused,
  'outcome-unknown': EXIT.error,
  'store-unavailable': EXIT.error,
  'board-unsafe': EXIT.error,
  'not-allowed': EXIT.refused,
  'settings-malformed': EXIT.error,
  'command-failed': EXIT.error,
  'command-not-found': EXIT.error,
  'claude-not-found': EXIT.error,
  'claude-too-old': EXIT.error,
  'claude-not-authenticated': EXIT.error,
  'plan-invalid': EXIT.error,
  'already-running': EXIT.refused,
  'timed-out': EXIT.timedOut,
  interrupted: EXIT.interrupted,
} satisfies Record<ErrorCode, number>;

export function printReply(io: Io, reply: Reply, json: boolean): void {
  if (json && reply.json !== undefined) io.stdout.write(`${jsonText(reply.json)}\n`);
  else if (!json && reply.text !== '') io.stdout.write(`${reply.text}\n`);
}

/** JSON with every character escaped that a terminal would obey; it reads back the same. */
function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Says what went wrong. @returns the exit code */
export function printError(io: Io, error: unknown, json: boolean, version: string): number {
  if (!(error instanceof CoordError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.stderr.write(
      json
        ? `${jsonText({ error: { code: 'bug', message: stack } })}\n`
        : `${visible(stack)}\nThis is a bug in coord ${version} (Node ${process.version}). Please report it, with these lines: https://www.npmjs.com/package/claude-coord\n`,
    );
    return EXIT.bug;
  }
  const { code, message } = error;
  const hint = hintOf(error);
  if (json) io.stderr.write(`${jsonText({ error: { code, message, ...(hint === undefined ? {} : { hint }) } })}\n`);
  else io.stderr.write(`coord: ${visible(message)}\n${hint === undefined ? '' : `Next: ${visible(hint)}\n`}`);
  return EXIT_OF[code];
}

const PLAIN: Paint = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

function same(text: string): string {
  return text;
}

/**
 * Colours for one stream: only on a terminal, unless FORCE_COLOR asks for them; never against NO_COLOR or
 * `--no-color`. @see https://no-color.org
 */
export async function paintFor(stream: Stream, env: Io['env'], option: boolean): Promise<Paint> {
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '' && env['FORCE_COLOR'] !== '0';
  const refused =
    !option || (env['NO_COLOR'] ?? '') !== '' || env['FORCE_COLOR'] === '0' || (env['TERM'] === 'dumb' && !forced);
  if (refused || !(stream.isTTY || forced)) return PLAIN;
  const { Chalk } = await import('chalk');
  return new Chalk({ level: 1 });
}
