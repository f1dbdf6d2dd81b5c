/** The tasks of a board for other tools, in forms that `coord leader import` reads back to the same. */
import type { Board } from '../model/board.ts';
import type { Task } from '../model/task.ts';
import { joinCell } from './csv.ts';
import type { ExportFormat } from './names.ts';

/** Begins an exported checklist: under it, bullets such as `priority: 2` are fields and no hints. */
export const MARKDOWN_MARK = '<!-- coord tasks -->';

export async function exportTasks(board: Board, format: ExportFormat): Promise<string> {
  if (format === 'json') return `${JSON.stringify({ goal: board.goal, tasks: board.tasks.map(fieldsOf) }, null, 2)}\n`;
  return format === 'csv' ? await csvOf(board) : markdownOf(board);
}

/** What a new task can be given, its id, and its status, for those who read on. */
function fieldsOf(task: Task): Record<string, unknown> {
  const { id, key, description, status, priority, dependencies, context, tags, max_attempts, exclusive } = task;
  const { checks, check_timeout, review } = task;
  return {
    id,
    ...(key === undefined ? {} : { key }),
    description,
    status,
    priority,
    dependencies,
    files: context.files,
    hints: context.hints,
    tags,
    max_attempts,
    ...(exclusive === true ? { exclusive } : {}),
    ...(checks === undefined ? {} : { checks }),
    ...(check_timeout === undefined ? {} : { check_timeout }),
    ...(review === undefined ? {} : { review }),
  };
}

const COLUMNS = [
  'id',
  'key',
  'description',
  'status',
  'priority',
  'dependencies',
  'files',
  'hints',
  'tags',
  'max_attempts',
  'exclusive',
  'checks',
  'check_timeout',
  'review',
];

async function csvOf(board: Board): Promise<string> {
  const { default: Papa } = await import('papaparse');
  const rows = board.tasks.map((task) => {
    const fields = fieldsOf(task);
    return COLUMNS.map((column) => {
      const value = fields[column];
      return Array.isArray(value) ? joinCell(value as string[]) : (value ?? '');
    });
  });
  return `${Papa.unparse({ fields: COLUMNS, data: rows }, { newline: '\n' })}\n`;
}

function markdownOf(board: Board): string {
  const settled = (task: Task): boolean => task.status === 'done' || task.status === 'cancelled';
  const items = board.tasks.map((task) =>
    [
      `- [${settled(task) ? 'x' : ' '}] ${task.id} ${isPlain(task.description) ? task.description : ''}`.trimEnd(),
      ...bullets(task).map((bullet) => `  - ${bullet}`),
      ...(isPlain(task.description) ? [] : fenced('description', task.description)),
      ...(task.context.hints === '' ? [] : fenced('hints', task.context.hints)),
      ...(task.checks ?? []).flatMap((command) => fenced('check', command)),
    ].join('\n'),
  );
  return `${MARKDOWN_MARK}\n# ${(board.goal ?? 'Tasks').replace(/\s+/g, ' ')}\n\n${items.join('\n')}\n`;
}

/** One line that a reader of checklists takes as it stands. */
function isPlain(text: string): boolean {
  return (
    /^[\p{L}\p{N}"'(][^\n\r`<[\]\\]*$/u.test(text) && !/\s{2}|\s$|\b(?:depends on|blocked by|needs|after)\b/i.test(text)
  );
}

function bullets(task: Task): string[] {
  const { key, priority, dependencies, context, tags, max_attempts, exclusive } = task;
  return [
    ...(key === undefined ? [] : [`key: ${key}`]),
    `priority: ${priority}`,
    ...(dependencies.length > 0 ? [`dependencies: ${dependencies.join(', ')}`] : []),
    ...context.files.map((file) => `file: ${file}`),
    ...(tags.length > 0 ? [`tags: ${tags.join(', ')}`] : []),
    `max_attempts: ${max_attempts}`,
    ...(exclusive === true ? ['exclusive: true'] : []),
    ...(task.check_timeout === undefined ? [] : [`check_timeout: ${task.check_timeout}`]),
    ...(task.review === undefined ? [] : [`review: ${task.review}`]),
  ];
}

/** A block in a fence that is longer than any in it. */
function fenced(name: string, text: string): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return ['', `  ${fence}${name}`, ...text.split('\n').map((line) => `  ${line}`), `  ${fence}`];
}
