/** Results and discoveries as data, and the one report that `aggregate` makes of them. */
import { type LogEntry, mermaidGantt, timelineOf } from './timeline.ts';

export type { LogEntry };
import type { Board } from '../board.ts';
import { evidenceText } from '../evidence.ts';
import { sortByDependency } from '../graph.ts';
import { summarise, type Summary } from './summary.ts';
import { quoted, visible } from '../text.ts';

/** What a worker handed in. */
export interface Result {
  task_id: string;
  worker: string;
  attempt: number;
  /** ISO 8601 UTC. */
  completed_at: string | null;
  output: string;
  files_modified: string[];
  files_created: string[];
}

/** A finding shared with everybody. */
export interface Discovery {
  /** `discovery-1`, `discovery-2` … in the order of the file. */
  id: string;
  worker: string;
  /** ISO 8601 UTC. */
  created_at: string;
  content: string;
  tags: string[];
  task_id: string | null;
}

/** Everything that came of a board, as one Markdown document. */
export function writeReport(
  board: Board,
  results: readonly Result[],
  discoveries: readonly Discovery[],
  now: string,
  log: readonly LogEntry[] = [],
): string {
  const summary = summarise(board, now);
  const { counts } = summary;
  const byTask = new Map(results.map((result) => [result.task_id, result]));
  const lines: string[] = ['# Summary', ''];
  if (board.goal !== undefined) lines.push(`**Goal:** ${oneLine(board.goal)}`, '');
  lines.push(
    `**Tasks:** ${counts.done} of ${counts.total} done, ${counts.failed} failed, ${counts.cancelled} cancelled, ${counts.available + counts.claimed + counts.submitted} open.`,
    `**Written:** ${now}, revision ${board.revision}.`,
    '',
    '## Results',
    '',
  );
  const done = sortByDependency(board.tasks).order.filter((task) => task.status === 'done');
  if (done.length === 0) lines.push('No task is done yet.', '');
  for (const task of done) {
    const result = byTask.get(task.id);
    lines.push(`### ${task.id}: ${oneLine(task.description)}`, '');
    lines.push(`By ${task.claimed_by ?? 'unknown'}, ${task.completed_at ?? ''}.`, '');
    if (task.evidence) lines.push(`Checked: ${oneLine(evidenceText(task.evidence))}.`, '');
    if (task.landed) lines.push(`Landed on ${oneLine(task.landed.branch)} as ${oneLine(task.landed.commit)}.`, '');
    if (task.reviewed) lines.push(`Approved by ${oneLine(task.reviewed.by)}, ${task.reviewed.at}.`, '');
    if (!result) {
      lines.push('*No result was stored.*', '');
      continue;
    }
    lines.push(...(result.output.trim() === '' ? ['*The result is empty.*'] : fenced(result.output)), '');
    if (result.files_created.length > 0) lines.push(`Created: ${result.files_created.map(oneLine).join(', ')}`, '');
    if (result.files_modified.length > 0) lines.push(`Modified: ${result.files_modified.map(oneLine).join(', ')}`, '');
  }
  const files = [
    ...new Set(results.flatMap((result) => [...result.files_created, ...result.files_modified])),
  ].toSorted();
  if (files.length > 0) lines.push('## Files touched', '', ...files.map((file) => `- ${oneLine(file)}`), '');
  lines.push('## Discoveries', '');
  if (discoveries.length === 0) lines.push('None.', '');
  for (const found of discoveries) {
    const about = [found.worker, found.task_id, ...found.tags.map((tag) => `#${tag}`)].filter(Boolean).join(', ');
    lines.push(`- ${about}`, '', ...fenced(found.content).map((line) => `  ${line}`), '');
  }
  if (discoveries.length > 0) lines.push('');
  lines.push(...failedText(summary), ...stuckText(summary));
  const timeline = timelineOf(log, now);
  if (timeline) lines.push('## Timeline', '', '```mermaid', mermaidGantt(timeline), '```', '');
  return `${lines.join('\n').trimEnd()}\n`;
}

function failedText({ failed, counts }: Summary): string[] {
  if (failed.length === 0) return [];
  const rows = failed.map(
    (task) => `- ${task.task_id}: ${oneLine(task.description)}. ${oneLine(task.last_error ?? '')}`,
  );
  return ['## Failed', '', ...rows, '', ...moreText(counts.failed - failed.length)];
}

function stuckText({ stuck, counts }: Summary): string[] {
  if (stuck.length === 0) return [];
  const rows = stuck.map(
    (task) => `- ${task.task_id}: ${oneLine(task.description)}. Waits for ${task.because.join(', ')}.`,
  );
  return ['## Stuck', '', ...rows, '', ...moreText(counts.stuck - stuck.length)];
}

function moreText(more: number): string[] {
  return more > 0 ? [`… and ${more} more.`, ''] : [];
}

function oneLine(text: string): string {
  return withoutHtml(visible(text).replace(/\s+/g, ' ').trim());
}

/** Text of an agent for a report, as a quotation: its headings stay below the report's own, and its lines its own. */
export function fenced(text: string): string[] {
  return quoted(withoutHtml(text));
}

/** Markup of its own would reach whoever looks at the report in a browser. */
function withoutHtml(text: string): string {
  return text.replace(/<(?=[A-Za-z/!?])/g, '&lt;');
}
