/** What a run may cost, and has cost, in US dollars as the agents estimate it. */

/** What a job may cost where nothing is left: an agent takes no budget of nothing. */
const LEAST_USD = 0.01;

export class Budget {
  readonly #limitUsd: number | undefined;
  #spentUsd = 0;
  #isTold = false;

  /** @param limitUsd  undefined: no limit */
  constructor(limitUsd: number | undefined) {
    this.#limitUsd = limitUsd;
  }

  get spentUsd(): number {
    return this.#spentUsd;
  }

  get limitUsd(): number | undefined {
    return this.#limitUsd;
  }

  get isSpent(): boolean {
    return this.#limitUsd !== undefined && this.#spentUsd >= this.#limitUsd;
  }

  /** What the next job may cost; undefined without a limit. */
  get leftUsd(): number | undefined {
    return this.#limitUsd === undefined ? undefined : Math.max(this.#limitUsd - this.#spentUsd, LEAST_USD);
  }

  /** @returns true when this spent the last of it: once */
  spend(usd: number): boolean {
    this.#spentUsd += usd;
    if (!this.isSpent || this.#isTold) return false;
    this.#isTold = true;
    return true;
  }
}
