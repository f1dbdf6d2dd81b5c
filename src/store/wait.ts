/** Loops over any Store: wait for a task, wait for the end, keep a lease. None of them polls. */
import { type Board, earlier, expireLastAttempts, findTask, nextExpiry } from '../model/board.ts';
import { isQueued } from '../model/landing.ts';
import { isHeldBy, isSettled } from '../model/lifecycle.ts';
import { Dependencies } from '../model/dependencies.ts';
import { CoordError } from '../model/errors.ts';
import { type Answered, answerTo, nextDefault, openQuestions } from '../model/questions.ts';
import type { Claim } from '../model/inputs.ts';
import { idleReason } from '../model/views/summary.ts';
import type { ClaimAnswer, Claimed } from '../model/verbs/claim.ts';
import type { NotClaimed } from '../model/views/idle.ts';
import { monotonicMs } from './clock.ts';
import type { Store } from './store.ts';

/** However long the lease, it is renewed this often: timers count no further than 24 days, and a lost claim is noticed. */
const LONGEST_RENEWAL_MS = 600_000;
/** The safety tick: a change that no watcher reported is noticed this much later at the worst. */
const TICK_MS = 5000;
/**
 * Of many waiters each looks at a moment of its own, so that the first can claim before the others want the processor.
 * How many there are nobody knows; but who looks in vain has probably others before it, and spreads further.
 */
const LEAST_SPREAD_MS = 8;
const MOST_SPREAD_MS = 64;

export interface WaitOptions {
  /** Ends the wait with `interrupted`. */
  signal?: AbortSignal | undefined;
  /** Milliseconds after which the wait ends with `timed-out`; without it, never. */
  timeoutMs?: number | undefined;
}

/**
 * How long the board may be away, as when its folder is moved and comes back: long enough for `git stash` and for `init --force`.
 */
const AWAY_MS = 60_000;
const AWAY_LOOK_MS = 500;

/** One look at the board: the answer, or when to look again at the latest (by the board's clock) even if nothing changes. */
type Look<T> = { answer: T } | { wakeAt: string | null };

/**
 * Looks, and looks again after every change, at `wakeAt`, and on the safety tick, until there is an answer.
 * The look always decides, never the event: a wake-up cannot be lost, only late by one tick.
 *
 * @throws CoordError `timed-out`, `interrupted`
 */
export async function waitFor<T>(store: Store, look: () => Promise<Look<T>>, options: WaitOptions = {}): Promise<T> {
  const start = monotonicMs();
  const left = (): number => (options.timeoutMs === undefined ? Infinity : start + options.timeoutMs - monotonicMs());
  const first = await look();
  if ('answer' in first) return first.answer;

  const ending = new AbortController();
  const stop = (): void => ending.abort();
  options.signal?.addEventListener('abort', stop);
  if (options.signal?.aborted) stop();
  const lookOn = patiently(look, left, ending.signal);
  const changes = store.changes(ending.signal)[Symbol.asyncIterator]();
  let change = changes.next();
  let spread = LEAST_SPREAD_MS;
  try {
    await change; // the watcher stands: whatever comes now is noticed
    change = changes.next();
    for (;;) {
      const seen = await lookOn();
      if ('answer' in seen) return seen.answer;
      if (options.signal?.aborted) throw new CoordError('interrupted', 'Interrupted while waiting.');
      if (left() <= 0)
        throw new CoordError('timed-out', `Nothing happened within ${(options.timeoutMs ?? 0) / 1000} s.`);
      const woken = await race(change, Math.min(await untilWake(store, seen.wakeAt), left()), ending.signal);
      if (woken) {
        change = changes.next();
        await race(undefined, Math.random() * spread, ending.signal);
        spread = Math.min(spread * 2, MOST_SPREAD_MS);
      }
    }
  } finally {
    options.signal?.removeEventListener('abort', stop);
    stop();
    change.catch(() => {}); // a watcher that fails while it ends has nobody left to tell
    await changes.return?.();
  }
}

/** Milliseconds to the next look, if nothing happens before. */
async function untilWake(store: Store, wakeAt: string | null): Promise<number> {
  if (wakeAt === null) return TICK_MS;
  return Math.min(TICK_MS, Math.max(Date.parse(wakeAt) - Date.parse(await store.now()) + 1, 1));
}

/** A look that bears with a board that is away, for a while. */
function patiently<T>(look: () => Promise<Look<T>>, left: () => number, signal: AbortSignal): () => Promise<Look<T>> {
  return async () => {
    const start = monotonicMs();
    for (;;) {
      try {
        return await look();
      } catch (error) {
        const isAway = error instanceof CoordError && ['not-initialised', 'store-unavailable'].includes(error.code);
        if (!isAway || monotonicMs() - start > AWAY_MS || left() <= 0 || signal.aborted) throw error;
        await race(undefined, AWAY_LOOK_MS, signal);
      }
    }
  };
}

/** True when the event came first, false on the timer or the signal. */
function race(event: Promise<unknown> | undefined, ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const finish = (woken: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      resolve(woken);
    };
    const aborted = (): void => finish(false);
    const timer = setTimeout(() => finish(false), ms);
    signal.addEventListener('abort', aborted);
    event?.then(() => finish(true), reject);
  });
}

/**
 * Claims the next task, sleeping until there is one. Ends without a task when the board is drained or stuck, since
 * then nothing comes unless somebody acts; with `stay` it waits on even then.
 *
 * @throws CoordError `timed-out`, `interrupted`, and what {@link Store.claim} throws
 */
export function nextTask(
  store: Store,
  claim: Claim,
  options: WaitOptions & {
    stay?: boolean | undefined;
    /** Ends as well when all that is left waits for a review or an answer, or to land. */
    leavesReviews?: boolean | undefined;
    /** Told why there is nothing, each time the reason changes. */
    onIdle?: (idle: NotClaimed) => void;
  } = {},
): Promise<Claimed | NotClaimed> {
  let told: string | undefined;
  let isFirst = true;
  return waitFor<Claimed | NotClaimed>(
    store,
    async () => {
      // A read costs no lock. Only a waiter who sees something to claim queues for it.
      let idle =
        isFirst || claim.task_id !== undefined
          ? undefined
          : idleReason(await store.read(), claim.worker, await store.now());
      isFirst = false;
      if (!idle) {
        const answer = await claimOrBlocked(store, claim);
        if (answer.task) return { answer };
        idle = answer;
      }
      const isLeft = ['review', 'landing', 'question'].includes(idle.reason) && options.leavesReviews === true;
      const isOver = idle.reason === 'drained' || idle.reason === 'stuck' || isLeft;
      if (isOver && options.stay !== true) return { answer: idle };
      const reason = `${idle.reason} ${idle.waiting_for.map((task) => task.task_id).join()}`;
      if (reason !== told) options.onIdle?.(idle);
      told = reason;
      return { wakeAt: idle.next_expiry };
    },
    options,
  );
}

/** A claim; a task asked for by name that others must finish first is something to wait for, not an error. */
async function claimOrBlocked(store: Store, claim: Claim): Promise<ClaimAnswer> {
  try {
    return await store.claim(claim);
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'not-claimable') throw error;
    const { tasks } = await store.read();
    const wanted = tasks.find((task) => task.id === claim.task_id);
    if (!wanted || isSettled(wanted)) throw error;
    const claimed = tasks.filter(
      (task) => task.status === 'claimed' && (task.id === wanted.id || wanted.dependencies.includes(task.id)),
    );
    return {
      task: null,
      reason: 'blocked',
      open: tasks.filter((task) => !isSettled(task)).length,
      waiting_for: claimed
        .slice(0, 5)
        .map((task) => ({ task_id: task.id, worker: task.claimed_by, status: task.status })),
      next_expiry: nextExpiry(claimed, await store.now()),
    };
  }
}

/**
 * Sleeps until nothing on the board can change by itself (every task settled, or what is left is stuck, or waits for a review), or
 * until somebody is asked.
 */
export function untilSettled(
  store: Store,
  options: WaitOptions & {
    onChange?: (board: Board) => void;
    /** Questions, as `task-001?2`, that whoever waits knows of: those that answer themselves in time do not end the wait. */
    known?: ReadonlySet<string> | undefined;
    /** Ends it as well. */
    isTold?: () => Promise<boolean>;
  } = {},
): Promise<Board> {
  let shown = -1;
  return waitFor<Board>(
    store,
    async () => {
      const now = await store.now();
      const { board } = expireLastAttempts(await store.read(), now);
      if (board.revision !== shown) options.onChange?.(board);
      shown = board.revision;
      const open = board.tasks.filter((task) => !isSettled(task));
      const dependencies = new Dependencies(board);
      const landing = open.some((task) => isQueued(board, task));
      const asked = open.flatMap((task) =>
        openQuestions(task, now).map(({ n, question }) => ({ key: `${task.id}?${n}`, question })),
      );
      const isKnown = (one: (typeof asked)[number]): boolean =>
        one.question.due !== undefined && options.known?.has(one.key) === true;
      if (!asked.every(isKnown) || (await options.isTold?.()) === true) return { answer: board };
      if (!landing && open.every((task) => dependencies.isStuck(task) || dependencies.awaitsSomebody(task, now)))
        return { answer: board };
      return { wakeAt: earlier(nextExpiry(open, now), nextDefault(open, now)) };
    },
    options,
  );
}

/**
 * Sleeps until the n-th question of a task is answered, or its default takes over.
 *
 * @throws CoordError `timed-out`, `interrupted`; `claim-lost` where the worker does not hold the task any more
 */
export function untilAnswered(
  store: Store,
  asked: { worker: string; taskId: string; n: number },
  options: WaitOptions = {},
): Promise<Answered> {
  return waitFor<Answered>(
    store,
    async () => {
      const task = findTask(await store.read(), asked.taskId);
      const question = task.questions?.[asked.n - 1];
      const now = await store.now();
      const answer = question && answerTo(question, now);
      if (answer) return { answer };
      if (!question || !isHeldBy(task, asked.worker))
        throw new CoordError('claim-lost', `${asked.worker} does not hold ${task.id} any more: it is ${task.status}.`, {
          details: { task_id: task.id, worker: asked.worker, status: task.status },
        });
      return { wakeAt: question.due ?? null };
    },
    options,
  );
}

/**
 * Renews the leases of a worker until the signal ends it, every third of the lease.
 *
 * @param onLost  called once when the worker no longer holds `taskId`, and the renewing ends
 */
export function keepLease(
  store: Store,
  held: { worker: string; taskId: string; leaseSeconds: number },
  signal: AbortSignal,
  onLost: () => void,
): void {
  const timer = setInterval(
    () => {
      store.renew({ worker: held.worker }).then(
        ({ tasks }) => {
          if (signal.aborted || tasks.some((task) => task.id === held.taskId)) return;
          clearInterval(timer);
          onLost();
        },
        () => {}, // a board that cannot be read now may be readable at the next third of the lease
      );
    },
    Math.min((held.leaseSeconds * 1000) / 3, LONGEST_RENEWAL_MS),
  );
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
