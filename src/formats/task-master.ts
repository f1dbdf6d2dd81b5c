/** tasks.json of task-master: `{"<tag>": {"tasks": […], "metadata": {…}}}`, or `{"tasks": […]}` of its older versions. */
import { CoordError } from '../model/errors.ts';
import { isRecord } from '../model/values.ts';
import { given, hintsFrom, idOf, Listing, priorityOf, textOf, textsOf } from './listing.ts';

const SETTLED = new Set(['done', 'completed', 'cancelled']);

type Fields = Record<string, unknown>;

/** Whether a document is one: its tasks have titles. */
export function isTaskMaster(document: unknown): boolean {
  return (
    isRecord(document) && tagsOf(document).some(([, tasks]) => tasks.some((task) => isRecord(task) && 'title' in task))
  );
}

/** Its lists by tag; that of the older form has none. */
function tagsOf(document: Fields): [tag: string, tasks: unknown[]][] {
  const { tasks } = document;
  if (Array.isArray(tasks)) return [['', tasks]];
  return Object.entries(document).flatMap(([tag, value]) =>
    isRecord(value) && Array.isArray(value['tasks']) ? [[tag, value['tasks']] as [string, unknown[]]] : [],
  );
}

/**
 * @param wanted  the tag, where there are several
 * @throws CoordError `usage` where it is not clear which is meant
 */
export function readTaskMaster(document: Fields, name: string, wanted: string | undefined): Listing {
  const tags = tagsOf(document);
  const names = tags.map(([tag]) => tag);
  const chosen =
    wanted === undefined ? (tags.length === 1 ? tags[0] : undefined) : tags.find(([tag]) => tag === wanted);
  if (!chosen)
    throw new CoordError(
      'usage',
      wanted === undefined
        ? `${name} has tasks under several tags: ${names.join(', ')}.`
        : `${name} has no tag "${wanted}", but ${names.join(', ')}.`,
      { hint: `coord leader import ${name} --tag-of ${names[0] ?? 'master'}` },
    );
  const listing = new Listing({ hasForeignIds: true });
  for (const [i, task] of chosen[1].entries()) addTask(listing, task, `task ${i + 1}`);
  return listing;
}

function addTask(listing: Listing, value: unknown, where: string): void {
  const id = isRecord(value) ? idOf(value['id']) : undefined;
  const title = isRecord(value) ? textOf(value['title']) : undefined;
  if (!isRecord(value) || title === undefined) return listing.skip('without a title', id);
  const subtasks = Array.isArray(value['subtasks']) ? value['subtasks'].filter(isRecord) : [];
  if (isSettled(listing, value, id)) {
    for (const subtask of subtasks) listing.settled.add(`${id ?? ''}.${idOf(subtask['id']) ?? ''}`);
    return;
  }
  const needs = textsOf(value['dependencies']);
  const siblings = new Set(subtasks.map((subtask) => idOf(subtask['id'])));
  const parts: string[] = [];
  for (const [i, subtask] of subtasks.entries()) {
    const partId = `${id ?? ''}.${idOf(subtask['id']) ?? i + 1}`;
    const partTitle = textOf(subtask['title']);
    if (partTitle === undefined) listing.skip('without a title', partId);
    else if (!isSettled(listing, subtask, partId)) {
      parts.push(partId);
      // Numbers of its siblings, or of the list; and it cannot begin before what it is a part of could.
      const own = textsOf(subtask['dependencies']).map((other) =>
        siblings.has(other) ? `${id ?? ''}.${other}` : other,
      );
      listing.entries.push({
        where: () => `${where}, subtask ${i + 1}`,
        id: partId,
        needs: [...new Set([...own, ...needs])],
        task: fieldsOf({ priority: value['priority'], ...subtask }, partTitle),
      });
    }
  }
  listing.entries.push({ where: () => where, id, needs: [...needs, ...parts], task: fieldsOf(value, title) });
}

function isSettled(listing: Listing, task: Fields, id: string | undefined): boolean {
  const status = String(task['status']);
  if (!SETTLED.has(status)) return false;
  listing.skip(status === 'cancelled' ? 'cancelled' : 'done', id);
  return true;
}

function fieldsOf(task: Fields, title: string): Fields {
  return given({
    description: title,
    priority: priorityOf(String(task['priority'])),
    hints: hintsFrom([
      ['', task['description']],
      ['Details', task['details']],
      ['Test strategy', task['testStrategy']],
    ]),
  });
}
