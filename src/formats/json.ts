/** JSON and JSON Lines with their places: an error names the line and what stands there. */
import type { ParseError } from 'jsonc-parser';
import { isRecord } from '../model/values.ts';
import { lineAt, malformed } from './source.ts';

/** A value and where it stands, for a message. */
export interface Located {
  value: unknown;
  where: () => string;
}

export interface JsonText {
  /** The whole document; undefined for JSON Lines. */
  document: unknown;
  /** The records of a list, of `tasks`, or one a line. */
  records: Located[];
}

/** Whether a text is meant to be JSON. */
export function looksLikeJson(text: string): boolean {
  const start = text.trimStart();
  return start.startsWith('{') || (/^\[\s*["{[\]\d]/.test(start) && !/^\[[ \t]*\]\*?[ \t]+\S/.test(start));
}

/** @throws CoordError `import-malformed` with the line that is wrong */
export async function readJson(name: string, text: string): Promise<JsonText> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    const records = readLines(name, text);
    if (records) return { document: undefined, records };
    throw malformed(...(await fault(name, text)), error);
  }
  const inside = isRecord(document) && Array.isArray(document['tasks']) ? document['tasks'] : undefined;
  const values: unknown[] = inside ?? (Array.isArray(document) ? document : [document]);
  let starts: number[] | undefined;
  const place = (i: number): string => {
    starts ??= values[0] === document ? [0] : startsOfItems(text, inside ? 'tasks' : undefined);
    return `task ${i + 1}, line ${lineAt(text, starts[i] ?? 0)}`;
  };
  return { document, records: values.map((value, i) => ({ value, where: () => place(i) })) };
}

/**
 * Where the items of a list begin, in text that is JSON. Strings and brackets are all that matters for that.
 *
 * @param name  of the list in the object around it; undefined where the list is all there is
 */
function startsOfItems(text: string, name: string | undefined): number[] {
  const starts: number[] = [];
  const list = name === undefined ? 1 : 2;
  let depth = 0;
  let isInList = name === undefined;
  let item = 0;
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},]|[^\s"[\]{},:]+/g)) {
    const [what] = token;
    if (name !== undefined && depth === 1 && what === `"${name}"`) isInList = true;
    if (what === ',' && depth === list && isInList) item++;
    else if (isInList && depth === list && !/^[\]}]$/.test(what)) starts[item] ??= token.index;
    if (what === '[' || what === '{') depth++;
    if (what === ']' || what === '}') depth--;
    if (depth < list - 1 || (what === ',' && depth === 1 && name !== undefined)) isInList = name === undefined;
  }
  return starts;
}

/** One value a line; undefined where the first line is none by itself. */
function readLines(name: string, text: string): Located[] | undefined {
  const lines = text.split('\n').map((line, i) => ({ line: line.trim(), number: i + 1 }));
  const filled = lines.filter(({ line }) => line !== '');
  if (filled.length < 2) return undefined;
  return filled.reduce<Located[] | undefined>((records, { line, number }, i) => {
    if (!records) return undefined;
    try {
      records.push({ value: JSON.parse(line), where: () => `line ${number}` });
      return records;
    } catch (error) {
      if (i === 0) return undefined;
      throw malformed(`${name}, line ${number}`, `it is not JSON: ${shown(line)}`, error);
    }
  }, []);
}

async function fault(name: string, text: string): Promise<[name: string, what: string]> {
  const { parse, printParseErrorCode } = await import('jsonc-parser');
  const errors: ParseError[] = [];
  parse(text, errors);
  const [first] = errors;
  if (!first) return [name, 'it is not JSON'];
  const line = lineAt(text, first.offset);
  const words = printParseErrorCode(first.error)
    .replace(/([A-Z])/g, ' $1')
    .trim()
    .toLowerCase();
  return [`${name}, line ${line}`, `it is not JSON (${words}): ${shown(text.split('\n')[line - 1] ?? '')}`];
}

/** What stands in a line, cut so that a message stays one. */
function shown(line: string): string {
  const text = line.trim();
  return `"${text.length > 60 ? `${text.slice(0, 59)}…` : text}"`;
}
