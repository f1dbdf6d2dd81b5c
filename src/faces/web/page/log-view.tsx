/** What happened, newest first. */
import type { JSX } from 'preact';
import type { LogEntry } from '../../../model/views/timeline.ts';
import { useLog } from './log-lines.ts';
import { addressOf } from './route.ts';
import type { State } from './state.ts';
import { VirtualList } from './virtual-list.tsx';
import { clock } from './words.ts';

/** Pixels, as lists.css draws a line. */
const LINE_HEIGHT = 40;

interface Line {
  entry: LogEntry;
  /** Its place in the log. */
  n: number;
}

export function LogView({ state }: { state: State }): JSX.Element {
  const entries = useLog(state.told);
  if (!entries) return <p class="empty">Reading the log …</p>;
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const lines = entries
    .map((entry, n): Line => ({ entry, n }))
    .filter(({ entry }) => {
      const text = `${entry.agent} ${entry.event} ${entry.task_id ?? ''} ${entry.message}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
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

function LogLine({
  entry: { time, agent, event, task_id, message },
  tabIndex,
}: {
  entry: LogEntry;
  tabIndex: 0 | -1;
}): JSX.Element {
  const line = (
    <>
      <time dateTime={time}>{clock(time)}</time> <span class="worker">{agent}</span> <strong>{event}</strong>{' '}
      {task_id !== null && <span class="id">{task_id}</span>} <span class="message">{message}</span>
    </>
  );
  // Lines about no task lead to where one is.
  return (
    <a
      class="log-line"
      href={addressOf({ view: 'log', task: task_id ?? undefined })}
      tabIndex={tabIndex}
      title={message}
    >
      {line}
    </a>
  );
}
