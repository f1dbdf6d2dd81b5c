/** The handlers of `coord leader` that change what becomes of tasks: retry, reopen, cancel, release, undo, archive. */
import { type Context, type Reply, withStore } from '../io.ts';
import { archiveTasks, ArchiveTasks } from '../../model/verbs/archive-tasks.ts';
import { isSettled } from '../../model/lifecycle.ts';
import { LEADER } from '../../model/limits.ts';
import { CancelTasks } from '../../model/verbs/cancel-tasks.ts';
import type { Task } from '../../model/task.ts';
import type { Store } from '../../store/store.ts';
import { parseInput } from '../../model/parse-input.ts';
import { RetryTasks } from '../../model/verbs/retry-tasks.ts';
import { visible, plural } from '../../model/text.ts';
import { TaskIds } from '../../model/fields.ts';
import { summarise } from '../../model/views/summary.ts';
/** `retry`, `cancel` and `release` of the leader: the same words around three verbs. */
async function forTasks(
  context: Context,
  done: string,
  verb: (store: Store) => Promise<{ tasks: Task[] }>,
  notes: string[],
): Promise<Reply> {
  return withStore(context, async (store) => {
    const { tasks } = await verb(store);
    return { text: `${done}: ${namesOf(tasks)}`, json: { tasks }, notes };
  });
}

/** Ten of them by id. */
function namesOf(tasks: readonly Task[]): string {
  const shown = tasks.slice(0, 10).map((task) => task.id);
  if (tasks.length > shown.length) shown.push(`and ${tasks.length - shown.length} more`);
  return shown.join(', ');
}

export function retry(context: Context, ids: string[], options: { cascade?: boolean }): Promise<Reply> {
  const input = parseInput(RetryTasks, { task_ids: ids, cascade: options.cascade });
  return forTasks(context, 'available again', (store) => store.retryTasks(input), []);
}

export async function reopen(context: Context, ids: string[]): Promise<Reply> {
  const input = parseInput(TaskIds, { task_ids: ids });
  return withStore(context, async (store) => {
    const { tasks, built_on } = await store.reopenTasks(input);
    return {
      text: `available again: ${namesOf(tasks)}`,
      json: { tasks, built_on },
      notes:
        built_on.length > 0
          ? [`Built on what was done, and left as they are: ${built_on.slice(0, 10).join(', ')}`]
          : [],
    };
  });
}

export async function undo(context: Context): Promise<Reply> {
  return withStore(context, async (store) => {
    const { what, removed, restored } = await store.undo();
    return { text: `taken back: ${visible(what)}`, json: { what, removed, restored } };
  });
}

export async function archive(context: Context, options: { olderThan?: number; dryRun?: boolean }): Promise<Reply> {
  return withStore(context, async (store) => {
    const before =
      options.olderThan === undefined
        ? undefined
        : new Date(Date.parse(await store.now()) - options.olderThan).toISOString();
    const input = parseInput(ArchiveTasks, before === undefined ? {} : { before });
    const isDry = options.dryRun === true;
    const { tasks } = isDry
      ? archiveTasks(await store.read(), input, await store.now()).answer
      : await store.archiveTasks(input);
    const kept = (await store.read()).tasks.filter((task) => isSettled(task)).length - (isDry ? tasks.length : 0);
    return {
      text: `${plural(tasks.length, 'task')} ${isDry ? 'would be archived' : 'archived'}`,
      json: { archived: tasks.length, kept, task_ids: tasks.map(({ id }) => id) },
      notes: [
        ...(kept > 0
          ? [`${plural(kept, 'settled task')} stay, since others build on them or they are not that old.`]
          : []),
        ...(tasks.length > 0 && !isDry ? ['Next: coord leader list --archived, or coord leader show <task>'] : []),
      ],
    };
  });
}

/** Where somebody has begun to land one of them, that is made void first. */
async function cancelled(context: Context, store: Store, input: CancelTasks): Promise<{ tasks: Task[] }> {
  const { cancelWithdrawing, landerOptions } = await import('./worktrees.ts');
  return cancelWithdrawing(landerOptions(context, store, LEADER), input);
}

export async function cancel(context: Context, ids: string[], options: { cascade?: boolean }): Promise<Reply> {
  const input = parseInput(CancelTasks, { task_ids: ids, cascade: options.cascade });
  const reply = await forTasks(context, 'cancelled', (store) => cancelled(context, store, input), []);
  const { counts } = await withStore(context, async (store) => summarise(await store.read(), await store.now()));
  if (counts.stuck > 0)
    reply.notes = [
      `${plural(counts.stuck, 'task is', 'tasks are')} stuck now: coord leader list --status stuck (--cascade cancels them too)`,
    ];
  return reply;
}

export function release(context: Context, ids: string[]): Promise<Reply> {
  const input = parseInput(TaskIds, { task_ids: ids });
  return forTasks(context, 'available again', (store) => store.takeBackTasks(input), [
    'What its worker still hands in is taken as long as nobody else has claimed it.',
  ]);
}
