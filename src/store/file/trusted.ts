/**
 * The boards of others that this user has allowed, one small file each, outside of every board. As git keeps
 * safe.directory: by path and owner, so that another one's board in the same place is asked for anew.
 */
import { lstatSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn, removeIfThere } from './atomic.ts';
import { readOwn, recordsOf, writeOwn } from './own-records.ts';
import { shortHash } from './scratch.ts';

export interface TrustedBoard {
  /** The real path of its `.coordination/`. */
  path: string;
  /** Id of the user that owns it. */
  owner: number;
}

function folderOf(given: string | undefined): string {
  return recordsOf(given, 'boards');
}

export function isTrusted(stateFolder: string | undefined, root: string, owner: number): boolean {
  const path = realpathSync(root);
  const known = read(fileOf(stateFolder, path));
  return known?.path === path && known.owner === owner;
}

/** @throws CoordError `store-unavailable` where the record cannot be written */
export function trustBoard(stateFolder: string | undefined, root: string): TrustedBoard {
  const path = realpathSync(root);
  const board = { path, owner: lstatSync(path).uid };
  const folder = folderOf(stateFolder);
  writeOwn(folder, fileOf(stateFolder, path), `${JSON.stringify(board)}\n`, true);
  return board;
}

/** @returns false where it was not allowed */
export function revokeBoard(stateFolder: string | undefined, root: string): boolean {
  const path = realOr(root);
  const file = fileOf(stateFolder, path);
  const known = read(file);
  removeIfThere(file);
  return known !== undefined;
}

export function trustedBoards(stateFolder: string | undefined): TrustedBoard[] {
  const folder = folderOf(stateFolder);
  return namesIn(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => read(join(folder, name)))
    .filter((board) => board !== undefined)
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function fileOf(stateFolder: string | undefined, path: string): string {
  // Two paths of one hash: the later record takes the other's place, which is asked for anew.
  return join(folderOf(stateFolder), `${shortHash(path)}.json`);
}

function read(file: string): TrustedBoard | undefined {
  const { path, owner } = readOwn(file) ?? {};
  return typeof path === 'string' && Number.isInteger(owner) ? { path, owner: owner as number } : undefined; // as tested
}

/** The real path, or the path itself where nothing is there any more. */
function realOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
