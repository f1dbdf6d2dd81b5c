/** Tables: one task a row, under the names of the fields; lists with semicolons. */
import type { Located } from './json.ts';
import { malformed } from './source.ts';

const LISTS = new Set(['dependencies', 'files', 'tags', 'checks']);
const NUMBERS = new Set(['priority', 'max_attempts', 'check_timeout']);

/** Whether the first line names columns, a description among them. */
export function isCsv(text: string): boolean {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  return /[,;\t]/.test(first) && /(?:^|[,;\t])"?description"?(?=$|[,;\t])/i.test(first);
}

/** @throws CoordError `import-malformed` */
export async function readCsv(name: string, text: string): Promise<Located[]> {
  const { default: Papa } = await import('papaparse');
  const { data, errors } = Papa.parse<Record<string, string>>(text, {
    header: true,
    delimiter: delimiterOf(text),
    transformHeader: (header) => header.trim().toLowerCase(),
  });
  const isBlank = (row: Record<string, unknown> | undefined): boolean =>
    row !== undefined && Object.values(row).every((cell) => String(cell).trim() === '');
  const fault = errors.find(({ row }) => !isBlank(data[row ?? -1]));
  const lines = linesOf(data);
  if (fault) throw malformed(`${name}, line ${lines[fault.row ?? 0] ?? 1}`, fault.message);
  return data.flatMap((row, i) =>
    isBlank(row) ? [] : [{ value: fieldsOf(row), where: () => `line ${lines[i] ?? 0}` }],
  );
}

/** What parts the names of the columns. */
function delimiterOf(text: string): string {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  const count = (delimiter: string): number => first.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, one) => (count(one) > count(best) ? one : best));
}

/** The line on which each row begins: a cell may have several. The names of the columns have one. */
function linesOf(rows: readonly Record<string, unknown>[]): number[] {
  let line = 2;
  return rows.map((row) => {
    const start = line;
    const breaks = Object.values(row).flatMap((cell) => [...String(cell).matchAll(/\r\n?|\n/g)]);
    line += 1 + breaks.length;
    return start;
  });
}

function fieldsOf(row: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row)
      .filter(([, cell]) => cell !== '')
      .map(([field, cell]) => [field, valueOf(field, cell)]),
  );
}

function valueOf(field: string, cell: string): unknown {
  if (LISTS.has(field)) return splitCell(cell);
  if (NUMBERS.has(field) && /^\d+$/.test(cell.trim())) return Number(cell);
  if (field === 'exclusive' || field === 'review') return /^(?:true|yes|1|x)$/i.test(cell.trim());
  return cell;
}

/** Where a path has a semicolon of its own, it stands behind a backslash. */
function splitCell(cell: string): string[] {
  // Without any semicolon it is a list with commas, as people write it.
  const parts = cell.includes(';') ? cell.matchAll(/(?:\\[\s\S]|[^;\\])+/g) : cell.matchAll(/(?:\\[\s\S]|[^,\\])+/g);
  return [...parts].map(([one]) => one.replace(/\\([\s\S])/g, '$1').trim()).filter((one) => one !== '');
}

/** With a semicolon at the end where a comma would be taken for the end of a value. */
export function joinCell(values: readonly string[]): string {
  const cell = values.map((value) => value.replace(/[\\;]/g, '\\$&')).join(';');
  return cell.includes(',') && values.length === 1 ? `${cell};` : cell;
}
