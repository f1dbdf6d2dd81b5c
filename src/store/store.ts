/**
 * The ports of the store.
 *
 * Faces and the runner see {@link Store}. A snapshot-style adapter supplies {@link Backend}, and board-store.ts turns it into a
 * `Store`; an engine with claims of its own may supply a `Store` directly. What stands beside the board, tokens and the one
 * orchestrator, is in registry.ts.
 */
import type { Board, BoardEvent, Change } from '../model/board.ts';
import type { TaskIds } from '../model/fields.ts';
import type { Ref } from '../model/refs.ts';
import type { ClaimedTask, Task } from '../model/task.ts';
import type { AddCost } from '../model/verbs/add-cost.ts';
import type { AddDiscovery } from '../model/verbs/add-discovery.ts';
import type { AddAnswer, AddTasks } from '../model/verbs/add-tasks.ts';
import type { CancelTasks } from '../model/verbs/cancel-tasks.ts';
import type { Claim, ClaimAnswer } from '../model/verbs/claim.ts';
import type { Complete, CompleteAnswer } from '../model/verbs/complete.ts';
import type { EditTask } from '../model/verbs/edit-task.ts';
import type { Defaults } from '../model/defaults.ts';
import type { AcceptResult } from '../model/verbs/accept-result.ts';
import type { RecordAnswer, RecordCheck } from '../model/verbs/record-check.ts';
import type { ApproveTask, ReviewAnswer, SendBackTask, VerifyTask } from '../model/verbs/review-task.ts';
import type { BeginLanding, BounceTask, LandTask, RenewLanding } from '../model/verbs/land-task.ts';
import type { Answer, AnswerAnswer } from '../model/verbs/answer.ts';
import type { Ask, AskAnswer } from '../model/verbs/ask.ts';
import type { Acknowledge, Inbox, Tell } from '../model/verbs/tell.ts';
import type { Draft, Mail, Message } from '../model/messages.ts';
import type { SetDefaults } from '../model/verbs/set-defaults.ts';
import type { Fail } from '../model/verbs/fail.ts';
import type { Release } from '../model/verbs/release.ts';
import type { Renew } from '../model/verbs/renew.ts';
import type { WritePlan } from '../model/verbs/write-plan.ts';
import type { Discovery, LogEntry, Result } from '../model/views/report.ts';
import type { ReopenAnswer } from '../model/verbs/reopen-tasks.ts';
import { ArchiveTasks } from '../model/verbs/archive-tasks.ts';
import type { UndoAnswer } from '../model/undo.ts';
import { RetryTasks } from '../model/verbs/retry-tasks.ts';

/** Beside what a verb answers: the board that the answer holds for, so that nobody reads it again to learn this. */
export interface Moment {
  /** The revision that the verb made, or found where it changed nothing. */
  revision: number;
  /** When, by the store's clock; ISO 8601 UTC. */
  at: string;
}

/**
 * One board, shared by any number of processes.
 *
 * - Every verb is atomic: it happened wholly and will be seen by every later call anywhere, or it threw a
 *   `CoordError` and nothing changed. After a crash in mid-verb it is one or the other.
 * - Every input is checked with the verb's own schema, by the store: what does not fit is refused as `invalid-input`.
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
  addTasks(input: AddTasks): Promise<AddAnswer & Moment>;
  editTask(input: EditTask): Promise<{ task: Task } & Moment>;
  retryTasks(input: RetryTasks): Promise<{ tasks: Task[] } & Moment>;
  reopenTasks(input: TaskIds): Promise<ReopenAnswer & Moment>;
  cancelTasks(input: CancelTasks): Promise<{ tasks: Task[] } & Moment>;
  /** Takes back what the leader changed last: what was added, edited, retried, reopened, cancelled or taken away. */
  undo(): Promise<UndoAnswer & Moment>;
  /** Moves settled tasks out of the board that nothing on it depends on. */
  archiveTasks(input: ArchiveTasks): Promise<{ tasks: Task[] } & Moment>;
  /** What was moved out of the board, oldest first. */
  archived(): Promise<Task[]>;
  /** The leader takes claims away; a worker gives its own back with {@link release}. */
  takeBackTasks(input: TaskIds): Promise<{ tasks: Task[] } & Moment>;
  /** Exactly one worker gets a task; nothing to hand out is an answer, not an error. */
  claim(input: Claim): Promise<ClaimAnswer & Moment>;
  /** Renews all leases of a worker, and answers with the tasks it holds. Whatever else a worker hands in does the same. */
  renew(input: Renew): Promise<{ tasks: ClaimedTask[] } & Moment>;
  /** The result is on disk before the task is `done`. A refused result is kept; the error's details name where. */
  complete(input: Complete): Promise<CompleteAnswer & Moment>;
  /** Keeps what came of a check that did not end well. */
  recordCheck(input: RecordCheck): Promise<RecordAnswer & Moment>;
  /** Makes what was handed in done; not by its author. */
  approve(input: ApproveTask): Promise<ReviewAnswer & Moment>;
  /** Gives what was handed in back, to be mended. */
  sendBack(input: SendBackTask): Promise<{ task: Task } & Moment>;
  /** Adds the checks of what was handed in without a tree. */
  verify(input: VerifyTask): Promise<ReviewAnswer & Moment>;
  /** Takes a late result, which was kept, instead of what its holder may still hand in. */
  accept(input: AcceptResult): Promise<ReviewAnswer & Moment>;
  /** Takes the one turn to land what is queued; see model/landing.ts. */
  beginLanding(input: BeginLanding): Promise<{ task: Task; lands: boolean } & Moment>;
  renewLanding(input: RenewLanding): Promise<{ task: Task } & Moment>;
  /** Makes what has landed done. */
  land(input: LandTask): Promise<ReviewAnswer & Moment>;
  /** Gives back what could not land. */
  bounce(input: BounceTask): Promise<{ task: Task } & Moment>;
  /** A question about a task that the worker holds; asked again, it is the same one. */
  ask(input: Ask): Promise<AskAnswer & Moment>;
  answer(input: Answer): Promise<AnswerAnswer & Moment>;
  /**
   * One message to a reader, or to every worker.
   *
   * @returns it, and who got none since they have too much to read already
   * @throws CoordError `reader-unknown`, `inbox-full`
   */
  tell(input: Tell): Promise<{ message: Message; full: string[] }>;
  /** What a reader has not seen yet, oldest first, or all that is kept for it. Reading changes nothing of that. */
  inbox(input: Inbox): Promise<InboxAnswer>;
  /** Says up to which message a reader has seen everything: never back. Makes it known. */
  acknowledge(input: Acknowledge): Promise<void>;
  /** The id of the newest message to anybody, as this process saw it last; 0 where there is none. Costs next to nothing. */
  newestMessage(): Promise<number>;
  setDefaults(input: SetDefaults): Promise<{ defaults: Defaults } & Moment>;
  fail(input: Fail): Promise<{ task: Task } & Moment>;
  release(input: Release): Promise<{ task: Task } & Moment>;
  /** Adds what agents have cost that did no task. */
  addCost(input: AddCost): Promise<Moment>;
  /** @throws CoordError `task-not-found` where it is about a task that is not there */
  addDiscovery(input: AddDiscovery): Promise<{ discovery: Discovery } & Moment>;
  discoveries(): Promise<Discovery[]>;
  readPlan(): Promise<string>;
  writePlan(input: WritePlan): Promise<string>;
  /** Results of done and submitted tasks, the archived first, then in the order of the board; of all of them, or of these ids. */
  results(ids?: readonly string[]): Promise<Result[]>;
  /** Results that came too late for this task, by the names under which they are kept. */
  late(id: string): Promise<LateResult[]>;
  /** What happened, oldest first. */
  log(): Promise<LogEntry[]>;
  /** Stores the report of `aggregate`; answers with its place. */
  writeSummary(text: string): Promise<Ref>;
  /** The path of a place, where there is one that people can open. */
  where(ref: Ref): string | undefined;
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
  commit<T extends object>(change: (board: Board, now: string) => Change<T>): Promise<T & Moment>;
  read(): Promise<Board>;
  /** See {@link Store.now}. */
  now(): Promise<string>;
  readonly documents: Documents;
  readonly mailbox: Mailbox;
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
  keepRefused(refused: { task_id: string; worker: string; attempt: number; output: string }): Promise<Ref>;
  /** What {@link keepRefused} has kept for a task, in the order of its names. */
  late(taskId: string): Promise<LateResult[]>;
  writeSummary(text: string): Promise<Ref>;
  /** Keeps tasks that leave the board; waits for the disk. Twice is harmless. */
  archive(tasks: readonly Task[]): Promise<void>;
  /** Each task once, as it was archived last. */
  archived(): Promise<Task[]>;
  addToLog(events: readonly BoardEvent[]): Promise<void>;
  log(): Promise<LogEntry[]>;
  where(ref: Ref): string | undefined;
}

export interface InboxAnswer {
  messages: Message[];
  /** Up to which message the reader has seen everything. */
  seen: number;
  /** The newest message to anybody. */
  newest: number;
}

/** Messages, and how far each reader has read. */
export interface Mailbox {
  /** See {@link Store.newestMessage}. */
  newest(): Promise<number>;
  /** All that is kept, or what came after this one. */
  read(after?: number): Promise<Mail>;
  /**
   * Adds a message under the next number; others may write at the same time, and then it is made again of the newer mail.
   *
   * @param make  pure; may throw to refuse
   */
  post(make: (mail: Mail, now: string) => Draft): Promise<Message>;
  /** Never goes back. Waits for nobody. */
  see(reader: string, id: number): Promise<void>;
}

/** A result that was not taken, and is kept. */
export interface LateResult {
  /** `task-001.terminal-2.1`: task, worker, attempt. */
  name: string;
  worker: string;
  output: string;
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
