/**
 * Whose board this is, and whether its folders are what they seem. A board may have come with a clone, or lie in a folder
 * that others can write: nothing in it is listed, read, written, moved or deleted before each of its folders is known to be a
 * real one, of this user. As with git's safe.directory a person may allow a board of somebody else by name.
 */
import { lstatSync, realpathSync } from 'node:fs';
import { CoordError } from '../../model/errors.ts';
import { unsafe } from './errno.ts';
import type { Tree } from './tree.ts';
import { isTrusted } from './trusted.ts';

/**
 * Checks the root and every folder that coord works in: before whatever is done in them, each time.
 *
 * @param stateFolder  where this user's own records lie, among them the boards that are allowed
 * @param folders  those that are about to be used, where that is not all of them
 * @throws CoordError `board-unsafe`, `not-initialised`
 */
export function checkTree(tree: Tree, stateFolder?: string, folders = tree.workFolders()): void {
  const owners = checkRoot(tree, stateFolder);
  for (const folder of folders) {
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    if (!stat) continue;
    if (stat.isSymbolicLink()) throw isLink(folder);
    if (!stat.isDirectory()) throw unsafe(folder, 'is no folder');
    if (owners && !owners.has(stat.uid)) throw isForeign(tree.root, stat.uid);
  }
}

/**
 * Checks the root alone, for whoever only looks for it.
 *
 * @returns whose its folders may be; undefined where that does not matter
 * @throws CoordError `board-unsafe`, `not-initialised`
 */
export function checkRoot(tree: Tree, stateFolder?: string): Set<number> | undefined {
  const root = lstatSync(tree.root, { throwIfNoEntry: false });
  if (!root) throw notInitialised(`There is no board at ${tree.root}.`);
  if (root.isSymbolicLink()) throw isLink(tree.root);
  if (!root.isDirectory()) throw unsafe(tree.root, 'is no folder');
  const user = process.getuid?.();
  if (user === undefined) return undefined; // Windows
  if (root.uid === user) return new Set([user]);
  if (!isTrusted(stateFolder, tree.root, root.uid)) throw isForeign(tree.root, root.uid);
  return undefined; // a board of a group: who made which folder in it says nothing
}

export function notInitialised(message: string): CoordError {
  return new CoordError('not-initialised', message, { details: {} });
}

/** A link where a folder should be: whatever coord does in it would happen elsewhere. */
function isLink(path: string): CoordError {
  const target = orNothing(() => realpathSync(path));
  return unsafe(path, `is a link${target === undefined ? '' : ` to ${target}`}`);
}

function isForeign(root: string, owner: number): CoordError {
  return new CoordError('board-unsafe', `The board in ${root} is not yours: user ${owner} has made it.`, {
    details: { why: 'foreign', path: root },
  });
}

function orNothing<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
