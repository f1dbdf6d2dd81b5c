/** What a file's times and size say about whether it was written since. */
import { lstatSync } from 'node:fs';

export interface Stamp {
  ino: number;
  size: number;
  mtimeMs: number;
}

/** Size and time for a file name: a displaced file that still has them was not written any more. */
export function stampText(stamp: Stamp | undefined): string {
  return stamp === undefined ? 'none' : `${stamp.size}-${Math.round(stamp.mtimeMs * 1000)}`;
}

export function stampOf(path: string): Stamp | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
