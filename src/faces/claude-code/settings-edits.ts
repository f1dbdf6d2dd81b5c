/** Edits of JSON settings as text: what a user wrote stays as it is, comments and order included. Pure. */
import { applyEdits, type FormattingOptions, modify, parse, type ParseError, printParseErrorCode } from 'jsonc-parser';
import { CoordError } from '../../model/errors.ts';
import { isRecord } from '../../model/values.ts';

/** Adds what is missing to a list, which need not be there yet. */
export function withItems(
  path: string,
  text: string | undefined,
  place: string[],
  items: readonly unknown[],
): string | undefined {
  const list = place.reduce<unknown>(
    (value, key) => (isRecord(value) ? value[key] : undefined),
    parseSettings(path, text),
  );
  if (list === undefined) return items.length === 0 ? text : setIn(text, place, items);
  if (!Array.isArray(list)) throw malformed(path, `${place.join('.')} is no list`);
  const known = new Set(list.map((item) => JSON.stringify(item)));
  let next = text ?? '';
  for (const item of items)
    if (!known.has(JSON.stringify(item)))
      next = applyEdits(
        next,
        modify(next, [...place, -1], item, { formattingOptions: formattingOf(next), isArrayInsertion: true }),
      );
  return next;
}

/** Takes away what is recognised in a list; a list that is not there stays so. */
export function withoutItems(
  path: string,
  text: string | undefined,
  place: string[],
  isGone: (item: unknown) => boolean,
): string | undefined {
  const at = (value: unknown, key: string): unknown => (isRecord(value) ? value[key] : undefined);
  const list = place.reduce<unknown>(at, parseSettings(path, text));
  if (text === undefined || !Array.isArray(list)) return text;
  let next = text;
  for (let i = list.length - 1; i >= 0; i--)
    if (isGone(list[i]))
      next = applyEdits(next, modify(next, [...place, i], undefined, { formattingOptions: formattingOf(next) }));
  return next;
}

export function setIn(text: string | undefined, place: string[], value: unknown): string {
  if (text === undefined || text.trim() === '') {
    const tree = place.toReversed().reduce<unknown>((inner, key) => ({ [key]: inner }), value);
    return `${JSON.stringify(tree, null, 2)}\n`;
  }
  return applyEdits(text, modify(text, place, value, { formattingOptions: formattingOf(text) }));
}

/** As the file is indented already. */
export function formattingOf(text: string): FormattingOptions {
  const indent = /\n([ \t]+)/.exec(text)?.[1] ?? '  ';
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}

export function withLine(text: string | undefined, line: string): string {
  if (text === undefined || text === '') return `${line}\n`;
  if (text.split(/\r?\n/).includes(line)) return text;
  return `${text}${text.endsWith('\n') ? '' : '\n'}${line}\n`;
}

export function parseSettings(path: string, text: string | undefined): Record<string, unknown> {
  if (text === undefined || text.trim() === '') return {};
  const errors: ParseError[] = [];
  let value: unknown;
  try {
    value = parse(text, errors, { allowTrailingComma: true });
  } catch (error) {
    if (error instanceof RangeError) throw malformed(path, 'it is nested too deeply'); // its parser calls itself
    throw error;
  }
  const [first] = errors;
  if (first) {
    const line = text.slice(0, first.offset).split('\n').length;
    throw malformed(path, `line ${line}: ${printParseErrorCode(first.error)}`);
  }
  if (!isRecord(value)) throw malformed(path, 'it is no object');
  return value;
}

export function recordAt(path: string, settings: Record<string, unknown>, key: string): Record<string, unknown> {
  const value = settings[key] ?? {};
  if (!isRecord(value)) throw malformed(path, `${key} is no object`);
  return value;
}

function malformed(path: string, what: string): CoordError {
  return new CoordError('settings-malformed', `${path} cannot be understood: ${what}.`, {
    hint: 'Correct it and run this again; nothing was changed.',
  });
}
