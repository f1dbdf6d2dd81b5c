/** The timeline for eyes: bars of characters for a terminal, and a picture. */
import { mermaidGantt, type Span, type Timeline, idleOf } from '../../model/views/timeline.ts';
import { formatDuration, formatTime } from '../durations.ts';
import type { Paint } from '../io.ts';

export type TimelineFormat = 'text' | 'mermaid' | 'svg';

export function timelineText(timeline: Timeline, format: TimelineFormat, paint: Paint, columns: number): string {
  switch (format) {
    case 'text':
      return textBars(timeline, paint, columns);
    case 'mermaid':
      return mermaidGantt(timeline);
    case 'svg':
      return svgBars(timeline);
  }
}

const MARKS: Record<Span['end'], string> = {
  done: '=',
  'handed in': '=',
  approved: '+',
  'sent back': '<',
  landed: '^',
  failed: 'x',
  'given back': '-',
  'taken away': '-',
  expired: '!',
  working: '>',
};

/** Nobody's eye follows a longer lane. */
const WIDEST = 200;

/** Beside the name and the bar: a space, two lines, and how busy. */
const AROUND = ' ||  100%'.length;

/** Lanes of one line: where a worker was busy, and with which task where that fits into the bar. */
function textBars({ from, to, lanes }: Timeline, paint: Paint, columns: number): string {
  const names = Math.max(...lanes.map(({ worker }) => worker.length), 6);
  const width = Math.max(20, Math.min(columns, WIDEST) - names - AROUND);
  const start = Date.parse(from);
  const length = Math.max(1, Date.parse(to) - start);
  const at = (time: string): number => Math.min(width - 1, Math.floor(((Date.parse(time) - start) / length) * width));
  const lines = lanes.map(({ worker, spans }) => {
    const cells = Array.from({ length: width }, () => ' ');
    for (const gap of idleOf(spans)) cells.fill('.', at(gap.from), at(gap.to));
    for (const span of spans) {
      const [first, last] = [at(span.from), Math.max(at(span.from), at(span.to) - 1)];
      for (let i = first; i <= last; i++) cells[i] = MARKS[span.end];
      const name = span.task_id.replace(/^task-/, '');
      if (last - first >= name.length) for (let i = 0; i < name.length; i++) cells[first + i] = name.charAt(i); // a name is ASCII
    }
    const busy = spans.reduce((sum, span) => sum + Date.parse(span.to) - Date.parse(span.from), 0);
    return `${paint.cyan(worker.padEnd(names))} |${cells.join('')}| ${paint.dim(`${Math.round((busy / length) * 100)}%`)}`;
  });
  const ends = new Set(lanes.flatMap(({ spans }) => spans.map(({ end }) => end)));
  const marks = ends.has('approved') || ends.has('sent back') ? '  + approved  < sent back' : '';
  const reviews = `${marks}${ends.has('landed') ? '  ^ landed' : ''}`;
  const legend = `= done  x failed  - given back  ! expired  > working  . idle${reviews}; % busy`;
  return [
    ...lines,
    `${''.padEnd(names)}  ${formatTime(from)}${' '.repeat(Math.max(1, width - 2 * formatTime(from).length))}${formatTime(to)}`,
    paint.dim(`${legend}; ${formatDuration(length)} in all`),
  ].join('\n');
}

const COLOURS: Record<Span['end'], string> = {
  done: '#4caf50',
  'handed in': '#8bc34a',
  approved: '#2e7d32',
  'sent back': '#8e24aa',
  landed: '#00897b',
  failed: '#e53935',
  'given back': '#9e9e9e',
  'taken away': '#9e9e9e',
  expired: '#fb8c00',
  working: '#1e88e5',
};
/** Ends that only boards with reviews or landings know. */
const REVIEWS = new Set<Span['end']>(['handed in', 'approved', 'sent back', 'landed']);
const LANE = 28;
const LABEL = 120;
const WIDTH = 900;

/** A picture without scripts or links: names and ids, which hold letters, digits, dots and dashes alone. */
function svgBars({ from, to, lanes }: Timeline): string {
  const start = Date.parse(from);
  const length = Math.max(1, Date.parse(to) - start);
  const x = (time: string): number => LABEL + ((Date.parse(time) - start) / length) * WIDTH;
  const height = (lanes.length + 2) * LANE;
  const bars = lanes.flatMap(({ worker, spans }, i) => [
    `  <text x="8" y="${(i + 1) * LANE + 18}">${worker}</text>`,
    ...idleOf(spans).map(
      (gap) =>
        `  <g><title>idle, ${gap.from} to ${gap.to}</title><line x1="${x(gap.from).toFixed(1)}" x2="${x(gap.to).toFixed(1)}" y1="${(i + 1) * LANE + LANE / 2}" y2="${(i + 1) * LANE + LANE / 2}" stroke="#bbb" stroke-dasharray="3 3"/></g>`,
    ),
    ...spans.map((span) => {
      const [left, right] = [x(span.from), x(span.to)];
      const wide = Math.max(2, right - left);
      const label =
        wide > 60
          ? `<text x="${(left + 4).toFixed(1)}" y="${(i + 1) * LANE + 18}" fill="#fff">${span.task_id}</text>`
          : '';
      return `  <g><title>${span.task_id} ${span.end}, ${span.from} to ${span.to}</title><rect x="${left.toFixed(1)}" y="${(i + 1) * LANE + 4}" width="${wide.toFixed(1)}" height="${LANE - 8}" rx="3" fill="${COLOURS[span.end]}"/>${label}</g>`;
    }),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LABEL + WIDTH + 20} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="Who worked on what">`,
    `  <rect width="100%" height="100%" fill="#fff"/>`,
    `  <text x="${LABEL}" y="18" fill="#555">${from}</text>`,
    `  <text x="${LABEL + WIDTH}" y="18" fill="#555" text-anchor="end">${to}</text>`,
    ...bars,
    `  <text x="8" y="${height - 8}" fill="#555">${(Object.keys(COLOURS) as Span['end'][])
      .filter((end) => !REVIEWS.has(end) || lanes.some(({ spans }) => spans.some((span) => span.end === end)))
      .map((end) => `<tspan fill="${COLOURS[end]}">&#9632;</tspan> ${end}&#160;&#160;`)
      .join('')}</text>`,
    '</svg>',
  ].join('\n');
}
