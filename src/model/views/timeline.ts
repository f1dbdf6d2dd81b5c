/** Who worked on what, and when: spans of work read from the log, one lane a worker. */
import { compareIds } from '../board.ts';

/** One line of a log. */
export interface LogEntry {
  /** ISO 8601 UTC. */
  time: string;
  agent: string;
  event: string;
  task_id: string | null;
  message: string;
}

export interface Span {
  worker: string;
  task_id: string;
  /** ISO 8601 UTC. */
  from: string;
  /** Until now, where it still goes on. */
  to: string;
  end:
    | 'done'
    | 'handed in'
    | 'failed'
    | 'given back'
    | 'taken away'
    | 'expired'
    | 'working'
    | 'approved'
    | 'sent back'
    | 'landed';
}

export interface Timeline {
  from: string;
  to: string;
  /** By worker, each in the order of time. */
  lanes: { worker: string; spans: Span[] }[];
}

const ENDS: Readonly<Record<string, Span['end']>> = {
  complete: 'done',
  submit: 'handed in',
  fail: 'failed',
  release: 'given back',
  park: 'given back',
};
/** A review is a moment in the lane of who made it. */
const REVIEWS: Readonly<Record<string, Span['end']>> = {
  approve: 'approved',
  'send-back': 'sent back',
  land: 'landed',
};
/** What the leader, or the clock, does to a claim. */
const TAKEN: Readonly<Record<string, Span['end']>> = { release: 'taken away', cancel: 'taken away', expire: 'expired' };

/**
 * The spans of a log, oldest entry first. A claim ends with what its worker says, with what the leader does to it, or with the
 * next claim of the same task.
 *
 * @param now  ISO 8601 UTC
 * @returns undefined where nobody has claimed anything
 */
export function timelineOf(log: readonly LogEntry[], now: string): Timeline | undefined {
  const open = new Map<string, Span>();
  const spans: Span[] = [];
  const close = (task: string, to: string, end: Span['end']): void => {
    const span = open.get(task);
    if (!span) return;
    open.delete(task);
    spans.push({ ...span, to, end });
  };
  for (const { time, agent, event, task_id } of log) {
    if (task_id === null) continue;
    const holder = open.get(task_id)?.worker;
    const review = REVIEWS[event];
    if (review !== undefined) spans.push({ worker: agent, task_id, from: time, to: time, end: review });
    if (event === 'claim') {
      if (holder === agent) continue; // the same claim again
      close(task_id, time, 'expired');
      open.set(task_id, { worker: agent, task_id, from: time, to: now, end: 'working' });
    } else if (agent === holder && ENDS[event] !== undefined) close(task_id, time, ENDS[event]);
    else if (agent !== holder && TAKEN[event] !== undefined) close(task_id, time, TAKEN[event]);
  }
  spans.push(...open.values());
  if (spans.length === 0) return undefined;
  const lanes = new Map<string, Span[]>();
  for (const span of spans.toSorted((a, b) =>
    a.from < b.from ? -1 : a.from > b.from ? 1 : compareIds(a.task_id, b.task_id),
  )) {
    const lane = lanes.get(span.worker);
    if (lane) lane.push(span);
    else lanes.set(span.worker, [span]);
  }
  const times = spans.flatMap(({ from, to }) => [from, to]).toSorted();
  return {
    from: times[0] ?? now,
    to: times.at(-1) ?? now,
    lanes: [...lanes]
      .map(([worker, list]) => ({ worker, spans: list }))
      .toSorted((a, b) => a.worker.localeCompare(b.worker, 'en', { numeric: true })),
  };
}

/** When a worker held nothing between two spans: it waited for a task, or was not there. */
export function idleOf(spans: readonly Span[]): { from: string; to: string }[] {
  const gaps: { from: string; to: string }[] = [];
  let busyUntil: string | undefined;
  for (const { from, to } of spans) {
    if (busyUntil !== undefined && from > busyUntil) gaps.push({ from: busyUntil, to: from });
    if (busyUntil === undefined || to > busyUntil) busyUntil = to;
  }
  return gaps;
}

/** Most bars of a chart that people still read; the report shows the newest. */
const MOST_BARS = 200;

/** A Gantt chart of Mermaid. Its words are ids and names, which hold nothing that Mermaid would obey. */
export function mermaidGantt({ lanes }: Timeline): string {
  const tags: Record<Span['end'], string> = {
    done: 'done, ',
    'handed in': 'done, ',
    approved: 'milestone, ',
    'sent back': 'milestone, ',
    landed: 'milestone, ',
    failed: 'crit, ',
    'given back': '',
    'taken away': '',
    expired: 'crit, ',
    working: 'active, ',
  };
  const all = lanes.flatMap(({ spans }) => spans);
  const newest = new Set(all.toSorted((a, b) => (a.from < b.from ? 1 : -1)).slice(0, MOST_BARS));
  return [
    'gantt',
    '  dateFormat YYYY-MM-DDTHH:mm:ss.SSSZ',
    '  axisFormat %H:%M',
    ...lanes.flatMap(({ worker, spans }) => {
      const shown = spans.filter((span) => newest.has(span));
      return shown.length === 0
        ? []
        : [
            `  section ${worker}`,
            ...shown.map(
              ({ task_id, end, from, to }) =>
                `  ${task_id} ${end} :${tags[end]}${from}, ${to > from ? to : aSecondAfter(from)}`,
            ),
          ];
    }),
  ].join('\n');
}

/** A bar without length would not show: a second after. */
function aSecondAfter(time: string): string {
  return new Date(Date.parse(time) + 1000).toISOString();
}
