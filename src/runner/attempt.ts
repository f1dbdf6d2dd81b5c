/** One claim, from the brief to what came of it: an agent does the task while its lease is kept, and the store is told. */
import { CoordError } from '../model/errors.ts';
import { DEFAULT_LEASE_SECONDS, MAX_TEXT } from '../model/limits.ts';
import type { ClaimedTask } from '../model/task.ts';
import { briefFor } from '../store/brief-for.ts';
import { sleep } from '../store/clock.ts';
import { sayWhereKept } from '../store/places.ts';
import { keepLease } from '../store/wait.ts';
import type { Failure, Outcome, Success } from './agent.ts';
import type { Run } from './run.ts';

/** What came of an attempt; `lost`: the task was another's by then, and what was handed in is kept. */
export type AttemptEnd = 'done' | 'failed' | 'released' | 'lost';

/** Said where a lease ran out while its agent worked. */
export const TAKEN_OVER = 'somebody else took it over';

export async function attempt(run: Run, worker: string, task: ClaimedTask): Promise<AttemptEnd> {
  const { store } = run;
  const { id: task_id } = task;
  const start = Date.now();
  const lease = new AbortController();
  const lost = new AbortController();
  const leaseSeconds = task.lease_seconds ?? DEFAULT_LEASE_SECONDS;
  keepLease(store, { worker, taskId: task_id, leaseSeconds }, lease.signal, () => lost.abort());
  try {
    const outcome = await perform(run, worker, task, lost.signal);
    run.spend(outcome.costUsd ?? 0);
    if (!lost.signal.aborted) return await settle(run, worker, task, outcome, Date.now() - start);
    run.tell({ type: 'release', worker, task_id, reason: TAKEN_OVER });
    return 'lost';
  } finally {
    lease.abort();
    await run.records?.forget(worker);
  }
}

/** What could not even be begun is no attempt at the task: it is given back. */
async function perform(run: Run, worker: string, task: ClaimedTask, lost: AbortSignal): Promise<Outcome> {
  try {
    const prompt = run.prompt(worker, await briefFor(run.store, task));
    return await run.agent.run({ ...run.job(worker, task, lost), prompt, isReadOnly: false });
  } catch (error) {
    const { id: task_id, attempt: number } = task;
    const reason = 'the agent could not be started';
    await run.store.release({ worker, task_id, attempt: number, reason }).catch(() => {}); // the first error says more
    throw error;
  }
}

function settle(
  run: Run,
  worker: string,
  task: ClaimedTask,
  outcome: Outcome,
  durationMs: number,
): Promise<AttemptEnd> {
  if (outcome.ok) return complete(run, worker, task, outcome, durationMs);
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

async function complete(
  run: Run,
  worker: string,
  { id: task_id, attempt: number }: ClaimedTask,
  { text, filesCreated, filesModified, costUsd, denied }: Success,
  duration_ms: number,
): Promise<AttemptEnd> {
  run.backoff.succeeded();
  const isIn = await handIn(run, worker, task_id, () =>
    run.store.complete({
      worker,
      task_id,
      attempt: number,
      output: text,
      files_created: filesCreated,
      files_modified: filesModified,
      cost_usd: costUsd,
    }),
  );
  if (isIn) run.tell({ type: 'complete', worker, task_id, cost_usd: costUsd ?? 0, duration_ms, denied });
  return isIn ? 'done' : 'lost';
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
