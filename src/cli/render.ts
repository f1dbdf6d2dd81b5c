/** Values to lines of text. Whatever a task says has been made visible before it comes here. */
import { compareIds, type Board } from '../model/board.ts';
import { type Shown, waitingText } from '../model/listing.ts';
import { criticalPath, sortByDependency } from '../model/graph.ts';
import type { LogEntry } from '../model/report.ts';
import type { Counts, Summary } from '../model/summary.ts';
import type { Task } from '../model/task.ts';
import { clip, labelled, quoted } from '../model/text.ts';
import type { Claimed, NotClaimed } from '../model/worker-verbs.ts';
import type { Paint } from './context.ts';
import { formatDuration, formatTime } from './durations.ts';

const MARKS: Record<Shown, string> = {
  available: '○',
  claimed: '▶',
  done: '✓',
  failed: '✗',
  cancelled: '–',
  blocked: '·',
  stuck: '!',
};

/** Bytes of what a claim shows of each text, from the 4 kB that it may have in all. */
const IN_CLAIM = { description: 1500, files: 500, hints: 700, last: 300 };

/** The claim as an agent reads it: the task, and the two commands that end it. What others wrote is fenced, and cut. */
export function claimText(answer: Claimed, worker: string, resultPath: (id: string) => string): string {
  const { task, already, taken_over_from, overlaps } = answer;
  const until = formatTime(task.lease_expires_at ?? '');
  const rest = `coord worker context ${worker}`;
  const lines = [
    `${task.id} ${already ? 'already ' : ''}claimed by ${worker} until ${until} (priority ${task.priority}, attempt ${task.attempt})`,
  ];
  if (taken_over_from !== undefined) lines.push(`Taken over from ${taken_over_from}: it may have left work half done.`);
  else if (task.last_error !== null) lines.push(...labelled('Last attempt', task.last_error, IN_CLAIM.last, rest));
  if (task.note !== undefined) lines.push(...labelled('Note', task.note, IN_CLAIM.last, rest));
  for (const overlap of overlaps.slice(0, 3)) {
    const files = clip(overlap.files.slice(0, 3).join(', '), 150);
    lines.push(`Warning: ${overlap.worker} works on ${files} too (${overlap.task_id}); keep the change small.`);
  }
  lines.push('', ...quoted(task.description, IN_CLAIM.description, rest), '');
  if (task.context.files.length > 0)
    lines.push(...labelled('Files', task.context.files.join(', '), IN_CLAIM.files, rest));
  if (task.context.hints !== '') lines.push(...labelled('Hints', task.context.hints, IN_CLAIM.hints, rest));
  if (task.dependencies.length > 0) {
    const shown = task.dependencies.slice(0, 3);
    const more =
      task.dependencies.length > shown.length ? `, and ${task.dependencies.length - shown.length} more there` : '';
    lines.push(`Needs: ${shown.join(', ')} done, see ${shown.map(resultPath).join(', ')}${more}`);
  }
  if (lines.at(-1) !== '') lines.push('');
  lines.push(
    `Done:  coord worker done ${worker} ${task.id} "what you did"`,
    `Stuck: coord worker fail ${worker} ${task.id} "why"`,
  );
  return lines.join('\n');
}

/** Why there is nothing to claim, and what to do about it. */
export function idleText(idle: NotClaimed, worker: string): string {
  const what = waitingText(idle);
  switch (idle.reason) {
    case 'drained':
      return `${what}, stop working.`;
    case 'empty':
      return `${what}. Wait for the leader with: coord worker claim ${worker} --wait`;
    case 'blocked':
      return `${what}. Sleep until one is free with: coord worker claim ${worker} --wait`;
    case 'stuck':
      return `${what}. The leader must act: coord leader retry ${idle.waiting_for[0]?.task_id ?? '<task>'}, or cancel --cascade`;
  }
}

export function countsText(counts: Counts): string {
  const parts = [`${counts.done}/${counts.total} done`];
  if (counts.claimed > 0) parts.push(`${counts.claimed} claimed`);
  if (counts.claimable > 0) parts.push(`${counts.claimable} claimable`);
  if (counts.blocked > counts.stuck) parts.push(`${counts.blocked - counts.stuck} blocked`);
  if (counts.stuck > 0) parts.push(`${counts.stuck} stuck`);
  if (counts.failed > 0) parts.push(`${counts.failed} failed`);
  if (counts.cancelled > 0) parts.push(`${counts.cancelled} cancelled`);
  return parts.join(', ');
}

/** Rows of each list in `status`: an agent reads it often, so it stays short on any board. */
const STATUS_ROWS = { active: 5, claimable: 3, stuck: 2, failed: 2 };

/** The board at a glance. */
export function statusText(summary: Summary, now: string, paint: Paint, columns: number): string {
  const { counts } = summary;
  const width = Math.max(20, Math.min(columns, 100) - 44);
  const lines = [paint.bold(clip(summary.goal ?? 'No goal', 76)), `${bar(counts, paint)} ${countsText(counts)}`];
  const section = (title: string, rows: string[], total: number): void => {
    if (rows.length === 0) return;
    lines.push(paint.bold(title), ...rows.map((row) => `  ${row}`));
    if (total > rows.length) lines.push(paint.dim(`  and ${total - rows.length} more`));
  };
  section(
    'Working',
    summary.active.slice(0, STATUS_ROWS.active).map((task) => {
      const since = formatDuration(Date.parse(now) - Date.parse(task.claimed_at ?? now));
      const left = Date.parse(task.lease_expires_at ?? now) - Date.parse(now);
      const lease = task.expired ? paint.yellow('lease expired') : `lease ${formatDuration(left)}`;
      return `${task.worker} ${paint.cyan(task.task_id)} ${clip(task.description, width)} (${since}, ${lease})`;
    }),
    counts.claimed,
  );
  section(
    'Next',
    summary.claimable
      .slice(0, STATUS_ROWS.claimable)
      .map((task) => `${paint.cyan(task.task_id)} p${task.priority} ${clip(task.description, width)}`),
    counts.claimable,
  );
  section(
    'Stuck',
    summary.stuck
      .slice(0, STATUS_ROWS.stuck)
      .map((task) => `${paint.cyan(task.task_id)} ${clip(task.description, width)}, behind ${task.because.join(', ')}`),
    counts.stuck,
  );
  section(
    'Failed',
    summary.failed
      .slice(0, STATUS_ROWS.failed)
      .map((task) => `${paint.red(task.task_id)} ${clip(task.last_error ?? '', width)}`),
    counts.failed,
  );
  return lines.join('\n');
}

const BAR_WIDTH = 20;

function bar(counts: Counts, paint: Paint): string {
  const part = (n: number): number => (counts.total === 0 ? 0 : Math.floor((n / counts.total) * BAR_WIDTH));
  const done = part(counts.done);
  const failed = part(counts.failed + counts.cancelled);
  const claimed = part(counts.claimed);
  const rest = BAR_WIDTH - done - failed - claimed;
  return `[${paint.green('#'.repeat(done))}${paint.red('x'.repeat(failed))}${paint.yellow('>'.repeat(claimed))}${paint.dim('.'.repeat(rest))}]`;
}

/** A table, one task a row. */
export function listText(rows: readonly { task: Task; shown: Shown }[], paint: Paint, columns: number): string {
  const ids = Math.max(...rows.map(({ task }) => task.id.length));
  const states = Math.max(...rows.map(({ shown }) => shown.length));
  return rows
    .map(({ task, shown }) => {
      const who = task.claimed_by === null ? '' : ` (${task.claimed_by})`;
      const start = `${task.id.padEnd(ids)}  ${shown.padEnd(states)}  p${task.priority} `;
      const room = Math.max(20, columns - start.length - who.length - 2);
      return `${paint.cyan(task.id.padEnd(ids))}  ${paintState(shown, paint)(shown.padEnd(states))}  p${task.priority}  ${clip(task.description, room)}${paint.dim(who)}`;
    })
    .join('\n');
}

function paintState(state: Shown, paint: Paint): (text: string) => string {
  switch (state) {
    case 'done':
      return paint.green;
    case 'claimed':
      return paint.yellow;
    case 'failed':
    case 'stuck':
      return paint.red;
    case 'cancelled':
    case 'blocked':
      return paint.dim;
    case 'available':
      return (text) => text;
  }
}

/** Everything about one task. */
export function taskText(
  task: Task,
  shown: Shown,
  parts: { resultPath: string | undefined; dependants: string[] },
  paint: Paint,
): string {
  const lines = [
    `${paint.bold(task.id)} ${paintState(shown, paint)(shown)}  priority ${task.priority}, attempt ${task.attempt} of ${task.max_attempts}`,
    '',
    ...quoted(task.description),
    '',
  ];
  const add = (label: string, value: string | null | undefined): void => {
    if (value === undefined || value === null || value === '') return;
    const [first = '', ...more] = labelled(label, value);
    lines.push(more.length > 0 ? first : `${`${label}:`.padEnd(12)} ${first.slice(label.length + 2)}`, ...more);
  };
  add('Worker', task.claimed_by);
  add('Files', task.context.files.join(', '));
  add('Hints', task.context.hints);
  add('Needs', task.dependencies.join(', '));
  add(
    'Needed by',
    `${parts.dependants.slice(0, 10).join(', ')}${parts.dependants.length > 10 ? ` and ${parts.dependants.length - 10} more` : ''}`,
  );
  add('Tags', task.tags.join(', '));
  add('Key', task.key);
  add('Exclusive', task.exclusive === true ? 'yes' : '');
  add('Created', task.created_at && formatTime(task.created_at));
  add('Claimed', task.claimed_at && formatTime(task.claimed_at));
  add('Lease until', task.lease_expires_at && formatTime(task.lease_expires_at));
  add('Completed', task.completed_at && formatTime(task.completed_at));
  add('Last error', task.last_error);
  add('Note', task.note);
  add('Result', parts.resultPath);
  return lines.join('\n').trimEnd();
}

export function logText(entry: LogEntry, paint: Paint): string {
  const what = [entry.event, entry.task_id].filter(Boolean).join(' ');
  return `${paint.dim(formatTime(entry.time))} ${paint.cyan(entry.agent)} ${what}${entry.message === '' ? '' : `: ${entry.message}`}`;
}

export type GraphFormat = 'text' | 'mermaid' | 'dot';

/** The dependency graph; the critical path is marked with a star, or with heavy edges. */
export function graphText(board: Board, shownOf: (task: Task) => Shown, format: GraphFormat, paint: Paint): string {
  const critical = new Set(criticalPath(board.tasks).map((task) => task.id));
  const { order } = sortByDependency(board.tasks);
  const isCriticalEdge = (task: Task, id: string): boolean => critical.has(task.id) && critical.has(id);
  switch (format) {
    case 'text':
      return [
        ...order.map((task) => {
          const shown = shownOf(task);
          const needs =
            task.dependencies.length === 0
              ? ''
              : paint.dim(` <- ${[...task.dependencies].toSorted(compareIds).join(', ')}`);
          return `${critical.has(task.id) ? '*' : ' '} ${paintState(shown, paint)(MARKS[shown])} ${paint.cyan(task.id)} ${clip(task.description, 50)} (${shown})${needs}`;
        }),
        ...(critical.size > 1 ? ['', `* critical path: ${critical.size} tasks, one after the other`] : []),
      ].join('\n');
    case 'mermaid':
      return [
        'graph TD',
        ...order.map(
          (task) =>
            `  ${task.id}["${task.id}: ${clip(task.description, 40).replaceAll(/["<>[\]{}`\\#]/g, "'")}"]:::${shownOf(task)}`,
        ),
        ...order.flatMap((task) =>
          task.dependencies.map((id) => `  ${id} ${isCriticalEdge(task, id) ? '==>' : '-->'} ${task.id}`),
        ),
        ...Object.entries(COLOURS).map(([state, colour]) => `  classDef ${state} fill:${colour},color:#111`),
      ].join('\n');
    case 'dot':
      return [
        'digraph tasks {',
        '  node [shape=box, style=filled]',
        ...order.map(
          (task) =>
            `  ${JSON.stringify(task.id)} [label=${JSON.stringify(`${task.id}\n${clip(task.description, 40)}`)}, fillcolor="${COLOURS[shownOf(task)]}"]`,
        ),
        ...order.flatMap((task) =>
          task.dependencies.map(
            (id) =>
              `  ${JSON.stringify(id)} -> ${JSON.stringify(task.id)}${isCriticalEdge(task, id) ? ' [penwidth=3]' : ''}`,
          ),
        ),
        '}',
      ].join('\n');
  }
}

const COLOURS: Record<Shown, string> = {
  available: '#cfe8ff',
  claimed: '#ffe08a',
  done: '#b7e4b0',
  failed: '#f4a6a0',
  cancelled: '#d9d9d9',
  blocked: '#eeeeee',
  stuck: '#f7c6a3',
};
