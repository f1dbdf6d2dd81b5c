/** The texts beside the board: plan, discoveries, results, logs, summary. */
import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { BoardEvent, ResultToStore } from '../../model/board.ts';
import type { Discovery, LogEntry, Result } from '../../model/views/report.ts';
import type { Ref } from '../../model/refs.ts';
import type { Task } from '../../model/task.ts';
import type { Documents, LateResult } from '../store.ts';
import { workerOfLate } from '../late-results.ts';
import { append, namesIn, replaceFile, touch } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import { explainErrno } from './errno.ts';
import { refuseMovedFolder } from './config.ts';
import { discoveryText, parseDiscoveries } from './discovery-text.ts';
import { checkTree } from './guard.ts';
import { withLock } from './lock.ts';
import { REFUSED, ResultFiles } from './result-files.ts';
import { parseResult } from './result-text.ts';
import { scratchName } from './scratch.ts';
import type { Tree } from './tree.ts';
import { isRecord } from '../../model/values.ts';
import { faultOf } from '../../model/stored-board.ts';

export interface DocumentOptions {
  durable: boolean;
  /** The board's clock, ISO 8601 UTC. */
  now: () => string;
  lock: boolean;
  stateFolder: string | undefined;
  evenIfMoved: boolean;
}

export class FileDocuments implements Documents {
  readonly #tree: Tree;
  readonly #options: DocumentOptions;
  readonly #makeRoom: (error: unknown) => Promise<boolean>;
  /** Results on their way. */
  readonly files: ResultFiles;

  /** @param makeRoom  frees space after this error; answers whether it is worth another try */
  constructor(tree: Tree, options: DocumentOptions, makeRoom: (error: unknown) => Promise<boolean>) {
    this.#tree = tree;
    this.#options = options;
    this.#makeRoom = makeRoom;
    this.files = new ResultFiles(tree, options.durable);
  }

  async readPlan(): Promise<string> {
    return this.#reading(() => readIfThere(this.#tree.plan)?.toString() ?? '');
  }

  async writePlan(text: string, isAppended: boolean): Promise<string> {
    const body = `${text.trimEnd()}\n`;
    await this.#writing(() =>
      isAppended ? append(this.#tree.plan, `\n${body}`, this.#options) : this.#replace(this.#tree.plan, body),
    );
    return this.readPlan();
  }

  #replace(path: string, text: string): void {
    replaceFile(path, text, { scratch: scratchName(this.#tree.tmp), durable: this.#options.durable });
  }

  #reading<T>(read: () => T): T {
    try {
      checkTree(this.#tree, this.#options.stateFolder);
      return read();
    } catch (error) {
      throw explainErrno(error);
    }
  }

  /**
   * One writer after the other, as far as the lock can do that: on a network mount two machines that append at once may
   * both write at the same place.
   */
  async #writing(write: () => void): Promise<void> {
    const once = async (): Promise<void> => {
      checkTree(this.#tree, this.#options.stateFolder);
      const writeHere = (): void => {
        if (!this.#options.evenIfMoved) refuseMovedFolder(this.#tree);
        write();
      };
      await (this.#options.lock ? withLock(this.#tree.root, this.#tree.lock, async () => writeHere()) : writeHere());
    };
    try {
      await once().catch(async (error: unknown) => {
        if (!(await this.#makeRoom(error))) throw error;
        await once();
      });
    } catch (error) {
      throw explainErrno(error);
    }
  }

  async addDiscovery(discovery: Omit<Discovery, 'id'>): Promise<Discovery> {
    const text = discoveryText(discovery);
    await this.#writing(() => append(this.#tree.discoveries, text, this.#options));
    try {
      touch(this.#tree.bell);
    } catch {
      // The finding stands; waiters look by themselves every few seconds.
    }
    const all = await this.discoveries().catch((): Discovery[] => []); // it is written, whatever reading says
    const stored = all.findLast(
      (found) =>
        found.worker === discovery.worker &&
        found.created_at === discovery.created_at &&
        found.content === discovery.content,
    );
    return stored ?? { id: `discovery-${all.length}`, ...discovery };
  }

  async discoveries(): Promise<Discovery[]> {
    return this.#reading(() => parseDiscoveries(readIfThere(this.#tree.discoveries)?.toString() ?? ''));
  }

  async results(tasks: readonly Task[]): Promise<Result[]> {
    return this.#reading(() => {
      const results: Result[] = [];
      for (const task of tasks) {
        const text = readIfThere(this.#tree.result(task.id))?.toString();
        if (text === undefined) continue;
        const { id, claimed_by, attempt, completed_at } = task;
        results.push({ task_id: id, worker: claimed_by ?? '', attempt, completed_at, ...parseResult(text) });
      }
      return results;
    });
  }

  async keepRefused(refused: { task_id: string; worker: string; attempt: number; output: string }): Promise<Ref> {
    const text = refused.output.endsWith('\n') ? refused.output : `${refused.output}\n`;
    let path = '';
    await this.#writing(() => {
      path = this.files.refusedPath(refused.task_id, refused.worker, refused.attempt, text);
      mkdirSync(dirname(path), { recursive: true });
      if (!existsSync(path)) this.#replace(path, text);
    });
    return { ref: 'refused', name: basename(path, REFUSED) };
  }

  async late(taskId: string): Promise<LateResult[]> {
    return this.#reading(() =>
      namesIn(this.#tree.results)
        .filter((name) => name.startsWith(`${taskId}.`) && name.endsWith(REFUSED))
        .toSorted()
        .flatMap((file) => {
          const name = file.slice(0, -REFUSED.length);
          const worker = workerOfLate(taskId, name);
          const output = readIfThere(join(this.#tree.results, file))?.toString();
          return worker !== undefined && output !== undefined
            ? [{ name, worker, output: output.replace(/\n$/, '') }]
            : [];
        }),
    );
  }

  async writeSummary(text: string): Promise<Ref> {
    await this.#writing(() => this.#replace(this.#tree.summary, text));
    return { ref: 'summary' };
  }

  async archive(tasks: readonly Task[]): Promise<void> {
    await this.#writing(() => this.keepArchived(tasks));
  }

  /** The evidence of a result, one check a line, before its task is done. For who holds the lock. */
  keepChecks({ task, checks = [] }: Pick<ResultToStore, 'task' | 'checks'>): void {
    const { id, claimed_by: worker, attempt, evidence } = task;
    const about = { task_id: id, worker, attempt, at: evidence?.at ?? null, tree: evidence?.tree ?? null };
    const path = this.#tree.checksOf(id);
    mkdirSync(dirname(path), { recursive: true });
    append(path, checks.map((run) => `${JSON.stringify({ ...about, ...run })}\n`).join(''), this.#options);
  }

  /** For who holds the lock: the same without taking it. */
  keepArchived(tasks: readonly Task[]): void {
    const lines = tasks.map((task) => `${JSON.stringify(task)}\n`);
    append(this.#tree.archive, lines.join(''), this.#options);
  }

  async archived(): Promise<Task[]> {
    const text = this.#reading(() => readIfThere(this.#tree.archive)?.toString() ?? '');
    const found = new Map<string, Task>();
    for (const line of text.split('\n')) {
      const task = archivedTask(line);
      if (task) found.set(task.id, task);
    }
    return [...found.values()];
  }

  where(place: Ref): string {
    return placeIn(this.#tree, place);
  }

  /** Not the truth, which is the board; so not synced, and one line an event. */
  async addToLog(events: readonly BoardEvent[]): Promise<void> {
    const time = this.#options.now();
    const lines = new Map<string, string>();
    for (const event of events) lines.set(event.agent, `${lines.get(event.agent) ?? ''}${logLine({ time, ...event })}`);
    for (const [agent, text] of lines) append(this.#tree.log(agent), text, { durable: false });
  }

  async log(): Promise<LogEntry[]> {
    return this.#reading(() => this.#entries());
  }

  #entries(): LogEntry[] {
    const entries: LogEntry[] = [];
    for (const name of namesIn(this.#tree.logs)) {
      if (!name.endsWith('.log')) continue;
      const text = readIfThere(join(this.#tree.logs, name))?.toString() ?? '';
      for (const line of text.split('\n')) {
        const parts = /^(\S+Z) (\S+) (\S+) ?(.*)$/.exec(line);
        if (!parts) continue;
        const [, time = '', event = '', task = '', message = ''] = parts;
        entries.push({
          time,
          agent: name.slice(0, -'.log'.length),
          event,
          task_id: task === '-' ? null : task,
          message,
        });
      }
    }
    return entries.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  }
}

export function logLine({
  time,
  event,
  task_id,
  message,
}: Omit<LogEntry, 'task_id' | 'message'> & { task_id?: string | null; message?: string }): string {
  return `${time} ${event} ${task_id ?? '-'} ${(message ?? '').replace(/\s+/g, ' ').trim()}\n`;
}

/** Where people find it. */
export function placeIn(tree: Tree, place: Ref): string {
  switch (place.ref) {
    case 'plan':
    case 'discoveries':
    case 'summary':
    case 'results':
      return tree[place.ref];
    case 'result':
      return tree.result(place.id);
    case 'refused':
      return join(tree.results, `${place.name}${REFUSED}`);
  }
}

/** A line of the archive; undefined for what is none, such as the end of one that a crash cut short. */
function archivedTask(line: string): Task | undefined {
  if (line === '') return undefined;
  try {
    const task: unknown = JSON.parse(line);
    return faultOf({ version: 1, revision: 0, tasks: [withoutNeeds(task)] }) === undefined ? (task as Task) : undefined;
  } catch {
    return undefined;
  }
}

/** What it depends on is not checked: that is archived as well, or was. */
function withoutNeeds(task: unknown): unknown {
  return isRecord(task) ? { ...task, dependencies: [] } : task;
}
