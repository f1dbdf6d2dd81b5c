/** How a run ends, in two steps: first nothing new is begun, then what runs is interrupted. */
import type { CoordError } from '../model/errors.ts';

export class Ending {
  readonly #draining = new AbortController();
  readonly #stopping = new AbortController();
  #because: CoordError | undefined;

  /** Aborted where nothing new is to be begun, while what runs may end. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  /** Aborted where what runs is to be interrupted. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** What the whole run failed of; the first such thing counts. */
  get because(): CoordError | undefined {
    return this.#because;
  }

  drain(): void {
    this.#draining.abort();
  }

  stop(because?: CoordError): void {
    this.#because ??= because;
    this.#draining.abort();
    this.#stopping.abort();
  }
}
