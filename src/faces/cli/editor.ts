/** A task in the person's own editor: fields in a front matter, the description below, hints behind a line of dashes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import type { Task } from '../../model/task.ts';
import type { Io } from '../io.ts';

const HINTS = '--- hints ---';

export function taskAsText({
  id,
  description,
  priority,
  dependencies,
  context,
  tags,
  max_attempts,
  exclusive,
}: Task): string {
  return `# ${id}: lines that begin with # before the description are left out. Save and close to change the task.
priority: ${priority}
depends: ${dependencies.join(', ')}
files: ${context.files.join(', ')}
tags: ${tags.join(', ')}
max_attempts: ${max_attempts}
exclusive: ${exclusive === true ? 'yes' : 'no'}

${description}

${HINTS}
${context.hints}
`;
}

/** The fields that differ, as an edit takes them. @throws CoordError `invalid-input` for a line that is no field */
export function changedFields(before: Task, text: string): Record<string, unknown> {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  const start = lines.findIndex((line) => line.trim() === '');
  const end = lines.indexOf(HINTS);
  const fields = new Map(
    lines
      .slice(0, start === -1 ? lines.length : start)
      .filter((line) => !line.startsWith('#'))
      .map((line): [string, string] => {
        const at = line.indexOf(':');
        if (at === -1) throw new CoordError('invalid-input', `"${line}" is no field. Nothing was changed.`);
        return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      }),
  );
  const list = (name: string): string[] =>
    (fields.get(name) ?? '')
      .split(',')
      .map((one) => one.trim())
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
 * Opens `VISUAL` or `EDITOR`, and waits until it is closed.
 *
 * @returns what was saved
 * @throws CoordError `usage` without an editor, `command-not-found` or `interrupted` where it did not end well
 */
export async function editText(env: Io['env'], name: string, text: string): Promise<string> {
  const editor = env['VISUAL'] || env['EDITOR'] || (process.platform === 'win32' ? 'notepad' : 'vi');
  const folder = mkdtempSync(join(tmpdir(), 'coord-'));
  const file = join(folder, `${name}.md`);
  try {
    writeFileSync(file, text, { mode: 0o600 });
    // As git runs it: the variable may hold arguments.
    const ran =
      process.platform === 'win32'
        ? spawnSync(`${editor} "${file}"`, { shell: true, stdio: 'inherit' })
        : spawnSync('/bin/sh', ['-c', `${editor} "$1"`, editor, file], { stdio: 'inherit' });
    if (ran.error || ran.status === 127)
      throw new CoordError('command-not-found', `The editor ${editor} could not be started. Nothing was changed.`, {
        hint: 'EDITOR=nano coord leader edit …, or the options of coord leader edit --help',
      });
    if (ran.status !== 0)
      throw new CoordError(
        'interrupted',
        `The editor ${editor} ended with ${ran.signal ?? `exit code ${ran.status}`}. Nothing was changed.`,
      );
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
