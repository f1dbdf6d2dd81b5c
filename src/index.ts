/** The public API: the board that the command line works on, and the orchestrator, for programs. */
import { fileURLToPath } from 'node:url';
import type { InitBoard } from './model/inputs.ts';
import type { OrchestratorOptions } from './runner/options.ts';
import { Orchestrator as Runner } from './runner/orchestrator.ts';
import {
  type Created,
  initStore as init,
  type OpenOptions,
  openCheckRecords,
  openStore as open,
  stateFolderOf,
} from './store/open.ts';
import type { Store } from './store/store.ts';
import { Gate } from './work/gate.ts';

/**
 * Several Claude Code processes on one board.
 *
 * ```ts
 * await using orchestrator = new Orchestrator({ workingDirectory: './my-project', maxWorkers: 3 });
 * const { summary, costUsd } = await orchestrator.run('Build user authentication');
 * ```
 */
export class Orchestrator extends Runner {
  constructor(options: OrchestratorOptions & { env?: Readonly<Record<string, string | undefined>> } = {}) {
    // From dist/index.js: the binary of this very package, for the MCP server of the workers.
    const coord = fileURLToPath(new URL('../bin/coord.cjs', import.meta.url));
    super({ env: process.env, coord: [process.execPath, coord], ...options });
  }
}
export type { OrchestratorOptions, TaskOptions } from './runner/options.ts';
export type { RunResult } from './runner/conclusion.ts';
export type { RunEvent, RunOutcome } from './runner/events.ts';
export type { Agent, FailureKind, Job, Outcome } from './runner/agent.ts';
export { CoordError, type ErrorCode } from './model/errors.ts';
export type { Board } from './model/board.ts';
export type { Task, Status } from './model/task.ts';
export type { Discovery, LogEntry, Result } from './model/views/report.ts';
export type { AddAnswer } from './model/verbs/add-tasks.ts';
export type { Claimed, ClaimAnswer } from './model/verbs/claim.ts';
export type { CompleteAnswer } from './model/verbs/complete.ts';
export type { IdleReason, NotClaimed } from './model/views/idle.ts';
export type { Draft, Mail, Message } from './model/messages.ts';
export type { Answered, Question } from './model/questions.ts';
export type { AnswerAnswer } from './model/verbs/answer.ts';
export type { AskAnswer } from './model/verbs/ask.ts';
export type { Overlap } from './model/overlaps.ts';
export { summarise, type Counts, type OpenQuestion, type Summary } from './model/views/summary.ts';
export type {
  Acknowledge,
  AddDiscovery,
  AddTasks,
  Answer,
  Ask,
  CancelTasks,
  Claim,
  Complete,
  EditTask,
  Fail,
  Inbox,
  InitBoard,
  NewTask,
  Release,
  Renew,
  TaskIds,
  Tell,
  WritePlan,
} from './model/inputs.ts';
export { openMemoryStore, type Created, type OpenOptions } from './store/open.ts';

/**
 * Opens the board of this project: walks up from `cwd` to a `.coordination/`, as git finds `.git`.
 *
 * @throws CoordError `not-initialised`, `board-unsafe`
 */
export function openStore(options: OpenOptions = {}): Store {
  return open({ stateFolder: stateFolderOf(process.env), env: process.env, ...options });
}

/**
 * Makes a board in `dir`, or in `cwd`. Of several processes that try, exactly one succeeds.
 *
 * @param options.force  puts an existing board aside as a backup first
 * @throws CoordError `already-initialised`, `board-unsafe`
 */
export function initStore(input: InitBoard, options: OpenOptions & { force?: boolean } = {}): Promise<Created> {
  return init(input, { stateFolder: stateFolderOf(process.env), env: process.env, ...options });
}
/**
 * Allows a command to be run as a check of this board on this machine, as `coord trust check` does: call it where a person has
 * said so.
 *
 * @throws CoordError `store-unavailable`
 */
export async function allowCheck(store: Store, command: string, options: OpenOptions = {}): Promise<void> {
  const records = await openCheckRecords(
    store,
    { stateFolder: stateFolderOf(process.env), env: process.env, ...options },
    (await store.read()).commit,
  );
  records.allow(command);
}

/**
 * The way to done for programs: checks what is handed in, and tells the store. {@link Store.complete} alone refuses what is not
 * proven.
 */
export function openGate(
  store: Store,
  options: OpenOptions & { env?: Readonly<Record<string, string | undefined>>; signal?: AbortSignal } = {},
): Gate {
  const { env = process.env, signal = new AbortController().signal, ...place } = options;
  return new Gate({
    store,
    openOptions: { stateFolder: stateFolderOf(process.env), env: process.env, ...place },
    cwd: place.cwd ?? process.cwd(),
    env,
    signal,
  });
}
export type { Gate } from './work/gate.ts';
export type { Evidence } from './model/evidence.ts';
export type { Backend, Documents, Mailbox, Moment, Store } from './store/store.ts';
export { BoardStore } from './store/board-store.ts';
export type { BoardEvent, Change } from './model/board.ts';
export type { Ref } from './model/refs.ts';
export * as schemas from './model/inputs.ts';
export { parseInput } from './model/parse-input.ts';
export { keepLease, nextTask, untilAnswered, untilSettled, waitFor, type WaitOptions } from './store/wait.ts';
