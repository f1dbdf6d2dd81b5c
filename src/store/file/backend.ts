/**
 * The board in a folder: commit and read as design of commit-log.ts and tasks-file.ts has it.
 *
 * The points of a commit, at each of which the process may be killed:
 *
 * 1. lock (only against contention) · 2. settle log and tasks.json · 3. run the pure change
 * 4. write and sync a temp file · 5. link it: **the commit** · 6. sync the folder: only now may success be reported
 * 7. publish to tasks.json · 8. trim, log, wake the waiters, unlock
 */
import type { Board, BoardEvent, Change } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import type { Backend, Documents, Moment } from '../store.ts';
import { touch } from './atomic.ts';
import { boardClock, CARRIED_BY_READERS_MS, clockSkew } from './board-clock.ts';
import { nextBytes } from './board-text.ts';
import { nextCommit } from '../commit-id.ts';
import { refuseMovedFolder } from './config.ts';
import { type Appended } from './commit-log.ts';
import { FileDocuments } from './documents.ts';
import { monotonicMs } from '../clock.ts';
import { explainErrno } from './errno.ts';
import { checkTree } from './guard.ts';
import { Queue } from '../queue.ts';
import { FileMailbox } from './mailbox.ts';
import { tryLock, withLock } from './lock.ts';
import { type Point, type Revision, TasksFile } from './tasks-file.ts';
import type { Tree } from './tree.ts';

export interface FileOptions {
  /** Wait for the disk at every commit, so that a power cut loses nothing that was acknowledged. */
  durable: boolean;
  /** Use polling to notice changes, where the file system reports none. */
  poll: boolean;
  /** Where this user's own records lie: the boards of others that are allowed. */
  stateFolder: string | undefined;
  /** Another clock than that of the board's file system. */
  now: (() => string) | undefined;
  notice: (message: string) => void;
  /** For tests: called at every point of the protocol. @internal */
  at: (point: Point) => void;
  /** @internal For tests: false leaves the lock out altogether, and nothing may break. */
  lock: boolean;
  /** Works on though `config.json` names a server, for who moves it there. */
  evenIfMoved: boolean;
  /** @internal For tests: false goes the way of file systems without link(2). */
  canLink: boolean;
}

/** How long a publisher may take before a reader does its work. */
const LAG_MS = 100;
export class FileBackend implements Backend {
  readonly documents: Documents;
  readonly mailbox: FileMailbox;
  readonly #documents: FileDocuments;
  readonly #tree: Tree;
  readonly #tasks: TasksFile;
  readonly #options: FileOptions & { now: (carriedMs?: number) => string };
  readonly #queue = new Queue();
  readonly #hasBoardClock: boolean;
  #isSkewTold = false;
  /** The revision that tasks.json was last seen to lag behind, and since when. */
  #lag: { revision: number; since: number } | undefined;

  constructor(tree: Tree, given: FileOptions) {
    const options = { ...given, now: given.now ?? boardClock(tree) };
    this.#tree = tree;
    this.#hasBoardClock = given.now === undefined;
    this.#options = options;
    this.#tasks = new TasksFile(tree, options);
    this.#documents = new FileDocuments(tree, options, (error) => this.#tasks.makeRoom(error));
    this.documents = this.#documents;
    this.mailbox = new FileMailbox(tree, options);
  }

  get location(): string {
    return this.#tree.root;
  }

  async now(): Promise<string> {
    checkTree(this.#tree, this.#options.stateFolder, [this.#tree.tmp]);
    return this.#options.now(CARRIED_BY_READERS_MS);
  }

  async commit<T extends object>(change: (board: Board, now: string) => Change<T>): Promise<T & Moment> {
    let isUnsure = false;
    try {
      return await this.#exclusively(async () => {
        for (;;) {
          const head = await this.#settle();
          const now = this.#options.now();
          this.#tellSkew(now);
          const changed = change(head.value, now);
          const { board } = changed;
          const outcome = board ? await this.#append(head, { ...changed, board }) : 'committed';
          if (outcome === 'committed') return { ...changed.answer, revision: head.revision + (board ? 1 : 0), at: now };
          isUnsure ||= outcome === 'unsure';
        }
      });
    } catch (error) {
      // Tried again, and then the disk said no: what happened before that nobody knows.
      const isRefused = error instanceof CoordError && error.code !== 'store-unavailable';
      throw isUnsure && !isRefused ? outcomeUnknown(error) : error;
    }
  }

  /** Once a process. A clock of the caller's own is meant to differ. */
  #tellSkew(now: string): void {
    const skew = this.#isSkewTold || !this.#hasBoardClock ? undefined : clockSkew(now);
    if (skew === undefined) return;
    this.#isSkewTold = true;
    this.#options.notice(`Careful: ${skew}.`);
  }

  /** Makes the first revision of a new board. @throws CoordError `already-initialised` when somebody else did */
  create(board: Board): Promise<void> {
    return this.#exclusively(async () => {
      const { head, content } = await this.#tasks.look();
      const isFree = !head && content !== 'same' && content.kind === 'blank';
      if (!isFree || (await this.#append(undefined, { board, answer: undefined })) !== 'committed') {
        throw new CoordError('already-initialised', `There is a board in ${this.#tree.root} already.`, {
          details: { why: 'lost' },
        });
      }
    });
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      try {
        return await this.#locked(work);
      } catch (error) {
        if (!(await this.#tasks.makeRoom(error))) throw explainErrno(error);
      }
      try {
        return await this.#locked(work);
      } catch (error) {
        throw explainErrno(error);
      }
    });
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    checkTree(this.#tree, this.#options.stateFolder);
    const locked = async (): Promise<T> => {
      if (!this.#options.evenIfMoved) refuseMovedFolder(this.#tree);
      this.#options.at('locked');
      return work();
    };
    return this.#options.lock ? withLock(this.#tree.root, this.#tree.lock, locked) : locked();
  }

  async #settle(): Promise<Revision> {
    const pending = this.#documents.files.pending();
    const head = await this.#tasks.settle();
    this.#documents.files.finish(head.value, pending);
    await this.#logEvents(this.#tasks.events.splice(0));
    return head;
  }

  /** Points 4 to 8. */
  async #append(head: Revision | undefined, changed: Change<unknown> & { board: Board }): Promise<Appended> {
    const board: Board = {
      ...changed.board,
      // Without one before it, it is new, or was moved here and goes on as the same.
      revision: (head?.value ?? changed.board).revision + 1,
      commit: nextCommit((head?.value ?? changed.board).commit),
    };
    const chunks = nextBytes(head, board);
    // A result is on disk before its task is done, so `done` implies that the result is there.
    const staged = changed.result && this.#documents.files.stage(changed.result);
    const evidence = changed.result ?? changed.evidence;
    if (evidence?.checks) this.#documents.keepChecks(evidence);
    if (changed.archive) this.#documents.keepArchived(changed.archive);
    let outcome;
    try {
      outcome = this.#tasks.append(head, board, chunks);
    } catch (error) {
      // Where nobody can say whether it was made, the result may be all that is left of the work.
      if (!(error instanceof CoordError)) staged?.discard();
      throw error;
    }
    if (outcome === 'lost') staged?.discard();
    if (outcome === 'unsure' && changed.repeatable !== true) throw outcomeUnknown();
    if (outcome !== 'committed') return outcome;
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    await this.#finish({ board, size }, head, changed.events ?? [], staged);
    return outcome;
  }

  /** The commit has happened: whatever fails from here on is made good by the next command, and is no failure of this one. */
  async #finish(
    made: { board: Board; size: number },
    before: Revision | undefined,
    events: readonly BoardEvent[],
    staged: { keep(): void } | undefined,
  ): Promise<void> {
    const { log } = this.#tasks;
    const { revision } = made.board;
    try {
      staged?.keep();
      const folder = before?.folder ?? log.folder();
      if (folder === undefined) return; // the whole log went away in this very moment
      const isPublished = await this.#tasks.publish({ folder, revision }, before?.bytes);
      // Whoever renames last must leave the newest.
      const revisions = log.revisions(folder);
      if (!isPublished || revisions.at(-1) !== revision) await this.#settle();
      await log.trim(folder, made.size, revisions);
      await this.#tasks.sweep();
      this.#options.at('trimmed');
      await this.#logEvents(events);
    } catch (error) {
      const reason = explainErrno(error);
      this.#options.notice(
        `The change is made, but not everything around it: ${reason instanceof Error ? reason.message : String(reason)}`,
      );
    }
    // Last: whoever wakes wants the lock and the processor, which this process needed until now.
    try {
      touch(this.#tree.bell);
    } catch {
      // Waiters look by themselves every few seconds.
    }
  }

  async #logEvents(events: readonly BoardEvent[]): Promise<void> {
    if (events.length > 0) await this.documents.addToLog(events);
  }

  /** Takes no lock, except to commit a hand edit that nobody has committed yet. */
  async read(): Promise<Board> {
    try {
      checkTree(this.#tree, this.#options.stateFolder);
      if (!this.#options.evenIfMoved) refuseMovedFolder(this.#tree);
      const { head, content } = await this.#tasks.look();
      if (content === 'same' && head) return head.value;
      if (content !== 'same' && content.kind === 'malformed') throw await content.problem();
      if (content !== 'same' && head && (content.kind === 'behind' || content.kind === 'blank')) {
        await this.#publishIfNobodyDoes(head.revision);
        return head.value;
      }
      return (await this.commit((board) => ({ answer: { board } }))).board;
    } catch (error) {
      const reason = explainErrno(error);
      if (!(reason instanceof CoordError) || reason.code !== 'store-unavailable') throw reason;
      return await this.#readOnly(reason);
    }
  }

  /**
   * tasks.json lags behind: a commit is under way (then the lock is taken), or one crashed. Who looks again and again, as a
   * waiter does, leaves a new revision to its maker for a moment: fifty of them that try the lock would be in its way.
   */
  async #publishIfNobodyDoes(revision: number): Promise<void> {
    const isFirst = this.#lag === undefined;
    if (this.#lag?.revision !== revision) this.#lag = { revision, since: monotonicMs() };
    if (!isFirst && monotonicMs() - this.#lag.since < LAG_MS) return;
    try {
      checkTree(this.#tree, this.#options.stateFolder);
      const release = this.#options.lock ? tryLock(this.#tree.root, this.#tree.lock) : 'held';
      if (typeof release !== 'function') return;
      try {
        await this.#settle();
      } finally {
        release();
      }
    } catch {
      // A reader mends what it can; what it cannot, the next writer reports.
    }
  }

  /** A board that may be read but not written still shows what is on it. */
  async #readOnly(reason: CoordError): Promise<Board> {
    try {
      const { head, content } = await this.#tasks.look();
      if (content === 'same' && head) return head.value;
      if (content !== 'same' && content.kind !== 'malformed') return await this.#tasks.preview(head, content);
    } catch {
      // Not readable either: the first reason says it best.
    }
    throw reason;
  }

  async *changes(signal: AbortSignal): AsyncGenerator<void> {
    checkTree(this.#tree, this.#options.stateFolder);
    const { watchBell } = await import('./watch.ts'); // chokidar: only who waits pays for it
    yield* watchBell(this.#tree.bell, { poll: this.#options.poll, signal });
  }

  async close(): Promise<void> {
    await this.#queue.run(async () => {});
  }
}

function outcomeUnknown(cause?: unknown): CoordError {
  return new CoordError(
    'outcome-unknown',
    'This process was paused for so long that the log of commits moved on; the change may or may not have been made.',
    { details: {}, cause },
  );
}
