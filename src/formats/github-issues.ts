/** What `gh issue list --json number,title,body,labels,state,url` prints. */
import { isRecord } from '../model/values.ts';
import type { Located } from './json.ts';
import { given, hintsFrom, Listing, tagFrom, textOf } from './listing.ts';

export function isGithubIssues(records: readonly Located[]): boolean {
  return (
    records.length > 0 &&
    records.every(({ value }) => isRecord(value) && typeof value['number'] === 'number' && 'title' in value)
  );
}

export function readGithubIssues(records: readonly Located[]): Listing {
  const listing = new Listing({ hasGlobalIds: true });
  for (const { value, where } of records) {
    const issue = isRecord(value) ? value : {};
    const id = `gh-${String(issue['number'])}`;
    const title = textOf(issue['title']);
    const state = typeof issue['state'] === 'string' ? issue['state'].toUpperCase() : 'OPEN';
    if (title === undefined) listing.skip('without a title', id);
    else if (state !== 'OPEN') listing.skip(state.toLowerCase(), id);
    else
      listing.entries.push({
        where,
        id,
        needs: [],
        task: given({
          description: title,
          hints: hintsFrom([
            ['', issue['body']],
            ['', issue['url']],
          ]),
          tags: labelsOf(issue['labels']),
        }),
      });
  }
  return listing;
}

function labelsOf(labels: unknown): string[] {
  if (!Array.isArray(labels)) return [];
  const names = labels.map((label: unknown) => (isRecord(label) ? label['name'] : label));
  return [...new Set(names.flatMap((name) => (typeof name === 'string' ? (tagFrom(name) ?? []) : [])))];
}
