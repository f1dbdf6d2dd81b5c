/** The fields of a task: of a new one, or of one that is changed; then only what was changed is sent. */
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_PRIORITY } from '../../../model/limits.ts';
import type { Task } from '../../../model/task.ts';
import type { TaskDocument } from '../api.ts';
import { say, server } from './state.ts';
import { Refused } from './connection.ts';
import { Refusal, useDoing } from './verb.tsx';

/** What the fields hold, as the verbs take it. */
interface Fields {
  description: string;
  priority: number;
  dependencies: string[];
  files: string[];
  hints: string;
  tags: string[];
  checks: string[];
  /** Seconds. Undefined: as the board says. */
  check_timeout: number | undefined;
  max_attempts: number;
  /** Undefined: none, or the one that it has. */
  key: string | undefined;
  exclusive: boolean;
  /** Undefined: as the board says. */
  review: boolean | undefined;
}

function fieldsOf(task: Task | undefined): Fields {
  return {
    description: task?.description ?? '',
    priority: task?.priority ?? DEFAULT_PRIORITY,
    dependencies: task?.dependencies ?? [],
    files: task?.context.files ?? [],
    hints: task?.context.hints ?? '',
    tags: task?.tags ?? [],
    checks: task?.checks ?? [],
    check_timeout: task?.check_timeout,
    key: undefined,
    max_attempts: task?.max_attempts ?? DEFAULT_MAX_ATTEMPTS,
    exclusive: task?.exclusive ?? false,
    review: task?.review,
  };
}

export function TaskForm({ task, onDone }: { task: Task | undefined; onDone: () => void }): JSX.Element {
  const { isBusy, refusal, run } = useDoing();
  const form = useRef<HTMLFormElement>(null);
  const before = useRef<Fields | undefined>();
  const warned = useRef(new Set<string>()).current;
  useLayoutEffect(() => {
    if (form.current) before.current = read(form.current);
  }, []);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!form.current || isBusy) return;
    const after = read(form.current);
    const changed = changedFields(before.current, after);
    if (task && Object.keys(changed).length === 0) return onDone();
    const done = await run(async () => {
      if (!task) return server().verb<{ tasks: Task[] }>('add-task', { ...changed, description: after.description });
      await refuseOverwriting(task, changed, warned);
      return server().verb<{ task: Task }>('edit', { task_id: task.id, ...changed });
    });
    if (done === undefined) return;
    say('task' in done ? `${done.task.id} is changed` : `${done.tasks.map(({ id }) => id).join(', ')} is added`);
    onDone();
  };
  const { description, priority, dependencies, files, hints, tags, ...rest } = fieldsOf(task);
  const { checks, check_timeout, max_attempts, exclusive, review } = rest;
  return (
    <form class="task-form" ref={form} onSubmit={(event) => void submit(event)}>
      <label class="field wide">
        What is to be done: one outcome, 5 to 15 minutes of work
        <textarea name="description" rows={3} required autoFocus defaultValue={description} />
      </label>
      <label class="field">
        Priority, 1 is first
        <input name="priority" type="number" min={1} max={10} required defaultValue={String(priority)} />
      </label>
      <label class="field">
        Attempts at most
        <input name="max_attempts" type="number" min={1} max={100} required defaultValue={String(max_attempts)} />
      </label>
      <label class="field wide">
        Needs: ids, separated by commas
        <input name="dependencies" defaultValue={dependencies.join(', ')} />
      </label>
      <label class="field wide">
        Files, one a line
        <textarea name="files" rows={2} defaultValue={files.join('\n')} />
      </label>
      <label class="field wide">
        Hints: what the worker should know
        <textarea name="hints" rows={3} defaultValue={hints} />
      </label>
      <label class="field wide">
        Tags, separated by commas
        <input name="tags" defaultValue={tags.join(', ')} />
      </label>
      <label class="field wide">
        Checks that must end well, one a line
        <textarea name="checks" rows={2} defaultValue={checks.join('\n')} />
      </label>
      <label class="field">
        Seconds that one may take
        <input
          name="check_timeout"
          type="number"
          min={1}
          max={86_400}
          required={check_timeout !== undefined}
          defaultValue={String(check_timeout ?? '')}
        />
      </label>
      {!task && (
        <label class="field">
          Key: adding it again gives this task
          <input name="key" />
        </label>
      )}
      <label class="tick">
        <input type="checkbox" name="exclusive" defaultChecked={exclusive} /> Exclusive: never beside another claim on
        these files
      </label>
      <label class="field wide">
        Does somebody else look at what is handed in?
        <select name="review">
          {review === undefined && <option value="">As the board says</option>}
          <option value="yes" selected={review === true}>
            Yes
          </option>
          <option value="no" selected={review === false}>
            No
          </option>
        </select>
      </label>
      <div class="form-end">
        <button type="submit" class="main" aria-disabled={isBusy}>
          {task ? 'Save' : 'Add'}
        </button>
        <Refusal error={refusal} />
      </div>
    </form>
  );
}

function read(element: HTMLFormElement): Fields {
  const form = new FormData(element);
  const review = form.get('review');
  const text = (name: keyof Fields): string => {
    const value = form.get(name);
    return typeof value === 'string' ? value.replaceAll('\r\n', '\n') : '';
  };
  const list = (name: keyof Fields, between: string | RegExp): string[] =>
    text(name)
      .split(between)
      .map((one) => one.trim())
      .filter((one) => one !== '');
  return {
    description: text('description'),
    priority: Number(text('priority')),
    dependencies: list('dependencies', /[\s,]+/),
    files: list('files', '\n'),
    hints: text('hints'),
    tags: list('tags', /[\s,]+/),
    checks: list('checks', '\n'),
    check_timeout: text('check_timeout') === '' ? undefined : Number(text('check_timeout')),
    key: text('key').trim() || undefined,
    max_attempts: Number(text('max_attempts')),
    exclusive: form.has('exclusive'),
    review: review === 'yes' ? true : review === 'no' ? false : undefined,
  };
}

/** As text, since lists are compared too. */
function changedFields(before: Fields | undefined, after: Fields): Partial<Fields> {
  return Object.fromEntries(
    Object.entries(after).filter(
      ([name, value]) =>
        // What says nothing is not sent.
        value !== undefined && JSON.stringify(value) !== JSON.stringify(before?.[name as keyof Fields]), // its own name
    ),
  );
}

/**
 * Somebody else may have changed the same fields since the form was opened.
 *
 * @param warned  names that it has been said of: who saves again means it
 * @throws Refused
 */
async function refuseOverwriting(task: Task, changed: Partial<Fields>, warned: Set<string>): Promise<void> {
  const now = fieldsOf((await server().get<TaskDocument>(`/api/task/${task.id}`)).task);
  const both = Object.keys(changedFields(fieldsOf(task), now)).filter((name) => name in changed && !warned.has(name));
  if (both.length === 0) return;
  for (const name of both) warned.add(name);
  const message = `Somebody else has changed ${both.join(', ')} meanwhile.`;
  throw new Refused({ error: { code: 'task-state', message, hint: 'Save again to put yours in its place.' } });
}
