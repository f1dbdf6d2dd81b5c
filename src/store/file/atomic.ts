/**
 * Files that are there wholly or not at all. All calls are synchronous: a board is small, and without a turn of the
 * event loop between two of them the windows of the commit protocol stay as narrow as the kernel allows.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writevSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CoordError } from '../../model/errors.ts';

/** Whether the error is the operating system's, with one of these codes. */
export function isErrno(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** The value, or undefined where the file or folder is not there. */
export function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

export function readIfThere(path: string): Buffer | undefined {
  return orAbsent(() => readFileSync(path));
}

export function namesIn(folder: string): string[] {
  return orAbsent(() => readdirSync(folder)) ?? [];
}

export function removeIfThere(path: string): void {
  orAbsent(() => unlinkSync(path));
}

let counter = 0;
/** A name in the scratch folder that no other process and no other call uses. */
export function scratchName(folder: string, prefix = ''): string {
  return join(
    folder,
    `${prefix}${Date.now().toString(36)}-${process.pid}-${counter++}-${Math.random().toString(36).slice(2, 8)}`,
  );
}

/**
 * Writes a new file and, if `durable`, waits until the disk has it.
 * @param chunks  bytes in order; the board is written in pieces so that unchanged tasks are not copied first
 * @param mode  who may read it, less what the umask takes away
 */
export function writeNew(path: string, chunks: readonly Uint8Array[], durable: boolean, mode = 0o666): void {
  try {
    writeChunks(openSync(path, 'wx', mode), chunks, durable);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    mkdirSync(dirname(path), { recursive: true }); // a cloned tree lacks the folders that git does not keep
    writeChunks(openSync(path, 'wx', mode), chunks, durable);
  }
}

/**
 * Copies a file to a new name within the kernel, which needs no memory and, where the file system can, no second copy. It
 * does not wait for the disk.
 *
 * @returns the size in bytes; undefined where there is no such file
 */
export function copyNew(path: string, copy: string): number | undefined {
  if (orAbsent(() => (copyFileSync(path, copy, constants.COPYFILE_FICLONE), true)) === undefined) return undefined;
  return statSync(copy).size;
}

/** Writes everything to an open file and closes it. */
function writeChunks(fd: number, chunks: readonly Uint8Array[], durable: boolean): void {
  try {
    let rest = chunks.filter((chunk) => chunk.length > 0);
    while (rest.length > 0) {
      let written = writevSync(fd, rest);
      // The kernel may take less than it was given: a full pipe, a quota, a signal.
      while (rest[0] && written >= rest[0].length) {
        written -= rest[0].length;
        rest = rest.slice(1);
      }
      if (rest[0] && written > 0) rest = [rest[0].subarray(written), ...rest.slice(1)];
    }
    if (durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the names in a folder survive a power cut. Windows neither needs nor allows it. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Replaces a file in one step; readers see the old text or the new one. */
export function replaceFile(path: string, text: string, scratch: string, durable: boolean, mode?: number): void {
  const temp = scratchName(scratch);
  writeNew(temp, [Buffer.from(text)], durable, mode);
  try {
    renameSync(temp, path);
  } catch (error) {
    removeIfThere(temp);
    throw error;
  }
  if (durable) syncFolder(dirname(path));
}

/** Creates a file unless there is one. */
export function createIfAbsent(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/** Sets a file's times, which wakes everybody who watches it; makes it where it is missing. */
export function touch(path: string): void {
  const now = new Date();
  if (orAbsent(() => (utimesSync(path, now, now), true)) === undefined) createIfAbsent(path, '');
}

/**
 * Whether link(2) works in this folder: exFAT and some network and container mounts have none.
 * @see https://man7.org/linux/man-pages/man2/link.2.html (EPERM, EOPNOTSUPP)
 */
export function isLinkUnsupported(error: unknown): boolean {
  return isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK');
}

/** Gives a file a second name unless that is taken. */
export function linkIfFree(path: string, name: string): 'linked' | 'taken' | 'unsupported' {
  try {
    linkSync(path, name);
    return 'linked';
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return 'taken';
    if (isErrno(error, 'ENOENT')) return 'taken'; // swept while this process slept: others have gone on
    if (isLinkUnsupported(error)) return 'unsupported';
    throw error;
  }
}

/** @returns false where there was no such file */
export function moveIfThere(path: string, to: string): boolean {
  return orAbsent(() => (renameSync(path, to), true)) ?? false;
}

/** Milliseconds since {@link scratchName} made this name: a folder of many is swept without asking for each of them. */
export function ageOfScratch(name: string): number {
  const made = /([0-9a-z]+)-\d+-\d+-[0-9a-z]+$/.exec(name)?.[1];
  return made === undefined ? Infinity : Date.now() - Number.parseInt(made, 36);
}

/** Turns what the operating system says into a message that a person can act on; other errors pass unchanged. */
export function explainErrno(error: unknown): unknown {
  if (
    !isErrno(
      error,
      'EACCES',
      'EPERM',
      'EROFS',
      'ENOSPC',
      'EDQUOT',
      'EMFILE',
      'ENFILE',
      'EIO',
      'ENOTDIR',
      'EISDIR',
      'ENAMETOOLONG',
      'ELOOP',
      'EFBIG',
    )
  ) {
    return error;
  }
  const where = error.path ?? 'the board';
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new CoordError('store-unavailable', `The disk is full: ${where} could not be written.`, {
        hint: 'Free some space and repeat the command.',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new CoordError('store-unavailable', `No permission to use ${where} (${error.code}).`, {
        hint: `Check who owns it and whether it is writable: ls -ld ${dirname(where)}`,
        cause: error,
      });
    default:
      return new CoordError('store-unavailable', `${basename(where)}: ${error.message}.`, { cause: error });
  }
}
