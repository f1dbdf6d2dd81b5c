/**
 * Results on their way: written before their commit where only their own attempt finds them, named after it, and kept as
 * refused where it did not happen.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Board, type ResultToStore, tasksById } from '../../model/board.ts';
import { isName } from '../../model/limits.ts';
import type { Task } from '../../model/task.ts';
import { moveIfThere, namesIn, removeIfThere, writeNew } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import { resultText } from './result-text.ts';
import { scratchName } from './scratch.ts';
import type { Tree } from './tree.ts';

/** Ends the names of results that were not accepted. */
export const REFUSED = '.refused.md';

export class ResultFiles {
  readonly #tree: Tree;
  readonly #durable: boolean;

  constructor(tree: Tree, durable: boolean) {
    this.#tree = tree;
    this.#durable = durable;
  }

  /**
   * Writes a result where only its own attempt finds it. `keep` gives it its name after the commit; a crash in between
   * is made good by {@link finish}. The digest in the name tells two results of one attempt apart.
   */
  stage(result: ResultToStore): { keep(): void; discard(): void } {
    const { task } = result;
    const temp = scratchName(this.#tree.tmp);
    // A name of its own: another process may be handing in the same result, and take its file back.
    const path = join(this.#tree.pending, `${pendingName(task)}@${basename(temp)}.md`);
    const bytes = Buffer.from(resultText(result));
    writeNew(temp, [bytes], this.#durable);
    mkdirSync(this.#tree.pending, { recursive: true });
    // Not there any more: somebody has tidied up while this process slept. The text is still in hand.
    if (!moveIfThere(temp, path)) writeNew(path, [bytes], this.#durable);
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

  /** The results on their way, by the names of their files. */
  pending(): string[] {
    return namesIn(this.#tree.pending);
  }

  /**
   * Names the results whose commit happened and whose process then died; keeps those that came too late as refused.
   *
   * @param names  as {@link pending} gave them before the board was read: of what was handed in since an older board knows
   *   nothing, and would take it for too late
   */
  finish(board: Board, names: readonly string[]): void {
    if (names.length === 0) return;
    const tasks = tasksById(board);
    for (const name of names) {
      const path = join(this.#tree.pending, name);
      const [id, worker, attempt] = parsePendingName(name);
      if (!isName(id) || !isName(worker) || !Number.isSafeInteger(attempt)) continue; // none of ours
      const task = tasks.get(id);
      if (task && (task.status === 'done' || task.status === 'submitted') && name.startsWith(`${pendingName(task)}@`))
        this.#nameResult(path, id);
      else if (task?.status !== 'claimed' || task.claimed_by !== worker || task.attempt !== attempt) {
        // Its attempt is over, and it was not accepted. The text is somebody's work all the same.
        moveIfThere(path, this.refusedPath(id, worker, attempt, ''));
      }
    }
  }

  /** The first free name, or the one that holds this very text. */
  refusedPath(taskId: string, worker: string, attempt: number, text: string): string {
    for (let n = 1; ; n++) {
      const path = join(this.#tree.results, `${taskId}.${worker}.${attempt}${n === 1 ? '' : `-${n}`}${REFUSED}`);
      const there = readIfThere(path);
      if (!there || there.toString() === text) return path;
    }
  }
}

function pendingName(task: Task): string {
  return `${task.id}@${task.claimed_by}@${task.attempt}@${task.result_digest}`;
}

function parsePendingName(name: string): [id: string, worker: string, attempt: number] {
  const [id = '', worker = '', attempt = ''] = name.split('@'); // names of tasks and workers hold no @
  return [id, worker, Number(attempt)];
}
