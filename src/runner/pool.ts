/** A pool of slots on one board. Each slot is a worker: it claims a task, has the agent do it, and claims again. */
import { CoordError } from '../model/errors.ts';
import type { Claimed } from '../model/verbs/claim.ts';
import type { NotClaimed } from '../model/views/idle.ts';
import { idleReason, summarise } from '../model/views/summary.ts';
import { sleep } from '../store/clock.ts';
import { nextTask, waitFor } from '../store/wait.ts';
import { attempt, type AttemptEnd, giveBackUnbegun } from './attempt.ts';
import type { Run } from './run.ts';

export interface PoolOptions {
  /** The names of the slots. */
  workers: readonly string[];
  leaseSeconds?: number | undefined;
  /** Wait on even when every task is settled or stuck. */
  stay?: boolean | undefined;
  /** Wait for whoever reviews what is left. */
  awaitsReviews?: boolean | undefined;
  /** How long the pool waits where nothing but answers is left, in milliseconds; without it not at all. */
  answerMs?: number | undefined;
  /** How long a slot waits for one task. */
  timeoutMs?: number | undefined;
  /** Failures of one slot in a row after which it ends: the agent itself is suspected then. */
  mostFailures?: number | undefined;
  /** Tells after each change how the board stands, and what was found out: the board is read for it. */
  tellsBoard?: boolean | undefined;
  /** Discoveries that are known already, and not told. */
  toldDiscoveries?: number | undefined;
  onIdle?: ((worker: string, idle: NotClaimed) => void) | undefined;
}

/** How a slot ended: nothing is left to claim; it was stopped, and in what; or too much failed in a row. */
export type SlotEnd =
  | { kind: 'idle'; idle: NotClaimed }
  | { kind: 'stopped'; at: 'waiting' | 'between' | 'task'; task_id?: string }
  | { kind: 'failing'; failures: number };

export class Pool {
  readonly #run: Run;
  readonly #options: PoolOptions;
  readonly counts = { done: 0, failed: 0 };
  #toldDiscoveries: number;

  constructor(run: Run, options: PoolOptions) {
    this.#run = run;
    this.#options = options;
    this.#toldDiscoveries = options.toldDiscoveries ?? 0;
  }

  /** Works until nothing is left, or the run ends. One slot that breaks ends the others, and is what is thrown. */
  async work(): Promise<SlotEnd[]> {
    for (;;) {
      const ends = await this.#workOnce();
      const isLanding = ends.some((end) => end.kind === 'idle' && end.idle.reason === 'landing');
      const isAsking = ends.some((end) => end.kind === 'idle' && end.idle.reason === 'question');
      const goesOn = (isLanding && (await this.#landsRest())) || (isAsking && (await this.#isAnswered()));
      if (!goesOn) return ends;
    }
  }

  /** Lands what is still queued. @returns false where nothing has come of it */
  async #landsRest(): Promise<boolean> {
    const { landing, store, ending } = this.#run;
    if (!landing || ending.draining.aborted) return false;
    await landing.run();
    const [worker = ''] = this.#options.workers;
    const idle = idleReason(await store.read(), worker, await store.now());
    return idle?.reason !== 'landing' && !ending.draining.aborted;
  }

  /** @returns false where nobody answers in time */
  async #isAnswered(): Promise<boolean> {
    const { store, ending } = this.#run;
    const { answerMs, workers } = this.#options;
    if (answerMs === undefined || ending.draining.aborted) return false;
    const [worker = ''] = workers;
    const timeoutMs = Number.isFinite(answerMs) ? answerMs : undefined;
    try {
      return await waitFor<boolean>(
        store,
        async () => {
          const idle = idleReason(await store.read(), worker, await store.now());
          return idle?.reason === 'question' ? { wakeAt: idle.next_expiry } : { answer: true };
        },
        { signal: ending.draining, timeoutMs },
      );
    } catch (error) {
      if (error instanceof CoordError && ['timed-out', 'interrupted'].includes(error.code)) return false;
      throw error;
    }
  }

  async #workOnce(): Promise<SlotEnd[]> {
    const slots = this.#options.workers.map((worker) =>
      this.#slot(worker).catch((error: unknown) => {
        this.#run.ending.stop();
        throw error;
      }),
    );
    const ends = await Promise.allSettled(slots);
    const broken = ends.find((end) => end.status === 'rejected');
    if (broken) throw broken.reason;
    return ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  }

  async #slot(worker: string): Promise<SlotEnd> {
    const { draining } = this.#run.ending;
    let failures = 0;
    let isFirst = true;
    while (!draining.aborted) {
      const { waitMs } = this.#run.backoff;
      if (waitMs > 0) {
        await sleep(waitMs, draining);
        continue;
      }
      const claimed = await this.#claim(worker);
      if (claimed === 'stopped') return { kind: 'stopped', at: 'waiting' };
      if (!claimed.task) return { kind: 'idle', idle: claimed };
      isFirst = false;
      const end = await this.#attempt(worker, claimed);
      if (end === 'released' && draining.aborted) return { kind: 'stopped', at: 'task', task_id: claimed.task.id };
      if (end === 'done' || end === 'failed') this.counts[end]++;
      failures = end === 'failed' ? failures + 1 : end === 'done' || end === 'submitted' ? 0 : failures;
      if (failures === this.#options.mostFailures) return { kind: 'failing', failures };
    }
    return { kind: 'stopped', at: isFirst ? 'waiting' : 'between' };
  }

  async #claim(worker: string): Promise<Claimed | NotClaimed | 'stopped'> {
    const { leaseSeconds: lease_seconds, stay, awaitsReviews = false, timeoutMs, onIdle } = this.#options;
    try {
      return await nextTask(
        this.#run.store,
        { worker, lease_seconds },
        {
          signal: this.#run.ending.draining,
          stay,
          leavesReviews: !awaitsReviews,
          timeoutMs,
          onIdle: (idle) => {
            // Approved meanwhile, or left by a lander that died.
            if (idle.reason === 'landing') this.#run.landing?.run().catch(() => {}); // told by who waits for it
            onIdle?.(worker, idle);
          },
        },
      );
    } catch (error) {
      if (error instanceof CoordError && error.code === 'interrupted') return 'stopped';
      throw error;
    }
  }

  async #attempt(worker: string, claimed: Claimed): Promise<AttemptEnd> {
    const { task, already } = claimed;
    const { id: task_id, attempt: number, description } = task;
    if (this.#run.ending.draining.aborted || this.#run.backoff.waitMs > 0) {
      // Claimed in the very moment in which nothing new was to be begun.
      await giveBackUnbegun(this.#run, worker, task);
      return 'released';
    }
    this.#run.tell({
      type: 'claim',
      worker,
      task_id,
      attempt: number,
      description,
      ...(already ? { already } : {}),
    });
    await this.#tellStatus();
    const end = await attempt(this.#run, worker, claimed);
    await this.#tellDiscoveries();
    await this.#tellStatus();
    return end;
  }

  async #tellStatus(): Promise<void> {
    if (this.#options.tellsBoard !== true) return;
    const { store } = this.#run;
    this.#run.tell({ type: 'status', counts: summarise(await store.read(), await store.now()).counts });
  }

  async #tellDiscoveries(): Promise<void> {
    if (this.#options.tellsBoard !== true) return;
    const all = await this.#run.store.discoveries();
    const fresh = all.slice(this.#toldDiscoveries);
    this.#toldDiscoveries = Math.max(all.length, this.#toldDiscoveries); // another slot may have read more
    for (const { worker, content, task_id } of fresh) this.#run.tell({ type: 'discovery', worker, content, task_id });
  }
}
