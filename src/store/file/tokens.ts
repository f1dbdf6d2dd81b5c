/**
 * Tokens of workers that reach the board over HTTP. Only fingerprints are stored, in a file that its owner alone may
 * read: whoever sees it can neither use nor guess a token, which is 256 random bits.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { CoordError } from '../../model/errors.ts';
import { orAbsent, readIfThere, replaceFile } from './atomic.ts';
import { withLock } from './lock.ts';
import type { Tree } from './tree.ts';

/** Worker to SHA-256 of the token, in hexadecimal. */
type Fingerprints = Record<string, string>;

export class Tokens {
  readonly #tree: Tree;
  readonly #durable: boolean;
  /** Known from elsewhere, never stored: pairs of worker and fingerprint. */
  readonly #given: [worker: string, fingerprint: string][];

  /** @param given  tokens by worker that hold besides the stored ones */
  constructor(tree: Tree, options: { durable: boolean }, given: ReadonlyMap<string, string>) {
    this.#given = [...given].map(([worker, token]) => [worker, fingerprint(token)]);
    this.#tree = tree;
    this.#durable = options.durable;
  }

  /** Makes a token for a worker; an earlier one of the same worker stops working. @returns the token, shown once */
  async make(worker: string): Promise<string> {
    const token = `coord_${randomBytes(32).toString('base64url')}`;
    await this.#change((known) => (known[worker] = fingerprint(token)));
    return token;
  }

  /** @returns false when the worker had none */
  async revoke(worker: string): Promise<boolean> {
    let had = false;
    await this.#change((known) => {
      had = worker in known;
      delete known[worker];
    });
    return had;
  }

  /**
   * The worker of a token; undefined for one that nobody has. Compared with every known one in constant time, so that
   * the answer's delay tells nothing.
   *
   * @throws CoordError `store-unavailable` where others than the owner could read the file
   */
  workerOf(token: string): string | undefined {
    const given = fingerprint(token);
    let found: string | undefined;
    for (const [worker, known] of [...this.#given, ...Object.entries(this.#read())])
      if (isSame(known, given)) found = worker;
    return found;
  }

  workers(): string[] {
    return [...this.#given.map(([worker]) => worker), ...Object.keys(this.#read())].toSorted();
  }

  #read(): Fingerprints {
    const path = this.#tree.tokens;
    const stat = orAbsent(() => statSync(path));
    if (!stat) return {};
    if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
      throw new CoordError('store-unavailable', `${path} can be read by others than its owner.`, {
        hint: `chmod 600 ${path}`,
      });
    }
    try {
      return JSON.parse(readIfThere(path)?.toString() ?? '{}') as Fingerprints; // of our own making
    } catch (error) {
      throw new CoordError('store-unavailable', `${path} is not JSON.`, {
        hint: `rm ${path}, then make the tokens anew: coord mcp token <worker>`,
        cause: error,
      });
    }
  }

  async #change(change: (known: Fingerprints) => void): Promise<void> {
    await withLock(this.#tree.root, this.#tree.lock, async () => {
      const known = this.#read();
      change(known);
      replaceFile(this.#tree.tokens, `${JSON.stringify(known, null, 2)}\n`, this.#tree.tmp, this.#durable, 0o600);
    });
  }
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function fingerprint(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
