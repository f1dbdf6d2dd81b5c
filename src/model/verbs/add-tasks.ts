/** Adds tasks, a whole batch in one transaction. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, LEADER } from '../board.ts';
import { CoordError } from '../errors.ts';
import { Description, lazily, Name, taskFields } from '../fields.ts';
import { sortByDependency } from '../graph.ts';
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_PRIORITY } from '../limits.ts';
import type { AvailableTask, Task } from '../task.ts';
import { clip } from '../text.ts';
import { type Shown, shownStatus } from '../views/listing.ts';
import { isArchivedDone, mayBeArchived } from '../archived.ts';

export const NewTask = lazily(() =>
  z.strictObject({
    description: Description(),
    key: z.optional(Name()),
    ...taskFields(),
  }),
);
export const AddTasks = lazily(() =>
  z.strictObject({
    tasks: z.array(NewTask()).check(z.minLength(1, 'must hold at least one task'), z.maxLength(100_000)),
  }),
);
export type NewTask = z.infer<ReturnType<typeof NewTask>>;
export type AddTasks = z.infer<ReturnType<typeof AddTasks>>;

export interface AddAnswer {
  /** The tasks in the order of the input; those whose key was known are the ones that were there. */
  tasks: Task[];
  /** How many of them are new. */
  added: number;
  /** How a list shows each of them: what is available may be blocked, or stuck. */
  shown: Shown[];
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
        details: { task_id: known.id, ...(input.tasks.length === 1 ? {} : { index }) },
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
        board,
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
  const next = added.length === 0 ? board : { ...board, tasks: [...board.tasks, ...added] };
  const tasks = batch.map((task) => fresh.get(task.id) ?? task);
  const answer = { tasks, added: added.length, shown: tasks.map(shownStatus(next, now)) };
  if (next === board) return { answer };
  return {
    board: next,
    answer,
    events: added.map((task) => eventOf(LEADER, 'add', task, `priority ${task.priority}: ${clip(task.description)}`)),
    repeatable: input.tasks.every((task) => task.key !== undefined),
  };
}

function newTask(id: string, wanted: NewTask, now: string): AvailableTask {
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
    ...(wanted.checks === undefined ? {} : { checks: wanted.checks }),
    ...(wanted.check_timeout === undefined ? {} : { check_timeout: wanted.check_timeout }),
    ...(wanted.review === undefined ? {} : { review: wanted.review }),
  };
}

/** Highest number in an id of the form task-N, used now or before. */
export function highestNumber(board: { last_id?: number | undefined; tasks: readonly { id: string }[] }): number {
  let highest = board.last_id ?? 0;
  for (const { id } of board.tasks) {
    const number = id.startsWith('task-') ? Number(id.slice(5)) : 0;
    if (Number.isSafeInteger(number) && number > highest) highest = number;
  }
  return highest;
}

/**
 * In this order: an id of the board, a key, an id of its archive, the n-th of the batch (`#n` where `task-n` may be an id as
 * well).
 */
export function resolveDependency(
  name: string,
  board: Board,
  ids: Set<string>,
  byKey: Map<string, Task>,
  batch: readonly Task[],
  where: string,
): string {
  if (ids.has(name)) return name;
  const keyed = byKey.get(name);
  if (keyed) return keyed.id;
  if (isArchivedDone(board, name)) return name;
  const nth = mayBeArchived(board, name) ? undefined : batch[Number(/^(?:task-|#)([1-9]\d*)$/.exec(name)?.[1]) - 1];
  if (nth) return nth.id;
  throw new CoordError(
    'dependency-unknown',
    `${where} depends on ${name}, which is ${mayBeArchived(board, name) ? 'not done, or gone: see coord leader list --archived' : batch.length > 1 ? 'neither on the board nor in this batch' : 'not on the board'}.`,
    { details: {} },
  );
}

export function refuseCycle(tasks: readonly Task[]): void {
  const { cycle } = sortByDependency(tasks);
  if (!cycle) return;
  throw new CoordError('dependency-cycle', `These tasks would wait for each other for ever: ${cycle.join(' -> ')}.`, {
    details: {},
  });
}
