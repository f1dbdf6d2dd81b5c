/** Boards and tasks as people look at them: lines and tables. Whatever a task says has been made visible before it comes here. */
import { evidenceText } from '../../model/evidence.ts';
import { labelled, plural, quoted } from '../../model/text.ts';
import { questionText } from '../../model/views/questions.ts';
import { formatTime, formatDuration } from '../durations.ts';
import type { LogEntry } from '../../model/views/report.ts';
import type { Paint } from '../io.ts';
import type { Task } from '../../model/task.ts';
import type { Shown } from '../../model/views/listing.ts';
import type { Counts, Summary } from '../../model/views/summary.ts';
import { fit } from './width.ts';

/** Columns of a description at the least, however narrow the terminal. */
const LEAST_COLUMNS = 20;

export function countsText(counts: Counts): string {
  const parts = [`${counts.done}/${counts.total} done`];
  if (counts.claimed > 0) parts.push(`${counts.claimed} claimed`);
  if (counts.submitted > 0) parts.push(`${counts.submitted} submitted`);
  if (counts.claimable > 0) parts.push(`${counts.claimable} claimable`);
  if (counts.asking > 0) parts.push(`${counts.asking} asking`);
  if (counts.blocked > counts.stuck) parts.push(`${counts.blocked - counts.stuck} blocked`);
  if (counts.stuck > 0) parts.push(`${counts.stuck} stuck`);
  if (counts.failed > 0) parts.push(`${counts.failed} failed`);
  if (counts.cancelled > 0) parts.push(`${counts.cancelled} cancelled`);
  return parts.join(', ');
}

const BAR_COLUMNS = 20;

/** Rows of each list in `status`: an agent reads it often, so it stays short on any board. */
const STATUS_ROWS = { questions: 3, active: 5, review: 3, broken: 2, claimable: 3, stuck: 2, failed: 2 };

/** The board at a glance. */
export function statusText(summary: Summary, now: string, paint: Paint, columns: number, hasLegend = false): string {
  const { counts } = summary;
  const width = Math.max(LEAST_COLUMNS, columns - 44);
  const roomAfter = (start: string): number => Math.max(LEAST_COLUMNS, columns - start.length - '  '.length);
  const sums = countsText(counts);
  const isWide = BAR_COLUMNS + 3 + sums.length > columns;
  const lines = [
    paint.bold(fit(summary.goal ?? 'No goal', columns)),
    ...(isWide ? [bar(counts, paint), sums] : [`${bar(counts, paint)} ${sums}`]),
  ];
  if (hasLegend) lines.push(paint.dim('# done  > working  x failed or cancelled  . open'));
  const section = (title: string, rows: string[], total: number): void => {
    if (rows.length === 0) return;
    lines.push(paint.bold(title), ...rows.map((row) => `  ${row}`));
    if (total > rows.length) lines.push(paint.dim(`  and ${total - rows.length} more`));
  };
  section(
    'Questions',
    summary.questions.slice(0, STATUS_ROWS.questions).map((asked) => {
      const due = asked.due === null ? '' : `, default at ${formatTime(asked.due)}`;
      const end = ` (of ${asked.worker}${asked.parked ? ', parked' : ''}${due})`;
      const id = asked.n > 1 ? `${asked.task_id}, ${asked.n}` : asked.task_id;
      return `${paint.yellow(id)} ${fit(asked.question, roomAfter(`${id} ${end}`))}${end}`;
    }),
    summary.open_questions,
  );
  section(
    'Working',
    summary.active.slice(0, STATUS_ROWS.active).map((task) => {
      const since = formatDuration(Date.parse(now) - Date.parse(task.claimed_at ?? now));
      const left = Date.parse(task.lease_expires_at ?? now) - Date.parse(now);
      const lease = task.expired ? paint.yellow('lease expired') : `lease ${formatDuration(left)}`;
      return `${task.worker} ${paint.cyan(task.task_id)} ${fit(task.description, width)} (${since}, ${lease})`;
    }),
    counts.claimed,
  );
  section(
    'Needs review',
    summary.review.slice(0, STATUS_ROWS.review).map((task) => {
      const start = `${task.task_id} `;
      const end = ` (of ${task.worker}${task.unchecked ? ', unchecked' : ''})`;
      return `${paint.cyan(task.task_id)} ${fit(task.description, roomAfter(start + end))}${end}`;
    }),
    counts.submitted - summary.landing.length,
  );
  section(
    'Lands',
    summary.landing.slice(0, STATUS_ROWS.review).map((task) => {
      const end = ` (of ${task.worker}, ${task.state})`;
      return `${paint.cyan(task.task_id)} ${fit(task.description, roomAfter(`${task.task_id} ${end}`))}${end}`;
    }),
    summary.landing.length,
  );
  section(
    'Checks that cannot be run',
    summary.broken
      .slice(0, STATUS_ROWS.broken)
      .map((task) => `${paint.red(task.task_id)} ${fit(task.check, roomAfter(`${task.task_id} `))}`),
    summary.broken.length,
  );
  section(
    'Next',
    summary.claimable.slice(0, STATUS_ROWS.claimable).map((task) => {
      const start = `${task.task_id} p${task.priority} `;
      return `${paint.cyan(task.task_id)} p${task.priority} ${fit(task.description, roomAfter(start))}`;
    }),
    counts.claimable,
  );
  section(
    'Stuck',
    summary.stuck
      .slice(0, STATUS_ROWS.stuck)
      .map((task) => `${paint.cyan(task.task_id)} ${fit(task.description, width)}, behind ${task.because.join(', ')}`),
    counts.stuck,
  );
  section(
    'Failed',
    summary.failed
      .slice(0, STATUS_ROWS.failed)
      .map((task) => `${paint.red(task.task_id)} ${fit(task.last_error ?? '', roomAfter(`${task.task_id} `))}`),
    counts.failed,
  );
  return lines.join('\n');
}

/** How far a board has come: done `#`, failed and cancelled `x`, claimed `>`, the rest `.`. */
export function bar(
  counts: Pick<Counts, 'total' | 'done' | 'failed' | 'cancelled' | 'claimed'> & { submitted?: number },
  paint: Paint,
  columns = BAR_COLUMNS,
): string {
  const part = (n: number): number => (counts.total === 0 ? 0 : Math.floor((n / counts.total) * columns));
  const done = part(counts.done);
  const failed = part(counts.failed + counts.cancelled);
  const claimed = part(counts.claimed + (counts.submitted ?? 0));
  const rest = columns - done - failed - claimed;
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
      const room = Math.max(LEAST_COLUMNS, columns - start.length - who.length - 2);
      return `${paint.cyan(task.id.padEnd(ids))}  ${paintState(shown, paint)(shown.padEnd(states))}  p${task.priority}  ${fit(task.description, room)}${paint.dim(who)}`;
    })
    .join('\n');
}

export function paintState(state: Shown, paint: Paint): (text: string) => string {
  switch (state) {
    case 'done':
      return paint.green;
    case 'claimed':
    case 'submitted':
      return paint.yellow;
    case 'failed':
    case 'stuck':
      return paint.red;
    case 'asking':
      return paint.yellow;
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
  parts: { resultPath: string | undefined; dependants: string[]; guarded: string[]; now: string },
  paint: Paint,
): string {
  const { now } = parts;
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
  add('Checks', task.checks?.join('\n'));
  add(
    'Review',
    parts.guarded.length > 0 ? `protected: ${parts.guarded.join(', ')}` : task.review === true ? 'yes' : '',
  );
  add('Evidence', task.evidence && evidenceText(task.evidence));
  add('Approved', task.reviewed && `by ${task.reviewed.by}, ${formatTime(task.reviewed.at)}`);
  add('Branch', task.branch);
  add('Landed', task.landed && `on ${task.landed.branch} as ${task.landed.commit}, ${formatTime(task.landed.at)}`);
  add('Sent back', task.bounces === undefined ? '' : plural(task.bounces, 'time'));
  add('Created', task.created_at && formatTime(task.created_at));
  add('Claimed', task.claimed_at && formatTime(task.claimed_at));
  add('Lease until', task.lease_expires_at && formatTime(task.lease_expires_at));
  add('Completed', task.completed_at && formatTime(task.completed_at));
  add('Last error', task.last_error);
  add('Note', task.note);
  for (const question of task.questions ?? []) lines.push(...questionText(question, now));
  add('Result', parts.resultPath);
  return lines.join('\n').trimEnd();
}

export function logText(entry: LogEntry, paint: Paint): string {
  const what = [entry.event, entry.task_id].filter(Boolean).join(' ');
  return `${paint.dim(formatTime(entry.time))} ${paint.cyan(entry.agent)} ${what}${entry.message === '' ? '' : `: ${entry.message}`}`;
}
