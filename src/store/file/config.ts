/** `config.json`: where the board of this folder is kept, if not in it. It holds no secret, so that it may be committed. */
import { lstatSync } from 'node:fs';
import { CoordError } from '../../model/errors.ts';
import { movedAway } from '../../model/moved.ts';
import { isRecord } from '../../model/values.ts';
import { hasPassword, parseAddress, shownAddress, type StoreAddress, withoutPassword } from '../address.ts';
import { removeIfThere, replaceFile } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import { scratchName } from './scratch.ts';
import type { Tree } from './tree.ts';

/** @returns undefined where there is none, as of a board in files @throws CoordError `board-unsafe`, `invalid-input` */
export function readConfig(tree: Tree): StoreAddress | undefined {
  const bytes = readIfThere(tree.config);
  if (!bytes) return undefined;
  const wrong = (why: string): CoordError =>
    new CoordError('invalid-input', `${tree.config} ${why}.`, { details: { why: 'config', path: tree.config } });
  let config: unknown;
  try {
    config = JSON.parse(bytes.toString());
  } catch {
    throw wrong('is not JSON');
  }
  if (!isRecord(config)) throw wrong('must be an object');
  const { store, board } = config;
  if (store === undefined && board === undefined) return undefined;
  if (typeof store !== 'string' || (board !== undefined && typeof board !== 'string'))
    throw wrong('must name a store, and may name a board, as text');
  const address = parseAddress(store, { board, source: tree.config });
  if (hasPassword(address)) throw wrong('holds a password: keep it in PGPASSWORD or ~/.pgpass');
  return address;
}

/** Whoever has opened the folder's own board before it moved. @throws CoordError `board-moved` */
export function refuseMovedFolder(tree: Tree): void {
  if (!lstatSync(tree.config, { throwIfNoEntry: false })) return;
  const address = readConfig(tree);
  if (!address) return;
  throw movedAway(shownAddress(address));
}

export function writeConfig(tree: Tree, address: StoreAddress): void {
  const { url, board } = withoutPassword(address);
  replaceFile(tree.config, `${JSON.stringify({ store: url, board }, null, 2)}\n`, {
    scratch: scratchName(tree.tmp),
    durable: true,
  });
}

export function removeConfig(tree: Tree): void {
  removeIfThere(tree.config);
}
