/**
 * The two ports of the store.
 *
 * Faces (CLI, MCP, orchestrator) see {@link Store}. A snapshot-style adapter supplies {@link Backend}, and
 * board-store.ts turns it into a `Store`; an engine with claims of its own may supply a `Store` directly.
 */
import type { Board, BoardEvent, Change } from '../model/board.ts';
import type * as inputs from '../model/inputs.ts';
import type { AddAnswer } from '../model/leader-verbs.ts';
import type { Discovery, LogEntry, Result } from '../model/report.ts';
import type { Task } from '../model/task.ts';
import type { ClaimAnswer, CompleteAnswer } from '../model/worker-verbs.ts';

/**
 * One board, shared by any number of processes.
 *
 * - Every verb is atomic: it happened wholly and will be seen by every later call anywhere, or it threw a
 *   `CoordError` and nothing changed. After a crash in mid-verb it is one or the other.
 * - Every input is checked with the verb's schema of model/inputs.ts: what does not fit is refused as `invalid-input`.
 * - `read` never waits for a writer, and what one caller sees never goes back in revision.
 * - `changes` is a hint: it first yields when it is certain to notice whatever comes after, then after every change,
 *   perhaps more often. Subscribe, wait for the first value, read, decide, and only then sleep.
 */
export interface Store {
  /** Where the board is kept, for messages: the path of `.coordination/`. */
  readonly location: string;
  read(): Promise<Board>;
  /** What the board's clock says, ISO 8601 UTC: by it leases are judged, never by the caller's own. */
  now(): Promise<string>;
  /** One transaction for the whole batch. */
  addTasks(input: inputs.AddTasks): Promise<AddAnswer>;
  editTask(input: inputs.EditTask): Promise<Task>;
  retryTasks(input: inputs.TaskIds): Promise<Task[]>;
  cancelTasks(input: inputs.CancelTasks): Promise<Task[]>;
  /** The leader takes claims away; a worker gives its own back with {@link release}. */
  releaseTasks(input: inputs.TaskIds): Promise<Task[]>;
  /** Exactly one worker gets a task; nothing to hand out is an answer, not an error. */
  claim(input: inputs.Claim): Promise<ClaimAnswer>;
  /** Renews all leases of a worker, and answers with the tasks it holds. */
  renew(input: inputs.Renew): Promise<Task[]>;
  /** The result is on disk before the task is `done`. A refused result is kept, and the error names where. */
  complete(input: inputs.Complete): Promise<CompleteAnswer>;
  fail(input: inputs.Fail): Promise<Task>;
  release(input: inputs.Release): Promise<Task>;
  /** Adds what agents have cost that did no task. */
  addCost(input: inputs.AddCost): Promise<void>;
  addDiscovery(input: inputs.AddDiscovery): Promise<Discovery>;
  discoveries(): Promise<Discovery[]>;
  readPlan(): Promise<string>;
  writePlan(input: inputs.WritePlan): Promise<string>;
  /** Results of done tasks, in the order of the board; of all of them, or of these ids. */
  results(ids?: readonly string[]): Promise<Result[]>;
  /** What happened, oldest first. */
  log(): Promise<LogEntry[]>;
  /** Stores the report of `aggregate`, in summary.md or at a path of the caller's; answers with where. */
  writeSummary(text: string, path?: string): Promise<string>;
  changes(signal: AbortSignal): AsyncIterable<void>;
  close(): Promise<void>;
}

/** What a snapshot-style adapter supplies. */
export interface Backend {
  readonly location: string;
  /**
   * Runs `change` on the newest board and makes what it returns the newest board, or runs it again on a newer one.
   * `change` is pure and may throw to refuse. A `result` in the change is stored before the board.
   *
   * @param change  gets the board and the moment, ISO 8601 UTC
   */
  commit<T>(change: (board: Board, now: string) => Change<T>): Promise<T>;
  read(): Promise<Board>;
  /** See {@link Store.now}. */
  now(): Promise<string>;
  readonly documents: Documents;
  changes(signal: AbortSignal): AsyncIterable<void>;
  close(): Promise<void>;
}

/** The texts beside the board. */
export interface Documents {
  readPlan(): Promise<string>;
  writePlan(text: string, append: boolean): Promise<string>;
  addDiscovery(discovery: Omit<Discovery, 'id'>): Promise<Discovery>;
  discoveries(): Promise<Discovery[]>;
  /** Stored results of these done tasks; a task whose result is missing is left out. */
  results(tasks: readonly Task[]): Promise<Result[]>;
  /** Keeps a result that came too late; answers with where. Keeping the same again changes nothing. */
  keepRefused(refused: { task_id: string; worker: string; attempt: number; output: string }): Promise<string>;
  writeSummary(text: string, path?: string): Promise<string>;
  addToLog(events: readonly BoardEvent[]): Promise<void>;
  log(): Promise<LogEntry[]>;
}

/** What an examination of the stored files found out about one thing. */
export interface Finding {
  check: string;
  ok: boolean;
  message: string;
  /** What a fix does about it; absent where nothing can be done by a program. */
  fix?: string;
  /** True when that was done. */
  fixed?: boolean;
}
