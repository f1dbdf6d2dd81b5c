/** How long to pause before something is tried again. */
import { monotonicMs } from '../store/clock.ts';

/** Before a task is tried again; doubled with each attempt. */
const RETRY_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 60_000;
/** Before anything is dispatched again after a rate limit; doubled with each that follows. */
const LIMIT_PAUSE_MS = 30_000;
const LONGEST_LIMIT_PAUSE_MS = 600_000;

export class Backoff {
  readonly #retryMs: number;
  readonly #limitMs: number;
  /** Rate limits in a row. */
  #limits = 0;
  #notBefore = 0;

  /** For tests, and for agents that no API limits: the first pauses. */
  constructor(retryMs = RETRY_PAUSE_MS, limitMs = LIMIT_PAUSE_MS) {
    this.#retryMs = retryMs;
    this.#limitMs = limitMs;
  }

  /** Milliseconds before the attempt after this one, counted from 1. */
  retryMs(attempt: number): number {
    return Math.min(this.#retryMs * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
  }

  /** Milliseconds in which nothing is to be dispatched. */
  get waitMs(): number {
    return Math.max(this.#notBefore - monotonicMs(), 0);
  }

  /** All slots pause, the longer the more often it happens in a row. @returns for how many milliseconds */
  limited(): number {
    const pause = Math.min(this.#limitMs * 2 ** this.#limits++, LONGEST_LIMIT_PAUSE_MS);
    this.#notBefore = monotonicMs() + pause;
    return pause;
  }

  succeeded(): void {
    this.#limits = 0;
  }
}
