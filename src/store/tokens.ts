/**
 * Tokens of workers that reach the board over HTTP. Only fingerprints are stored, and for their owner alone: whoever sees one
 * can neither use nor guess a token, which is 256 random bits.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Registry } from './registry.ts';

export class Tokens {
  readonly #registry: Registry;
  /** Known from elsewhere, never stored. */
  readonly #given: { worker: string; fingerprint: string }[];

  /** @param given  tokens by worker that hold besides the stored ones */
  constructor(registry: Registry, given: ReadonlyMap<string, string>) {
    this.#registry = registry;
    this.#given = [...given].map(([worker, token]) => ({ worker, fingerprint: fingerprintOf(token) }));
  }

  /** Makes a token for a worker; an earlier one of the same worker stops working. @returns the token, shown once */
  async make(worker: string): Promise<string> {
    const token = `coord_${randomBytes(32).toString('base64url')}`;
    const made = { worker, fingerprint: fingerprintOf(token) };
    await this.#registry.change(({ tokens }) => ({ tokens: [...tokens.filter((one) => one.worker !== worker), made] }));
    return token;
  }

  /** @returns false when the worker had none */
  async revoke(worker: string): Promise<boolean> {
    let had = false;
    await this.#registry.change(({ tokens }) => {
      const left = tokens.filter((one) => one.worker !== worker);
      had = left.length < tokens.length;
      return had ? { tokens: left } : undefined;
    });
    return had;
  }

  /**
   * The worker of a token; undefined for one that nobody has. Compared with every known one in constant time, so that
   * the answer's delay tells nothing.
   *
   * @throws CoordError `store-unavailable` where others than the owner could read the registry
   */
  async workerOf(token: string): Promise<string | undefined> {
    const given = fingerprintOf(token);
    let found: string | undefined;
    for (const { worker, fingerprint } of [...this.#given, ...(await this.#registry.tokens())])
      if (isSame(fingerprint, given)) found = worker;
    return found;
  }

  async workers(): Promise<string[]> {
    return [...this.#given, ...(await this.#registry.tokens())].map(({ worker }) => worker).toSorted();
  }
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function fingerprintOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
