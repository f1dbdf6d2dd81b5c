/** `issues.jsonl` of beads: one issue a line. */
import { isRecord } from '../model/values.ts';
import { given, hintsFrom, idOf, Listing, tagFrom, textOf, textsOf } from './listing.ts';
import type { Located } from './json.ts';

const SETTLED = new Set(['closed', 'tombstone']);

/** Whether records are issues of beads: a title and a kind of issue. */
export function isBeads(records: readonly Located[]): boolean {
  return records.some(
    ({ value }) =>
      isRecord(value) && 'title' in value && ('issue_type' in value || typeof value['priority'] === 'number'),
  );
}

export function readBeads(records: readonly Located[]): Listing {
  const listing = new Listing({ hasGlobalIds: true, needsMayBeElsewhere: true });
  for (const { value, where } of records) {
    const id = isRecord(value) ? idOf(value['id']) : undefined;
    const title = isRecord(value) ? textOf(value['title']) : undefined;
    if (!isRecord(value) || title === undefined) listing.skip('without a title', id);
    else if (SETTLED.has(String(value['status']))) listing.skip('closed', id);
    else {
      const { priority } = value;
      listing.entries.push({
        where,
        id,
        needs: blockersOf(value['dependencies']),
        task: given({
          description: title,
          // 0 (critical) to 4 (backlog).
          priority: typeof priority === 'number' ? Math.min(10, Math.max(1, Math.round(priority) * 2 + 1)) : undefined,
          hints: hintsFrom([
            ['', value['description']],
            ['Acceptance criteria', value['acceptance_criteria']],
            ['Design', value['design']],
            ['Notes', value['notes']],
          ]),
          tags: [...new Set([...textsOf(value['labels']), ...textsOf(value['issue_type'])])].flatMap(
            (name) => tagFrom(name) ?? [],
          ),
        }),
      });
    }
  }
  return listing;
}

/** Only `blocks` keeps an issue from being begun: a parent, or what was found on the way, does not. */
function blockersOf(dependencies: unknown): string[] {
  if (!Array.isArray(dependencies)) return [];
  return dependencies.flatMap((one: unknown) =>
    // Old exports have lines of a log behind some ids.
    isRecord(one) && one['type'] === 'blocks' ? (idOf(one['depends_on_id'])?.split(/\s/, 1) ?? []) : [],
  );
}
