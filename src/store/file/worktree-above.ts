/** Where the worktree of a claim is, found without asking git: hooks are called for every write. */
import { existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { worktreeOf } from '../../model/worktrees.ts';

/** @param starts  folders of the project, in or above which the repository's root is */
export function worktreeAbove(starts: readonly string[], branch: string): string | undefined {
  const way = worktreeOf(branch).split('/');
  for (const start of starts) {
    for (let folder = start; ; folder = dirname(folder)) {
      const path = join(folder, ...way);
      if (existsSync(join(path, '.git'))) return path;
      if (dirname(folder) === folder) break;
    }
  }
  return undefined;
}

/** Whether a path lies in a folder, or is it. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !/^(?:[A-Za-z]:|[/\\])/.test(way);
}
