/**
 * Coord's own form: `[{"description": …}]`, `{"tasks": […]}`, one a line, the same in YAML, or texts alone; also tasks.json of
 * another board, and what `coord leader export` wrote.
 */
import { CLAIM_FIELDS } from '../model/claim-fields.ts';
import { isRecord } from '../model/values.ts';
import type { Located } from './json.ts';
import { idOf, Listing } from './listing.ts';
import { malformed } from './source.ts';

const SETTLED = new Set(['done', 'cancelled']);
/** What a board knows of a task besides, and what a new one does not take over. */
const OF_A_BOARD = [...CLAIM_FIELDS, 'created_at', 'cost_usd'];

export function readCoordTasks(name: string, records: readonly Located[]): Listing {
  const listing = new Listing();
  for (const [i, { value, where }] of records.entries()) {
    const aliases = [`#${i + 1}`, `task-${i + 1}`];
    if (typeof value === 'string') {
      listing.entries.push({ where, aliases, task: { description: value }, needs: [] });
      continue;
    }
    if (!isRecord(value)) throw malformed(`${name}, ${where()}`, 'it is neither an object nor a text');
    const { id, dependencies, context, context_files, ...task } = value;
    const inner = isRecord(context) ? context : {};
    const own = idOf(id);
    if (SETTLED.has(String(task['status']))) {
      listing.skip(String(task['status']), own);
      for (const other of [...aliases, idOf(task['key'])]) if (other !== undefined) listing.settled.add(other);
      continue;
    }
    if ('status' in task) for (const field of OF_A_BOARD) delete task[field];
    const fields: Record<string, unknown> = {
      ...task,
      key: idOf(task['key']),
      files: task['files'] ?? context_files ?? inner['files'],
      hints: task['hints'] ?? inner['hints'],
    };
    listing.entries.push({
      where,
      aliases,
      id: own,
      task: Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined && field !== null)),
      needs: needsOf(name, where, dependencies),
    });
  }
  return listing;
}

function needsOf(name: string, where: () => string, dependencies: unknown): string[] {
  if (dependencies === undefined || dependencies === null) return [];
  const list: unknown[] = Array.isArray(dependencies) ? dependencies : [dependencies];
  return list.map((one) => {
    const need = idOf(one);
    if (need === undefined) throw malformed(`${name}, ${where()}`, 'dependencies: must be names or numbers');
    return need;
  });
}
