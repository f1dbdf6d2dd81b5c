/**
 * The log of commits: the compare-and-swap under every change of the board, and of the registry.
 *
 * Every revision is a complete document in a file of its own, `.commits/<incarnation>/00000042.json`, that is never changed,
 * and whose **name can be created only once**. Creating the name is the commit; whoever finds it taken has lost the race and
 * starts again from the newer document. That is the whole safety argument: it mentions no lock, no clock and no mtime, so
 * it holds for processes that were killed, paused for minutes, or robbed of their lock.
 *
 * ```
 *   temp file, synced ──link(2)──► <base + 1> ──► base still there? ──yes──► sync folder ──► committed
 *                        │                             │
 *                        └─ taken: lost                └─ no: we slept while revisions were trimmed, and the
 *                                                         name may have been used and removed before: unsure
 * ```
 *
 * - Trimming removes the oldest first. So while the base is there, no name above it was ever removed.
 * - Each log has an **incarnation**, a random name for its folder. Whoever slept while the log was deleted, replaced or begun
 *   anew links into a folder that is gone, and has lost. The folder is made by one rename that brings its first revision
 *   along; the second of two that try finds it there.
 * - Each revision carries a **commit id**. A link(2) that was answered with an error may have happened all the same (a network
 *   mount repeats a call whose answer was lost): the name then holds our id, and the commit stands.
 * - Where link(2) is missing, the revision is a folder of that name, `00000042.json/document`, renamed into place, which
 *   the kernel refuses where the name is taken. It comes with its content, so it is never seen half-written.
 * - Boards of 0.1 have their revisions in `.commits/` itself, and go on so.
 *
 * A little longer than most files, most of it this text and the reasons beside the code.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { moveIfThere, namesIn, syncFolder, writeNew } from './atomic.ts';
import { readIfThere, readStart } from './open-file.ts';
import { commitOf, HEAD_BYTES, nameOf, revisionOfName } from '../commit-id.ts';
import { hasDigests, knowsDigest, rememberDigests } from './commit-digests.ts';
import { CommitNames, DOCUMENT, type NameOptions, unknown } from './commit-name.ts';
import { orAbsent, unsafe } from './errno.ts';
import { monotonicMs, sleep } from '../clock.ts';
import { removeScratch, scratchName } from './scratch.ts';

/** A revision as it stands in the log. */
export interface Revision<T> {
  /** The folder of its log. */
  folder: string;
  revision: number;
  bytes: Buffer;
  value: T;
}

export type Appended =
  | 'committed'
  /** Somebody else made this revision, or the log is another one by now. Nothing happened. */
  | 'lost'
  /** This process slept for many commits; whether its own was among them must be looked up. */
  | 'unsure';

/** What bytes are: a document, the beginning of one, or something that coord does not write. */
export type Parsed<T> = { value: T } | 'torn' | { fault: string };

export interface LogOptions<T> extends NameOptions {
  /** Where what is no revision is put. */
  rejected: string;
  /** @throws CoordError `version-unsupported` for what a newer coord wrote */
  parse: (bytes: Buffer, revision: number) => Parsed<T>;
  notice: (message: string) => void;
}

/** Revisions kept, and how far that shrinks for documents above a megabyte: at most about 32 MB in all. */
const KEEP = 32;
const KEEP_AT_LEAST = 8;
const KEEP_BYTES = 32_000_000;
/** Trimmed so many at a time: the digests of what goes take a library that no single commit should load. */
const SLACK = 16;
/** A revision that is cut short and does not grow for this long, by our own clock, was left so by a crash. */
const TORN_MS = 2000;
const TORN_LOOK_MS = 20;

const INCARNATION = /^[0-9a-z]{8,40}$/;

export class CommitLog<T> {
  readonly #home: string;
  readonly #options: LogOptions<T>;
  readonly #names: CommitNames;
  /** The log's folder as it was found last. */
  #folder: string | undefined;
  /** The head that was read last, and which file it was: another log may have taken this one's place meanwhile. */
  #last: { file: string; head: Revision<T> } | undefined;

  /** @param home  the folder that holds the log's own */
  constructor(home: string, options: LogOptions<T>) {
    this.#home = home;
    this.#options = options;
    this.#names = new CommitNames(home, options);
  }

  /** The log's folder: its incarnation's; the home itself for one of 0.1; undefined where there is none yet. */
  folder(): string | undefined {
    return this.#found().folder;
  }

  /** The log's folder with what is in it. Another log may have taken the place of the one that was found before. */
  #found(): { folder: string | undefined; revisions: number[] } {
    if (this.#folder !== undefined && lstatSync(this.#folder, { throwIfNoEntry: false })?.isSymbolicLink() === true)
      throw unsafe(this.#folder, 'is a link');
    const known = this.#folder === undefined ? [] : this.revisions(this.#folder);
    if (known.length > 0) return { folder: this.#folder, revisions: known };
    this.#folder = this.#find();
    return { folder: this.#folder, revisions: this.revisions(this.#folder) };
  }

  /** @throws CoordError `store-unavailable` where there are two: nobody can say which of them is the board's */
  #find(): string | undefined {
    const entries = orAbsent(() => readdirSync(this.#home, { withFileTypes: true })) ?? [];
    const own = entries
      .filter((entry) => entry.isDirectory() && INCARNATION.test(entry.name))
      .map(({ name }) => join(this.#home, name));
    const filled = own.filter((folder) => this.revisions(folder).length > 0);
    if (filled.length > 1) {
      throw new CoordError(
        'store-unavailable',
        `There are two logs in ${this.#home}: ${filled.map((one) => basename(one)).join(', ')}.`,
        {
          details: { why: 'two-logs' },
        },
      );
    }
    return filled[0] ?? own[0] ?? (entries.length > 0 ? this.#home : undefined);
  }

  /** Revisions in the log, ascending. Names that coord does not make are none. */
  revisions(folder: string | undefined): number[] {
    const found: number[] = [];
    for (const name of folder === undefined ? [] : namesIn(folder)) {
      const revision = revisionOfName(name);
      if (revision !== undefined) found.push(revision);
    }
    return found.toSorted((a, b) => a - b);
  }

  /** The newest, in the log as it stands or in a folder that is known. */
  latest(folder?: string): number | undefined {
    return (folder === undefined ? this.#found().revisions : this.revisions(folder)).at(-1);
  }

  /** The file that holds the bytes of a revision. */
  path(folder: string, revision: number): string {
    return this.#names.path(folder, revision);
  }

  /**
   * The newest revision, or undefined where the log is empty. One that is cut short may be on its way: it is read again for a
   * while, and then set aside; so is one that coord did not write.
   */
  async head(): Promise<Revision<T> | undefined> {
    let doubt: { file: string; since: number } | undefined;
    for (;;) {
      const { folder, revisions } = this.#found();
      const revision = revisions.at(-1);
      if (folder === undefined || revision === undefined) return undefined;
      const path = this.#names.path(folder, revision);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      const file = stat && `${path} ${stat.ino} ${stat.size} ${stat.mtimeMs}`;
      if (file !== undefined && this.#last?.file === file) return this.#last.head;
      const bytes = this.#bytesAt(path);
      const parsed =
        bytes === undefined
          ? undefined
          : bytes === 'strange'
            ? { fault: 'it is no file' }
            : this.#options.parse(bytes, revision);
      if (!parsed || !Buffer.isBuffer(bytes)) {
        if (parsed) this.#setAside(folder, revision, 'it is no file');
        continue; // trimmed between listing and reading: there is a newer one
      }
      if (parsed !== 'torn' && 'value' in parsed) {
        const head = { folder, revision, bytes, value: parsed.value };
        if (file !== undefined && bytes.length === stat?.size) this.#last = { file, head };
        return head;
      }
      if (parsed !== 'torn') {
        this.#setAside(folder, revision, parsed.fault);
        continue;
      }
      if (doubt === undefined || doubt.file !== file) doubt = { file: file ?? '', since: monotonicMs() };
      else if (monotonicMs() - doubt.since > TORN_MS) this.#setAside(folder, revision, 'it is cut short');
      await sleep(TORN_LOOK_MS);
    }
  }

  /** `strange` for what is neither a file nor the folder of a revision. */
  #bytesAt(path: string): Buffer | undefined | 'strange' {
    try {
      const bytes = readIfThere(path);
      // The folder of a revision without its document, which is renamed into place whole: somebody else's.
      return bytes === undefined && basename(path) === DOCUMENT && existsSync(join(path, '..')) ? 'strange' : bytes;
    } catch (error) {
      if (error instanceof CoordError && error.code === 'board-unsafe') return 'strange';
      throw error;
    }
  }

  /** Moves what stands under the name of a revision out of the way, and says so. */
  #setAside(folder: string, revision: number, why: string): void {
    mkdirSync(this.#options.rejected, { recursive: true });
    const to = scratchName(this.#options.rejected, `commit-${revision}-`);
    if (moveIfThere(join(folder, nameOf(revision)), to))
      this.#options.notice(`Revision ${revision} is none (${why}). It was put into ${to}.`);
  }

  /**
   * The bytes of an older revision, or undefined when it is not known for certain any more: a name below a gap may have
   * been created anew by a process that slept through the trimming.
   */
  read(folder: string, revision: number): Buffer | undefined {
    const revisions = this.revisions(folder);
    const newest = revisions.at(-1) ?? 0;
    const known = new Set(revisions);
    for (let r = revision; r <= newest; r++) if (!known.has(r)) return undefined;
    return readIfThere(this.#names.path(folder, revision));
  }

  /** The bytes of the revision with this commit id, if the log still has it. */
  find(folder: string, commit: string): Buffer | undefined {
    for (const revision of this.revisions(folder).toReversed()) {
      const path = this.#names.path(folder, revision);
      if (commitOf(readStart(path, HEAD_BYTES) ?? Buffer.alloc(0)) === commit) return readIfThere(path);
    }
    return undefined;
  }

  /** Whether coord itself wrote these bytes as a revision that has been trimmed since. */
  async wasTrimmed(folder: string, bytes: Buffer): Promise<boolean> {
    if (!hasDigests(folder)) return false;
    const { digest } = await import('../digest.ts');
    return knowsDigest(folder, digest(bytes));
  }

  /**
   * Makes a document the next revision: temp file, sync, name.
   *
   * @param base  what it was made from; undefined where the log is empty
   * @param chunks  its bytes, which carry `commit`
   * @param at  called once the file is written, and right after the name exists (the tests' crash points)
   */
  append(
    base: Revision<T> | undefined,
    made: { revision: number; commit: string; chunks: readonly Uint8Array[] },
    at: (point: 'written' | 'linked') => void,
  ): Appended {
    const folder = base?.folder ?? this.folder();
    const temp = scratchName(this.#options.tmp);
    try {
      if (folder === undefined)
        return this.#names.begin(temp, made, at) === 'lost'
          ? 'lost'
          : this.#confirm(join(this.#home, '..'), undefined, made.revision);
      writeNew(temp, made.chunks, this.#options.durable, this.#options.mode);
      at('written');
      if (base && !this.#isStill(base)) return 'lost';
      if (!this.#names.create(folder, temp, made)) return 'lost';
      at('linked');
      return this.#confirm(folder, base, made.revision);
    } finally {
      removeScratch(temp);
    }
  }

  /** The name is made. From here on nothing may look like a commit that did not happen. */
  #confirm(folder: string, base: Revision<T> | undefined, revision: number): Appended {
    try {
      if (base && !this.#isStill(base)) {
        this.#names.remove(folder, revision);
        return 'unsure';
      }
      if (this.#options.durable) syncFolder(folder);
      return 'committed';
    } catch (error) {
      throw unknown(revision, error);
    }
  }

  /** Whether a revision is still there, and the same. */
  #isStill(base: Revision<T>): boolean {
    const start = readStart(this.#names.path(base.folder, base.revision), HEAD_BYTES);
    return start !== undefined && start.equals(base.bytes.subarray(0, HEAD_BYTES));
  }

  /**
   * Removes what is older than the revisions to keep, oldest first, and remembers the digests of what goes: a publisher that
   * was paused may yet put such an old copy into tasks.json.
   *
   * @param stateBytes  size of the newest
   * @param revisions  what was in the folder a moment ago
   */
  async trim(folder: string, stateBytes: number, revisions = this.revisions(folder)): Promise<void> {
    const keep = Math.max(KEEP_AT_LEAST, Math.min(KEEP, Math.floor(KEEP_BYTES / stateBytes)));
    if (revisions.length < keep + Math.min(SLACK, keep / 2)) return;
    const { digest } = await import('../digest.ts');
    const digests: string[] = [];
    const old = revisions.slice(0, -keep);
    for (const revision of old) {
      const bytes = readIfThere(this.#names.path(folder, revision));
      if (bytes) digests.push(digest(bytes));
    }
    rememberDigests(folder, digests, this.#options.tmp);
    for (const revision of old) this.#names.remove(folder, revision);
  }
}
