/** One claim, from the brief to what came of it: an agent does the task while its lease is kept, and the store is told. */
import { CoordError } from '../model/errors.ts';
import { DEFAULT_LEASE_SECONDS, MAX_TEXT } from '../model/limits.ts';
import type { ClaimedTask, Task } from '../model/task.ts';
import type { Complete, CompleteAnswer } from '../model/verbs/complete.ts';
import { briefFor } from '../store/brief-for.ts';
import { sleep } from '../store/clock.ts';
import { sayWhereKept } from '../store/places.ts';
import { keepLease } from '../store/wait.ts';
import type { Failure, FailureKind, Outcome, Success } from './agent.ts';
import { reviewTask } from './reviewer.ts';
import type { Run } from './run.ts';
import type { Prepared } from '../work/worktrees.ts';
import type { Claimed } from '../model/verbs/claim.ts';
import { isQueued } from '../model/landing.ts';

/** What came of an attempt; `submitted`: it waits for a person's look; `asked`: it waits for an answer; `lost`: the task was another's by then, and what was handed in is kept. */
export type AttemptEnd = 'done' | 'submitted' | 'failed' | 'released' | 'asked' | 'lost';

/** How often a tree that others have changed meanwhile is checked again. */
const CHANGED_TRIES = 3;

/** Said where a lease ran out while its agent worked. */
export const TAKEN_OVER = 'somebody else took it over';

export async function attempt(
  run: Run,
  worker: string,
  { task, already }: Pick<Claimed, 'task' | 'already'>,
): Promise<AttemptEnd> {
  const { store } = run;
  const { id: task_id } = task;
  const start = Date.now();
  const lease = new AbortController();
  const lost = new AbortController();
  const leaseSeconds = task.lease_seconds ?? DEFAULT_LEASE_SECONDS;
  keepLease(store, { worker, taskId: task_id, leaseSeconds }, lease.signal, () => lost.abort());
  try {
    const place = await run.prepare(task, already);
    const outcome = await perform({ run, worker, task, place, lost: lost.signal });
    run.spend(outcome.costUsd ?? 0);
    if (await isParked(run, worker, task)) return await asked(run, worker, task, outcome);
    if (lost.signal.aborted && outcome.ok) await keepLate(run, worker, task, outcome);
    if (!lost.signal.aborted) return await settle({ run, worker, task, place, start, lost: lost.signal }, outcome);
    run.tell({ type: 'release', worker, task_id, reason: TAKEN_OVER });
    return 'lost';
  } finally {
    lease.abort();
    await run.records?.forget(worker);
  }
}

/** Whether the agent has asked something in this claim, and has given its task back until there is an answer. */
async function isParked(run: Run, worker: string, { id, attempt: number, claimed_at }: ClaimedTask): Promise<boolean> {
  const task = (await run.store.read()).tasks.find((one) => one.id === id);
  const isOurs = task?.questions?.some(
    ({ by, parked, at }) => by === worker && parked === true && at >= (claimed_at ?? ''),
  );
  // Answered at once, it may be in other hands already.
  return isOurs === true && (task?.status === 'available' || (task?.attempt ?? 0) > number);
}

/** What it has cost is kept with the board: the task is nobody's. */
async function asked(
  run: Run,
  worker: string,
  { id: task_id }: ClaimedTask,
  { costUsd = 0 }: Outcome,
): Promise<AttemptEnd> {
  if (costUsd > 0) await run.store.addCost({ cost_usd: costUsd });
  run.tell({ type: 'release', worker, task_id, reason: 'it waits for an answer' });
  return 'asked';
}

/** What could not even be begun is no attempt at the task: it is given back. */
async function perform(
  { run, worker, task, place, lost }: Omit<Attempt, 'start'>,
  again?: { resume: string; prompt: string },
): Promise<Outcome> {
  try {
    const notes = place && place.notes.length > 0 ? `\n${place.notes.join('\n')}\n` : '';
    const prompt = again?.prompt ?? `${run.prompt(worker, await briefFor(run.store, task))}${notes}`;
    const job = run.job(worker, task, lost, place?.path);
    return await run.agent.run({ ...job, resume: again?.resume, prompt, isReadOnly: false });
  } catch (error) {
    const { id: task_id, attempt: number } = task;
    const reason = 'the agent could not be started';
    await run.store.release({ worker, task_id, attempt: number, reason }).catch(() => {}); // the first error says more
    throw error;
  }
}

/** An attempt under way. */
interface Attempt {
  run: Run;
  worker: string;
  task: ClaimedTask;
  /** Its worktree, where it has one. */
  place: Prepared | undefined;
  /** Milliseconds since 1970. */
  start: number;
  lost: AbortSignal;
  /** What its earlier turns have cost, where its agent was told of a red check. */
  spentUsd?: number;
}

function settle(at: Attempt, lastTurn: Outcome): Promise<AttemptEnd> {
  const { run, worker, task, spentUsd = 0 } = at;
  const outcome = spentUsd > 0 ? { ...lastTurn, costUsd: (lastTurn.costUsd ?? 0) + spentUsd } : lastTurn;
  if (outcome.ok) return complete(at, outcome);
  switch (outcome.kind) {
    case 'interrupted':
      return giveBack(run, worker, task, outcome);
    case 'rate-limited': {
      const pause = run.backoff.limited();
      run.tell({ type: 'warning', message: `The API limits the rate; going on in ${Math.round(pause / 1000)} s.` });
      return giveBack(run, worker, task, outcome);
    }
    case 'authentication':
      run.ending.stop(notAuthenticated(outcome.reason)); // it would fail for every task
      return giveBack(run, worker, task, outcome);
    case 'budget':
      return run.budget.isSpent ? giveBack(run, worker, task, outcome) : fail(run, worker, task, outcome);
    default:
      return fail(run, worker, task, outcome);
  }
}

/** A task that was claimed and not begun. */
export async function giveBackUnbegun(run: Run, worker: string, task: ClaimedTask): Promise<void> {
  const { id: task_id, attempt: number } = task;
  await handIn(run, worker, task_id, () => run.store.release({ worker, task_id, attempt: number }));
}

async function complete(at: Attempt, success: Success): Promise<AttemptEnd> {
  const { run, worker, task } = at;
  const { id: task_id } = task;
  const { text, filesCreated, filesModified, denied, costUsd = 0 } = success;
  run.backoff.succeeded();
  const input = {
    worker,
    task_id,
    attempt: task.attempt,
    output: text,
    files_created: filesCreated,
    files_modified: filesModified,
    cost_usd: costUsd,
  };
  let status: Task['status'] | undefined;
  try {
    const isIn = await handIn(run, worker, task_id, async () => {
      const isSecond = at.spentUsd !== undefined || success.session === undefined;
      status = (await checked(run, input, isSecond)).task.status;
    });
    if (!isIn) return 'lost';
  } catch (error) {
    if (!(error instanceof CoordError)) throw error;
    if (error.code !== 'check-failed' && error.code !== 'not-committed') throw error;
    return mend(at, success, error, costUsd);
  }
  const about = { worker, task_id, cost_usd: costUsd, duration_ms: Date.now() - at.start, denied };
  if (status !== 'submitted') {
    run.tell({ type: 'complete', ...about });
    return 'done';
  }
  run.tell({ type: 'submit', ...about });
  const board = await run.store.read();
  const submitted = board.tasks.find((one) => one.id === task_id);
  if (submitted && isQueued(board, submitted)) return land(run);
  if (!run.isReviewing) return 'submitted';
  // What could not be checked is for a person.
  if (submitted?.status !== 'submitted' || submitted.evidence?.verdict === 'unchecked') return 'submitted';
  const verdict = await reviewTask(run, `reviewer-of-${worker}`.slice(0, 64), submitted);
  if (verdict === 'approved' && submitted.branch !== undefined) return land(run);
  return verdict === 'approved' ? 'done' : 'submitted';
}

/** What is handed in lands beside the work on the next task. */
function land(run: Run): AttemptEnd {
  run.landing?.run().catch((error: unknown) => {
    run.tell({ type: 'warning', message: `Not landed: ${error instanceof Error ? error.message : String(error)}` });
  });
  return 'submitted';
}

/** Through the gate. What cannot be checked here is handed in all the same, for a person to look at. */
async function checked(run: Run, input: Complete, isSecond: boolean): Promise<CompleteAnswer> {
  for (let tries = 1; ; tries++) {
    try {
      return await run.gate.complete(input);
    } catch (error) {
      if (!(error instanceof CoordError)) throw error;
      // Asked once more, it says again that there was nothing to change.
      if (isSecond && error.code === 'not-committed' && error.details?.why === 'empty') {
        input = { ...input, no_changes: true };
        continue;
      }
      // Stopped while it was checked: the work is done, and goes on from there another time.
      if (['check-broken', 'check-not-allowed', 'interrupted'].includes(error.code)) {
        run.tell({ type: 'warning', message: `${input.task_id} is handed in unchecked: ${error.message}` });
        const unchanged = input.no_changes === true ? { unchanged: true } : {};
        return run.store.complete({ ...input, proof: { unchecked: true, ...unchanged } });
      }
      const isOthers = error.code === 'check-failed' && error.details?.why === 'changed';
      if (!isOthers || tries >= CHANGED_TRIES) throw error;
    }
  }
}

/** The same agent is told once what the check said, since it has the context to mend it; then the attempt has failed. */
async function mend(at: Attempt, success: Success, error: CoordError, spentUsd: number): Promise<AttemptEnd> {
  const { session, text } = success;
  const { run, worker, task, lost } = at;
  const isFirst = at.spentUsd === undefined;
  run.tell({ type: 'check', worker, task_id: task.id, message: error.message });
  if (!isFirst || session === undefined || run.ending.draining.aborted)
    return fail(run, worker, task, {
      ...failure(error.code === 'not-committed' ? 'not-committed' : 'check-failed', error.message, spentUsd),
      text,
    });
  const what =
    error.code === 'check-failed'
      ? 'A check of your task has not ended well, so it is not done yet'
      : error.details?.why === 'empty'
        ? 'You have committed nothing. If there was nothing to change, say so, and change nothing now either'
        : 'What you did is not committed, so it cannot be handed in';
  const prompt = `${what}:

${error.message}

Mend it, check it yourself${task.branch === undefined ? '' : `, commit it on ${task.branch}`}, and end with the message that is to be the result.`;
  const outcome = await perform(at, { resume: session, prompt });
  run.spend(outcome.costUsd ?? 0);
  if (lost.aborted) {
    await keepLate(run, worker, task, outcome.ok ? outcome : success);
    run.tell({ type: 'release', worker, task_id: task.id, reason: TAKEN_OVER });
    return 'lost';
  }
  const both = (first: string[], second: string[]): string[] => [...new Set([...first, ...second])];
  return settle(
    { ...at, spentUsd },
    {
      ...outcome,
      filesCreated: both(success.filesCreated, outcome.filesCreated),
      filesModified: both(success.filesModified, outcome.filesModified),
    },
  );
}

/** Somebody else has the task by now: what was finished is kept, and named to them. */
async function keepLate(run: Run, worker: string, task: ClaimedTask, { text }: Success): Promise<void> {
  const { id: task_id, attempt: number } = task;
  await handIn(run, worker, task_id, () =>
    run.store.complete({ worker, task_id, attempt: number, output: text, proof: { unchecked: true } }),
  );
}

function failure(kind: FailureKind, reason: string, costUsd: number): Failure {
  return { ok: false, kind, reason, text: '', filesCreated: [], filesModified: [], denied: [], costUsd };
}

/** What is not the task's fault: it goes back without losing an attempt. */
async function giveBack(
  run: Run,
  worker: string,
  { id: task_id, attempt: number }: ClaimedTask,
  { reason, costUsd: cost_usd }: Failure,
): Promise<AttemptEnd> {
  const isIn = await handIn(run, worker, task_id, () =>
    run.store.release({ worker, task_id, attempt: number, reason, cost_usd }),
  );
  run.tell({ type: 'release', worker, task_id, reason });
  return isIn ? 'released' : 'lost';
}

async function fail(
  run: Run,
  worker: string,
  { id: task_id, attempt: number, max_attempts }: ClaimedTask,
  { kind, reason, text, costUsd: cost_usd }: Failure,
): Promise<AttemptEnd> {
  const isFinal = number >= max_attempts;
  const pause_ms = isFinal ? 0 : run.backoff.retryMs(number);
  const tell = (): void =>
    run.tell({ type: 'fail', worker, task_id, kind, reason, final: isFinal, cost_usd: cost_usd ?? 0 });
  if (pause_ms > 0) {
    tell();
    run.tell({ type: 'retry', worker, task_id, attempt: number + 1, pause_ms });
    await sleep(pause_ms, run.ending.draining); // the claim holds meanwhile, so that nobody else begins at once
  }
  const error = text === '' || text === reason ? reason : `${reason}. It said: ${text}`;
  const isIn = await handIn(run, worker, task_id, () =>
    run.store.fail({ worker, task_id, attempt: number, error: error.slice(0, MAX_TEXT), cost_usd }),
  );
  if (pause_ms === 0 && (isIn || isFinal)) tell();
  return isIn ? 'failed' : 'lost';
}

/** @returns false where the task is not this worker's any more; what it wrote is kept, and the run goes on */
async function handIn(run: Run, worker: string, task_id: string, verb: () => Promise<unknown>): Promise<boolean> {
  try {
    await verb();
    return true;
  } catch (error) {
    if (!(error instanceof CoordError) || !['claim-lost', 'task-not-found'].includes(error.code)) throw error;
    const told = sayWhereKept(error, run.store) as CoordError; // as it was
    run.tell({ type: 'warning', message: `${worker}, ${task_id}: ${told.message}` });
    return false;
  }
}

function notAuthenticated(reason: string): CoordError {
  const message = `Claude Code may not work: ${reason}.`.replace('..', '.');
  return new CoordError('claude-not-authenticated', message, { details: { why: 'run' } });
}
