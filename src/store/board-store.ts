/** The verbs of {@link Store} over any backend that can commit a whole board. */
import { type Board, expireLastAttempts } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import type * as inputs from '../model/inputs.ts';
import { type AddAnswer, addTasks, cancelTasks, editTask, releaseTasks, retryTasks } from '../model/leader-verbs.ts';
import type { Discovery, LogEntry, Result } from '../model/report.ts';
import type { Task } from '../model/task.ts';
import { clip } from '../model/text.ts';
import {
  type ClaimAnswer,
  claimTask,
  type CompleteAnswer,
  completeTask,
  failTask,
  releaseTask,
  renewLeases,
} from '../model/worker-verbs.ts';
import type { Backend, Store } from './store.ts';

export class BoardStore implements Store {
  readonly #backend: Backend;
  readonly #now: () => string;

  /** @param now  the clock, ISO 8601 UTC: only for what is not part of a commit */
  constructor(backend: Backend, now: () => string) {
    this.#backend = backend;
    this.#now = now;
  }

  get location(): string {
    return this.#backend.location;
  }

  read(): Promise<Board> {
    return this.#backend.read();
  }

  addTasks(input: inputs.AddTasks): Promise<AddAnswer> {
    return this.#backend.commit((board, now) => addTasks(board, input, now));
  }

  editTask(input: inputs.EditTask): Promise<Task> {
    return this.#backend.commit((board, now) => editTask(expireLastAttempts(board, now).board, input));
  }

  retryTasks(input: inputs.TaskIds): Promise<Task[]> {
    return this.#backend.commit((board, now) => retryTasks(expireLastAttempts(board, now).board, input));
  }

  cancelTasks(input: inputs.CancelTasks): Promise<Task[]> {
    return this.#backend.commit((board, now) => cancelTasks(expireLastAttempts(board, now).board, input, now));
  }

  releaseTasks(input: inputs.TaskIds): Promise<Task[]> {
    return this.#backend.commit((board, now) => releaseTasks(expireLastAttempts(board, now).board, input));
  }

  claim(input: inputs.Claim): Promise<ClaimAnswer> {
    return this.#backend.commit((board, now) => claimTask(board, input, now));
  }

  renew(input: inputs.Renew): Promise<Task[]> {
    return this.#backend.commit((board, now) => renewLeases(board, input, now));
  }

  async complete(input: inputs.Complete): Promise<CompleteAnswer> {
    const digest = await fingerprint(input);
    try {
      return await this.#backend.commit((board, now) => completeTask(board, { ...input, digest }, now));
    } catch (error) {
      if (!(error instanceof CoordError) || !['claim-lost', 'task-not-found'].includes(error.code)) throw error;
      throw await this.#keepRefused(input, error);
    }
  }

  /** The work is done, if in vain: its text is kept, and the error says where. */
  async #keepRefused(input: inputs.Complete, error: CoordError): Promise<CoordError> {
    if (input.output.trim() === '') return error;
    const board = await this.#backend.read();
    const attempt = input.attempt ?? board.tasks.find((task) => task.id === input.task_id)?.attempt ?? 0;
    const path = await this.#backend.documents.keepRefused({ ...input, attempt });
    return new CoordError(error.code, `${error.message} Your result is kept in ${path}.`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }

  fail(input: inputs.Fail): Promise<Task> {
    return this.#backend.commit((board, now) => failTask(board, input, now));
  }

  release(input: inputs.Release): Promise<Task> {
    return this.#backend.commit((board) => releaseTask(board, input));
  }

  async addDiscovery(input: inputs.AddDiscovery): Promise<Discovery> {
    const discovery = await this.#backend.documents.addDiscovery({
      worker: input.worker,
      created_at: this.#now(),
      content: input.content,
      tags: input.tags ?? [],
      task_id: input.task_id ?? null,
    });
    await this.#backend.documents.addToLog([
      {
        agent: input.worker,
        event: 'discover',
        ...(input.task_id === undefined ? {} : { task_id: input.task_id }),
        message: clip(input.content, 200),
      },
    ]);
    return discovery;
  }

  discoveries(): Promise<Discovery[]> {
    return this.#backend.documents.discoveries();
  }

  readPlan(): Promise<string> {
    return this.#backend.documents.readPlan();
  }

  writePlan(input: inputs.WritePlan): Promise<string> {
    return this.#backend.documents.writePlan(input.text, input.append === true);
  }

  async results(ids?: readonly string[]): Promise<Result[]> {
    const wanted = ids === undefined ? undefined : new Set(ids);
    const board = await this.#backend.read();
    return this.#backend.documents.results(
      board.tasks.filter((task) => task.status === 'done' && (wanted?.has(task.id) ?? true)),
    );
  }

  log(): Promise<LogEntry[]> {
    return this.#backend.documents.log();
  }

  writeSummary(text: string, path?: string): Promise<string> {
    return this.#backend.documents.writeSummary(text, path);
  }

  changes(signal: AbortSignal): AsyncIterable<void> {
    return this.#backend.changes(signal);
  }

  close(): Promise<void> {
    return this.#backend.close();
  }
}

/** Tells a repeated result from another one. */
async function fingerprint(input: inputs.Complete): Promise<string> {
  const { digest } = await import('./digest.ts');
  return digest(JSON.stringify([input.output, input.files_modified ?? [], input.files_created ?? []]));
}
