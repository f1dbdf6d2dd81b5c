/** Says where a tasks.json is wrong, with line, column and field. Loaded only when one is. */
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  parseTree,
  printParseErrorCode,
  type ParseError,
} from 'jsonc-parser';
import { CoordError } from '../../model/errors.ts';

/** Where the text stops being JSON. */
export function notJson(path: string, text: string): CoordError {
  const conflict = /^(<{7}|={7}|>{7})( |$)/m.exec(text);
  if (conflict) {
    return malformed(
      path,
      `${lineAndColumn(text, conflict.index)}: git left conflict markers (${conflict[1]}).`,
      'conflict',
    );
  }
  const errors: ParseError[] = [];
  const tree = treeOf(text, errors);
  if (tree === 'too deep') return malformed(path, 'nested too deeply to be read.');
  const [first] = errors;
  const offset = first?.offset ?? tree?.length ?? 0;
  const what = first ? words(printParseErrorCode(first.error)) : 'not JSON';
  return malformed(path, `${lineAndColumn(text, offset)}: ${what}.`);
}

/** A field that does not fit, at its place in the text. */
export function notBoard(
  path: string,
  text: string,
  problem: { path: readonly PropertyKey[]; field: string; problem: string },
): CoordError {
  const read = treeOf(text);
  const tree = read === 'too deep' ? undefined : read;
  const segments = problem.path.filter((segment): segment is string | number => typeof segment !== 'symbol');
  // The field itself may be missing: then the nearest thing around it shows where it belongs.
  const places = segments.map((_, length) => segments.slice(0, segments.length - length)).concat([[]]);
  const node = tree && places.map((place) => findNodeAtLocation(tree, place)).find((found) => found !== undefined);
  const task = tree && segments[0] === 'tasks' ? findNodeAtLocation(tree, [...segments.slice(0, 2), 'id']) : undefined;
  const id = task ? ` (${String(getNodeValue(task))})` : '';
  return malformed(path, `${lineAndColumn(text, node?.offset ?? 0)}, ${problem.field}${id}: ${problem.problem}.`);
}

/** Its parser calls itself, level by level. */
function treeOf(text: string, errors: ParseError[] = []): Node | undefined | 'too deep' {
  try {
    return parseTree(text, errors, { disallowComments: true });
  } catch (error) {
    if (error instanceof RangeError) return 'too deep';
    throw error;
  }
}

function malformed(path: string, what: string, why = 'malformed'): CoordError {
  return new CoordError('tasks-malformed', `${path}, ${what}`, { details: { why } });
}

function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  return `line ${before.split('\n').length}, column ${offset - before.lastIndexOf('\n')}`;
}

/** `CommaExpected` -> `comma expected`. */
function words(code: string): string {
  return code.replace(/(?<=[a-z])([A-Z])/g, ' $1').toLowerCase();
}
