/**
 * The board as pages see it: read once after each change, however many look, and told to each of them as what has changed since it
 * was told last. Whoever is slow is told more at once, and nothing is queued for anybody.
 */
import { randomBytes } from 'node:crypto';
import type { Board } from '../../model/board.ts';
import type { Task } from '../../model/task.ts';
import { visibleDeep } from '../../model/text.ts';
import { lastChangeOf } from '../../model/undo.ts';
import { isSame } from '../../model/values.ts';
import type { LogEntry } from '../../model/views/report.ts';
import { monotonicMs, sleep } from '../../store/clock.ts';
import type { Store } from '../../store/store.ts';
import type { BoardChange, Snapshot } from './api.ts';
import { refusalOf } from './errors.ts';

/** Where nothing reports a change, or the board was away: how often to look. */
const LOOK_MS = 5000;
/** Characters of a text in a list; the task itself has all of it. */
const MOST_TEXT = 400;
const MOST_FILES = 20;

/** A task as it was read, as it is shown, and the state of the board in which it became so. */
interface Known {
  read: Task;
  shown: Task;
  since: number;
}

export class Live {
  readonly #store: Store;
  readonly #onError: (error: unknown) => void;
  /** Names this server: what another one has counted means nothing here. */
  readonly #series = randomBytes(6).toString('hex');
  /** Counts the states that were seen. */
  #state = 0;
  /** What the board's clock said when it was looked at last, and when that was by a clock that nobody sets. */
  #seen = { now: '', at: 0 };
  #trouble: string | null = null;
  #head: Omit<Board, 'tasks'> | undefined;
  readonly #tasks = new Map<string, Known>();
  readonly #removed = new Map<string, number>();
  #log: { state: number; entries: Promise<LogEntry[]> } | undefined;
  /** Those who wait for the next state. */
  readonly #waiting = new Set<() => void>();

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  /** Looks after every change, until the signal fires. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        // The first one is told when no later change can be missed.
        for await (const _ of this.#store.changes(signal)) await this.look();
      } catch (error) {
        this.#say(error);
        await sleep(LOOK_MS, signal);
      }
    }
  }

  /** Reads the board, and wakes who waits. @throws CoordError as {@link Store.read} */
  async look(): Promise<void> {
    const board = await this.#store.read();
    const now = await this.#store.now();
    const { tasks, last_change: _, ...head } = board;
    const last = lastChangeOf(board);
    const state = this.#state + 1;
    const ids = new Set<string>();
    for (const task of tasks) {
      ids.add(task.id);
      const known = this.#tasks.get(task.id);
      if (known && isSame(known.read, task)) continue;
      this.#tasks.set(task.id, { read: task, shown: inList(task), since: state });
      this.#removed.delete(task.id);
    }
    for (const id of this.#tasks.keys()) {
      if (ids.has(id)) continue;
      this.#tasks.delete(id);
      this.#removed.set(id, state);
    }
    // What could be taken back, in words; not all that it would bring back.
    this.#head = visibleDeep(last ? { ...head, last_change: { what: last.what, final: last.final === true } } : head);
    this.#seen = { now, at: monotonicMs() };
    this.#trouble = null;
    this.#tell(state);
  }

  /** The board is away, or the way to it; who looks must know that what is seen is old. */
  #say(error: unknown): void {
    const { message } = refusalOf(error).refusal.error;
    if (this.#trouble === message) return;
    this.#onError(error);
    this.#trouble = message;
    this.#tell(this.#state + 1);
  }

  /** Something beside the board has changed, which pages ask for themselves. */
  touch(): void {
    this.#tell(this.#state + 1);
  }

  /** All of the log, read once for each state of the board, however many ask. */
  log(): Promise<LogEntry[]> {
    if (this.#log?.state !== this.#state) this.#log = { state: this.#state, entries: this.#store.log() };
    return this.#log.entries;
  }

  #tell(state: number): void {
    this.#state = state;
    for (const wake of this.#waiting) wake();
  }

  /** The whole board, as it was seen last. @throws CoordError as {@link Store.read} */
  async board(): Promise<Pick<Snapshot, 'id' | 'now' | 'board' | 'trouble'>> {
    if (!this.#head) await this.look();
    const head = this.#head as Omit<Board, 'tasks'>; // one line above
    // `head` holds all but the tasks, which its type cannot say of a board with unknown fields.
    const board = { ...head, tasks: [...this.#tasks.values()].map(({ shown }) => shown) } as Board;
    return { id: this.#id(), now: this.#now(), board, trouble: this.#trouble };
  }

  /** What has changed since that state, and its own name; undefined where it is none of this server's. */
  since(id: string): { id: string; change: BoardChange } | undefined {
    const state = this.#stateOf(id);
    if (state === undefined || !this.#head) return undefined;
    return {
      id: this.#id(),
      change: {
        now: this.#now(),
        head: this.#head,
        tasks: [...this.#tasks.values()].filter(({ since }) => since > state).map(({ shown }) => shown),
        removed: [...this.#removed].filter(([, since]) => since > state).map(([gone]) => gone),
        trouble: this.#trouble,
      },
    };
  }

  /** Waits for a state after that one. @returns false where none has come by then */
  next(id: string, ms: number, signal: AbortSignal): Promise<boolean> {
    const after = this.#stateOf(id) ?? 0;
    if (this.#state > after) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve(this.#state > after);
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }

  /** By the board's clock, carried on from the last look: nobody can be asked while the board is away. */
  #now(): string {
    const { now, at } = this.#seen;
    return new Date(Date.parse(now) + monotonicMs() - at).toISOString();
  }

  #id(): string {
    return `${this.#series}.${this.#state}`;
  }

  #stateOf(id: string): number | undefined {
    const [series, state] = id.split('.');
    const number = Number(state);
    return series === this.#series && Number.isSafeInteger(number) && number <= this.#state ? number : undefined;
  }
}

/** What a list shows of a task; the page asks for the rest of the one that it opens. */
function inList(task: Task): Task {
  const { evidence } = task;
  return visibleDeep({
    ...task,
    description: startOf(task.description),
    context: { files: task.context.files.slice(0, MOST_FILES), hints: '' },
    last_error: task.last_error === null ? null : startOf(task.last_error),
    ...(task.note === undefined ? {} : { note: startOf(task.note) }),
    ...(evidence === undefined
      ? {}
      : { evidence: { ...evidence, files: (evidence.files ?? []).slice(0, MOST_FILES), tail: '' } }),
  });
}

function startOf(text: string): string {
  return text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT)}…`;
}
