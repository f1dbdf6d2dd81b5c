/**
 * What this user has allowed to be run as a check, and what came of it last: small files outside of every board, since a board
 * may have come with a clone. A command is allowed for one board, told by its place and by the incarnation of its log: the same
 * text in a copy of it elsewhere is asked for anew.
 */
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { sleep } from '../clock.ts';
import { digest } from '../digest.ts';
import { namesIn, removeIfThere } from './atomic.ts';
import { tryLock } from './lock.ts';
import { readOwn, recordsOf, writeOwn } from './own-records.ts';

export interface AllowedCheck {
  command: string;
  /** The real path of the board's `.coordination/`. */
  board: string;
  incarnation: string;
}

/** What came of a command when it was run last in this place. */
export interface LastRun {
  /** Names the run, so that who waited for it knows that it was this one. */
  id: string;
  /** For which task. */
  task?: string | undefined;
  tree: string;
  exit_code: number | null;
  duration_ms: number;
  tail: string;
}

/** How often who waits for another's run looks whether it has ended. */
const LOOK_MS = 100;

/** Those of one board. */
export class CheckRecords {
  readonly #folder: string;
  readonly #root: string;
  readonly #incarnation: string;
  readonly #forNow: readonly string[];

  /**
   * @param commit  of the board: it begins with the incarnation
   * @param forNow  what is allowed besides, as long as this lives
   */
  constructor(
    stateFolder: string | undefined,
    root: string,
    commit: string | undefined,
    forNow: readonly string[] = [],
  ) {
    this.#forNow = forNow;
    this.#folder = folderOf(stateFolder);
    this.#root = realpathSync(root);
    this.#incarnation = commit?.split('.')[0] ?? '';
  }

  isAllowed(command: string): boolean {
    if (this.#forNow.includes(command)) return true;
    const known = allowedIn(this.#fileOf('allowed', command));
    return known?.command === command && known.board === this.#root && known.incarnation === this.#incarnation;
  }

  /** @throws CoordError `store-unavailable` where it cannot be written */
  allow(command: string): void {
    const record: AllowedCheck = { command, board: this.#root, incarnation: this.#incarnation };
    this.#write(this.#fileOf('allowed', command), record);
  }

  /** @param cwd  where it was run */
  last(command: string, cwd: string): LastRun | undefined {
    const { id, task, tree, exit_code, duration_ms, tail } = readOwn(this.#fileOf('run', command, cwd)) ?? {};
    const isOne =
      typeof id === 'string' &&
      typeof tree === 'string' &&
      (exit_code === null || typeof exit_code === 'number') &&
      typeof duration_ms === 'number' &&
      typeof tail === 'string';
    return isOne
      ? { id, task: typeof task === 'string' ? task : undefined, tree, exit_code, duration_ms, tail }
      : undefined;
  }

  remember(command: string, cwd: string, run: LastRun): void {
    this.#write(this.#fileOf('run', command, cwd), run);
  }

  /** One run in a place at a time: whoever comes second waits, and finds what came of the first. */
  async exclusively<T>(cwd: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const lock = `${this.#fileOf('place', '', cwd)}.lock`;
    let release = tryLock(this.#folder, lock);
    while (release === 'held' && !signal.aborted) {
      await sleep(LOOK_MS, signal);
      release = tryLock(this.#folder, lock);
    }
    try {
      if (signal.aborted) throw new CoordError('interrupted', 'Interrupted before the checks ran.');
      return await work();
    } finally {
      if (typeof release === 'function') release();
    }
  }

  #fileOf(kind: 'allowed' | 'run' | 'place', command: string, cwd = ''): string {
    return join(
      this.#folder,
      `${digest([kind, command, this.#incarnation, this.#root, cwd].join('\0')).slice(0, 32)}.${kind}.json`,
    );
  }

  #write(file: string, record: object): void {
    writeOwn(this.#folder, file, `${JSON.stringify(record)}\n`, false);
  }
}

/** Takes a command back for every board. @returns false where it was allowed for none */
export function revokeCheck(stateFolder: string | undefined, command: string): boolean {
  const folder = folderOf(stateFolder);
  const files = namesIn(folder)
    .map((name) => join(folder, name))
    .filter((file) => file.endsWith('.allowed.json') && allowedIn(file)?.command === command);
  for (const file of files) removeIfThere(file);
  return files.length > 0;
}

/** All that this user has allowed, for whatever board. */
export function allowedChecks(stateFolder: string | undefined): AllowedCheck[] {
  const folder = folderOf(stateFolder);
  return namesIn(folder)
    .filter((name) => name.endsWith('.allowed.json'))
    .flatMap((name) => allowedIn(join(folder, name)) ?? [])
    .toSorted((a, b) => (`${a.board}\0${a.command}` < `${b.board}\0${b.command}` ? -1 : 1));
}

function folderOf(given: string | undefined): string {
  return recordsOf(given, 'checks');
}

function allowedIn(file: string): AllowedCheck | undefined {
  const { command, board, incarnation } = readOwn(file) ?? {};
  return typeof command === 'string' && typeof board === 'string' && typeof incarnation === 'string'
    ? { command, board, incarnation }
    : undefined;
}
