/** What happened, newest first. */
import type { JSX } from 'preact';
import type { LogEntry } from '../../../model/views/timeline.ts';
import { holds, wordsIn } from './filter.ts';
import { useLog } from './log-lines.ts';
import { addressOf } from './route.ts';
import type { State } from './state.ts';
import { VirtualList } from './virtual-list.tsx';
import { clock } from './words.ts';

/** Pixels, as lists.css draws a line. */
const LINE_HEIGHT = 52;

interface Line {
  entry: LogEntry;
  /** Its place in the log. */
  n: number;
}

export function LogView({ state }: { state: State }): JSX.Element {
  const entries = useLog(state.told);
  if (!entries) return <p class="empty">Reading the log …</p>;
  const words = wordsIn(state.filter);
  const lines = entries
    .map((entry, n): Line => ({ entry, n }))
    .filter(({ entry: { agent, event, task_id, message } }) =>
      holds(`${agent} ${event} ${task_id ?? ''} ${message}`, words),
    )
    .toReversed();
  return (
    <section class="log" aria-label="Log">
      <h2>
        Log <span class="count">{lines.length}</span>
      </h2>
      <VirtualList
        label="Log, newest first"
        items={lines}
        keyOf={({ n }) => String(n)}
        rowHeight={LINE_HEIGHT}
        empty={words.length > 0 ? 'Nothing that fits' : 'Nothing has happened yet.'}
        row={({ entry }, tabIndex) => <LogLine entry={entry} tabIndex={tabIndex} />}
      />
    </section>
  );
}

interface LogLineProps {
  entry: LogEntry;
  tabIndex: 0 | -1;
}

function LogLine({ entry: { time, agent, event, task_id, message }, tabIndex }: LogLineProps): JSX.Element {
  return (
    <a
      class="log-line"
      href={addressOf({ view: 'log', task: task_id ?? undefined })}
      tabIndex={tabIndex}
      title={message}
    >
      <span class="log-head">
        <time dateTime={time}>{clock(time)}</time> <span class="worker">{agent}</span> <strong>{event}</strong>{' '}
        {task_id !== null && <span class="id">{task_id}</span>}
      </span>{' '}
      <span class="message">{message}</span>
    </a>
  );
}
