/**
 * What a source lists as new tasks: with keys, so that importing twice adds nothing; with what they need found in the source or
 * on the board; and checked, so that what is wrong is said of a place in the source and never of an id that does not exist yet.
 */
import { createHash } from 'node:crypto';
import type { Board } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import { sortByDependency } from '../model/graph.ts';
import { MAX_TEXT } from '../model/limits.ts';
import { parseInput } from '../model/parse-input.ts';
import { clip, plural } from '../model/text.ts';
import { NewTask } from '../model/verbs/add-tasks.ts';
import { type Entry, fitName, type Listing } from './listing.ts';
import { malformed } from './source.ts';
import type { Task } from '../model/task.ts';

export interface TaskFile {
  /** In the order of the source. Dependencies are ids or keys of the board, or `#n` for the n-th of these. */
  tasks: NewTask[];
  /** Tasks on the board that the source has as well, known by id and text, and that are not among `tasks`. */
  there: string[];
  /** How many were left out, by reason. */
  skipped: Record<string, number>;
  /** What a person should know, one line each. */
  notes: string[];
}

/** Beginning of a text in a key, and digits of its digest behind it. */
const KEY_TEXT = 40;
const KEY_DIGITS = 8;
/** A description that does not fit is cut to a line; all of it then stands in the hints. */
const CUT_TITLE = 200;

/**
 * @param options.prefix  put before every key
 * @param options.archived  what has left the board
 * @throws CoordError `import-malformed` with the place
 */
export function newTasks(
  name: string,
  listing: Listing,
  board: Board,
  options: { prefix?: string | undefined; archived?: readonly Task[] | undefined } = {},
): TaskFile {
  const { entries } = listing;
  const notes = [...listing.notes];
  const keys = keysOf(listing, options.prefix ?? '');
  const there = alreadyThere(name, listing, keys, board, options.archived ?? []);
  const fresh = entries.filter((entry) => !there.has(entry));
  const find = finder(name, listing, board, options.prefix ?? '', there);
  const needs = new Map(fresh.map((entry) => [entry, [...new Set(entry.needs.flatMap((need) => find(entry, need)))]]));
  refuseCycle(name, fresh, needs);
  const elsewhere = find.elsewhere();
  if (elsewhere > 0)
    notes.push(
      `${plural(elsewhere, 'dependency is', 'dependencies are')} neither in ${name} nor on the board, and left out.`,
    );
  const places = new Map(fresh.map((entry, i) => [entry, `#${i + 1}`]));
  const descriptions = listing.hasGlobalIds
    ? new Map(board.tasks.map(({ key, description }) => [key, description]))
    : undefined;
  const tasks = fresh.map((entry) => {
    const key = keys.get(entry);
    const dependencies = (needs.get(entry) ?? []).map((need) =>
      typeof need === 'string' ? need : (places.get(need) ?? ''),
    );
    const task: Record<string, unknown> = { ...entry.task, key };
    // A tracker's issue under another title is the same issue.
    if (descriptions?.has(key)) task['description'] = descriptions.get(key);
    if (dependencies.length > 0) task['dependencies'] = dependencies;
    return check(name, entry, fitTexts(task, entry, notes));
  });
  return { tasks, there: [...there.values()], skipped: Object.fromEntries(listing.skipped), notes };
}

/** Entries that came from this very board, where a task of that id has that text, and those that are in its archive. */
function alreadyThere(
  name: string,
  { entries, hasGlobalIds }: Listing,
  keys: ReadonlyMap<Entry, string>,
  board: Board,
  archived: readonly Task[],
): Map<Entry, string> {
  const byId = new Map([...archived, ...board.tasks].map((task) => [task.id, task]));
  const byKey = new Map(archived.flatMap((task) => (task.key === undefined ? [] : [[task.key, task] as const])));
  const there = new Map<Entry, string>();
  for (const entry of entries) {
    const task = entry.id === undefined || 'key' in entry.task ? undefined : byId.get(entry.id);
    const key = keys.get(entry);
    const old = key === undefined ? undefined : byKey.get(key);
    if (task && task.description === entry.task['description']) there.set(entry, task.id);
    else if (!old) continue;
    else if (hasGlobalIds || old.description === entry.task['description']) there.set(entry, old.id);
    else
      throw new CoordError(
        'key-taken',
        `${name}, ${entry.where()}: key "${old.key}" is taken by ${old.id} of the archive (${clip(old.description)}).`,
        { details: { task_id: old.id } },
      );
  }
  return there;
}

/** Finds what a name means: another entry, or a name on the board; nothing for what is settled. */
function finder(name: string, listing: Listing, board: Board, prefix: string, known: ReadonlyMap<Entry, string>) {
  const byName = new Map<string, Entry>();
  const byAlias = new Map<string, Entry>();
  for (const entry of listing.entries) {
    const { id, task, where, aliases = [] } = entry;
    const other = id === undefined ? undefined : byName.get(id);
    if (other) throw malformed(`${name}, ${where()}`, `its id ${id ?? ''} stands in ${other.where()} already`);
    if (id !== undefined) byName.set(id, entry);
    const { key, description } = task;
    const same = typeof key === 'string' ? byName.get(key) : undefined;
    if (typeof key === 'string' && same && same !== entry && same.task['description'] !== description)
      throw malformed(`${name}, ${where()}`, `its key ${key} stands in ${same.where()} already`);
    if (typeof key === 'string' && !same) byName.set(key, entry);
    for (const alias of aliases) byAlias.set(alias, entry);
  }
  const ids = new Set(board.tasks.map(({ id }) => id));
  const keys = new Set(board.tasks.flatMap(({ key }) => key ?? []));
  let elsewhere = 0;
  const find = (from: Entry, need: string): (Entry | string)[] => {
    const named = byName.get(need);
    if (named) return [known.get(named) ?? named];
    if (listing.settled.has(need)) return [];
    // Another tool's ids are none of the board's.
    if (ids.has(need) && !listing.hasForeignIds) return [need];
    // Its place in the list, before what may bear that name on the board by chance.
    const placed = byAlias.get(need);
    if (placed) return [known.get(placed) ?? placed];
    if (ids.has(need)) return [need];
    if (keys.has(prefix + need)) return [prefix + need];
    if (!listing.needsMayBeElsewhere)
      throw malformed(
        `${name}, ${from.where()}`,
        `"${titleOf(from)}" depends on ${need}, which is neither in it nor on the board`,
      );
    elsewhere++;
    return [];
  };
  return Object.assign(find, { elsewhere: () => elsewhere });
}

function refuseCycle(name: string, entries: readonly Entry[], needs: ReadonlyMap<Entry, (Entry | string)[]>): void {
  const ids = new Map(entries.map((entry, i) => [entry, String(i)]));
  const { cycle } = sortByDependency(
    entries.map((entry, i) => ({
      id: String(i),
      dependencies: (needs.get(entry) ?? []).flatMap((need) => (typeof need === 'string' ? [] : (ids.get(need) ?? []))),
    })),
  );
  if (!cycle) return;
  const words = cycle
    .map((i) => entries[Number(i)])
    .flatMap((entry) => (entry ? `"${titleOf(entry)}" (${entry.where()})` : []));
  throw malformed(name, `these wait for each other for ever: ${words.join(' -> ')}`);
}

/** A key for each: its own, what the source calls it, or its text. */
function keysOf(listing: Listing, prefix: string): Map<Entry, string> {
  const times = new Map<string, number>();
  const keys = new Map<Entry, string>();
  for (const entry of listing.entries) {
    const { id, task } = entry;
    const own =
      typeof task['key'] === 'string'
        ? task['key']
        : listing.hasForeignIds && id !== undefined
          ? fitName(id)
          : undefined;
    if (own !== undefined) {
      keys.set(entry, prefix + own);
      continue;
    }
    const text = String(task['description']);
    const time = (times.get(text) ?? 0) + 1;
    times.set(text, time);
    keys.set(entry, prefix + keyOfText(text) + (time > 1 ? `-${time}` : ''));
  }
  return keys;
}

/** The beginning of a text for people, and its digest, so that no two share one. */
function keyOfText(text: string): string {
  const digest = createHash('sha256').update(text.trim()).digest('hex').slice(0, KEY_DIGITS);
  const start = fitName(text.toLowerCase().slice(0, KEY_TEXT))?.replace(/[._]+/g, '-') ?? 'task';
  return `${start.slice(0, KEY_TEXT).replace(/-+$/, '')}-${digest}`;
}

/** Cuts what is too long, and says so: a long text is no reason to refuse a file. */
function fitTexts(task: Record<string, unknown>, entry: Entry, notes: string[]): Record<string, unknown> {
  let { description, hints } = task;
  if (typeof description === 'string' && description.trim().length > MAX_TEXT) {
    hints = typeof hints === 'string' ? `${description}\n\n${hints}` : description;
    description = `${description.trim().slice(0, CUT_TITLE - 1)}…`;
    notes.push(`${entry.where()}: the text was too long for a description; all of it stands in the hints.`);
  }
  if (typeof hints === 'string' && hints.length > MAX_TEXT) {
    hints = `${hints.slice(0, MAX_TEXT - 1)}…`;
    notes.push(`${entry.where()}: the hints were cut to ${MAX_TEXT} characters.`);
  }
  return { ...task, description, ...(hints === undefined ? {} : { hints }) };
}

/** @throws CoordError `import-malformed` */
function check(name: string, entry: Entry, task: Record<string, unknown>): NewTask {
  try {
    return parseInput(NewTask, task);
  } catch (error) {
    if (!(error instanceof CoordError)) throw error;
    throw malformed(`${name}, ${entry.where()}`, `"${titleOf(entry)}": ${error.message}`, error);
  }
}

function titleOf({ task }: Entry): string {
  const { description } = task;
  return typeof description === 'string' ? clip(description) : '';
}
