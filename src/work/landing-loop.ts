/** Landings of one process, one after the other, beside whatever else it does. */
import type { Landed, Lander } from './landing.ts';

export class LandingLoop {
  readonly #lander: Lander;
  readonly #onEnd: (end: Landed) => void;
  #running: Promise<void> | undefined;
  /** Something was queued since the last look. */
  #isAsked = false;

  /** @param onEnd  told what came of each landing */
  constructor(lander: Lander, onEnd: (end: Landed) => void) {
    this.#lander = lander;
    this.#onEnd = onEnd;
  }

  /**
   * Lands what is queued, until nothing is, or nothing can; whoever asks meanwhile waits for the same.
   *
   * @throws what a landing throws, to everybody who waits
   */
  run(): Promise<void> {
    this.#isAsked = true;
    return (this.#running ??= this.#loop().finally(() => (this.#running = undefined)));
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Waits until what is under way has ended; by itself, or by the signal of its lander. */
  async settled(): Promise<void> {
    await this.#running?.catch(() => {}); // told to who asked for it
  }

  async #loop(): Promise<void> {
    while (this.#isAsked) {
      this.#isAsked = false;
      for await (const end of this.#lander.landAll()) this.#onEnd(end);
    }
  }
}
