/** Standing by: the one tool that may take long, and costs nothing while it does. */
import type { Board } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { waitingText } from '../../model/views/idle.ts';
import { claimableTasks, idleReason } from '../../model/views/summary.ts';
import type { IdleReason, NotClaimed } from '../../model/views/idle.ts';
import type { Store } from '../../store/store.ts';
import type { Answered } from '../../model/questions.ts';
import { untilAnswered, waitFor } from '../../store/wait.ts';

/** How long clients let a call run that reports progress, in seconds. Observed in November 2026 with the releases of that month. */
export const LONGEST_WAIT = [
  { client: /claude/i, seconds: 1800 },
  { client: /codex/i, seconds: 280 },
  { client: /gemini/i, seconds: 540 },
];
/** Below the 60 s after which the SDKs' own clients give a call up, where nothing else is known. */
export const LONGEST_WAIT_OF_OTHERS = 50;
/** Claude Code gives an HTTP call up that shows no sign of life for 60 s. */
const PROGRESS_MS = 10_000;

export interface Wait {
  store: Store;
  worker: string;
  seconds: number;
  /** What the caller has seen: anything newer answers at once. */
  afterRevision: number | undefined;
  signal: AbortSignal;
  /** Whether somebody has told the caller something, which rides on the answer. */
  hasNews: () => Promise<boolean>;
  /** Told at once and then every ten seconds how long it has been, and what is waited for. */
  onProgress: ((seconds: number, message: string) => void) | undefined;
}

export interface Waited {
  revision: number;
  /** False when the time was up first. */
  changed: boolean;
  /** How many tasks could be claimed now. */
  claimable: number;
  reason: IdleReason | 'claimable' | 'changed' | 'message';
  waited_seconds: number;
  next: string;
}

/** @throws CoordError `interrupted` when the signal ends it; nothing has changed then */
export async function waitForTask(wait: Wait): Promise<Waited> {
  const start = Date.now();
  const elapsed = (): number => Math.round((Date.now() - start) / 1000);
  let idle: NotClaimed | undefined;
  let ticking: NodeJS.Timeout | undefined;
  const progress = (): void =>
    wait.onProgress?.(elapsed(), `waiting${idle ? `: ${waitingText(idle).replace(/^blocked: /, '')}` : ''}`);
  const answer = (board: Board, now: string, changed: boolean): Waited => {
    const claimable = claimableTasks(board, now).length;
    const reason = idle?.reason ?? 'claimable';
    return {
      revision: board.revision,
      changed,
      claimable,
      reason: changed && idle?.reason === 'blocked' ? 'changed' : reason,
      waited_seconds: elapsed(),
      next: NEXT[reason],
    };
  };
  try {
    return await waitFor<Waited>(
      wait.store,
      async () => {
        const board = await wait.store.read();
        const now = await wait.store.now();
        idle = idleReason(board, wait.worker, now);
        // Drained or stuck, and the caller knows: it stands by for whatever comes next.
        const isNew = wait.afterRevision === undefined ? isOver(idle) : board.revision > wait.afterRevision;
        if (!idle || (isNew && (isOver(idle) || ticking === undefined))) return { answer: answer(board, now, true) };
        if (await wait.hasNews()) return { answer: { ...answer(board, now, true), reason: 'message' } };
        if (ticking === undefined) {
          ticking = setInterval(progress, PROGRESS_MS);
          progress();
        }
        return { wakeAt: idle.next_expiry };
      },
      { signal: wait.signal, timeoutMs: wait.seconds * 1000 },
    );
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'timed-out') throw error;
    return answer(await wait.store.read(), await wait.store.now(), false);
  } finally {
    clearInterval(ticking);
  }
}

/** Sleeps until a question is answered; undefined when the time is up first. @throws CoordError `interrupted`, `claim-lost` */
export async function waitForAnswer(
  wait: Pick<Wait, 'store' | 'seconds' | 'signal' | 'onProgress'> & {
    asked: { worker: string; taskId: string; n: number };
  },
): Promise<Answered | undefined> {
  const start = Date.now();
  const progress = (): void =>
    wait.onProgress?.(Math.round((Date.now() - start) / 1000), `waiting for an answer about ${wait.asked.taskId}`);
  const ticking = setInterval(progress, PROGRESS_MS);
  progress();
  try {
    return await untilAnswered(wait.store, wait.asked, { signal: wait.signal, timeoutMs: wait.seconds * 1000 });
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'timed-out') throw error;
    return undefined;
  } finally {
    clearInterval(ticking);
  }
}

function isOver(idle: NotClaimed | undefined): boolean {
  return idle?.reason === 'drained' || idle?.reason === 'stuck';
}

/** What to do where nothing could be claimed. */
export const NEXT: Record<IdleReason | 'claimable', string> = {
  claimable: 'claim_task',
  blocked: 'wait_for_task',
  review: 'wait_for_task; or review it: coord worker review <you>',
  landing: 'wait_for_task; or land it: coord land',
  question: 'wait_for_task; the leader has a question to answer',
  empty: 'wait_for_task',
  drained: 'stop: every task is settled',
  stuck: 'stop, and report which failed tasks hold up the rest',
};
