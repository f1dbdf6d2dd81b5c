/**
 * What a board knows besides its tasks: the tokens of workers over HTTP, the one orchestrator that may run, and the agents it
 * has started. Kept like the board itself, every change a revision whose name can be created once, since two orchestrators on one
 * board, or a revoked token that works, are as bad as a task held by two. Readable by its owner alone.
 *
 * Process ids mean something on one machine only: whoever reads them compares the host first, and trusts no record further than
 * the process it names bears the same mark in its environment.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import { CoordError } from '../../model/errors.ts';
import { isRecord } from '../../model/values.ts';
import { touch } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import {
  isAgentRecord,
  isRunLease,
  isToken,
  isWhole,
  type Registry,
  type RegistryState,
  type Token,
} from '../registry.ts';
import { nextCommit } from '../commit-id.ts';
import { CommitLog, type Parsed, type Revision } from './commit-log.ts';
import { explainErrno, orAbsent } from './errno.ts';
import { checkTree } from './guard.ts';
import { refuseNewer } from './migrate.ts';
import { scratchIn, removeScratch } from './scratch.ts';
import type { Tree } from './tree.ts';

export interface RegistryOptions {
  durable: boolean;
  canLink: boolean;
  /** The board's clock, ISO 8601 UTC. */
  now: () => string;
  notice: (message: string) => void;
  stateFolder: string | undefined;
}

/** Readable and writable by its owner, and by nobody else. */
const PRIVATE = 0o600;

export class RegistryFile implements Registry {
  readonly #tree: Tree;
  readonly #options: RegistryOptions;
  readonly #log: CommitLog<RegistryState>;

  constructor(tree: Tree, options: RegistryOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#log = new CommitLog<RegistryState>(tree.registry, {
      ...options,
      mode: PRIVATE,
      tmp: tree.tmp,
      rejected: tree.rejected,
      parse: (bytes, revision) => parse(bytes, revision, tree.registry),
    });
  }

  now(): string {
    return this.#options.now();
  }

  async read(): Promise<RegistryState> {
    return (await this.#head())?.value ?? this.#before();
  }

  /** @throws CoordError `store-unavailable` where others than its owner could have read or written them */
  async tokens(): Promise<Token[]> {
    const head = await this.#head();
    if (head) refuseReadable(this.#log.path(head.folder, head.revision));
    return (head?.value ?? this.#before()).tokens;
  }

  /**
   * Changes the registry, again and again until nobody else did so meanwhile.
   *
   * @param change  what it becomes; undefined leaves it as it is. Runs on every newer state, and may throw
   */
  async change(change: (registry: RegistryState) => Partial<RegistryState> | undefined): Promise<void> {
    try {
      for (;;) {
        const head = await this.#head();
        const now = head?.value ?? this.#before();
        const changed = change(now);
        if (!changed) return;
        const next = { ...now, ...changed, revision: now.revision + 1, commit: nextCommit(head?.value.commit) };
        const chunks = [Buffer.from(`${JSON.stringify(next, null, 2)}\n`)];
        const { revision, commit } = next;
        if (this.#log.append(head, { revision, commit, chunks }, () => {}) === 'committed') {
          await this.#tidy(next, head);
          return;
        }
      }
    } catch (error) {
      throw explainErrno(error);
    }
  }

  /** What is done after a change; no reason to call it failed. */
  async #tidy(next: RegistryState, before: Revision<RegistryState> | undefined): Promise<void> {
    try {
      const folder = before?.folder ?? this.#log.folder();
      if (folder !== undefined) await this.#log.trim(folder, 1);
      if (!before && next.tokens.length > 0) orAbsent(() => unlinkSync(this.#tree.oldTokens));
      for (const file of scratchIn(this.#tree.tmp, Date.parse(this.now())))
        if (file.isLeft && !file.isDisplaced) removeScratch(file.path);
      touch(this.#tree.bell); // servers look whether a token was revoked
    } catch {
      // The next change does it.
    }
  }

  async #head(): Promise<Revision<RegistryState> | undefined> {
    try {
      checkTree(this.#tree, this.#options.stateFolder);
      return await this.#log.head();
    } catch (error) {
      throw explainErrno(error);
    }
  }

  /** Before its first change: nothing, but for the tokens of a board of 0.1. */
  #before(): RegistryState {
    const tokens = readOldTokens(this.#tree.oldTokens);
    return { version: 1, revision: 0, commit: '', tokens, orchestrator: null, fence: 0, agents: [] };
  }
}

/** @throws CoordError `store-unavailable` where others than its owner could read or write it, as after a clone */
function refuseReadable(path: string): void {
  const stat = orAbsent(() => lstatSync(path));
  if (process.platform === 'win32' || !stat || (stat.mode & 0o077) === 0) return;
  throw new CoordError(
    'store-unavailable',
    `${path} can be read by others than its owner, so its tokens count no more.`,
    {
      details: { why: 'open-to-others', path },
    },
  );
}

function readOldTokens(path: string): Token[] {
  const text = readIfThere(path)?.toString();
  if (text === undefined) return [];
  refuseReadable(path);
  try {
    const tokens = Object.entries(JSON.parse(text) as Record<string, unknown>).map(([worker, fingerprint]) => ({
      worker,
      fingerprint,
    }));
    return tokens.filter(isToken);
  } catch (error) {
    throw new CoordError('store-unavailable', `${path} is not JSON.`, {
      details: { why: 'tokens-damaged', path },
      cause: error,
    });
  }
}

function parse(bytes: Buffer, revision: number, path: string): Parsed<RegistryState> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return 'torn';
  }
  if (!isRecord(value)) return { fault: 'it is no object' };
  refuseNewer(value['version'], path);
  const { tokens, orchestrator, agents, fence, commit } = value;
  if (value['version'] !== 1 || value['revision'] !== revision) return { fault: 'its revision is another' };
  if (typeof commit !== 'string' || !isWhole(fence, 0)) return { fault: 'its head does not fit' };
  if (!Array.isArray(tokens) || !tokens.every(isToken)) return { fault: 'its tokens do not fit' };
  if (!Array.isArray(agents) || !agents.every(isAgentRecord)) return { fault: 'its agents do not fit' };
  if (orchestrator !== null && !isRunLease(orchestrator)) return { fault: 'its orchestrator does not fit' };
  return { value: { version: 1, revision, commit, tokens, orchestrator, fence, agents } };
}
