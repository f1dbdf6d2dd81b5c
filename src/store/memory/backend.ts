/** A backend in memory: for tests and dry runs. One process, nothing survives it. */
import type { Board, BoardEvent, Change } from '../../model/board.ts';
import type { Discovery, LogEntry, Result } from '../../model/views/report.ts';
import type { Task } from '../../model/task.ts';
import type { Message } from '../../model/messages.ts';
import type { Backend, Documents, Mailbox, Moment } from '../store.ts';
import { Nudges } from '../nudges.ts';

export class MemoryBackend implements Backend {
  readonly location = 'memory';
  readonly documents: Documents;
  readonly mailbox: Mailbox;
  readonly #now: () => string;
  readonly #waiting = new Set<() => void>();
  readonly #results = new Map<string, Result>();
  readonly #log: LogEntry[] = [];
  #board: Board;

  constructor(board: Board, now: () => string) {
    this.#board = board;
    this.#now = now;
    this.documents = this.#makeDocuments();
    this.mailbox = this.#makeMailbox();
  }

  async commit<T extends object>(change: (board: Board, now: string) => Change<T>): Promise<T & Moment> {
    const now = this.#now();
    const { board, answer, events, result, archive } = change(structuredClone(this.#board), now);
    if (!board) return { ...answer, revision: this.#board.revision, at: now };
    if (result) {
      const { task, checks: _, ...texts } = result;
      const { id, claimed_by, attempt, completed_at } = task;
      this.#results.set(id, { task_id: id, worker: claimed_by ?? '', attempt, completed_at, ...texts });
    }
    if (archive) await this.documents.archive(structuredClone(archive));
    this.#board = { ...structuredClone(board), revision: this.#board.revision + 1 };
    await this.documents.addToLog(events ?? []);
    this.#wakeAll();
    return { ...answer, revision: this.#board.revision, at: now };
  }

  async now(): Promise<string> {
    return this.#now();
  }

  async read(): Promise<Board> {
    return structuredClone(this.#board);
  }

  async *changes(signal: AbortSignal): AsyncGenerator<void> {
    const nudges = new Nudges();
    nudges.nudge(); // it stands at once
    this.#waiting.add(nudges.nudge);
    try {
      yield* nudges.until(signal);
    } finally {
      this.#waiting.delete(nudges.nudge);
    }
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }

  #makeMailbox(): Mailbox {
    const messages: Message[] = [];
    const seen = new Map<string, number>();
    return {
      newest: async () => messages.at(-1)?.id ?? 0,
      read: async (after = 0) => ({ messages: messages.filter(({ id }) => id > after), seen: new Map(seen) }),
      post: async (make) => {
        const at = this.#now();
        const made = make({ messages, seen }, at).message;
        const message = { id: (messages.at(-1)?.id ?? 0) + 1, ...made, at };
        messages.push(message);
        this.#wakeAll();
        return message;
      },
      see: async (reader, id) => void seen.set(reader, Math.max(id, seen.get(reader) ?? 0)),
    };
  }

  async close(): Promise<void> {}

  #makeDocuments(): Documents {
    let plan = '';
    const discoveries: Discovery[] = [];
    const refused = new Map<string, string>();
    const archived = new Map<string, Task>();
    return {
      readPlan: async () => plan,
      writePlan: async (text, append) => (plan = `${append ? `${plan}\n` : ''}${text.trimEnd()}\n`),
      addDiscovery: async (discovery) => {
        const stored = { id: `discovery-${discoveries.length + 1}`, ...discovery };
        discoveries.push(stored);
        return stored;
      },
      discoveries: async () => [...discoveries],
      results: async (tasks: readonly Task[]) =>
        tasks.map((task) => this.#results.get(task.id)).filter((result) => result !== undefined),
      keepRefused: async ({ task_id, worker, attempt, output }) => {
        const name = `${task_id}.${worker}.${attempt}`;
        refused.set(name, output);
        return { ref: 'refused', name };
      },
      late: async (taskId) =>
        [...refused]
          .filter(([name]) => name.startsWith(`${taskId}.`))
          .map(([name, output]) => ({ name, worker: name.slice(taskId.length + 1).replace(/\.\d+$/, ''), output })),
      writeSummary: async () => ({ ref: 'summary' }),
      archive: async (tasks) => {
        for (const task of tasks) archived.set(task.id, task);
      },
      archived: async () => [...archived.values()],
      where: () => undefined,
      addToLog: async (events: readonly BoardEvent[]) => {
        const time = this.#now();
        for (const { agent, event, task_id, message } of events) {
          this.#log.push({ time, agent, event, task_id: task_id ?? null, message: message ?? '' });
        }
      },
      log: async () => [...this.#log],
    };
  }
}
