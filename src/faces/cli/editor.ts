/** A task in the person's own editor: fields in a front matter, the description below, hints behind a line of dashes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import type { Task } from '../../model/task.ts';
import type { Io } from '../io.ts';

const HINTS = '--- hints ---';

/** A line that the texts themselves do not have. */
function separatorFor({ description, context }: Task): string {
  const lines = new Set([...description.split('\n'), ...context.hints.split('\n')]);
  let line = HINTS;
  while (lines.has(line)) line = `-${line}-`;
  return line;
}

/** As the list options of the command line are written. */
function listText(values: readonly string[]): string {
  return values.map((value) => value.replaceAll(',', '\\,')).join(', ');
}

export function taskAsText(task: Task): string {
  const { id, description, priority, dependencies, context, tags, max_attempts, exclusive } = task;
  return `# ${id}: lines that begin with # before the description are left out. Save and close to change the task.
priority: ${priority}
depends: ${dependencies.join(', ')}
files: ${listText(context.files)}
tags: ${tags.join(', ')}
max_attempts: ${max_attempts}
exclusive: ${exclusive === true ? 'yes' : 'no'}

${description}

${separatorFor(task)}
${context.hints}
`;
}

/** The fields that differ, as an edit takes them. @throws CoordError `invalid-input` for a line that is no field */
export function changedFields(before: Task, text: string): Record<string, unknown> {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  const start = lines.findIndex((line) => line.trim() === '');
  const end = lines.indexOf(separatorFor(before));
  const fields = new Map(
    lines
      .slice(0, start === -1 ? lines.length : start)
      .filter((line) => !line.startsWith('#'))
      .map((line): [string, string] => {
        const at = line.indexOf(':');
        if (at === -1) throw new CoordError('invalid-input', `"${line}" is no field.`);
        return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      }),
  );
  const list = (name: string): string[] =>
    [...(fields.get(name) ?? '').matchAll(/(?:\\,|[^,])+/g)]
      .map(([one]) => one.replaceAll('\\,', ',').trim())
      .filter((one) => one !== '');
  const body = lines
    .slice(start === -1 ? lines.length : start, end === -1 ? lines.length : end)
    .join('\n')
    .trim();
  const now: Record<string, unknown> = {
    description: body,
    priority: Number(fields.get('priority')),
    dependencies: list('depends'),
    files: list('files'),
    hints:
      end === -1
        ? ''
        : lines
            .slice(end + 1)
            .join('\n')
            .trimEnd(),
    tags: list('tags'),
    max_attempts: Number(fields.get('max_attempts')),
    exclusive: /^(?:yes|true)$/i.test(fields.get('exclusive') ?? ''),
  };
  const was: Record<string, unknown> = {
    description: before.description,
    priority: before.priority,
    dependencies: before.dependencies,
    files: before.context.files,
    hints: before.context.hints.trimEnd(),
    tags: before.tags,
    max_attempts: before.max_attempts,
    exclusive: before.exclusive === true,
  };
  return Object.fromEntries(
    Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(was[name])),
  );
}

/**
 * Opens `VISUAL` or `EDITOR`, waits until it is closed, and hands over what was saved. Where that cannot be used, what was typed
 * is kept, and the error says where.
 *
 * @throws CoordError `command-not-found` or `command-failed` where the editor did not end well; what `use` throws
 */
export async function editText<T>(
  env: Io['env'],
  name: string,
  text: string,
  use: (edited: string) => Promise<T>,
): Promise<T> {
  const editor = env['VISUAL'] || env['EDITOR'] || (process.platform === 'win32' ? 'notepad' : 'vi');
  const folder = mkdtempSync(join(tmpdir(), 'coord-'));
  const file = join(folder, `${name}.md`);
  let isKept = false;
  try {
    writeFileSync(file, text, { mode: 0o600 });
    runEditor(editor, file, env);
    const edited = readFileSync(file, 'utf8');
    isKept = edited !== text;
    const answer = await use(edited);
    isKept = false;
    return answer;
  } catch (error) {
    if (!isKept || !(error instanceof CoordError)) throw error;
    throw new CoordError(error.code, `${error.message} Nothing was changed; what you typed is kept in ${file}`, {
      details: error.details as never, // its own
      cause: error,
    });
  } finally {
    if (!isKept) rmSync(folder, { recursive: true, force: true });
  }
}

/** As git runs it: the variable may hold arguments. */
function runEditor(editor: string, file: string, env: Io['env']): void {
  const ran =
    process.platform === 'win32'
      ? spawnSync(`${editor} "${file}"`, { shell: true, stdio: 'inherit', env })
      : spawnSync('/bin/sh', ['-c', `${editor} "$1"`, editor, file], { stdio: 'inherit', env });
  if (ran.error || ran.status === 127)
    throw new CoordError('command-not-found', `The editor ${editor} could not be started. Nothing was changed.`, {
      hint: 'EDITOR=nano coord leader edit …, or the options of coord leader edit --help',
    });
  if (ran.status !== 0)
    throw new CoordError(
      'command-failed',
      `The editor ${editor} ended with ${ran.signal ?? `exit code ${ran.status}`}. Nothing was changed.`,
    );
}
