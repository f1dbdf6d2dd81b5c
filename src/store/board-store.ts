/** The verbs of {@link Store} over any backend that can commit a whole board. */
import type * as z from 'zod/mini';
import { addCost, type Board, type Change, expireLastAttempts } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import * as inputs from '../model/inputs.ts';
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

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get location(): string {
    return this.#backend.location;
  }

  read(): Promise<Board> {
    return this.#backend.read();
  }

  now(): Promise<string> {
    return this.#backend.now();
  }

  /** One transaction with a checked input. */
  async #commit<S extends z.ZodMiniType, T>(
    schema: () => S,
    given: z.infer<S>,
    verb: (board: Board, input: z.infer<S>, now: string) => Change<T>,
  ): Promise<T> {
    const input = inputs.parseInput(schema, given);
    return this.#backend.commit((board, now) => verb(board, input, now));
  }

  addTasks(input: inputs.AddTasks): Promise<AddAnswer> {
    return this.#commit(inputs.AddTasks, input, addTasks);
  }

  editTask(input: inputs.EditTask): Promise<Task> {
    return this.#commit(inputs.EditTask, input, afterExpiry(editTask));
  }

  retryTasks(input: inputs.TaskIds): Promise<Task[]> {
    return this.#commit(inputs.TaskIds, input, afterExpiry(retryTasks));
  }

  cancelTasks(input: inputs.CancelTasks): Promise<Task[]> {
    return this.#commit(inputs.CancelTasks, input, afterExpiry(cancelTasks));
  }

  releaseTasks(input: inputs.TaskIds): Promise<Task[]> {
    return this.#commit(inputs.TaskIds, input, afterExpiry(releaseTasks));
  }

  claim(input: inputs.Claim): Promise<ClaimAnswer> {
    return this.#commit(inputs.Claim, input, claimTask);
  }

  renew(input: inputs.Renew): Promise<Task[]> {
    return this.#commit(inputs.Renew, input, renewLeases);
  }

  async complete(given: inputs.Complete): Promise<CompleteAnswer> {
    const input = inputs.parseInput(inputs.Complete, given);
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
    return this.#commit(inputs.Fail, input, failTask);
  }

  release(input: inputs.Release): Promise<Task> {
    return this.#commit(inputs.Release, input, releaseTask);
  }

  addCost(input: inputs.AddCost): Promise<void> {
    return this.#commit(inputs.AddCost, input, addCost);
  }

  async addDiscovery(given: inputs.AddDiscovery): Promise<Discovery> {
    const input = inputs.parseInput(inputs.AddDiscovery, given);
    const discovery = await this.#backend.documents.addDiscovery({
      worker: input.worker,
      created_at: await this.#backend.now(),
      content: input.content,
      tags: input.tags ?? [],
      task_id: input.task_id ?? null,
    });
    const task = input.task_id === undefined ? {} : { task_id: input.task_id };
    const event = { agent: input.worker, event: 'discover', ...task, message: clip(input.content, 200) };
    await this.#backend.documents.addToLog([event]).catch(() => {}); // the finding stands, whatever becomes of its log line
    return discovery;
  }

  discoveries(): Promise<Discovery[]> {
    return this.#backend.documents.discoveries();
  }

  readPlan(): Promise<string> {
    return this.#backend.documents.readPlan();
  }

  async writePlan(given: inputs.WritePlan): Promise<string> {
    const input = inputs.parseInput(inputs.WritePlan, given);
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

/** A verb on the board as everybody sees it: without claims that have run out for good. */
function afterExpiry<I, T>(
  verb: (board: Board, input: I, now: string) => Change<T>,
): (board: Board, input: I, now: string) => Change<T> {
  return (board, input, now) => verb(expireLastAttempts(board, now).board, input, now);
}

/** Tells a repeated result from another one. */
async function fingerprint(input: inputs.Complete): Promise<string> {
  const { digest } = await import('./digest.ts');
  return digest(JSON.stringify([input.output, input.files_modified ?? [], input.files_created ?? []]));
}
