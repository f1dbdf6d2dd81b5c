/** The leader takes claims away; a worker gives its own back, see release.ts. */
import { type Board, type Change, eventOf, findTask, LEADER, replaceTasks } from '../board.ts';
import { CoordError } from '../errors.ts';
import type { TaskIds } from '../fields.ts';
import { allows, toAvailable } from '../lifecycle.ts';
import type { Task } from '../task.ts';

/**
 * Makes claimed tasks available again; what their workers still hand in is taken as long as nobody else has claimed them.
 *
 * @throws CoordError `task-not-found`, `task-state` when one is not claimed
 */
export function takeBackTasks(board: Board, input: TaskIds): Change<{ tasks: Task[] }> {
  const held = input.task_ids.map((id) => {
    const task = findTask(board, id);
    if (allows('takeBack', task)) return task;
    throw new CoordError('task-state', `${id} is ${task.status}, not claimed.`, { details: { task_id: id } });
  });
  // As with giving back: it uses up none of the attempts, and their number only grows.
  const tasks = held.map((task) => ({
    ...toAvailable(task),
    max_attempts: task.max_attempts + 1,
    taken_from: task.claimed_by ?? undefined,
  }));
  return {
    board: replaceTasks(board, tasks),
    answer: { tasks },
    events: held.map((task) => eventOf(LEADER, 'release', task, `taken from ${task.claimed_by}`)),
  };
}
