/** What stands in tasks.json: the newest revision, an older one, somebody's edit, or nothing that is one. */
import type { Board } from '../../model/board.ts';
import type { CoordError } from '../../model/errors.ts';
import type { EditedBoard } from '../../model/hand-edit.ts';
import { isBlank, isTornCopy, knownBoard } from './board-text.ts';
import { commitOf, isChildOf, revisionOf } from '../commit-id.ts';
import type { CommitLog, Revision } from './commit-log.ts';
import { migrate } from './migrate.ts';

export type Content =
  | { kind: 'behind' }
  | { kind: 'blank' }
  | { kind: 'malformed'; problem: () => Promise<CoordError> }
  | { kind: 'newer'; edit: EditedBoard }
  | { kind: 'edit'; edit: EditedBoard; base: Board | undefined };

/**
 * What tasks.json holds, compared with the newest revision.
 *
 * @param path  of tasks.json, for messages
 */
export async function classify(
  log: CommitLog<Board>,
  path: string,
  head: Revision<Board> | undefined,
  bytes: Buffer | undefined,
): Promise<Content> {
  if (!bytes || isBlank(bytes)) return { kind: 'blank' };
  const commit = commitOf(bytes);
  const base = head && baseOf(log, head, commit, revisionOf(bytes));
  if (base?.equals(bytes)) return { kind: 'behind' };
  if ([head?.bytes, base].some((revision) => revision && isTornCopy(bytes, revision))) return { kind: 'blank' };
  if (head && !base && (await log.wasTrimmed(head.folder, bytes))) return { kind: 'behind' };
  const text = bytes.toString().replace(/^\uFEFF/, '');
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { kind: 'malformed', problem: async () => (await import('./malformed.ts')).notJson(path, text) };
  }
  // zod and the schemas: only somebody's edit needs them, what coord wrote is known to be valid.
  const { parseBoard } = await import('../../model/hand-edit.ts');
  const parsed = parseBoard(migrate(document, path));
  if (!parsed.ok) {
    return { kind: 'malformed', problem: async () => (await import('./malformed.ts')).notBoard(path, text, parsed) };
  }
  const edit = parsed.board;
  if (!head || isChildOf(commit, head.value.commit)) return { kind: 'newer', edit };
  return { kind: 'edit', edit, base: base && knownBoard(base) };
}

/**
 * The revision that a file was made from: by the commit id that it carries, else by the revision; one that carries neither
 * is meant as the board as it stands. Undefined where the log does not know it (any more).
 */
function baseOf(
  log: CommitLog<Board>,
  head: Revision<Board>,
  commit: string | undefined,
  revision: number | undefined,
): Buffer | undefined {
  if (commit !== undefined) {
    if (commit === head.value.commit) return head.bytes;
    return log.find(head.folder, commit);
  }
  if (revision === undefined || revision === head.revision) return head.bytes;
  return revision < head.revision ? log.read(head.folder, revision) : undefined;
}

/** Why an edit cannot be compared with what it was made from. */
export function unknownBase({ revision }: EditedBoard, head: number): string {
  if (revision === undefined || revision <= head)
    return `it was made from revision ${revision}, too long ago to compare`;
  return `it is revision ${revision} of another branch, copy or backup of the board, which has come to ${head}`;
}
