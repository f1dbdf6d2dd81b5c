/**
 * Task files: JSON (an array, or `{"tasks": […]}`), JSON Lines, YAML of the same shape, or a Markdown list.
 * Read into plain values here; whether they are tasks is for the schema to say.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CoordError } from '../model/errors.ts';
import { isRecord } from '../model/values.ts';

/** Reads a file (or stdin for `-`) into the tasks it lists. @throws CoordError `import-malformed`, `store-unavailable` */
export async function readTaskFile(cwd: string, file: string, readStdin: () => Promise<string>): Promise<unknown[]> {
  const name = file === '-' ? 'stdin' : file;
  const text = (file === '-' ? await readStdin() : readText(resolve(cwd, file), file)).replace(/^\uFEFF/, '');
  if (text.trim() === '') throw malformed(name, 'it is empty');
  const tasks = await parseTasks(name, text);
  if (tasks.length === 0) throw malformed(name, 'it lists no task');
  return plainTasks(name, tasks);
}

/** The same for tasks that stand in a file of another kind. */
export function plainTasks(name: string, tasks: readonly unknown[]): unknown[] {
  return resolveLocalIds(tasks.map((task, i) => plainTask(task, `${name}, task ${i + 1}`)));
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CoordError(
      'store-unavailable',
      `${name} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      {
        details: { why: 'import' },
        cause: error,
      },
    );
  }
}

function malformed(name: string, what: string): CoordError {
  return new CoordError('import-malformed', `${name} cannot be imported: ${what}. Nothing was added.`, {
    details: { why: 'tasks' },
  });
}

async function parseTasks(name: string, text: string): Promise<unknown[]> {
  const start = text.trimStart();
  if (start.startsWith('[') && !/^\[[ xX]?\]/.test(start)) return tasksOf(name, parseJson(name, text));
  if (start.startsWith('{')) return parseObjects(name, text);
  if (
    /^[ \t]*([-*+]|\d+[.)])[ \t]+/m.test(text) &&
    !/^[ \t]*([-*+][ \t]+)?["']?(description|tasks|key|id)["']?[ \t]*:/m.test(text)
  ) {
    const { checklistTasks } = await import('./checklist.ts');
    return checklistTasks(text);
  }
  return tasksOf(name, await parseYaml(name, text));
}

/** One object over many lines, or one a line. */
function parseObjects(name: string, text: string): unknown[] {
  try {
    const document: unknown = JSON.parse(text);
    return isRecord(document) && !('tasks' in document) && 'description' in document
      ? [document]
      : tasksOf(name, document);
  } catch (error) {
    if (error instanceof CoordError) throw error;
    const lines = text.split('\n').map((line, i) => ({ line: line.trim(), number: i + 1 }));
    const filled = lines.filter(({ line }) => line !== '');
    // Not JSON Lines when the first line is no object by itself: then the error of the whole text says more.
    if (filled.length < 2 || !isJson(filled[0]?.line ?? '')) return [parseJson(name, text)];
    return filled.map(({ line, number }) => parseJson(`${name}, line ${number}`, line));
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(name, `it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function parseYaml(name: string, text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    // Its warnings would go to the terminal as they are.
    return parse(text, { logLevel: 'error' });
  } catch (error) {
    throw malformed(
      name,
      `it is not YAML: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]?.replace(/:$/, '')}`,
    );
  }
}

function tasksOf(name: string, document: unknown): unknown[] {
  if (Array.isArray(document)) return document;
  if (isRecord(document) && Array.isArray(document['tasks'])) return document['tasks'];
  throw malformed(name, 'it holds neither a list of tasks nor an object with "tasks"');
}

/** Other spellings of the same fields: `context: {files, hints}` as in tasks.json, and `context_files`. */
function plainTask(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'string') return { description: value };
  if (!isRecord(value)) throw malformed(where, 'it is neither an object nor a text');
  const { context, context_files, ...task } = value;
  const inner = isRecord(context) ? context : {};
  const fields: Record<string, unknown> = {
    ...task,
    files: task['files'] ?? context_files ?? inner['files'],
    hints: task['hints'] ?? inner['hints'],
  };
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined && field !== null));
}

/** An `id` holds within its file only, since the board gives ids of its own: dependencies on it become places in the file. */
function resolveLocalIds(tasks: Record<string, unknown>[]): unknown[] {
  const places = new Map(tasks.flatMap(({ id }, i) => (typeof id === 'string' ? [[id, `#${i + 1}`] as const] : [])));
  if (places.size === 0) return tasks;
  return tasks.map(({ id: _id, ...task }) => ({
    ...task,
    ...(Array.isArray(task['dependencies'])
      ? { dependencies: task['dependencies'].map((name: unknown) => places.get(String(name)) ?? name) }
      : {}),
  }));
}
