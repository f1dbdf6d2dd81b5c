/**
 * What the leader changed last, kept on the board itself, so that it can be taken back by whoever leads from any terminal: which
 * tasks it added, and of those that it changed the fields before and after.
 */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, LEADER } from './board.ts';
import { CoordError } from './errors.ts';
import { lazily } from './fields.ts';
import type { Task } from './task.ts';
import { highestNumber, refuseCycle } from './verbs/add-tasks.ts';

const Fields = lazily(() => z.record(z.string(), z.unknown()));

/** As it stands in tasks.json, which anybody may edit. */
const LastChange = lazily(() =>
  z.object({
    /** In words: `added task-005`. */
    what: z.string(),
    /** ISO 8601 UTC. */
    at: z.string(),
    /** Ids that it added. */
    added: z.array(z.string()),
    /** Fields of the tasks that it changed: what they were, and what it made of them. */
    changed: z.array(z.object({ id: z.string(), was: Fields(), is: Fields() })),
    /** Whether it cannot be taken back. */
    final: z.optional(z.boolean()),
  }),
);
export type LastChange = z.infer<ReturnType<typeof LastChange>>;

/** More is no slip of the hand, and would make every later commit of the board longer. */
const MOST_CHANGED = 200;

/** A change of the leader's that can be taken back. @param verb  in the past: `added` */
export function rememberLast<T>(before: Board, change: Change<T>, verb: string, now: string): Change<T> {
  const { board } = change;
  if (!board) return change;
  const old = new Map(before.tasks.map((task) => [task.id, task]));
  const added = board.tasks.filter(({ id }) => !old.has(id)).map(({ id }) => id);
  const touched = board.tasks.flatMap((task) => {
    const was = old.get(task.id);
    return was === undefined || was === task ? [] : [{ was, is: task }];
  });
  const ids = [...added, ...touched.map(({ is }) => is.id)];
  const what = `${verb} ${ids.length > 3 ? `${ids.slice(0, 2).join(', ')} and ${ids.length - 2} more` : ids.join(', ')}`;
  if (ids.length > MOST_CHANGED) return { ...change, board: { ...board, last_change: finalChange(what, now) } };
  const changed = touched.map(({ was, is }) => differenceOf(was, is));
  return { ...change, board: { ...board, last_change: { what, at: now, added, changed } } };
}

/** A change that is too much, or of a kind, to be taken back: nor can what came before it. */
export function finalChange(what: string, now: string): LastChange {
  return { what, at: now, added: [], changed: [], final: true };
}

function differenceOf(was: Task, is: Task): LastChange['changed'][number] {
  const [before, after]: [Record<string, unknown>, Record<string, unknown>] = [{ ...was }, { ...is }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !isSame(before[name], after[name]),
  );
  const pick = (fields: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(names.flatMap((name) => (name in fields ? [[name, fields[name]]] : [])));
  return { id: was.id, was: pick(before), is: pick(after) };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What can be taken back, in words; undefined where there is nothing. */
export function lastChangeOf(board: Board): LastChange | undefined {
  const parsed = LastChange().safeParse(board['last_change']);
  return parsed.success ? parsed.data : undefined;
}

export interface UndoAnswer {
  /** What was taken back, in words. */
  what: string;
  removed: string[];
  restored: Task[];
}

/**
 * Takes back what the leader changed last, wholly or not at all.
 *
 * @throws CoordError `task-state` where there is nothing, or where somebody has gone on from it
 */
export function undoLast(board: Board): Change<UndoAnswer> {
  const last = lastChangeOf(board);
  if (!last) throw refused('There is nothing to take back.');
  if (last.final === true) throw refused(`What was done last cannot be taken back: ${last.what}.`);
  const added = new Set(last.added);
  const changed = new Map(last.changed.map((one) => [one.id, one]));
  const byId = new Map(board.tasks.map((task) => [task.id, task]));
  for (const id of added) {
    const task = byId.get(id);
    if (task && (task.status !== 'available' || task.attempt > 0)) throw refused(`${id} has been claimed since.`, id);
  }
  const restored: Task[] = [];
  for (const { id, was, is } of changed.values()) {
    const task = byId.get(id);
    if (!task) throw refused(`${id} is not on the board any more.`);
    const fields: Record<string, unknown> = { ...task };
    const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
    if (names.some((name) => !isSame(fields[name], is[name]))) throw refused(`${id} has changed since.`, id);
    const kept = Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
    restored.push({ ...kept, ...was } as Task); // as it was; the store checks every board that it writes when it reads it
  }
  const after = new Map(restored.map((task) => [task.id, task]));
  const tasks = board.tasks.filter(({ id }) => !added.has(id)).map((task) => after.get(task.id) ?? task);
  const builtOn = tasks.find(({ dependencies }) => dependencies.some((id) => added.has(id)));
  if (builtOn) throw refused(`${builtOn.id} depends on what was added.`, builtOn.id);
  const busy = restored.find(
    (task) =>
      task.status === 'claimed' &&
      tasks.some((other) => other.id !== task.id && other.status === 'claimed' && other.claimed_by === task.claimed_by),
  );
  if (busy) throw refused(`${busy.claimed_by ?? 'Its worker'} works on another task by now.`, busy.id);
  refuseCycle(tasks); // a hand edit may have turned a dependency round
  const { last_change: _, ...rest } = board;
  const removed = last.added.filter((id) => byId.has(id));
  return {
    board: { ...rest, tasks, last_id: highestNumber(board) },
    answer: { what: last.what, removed, restored },
    events: [...removed.flatMap((id) => byId.get(id) ?? []), ...restored].map((task) =>
      eventOf(LEADER, 'undo', task, last.what),
    ),
  };
}

function refused(message: string, id?: string): CoordError {
  return new CoordError('task-state', message, id === undefined ? { hint: 'coord log' } : { details: { task_id: id } });
}
