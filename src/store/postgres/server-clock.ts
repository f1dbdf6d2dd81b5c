/** The server's clock, told from its last answer by one that nobody sets. */
import { monotonicMs } from '../clock.ts';

export class ServerClock {
  #said: { server: number; here: number } | undefined;

  get isSet(): boolean {
    return this.#said !== undefined;
  }

  /** @param server  what it has just said, milliseconds since 1970 */
  set(server: number): void {
    this.#said = { server, here: monotonicMs() };
  }

  /** Milliseconds since 1970; this machine's clock before the first answer. */
  get ms(): number {
    return this.#said ? this.#said.server + monotonicMs() - this.#said.here : Date.now();
  }

  /**
   * ISO 8601 UTC. A little behind the server's, by the way of an answer: a lease is taken for run out too late, never too early.
   */
  now(): string {
    return new Date(Math.floor(this.ms)).toISOString();
  }
}
