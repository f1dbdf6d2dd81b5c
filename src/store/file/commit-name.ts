/**
 * The name of a revision, which can be created only once: the compare-and-swap itself, by link(2) or by the rename of a folder.
 * See commit-log.ts for what it is good for.
 */
import { existsSync, linkSync, lstatSync, mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { moveIfThere, namesIn, removeIfThere, syncFolder, writeNew } from './atomic.ts';
import { commitOf, HEAD_BYTES, nameOf } from '../commit-id.ts';
import { isErrno, isLinkUnsupported, orAbsent } from './errno.ts';
import { readStart } from './open-file.ts';
import { removeScratch, scratchName } from './scratch.ts';

/** Within the folder of a revision where there are no links. */
export const DOCUMENT = 'document';

export interface NameOptions {
  /** Where files are made before they get their name. */
  tmp: string;
  durable: boolean;
  /** False: as on file systems without hard links. */
  canLink: boolean;
  /** Mode of the revisions, less what the umask takes away. */
  mode?: number;
}

export class CommitNames {
  readonly #home: string;
  readonly #options: NameOptions;
  #canLink: boolean;

  /** @param home  the folder that holds the log's own */
  constructor(home: string, options: NameOptions) {
    this.#home = home;
    this.#options = options;
    this.#canLink = options.canLink;
  }

  /** The file that holds the bytes of a revision. */
  path(folder: string, revision: number): string {
    const path = join(folder, nameOf(revision));
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, DOCUMENT) : path;
  }

  /** The first revision of a new log comes with the log's folder, in one step. */
  begin(
    temp: string,
    { revision, commit, chunks }: { revision: number; commit: string; chunks: readonly Uint8Array[] },
    at: (point: 'written' | 'linked') => void,
  ): 'made' | 'lost' {
    const [incarnation = ''] = commit.split('.');
    const { durable, mode } = this.#options;
    const privately = mode === undefined ? {} : { mode: 0o700 };
    mkdirSync(join(temp, incarnation), { recursive: true, ...privately });
    writeNew(join(temp, incarnation, nameOf(revision)), chunks, durable, mode);
    if (durable) syncFolder(join(temp, incarnation));
    at('written');
    try {
      if (process.platform === 'win32') orAbsent(() => rmdirSync(this.#home)); // an empty one would be in the way there
      renameSync(temp, this.#home);
    } catch (error) {
      if (!existsSync(join(this.#home, incarnation))) {
        if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM', 'EACCES') && namesIn(this.#home).length > 0)
          return 'lost';
        throw error;
      }
      // The name is random, so it is ours: carried out, and answered with an error.
    }
    at('linked');
    return 'made';
  }

  /**
   * @returns false when the name is taken
   * @throws CoordError `outcome-unknown` when not even that can be found out
   */
  create(folder: string, temp: string, { revision, commit }: { revision: number; commit: string }): boolean {
    const name = join(folder, nameOf(revision));
    try {
      if (this.#canLink) linkSync(temp, name);
      else this.#renameFolder(temp, name);
      return true;
    } catch (error) {
      const holder = this.commitAt(folder, revision);
      if (holder === commit) return true; // carried out, and answered with an error
      if (this.#canLink && isLinkUnsupported(error) && holder === 'nobody') {
        this.#canLink = false;
        return this.create(folder, temp, { revision, commit });
      }
      // Taken; or swept, or the whole log gone, while this process slept.
      if (holder !== 'nobody' && holder !== 'unknown') return false;
      if (isErrno(error, 'EEXIST', 'ENOENT', 'ENOTDIR', 'ENOTEMPTY')) return false;
      if (holder === 'nobody' && isErrno(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG'))
        throw error;
      throw unknown(revision, error);
    }
  }

  /** Without link(2): a folder of that name, with the document in it. A rename onto a folder that holds anything fails. */
  #renameFolder(temp: string, name: string): void {
    const folder = scratchName(this.#options.tmp);
    mkdirSync(folder);
    try {
      renameSync(temp, join(folder, DOCUMENT));
      if (this.#options.durable) syncFolder(folder);
      // Windows would put it into the other's place only where that is empty, and nobody makes an empty one.
      renameSync(folder, name);
    } finally {
      removeScratch(folder);
    }
  }

  /** The commit id under the name of a revision; `nobody` where there is nothing. */
  commitAt(folder: string, revision: number): string {
    try {
      const start = readStart(this.path(folder, revision), HEAD_BYTES);
      return start === undefined ? 'nobody' : (commitOf(start) ?? 'somebody');
    } catch (error) {
      return error instanceof CoordError ? 'somebody' : 'unknown';
    }
  }

  remove(folder: string, revision: number): void {
    const name = join(folder, nameOf(revision));
    if (lstatSync(name, { throwIfNoEntry: false })?.isDirectory() !== true) return removeIfThere(name);
    const away = scratchName(this.#options.tmp);
    if (moveIfThere(name, away)) removeScratch(away);
  }
}

/** The file system did not say what it did. */
export function unknown(revision: number, error: unknown): CoordError {
  const why = error instanceof Error ? error.message : String(error);
  return new CoordError(
    'outcome-unknown',
    `The file system did not say whether revision ${revision} was made: ${why}.`,
    {
      details: {},
      cause: error,
    },
  );
}
