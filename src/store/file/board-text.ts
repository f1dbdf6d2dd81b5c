/** The board as the bytes of tasks.json, and back. */
import type { Board } from '../../model/board.ts';
import { asBoard, faultOf } from '../../model/stored-board.ts';
import type { Task } from '../../model/task.ts';
import type { Parsed } from './commit-log.ts';
import { refuseNewer } from './migrate.ts';

const TASKS_START = '\n  "tasks": [\n';
const TASKS_END = '\n  ]\n}\n';
/** Begins every task that coord writes, up to its id. */
const LEAD = '    {\n      "id": ';
/** The field that only copies of a board have that a server keeps; among the first. */
export const COPY_MARK = 'copy';
/** Above so many changed tasks, formatting all of them is quicker than looking for each. */
const MOST_SPLICED = 100;

/** Pretty-printed JSON, the tasks last, a line feed at the end. */
export function boardToBytes(board: Board): Buffer {
  return Buffer.from(`${header(board)}${tasksText(board.tasks)}`);
}

function header(board: Board): string {
  const { version, revision, commit, goal, last_id, tasks: _, [COPY_MARK]: copy, ...unknown } = board;
  const fields = {
    version,
    revision,
    ...(commit === undefined ? {} : { commit }),
    ...(copy === undefined ? {} : { [COPY_MARK]: copy }),
    ...(goal === undefined ? {} : { goal }),
    ...(last_id === undefined ? {} : { last_id }),
    ...unknown,
  };
  return `${JSON.stringify(fields, null, 2).slice(0, -2)},`;
}

function tasksText(tasks: readonly Task[]): string {
  if (tasks.length === 0) return '\n  "tasks": []\n}\n';
  return `${TASKS_START}${tasks.map(taskText).join(',\n')}${TASKS_END}`;
}

function taskText(task: Task): string {
  return `    ${JSON.stringify(task, null, 2).replaceAll('\n', '\n    ')}`;
}

/**
 * The bytes of `next`, taking over from the bytes of `before` every task that is still the same object. On a board of
 * ten thousand tasks a claim rewrites one of them, and formatting the others again would cost more than all the rest.
 *
 * A log may have come with a clone, whose boards are valid but laid out otherwise. So each piece that is replaced, the head
 * and the end must be byte for byte what coord writes; else all is written anew.
 *
 * @param before  a board with the bytes that {@link parseRevision} read it from
 */
export function nextBytes(before: { value: Board; bytes: Buffer } | undefined, next: Board): Buffer[] {
  return (before && spliced(before, next)) ?? [boardToBytes(next)];
}

function spliced({ value, bytes }: { value: Board; bytes: Buffer }, next: Board): Buffer[] | undefined {
  const changed = changedTasks(value.tasks, next.tasks);
  const last = value.tasks.at(-1);
  if (!changed || !last) return undefined;
  const head = Buffer.from(header(value) + TASKS_START);
  const end = Buffer.from(`\n${taskText(last)}${TASKS_END}`);
  if (!bytes.subarray(0, head.length).equals(head) || !bytes.subarray(-end.length).equals(end)) return undefined;
  const chunks: Buffer[] = [Buffer.from(header(next) + TASKS_START)];
  let from = head.length; // first byte not yet taken over
  for (const { was, is } of changed) {
    const old = Buffer.from(taskText(was));
    const found = bytes.indexOf(`\n${LEAD}${JSON.stringify(was.id)}`, from - 1) + 1;
    if (found === 0 || !bytes.subarray(found, found + old.length).equals(old)) return undefined;
    chunks.push(bytes.subarray(from, found), Buffer.from(taskText(is)));
    from = found + old.length;
  }
  chunks.push(bytes.subarray(from, bytes.length - TASKS_END.length));
  for (const task of next.tasks.slice(value.tasks.length)) chunks.push(Buffer.from(`,\n${taskText(task)}`));
  chunks.push(Buffer.from(TASKS_END));
  return chunks;
}

/** The tasks that are other objects than before, in order; undefined when tasks were removed or moved, or too many. */
function changedTasks(before: readonly Task[], next: readonly Task[]): { was: Task; is: Task }[] | undefined {
  if (next.length < before.length) return undefined;
  const changed: { was: Task; is: Task }[] = [];
  for (const [i, was] of before.entries()) {
    const is = next[i];
    if (is === was) continue;
    if (is?.id !== was.id || changed.push({ was, is }) > MOST_SPLICED) return undefined;
  }
  return changed;
}

/**
 * What the bytes of a revision are. The log may have come with a clone, so what is in it is checked like anything else.
 *
 * @throws CoordError `version-unsupported`
 */
export function parseRevision(bytes: Buffer, revision: number, path: string): Parsed<Board> {
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString());
  } catch {
    return 'torn';
  }
  if (typeof document === 'object' && document !== null && 'version' in document) refuseNewer(document.version, path);
  const fault = faultOf(document);
  if (fault !== undefined) return { fault };
  const board = asBoard(document);
  return board.revision === revision ? { value: board } : { fault: `it says to be revision ${board.revision}` };
}

/** A revision that is known to be one: it was read from the log before. */
export function knownBoard(bytes: Buffer): Board {
  return asBoard(JSON.parse(bytes.toString()));
}

/** Whether bytes are the first of these, and then nothing or NULs: what a power cut leaves of a copy. */
export function isTornCopy(bytes: Buffer, whole: Buffer): boolean {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end < whole.length && bytes.subarray(0, end).equals(whole.subarray(0, end));
}

/** Whether there is nothing to lose: no bytes, white space, or the NULs that a power cut leaves. */
export function isBlank(bytes: Buffer | undefined): boolean {
  return bytes === undefined || bytes.every((byte) => byte === 0 || byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}
