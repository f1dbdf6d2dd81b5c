/** Who else works on the files of a task, and whether that keeps it from being claimed. */
import { type Board, compareIds, findTask } from './board.ts';
import { PathIndex } from './files.ts';
import { isLive } from './lifecycle.ts';
import type { ClaimedTask, Task } from './task.ts';

/** A claimed task of another worker that names files of this one. */
export interface Overlap {
  task_id: string;
  worker: string;
  files: string[];
}

/** The files of all live claims. */
export function claimedFiles(board: Board, now: string): PathIndex<ClaimedTask> {
  const index = new PathIndex<ClaimedTask>();
  for (const task of board.tasks) if (isLive(task, now)) for (const file of task.context.files) index.add(file, task);
  return index;
}

/** The claimed tasks that name files of this one, each with those files. */
export function findOverlaps(task: Task, claimed: PathIndex<ClaimedTask>): Overlap[] {
  const overlaps = new Map<string, Overlap>();
  for (const file of task.context.files) {
    for (const other of claimed.find(file)) {
      if (other.id === task.id) continue;
      const overlap = overlaps.get(other.id) ?? { task_id: other.id, worker: other.claimed_by, files: [] };
      overlap.files.push(file);
      overlaps.set(other.id, overlap);
    }
  }
  return [...overlaps.values()].toSorted((a, b) => compareIds(a.task_id, b.task_id));
}

/**
 * The live claims of other workers that name one of these paths, a folder around it, or something in it.
 *
 * @param otherNames  of a file that a task names, as where a link in its path leads
 */
export function claimsOn(
  board: Board,
  paths: readonly string[],
  worker: string,
  now: string,
  otherNames: (file: string) => readonly string[] = () => [],
): ClaimedTask[] {
  const index = new PathIndex<ClaimedTask>();
  for (const task of board.tasks)
    if (isLive(task, now) && task.claimed_by !== worker)
      for (const file of task.context.files) for (const name of [file, ...otherNames(file)]) index.add(name, task);
  return [...new Set(paths.flatMap((path) => [...index.find(path)]))];
}

/** Exclusive tasks do not run beside a task that names one of their files, nor the other way round. */
export function isHeldBack(board: Board, task: Task, overlaps: readonly Overlap[]): boolean {
  if (overlaps.length === 0) return false;
  return task.exclusive === true || overlaps.some(({ task_id }) => findTask(board, task_id).exclusive === true);
}
