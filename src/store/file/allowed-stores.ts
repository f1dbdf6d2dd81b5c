/**
 * The addresses of servers that this user has allowed, one small file each, outside of every board: a `config.json` may have come
 * with a clone, and whoever it names gets no password before that.
 */
import { join } from 'node:path';
import { isRecord } from '../../model/values.ts';
import { type StoreAddress, withoutPassword } from '../address.ts';
import { digest } from '../digest.ts';
import { namesIn, removeIfThere } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import { recordsOf, writeOwn } from './own-records.ts';

function folderOf(stateFolder: string | undefined): string {
  return recordsOf(stateFolder, 'stores');
}

function fileOf(stateFolder: string | undefined, url: string): string {
  return join(folderOf(stateFolder), `${digest(url)}.json`);
}

/** Any board there. */
export function isStoreAllowed(stateFolder: string | undefined, address: StoreAddress): boolean {
  const { url } = withoutPassword(address);
  return urlIn(fileOf(stateFolder, url)) === url;
}

/** @throws CoordError `store-unavailable` where it cannot be written */
export function allowStore(stateFolder: string | undefined, address: StoreAddress): void {
  const { url } = withoutPassword(address);
  const folder = folderOf(stateFolder);
  writeOwn(folder, fileOf(stateFolder, url), `${JSON.stringify({ url })}\n`, true);
}

export function allowedStores(stateFolder: string | undefined): string[] {
  const folder = folderOf(stateFolder);
  const urls = namesIn(folder).map((name) => urlIn(join(folder, name)));
  return urls.filter((url) => url !== undefined).toSorted();
}

/** @returns false where it was not allowed */
export function revokeStore(stateFolder: string | undefined, url: string): boolean {
  const path = fileOf(stateFolder, url);
  const wasAllowed = urlIn(path) === url;
  if (wasAllowed) removeIfThere(path);
  return wasAllowed;
}

function urlIn(path: string): string | undefined {
  try {
    const known: unknown = JSON.parse(readIfThere(path)?.toString() ?? 'null');
    return isRecord(known) && typeof known['url'] === 'string' ? known['url'] : undefined;
  } catch {
    return undefined;
  }
}
