/** Digests of the revisions that were trimmed from a log: a publisher that was paused may yet put such an old copy into tasks.json. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { append, replaceFile } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import { scratchName } from './scratch.ts';

/** The file beside the revisions, one digest a line. */
export const DIGESTS = 'digests';
/** Remembered at least. */
const REMEMBERED = 4000;

export function hasDigests(folder: string): boolean {
  return lstatSync(join(folder, DIGESTS), { throwIfNoEntry: false }) !== undefined;
}

export function knowsDigest(folder: string, digest: string): boolean {
  const known = readIfThere(join(folder, DIGESTS));
  return known !== undefined && known.toString('latin1').includes(`${digest}\n`);
}

/** @param tmp  a folder for scratch on the same file system */
export function rememberDigests(folder: string, digests: readonly string[], tmp: string): void {
  const path = join(folder, DIGESTS);
  const known = readIfThere(path)?.toString('latin1').split('\n').filter(Boolean) ?? [];
  const lines = (list: readonly string[]): string => list.map((digest) => `${digest}\n`).join('');
  if (known.length < REMEMBERED * 2) return append(path, lines(digests), { durable: false });
  replaceFile(path, lines([...known.slice(-REMEMBERED), ...digests]), { scratch: scratchName(tmp), durable: false });
}
