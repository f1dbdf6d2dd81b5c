/** This user's own records, small files outside of every board: how they are written and read, whatever they say. */
import { lstatSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isRecord } from '../../model/values.ts';
import { replaceFile } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import { scratchName } from './scratch.ts';

/** The folder of a kind. @see https://specifications.freedesktop.org/basedir-spec/latest/ (XDG_STATE_HOME) */
export function recordsOf(given: string | undefined, kind: 'boards' | 'checks' | 'stores' | 'web'): string {
  return join(given ?? join(homedir(), '.local', 'state', 'coord'), kind);
}

/** For this user's eyes only. @throws CoordError `store-unavailable` where it cannot be written */
export function writeOwn(folder: string, path: string, text: string, durable: boolean): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replaceFile(path, text, { scratch: scratchName(folder), durable, mode: 0o600 });
}

/** Only what this user wrote counts; undefined for what is not there, damaged or another's. */
export function readOwn(path: string): Record<string, unknown> | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || (process.getuid && stat.uid !== process.getuid())) return undefined;
  try {
    const value: unknown = JSON.parse(readIfThere(path)?.toString() ?? 'null');
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
