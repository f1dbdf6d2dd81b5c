/** A backend that is loaded when it is first used: who keeps boards in files loads nothing of a server's. */
import type { Board, BoardEvent, Change } from '../model/board.ts';
import type { Ref } from '../model/refs.ts';
import type { Task } from '../model/task.ts';
import type { Discovery, LogEntry, Result } from '../model/views/report.ts';
import type { Backend, Documents, LateResult, Mailbox, Moment } from './store.ts';

export interface Late {
  location: string;
  where: (ref: Ref) => string | undefined;
  load: () => Promise<Backend>;
}

export class LateBackend implements Backend {
  readonly location: string;
  readonly documents: Documents;
  readonly mailbox: Mailbox;
  readonly #load: () => Promise<Backend>;
  #loaded: Promise<Backend> | undefined;

  constructor({ location, where, load }: Late) {
    this.location = location;
    this.#load = load;
    const mailbox = async (): Promise<Mailbox> => (await this.#backend()).mailbox;
    this.mailbox = {
      newest: async () => (await mailbox()).newest(),
      read: async (after) => (await mailbox()).read(after),
      post: async (make) => (await mailbox()).post(make),
      see: async (reader, id) => (await mailbox()).see(reader, id),
    };
    this.documents = new LateDocuments(async () => (await this.#backend()).documents, where);
  }

  #backend(): Promise<Backend> {
    return (this.#loaded ??= this.#load());
  }

  async commit<T extends object>(change: (board: Board, now: string) => Change<T>): Promise<T & Moment> {
    return (await this.#backend()).commit(change);
  }
  async read(): Promise<Board> {
    return (await this.#backend()).read();
  }
  async now(): Promise<string> {
    return (await this.#backend()).now();
  }
  async *changes(signal: AbortSignal): AsyncGenerator<void> {
    yield* (await this.#backend()).changes(signal);
  }
  async close(): Promise<void> {
    await (await this.#loaded)?.close();
  }
}

class LateDocuments implements Documents {
  readonly #documents: () => Promise<Documents>;
  readonly where: (ref: Ref) => string | undefined;

  constructor(documents: () => Promise<Documents>, where: (ref: Ref) => string | undefined) {
    this.#documents = documents;
    this.where = where;
  }

  async readPlan(): Promise<string> {
    return (await this.#documents()).readPlan();
  }
  async writePlan(text: string, append: boolean): Promise<string> {
    return (await this.#documents()).writePlan(text, append);
  }
  async addDiscovery(discovery: Omit<Discovery, 'id'>): Promise<Discovery> {
    return (await this.#documents()).addDiscovery(discovery);
  }
  async discoveries(): Promise<Discovery[]> {
    return (await this.#documents()).discoveries();
  }
  async results(tasks: readonly Task[]): Promise<Result[]> {
    return (await this.#documents()).results(tasks);
  }
  async keepRefused(refused: { task_id: string; worker: string; attempt: number; output: string }): Promise<Ref> {
    return (await this.#documents()).keepRefused(refused);
  }
  async late(taskId: string): Promise<LateResult[]> {
    return (await this.#documents()).late(taskId);
  }
  async writeSummary(text: string): Promise<Ref> {
    return (await this.#documents()).writeSummary(text);
  }
  async archive(tasks: readonly Task[]): Promise<void> {
    return (await this.#documents()).archive(tasks);
  }
  async archived(): Promise<Task[]> {
    return (await this.#documents()).archived();
  }
  async addToLog(events: readonly BoardEvent[]): Promise<void> {
    return (await this.#documents()).addToLog(events);
  }
  async log(): Promise<LogEntry[]> {
    return (await this.#documents()).log();
  }
}
