/**
 * Which Claude Code session is which worker, and what its hooks have told it already. One small file a session; losing one
 * costs a repeated hint, so nothing here waits for the disk or for a lock.
 */
import { appendFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn, orAbsent, readIfThere, removeIfThere, replaceFile, touch } from './atomic.ts';
import type { Tree } from './tree.ts';

export interface Session {
  worker: string;
  /** The claim, as `task-001#2`, that a stop was held up for: no second time for the same. */
  held_up_for?: string;
  /** The tasks that an idle terminal was woken for last. */
  woken_for?: string[];
}

/** Files of sessions that ended long ago. */
const FORGOTTEN_MS = 30 * 86_400_000;

export class Sessions {
  readonly #tree: Tree;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  get(id: string): Session | undefined {
    try {
      return JSON.parse(readIfThere(this.#path(id))?.toString() ?? 'null') ?? undefined;
    } catch {
      return undefined; // of no use, and the next binding replaces it
    }
  }

  /** @returns the session as it stands now */
  update(id: string, change: Partial<Session> & { worker: string }): Session {
    const next = { ...this.get(id), ...change };
    mkdirSync(this.#tree.sessions, { recursive: true });
    replaceFile(this.#path(id), `${JSON.stringify(next)}\n`, this.#tree.tmp, false);
    return next;
  }

  /** True at most once in this time, over all processes but for a race, which costs one renewal too many. */
  isDue(id: string, ms: number): boolean {
    const path = join(this.#tree.sessions, `${safe(id)}.life`);
    const stat = orAbsent(() => statSync(path));
    if (stat && Date.now() - stat.mtimeMs < ms) return false;
    mkdirSync(this.#tree.sessions, { recursive: true });
    touch(path);
    return true;
  }

  /** Makes this process the session's one waiter. @returns whether it still is */
  wait(id: string): () => boolean {
    const path = join(this.#tree.sessions, `${safe(id)}.waiter`);
    const mine = `${process.pid}-${Math.random().toString(36).slice(2)}`;
    mkdirSync(this.#tree.sessions, { recursive: true });
    replaceFile(path, mine, this.#tree.tmp, false);
    return () => readIfThere(path)?.toString() === mine;
  }

  /** Adds a line to the file from which Claude Code takes variables for its shells, once. */
  export(file: string, line: string): void {
    if (readIfThere(file)?.toString().split('\n').includes(line) !== true) appendFileSync(file, `${line}\n`);
  }

  /** Forgets sessions of which nothing was heard for a month. */
  tidy(): void {
    for (const name of namesIn(this.#tree.sessions)) {
      const path = join(this.#tree.sessions, name);
      const stat = orAbsent(() => statSync(path));
      if (stat && Date.now() - stat.mtimeMs > FORGOTTEN_MS) removeIfThere(path);
    }
  }

  #path(id: string): string {
    return join(this.#tree.sessions, `${safe(id)}.json`);
  }
}

/** An id is a UUID; whatever else came in must not name another file. */
function safe(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 100);
}
