/** The verbs of the leader: add, edit, cancel, retry, take a claim away. Pure: `(board, input, now) -> Change`. */
import {
  type Board,
  type BoardEvent,
  type Change,
  findTask,
  isSettled,
  LEADER,
  replaceTasks,
  unclaimed,
} from './board.ts';
import { CoordError } from './errors.ts';
import { dependantsOf, sortByDependency } from './graph.ts';
import type { AddTasks, CancelTasks, EditTask, NewTask, TaskIds } from './inputs.ts';
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_PRIORITY } from './limits.ts';
import type { Task } from './task.ts';
import { clip } from './text.ts';

export interface AddAnswer {
  /** The tasks in the order of the input; those whose key was known are the ones that were there. */
  tasks: Task[];
  /** How many of them are new. */
  added: number;
}

/**
 * Adds a batch, all or none. A key that is on the board already gives the task that bears it.
 *
 * @throws CoordError `dependency-unknown`, `dependency-cycle`, `key-taken`
 */
export function addTasks(board: Board, input: AddTasks, now: string): Change<AddAnswer> {
  const byKey = new Map<string, Task>();
  for (const task of board.tasks) if (task.key !== undefined) byKey.set(task.key, task);

  let number = highestNumber(board);
  const batch = input.tasks.map((wanted, index) => {
    const known = wanted.key === undefined ? undefined : byKey.get(wanted.key);
    if (known && known.description !== wanted.description) {
      throw new CoordError('key-taken', `Key "${known.key}" is taken by ${known.id} (${clip(known.description)}).`, {
        hint: `Take another key${input.tasks.length === 1 ? '' : ` for tasks[${index}]`}, or change ${known.id} with coord leader edit.`,
      });
    }
    if (known) return known;
    const task = newTask(`task-${String(++number).padStart(3, '0')}`, wanted, now);
    if (task.key !== undefined) byKey.set(task.key, task);
    return task;
  });

  const ids = new Set(board.tasks.map((task) => task.id));
  const fresh = new Map<string, Task>();
  for (const [index, task] of batch.entries()) {
    if (ids.has(task.id) || fresh.has(task.id)) continue;
    const dependencies = (input.tasks[index]?.dependencies ?? []).map((name) =>
      resolveDependency(
        name,
        ids,
        byKey,
        batch,
        input.tasks.length === 1 ? 'The task' : `tasks[${index}] (${clip(task.description)})`,
      ),
    );
    fresh.set(task.id, { ...task, dependencies: [...new Set(dependencies)] });
  }
  const added = [...fresh.values()];
  refuseCycle(added);
  const answer = { tasks: batch.map((task) => fresh.get(task.id) ?? task), added: added.length };
  if (added.length === 0) return { answer };
  return {
    board: { ...board, tasks: [...board.tasks, ...added] },
    answer,
    events: added.map((task) => ({
      agent: LEADER,
      event: 'add',
      task_id: task.id,
      message: `priority ${task.priority}: ${clip(task.description)}`,
    })),
    repeatable: input.tasks.every((task) => task.key !== undefined),
  };
}

function newTask(id: string, wanted: NewTask, now: string): Task {
  return {
    id,
    description: wanted.description,
    status: 'available',
    claimed_by: null,
    priority: wanted.priority ?? DEFAULT_PRIORITY,
    dependencies: [],
    context: { files: wanted.files ?? [], hints: wanted.hints ?? '' },
    tags: wanted.tags ?? [],
    attempt: 0,
    max_attempts: wanted.max_attempts ?? DEFAULT_MAX_ATTEMPTS,
    created_at: now,
    claimed_at: null,
    lease_expires_at: null,
    completed_at: null,
    last_error: null,
    ...(wanted.exclusive === true ? { exclusive: true } : {}),
    ...(wanted.key === undefined ? {} : { key: wanted.key }),
  };
}

/** Highest number in an id of the form task-N, used now or before. */
export function highestNumber(board: Board): number {
  let highest = board.last_id ?? 0;
  for (const { id } of board.tasks) {
    const number = id.startsWith('task-') ? Number(id.slice(5)) : 0;
    if (Number.isSafeInteger(number) && number > highest) highest = number;
  }
  return highest;
}

/** In this order: an id of the board, a key, the n-th of the batch (`#n` where `task-n` may be an id as well). */
function resolveDependency(
  name: string,
  ids: Set<string>,
  byKey: Map<string, Task>,
  batch: readonly Task[],
  where: string,
): string {
  if (ids.has(name)) return name;
  const keyed = byKey.get(name);
  if (keyed) return keyed.id;
  const nth = batch[Number(/^(?:task-|#)([1-9]\d*)$/.exec(name)?.[1]) - 1];
  if (nth) return nth.id;
  throw new CoordError(
    'dependency-unknown',
    `${where} depends on ${name}, which is ${batch.length > 1 ? 'neither on the board nor in this batch' : 'not on the board'}.`,
    {
      hint: 'coord leader list',
    },
  );
}

function refuseCycle(tasks: readonly Task[]): void {
  const { cycle } = sortByDependency(tasks);
  if (!cycle) return;
  throw new CoordError('dependency-cycle', `These tasks would wait for each other for ever: ${cycle.join(' -> ')}.`, {
    hint: 'Leave out one of these dependencies.',
  });
}

/**
 * Changes what a task says. A done task never changes.
 *
 * @throws CoordError `task-not-found`, `task-state`, `dependency-unknown`, `dependency-cycle`
 */
export function editTask(board: Board, input: EditTask): Change<Task> {
  const task = findTask(board, input.task_id);
  if (task.status === 'done') {
    throw new CoordError('task-state', `${task.id} is done and does not change any more.`, {
      hint: 'coord leader add-task "<what remains>"',
    });
  }
  const { task_id: _, files, hints, dependencies, ...plain } = input;
  const ids = new Set(board.tasks.map((candidate) => candidate.id));
  const byKey = new Map(board.tasks.filter((t) => t.key !== undefined).map((t) => [t.key as string, t])); // filtered above
  const edited: Task = {
    ...task,
    ...withoutUndefined(plain),
    dependencies: dependencies
      ? [...new Set(dependencies.map((name) => resolveDependency(name, ids, byKey, [], task.id)))]
      : task.dependencies,
    context: { ...task.context, files: files ?? task.context.files, hints: hints ?? task.context.hints },
  };
  const next = replaceTasks(board, [edited]);
  if (dependencies) refuseCycle(next.tasks);
  const changed = Object.keys(input).filter(
    (field) => field !== 'task_id' && input[field as keyof EditTask] !== undefined,
  );
  return {
    board: next,
    answer: edited,
    events: [{ agent: LEADER, event: 'edit', task_id: task.id, message: changed.join(', ') }],
    repeatable: true,
  };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // The cast only says what the filter does.
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

/**
 * Gives failed and cancelled tasks another chance: available again, with at least one attempt left.
 *
 * @throws CoordError `task-not-found`, `task-state` when one is neither failed nor cancelled
 */
export function retryTasks(board: Board, input: TaskIds): Change<Task[]> {
  const retried = input.task_ids.map((id) => {
    const task = findTask(board, id);
    if (task.status !== 'failed' && task.status !== 'cancelled') {
      throw new CoordError('task-state', `${id} is ${task.status}; only failed and cancelled tasks can be retried.`, {
        hint: `coord leader show ${id}`,
      });
    }
    return {
      ...unclaimed(task, 'available'),
      max_attempts: Math.max(task.max_attempts, task.attempt + 1),
      completed_at: null,
    };
  });
  return {
    board: replaceTasks(board, retried),
    answer: retried,
    events: retried.map((task) => event('retry', task, `attempt ${task.attempt + 1} of ${task.max_attempts} is free`)),
  };
}

/**
 * Cancels tasks that are not settled; with `cascade` also all that wait for them. Cancelling a cancelled task is a success.
 *
 * @throws CoordError `task-not-found`, `task-state` when one is done or failed
 */
export function cancelTasks(board: Board, input: CancelTasks, now: string): Change<Task[]> {
  const named = input.task_ids.map((id) => findTask(board, id));
  for (const task of named) {
    if (task.status === 'done' || task.status === 'failed') {
      throw new CoordError('task-state', `${task.id} is already ${task.status}.`, {
        hint: `coord leader show ${task.id}`,
      });
    }
  }
  const cascaded = input.cascade ? dependantsOf(board.tasks, input.task_ids).filter((task) => !isSettled(task)) : [];
  const holders = new Map([...named, ...cascaded].map((task) => [task.id, task.claimed_by]));
  const cancelled = [...named.filter((task) => task.status !== 'cancelled'), ...cascaded].map((task) => ({
    ...unclaimed(task, 'cancelled'),
    completed_at: now,
  }));
  const answer = [...named.filter((task) => task.status === 'cancelled'), ...cancelled];
  if (cancelled.length === 0) return { answer };
  return {
    board: replaceTasks(board, cancelled),
    answer,
    events: cancelled.map((task) =>
      event('cancel', task, holders.get(task.id) ? `was claimed by ${holders.get(task.id)}` : ''),
    ),
  };
}

/**
 * Takes claims away from their workers: the tasks are available again, and what the worker still hands in is refused.
 *
 * @throws CoordError `task-not-found`, `task-state` when one is not claimed
 */
export function releaseTasks(board: Board, input: TaskIds): Change<Task[]> {
  const holders: string[] = [];
  const released = input.task_ids.map((id) => {
    const task = findTask(board, id);
    if (task.status !== 'claimed') {
      throw new CoordError('task-state', `${id} is ${task.status}, not claimed.`, { hint: `coord leader show ${id}` });
    }
    holders.push(task.claimed_by ?? '');
    return { ...unclaimed(task, 'available'), max_attempts: task.max_attempts + 1 };
  });
  return {
    board: replaceTasks(board, released),
    answer: released,
    events: released.map((task, i) => event('release', task, `taken from ${holders[i]}`)),
  };
}

function event(name: string, task: Task, message: string): BoardEvent {
  return { agent: LEADER, event: name, task_id: task.id, message };
}
