/** Files of Claude Code that `coord setup claude` changes: all of them or none, and back again byte for byte. */
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { CoordError } from '../../model/errors.ts';

/** One file before and after; undefined where there is none. */
export interface FileChange {
  path: string;
  before: string | undefined;
  after: string | undefined;
}

/** The name of what a set-up remembers. */
export const RECORD = 'coord-setup.json';

/**
 * A project may have come from a stranger: what is written for it stays in it.
 * @throws CoordError `store-unavailable` where one of these files, or a folder on the way, is a link
 */
export function refuseLinks(root: string, paths: readonly string[]): void {
  for (const path of paths) {
    for (let part = path; part !== root && part !== dirname(part); part = dirname(part)) {
      if (lstatSync(part, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
      throw new CoordError('store-unavailable', `${part} is a link; nothing was changed.`, {
        hint: 'Put an ordinary file or folder there, or use --scope user.',
      });
    }
  }
}

/** Undefined where there is no such file. @throws CoordError `store-unavailable` */
export function readText(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Writes all, or puts back what was written already and throws. @throws CoordError `store-unavailable` */
export function writeAll(changes: readonly FileChange[]): void {
  const done: FileChange[] = [];
  for (const change of changes) {
    try {
      put(change.path, change.after);
      done.push(change);
    } catch (error) {
      for (const { path, before } of done.toReversed()) put(path, before);
      throw unusable(change.path, error);
    }
  }
}

function put(path: string, text: string | undefined): void {
  if (text !== undefined) {
    mkdirSync(dirname(path), { recursive: true });
    // Settings hold keys and tokens, and so does what remembers them: what is there keeps its mode, what is new is private.
    const isSecret = path.endsWith('.json');
    writeFileSync(path, text, isSecret ? { mode: 0o600 } : {});
    if (path.endsWith(RECORD)) chmodSync(path, 0o600); // one of 0.1 may be open to all
    return;
  }
  rmSync(path, { force: true });
  // Folders that only held this go with it; one that holds anything else stays.
  for (let folder = dirname(path); /[/\\]\.claude([/\\]|$)/.test(folder); folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch {
      return;
    }
  }
}

function unusable(path: string, error: unknown): CoordError {
  return new CoordError(
    'store-unavailable',
    `${path} cannot be used: ${error instanceof Error ? error.message : String(error)}.`,
    {
      hint: 'Nothing was changed.',
      cause: error,
    },
  );
}

/** What a set-up found and what it made of it, for the way back. */
export class SetupRecord {
  readonly path: string;
  readonly #root: string;

  /** @param root  what the paths in the record are relative to */
  constructor(root: string, path: string) {
    this.#root = root;
    this.path = path;
  }

  read(): FileChange[] {
    try {
      const files: unknown = JSON.parse(readText(this.path) ?? '[]');
      if (!Array.isArray(files)) return [];
      return files.filter(isChange).map(({ path, before, after }) => ({ path: join(this.#root, path), before, after }));
    } catch {
      return []; // damaged: what is recognised as ours is taken away without it
    }
  }

  /** The record after more changes: what was there first stays what was there first. */
  with(changes: readonly FileChange[]): FileChange {
    const known = new Map(this.read().map((change) => [change.path, change]));
    for (const change of changes)
      known.set(change.path, {
        ...change,
        before: known.has(change.path) ? known.get(change.path)?.before : change.before,
      });
    const files = [...known.values()].map(({ path, ...texts }) => ({ path: relative(this.#root, path), ...texts }));
    return { path: this.path, before: readText(this.path), after: `${JSON.stringify(files, null, 2)}\n` };
  }
}

function isChange(value: unknown): value is FileChange {
  if (typeof value !== 'object' || value === null) return false;
  const { path, before, after } = value as Record<string, unknown>;
  const isText = (text: unknown): boolean => text === undefined || typeof text === 'string';
  return typeof path === 'string' && isText(before) && isText(after);
}
