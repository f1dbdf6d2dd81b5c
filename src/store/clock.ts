/** Time, in the three ways it is needed: to measure, to sleep, and to say when. */

/**
 * Milliseconds by a clock that nobody sets, for measuring how long something takes. Not `performance.now()`: its global loads
 * 4 ms of Node at the start of every command.
 */
export function monotonicMs(): number {
  return process.uptime() * 1000;
}

/** What this machine's clock says, ISO 8601 UTC. Leases are judged by the board's: see `Store.now`. */
export function machineTime(): string {
  return new Date().toISOString();
}

/** Sleeps, or wakes with the signal. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((wake) => {
    if (signal?.aborted) return wake();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      wake();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
}
