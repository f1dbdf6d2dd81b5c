/** The handlers of `coord leader` that change what tasks say: words to input, one store verb, answer to words. */
import { parseInput } from '../../model/parse-input.ts';
import { NewTask } from '../../model/verbs/add-tasks.ts';
import { type Context, textOrStdin, type Reply, withStore } from '../io.ts';
import type { Task } from '../../model/task.ts';
import { EditTask } from '../../model/verbs/edit-task.ts';
import { CoordError } from '../../model/errors.ts';
import { findTask } from '../../model/board.ts';
import { allowTyped, defaultFields } from './checks.ts';
import { leads } from './leader-session.ts';

/** Options of a task that add-task and edit share. */
export interface TaskOptions {
  priority?: number;
  depends?: string[];
  files?: string[];
  hints?: string;
  tag?: string[];
  maxAttempts?: number;
  exclusive?: boolean;
  check?: string[];
  /** Milliseconds. */
  checkTimeout?: number;
  review?: boolean;
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
    ...defaultFields(options),
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
    const unallowed = await allowTyped(context, store, options.check ?? []);
    await leads(context, store);
    const needs = task.dependencies.length > 0 ? `, needs ${task.dependencies.join(', ')}` : '';
    return {
      text: `${task.id} ${added === 0 ? 'was there already' : 'added'} (priority ${task.priority}${needs})`,
      json: { task, added: added === 1 },
      notes: [
        ...unallowed,
        ...(task.status === 'available'
          ? [`Next: coord worker claim terminal-2 (add tasks until the plan stands, then start workers)`]
          : []),
      ],
    };
  });
}

const CLEARABLE = {
  depends: { dependencies: [] },
  files: { files: [] },
  hints: { hints: '' },
  tag: { tags: [] },
  check: { checks: [] },
};

export async function edit(
  context: Context,
  id: string,
  options: TaskOptions & { description?: string; clear?: string[]; editor?: boolean },
): Promise<Reply> {
  const { editor, ...fields } = options;
  if (editor === true && Object.values(fields).some((value) => value !== undefined))
    throw new CoordError('usage', '--editor shows all of the task: it takes no other option.', {
      hint: `coord leader edit ${id} --editor`,
    });
  if (editor === true) return editInEditor(context, id);
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
    const unallowed = await allowTyped(context, store, options.check ?? []);
    const notes = [...unallowed, `Next: coord leader show ${task.id}`];
    return { text: `${task.id} changed`, json: { task }, notes };
  });
}

/** The task as a text in the person's own editor, as git does it with a commit's message. */
async function editInEditor(context: Context, id: string): Promise<Reply> {
  const { changedFields, editText, taskAsText } = await import('./editor.ts');
  return withStore(context, async (store) => {
    const before = findTask(await store.read(), id);
    return editText<Reply>(context.io.env, id, taskAsText(before), async (edited) => {
      const changed = changedFields(before, edited);
      if (Object.keys(changed).length === 0) return { text: `${id} unchanged`, json: { task: before } };
      const { task } = await store.editTask(parseInput(EditTask, { task_id: id, ...changed }));
      return { text: `${task.id} changed`, json: { task }, notes: [`Next: coord leader show ${task.id}`] };
    });
  });
}
