/** The texts beside the board: plan, discoveries, results, logs, summary. */
import { existsSync, lstatSync, mkdirSync, realpathSync, renameSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type Board, type BoardEvent, tasksById, type ResultToStore } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { isName } from '../../model/limits.ts';
import type { Discovery, LogEntry, Result } from '../../model/report.ts';
import type { Task } from '../../model/task.ts';
import type { Documents } from '../store.ts';
import { append, moveIfThere, namesIn, readIfThere, removeIfThere, replaceFile, touch, writeNew } from './atomic.ts';
import { explainErrno, orAbsent } from './errno.ts';
import { checkTree } from './guard.ts';
import { withLock } from './lock.ts';
import { scratchName } from './scratch.ts';
import type { Tree } from './tree.ts';

export interface DocumentOptions {
  durable: boolean;
  /** The board's clock, ISO 8601 UTC. */
  now: () => string;
  lock: boolean;
  stateFolder: string | undefined;
}

export class FileDocuments implements Documents {
  readonly #tree: Tree;
  readonly #options: DocumentOptions;
  readonly #makeRoom: (error: unknown) => Promise<boolean>;

  /** @param makeRoom  frees space after this error; answers whether it is worth another try */
  constructor(tree: Tree, options: DocumentOptions, makeRoom: (error: unknown) => Promise<boolean>) {
    this.#tree = tree;
    this.#options = options;
    this.#makeRoom = makeRoom;
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
      await (this.#options.lock ? withLock(this.#tree.root, this.#tree.lock, async () => write()) : write());
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

  /**
   * Writes a result where only its own attempt finds it. `keep` gives it its name after the commit; a crash in between
   * is made good by {@link finishResults}. The digest in the name tells two results of one attempt apart.
   */
  stageResult(result: ResultToStore): { keep(): void; discard(): void } {
    const { task } = result;
    const temp = scratchName(this.#tree.tmp);
    // A name of its own: another process may be handing in the same result, and take its file back.
    const path = join(this.#tree.pending, `${pendingName(task)}@${basename(temp)}.md`);
    const bytes = Buffer.from(resultText(result));
    writeNew(temp, [bytes], this.#options.durable);
    mkdirSync(this.#tree.pending, { recursive: true });
    // Not there any more: somebody has tidied up while this process slept. The text is still in hand.
    if (!moveIfThere(temp, path)) writeNew(path, [bytes], this.#options.durable);
    return {
      keep: () => this.#nameResult(path, task.id),
      discard: () => removeIfThere(path),
    };
  }

  #nameResult(path: string, taskId: string): void {
    mkdirSync(this.#tree.results, { recursive: true });
    try {
      renameSync(path, this.#tree.result(taskId));
    } catch (error) {
      // Gone: another process finished the naming, or it was carried out and answered with an error.
      if (existsSync(path)) throw error;
    }
  }

  /** Names the results whose commit happened and whose process then died; keeps those that came too late as refused. */
  finishResults(board: Board): void {
    const names = namesIn(this.#tree.pending);
    if (names.length === 0) return;
    const tasks = tasksById(board);
    for (const name of names) {
      const path = join(this.#tree.pending, name);
      const [id, worker, attempt] = parsePendingName(name);
      if (!isName(id) || !isName(worker) || !Number.isSafeInteger(attempt)) continue; // none of ours
      const task = tasks.get(id);
      if (task && task.status === 'done' && name.startsWith(`${pendingName(task)}@`)) this.#nameResult(path, id);
      else if (task?.status !== 'claimed' || task.claimed_by !== worker || task.attempt !== attempt) {
        // Its attempt is over, and it was not accepted. The text is somebody's work all the same.
        moveIfThere(path, this.#refusedPath(id, worker, attempt, ''));
      }
    }
  }

  async keepRefused(refused: { task_id: string; worker: string; attempt: number; output: string }): Promise<string> {
    const text = refused.output.endsWith('\n') ? refused.output : `${refused.output}\n`;
    let path = '';
    await this.#writing(() => {
      path = this.#refusedPath(refused.task_id, refused.worker, refused.attempt, text);
      mkdirSync(dirname(path), { recursive: true });
      if (!existsSync(path)) this.#replace(path, text);
    });
    return relative(dirname(this.#tree.root), path);
  }

  /** The first free name, or the one that holds this very text. */
  #refusedPath(taskId: string, worker: string, attempt: number, text: string): string {
    for (let n = 1; ; n++) {
      const path = join(this.#tree.results, `${taskId}.${worker}.${attempt}${n === 1 ? '' : `-${n}`}.refused.md`);
      const there = readIfThere(path);
      if (!there || there.toString() === text) return path;
    }
  }

  async writeSummary(text: string, path = this.#tree.summary): Promise<string> {
    if (path === this.#tree.summary) await this.#writing(() => this.#replace(path, text));
    else this.#export(path, text);
    return path;
  }

  /** A file of the caller's, perhaps on another disk; a link is followed, what is no file is left alone. */
  #export(path: string, text: string): void {
    try {
      const real = orAbsent(() => realpathSync(path)) ?? path;
      const there = lstatSync(real, { throwIfNoEntry: false });
      if (there && !there.isFile()) {
        throw new CoordError('store-unavailable', `${path} is no ordinary file; nothing was written.`, {
          hint: 'coord leader aggregate -o - prints it',
        });
      }
      replaceFile(real, text, {
        scratch: scratchName(dirname(real)),
        durable: this.#options.durable,
        ...(there ? { mode: there.mode & 0o777 } : {}),
      });
    } catch (error) {
      throw explainErrno(error);
    }
  }

  /** Not the truth, which is the board; so not synced, and one line an event. */
  async addToLog(events: readonly BoardEvent[]): Promise<void> {
    const time = this.#options.now();
    const lines = new Map<string, string>();
    for (const { agent, event, task_id, message } of events) {
      lines.set(
        agent,
        `${lines.get(agent) ?? ''}${time} ${event} ${task_id ?? '-'} ${(message ?? '').replace(/\s+/g, ' ').trim()}\n`,
      );
    }
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

function pendingName(task: Task): string {
  return `${task.id}@${task.claimed_by}@${task.attempt}@${task.result_digest}`;
}

function parsePendingName(name: string): [id: string, worker: string, attempt: number] {
  const [id = '', worker = '', attempt = ''] = name.split('@'); // names of tasks and workers hold no @
  return [id, worker, Number(attempt)];
}

/** The result as people read it: a heading, who and when, the files, and the worker's text. */
function resultText({ task, output, files_modified, files_created }: ResultToStore): string {
  const lines = [
    `# ${task.id}: ${task.description.replace(/\s+/g, ' ')}`,
    '',
    `- Worker: ${task.claimed_by}`,
    `- Attempt: ${task.attempt}`,
    `- Completed: ${task.completed_at}`,
    ...(files_modified.length > 0 ? [`- Modified: ${JSON.stringify(files_modified).slice(1, -1)}`] : []),
    ...(files_created.length > 0 ? [`- Created: ${JSON.stringify(files_created).slice(1, -1)}`] : []),
  ];
  return `${lines.join('\n')}\n\n${output}${output.endsWith('\n') ? '' : '\n'}`;
}

/** Reads what {@link resultText} wrote; a file written by hand is all output. */
function parseResult(text: string): Pick<Result, 'output' | 'files_modified' | 'files_created'> {
  const head = /^# [^\n]*\n\n((?:- [A-Z][a-z]+: [^\n]*\n)+)\n/.exec(text);
  if (!head) return { output: text, files_modified: [], files_created: [] };
  return {
    output: text.slice(head[0].length).replace(/\n$/, ''),
    files_modified: filesIn(head[1] ?? '', 'Modified'),
    files_created: filesIn(head[1] ?? '', 'Created'),
  };
}

function filesIn(head: string, label: string): string[] {
  const list = new RegExp(`^- ${label}: (.*)$`, 'm').exec(head)?.[1];
  if (list === undefined) return [];
  try {
    const files: unknown = JSON.parse(`[${list}]`);
    return Array.isArray(files) ? files.map(String) : [];
  } catch {
    return list.split(',').map((file) => file.trim());
  }
}

const DISCOVERY = /^## (\S+Z) ([A-Za-z0-9._-]+)(?: \(([A-Za-z0-9._-]+)\))?((?: #[A-Za-z0-9._-]+)*)$/;

function discoveryText({ worker, created_at, content, tags, task_id }: Omit<Discovery, 'id'>): string {
  const heading = `## ${created_at} ${worker}${task_id === null ? '' : ` (${task_id})`}${tags.map((tag) => ` #${tag}`).join('')}`;
  // A line that looks like such a heading would start a discovery of its own: a backslash keeps it text.
  const body = content.split('\n').map((line) => (/^\\*## /.test(line) ? `\\${line}` : line));
  return `\n${heading}\n\n${body.join('\n')}\n`;
}

function parseDiscoveries(text: string): Discovery[] {
  const found: Discovery[] = [];
  let body: string[] = [];
  const close = (): void => {
    const last = found.at(-1);
    if (last) last.content = body.join('\n').trim();
    body = [];
  };
  for (const line of text.split('\n')) {
    const heading = DISCOVERY.exec(line);
    if (!heading) {
      body.push(line.replace(/^\\(\\*## )/, '$1'));
      continue;
    }
    close();
    const [, created_at = '', worker = '', task_id, tags = ''] = heading;
    found.push({
      id: `discovery-${found.length + 1}`,
      worker,
      created_at,
      content: '',
      tags: tags.split(' #').filter((tag) => tag !== ''),
      task_id: task_id ?? null,
    });
  }
  close();
  return found;
}
