/** The log of commits on disk, whichever way its revisions are kept. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the log: `.commits/<incarnation>/`. */
export function logFolder(dir: string): string {
  const [incarnation = ''] = readdirSync(join(dir, '.commits'));
  return join(dir, '.commits', incarnation);
}

/** The files of its revisions, oldest first. Without links a revision is a folder with its document in it. */
export function commitFiles(dir: string): string[] {
  const folder = logFolder(dir);
  return readdirSync(folder)
    .filter((name) => /^\d{8}\.json$/.test(name))
    .toSorted()
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? join(path, 'document') : path));
}

export function newestCommit(dir: string): string {
  return readFileSync(commitFiles(dir).at(-1) ?? '', 'utf8');
}
