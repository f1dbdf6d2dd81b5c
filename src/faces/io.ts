/** What a command is given: the process around it, the global options, and a way to the store. */
import { relative } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { CoordError } from '../model/errors.ts';
import { openStore, type OpenOptions } from '../store/open.ts';
import { sayWhereKept } from '../store/places.ts';
import type { Moment, Store } from '../store/store.ts';
import { parseDuration } from './durations.ts';
import type { SessionAround } from './session-binding.ts';

/** The process, as main.ts hands it in; a test hands in something else. */
export interface Io {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  stdout: Stream;
  stderr: Stream;
  readStdin: () => Promise<Buffer>;
  /** The same where it is written already and closed, as for a hook: no stream is loaded for it, and no signal heard. */
  readStdinAtOnce: () => Promise<string>;
  /** Stdin and stdout as streams, for `coord mcp`; loading them costs what a short command takes. */
  openStreams: () => { input: Readable; output: Writable };
  /** What runs this program: the path of Node, and of the script. */
  program: { node: string; script: string };
  /** Whether somebody sits at a terminal, and types there. */
  isTerminal: boolean;
  /** Fires on the first Ctrl-C. */
  signal: AbortSignal;
  /** From now on a closed terminal window counts as a first Ctrl-C: for what starts processes, which would outlive it. */
  heedHangup: () => void;
  /** Runs this at the second Ctrl-C, which leaves a moment for what is under way. @returns takes it back */
  atSecondInterrupt: (work: () => void) => () => void;
}

export interface Stream {
  write: (text: string) => void;
  isTTY: boolean;
  /** Width in characters; 80 where nobody knows. */
  columns: number;
  /** Height in lines; 24 where nobody knows. */
  rows: number;
  /** Tells whenever the terminal has another size. @returns ends it */
  onResize: (listener: () => void) => () => void;
}

/** What a command answers. */
export interface Reply {
  /** For people and agents; without the last line feed. Empty: nothing is printed. */
  text: string;
  /** The one documented JSON document of `--json`; undefined prints none. */
  json: unknown;
  /** What to type next, and warnings: for stderr, one line each. Not printed with `--json`. */
  notes?: string[];
  exitCode?: number;
}

/** Colours, or the text unchanged where colour is off. */
export interface Paint {
  bold: (text: string) => string;
  dim: (text: string) => string;
  red: (text: string) => string;
  green: (text: string) => string;
  yellow: (text: string) => string;
  cyan: (text: string) => string;
}

export interface Context {
  io: Io;
  json: boolean;
  paint: Paint;
  /** Prints one more piece of an answer that comes in pieces. */
  print: (reply: Reply) => void;
  /** Lines on stderr, left out with `--json`. */
  note: (line: string) => void;
  openOptions: OpenOptions;
  /** Of this package. */
  version: string;
}

/** A session of an agent, whatever started it. */
export function isAgent({ env }: Io): boolean {
  return ['CLAUDECODE', 'CLAUDE_CODE_SESSION_ID', 'COORD_WORKER', 'COORD_ORCHESTRATED'].some((name) => !!env[name]);
}

/** The Claude Code session in which a command runs; undefined elsewhere. */
export function sessionAround({ io: { env }, openOptions }: Context): SessionAround | undefined {
  const id = env['CLAUDE_CODE_SESSION_ID'];
  return id ? { openOptions, id, pid: env['CLAUDE_PID'] } : undefined;
}

/** A person who types at a terminal: what may be run on this machine is for nobody else to say. */
export function isPerson(io: Io): boolean {
  return !isAgent(io) && io.isTerminal;
}

/** Opens the store, and closes it whatever happens. */
export async function withStore<T>(context: Context, work: (store: Store) => Promise<T>): Promise<T> {
  const store = openStore(context.openOptions);
  try {
    return await work(store);
  } catch (error) {
    throw sayWhereKept(error, store);
  } finally {
    await store.close();
  }
}

/** An answer as it is printed with `--json`: what it says of the moment is for those who go on from it. */
export function withoutMoment<T extends object>(answer: T & Partial<Moment>): T {
  const { revision: _, at: __, ...rest } = answer;
  return rest as T; // as it says of itself
}

/** Where results are, as somebody in this folder opens them. */
export function pathOfResult({ io }: Pick<Context, 'io'>, store: Store): (id: string) => string {
  return (id) => {
    const path = store.where({ ref: 'result', id });
    return path === undefined ? id : relative(io.cwd, path);
  };
}

/** Lease of a claim: the option, else COORD_LEASE, else the default of the model. Seconds. */
export function leaseSeconds(context: Context, option: string | undefined): number | undefined {
  const text = option ?? context.io.env['COORD_LEASE'];
  if (text === undefined || text === '') return undefined;
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1000) {
    throw new CoordError(
      'invalid-input',
      `${option === undefined ? 'COORD_LEASE' : '--lease'}: "${text}" is not a duration of a second or more.`,
      {
        hint: 'Durations: 90s, 10m, 1h, or seconds.',
      },
    );
  }
  return Math.round(ms / 1000);
}

/** Text given as an argument, or `-` for what stands on stdin. */
export async function textOrStdin(context: Context, text: string): Promise<string> {
  return text === '-' ? (await context.io.readStdin()).toString() : text;
}
