/** All of one task: how it stands, what can be done about it, and what came of it. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { isExpired } from '../../../model/lifecycle.ts';
import type { Task } from '../../../model/task.ts';
import type { TaskDocument } from '../api.ts';
import { AnswerForm, QuestionText } from './asks-view.tsx';
import type { Derived } from './derived.ts';
import { useDocument } from './document.ts';
import { useKeptFocus } from './focus.ts';
import { Markdown } from './markdown.tsx';
import { addressOf } from './route.ts';
import { Shape } from './shape.tsx';
import type { State } from './state.ts';
import { TaskActions } from './task-actions.tsx';
import { Answered, Attempts, DiffPart, Evidence, Facts, FileList, Log, Part } from './task-parts.tsx';
import { Refusal, TextVerb, VerbButton } from './verb.tsx';
import { since, STANDINGS } from './words.ts';

interface TaskPaneProps {
  id: string;
  state: State;
  derived: Derived;
}

export function TaskPane({ id, state, derived }: TaskPaneProps): JSX.Element {
  const { value, error } = useDocument<TaskDocument>(`/api/task/${id}`, state.told);
  const heading = useRef<HTMLHeadingElement>(null);
  const pane = useKeptFocus<HTMLElement>();
  const close = addressOf({ view: state.route.view, task: undefined });
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    // Back to where it was opened from, if that is still there.
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [id]);
  const task = value?.task ?? derived.byId.get(id);
  return (
    <aside
      ref={pane}
      tabIndex={-1}
      class="pane"
      aria-label={`Task ${id}`}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !isTyping(event)) location.hash = close;
      }}
    >
      <div class="pane-head">
        <h2 ref={heading} tabIndex={-1}>
          {id}
        </h2>
        <a class="button" href={close} aria-label="Close the task">
          Close
        </a>
      </div>
      <Refusal error={error} />
      {task && <TaskHead task={task} state={state} derived={derived} />}
      {value && !error && <TaskBody whole={value} state={state} derived={derived} />}
    </aside>
  );
}

/** Whether there is a text that would be lost, or a letter that is not finished. */
function isTyping({ target, isComposing }: KeyboardEvent): boolean {
  return isComposing || (target instanceof HTMLTextAreaElement && target.value !== '');
}

function TaskHead({ task, state, derived }: { task: Task; state: State; derived: Derived }): JSX.Element {
  const standing = derived.standingOf(derived.byId.get(task.id) ?? task);
  const { claimed_by, claimed_at, last_error, note } = task;
  const holds = task.status === 'claimed' ? 'Claimed by' : 'By';
  return (
    <div class="task-head">
      <p>
        <Shape of={standing} /> <span class="standing">{STANDINGS[standing]}</span>
        {claimed_by !== null && (
          <>
            . {holds} <span class="worker">{claimed_by}</span>
          </>
        )}
        {task.status === 'claimed' && claimed_at !== null && `, for ${since(claimed_at, state.now)}`}
        {task.status === 'claimed' &&
          `; lease ${isExpired(task, state.now) ? 'over since' : 'for another'} ${since(task.lease_expires_at, state.now)}`}
      </p>
      <p class="description">{task.description}</p>
      {last_error !== null && (
        <p class="said">
          <strong>Last attempt:</strong> {last_error}
        </p>
      )}
      {note !== undefined && (
        <p class="said">
          <strong>Note:</strong> {note}
        </p>
      )}
    </div>
  );
}

interface TaskBodyProps {
  whole: TaskDocument;
  state: State;
  derived: Derived;
}

function TaskBody({ whole, state, derived }: TaskBodyProps): JSX.Element {
  const { task, result, brief, late, guarded } = whole;
  const questions = derived.questions.filter(({ task_id }) => task_id === task.id);
  const isArchived = !derived.byId.has(task.id);
  return (
    <>
      {!state.isReadOnly && !isArchived && <TaskActions task={task} dependants={whole.dependants} />}
      {isArchived && <p class="empty">It is in the archive: nothing changes there.</p>}
      {guarded.length > 0 && task.status === 'submitted' && <p>Touches protected files: {guarded.join(', ')}</p>}
      {questions.map((question) => (
        <section key={question.n} class="ask">
          <h3>{question.worker} asks</h3>
          <QuestionText question={question} now={state.now} />
          {!state.isReadOnly && <AnswerForm question={question} />}
        </section>
      ))}
      {whole.unallowed.map((command) => (
        <p key={command} class="refusal">
          Nobody has allowed this check on this machine, so nobody here can hand the task in. In a terminal: coord trust
          check "{command}"
        </p>
      ))}
      {whole.landing !== null && <p class="refusal">{whole.landing}</p>}
      <Facts whole={whole} state={state} />
      <Answered task={task} />
      <Evidence task={task} />
      {(task.status === 'submitted' || task.status === 'done') && (
        <Part title="Result">
          {result ? (
            <>
              {result.output.trim() === '' ? <p class="empty">It is empty.</p> : <Markdown text={result.output} />}
              <FileList title="Created" files={result.files_created} />
              <FileList title="Modified" files={result.files_modified} />
            </>
          ) : (
            <p class="empty">None is stored.</p>
          )}
        </Part>
      )}
      {task.status !== 'done' &&
        late.map(({ name, worker, output }) => (
          <Part key={name} title={`Late result of ${worker}`}>
            <Markdown text={output} />
            {!state.isReadOnly && (
              <VerbButton name="accept" input={{ task_id: task.id, kept: name }} confirm="Take this instead?">
                Take this one
              </VerbButton>
            )}
          </Part>
        ))}
      <Attempts whole={whole} now={state.now} />
      {task.attempt > 0 && <DiffPart id={task.id} key={`${task.id}#${task.attempt} ${task.head ?? ''}`} />}
      {brief !== '' && (
        <details class="part">
          <summary>Brief, as its worker reads it</summary>
          <Markdown text={brief} />
        </details>
      )}
      <Log log={whole.log} />
      {!state.isReadOnly && task.status === 'claimed' && (
        <TextVerb
          label={`Tell ${task.claimed_by}`}
          draft={`tell ${task.claimed_by}`}
          done={`Sent to ${task.claimed_by}`}
          name="tell"
          inputOf={(text) => ({ to: task.claimed_by, text })}
          button="Send"
        />
      )}
    </>
  );
}
