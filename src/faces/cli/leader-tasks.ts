/** The handlers of `coord leader` that change tasks: words to input, one store verb, answer to words. */
import { parseInput } from '../../model/parse-input.ts';
import { CancelTasks } from '../../model/verbs/cancel-tasks.ts';
import { NewTask, AddTasks } from '../../model/verbs/add-tasks.ts';
import type { Store } from '../../store/store.ts';
import { type Context, textOrStdin, type Reply, withStore } from '../io.ts';
import type { Task } from '../../model/task.ts';
import { TaskIds } from '../../model/fields.ts';
import { summarise } from '../../model/views/summary.ts';
import { EditTask } from '../../model/verbs/edit-task.ts';
import { readTaskFile } from '../../formats/task-file.ts';
import { CoordError } from '../../model/errors.ts';

/** Options of a task that add-task and edit share. */
export interface TaskOptions {
  priority?: number;
  depends?: string[];
  files?: string[];
  hints?: string;
  tag?: string[];
  maxAttempts?: number;
  exclusive?: boolean;
}

function taskFields(options: TaskOptions): object {
  return {
    priority: options.priority,
    dependencies: options.depends,
    files: options.files,
    hints: options.hints,
    tags: options.tag,
    max_attempts: options.maxAttempts,
    exclusive: options.exclusive,
  };
}

export async function addTask(
  context: Context,
  description: string,
  options: TaskOptions & { key?: string },
): Promise<Reply> {
  const wanted = { description: await textOrStdin(context, description), key: options.key, ...taskFields(options) };
  const input = { tasks: [parseInput(NewTask, wanted)] };
  return withStore(context, async (store) => {
    const { tasks, added } = await store.addTasks(input);
    const task = tasks[0] as Task; // one in, one out
    const needs = task.dependencies.length > 0 ? `, needs ${task.dependencies.join(', ')}` : '';
    return {
      text: `${task.id} ${added === 0 ? 'was there already' : 'added'} (priority ${task.priority}${needs})`,
      json: { task, added: added === 1 },
      notes:
        task.status === 'available'
          ? [`Next: coord worker claim terminal-2 (add tasks until the plan stands, then start workers)`]
          : [],
    };
  });
}

export async function importTasks(context: Context, file: string): Promise<Reply> {
  const input = parseInput(AddTasks, { tasks: await readTaskFile(context.io.cwd, file, () => context.io.readStdin()) });
  return withStore(context, async (store) => {
    const { tasks, added } = await store.addTasks(input);
    const known = tasks.length - added;
    const ids = tasks.map((task) => task.id);
    const range = ids.length > 2 ? `${ids[0]} … ${ids.at(-1)}` : ids.join(', ');
    return {
      text: `${added} ${added === 1 ? 'task' : 'tasks'} added${known > 0 ? `, ${known} there already` : ''}: ${range}`,
      json: {
        added,
        tasks: tasks.map(({ id, key, description }) => ({ id, ...(key === undefined ? {} : { key }), description })),
      },
      notes: ['Next: coord leader graph, then start workers: coord prompt worker terminal-2'],
    };
  });
}

const CLEARABLE = { depends: { dependencies: [] }, files: { files: [] }, hints: { hints: '' }, tag: { tags: [] } };

export async function edit(
  context: Context,
  id: string,
  options: TaskOptions & { description?: string; clear?: string[] },
): Promise<Reply> {
  const cleared = (options.clear ?? []).map((field) => {
    if (field in CLEARABLE) return CLEARABLE[field as keyof typeof CLEARABLE]; // checked the line before
    throw new CoordError('invalid-input', `--clear: "${field}" cannot be cleared.`, {
      hint: `One of ${Object.keys(CLEARABLE).join(', ')}.`,
    });
  });
  const input = parseInput(
    EditTask,
    Object.assign({ task_id: id, description: options.description, ...taskFields(options) }, ...cleared) as unknown,
  );
  if (Object.values(input).filter((value) => value !== undefined).length === 1) {
    throw new CoordError('usage', `Nothing to change on ${id}.`, {
      hint: `coord leader edit ${id} -p 1 --hints "…"; see coord leader edit --help`,
    });
  }
  return withStore(context, async (store) => {
    const { task } = await store.editTask(input);
    return { text: `${task.id} changed`, json: { task }, notes: [`Next: coord leader show ${task.id}`] };
  });
}

/** `retry`, `cancel` and `release` of the leader: the same words around three verbs. */
async function forTasks(
  context: Context,
  done: string,
  verb: (store: Store) => Promise<{ tasks: Task[] }>,
  notes: string[],
): Promise<Reply> {
  return withStore(context, async (store) => {
    const { tasks } = await verb(store);
    const shown = tasks.slice(0, 10).map((task) => task.id);
    if (tasks.length > shown.length) shown.push(`and ${tasks.length - shown.length} more`);
    return { text: `${done}: ${shown.join(', ')}`, json: { tasks }, notes };
  });
}

export function retry(context: Context, ids: string[]): Promise<Reply> {
  const input = parseInput(TaskIds, { task_ids: ids });
  return forTasks(context, 'available again', (store) => store.retryTasks(input), []);
}

export async function cancel(context: Context, ids: string[], options: { cascade?: boolean }): Promise<Reply> {
  const input = parseInput(CancelTasks, { task_ids: ids, cascade: options.cascade });
  const reply = await forTasks(context, 'cancelled', (store) => store.cancelTasks(input), []);
  const { counts } = await withStore(context, async (store) => summarise(await store.read(), await store.now()));
  if (counts.stuck > 0)
    reply.notes = [
      `${counts.stuck} ${counts.stuck === 1 ? 'task is' : 'tasks are'} stuck now: coord leader list --status stuck (--cascade cancels them too)`,
    ];
  return reply;
}

export function release(context: Context, ids: string[]): Promise<Reply> {
  const input = parseInput(TaskIds, { task_ids: ids });
  return forTasks(context, 'available again', (store) => store.takeBackTasks(input), [
    'What its worker still hands in will be refused and kept.',
  ]);
}
