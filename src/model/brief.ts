/** The text that a worker is given with its task: all it needs, and nothing that grows with the board. */
import { type Board, findTask } from './board.ts';
import type { Discovery, Result } from './report.ts';
import type { Task } from './task.ts';
import { clip } from './text.ts';

/** Discoveries shown in a brief, newest last; the file has them all. */
const SHOWN_DISCOVERIES = 20;
/** Characters of each earlier result that a brief repeats; the file has it all. */
const SHOWN_OUTPUT = 1500;

export interface BriefParts {
  board: Board;
  task: Task;
  plan: string;
  results: readonly Result[];
  discoveries: readonly Discovery[];
}

/** Task, plan, results of the dependencies and discoveries, as Markdown. */
export function writeBrief({ board, task, plan, results, discoveries }: BriefParts): string {
  const lines = [`# ${task.id}: ${task.description}`, ''];
  if (task.context.files.length > 0) lines.push(`Files: ${task.context.files.join(', ')}`);
  if (task.context.hints !== '') lines.push(`Hints: ${task.context.hints}`);
  if (task.last_error !== null) lines.push(`Last attempt: ${task.last_error}`);
  if (task.note !== undefined) lines.push(`Note: ${task.note}`);
  if (lines.at(-1) !== '') lines.push('');
  const needed = task.dependencies.map((id) => findTask(board, id));
  if (needed.length > 0) lines.push('## Results this task builds on', '');
  for (const dependency of needed) {
    const output = results.find((result) => result.task_id === dependency.id)?.output ?? '(no result stored)';
    lines.push(
      `### ${dependency.id}: ${clip(dependency.description)}`,
      '',
      cut(output.trim(), `results/${dependency.id}.md`),
      '',
    );
  }
  if (discoveries.length > 0) {
    const shown = discoveries.slice(-SHOWN_DISCOVERIES);
    lines.push('## Discoveries', '', ...shown.map((found) => `- ${clip(found.content, 300)} (${found.worker})`), '');
    if (shown.length < discoveries.length)
      lines.push(`… ${discoveries.length - shown.length} older ones in context/discoveries.md`, '');
  }
  if (plan.trim() !== '') lines.push('## Plan', '', cut(plan.trim(), 'master-plan.md'), '');
  return `${lines.join('\n').trimEnd()}\n`;
}

function cut(text: string, file: string): string {
  return text.length <= SHOWN_OUTPUT ? text : `${text.slice(0, SHOWN_OUTPUT)}… (the rest: ${file})`;
}
