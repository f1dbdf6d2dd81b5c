/** What agents say, in logs/<worker>.jsonl, for its owner alone: it may hold anything. */
import { join } from 'node:path';
import type { Transcripts } from '../registry.ts';
import { append } from './atomic.ts';
import { readEnd } from './open-file.ts';
import { checkTree } from './guard.ts';
import { hostTag } from './scratch.ts';
import type { Tree } from './tree.ts';

/** Enough for the last words of an agent, which say what it has cost. */
const SAID_BYTES = 1_000_000;

export class TranscriptFiles implements Transcripts {
  readonly #tree: Tree;
  readonly #stateFolder: string | undefined;

  constructor(tree: Tree, stateFolder: string | undefined) {
    this.#tree = tree;
    this.#stateFolder = stateFolder;
  }

  get host(): string {
    return hostTag();
  }

  get board(): string {
    return this.#tree.root;
  }

  keep(worker: string, line: string): void {
    checkTree(this.#tree, this.#stateFolder);
    append(this.#path(worker), `${line}\n`, { durable: false, mode: 0o600 });
  }

  said(worker: string): string[] {
    checkTree(this.#tree, this.#stateFolder);
    return readEnd(this.#path(worker), SAID_BYTES)?.toString().split('\n') ?? [];
  }

  #path(worker: string): string {
    return join(this.#tree.logs, `${worker}.jsonl`);
  }
}
