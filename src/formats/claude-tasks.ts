/** The task list that Claude Code keeps in `~/.claude/tasks/<id>/`: a file a task. */
import { isRecord } from '../model/values.ts';
import type { Located } from './json.ts';
import { given, hintsFrom, idOf, Listing, textOf, textsOf } from './listing.ts';

const SETTLED = new Map([
  ['completed', 'done'],
  ['deleted', 'deleted'],
  ['cancelled', 'cancelled'],
]);

export function isClaudeTasks(records: readonly Located[]): boolean {
  return records.some(({ value }) => isRecord(value) && 'subject' in value);
}

export function readClaudeTasks(records: readonly Located[]): Listing {
  const listing = new Listing({ hasForeignIds: true });
  for (const { value, where } of records) {
    const id = isRecord(value) ? idOf(value['id']) : undefined;
    const subject = isRecord(value) ? textOf(value['subject']) : undefined;
    if (!isRecord(value) || subject === undefined) {
      listing.skip('without a subject', id);
      continue;
    }
    const settled = SETTLED.get(String(value['status']));
    if (settled !== undefined) listing.skip(settled, id);
    else
      listing.entries.push({
        where,
        id,
        needs: textsOf(value['blockedBy']),
        task: given({ description: subject, hints: hintsFrom([['', value['description']]]) }),
      });
  }
  return listing;
}
