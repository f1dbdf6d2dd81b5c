/** What the pane of a task is made of. */
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { checkText } from '../../../model/evidence.ts';
import type { Task } from '../../../model/task.ts';
import { timelineOf } from '../../../model/views/timeline.ts';
import type { TaskDocument } from '../api.ts';
import { Diff } from './diff.tsx';
import { useDocument } from './document.ts';
import { addressOf } from './route.ts';
import type { State } from './state.ts';
import { Refusal } from './verb.tsx';
import { clock, dollars, since } from './words.ts';

/** A part with a title of its own. */
export function Part({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** What its fields say. */
export function Facts({ whole: { task, dependants }, state }: { whole: TaskDocument; state: State }): JSX.Element {
  const { priority, attempt, max_attempts, dependencies, context, tags, key, branch, landed, reviewed } = task;
  const links = (ids: readonly string[]): JSX.Element[] =>
    ids.map((id, i) => (
      <span key={id}>
        {i > 0 && ', '}
        <a href={addressOf({ view: state.route.view, task: id })}>{id}</a>
      </span>
    ));
  const rows: [label: string, value: ComponentChildren][] = [
    ['Priority', priority],
    ['Attempts', `${attempt} of ${max_attempts}`],
    ['Needs', dependencies.length > 0 && links(dependencies)],
    ['Needed by', dependants.length > 0 && links(dependants)],
    ['Files', context.files.length > 0 && <FileNames files={context.files} />],
    ['Exclusive', task.exclusive === true && 'never beside another claim on these files'],
    ['Hints', context.hints !== '' && <span class="said">{context.hints}</span>],
    ['Tags', tags.length > 0 && tags.join(', ')],
    ['Key', key],
    ['Checks', task.checks && task.checks.map((check) => <code key={check}>{check}</code>)],
    ['Review', task.review !== undefined && (task.review ? 'by somebody else' : 'none')],
    ['Branch', branch !== undefined && <code>{branch}</code>],
    ['Landed', landed && `on ${landed.branch} as ${landed.commit.slice(0, 12)}, ${clock(landed.at)}`],
    [
      'Approved',
      (task.status === 'submitted' || task.status === 'done') && reviewed && `by ${reviewed.by}, ${clock(reviewed.at)}`,
    ],
    ['Cost', task.cost_usd !== undefined && dollars(task.cost_usd)],
  ];
  return (
    <dl class="facts-list">
      {rows.map(([label, value]) =>
        value === false || value === undefined || value === '' ? null : (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

function FileNames({ files }: { files: readonly string[] }): JSX.Element {
  return (
    <>
      {files.map((file) => (
        <code key={file}>{file}</code>
      ))}
    </>
  );
}

/** Files that were handed in. */
export function FileList({ title, files }: { title: string; files: readonly string[] }): JSX.Element | null {
  return files.length === 0 ? null : (
    <p class="file-list">
      {title}: <FileNames files={files} />
    </p>
  );
}

/** Questions that have an answer. */
export function Answered({ task: { questions = [] } }: { task: Task }): JSX.Element | null {
  const answered = questions.filter(({ answer }) => answer !== undefined);
  if (answered.length === 0) return null;
  return (
    <Part title="Questions and answers">
      {answered.map(({ text, by, answer }, i) => (
        <div key={i} class="answered">
          <p>
            <span class="worker">{by}</span>: {text}
          </p>
          <p>
            <span class="worker">{answer?.by ?? 'nobody in time'}</span>: {answer?.text}
          </p>
        </div>
      ))}
    </Part>
  );
}

/** What came of its checks. */
export function Evidence({ task: { evidence } }: { task: Task }): JSX.Element | null {
  if (!evidence) return null;
  const { verdict, at, checks, tail, times, tree } = evidence;
  return (
    <Part title="Checks">
      <p>
        {checks.length === 0 && verdict === 'green' ? (
          'None were asked for'
        ) : (
          <strong class={`verdict is-${verdict}`}>{verdict}</strong>
        )}
        {tree !== null && ` on tree ${tree.slice(0, 10)}`}, {clock(at)}
        {times !== undefined && times > 1 && `, ${times} times in a row`}
      </p>
      <ul>
        {checks.map((check) => (
          <li key={check.command}>
            <code>{checkText(check)}</code>
          </li>
        ))}
      </ul>
      {tail !== undefined && tail.trim() !== '' && (
        <pre class="tail" tabIndex={0} aria-label="What the check said last">
          {tail}
        </pre>
      )}
    </Part>
  );
}

/** Who has worked on it, and what came of that. */
export function Attempts({ whole: { log }, now }: { whole: TaskDocument; now: string }): JSX.Element | null {
  const spans = timelineOf(log, now)?.lanes.flatMap((lane) => lane.spans) ?? [];
  if (spans.length === 0) return null;
  return (
    <Part title="Attempts">
      <ol class="attempts">
        {spans
          .toSorted((a, b) => (a.from < b.from ? -1 : 1))
          .map(({ worker, from, to, end }) => (
            <li key={`${worker} ${from} ${end}`}>
              <span class="worker">{worker}</span> {clock(from)}
              {to !== from && `, ${since(from, to)}`}: {end}
            </li>
          ))}
      </ol>
    </Part>
  );
}

/** What was said of it, all of it. */
export function Log({ log }: { log: TaskDocument['log'] }): JSX.Element {
  return (
    <details class="part">
      <summary>Log</summary>
      <ol class="task-log">
        {log.map(({ time, agent, event, message }) => (
          <li key={`${time} ${event}`}>
            <time dateTime={time}>{clock(time)}</time> <span class="worker">{agent}</span> {event} {message}
          </li>
        ))}
      </ol>
    </details>
  );
}

/** Git is asked only where somebody wants to see it. */
export function DiffPart({ id }: { id: string }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const { value, error } = useDocument<{ diff: string }>(isOpen ? `/api/task/${id}/diff` : undefined, 0);
  return (
    <details class="part" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Diff</summary>
      <Refusal error={error} />
      {value && <Diff text={value.diff} />}
    </details>
  );
}
