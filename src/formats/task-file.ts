/**
 * Task lists of every kind: recognised by what is in them, read by the file of their format, and then made into new tasks by
 * new-tasks.ts, the same way for all.
 */
import type { Board } from '../model/board.ts';
import { isRecord } from '../model/values.ts';
import { isBacklogTask, readBacklog } from './backlog.ts';
import { isBeads, readBeads } from './beads.ts';
import { isClaudeTasks, readClaudeTasks } from './claude-tasks.ts';
import { readCoordTasks } from './coord-tasks.ts';
import { isCsv, readCsv } from './csv.ts';
import { MARKDOWN_MARK } from './export.ts';
import { isGithubIssues, readGithubIssues } from './github-issues.ts';
import { type JsonText, type Located, looksLikeJson, readJson } from './json.ts';
import type { Listing } from './listing.ts';
import type { Format } from './names.ts';
import { newTasks, type TaskFile } from './new-tasks.ts';
import { malformed, readSource, type Source, sourceOf } from './source.ts';
import { isTaskMaster, readTaskMaster } from './task-master.ts';
import type { Task } from '../model/task.ts';

export interface ImportOptions {
  from?: Format;
  /** The tag of task-master's file. */
  tagOf?: string;
  /** Put before every key, where two sources use the same. */
  prefix?: string;
  /** What has left the board: it is not added again. */
  archived?: readonly Task[];
}

/** A file, a folder, or stdin for `-`; or what somebody has read already. */
export type TaskPlace =
  | { cwd: string; file: string; readStdin: () => Promise<Buffer> }
  | { name: string; bytes: Buffer };

/**
 * Reads a task list.
 *
 * @param board  what is on it: tasks may depend on it
 * @throws CoordError `import-malformed` with the place, `store-unavailable`, `usage`
 */
export async function readTaskFile(place: TaskPlace, board: Board, options: ImportOptions = {}): Promise<TaskFile> {
  const source =
    'bytes' in place ? sourceOf(place.name, place.bytes) : await readSource(place.cwd, place.file, place.readStdin);
  if (!source.files && source.text.trim() === '') throw malformed(source.name, 'it is empty');
  const listing = await listingOf(source, options);
  // What a tool prints that has found nothing, where it is known which tool.
  const isEmptyList = options.from !== undefined && source.text.trim() === '[]';
  if (listing.entries.length === 0 && listing.skipped.size === 0 && !isEmptyList)
    throw malformed(source.name, 'it lists no task');
  return newTasks(source.name, listing, board, options);
}

/** The same for tasks that stand in a file of another kind. */
export function taskFileOf(name: string, values: readonly unknown[], board: Board): TaskFile {
  const records = values.map((value, i) => ({ value, where: () => `task ${i + 1}` }));
  return newTasks(name, readCoordTasks(name, records), board);
}

async function listingOf(source: Source, { from, tagOf }: ImportOptions): Promise<Listing> {
  const { name, text, files } = source;
  if (files) return folderListing(source, from);
  const format = from ?? recognise(text);
  switch (format) {
    case 'backlog':
      return readBacklog([source]);
    case 'markdown': {
      if (text.trimStart().startsWith(MARKDOWN_MARK)) {
        const { readExported } = await import('./exported-checklist.ts');
        return readExported(name, text);
      }
      const { readChecklist } = await import('./checklist.ts');
      return readChecklist(text);
    }
    case 'csv':
      return readCoordTasks(name, await readCsv(name, text));
    case 'yaml':
      return readCoordTasks(name, await readYaml(name, text));
    default:
      if (from === 'coord' && !looksLikeJson(text)) return readCoordTasks(name, await readYaml(name, text));
      return jsonListing(source, await readJson(name, text), from, tagOf);
  }
}

/** What a text is by its looks; JSON is looked into afterwards. */
function recognise(text: string): 'json' | 'backlog' | 'markdown' | 'csv' | 'yaml' {
  if (looksLikeJson(text)) return 'json';
  if (isBacklogTask(text)) return 'backlog';
  if (isCsv(text)) return 'csv';
  const hasBox = /^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\[[ \t]*(?:[xX]|[^\s\w\]])?[ \t]*\]/mu.test(text);
  const lines = text.slice(0, 10_000).split('\n');
  const first = lines.find((line) => line.trim() !== '' && !/^\s*#/.test(line) && line.trim() !== '---') ?? '';
  if (!hasBox && /^[ \t]*(?:[-*+][ \t]+)?["']?(?:description|tasks|key|id)["']?[ \t]*:/.test(first)) return 'yaml';
  return /^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\S/m.test(text) ? 'markdown' : 'yaml';
}

function jsonListing(source: Source, json: JsonText, from: Format | undefined, tagOf: string | undefined): Listing {
  const { document, records } = json;
  const format = from ?? formatOf(json);
  if (format === 'task-master') {
    if (!isRecord(document)) throw malformed(source.name, 'it holds no object with "tasks"');
    return readTaskMaster(document, source.name, tagOf);
  }
  if (format === 'github') return readGithubIssues(records);
  if (format === 'beads') return readBeads(records);
  if (format === 'claude') return readClaudeTasks(records);
  if (isRecord(document) && !Array.isArray(document['tasks']) && !('description' in document))
    throw malformed(source.name, 'it holds neither a list of tasks nor an object with "tasks"');
  return readCoordTasks(source.name, records);
}

function formatOf({ document, records }: JsonText): Format {
  if (isTaskMaster(document)) return 'task-master';
  if (isGithubIssues(records)) return 'github';
  if (isBeads(records)) return 'beads';
  return isClaudeTasks(records) ? 'claude' : 'coord';
}

async function folderListing(source: Source, from: Format | undefined): Promise<Listing> {
  const files = source.files ?? [];
  const pages = files.filter(({ name }) => /\.md$/i.test(name));
  const records = files.filter(({ name }) => /\.json$/i.test(name));
  if (from !== 'claude' && pages.some(({ text }) => isBacklogTask(text))) return readBacklog(pages);
  const located: Located[] = [];
  for (const { name, text } of records)
    for (const { value } of (await readJson(name, text)).records) located.push({ value, where: () => name });
  if (from !== 'backlog' && isClaudeTasks(located)) return readClaudeTasks(located);
  throw malformed(source.name, 'it is a folder with neither tasks of Backlog.md nor of Claude Code in it');
}

/** @throws CoordError `import-malformed` */
async function readYaml(name: string, text: string): Promise<Located[]> {
  const { LineCounter, isSeq, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'error' });
  const [fault] = document.errors;
  if (fault) {
    const line = fault.linePos?.[0].line;
    const what = fault.message.split('\n')[0]?.replace(/(?: at line \d+, column \d+)?:$/, '') ?? '';
    throw malformed(line === undefined ? name : `${name}, line ${line}`, `it is not YAML: ${what}`, fault);
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    throw malformed(name, `it is not YAML: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const list = isRecord(value) && Array.isArray(value['tasks']) ? value['tasks'] : value;
  if (!Array.isArray(list)) throw malformed(name, 'it holds neither a list of tasks nor an object with "tasks"');
  const node = list === value ? document.contents : document.get('tasks', true);
  const starts = isSeq(node) ? node.items.map((item) => (item as { range?: [number] | null }).range?.[0]) : [];
  return list.map((one: unknown, i) => ({
    value: one,
    where: () => {
      const start = starts[i];
      return `task ${i + 1}${start === undefined ? '' : `, line ${lines.linePos(start).line}`}`;
    },
  }));
}
