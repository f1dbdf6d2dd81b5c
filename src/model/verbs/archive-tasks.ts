/** Moves settled tasks out of the board. */
import * as z from 'zod/mini';
import { archivedNumbers, archivedOf, NUMBERED, ranges } from '../archived.ts';
import { type Board, type Change, eventOf, LEADER } from '../board.ts';
import { lazily } from '../fields.ts';
import { isSettled } from '../lifecycle.ts';
import type { Task } from '../task.ts';
import { plural } from '../text.ts';
import { finalChange } from '../undo.ts';
import { highestNumber } from './add-tasks.ts';

export const ArchiveTasks = lazily(() =>
  z.strictObject({
    /** Only what was settled before this moment, ISO 8601 UTC. */
    before: z.optional(z.string()),
  }),
);
export type ArchiveTasks = z.infer<ReturnType<typeof ArchiveTasks>>;

/**
 * Moves settled tasks to the archive: all but those that failed or were cancelled while something still waits for them, and
 * those that are named in another way than `task-7`.
 */
export function archiveTasks(board: Board, input: ArchiveTasks, now: string): Change<{ tasks: Task[] }> {
  const needed = new Set(board.tasks.filter((task) => !isSettled(task)).flatMap(({ dependencies }) => dependencies));
  const candidates = new Set(
    board.tasks.filter(
      (task) =>
        isSettled(task) &&
        isOld(task, input.before) &&
        NUMBERED.test(task.id) &&
        (task.status === 'done' || !needed.has(task.id)),
    ),
  );
  const tasks = [...candidates];
  if (tasks.length === 0) return { answer: { tasks } };
  const done = tasks.flatMap(({ id, status }) => (status === 'done' ? [Number(NUMBERED.exec(id)?.[1])] : []));
  return {
    board: {
      ...board,
      tasks: board.tasks.filter((task) => !candidates.has(task)),
      last_id: highestNumber(board),
      archived: {
        count: (archivedOf(board)?.count ?? 0) + tasks.length,
        done: ranges([...archivedNumbers(board), ...done]),
      },
      last_change: finalChange(`archived ${plural(tasks.length, 'task')}`, now),
    },
    answer: { tasks },
    archive: tasks,
    events: tasks.map((task) => eventOf(LEADER, 'archive', task, '')),
  };
}

function isOld({ completed_at }: Task, before: string | undefined): boolean {
  return before === undefined || (completed_at !== null && completed_at < before);
}
