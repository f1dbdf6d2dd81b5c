/** The verbs of {@link Store} over any backend that can commit a whole board. */
import type * as z from 'zod/mini';
import { type Board, type Change, expireLastAttempts, findTask, LEADER } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import { TaskIds } from '../model/fields.ts';
import { isHeldBy } from '../model/lifecycle.ts';
import { refuseMoved } from '../model/moved.ts';
import { parseInput } from '../model/parse-input.ts';
import type { Ref } from '../model/refs.ts';
import { clip } from '../model/text.ts';
import { AddCost, addCost } from '../model/verbs/add-cost.ts';
import { AddDiscovery } from '../model/verbs/add-discovery.ts';
import { AddTasks, addTasks } from '../model/verbs/add-tasks.ts';
import { CancelTasks, cancelTasks } from '../model/verbs/cancel-tasks.ts';
import { Claim, claimTask } from '../model/verbs/claim.ts';
import { Complete, type CompleteAnswer, completeTask } from '../model/verbs/complete.ts';
import { EditTask, editTask } from '../model/verbs/edit-task.ts';
import { Fail, failTask } from '../model/verbs/fail.ts';
import { Release, releaseTask } from '../model/verbs/release.ts';
import { Renew, renewLeases } from '../model/verbs/renew.ts';
import { retryTasks, RetryTasks } from '../model/verbs/retry-tasks.ts';
import { takeBackTasks } from '../model/verbs/take-back-tasks.ts';
import { WritePlan } from '../model/verbs/write-plan.ts';
import type { Discovery, LogEntry, Result } from '../model/views/report.ts';
import type { Backend, InboxAnswer, LateResult, Moment, Store } from './store.ts';
import { AcceptResult, acceptResult } from '../model/verbs/accept-result.ts';
import { RecordCheck, recordCheck } from '../model/verbs/record-check.ts';
import {
  approveTask,
  ApproveTask,
  type ReviewAnswer,
  sendBackTask,
  SendBackTask,
  verifyTask,
  VerifyTask,
} from '../model/verbs/review-task.ts';
import {
  BeginLanding,
  beginLanding,
  BounceTask,
  bounceTask,
  LandTask,
  landTask,
  RenewLanding,
  renewLanding,
} from '../model/verbs/land-task.ts';
import { Answer, answerQuestion } from '../model/verbs/answer.ts';
import { Ask, askQuestion } from '../model/verbs/ask.ts';
import { Acknowledge, Inbox, Tell } from '../model/verbs/tell.ts';
import { ALL, draft, KEPT_MS, type Message, unreadOf } from '../model/messages.ts';
import { SetDefaults, setDefaults } from '../model/verbs/set-defaults.ts';
import { ArchiveTasks, archiveTasks } from '../model/verbs/archive-tasks.ts';
import { archivedOf } from '../model/archived.ts';
import { type UndoAnswer, rememberLast, undoLast } from '../model/undo.ts';
import type { Task } from '../model/task.ts';
import { type ReopenAnswer, reopenTasks } from '../model/verbs/reopen-tasks.ts';

type Verb<I, T extends object> = (board: Board, input: I, now: string) => Change<T>;

export class BoardStore implements Store {
  readonly #backend: Backend;

  readonly addTasks = this.#transaction(AddTasks, undoable('added', addTasks));
  readonly editTask = this.#transaction(EditTask, afterExpiry(undoable('edited', editTask)));
  readonly retryTasks = this.#transaction(RetryTasks, afterExpiry(undoable('retried', retryTasks)));
  readonly reopenTasks = this.#transaction(TaskIds, undoable<TaskIds, ReopenAnswer>('reopened', reopenTasks));
  readonly cancelTasks = this.#transaction(CancelTasks, afterExpiry(undoable('cancelled', cancelTasks)));
  readonly takeBackTasks = this.#transaction(TaskIds, afterExpiry(undoable('took back', takeBackTasks)));
  readonly archiveTasks = this.#transaction(ArchiveTasks, afterExpiry<ArchiveTasks, { tasks: Task[] }>(archiveTasks));
  readonly claim = this.#transaction(Claim, claimTask);
  readonly renew = this.#transaction(Renew, renewLeases);
  readonly fail = this.#transaction(Fail, failTask);
  readonly release = this.#transaction(Release, releaseTask);
  readonly recordCheck = this.#transaction(RecordCheck, recordCheck);
  readonly approve = this.#transaction(ApproveTask, approveTask);
  readonly sendBack = this.#transaction(SendBackTask, sendBackTask);
  readonly verify = this.#transaction(VerifyTask, verifyTask);
  readonly beginLanding = this.#transaction(BeginLanding, beginLanding);
  readonly renewLanding = this.#transaction(RenewLanding, renewLanding);
  readonly land = this.#transaction(LandTask, landTask);
  readonly bounce = this.#transaction(BounceTask, bounceTask);
  readonly setDefaults = this.#transaction(SetDefaults, setDefaults);
  readonly ask = this.#transaction(Ask, askQuestion);
  readonly answer = this.#transaction(Answer, answerQuestion);
  readonly addCost = this.#transaction(AddCost, addCost);

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** A verb of the model as one transaction with a checked input. */
  #transaction<S extends z.ZodMiniType, T extends object>(
    schema: () => S,
    verb: Verb<z.infer<S>, T>,
  ): (given: z.infer<S>) => Promise<T & Moment> {
    return async (given) => {
      const input = parseInput(schema, given);
      return this.#backend.commit((board, now) => verb(refuseMoved(board), input, now));
    };
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

  async complete(given: Complete): Promise<CompleteAnswer & Moment> {
    const input = parseInput(Complete, given);
    const digest = await fingerprint(input.output, input.files_modified, input.files_created);
    try {
      return await this.#backend.commit((board, now) => completeTask(refuseMoved(board), { ...input, digest }, now));
    } catch (error) {
      if (!(error instanceof CoordError) || !['claim-lost', 'task-not-found'].includes(error.code)) throw error;
      throw await this.#keepRefused(input, error);
    }
  }

  /** The work is done, if in vain: its text is kept, and the error says where. */
  async #keepRefused(input: Complete, error: CoordError): Promise<CoordError> {
    if (input.output.trim() === '') return error;
    const board = await this.#backend.read();
    const task = board.tasks.find(({ id }) => id === input.task_id);
    // With worktrees it names the branch that the work is on.
    const own = board.defaults?.worktrees ? await this.#attemptOf(input) : undefined;
    const attempt = input.attempt ?? own ?? task?.attempt ?? 0;
    const kept = await this.#backend.documents.keepRefused({ ...input, attempt });
    if (task?.status === 'claimed') {
      // Who leads may want it instead. It is kept, whatever becomes of the log line.
      const event = { agent: input.worker, event: 'late', task_id: task.id, message: 'its result is kept' };
      await this.#backend.documents.addToLog([event]).catch(() => {});
    }
    return new CoordError(error.code, error.message, { cause: error, details: { ...error.details, kept } });
  }

  /** Which of the claims was this worker's last: only the log still knows. */
  async #attemptOf({ worker, task_id }: Complete): Promise<number | undefined> {
    const log = await this.#backend.documents.log().catch(() => []);
    const claim = log.findLast((one) => one.event === 'claim' && one.agent === worker && one.task_id === task_id);
    const attempt = /^attempt (\d+)/.exec(claim?.message ?? '')?.[1];
    return attempt === undefined ? undefined : Number(attempt);
  }

  async accept(given: AcceptResult): Promise<ReviewAnswer & Moment> {
    const input = parseInput(AcceptResult, given);
    const kept = await this.late(input.task_id);
    const found = kept.find(({ name }) => name === input.kept);
    if (!found)
      throw new CoordError('invalid-input', `No result ${input.kept} is kept for ${input.task_id}.`, {
        details: { task_id: input.task_id },
      });
    const late = { ...found, digest: await fingerprint(found.output) };
    return this.#backend.commit((board, now) => acceptResult(refuseMoved(board), { ...input, late }, now));
  }

  async late(id: string): Promise<LateResult[]> {
    const found = await this.#backend.documents.late(id);
    if (found.length === 0) return found;
    // Ids may hold dots: what begins with a longer one is of that task.
    const { tasks } = await this.#backend.read();
    const longer = tasks.filter((task) => task.id.startsWith(`${id}.`));
    return found.filter(({ name }) => !longer.some((task) => name.startsWith(`${task.id}.`)));
  }

  async addDiscovery(given: AddDiscovery): Promise<{ discovery: Discovery } & Moment> {
    const input = parseInput(AddDiscovery, given);
    const { worker, task_id } = input;
    const board = refuseMoved(await this.#backend.read());
    if (task_id !== undefined) findTask(board, task_id);
    const at = await this.#backend.now();
    const discovery = await this.#backend.documents.addDiscovery({
      worker,
      created_at: at,
      content: input.content,
      tags: input.tags ?? [],
      task_id: task_id ?? null,
    });
    const task = task_id === undefined ? {} : { task_id };
    const event = { agent: worker, event: 'discover', ...task, message: clip(input.content, 200) };
    await this.#backend.documents.addToLog([event]).catch(() => {}); // the finding stands, whatever becomes of its log line
    const isHolder = board.tasks.some((one) => isHeldBy(one, worker));
    const renewed = isHolder ? await this.renew({ worker }).catch(() => undefined) : undefined; // likewise
    return { discovery, revision: renewed?.revision ?? board.revision, at };
  }

  async tell(given: Tell): Promise<{ message: Message; full: string[] }> {
    const input = parseInput(Tell, given);
    const { mailbox, documents } = this.#backend;
    const board = refuseMoved(await this.#backend.read());
    const { messages, seen } = await mailbox.read();
    const known = readersOf(board, seen.keys());
    if (input.to !== ALL) for (const { from } of messages) known.add(from); // who speaks can be spoken to
    // Whoever has worked here is in the log, which is long: it is asked for the others only.
    const log = input.to !== ALL && known.has(input.to) ? [] : await documents.log().catch(() => []);
    const since = new Date(Date.parse(await this.#backend.now()) - KEPT_MS).toISOString();
    for (const { agent, time } of log) if (input.to !== ALL || time > since) known.add(agent);
    let full: string[] = [];
    const message = await mailbox.post((mail, now) => {
      const made = draft(input, mail, known, now);
      full = made.full;
      return made;
    });
    return { message, full };
  }

  async inbox(given: Inbox): Promise<InboxAnswer> {
    const { reader, all } = parseInput(Inbox, given);
    const { mailbox } = this.#backend;
    const mail = await mailbox.read();
    const seen = mail.seen.get(reader) ?? 0;
    const newest = mail.messages.at(-1)?.id ?? 0;
    const own = all === true ? { ...mail, seen: new Map<string, number>() } : mail;
    const messages = unreadOf(own, reader, await this.#backend.now());
    // What is for others only need not be looked at again and again.
    const isFar = mail.seen.has(reader) && messages.length === 0 && newest - seen > MOST_FOREIGN;
    if (all !== true && isFar) await mailbox.see(reader, newest);
    return { messages, seen, newest };
  }

  async acknowledge(given: Acknowledge): Promise<void> {
    const { reader, up_to } = parseInput(Acknowledge, given);
    await this.#backend.mailbox.see(reader, up_to);
  }

  newestMessage(): Promise<number> {
    return this.#backend.mailbox.newest();
  }

  discoveries(): Promise<Discovery[]> {
    return this.#backend.documents.discoveries();
  }

  readPlan(): Promise<string> {
    return this.#backend.documents.readPlan();
  }

  async writePlan(given: WritePlan): Promise<string> {
    const input = parseInput(WritePlan, given);
    refuseMoved(await this.#backend.read());
    return this.#backend.documents.writePlan(input.text, input.append === true);
  }

  async results(ids?: readonly string[]): Promise<Result[]> {
    const wanted = ids === undefined ? undefined : new Set(ids);
    const board = await this.#backend.read();
    const tasks = [...(await this.#archivedOf(board)), ...board.tasks];
    return this.#backend.documents.results(
      tasks.filter((task) => (task.status === 'done' || task.status === 'submitted') && (wanted?.has(task.id) ?? true)),
    );
  }

  async archived(): Promise<Task[]> {
    return this.#archivedOf(await this.#backend.read());
  }

  /** A crash may have left in the archive what did not leave the board. */
  async #archivedOf(board: Board): Promise<Task[]> {
    if (!archivedOf(board)) return [];
    const ids = new Set(board.tasks.map(({ id }) => id));
    return (await this.#backend.documents.archived()).filter(({ id }) => !ids.has(id));
  }

  undo(): Promise<UndoAnswer & Moment> {
    return this.#backend.commit((board) => undoLast(refuseMoved(board)));
  }

  log(): Promise<LogEntry[]> {
    return this.#backend.documents.log();
  }

  writeSummary(text: string): Promise<Ref> {
    return this.#backend.documents.writeSummary(text);
  }

  where(ref: Ref): string | undefined {
    return this.#backend.documents.where(ref);
  }

  changes(signal: AbortSignal): AsyncIterable<void> {
    return this.#backend.changes(signal);
  }

  close(): Promise<void> {
    return this.#backend.close();
  }
}

/** Messages to others that a reader steps over, before it is noted how far. */
const MOST_FOREIGN = 32;

/** Everybody whom the board names, or a session has made known; and the leader. */
function readersOf({ tasks }: Board, known: Iterable<string>): Set<string> {
  const readers = new Set([LEADER, ...known]);
  for (const { claimed_by, held_by = [] } of tasks)
    for (const one of [claimed_by, ...held_by]) if (one) readers.add(one);
  return readers;
}

/** A verb of the leader's that can be taken back. */
function undoable<I, T extends object>(done: string, verb: Verb<I, T>): Verb<I, T> {
  return (board, input, now) => rememberLast(board, verb(board, input, now), done, now);
}

/** A verb on the board as everybody sees it: without claims that have run out for good. */
function afterExpiry<I, T extends object>(verb: Verb<I, T>): Verb<I, T> {
  return (board, input, now) => verb(expireLastAttempts(board, now).board, input, now);
}

/** Tells a repeated result from another one. */
async function fingerprint(output: string, modified: string[] = [], created: string[] = []): Promise<string> {
  const { digest } = await import('./digest.ts');
  return digest(JSON.stringify([output, modified, created]));
}
