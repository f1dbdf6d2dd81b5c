/** Changes what a task says; who holds it, its own verbs change. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, findTask, LEADER, replaceTasks } from '../board.ts';
import { CoordError } from '../errors.ts';
import { Description, lazily, TaskId, taskFields } from '../fields.ts';
import { allows } from '../lifecycle.ts';
import type { Task } from '../task.ts';
import { refuseCycle, resolveDependency } from './add-tasks.ts';

export const EditTask = lazily(() =>
  z.strictObject({
    task_id: TaskId(),
    description: z.optional(Description()),
    ...taskFields(),
  }),
);
export type EditTask = z.infer<ReturnType<typeof EditTask>>;

/**
 * Changes what a task says. A done task never changes.
 *
 * @throws CoordError `task-not-found`, `task-state`, `dependency-unknown`, `dependency-cycle`
 */
export function editTask(board: Board, input: EditTask): Change<{ task: Task }> {
  const task = findTask(board, input.task_id);
  if (!allows('edit', task)) {
    throw new CoordError('task-state', `${task.id} is ${task.status} and does not change any more.`, {
      details: { why: 'settled', task_id: task.id },
    });
  }
  const { task_id: _, files, hints, dependencies, ...plain } = input;
  const ids = new Set(board.tasks.map((candidate) => candidate.id));
  const byKey = new Map(board.tasks.filter((t) => t.key !== undefined).map((t) => [t.key as string, t])); // filtered above
  const edited: Task = {
    ...task,
    ...withoutUndefined(plain),
    dependencies: dependencies
      ? [...new Set(dependencies.map((name) => resolveDependency(name, board, ids, byKey, [], task.id)))]
      : task.dependencies,
    context: { ...task.context, files: files ?? task.context.files, hints: hints ?? task.context.hints },
  };
  // What could not be run is asked for in another way now.
  if ((input.checks ?? input.check_timeout) !== undefined && task.evidence?.verdict === 'broken')
    delete edited.evidence;
  const next = replaceTasks(board, [edited]);
  if (dependencies) refuseCycle(next.tasks);
  const changed = Object.keys(input).filter(
    (field) => field !== 'task_id' && input[field as keyof EditTask] !== undefined,
  );
  return {
    board: next,
    answer: { task: edited },
    events: [eventOf(LEADER, 'edit', task, changed.join(', '))],
    repeatable: true,
  };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // The cast only says what the filter does.
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
