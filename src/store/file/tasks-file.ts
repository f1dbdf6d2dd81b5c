/**
 * tasks.json: the copy of the newest revision that people and agents read, and may edit.
 *
 * It equals the head of the log except in the moments of a commit, after a crash, or after a hand edit. `settle`
 * brings the two together:
 *
 * ```
 *   the head's bytes ............... settled
 *   bytes that coord once wrote .... a crash, or somebody publishing right now: publish the head
 *   missing ........................ a publisher between its two steps, or one that died there: publish the head
 *   empty, only NULs, or the first
 *   bytes of a revision ............ look again for half a second (an editor may be saving); then publish the head: a
 *                                    power cut has torn the copy, and the log has all that was in it
 *   not JSON, or not a board ....... look again likewise; then `tasks-malformed`, and nothing is touched
 *   no log at all .................. a clone or a plain file: the log begins with it
 *   made from the head by coord .... the log has lost its newest revision: it goes on from this one
 *   anything else valid ............ a hand edit. The commit id that it carries (without one, the revision) says from which
 *                                    revision it was made: merge three ways and commit the merge. Where that fails, or the
 *                                    log does not know that revision (another branch, clone or backup): into rejected/
 * ```
 *
 * Longer than most: looking, settling, publishing and sweeping rest on each other, and only together lose no edit.
 */
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Board, type BoardEvent, LEADER } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { copyNew, linkIfFree, moveIfThere, writeNew } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import { boardToBytes, parseRevision } from './board-text.ts';
import { nextCommit } from '../commit-id.ts';
import { type Appended, CommitLog, type Revision as LogRevision } from './commit-log.ts';
import { monotonicMs, sleep } from '../clock.ts';
import { isFull } from './errno.ts';
import { notInitialised } from './guard.ts';
import { DISPLACED, removeScratch, type Scratch, scratchIn, scratchName } from './scratch.ts';
import type { Tree } from './tree.ts';
import { unknownBase, type Content, classify } from './tasks-content.ts';
import { type Stamp, stampText, stampOf } from './file-stamp.ts';

/** A board as it stands in the log. */
export type Revision = LogRevision<Board>;

/** How long an editor is given to finish a save, and how often to look meanwhile. */
const SAVE_MS = 500;
const SAVE_LOOK_MS = 20;
/** Far above the tick of a kernel's file times, which is 4 to 10 ms. */
const QUIET_MS = 100;
/** From this size on, reading tasks.json again and again takes longer than anything else in a commit. */
const LARGE_BYTES = 1_000_000;
/** How long an editor that had tasks.json open when it was moved aside may still write to it. */
const EDITOR_MS = 2000;
/** Copies of tasks.json that may lie about, unless more were made within a moment. */
const MOST_DISPLACED = 4;
const MOMENT_MS = 250;

/** Points of the commit protocol at which the tests kill the process. */
export type Point =
  | 'locked'
  | 'written'
  | 'linked'
  | 'synced'
  | 'aside'
  | 'moved'
  | 'renamed'
  | 'published'
  | 'trimmed'
  | 'message-written'
  | 'message-linked';

export interface TasksFileOptions {
  durable: boolean;
  /** The board's clock, ISO 8601 UTC. */
  now: () => string;
  /** Told what a person should know but no command answers: an edit that could not be merged. */
  notice: (message: string) => void;
  at: (point: Point) => void;
  canLink: boolean;
}

/** What to put into tasks.json. */
type Published = Pick<Revision, 'folder' | 'revision'>;

export class TasksFile {
  readonly #tree: Tree;
  readonly log: CommitLog<Board>;
  readonly #options: TasksFileOptions;
  /** What settling itself committed, for the log of events. */
  readonly events: BoardEvent[] = [];
  /** The tasks.json that was read last, where it is large and had been left alone for a while. */
  #quiet: (Stamp & { bytes: Buffer }) | undefined;

  constructor(tree: Tree, options: TasksFileOptions) {
    this.#tree = tree;
    this.#options = options;
    this.log = new CommitLog<Board>(tree.commits, {
      ...options,
      tmp: tree.tmp,
      rejected: tree.rejected,
      parse: (bytes, revision) => parseRevision(bytes, revision, tree.commits),
    });
  }

  /** The head, and whether tasks.json agrees with it. Takes no lock and writes nothing. */
  async look(): Promise<{ head: Revision | undefined; bytes: Buffer | undefined; content: Content | 'same' }> {
    const start = monotonicMs();
    for (;;) {
      const head = await this.log.head();
      const bytes = this.#readTasks();
      if (head && bytes?.equals(head.bytes)) {
        if (this.#quiet) this.#quiet.bytes = head.bytes;
        return { head, bytes: head.bytes, content: 'same' };
      }
      // tasks.json is written after the log: what seems to be ahead may just have been committed.
      if (this.log.latest() !== head?.revision) continue;
      const content = await classify(this.log, this.#tree.tasks, head, bytes);
      const mayBeSaving = (content.kind === 'blank' && bytes !== undefined) || content.kind === 'malformed';
      if (!mayBeSaving || monotonicMs() - start > SAVE_MS) return { head, bytes, content };
      await sleep(SAVE_LOOK_MS);
    }
  }

  #readTasks(): Buffer | undefined {
    const stamp = stampOf(this.#tree.tasks);
    const bytes = readIfThere(this.#tree.tasks);
    // As git does with its index: a file changed this lately may change again without a new time.
    const isQuiet = stamp !== undefined && stamp.size > LARGE_BYTES && Date.now() - stamp.mtimeMs > QUIET_MS;
    this.#quiet = bytes && isQuiet ? { ...stamp, bytes } : undefined;
    return bytes;
  }

  /** Whether a file holds these bytes; one that was quiet when it was read is known by inode, size and time. */
  #holds(path: string, bytes: Buffer | undefined): boolean {
    if (bytes === undefined || this.#quiet?.bytes !== bytes) return sameBytes(readIfThere(path), bytes);
    const stamp = stampOf(path);
    return stamp?.ino === this.#quiet.ino && stamp.size === this.#quiet.size && stamp.mtimeMs === this.#quiet.mtimeMs;
  }

  /**
   * Brings log and tasks.json together. @returns the head, which tasks.json now equals
   * @throws CoordError `tasks-malformed`, `version-unsupported`, `not-initialised`
   */
  async settle(): Promise<Revision> {
    for (;;) {
      const { head, bytes, content } = await this.look();
      if (content === 'same') return head as Revision; // `same` as a head that is there
      switch (content.kind) {
        case 'malformed':
          throw await content.problem();
        case 'blank':
          if (!head) throw noBoard(this.#tree);
          if (!bytes) await this.sweep({ isMissing: true });
          await this.publish(head, bytes);
          break;
        case 'behind':
          await this.publish(head as Revision, bytes); // what is behind has a head above it
          break;
        case 'newer':
        case 'edit': {
          const next = await this.#absorb(content, head, bytes ?? Buffer.alloc(0));
          if (next) await this.publish(next, bytes);
        }
      }
    }
  }

  /** What the board is once a hand edit is merged, for readers that may not write. */
  async preview(head: Revision | undefined, content: Content): Promise<Board> {
    const { adoptBoard, mergeEdit } = await import('../../model/hand-edit.ts');
    const now = this.#options.now();
    if (content.kind === 'newer') return adoptBoard(content.edit, now);
    if (!head) throw noBoard(this.#tree);
    if (content.kind !== 'edit' || !content.base) return head.value;
    const merge = mergeEdit(content.base, head.value, content.edit, now);
    return merge.ok ? merge.board : head.value;
  }

  /** Commits a hand edit, or keeps it in rejected/. @returns what to publish; undefined when the race was lost */
  async #absorb(
    content: Content & { kind: 'newer' | 'edit' },
    head: Revision | undefined,
    bytes: Buffer,
  ): Promise<Published | undefined> {
    const { adoptBoard, mergeEdit } = await import('../../model/hand-edit.ts');
    const now = this.#options.now();
    if (content.kind === 'newer' || !head) {
      const board = adoptBoard(content.edit, now);
      // Next to the head like any commit, so that it races fairly with them; only where there is no log does it keep its number.
      const revision = head ? head.revision + 1 : Math.max(board.revision, 1);
      return this.#commitEdit({ ...board, revision }, head, 'tasks.json taken over as it stood');
    }
    const merge = content.base
      ? mergeEdit(content.base, head.value, content.edit, now)
      : { ok: false as const, conflict: unknownBase(content.edit, head.revision) };
    if (!merge.ok) {
      this.#reject(bytes, merge.conflict, content.edit.revision ?? head.revision);
      return head;
    }
    if (merge.board === head.value) return head;
    const made = this.#commitEdit(
      { ...merge.board, revision: head.revision + 1 },
      head,
      'tasks.json was edited by hand',
    );
    if (made) this.#tellDone(head.value, merge.board);
    return made;
  }

  /** A person may say that something is done; that nobody has checked it shows. */
  #tellDone(before: Board, after: Board): void {
    const done = new Set(before.tasks.filter(({ status }) => status === 'done').map(({ id }) => id));
    for (const { id, status } of after.tasks)
      if (status === 'done' && !done.has(id))
        this.events.push({ agent: LEADER, event: 'complete', task_id: id, message: 'by hand, unchecked' });
  }

  #commitEdit(board: Board, base: Revision | undefined, message: string): Published | undefined {
    const made = { ...board, commit: nextCommit(base?.value.commit) };
    if (this.append(base, made, [boardToBytes(made)]) !== 'committed') return undefined;
    this.events.push({ agent: LEADER, event: 'edit', message: `${message} (revision ${board.revision})` });
    const folder = base?.folder ?? this.log.folder();
    return folder === undefined ? undefined : { folder, revision: board.revision };
  }

  #reject(bytes: Buffer, why: string, base: number): void {
    mkdirSync(this.#tree.rejected, { recursive: true });
    const stamp = this.#options.now().replaceAll(/[-:.]/g, '');
    const path = join(this.#tree.rejected, `tasks-${stamp}-r${base}-${Math.random().toString(36).slice(2, 6)}.json`);
    writeNew(path, [bytes], this.#options.durable);
    this.#options.notice(`An edit of tasks.json could not be merged: ${why}. It is kept in ${path}.`);
  }

  /** Makes a revision of these bytes. Points 4 to 6 of the protocol. */
  append(base: Revision | undefined, board: Board, chunks: readonly Uint8Array[]): Appended {
    const { revision, commit = '' } = board;
    const outcome = this.log.append(base, { revision, commit, chunks }, (point) => this.#options.at(point));
    if (outcome === 'committed') this.#options.at('synced');
    return outcome;
  }

  /**
   * Puts the head into tasks.json, unless that is no longer what was `seen` there. Point 7 of the protocol.
   *
   * A rename over the old file would be one step, but whatever an editor saved between our last look and that step would
   * be gone without a trace; the torture found it within a minute. So the old file is moved aside, which takes exactly
   * what is there, the new one linked into the free name, which never replaces anything, and what was moved looked at.
   * For some microseconds tasks.json is missing; coord's own readers go by the log and do not notice. Without link(2) the rename
   * over it is all there is.
   *
   * @returns false when tasks.json had changed, or the log moved far on, and nothing was done
   */
  async publish({ folder, revision }: Published, seen: Buffer | undefined): Promise<boolean> {
    const copy = scratchName(this.#tree.tmp);
    try {
      // Not synced: what a power cut may tear here stands whole in the log, and is known as its first bytes.
      const size = copyNew(this.log.path(folder, revision), copy);
      if (size === undefined) return false;
      const stamp = stampOf(this.#tree.tasks);
      if (!this.#holds(this.#tree.tasks, seen)) return false;
      this.#options.at('aside');
      if (!this.#options.canLink) {
        renameSync(copy, this.#tree.tasks);
        return true;
      }
      const aside = scratchName(this.#tree.tmp, `${DISPLACED}${stampText(stamp)}-`);
      const wasThere = moveIfThere(this.#tree.tasks, aside);
      this.#options.at('moved');
      const linked = linkIfFree(copy, this.#tree.tasks);
      if (linked === 'unsupported') renameSync(copy, this.#tree.tasks);
      this.#options.at('renamed');
      // Somebody saved in that very moment: into the file that was moved, or under its name before.
      if (wasThere && !this.#holds(aside, seen)) await this.#absorbDisplaced(aside);
      // Not removed yet: an editor that had opened it may still be about to write. The sweep looks once more.
      else if (size > LARGE_BYTES) removeScratch(aside); // unless it would fill the disk
      this.#options.at('published');
      return linked !== 'taken';
    } finally {
      removeScratch(copy);
    }
  }

  /**
   * Tidies the scratch folder. A file that a publisher moved aside, and that was written afterwards or that the publisher
   * did not live to look at, may hold somebody's edit: that is merged first.
   *
   * @param when.isMissing  tasks.json is: look into displaced files at once, since one may be all there is of it
   * @param when.isFull  the disk is: wait for no editor
   */
  async sweep(when: { isMissing?: boolean; isFull?: boolean } = {}): Promise<void> {
    const files = scratchIn(this.#tree.tmp, Date.parse(this.#options.now()));
    let displaced = files.filter((file) => file.isDisplaced).length;
    for (const file of files) {
      const patience = when.isFull === true ? 0 : displaced > MOST_DISPLACED ? MOMENT_MS : EDITOR_MS;
      const mayGo = file.isDisplaced ? file.age >= patience && (file.isOwn || file.isLeft) : file.isLeft;
      if (!mayGo && when.isMissing !== true) continue;
      if (this.isTouched(file)) await this.#absorbDisplaced(file.path);
      if (!mayGo) continue;
      if (file.isDisplaced) displaced--;
      removeScratch(file.path);
    }
  }

  /** Written after it was moved aside, or never looked at since. */
  isTouched({ isDisplaced, name, path }: Scratch): boolean {
    return isDisplaced && !name.startsWith(`${DISPLACED}${stampText(stampOf(path))}-`);
  }

  /**
   * Where the disk is full, what coord has left there itself goes first.
   * @returns whether there was anything
   */
  async makeRoom(reason: unknown): Promise<boolean> {
    if (!isFull(reason)) return false;
    const before = scratchIn(this.#tree.tmp, 0).length;
    try {
      await this.sweep({ isFull: true });
    } catch {
      // What could not be merged stays.
    }
    return scratchIn(this.#tree.tmp, 0).length < before;
  }

  /** An editor saved into the file that was just replaced: its text is merged like any other edit. */
  async #absorbDisplaced(aside: string): Promise<void> {
    const start = monotonicMs();
    for (;;) {
      const head = await this.log.head();
      const stamp = stampOf(aside);
      const bytes = readIfThere(aside);
      if (!bytes) return;
      const content = await classify(this.log, this.#tree.tasks, head, bytes);
      if (content.kind === 'behind') return;
      if (content.kind === 'edit' || content.kind === 'newer') {
        if ((await this.#absorb(content, head, bytes)) !== undefined) {
          // Under its new stamp the sweep knows it as looked at, so that no edit is merged twice.
          moveIfThere(aside, scratchName(this.#tree.tmp, `${DISPLACED}${stampText(stamp)}-`));
          return;
        }
      } else if (monotonicMs() - start > SAVE_MS) {
        if (content.kind === 'malformed') this.#reject(bytes, 'it is not a valid board', head?.revision ?? 0);
        return;
      } else await sleep(SAVE_LOOK_MS);
    }
  }
}

function sameBytes(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

function noBoard(tree: Tree): CoordError {
  return notInitialised(`${tree.root} holds no tasks.json and no log of commits.`);
}
