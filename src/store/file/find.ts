/** Finds the folder of the board, as git finds its own. Loads little else: hooks ask at every turn of a session. */
import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { append } from './atomic.ts';
import { readIfThere, readStart } from './open-file.ts';
import { checkRoot, checkTree, notInitialised } from './guard.ts';
import { HEAD_BYTES } from '../commit-id.ts';
import { Tree, TREE_NAME } from './tree.ts';

/** What is read of a file of git's at most: they hold a path, or a few settings. */
const MOST_GIT_BYTES = 65_536;

export interface FindOptions {
  /** Where to start looking; default the working directory. */
  cwd?: string | undefined;
  /** The project's root or `.coordination/` itself, instead of looking. */
  dir?: string | undefined;
  /** Where this user's own records lie, by default `~/.local/state/coord`: the boards of others that are allowed. */
  stateFolder?: string | undefined;
  /** Told what a person should know. */
  notice?: (message: string) => void;
}

/**
 * The folder of the board, which is a real one and this user's. What lies in it is for who works there to check.
 *
 * @throws CoordError `not-initialised`, `board-unsafe`
 */
export function findTree(options: FindOptions): Tree {
  const cwd = resolve(options.cwd ?? '.');
  const tree = options.dir === undefined ? lookUpwards(cwd, options) : namedTree(cwd, options.dir);
  checkRoot(tree, options.stateFolder);
  return tree;
}

function lookUpwards(cwd: string, options: FindOptions): Tree {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const own = join(folder, TREE_NAME);
    const isThere = exists(own);
    const shared = sharedRoots(folder).find((root) => exists(join(root, TREE_NAME)));
    if (shared !== undefined && !isSame(shared, folder)) {
      const tree = new Tree(join(shared, TREE_NAME));
      if (isThere) tellOnce(tree, own, options);
      return tree;
    }
    if (isThere) return new Tree(own);
    if (dirname(folder) === folder) throw notInitialised(`There is no ${TREE_NAME}/ in ${cwd} or above.`);
  }
}

/** A board that git has put into a linked worktree is a copy of that of the main one, and nobody's. Said once for each. */
function tellOnce(tree: Tree, own: string, { notice, stateFolder }: FindOptions): void {
  if (!notice) return;
  checkTree(tree, stateFolder);
  try {
    if (readIfThere(tree.told)?.toString().split('\n').includes(own) === true) return;
    append(tree.told, `${own}\n`, { durable: false });
  } catch {
    // A board that cannot be written says it every time.
  }
  notice(`${own} is a copy that git has made; the board is the one of the main worktree, ${tree.root}.`);
}

/** `--dir` names the project's root, or the tree itself. */
export function namedTree(cwd: string, dir: string): Tree {
  const path = resolve(cwd, dir);
  return new Tree(basename(path) === TREE_NAME ? path : join(path, TREE_NAME));
}

/** The folder of the board, or where one would go. @throws CoordError `board-unsafe` */
export function findOrBegin(options: FindOptions): Tree {
  try {
    return findTree(options);
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'not-initialised') throw error;
    const cwd = resolve(options.cwd ?? '.');
    return options.dir === undefined ? treeToBegin(cwd) : namedTree(cwd, options.dir);
  }
}

/** Where a new board goes: here; within a linked worktree, where all worktrees will find it. */
export function treeToBegin(cwd: string): Tree {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (exists(join(folder, '.git'))) {
      const common = commonDir(folder);
      if (common === undefined) break;
      const [first] = rootsOf(common);
      // A bare repository in a folder of its own for it and its worktrees; one among others has nothing beside it.
      const isOwnFolder = basename(common) === '.git' || basename(common).startsWith('.');
      if (first !== undefined && isOwnFolder) return new Tree(join(first, TREE_NAME));
      break;
    }
    if (dirname(folder) === folder) break;
  }
  return new Tree(join(cwd, TREE_NAME));
}

/**
 * The folder that a project's own settings belong to: with a board or a repository in it, upwards from here; else this one. What
 * belongs to somebody else, as /tmp does, ends the search.
 */
export function projectRoot(cwd: string): string {
  const owner = lstatSync(resolve(cwd), { throwIfNoEntry: false })?.uid;
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    if (lstatSync(folder, { throwIfNoEntry: false })?.uid !== owner) return resolve(cwd);
    if (exists(join(folder, TREE_NAME)) || exists(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return resolve(cwd);
  }
}

/** Whether the folder itself keeps a board, and not copies of one that a server keeps. */
export function isFileBoard(tree: Tree): boolean {
  return (
    isFolder(tree.root) &&
    (isFolder(tree.commits) || (exists(tree.tasks) && !exists(tree.config) && !holdsCopies(tree)))
  );
}

/** Whether tasks.json is a copy of a board that a server keeps. */
export function holdsCopies(tree: Tree): boolean {
  const head = readStart(tree.tasks, HEAD_BYTES)?.toString('latin1') ?? '';
  return (
    !isFolder(tree.commits) && /^\{\s*"version": \d+,\s*"revision": \d+,\s*("commit": "[^"]*",\s*)?"copy":/.test(head)
  );
}

export function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isSame(a: string, b: string): boolean {
  return a === b || orEmpty(() => realpathSync(a)) === orEmpty(() => realpathSync(b));
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Where the board of all worktrees may be, for the root of a linked one; nowhere for any other folder. */
function sharedRoots(folder: string): string[] {
  const common = commonDir(folder);
  return common === undefined ? [] : rootsOf(common);
}

/**
 * The repository that a linked worktree belongs to: there `.git` is a file that names a folder whose `commondir` leads to
 * it. @see https://git-scm.com/docs/gitrepository-layout
 */
function commonDir(folder: string): string | undefined {
  try {
    const gitDir = gitDirOf(folder);
    if (gitDir === undefined) return undefined;
    const common = resolve(gitDir, contentOf(join(gitDir, 'commondir')));
    const isItsOwn = isSame(dirname(gitDir), join(common, 'worktrees'));
    return isItsOwn && isSame(worktreeOf(gitDir), folder) ? common : undefined;
  } catch {
    return undefined; // a submodule, or a repository that is gone
  }
}

/** What the file `.git` of a worktree or submodule names; undefined where there is no such file. */
function gitDirOf(folder: string): string | undefined {
  const link = join(folder, '.git');
  if (!(lstatSync(link, { throwIfNoEntry: false })?.isFile() ?? false)) return undefined;
  return resolve(folder, contentOf(link).replace(/^gitdir: /, ''));
}

/** The folder that git has noted for a worktree: without it a file `.git` of a stranger could choose our board. */
function worktreeOf(gitDir: string): string {
  return dirname(resolve(gitDir, contentOf(join(gitDir, 'gitdir'))));
}

/**
 * The main worktree of a repository; for a bare one the folder beside it, then its worktrees by name.
 */
function rootsOf(common: string): string[] {
  if (basename(common) === '.git') return [dirname(common)];
  const configured = /^\s*worktree\s*=\s*(.+?)\s*$/m.exec(orEmpty(() => contentOf(join(common, 'config'))))?.[1];
  if (configured !== undefined) return [resolve(common, configured)].filter((root) => leadsTo(root, common)); // of a submodule
  const names = orEmpty(() => readdirSync(join(common, 'worktrees')).toSorted().join('\n')).split('\n');
  const worktrees = names
    .filter((name) => name !== '')
    .map((name) => join(common, 'worktrees', name))
    .map((gitDir) => ({ gitDir, root: orEmpty(() => worktreeOf(gitDir)) }))
    .filter(({ gitDir, root }) => root !== '' && leadsTo(root, gitDir));
  return [dirname(common), ...worktrees.map(({ root }) => root)];
}

function leadsTo(root: string, gitDir: string): boolean {
  try {
    const led = gitDirOf(root);
    return led !== undefined && isSame(led, gitDir);
  } catch {
    return false;
  }
}

/** A small file of git's; never a pipe or a device, which would keep us waiting. */
function contentOf(path: string): string {
  return (readStart(realpathSync(path), MOST_GIT_BYTES) ?? Buffer.alloc(0)).toString().trim();
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** A path with every link in it followed, as far as it is there; what is still to be written has no links. */
export function withoutLinks(path: string): string {
  for (let there = path, rest = ''; ; rest = join(basename(there), rest), there = dirname(there)) {
    try {
      return join(realpathSync(there), rest);
    } catch {
      if (dirname(there) === there) return path;
    }
  }
}
