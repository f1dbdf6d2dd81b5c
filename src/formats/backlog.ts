/** Tasks of Backlog.md: a Markdown file each, with the fields in its front matter. */
import { isRecord } from '../model/values.ts';
import { given, hintsFrom, idOf, Listing, priorityOf, tagFrom, textOf, textsOf } from './listing.ts';
import { malformed, type SourceText } from './source.ts';

const SETTLED = /^(?:done|complete[d]?|closed|cancelled|canceled|archived)$/i;
const FRONT_MATTER = /^\s*---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/;

/** Whether a file is one: its front matter has a title, and an id or a status. */
export function isBacklogTask(text: string): boolean {
  const fields = FRONT_MATTER.exec(text)?.[1] ?? '';
  return /^title:/m.test(fields) && /^(?:id|status):/m.test(fields);
}

export async function readBacklog(files: readonly SourceText[]): Promise<Listing> {
  const { parse } = await import('yaml');
  const listing = new Listing({ hasGlobalIds: true, needsMayBeElsewhere: true });
  for (const { name, text } of files) {
    const [whole, matter = ''] = FRONT_MATTER.exec(text) ?? [];
    let fields: unknown;
    try {
      fields = parse(matter, { logLevel: 'error' });
    } catch (error) {
      throw malformed(
        name,
        `its front matter is not YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
        error,
      );
    }
    const id = isRecord(fields) ? idOf(fields['id'])?.toLowerCase() : undefined;
    const title = isRecord(fields) ? idOf(fields['title']) : undefined;
    if (whole === undefined || !isRecord(fields) || title === undefined) listing.skip('without a title', id);
    else if (SETTLED.test(String(fields['status']))) listing.skip('done', id, formerNames(id));
    else
      listing.entries.push({
        where: () => name,
        id,
        aliases: formerNames(id),
        // The case of the prefix differs between its versions.
        needs: textsOf(fields['dependencies']).map((other) => other.toLowerCase()),
        task: given({
          description: title,
          priority: priorityOf(String(fields['priority']).toLowerCase()),
          tags: [...new Set(textsOf(fields['labels']).flatMap((label) => tagFrom(label) ?? []))],
          files: textsOf(fields['modified_files']),
          hints: hintsFrom([['', bodyOf(text.slice(whole.length))]]),
        }),
      });
  }
  return listing;
}

/** A project may have changed its prefix since: what depended on `task-7` means `back-7`. */
function formerNames(id: string | undefined): string[] {
  const number = /-([\d.]+)$/.exec(id ?? '')?.[1];
  return number === undefined ? [] : [`task-${number}`];
}

/** Without the comments that mark its sections. */
function bodyOf(text: string): string | undefined {
  return textOf(
    text
      .replace(/<!--[^>]{0,200}-->/g, '')
      .replace(/\r\n/g, '\n')
      .replace(/\n{3,}/g, '\n\n'),
  );
}
