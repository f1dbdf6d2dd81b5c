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
import type { Backend, Documents } from '../store.ts';
import { explainErrno, touch } from './atomic.ts';
import { nextBytes } from './board-text.ts';
import { CommitLog, type Revision } from './commit-log.ts';
import { FileDocuments } from './documents.ts';
import { Queue, tryLock, withLock } from './lock.ts';
import { type Point, TasksFile } from './tasks-file.ts';
import type { Tree } from './tree.ts';

export interface FileOptions {
  /** Wait for the disk at every commit, so that a power cut loses nothing that was acknowledged. */
  durable: boolean;
  /** Use polling to notice changes, where the file system reports none. */
  poll: boolean;
  now: () => string;
  notice: (message: string) => void;
  /** For tests: called at every point of the protocol. */
  at: (point: Point) => void;
  /** For tests: false leaves the lock out altogether, and nothing may break. */
  lock: boolean;
  /** For tests: false goes the way of file systems without link(2). */
  canLink: boolean;
}

export class FileBackend implements Backend {
  readonly documents: Documents;
  readonly #documents: FileDocuments;
  readonly #tree: Tree;
  readonly #log: CommitLog;
  readonly #tasks: TasksFile;
  readonly #options: FileOptions;
  readonly #queue = new Queue();

  constructor(tree: Tree, options: FileOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#log = new CommitLog(tree.commits, options);
    this.#tasks = new TasksFile(tree, this.#log, options);
    this.#documents = new FileDocuments(tree, options);
    this.documents = this.#documents;
  }

  get location(): string {
    return this.#tree.root;
  }

  commit<T>(change: (board: Board, now: string) => Change<T>): Promise<T> {
    return this.#exclusively(async () => {
      for (;;) {
        const head = await this.#settle();
        const changed = change(head.board, this.#options.now());
        if (!changed.board) return changed.answer;
        if (await this.#append(head, changed)) return changed.answer;
      }
    });
  }

  /** Makes the first revision of a new board. @throws CoordError `already-initialised` when somebody else did */
  create(board: Board): Promise<void> {
    return this.#exclusively(async () => {
      const { head, content } = await this.#tasks.look();
      const isFree = !head && content !== 'same' && content.kind === 'blank';
      if (
        !isFree ||
        !(await this.#append({ revision: 0, bytes: Buffer.alloc(0), board }, { board, answer: undefined }))
      ) {
        throw new CoordError('already-initialised', `There is a board in ${this.#tree.root} already.`, {
          hint: 'coord leader status',
        });
      }
    });
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      const locked = async (): Promise<T> => {
        this.#options.at('locked');
        return work();
      };
      try {
        return this.#options.lock ? await withLock(this.#tree.root, this.#tree.lock, locked) : await locked();
      } catch (error) {
        throw explainErrno(error);
      }
    });
  }

  async #settle(): Promise<Revision> {
    const head = await this.#tasks.settle();
    this.#documents.finishResults(head.board);
    await this.#logEvents(this.#tasks.events.splice(0));
    return head;
  }

  /** Points 4 to 8. @returns false when somebody else committed first */
  async #append(head: Revision, changed: Change<unknown>): Promise<boolean> {
    const revision = head.revision + 1;
    const board: Board = { ...(changed.board ?? head.board), revision };
    const chunks = nextBytes(head.board, head.bytes, board);
    // A result is on disk before its task is done, so `done` implies that the result is there.
    const staged = changed.result && this.#documents.stageResult(changed.result);
    const outcome = this.#tasks.append(head.revision, revision, chunks);
    if (outcome !== 'committed') {
      staged?.discard();
      if (outcome === 'lost' || changed.repeatable === true) return false;
      throw new CoordError(
        'outcome-unknown',
        'This process was paused for so long that the log of commits moved on; the change may or may not have been made.',
        {
          hint: 'coord leader status, then repeat the command if it was not',
        },
      );
    }
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    await this.#finish({ revision, size }, head, changed.events ?? [], staged);
    return true;
  }

  /** The commit has happened: whatever fails from here on is made good by the next command, and is no failure of this one. */
  async #finish(
    made: { revision: number; size: number },
    before: Revision,
    events: readonly BoardEvent[],
    staged: { keep(): void } | undefined,
  ): Promise<void> {
    try {
      staged?.keep();
      const seen = before.revision === 0 ? undefined : before.bytes;
      const isPublished = await this.#tasks.publish(made.revision, seen);
      // Whoever renames last must leave the newest.
      if (!isPublished || this.#log.latest() !== made.revision) await this.#settle();
      this.#log.trim(made.size);
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
      const { head, content } = await this.#tasks.look();
      if (content === 'same' && head) return head.board;
      if (content !== 'same' && content.kind === 'malformed') throw await content.problem();
      if (content !== 'same' && head && (content.kind === 'behind' || content.kind === 'blank')) {
        await this.#publishIfNobodyDoes();
        return head.board;
      }
      return await this.commit((board) => ({ answer: board }));
    } catch (error) {
      const reason = explainErrno(error);
      if (!(reason instanceof CoordError) || reason.code !== 'store-unavailable') throw reason;
      return await this.#readOnly(reason);
    }
  }

  /** tasks.json lags behind: a commit is under way (then the lock is taken), or one crashed. */
  async #publishIfNobodyDoes(): Promise<void> {
    const release = this.#options.lock ? tryLock(this.#tree.root, this.#tree.lock) : undefined;
    if (!release) return;
    try {
      await this.#settle();
    } catch {
      // A reader mends what it can; what it cannot, the next writer reports.
    } finally {
      release();
    }
  }

  /** A board that may be read but not written still shows what is on it. */
  async #readOnly(reason: CoordError): Promise<Board> {
    try {
      const { head, content } = await this.#tasks.look();
      if (content === 'same' && head) return head.board;
      if (content !== 'same' && content.kind !== 'malformed') return await this.#tasks.preview(head, content);
    } catch {
      // Not readable either: the first reason says it best.
    }
    throw reason;
  }

  async *changes(signal: AbortSignal): AsyncGenerator<void> {
    const { watchBell } = await import('./watch.ts'); // chokidar: only who waits pays for it
    yield* watchBell(this.#tree.bell, { poll: this.#options.poll, signal });
  }

  async close(): Promise<void> {
    await this.#queue.run(async () => {});
  }
}
