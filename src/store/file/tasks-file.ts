/**
 * tasks.json: the copy of the newest revision that people and agents read, and may edit.
 *
 * It equals the head of the log except in the moments of a commit, after a crash, or after a hand edit. `settle`
 * brings the two together:
 *
 * ```
 *   the head's bytes ............... settled
 *   an older revision's bytes ...... a crash, or somebody publishing right now: publish the head
 *   missing ........................ a publisher between its two steps, or one that died there: publish the head
 *   empty, only NULs, or the first
 *   bytes of a revision ............ look again for half a second (an editor may be saving); then publish the head: a
 *                                    power cut has torn the copy, and the log has all that was in it
 *   not JSON, or not a board ....... look again likewise; then `tasks-malformed`, and nothing is touched
 *   a revision above the head ...... the log was lost or a backup restored: the log goes on from it
 *   anything else valid ............ a hand edit: merge three ways and commit the merge, or keep it in rejected/
 * ```
 */
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Board, BoardEvent } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import type { EditedBoard } from '../../model/hand-edit.ts';
import { LEADER } from '../../model/board.ts';
import {
  orAbsent,
  ageOfScratch,
  copyNew,
  linkIfFree,
  moveIfThere,
  namesIn,
  readIfThere,
  removeIfThere,
  scratchName,
  writeNew,
} from './atomic.ts';
import { boardToBytes, isBlank, isTornCopy, parseBytes, revisionOf } from './board-text.ts';
import type { Appended, CommitLog, Revision } from './commit-log.ts';
import { sleep, STALE_MS } from './lock.ts';
import type { Tree } from './tree.ts';

/** How long an editor is given to finish a save, and how often to look meanwhile. */
const SAVE_MS = 500;
const SAVE_LOOK_MS = 20;
/** Far above the tick of a kernel's file times, which is 4 to 10 ms. */
const QUIET_MS = 100;
/** From this size on, reading tasks.json again and again takes longer than anything else in a commit. */
const LARGE_BYTES = 1_000_000;
/** Scratch files older than this were left by a crash. A process that slept longer tries its commit again. */
const SCRATCH_MS = 60_000;
/** Begins the names of files moved aside by a publisher. */
export const DISPLACED = 'displaced-';

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
  | 'trimmed';

export interface TasksFileOptions {
  durable: boolean;
  now: () => string;
  /** Told what a person should know but no command answers: an edit that could not be merged. */
  notice: (message: string) => void;
  at: (point: Point) => void;
  canLink: boolean;
}

type Content =
  | { kind: 'behind' }
  | { kind: 'blank' }
  | { kind: 'malformed'; problem: () => Promise<CoordError> }
  | { kind: 'newer'; edit: EditedBoard }
  | { kind: 'edit'; edit: EditedBoard; base: Board | undefined };

export class TasksFile {
  readonly #tree: Tree;
  readonly #log: CommitLog;
  readonly #options: TasksFileOptions;
  /** What settling itself committed, for the log of events. */
  readonly events: BoardEvent[] = [];
  /** The tasks.json that was read last, where it is large and had been left alone for a while. */
  #quiet: (Stamp & { bytes: Buffer }) | undefined;

  constructor(tree: Tree, log: CommitLog, options: TasksFileOptions) {
    this.#tree = tree;
    this.#log = log;
    this.#options = options;
  }

  /** The head, and whether tasks.json agrees with it. Takes no lock and writes nothing. */
  async look(): Promise<{ head: Revision | undefined; bytes: Buffer | undefined; content: Content | 'same' }> {
    const start = Date.now();
    for (;;) {
      const head = this.#log.head();
      const bytes = this.#readTasks();
      if (head && bytes?.equals(head.bytes)) {
        if (this.#quiet) this.#quiet.bytes = head.bytes;
        return { head, bytes: head.bytes, content: 'same' };
      }
      // tasks.json is written after the log: what seems to be ahead may just have been committed.
      if (this.#log.latest() !== head?.revision) continue;
      const content = await this.#classify(head, bytes);
      const mayBeSaving = (content.kind === 'blank' && bytes !== undefined) || content.kind === 'malformed';
      if (!mayBeSaving || Date.now() - start > SAVE_MS) return { head, bytes, content };
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

  async #classify(head: Revision | undefined, bytes: Buffer | undefined): Promise<Content> {
    if (!bytes || isBlank(bytes)) return { kind: 'blank' };
    const carried = revisionOf(bytes);
    if (carried !== undefined && head && carried <= head.revision && this.#log.read(carried)?.equals(bytes))
      return { kind: 'behind' };
    const whole = [head?.bytes, carried === undefined ? undefined : this.#log.read(carried)];
    if (whole.some((revision) => revision && isTornCopy(bytes, revision))) return { kind: 'blank' };
    const path = this.#tree.tasks;
    const text = bytes.toString().replace(/^\uFEFF/, '');
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      return { kind: 'malformed', problem: async () => (await import('./malformed.ts')).notJson(path, text) };
    }
    // zod and the schemas: only somebody's edit needs them, what coord wrote is known to be valid.
    const [{ parseBoard }, { migrate }] = await Promise.all([
      import('../../model/hand-edit.ts'),
      import('./migrate.ts'),
    ]);
    const parsed = parseBoard(migrate(document, path));
    if (!parsed.ok) {
      return { kind: 'malformed', problem: async () => (await import('./malformed.ts')).notBoard(path, text, parsed) };
    }
    const edit = parsed.board;
    if (!head || (edit.revision ?? 0) > head.revision) return { kind: 'newer', edit };
    const base =
      edit.revision === undefined || edit.revision === head.revision ? head.bytes : this.#log.read(edit.revision);
    return { kind: 'edit', edit, base: base && parseBytes(base) };
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
          if (!bytes) await this.sweep(true);
          await this.publish(head.revision, bytes);
          break;
        case 'behind':
          await this.publish((head as Revision).revision, bytes); // an older revision has a head above it
          break;
        case 'newer':
        case 'edit': {
          const next = await this.#absorb(content, head, bytes ?? Buffer.alloc(0));
          if (next !== undefined) await this.publish(next, bytes);
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
    if (content.kind !== 'edit' || !content.base) return head.board;
    const merge = mergeEdit(content.base, head.board, content.edit, now);
    return merge.ok ? merge.board : head.board;
  }

  /** Commits a hand edit, or keeps it in rejected/. @returns the revision to publish; undefined when the race was lost */
  async #absorb(
    content: Content & { kind: 'newer' | 'edit' },
    head: Revision | undefined,
    bytes: Buffer,
  ): Promise<number | undefined> {
    const { adoptBoard, mergeEdit } = await import('../../model/hand-edit.ts');
    const now = this.#options.now();
    if (content.kind === 'newer' || !head) {
      const board = adoptBoard(content.edit, now);
      // Next to the head like any commit, so that it races fairly with them; only where there is no log does it keep its number.
      const revision = head ? head.revision + 1 : Math.max(board.revision, 1);
      return this.#commitEdit({ ...board, revision }, head?.revision ?? 0, 'tasks.json taken over as it stood');
    }
    const merge = content.base
      ? mergeEdit(content.base, head.board, content.edit, now)
      : { ok: false as const, conflict: `it was made from revision ${content.edit.revision}, too long ago to compare` };
    if (!merge.ok) {
      this.#reject(bytes, merge.conflict, content.edit.revision ?? head.revision);
      return head.revision;
    }
    if (merge.board === head.board) return head.revision;
    return this.#commitEdit(
      { ...merge.board, revision: head.revision + 1 },
      head.revision,
      'tasks.json was edited by hand',
    );
  }

  #commitEdit(board: Board, base: number, message: string): number | undefined {
    if (this.append(base, board.revision, [boardToBytes(board)]) !== 'committed') return undefined;
    this.events.push({ agent: LEADER, event: 'edit', message: `${message} (revision ${board.revision})` });
    return board.revision;
  }

  #reject(bytes: Buffer, why: string, base: number): void {
    mkdirSync(this.#tree.rejected, { recursive: true });
    const stamp = this.#options.now().replaceAll(/[-:.]/g, '');
    const path = join(this.#tree.rejected, `tasks-${stamp}-r${base}-${Math.random().toString(36).slice(2, 6)}.json`);
    writeNew(path, [bytes], this.#options.durable);
    this.#options.notice(`An edit of tasks.json could not be merged: ${why}. It is kept in ${path}.`);
  }

  /** Makes a revision of these bytes: temp file, sync, link. Points 4 to 6 of the protocol. */
  append(base: number, revision: number, chunks: readonly Uint8Array[]): Appended {
    const temp = scratchName(this.#tree.tmp);
    try {
      writeNew(temp, chunks, this.#options.durable);
      this.#options.at('written');
      const outcome = this.#log.append(temp, base, revision, () => this.#options.at('linked'));
      if (outcome === 'committed') this.#options.at('synced');
      return outcome;
    } finally {
      removeIfThere(temp);
    }
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
  async publish(revision: number, seen: Buffer | undefined): Promise<boolean> {
    const copy = scratchName(this.#tree.tmp);
    try {
      // Not synced: what a power cut may tear here stands whole in the log, and is known as its first bytes.
      const size = copyNew(this.#log.path(revision), copy);
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
      else if (size > LARGE_BYTES) removeIfThere(aside); // unless it would fill the disk
      this.#options.at('published');
      return linked !== 'taken';
    } finally {
      removeIfThere(copy);
    }
  }

  /**
   * Tidies the scratch folder. A file that a publisher moved aside, and that was written afterwards or that the publisher
   * did not live to look at, may hold somebody's edit: that is merged first.
   *
   * @param isMissing  tasks.json is: look into displaced files at once, since one may be all there is of it
   */
  async sweep(isMissing = false): Promise<void> {
    for (const name of namesIn(this.#tree.tmp)) {
      const path = join(this.#tree.tmp, name);
      const isDisplaced = name.startsWith(DISPLACED);
      const isLeft = ageOfScratch(name) > (isDisplaced ? STALE_MS : SCRATCH_MS);
      if (!isLeft && !isMissing) continue;
      const isTouched = isDisplaced && !name.startsWith(`${DISPLACED}${stampText(stampOf(path))}-`);
      if (isTouched) await this.#absorbDisplaced(path);
      if (!isLeft) continue;
      removeIfThere(path);
    }
  }

  /** An editor saved into the file that was just replaced: its text is merged like any other edit. */
  async #absorbDisplaced(aside: string): Promise<void> {
    const start = Date.now();
    for (;;) {
      const head = this.#log.head();
      const stamp = stampOf(aside);
      const bytes = readIfThere(aside);
      if (!bytes) return;
      const content = await this.#classify(head, bytes);
      if (content.kind === 'behind') return;
      if (content.kind === 'edit' || content.kind === 'newer') {
        if ((await this.#absorb(content, head, bytes)) !== undefined) {
          // Under its new stamp the sweep knows it as looked at, so that no edit is merged twice.
          moveIfThere(aside, scratchName(this.#tree.tmp, `${DISPLACED}${stampText(stamp)}-`));
          return;
        }
      } else if (Date.now() - start > SAVE_MS) {
        if (content.kind === 'malformed') this.#reject(bytes, 'it is not a valid board', head?.revision ?? 0);
        return;
      } else await sleep(SAVE_LOOK_MS);
    }
  }
}

interface Stamp {
  ino: number;
  size: number;
  mtimeMs: number;
}

/** Size and time for a file name: a displaced file that still has them was not written any more. */
function stampText(stamp: Stamp | undefined): string {
  return stamp === undefined ? 'none' : `${stamp.size}-${Math.round(stamp.mtimeMs * 1000)}`;
}

function stampOf(path: string): Stamp | undefined {
  return orAbsent(() => statSync(path));
}

function sameBytes(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

function noBoard(tree: Tree): CoordError {
  return new CoordError('not-initialised', `${tree.root} holds no tasks.json and no log of commits.`, {
    hint: 'coord leader init "<goal>"',
  });
}
