/**
 * The log of commits: the compare-and-swap under every change of the board.
 *
 * Every revision is a complete board in a file of its own, `.commits/00000042.json`, that is never changed, and whose
 * **name can be created only once**. Creating the name is the commit; whoever finds it taken has lost the race and
 * starts again from the newer board. That is the whole safety argument: it mentions no lock, no clock and no mtime, so
 * it holds for processes that were killed, paused for minutes, or robbed of their lock.
 *
 * ```
 *   temp file, synced ──link(2)──► .commits/<base + 1> ──► base still there? ──yes──► sync folder ──► committed
 *                        │                                     │
 *                        └─ EEXIST: lost                       └─ no: we slept while revisions were trimmed, and the
 *                                                                 name may have been used and removed before: unsure
 * ```
 *
 * Trimming removes the oldest first. So while the base is there, no name above it was ever removed.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Board } from '../../model/board.ts';
import { isErrno, isLinkUnsupported, namesIn, orAbsent, readIfThere, removeIfThere, syncFolder } from './atomic.ts';
import { parseBytes } from './board-text.ts';

/** A revision as it stands in the log. */
export interface Revision {
  revision: number;
  bytes: Buffer;
  board: Board;
}

export type Appended =
  | 'committed'
  /** Somebody else made this revision. Nothing happened. */
  | 'lost'
  /** This process slept for many commits; whether its own was among them must be looked up. */
  | 'unsure';

/** Revisions kept, and how far that shrinks for boards above a megabyte: at most about 32 MB in all. */
const KEEP = 32;
const KEEP_AT_LEAST = 8;
const KEEP_BYTES = 32_000_000;
/** A commit file that is cut short and has not grown for this long belongs to a dead process. */
const TORN_MS = 2000;

const NAME = /^(\d{8,})\.json$/;

export class CommitLog {
  readonly #folder: string;
  readonly #durable: boolean;
  #canLink: boolean;
  /** The head that was read last, and which file it was: another board may have taken this one's place meanwhile. */
  #last: { file: string; head: Revision } | undefined;

  /** @param canLink  false: as on file systems without hard links */
  constructor(folder: string, options: { durable: boolean; canLink: boolean }) {
    this.#folder = folder;
    this.#durable = options.durable;
    this.#canLink = options.canLink;
  }

  /** Revisions in the log, ascending. */
  revisions(): number[] {
    const found: number[] = [];
    for (const name of namesIn(this.#folder)) {
      const digits = NAME.exec(name)?.[1];
      if (digits !== undefined) found.push(Number(digits));
    }
    return found.toSorted((a, b) => a - b);
  }

  latest(): number | undefined {
    return this.revisions().at(-1);
  }

  path(revision: number): string {
    return join(this.#folder, `${String(revision).padStart(8, '0')}.json`);
  }

  /** The newest revision, or undefined where the log is empty. */
  head(): Revision | undefined {
    for (;;) {
      const revision = this.latest();
      if (revision === undefined) return undefined;
      const stat = orAbsent(() => statSync(this.path(revision)));
      const file = stat && `${revision} ${stat.ino} ${stat.size} ${stat.mtimeMs}`;
      if (file !== undefined && this.#last?.file === file) return this.#last.head;
      const bytes = readIfThere(this.path(revision));
      if (!bytes) continue; // trimmed between listing and reading: there is a newer one
      const board = parseOrUndefined(bytes);
      if (board) {
        const head = { revision, bytes, board };
        if (file !== undefined && bytes.length === stat?.size) this.#last = { file, head };
        return head;
      }
      this.#setTornAside(revision);
    }
  }

  /**
   * The bytes of an older revision, or undefined when it is not known for certain any more: a name below a gap may have
   * been created anew by a process that slept through the trimming.
   */
  read(revision: number): Buffer | undefined {
    const revisions = this.revisions();
    const newest = revisions.at(-1) ?? 0;
    const known = new Set(revisions);
    for (let r = revision; r <= newest; r++) if (!known.has(r)) return undefined;
    return readIfThere(this.path(revision));
  }

  /**
   * Tries to make a synced file in the scratch folder the next revision.
   * @param base  the revision it was made from; 0 where the log was empty
   * @param onLinked  called right after the name exists, before anything else (the tests' crash point)
   */
  append(temp: string, base: number, revision: number, onLinked: () => void): Appended {
    const created = this.#createName(temp, revision);
    if (!created) return 'lost';
    onLinked();
    if (base > 0 && !existsSync(this.path(base)) && this.latest() !== revision) {
      removeIfThere(this.path(revision));
      return 'unsure';
    }
    if (this.#durable) syncFolder(this.#folder);
    return 'committed';
  }

  #createName(temp: string, revision: number): boolean {
    if (this.#canLink) {
      try {
        linkSync(temp, this.path(revision));
        return true;
      } catch (error) {
        if (isErrno(error, 'EEXIST')) return false;
        if (isErrno(error, 'ENOENT')) {
          if (!existsSync(temp)) return false; // swept while we slept
          mkdirSync(this.#folder, { recursive: true }); // a cloned or restored tree has no log yet
          return this.#createName(temp, revision);
        }
        if (!isLinkUnsupported(error)) throw error;
        this.#canLink = false;
      }
    }
    return this.#copyExclusively(temp, revision);
  }

  /**
   * Without link(2): O_EXCL decides the race, then the bytes are filled in. Until they are complete the file does not
   * parse (JSON cut short never does), and readers wait for it; after a crash it is set aside. If that happened to us
   * while we slept, the name no longer leads to our file, and the race is lost after all.
   */
  #copyExclusively(temp: string, revision: number): boolean {
    const bytes = readIfThere(temp);
    if (!bytes) return false;
    const path = this.path(revision);
    let fd: number;
    try {
      mkdirSync(this.#folder, { recursive: true });
      fd = openSync(path, 'wx');
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return false;
      throw error;
    }
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      if (this.#durable) fsyncSync(fd);
      return orAbsent(() => statSync(path))?.ino === fstatSync(fd).ino;
    } finally {
      closeSync(fd);
    }
  }

  /** Waits out a writer that is filling the file in; then moves a file that stays torn out of the way. */
  #setTornAside(revision: number): void {
    const path = this.path(revision);
    const stat = orAbsent(() => statSync(path));
    if (!stat) return;
    if (Date.now() - stat.mtimeMs < TORN_MS) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      return;
    }
    orAbsent(() => renameSync(path, join(this.#folder, `${revision}.${Date.now()}.torn`)));
  }

  /** Removes what is older than the revisions to keep, oldest first. */
  trim(stateBytes: number): void {
    const keep = Math.max(KEEP_AT_LEAST, Math.min(KEEP, Math.floor(KEEP_BYTES / stateBytes)));
    for (const revision of this.revisions().slice(0, -keep)) removeIfThere(this.path(revision));
  }
}

function parseOrUndefined(bytes: Buffer): Board | undefined {
  try {
    return parseBytes(bytes);
  } catch {
    return undefined;
  }
}
