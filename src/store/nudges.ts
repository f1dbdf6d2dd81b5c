/** Nudges for who waits: those that come while nobody looks are one. */
export class Nudges {
  #isNew = false;
  #wake = (): void => {};

  readonly nudge = (): void => {
    this.#isNew = true;
    this.#wake();
  };

  /** Yields after each nudge until the signal fires. */
  async *until(signal: AbortSignal): AsyncGenerator<void> {
    signal.addEventListener('abort', this.nudge, { once: true });
    while (!signal.aborted) {
      if (this.#isNew) {
        this.#isNew = false;
        yield;
      } else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
