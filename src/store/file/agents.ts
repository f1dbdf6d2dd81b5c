/**
 * The processes that an orchestrator has started, one small file each, written before a process gets its task: after a
 * crash the next orchestrator finds what still runs. Beside them, what those processes say, for people who look for a reason.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isErrno, namesIn, readIfThere, removeIfThere, replaceFile } from './atomic.ts';
import { withLock } from './lock.ts';
import type { Tree } from './tree.ts';

/** A process, told apart from a later one of the same number by when it began. */
export interface ProcessId {
  pid: number;
  /** As the operating system says it; only ever compared. */
  started: string;
}

export interface AgentRecord extends ProcessId {
  worker: string;
  task_id: string;
  attempt: number;
  session_id: string;
}

const OWNER = 'orchestrator.json';

export class AgentRecords {
  readonly #tree: Tree;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /**
   * Makes `owner` the one orchestrator of this board.
   *
   * @param isAlive  whether a process that is recorded still runs
   * @returns the other one, where there is one that lives
   */
  async own(owner: ProcessId, isAlive: (other: ProcessId) => boolean): Promise<ProcessId | undefined> {
    mkdirSync(this.#tree.agents, { recursive: true });
    return withLock(this.#tree.root, this.#tree.lock, async () => {
      const other = parse(join(this.#tree.agents, OWNER)) as ProcessId | undefined;
      if (other && isAlive(other)) return other;
      this.#write(OWNER, owner);
      return undefined;
    });
  }

  disown(): void {
    removeIfThere(join(this.#tree.agents, OWNER));
  }

  record(agent: AgentRecord): void {
    this.#write(`${agent.worker}.json`, agent);
  }

  forget(worker: string): void {
    removeIfThere(join(this.#tree.agents, `${worker}.json`));
  }

  all(): AgentRecord[] {
    return namesIn(this.#tree.agents)
      .filter((name) => name.endsWith('.json') && name !== OWNER)
      .map((name) => parse(join(this.#tree.agents, name)) as AgentRecord | undefined)
      .filter((record) => record !== undefined);
  }

  /** Keeps a line of what an agent said, in logs/<worker>.jsonl. */
  keep(worker: string, line: string): void {
    const path = join(this.#tree.logs, `${worker}.jsonl`);
    try {
      appendFileSync(path, `${line}\n`);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      mkdirSync(dirname(path), { recursive: true });
      appendFileSync(path, `${line}\n`);
    }
  }

  #write(name: string, value: unknown): void {
    // A power cut ends the processes too: nothing to wait for the disk for.
    replaceFile(join(this.#tree.agents, name), `${JSON.stringify(value)}\n`, this.#tree.tmp, false);
  }
}

/** Written by us with a rename, so whole or absent; anything else is as good as absent. */
function parse(path: string): unknown {
  try {
    return JSON.parse(readIfThere(path)?.toString() ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}
