/** Finds the folder of the board, as git finds its own. Loads nothing else: hooks ask at every turn of a session. */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CoordError } from '../model/errors.ts';
import { Tree, TREE_NAME } from './file/tree.ts';

export interface FindOptions {
  /** Where to start looking; default the working directory. */
  cwd?: string;
  /** The project's root or `.coordination/` itself, instead of looking. */
  dir?: string | undefined;
}

/** The folder of the board. @throws CoordError `not-initialised` */
export function findTree(options: FindOptions): Tree {
  const cwd = resolve(options.cwd ?? '.');
  if (options.dir !== undefined) {
    const tree = namedTree(cwd, options.dir);
    if (isFolder(tree.root)) return tree;
    throw notInitialised(`There is no board at ${tree.root}.`);
  }
  for (let folder = cwd; ; folder = dirname(folder)) {
    const own = join(folder, TREE_NAME);
    if (isFolder(own)) return new Tree(own);
    const main = mainWorktree(folder);
    if (main !== undefined && isFolder(join(main, TREE_NAME))) return new Tree(join(main, TREE_NAME));
    if (dirname(folder) === folder) throw notInitialised(`There is no ${TREE_NAME}/ in ${cwd} or above.`);
  }
}

function notInitialised(message: string): CoordError {
  return new CoordError('not-initialised', message, { hint: 'coord leader init "<goal>"' });
}

/** `--dir` names the project's root, or the tree itself. */
export function namedTree(cwd: string, dir: string): Tree {
  const path = resolve(cwd, dir);
  return new Tree(basename(path) === TREE_NAME ? path : join(path, TREE_NAME));
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * The main worktree of a linked one: there `.git` is a file that names a folder whose `commondir` leads to the
 * repository. @see https://git-scm.com/docs/gitrepository-layout
 */
function mainWorktree(folder: string): string | undefined {
  const link = join(folder, '.git');
  if (!(statSync(link, { throwIfNoEntry: false })?.isFile() ?? false)) return undefined;
  try {
    const gitDir = resolve(
      folder,
      readFileSync(link, 'utf8')
        .replace(/^gitdir: /, '')
        .trim(),
    );
    const common = resolve(gitDir, readFileSync(join(gitDir, 'commondir'), 'utf8').trim());
    return basename(common) === '.git' ? dirname(common) : undefined;
  } catch {
    return undefined; // a submodule, or a repository that is gone
  }
}
