/** Opens done tasks again. */
import { type Board, type Change, eventOf, findTask, LEADER, replaceTasks } from '../board.ts';
import { CoordError } from '../errors.ts';
import type { TaskIds } from '../fields.ts';
import { dependantsOf } from '../graph.ts';
import { allows, toAvailable } from '../lifecycle.ts';
import type { Task } from '../task.ts';

export interface ReopenAnswer {
  tasks: Task[];
  /** Tasks that were begun on what these had done: they stay as they are. */
  built_on: string[];
}

/**
 * Makes done tasks available again, with at least one attempt left. Their results stay until the next replaces them.
 *
 * @throws CoordError `task-not-found`, `task-state` when one is not done
 */
export function reopenTasks(board: Board, input: TaskIds): Change<ReopenAnswer> {
  const tasks = input.task_ids.map((id) => {
    const task = findTask(board, id);
    if (!allows('reopen', task))
      throw new CoordError('task-state', `${id} is ${task.status}; only done tasks can be reopened.`, {
        details: { task_id: id },
      });
    const { result_digest: _, bounces: __, begun_at: ___, ...rest } = toAvailable(task);
    return { ...rest, max_attempts: Math.max(task.max_attempts, task.attempt + 1) };
  });
  const built = dependantsOf(board.tasks, input.task_ids).filter(
    ({ status }) => status === 'done' || status === 'claimed',
  );
  return {
    board: replaceTasks(board, tasks),
    answer: { tasks, built_on: built.map(({ id }) => id) },
    events: tasks.map((task) => eventOf(LEADER, 'reopen', task, '')),
  };
}
