/**
 * Files that are there wholly or not at all. All calls are synchronous: a board is small, and without a turn of the
 * event loop between two of them the windows of the commit protocol stay as narrow as the kernel allows.
 * As in open-file.ts nothing follows a link in the place of a file.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isErrno, isLinkUnsupported, orAbsent, unsafe } from './errno.ts';
import { openFile, withFile } from './open-file.ts';

export function namesIn(folder: string): string[] {
  return orAbsent(() => readdirSync(folder)) ?? [];
}

export function removeIfThere(path: string): void {
  orAbsent(() => unlinkSync(path));
}

/**
 * Writes a new file and, if `durable`, waits until the disk has it. Nothing of it stays where that fails.
 *
 * @param chunks  bytes in order; the board is written in pieces so that unchanged tasks are not copied first
 * @param mode  who may read it, less what the umask takes away
 */
export function writeNew(path: string, chunks: readonly Uint8Array[], durable: boolean, mode = 0o666): void {
  const fd = createNew(path, mode);
  try {
    writeChunks(fd, chunks);
    if (durable) fsyncSync(fd);
  } catch (error) {
    quietly(() => closeSync(fd));
    quietly(() => unlinkSync(path));
    throw error;
  }
  try {
    closeSync(fd); // where a network mount writes, and may say that it could not
  } catch (error) {
    quietly(() => unlinkSync(path));
    throw error;
  }
}

/** What comes after an error, which is what is told. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // As said above.
  }
}

/** Creates and opens a file whose name nobody else uses. */
function createNew(path: string, mode: number): number {
  const open = (): number => openSync(path, 'wx', mode);
  try {
    return open();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      mkdirSync(dirname(path), { recursive: true }); // a cloned tree lacks the folders that git does not keep
      return open();
    }
    // A network mount repeats a call whose answer was lost, and finds the file that it has made itself.
    if (isErrno(error, 'EEXIST')) return openFile(path, constants.O_WRONLY | constants.O_TRUNC);
    throw error;
  }
}

/** Writes everything, in as many steps as the kernel wants; a full disk takes a part and refuses the rest. */
function writeChunks(fd: number, chunks: readonly Uint8Array[]): void {
  let rest = chunks.filter((chunk) => chunk.length > 0);
  while (rest.length > 0) {
    let written = writevSync(fd, rest);
    if (written === 0) throw noSpace();
    while (rest[0] && written >= rest[0].length) {
      written -= rest[0].length;
      rest = rest.slice(1);
    }
    if (rest[0] && written > 0) rest = [rest[0].subarray(written), ...rest.slice(1)];
  }
}

function noSpace(): Error {
  return Object.assign(new Error('ENOSPC: only a part could be written'), { code: 'ENOSPC', syscall: 'write' });
}

/**
 * Adds text at the end of a file, all of it or nothing: whole lines, never mixed with those of others.
 *
 * @param durable  wait until the disk has it
 */
export function append(path: string, text: string, options: { durable: boolean; mode?: number }): void {
  const bytes = Buffer.from(text);
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
  for (let tries = 0; tries < 5; tries++) {
    mkdirSync(dirname(path), { recursive: true });
    const isThere = withFile(
      path,
      flags,
      (fd) => {
        // A second name of it may stand outside the board.
        const { nlink, mode } = fstatSync(fd);
        if (nlink > 1) return replaceBySelf(path, fd);
        if (options.mode !== undefined && (mode & 0o077) !== 0) fchmodSync(fd, options.mode); // made by 0.1
        const written = writeSync(fd, bytes);
        if (written < bytes.length) {
          takeBack(fd, bytes.subarray(0, written));
          throw noSpace();
        }
        if (options.durable) syncOrTakeBack(fd, bytes);
        // An editor that saved by rename meanwhile has put another file there, without these lines.
        return orAbsent(() => lstatSync(path))?.ino === fstatSync(fd).ino;
      },
      options.mode,
    );
    if (isThere) return;
  }
  throw Object.assign(new Error(`EBUSY: ${path} is being replaced all the time`), {
    code: 'EBUSY',
    syscall: 'write',
    path,
  });
}

function syncOrTakeBack(fd: number, written: Uint8Array): void {
  try {
    fsyncSync(fd);
  } catch (error) {
    takeBack(fd, written);
    throw error;
  }
}

/** Cuts off what was written last, unless somebody has added to it meanwhile. */
function takeBack(fd: number, written: Uint8Array): void {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(written.length);
  readSync(fd, last, 0, last.length, size - last.length);
  if (last.equals(written)) ftruncateSync(fd, size - last.length);
}

/** Puts a copy in the place of a file that has several names. @returns false: it is another file now */
function replaceBySelf(path: string, fd: number): false {
  replaceFile(path, readFileSync(fd), {
    scratch: scratchBeside(path),
    durable: false,
    mode: fstatSync(fd).mode & 0o777,
  });
  return false;
}

function scratchBeside(path: string): string {
  return `${path}.${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
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

/**
 * Replaces a file in one step; readers see the old text or the new one.
 *
 * @param options.scratch  a free name on the same file system
 * @throws CoordError `board-unsafe` where something else than an ordinary file stands in its place
 */
export function replaceFile(
  path: string,
  text: string | Uint8Array,
  options: { scratch: string; durable: boolean; mode?: number },
): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there && !there.isFile()) throw unsafe(path, there.isSymbolicLink() ? 'is a link' : 'is no ordinary file');
  const { scratch, durable, mode } = options;
  writeNew(scratch, [typeof text === 'string' ? Buffer.from(text) : text], durable, mode);
  try {
    renameSync(scratch, path);
  } catch (error) {
    // Answered with an error, and carried out all the same: then there is nothing left under the first name.
    if (lstatSync(scratch, { throwIfNoEntry: false })) {
      removeIfThere(scratch);
      throw error;
    }
    if (!lstatSync(path, { throwIfNoEntry: false })) throw error;
  }
  if (durable) syncFolder(dirname(path));
}

/** Creates a file unless there is one. @returns whether there was none */
export function createIfAbsent(path: string, text: string): boolean {
  try {
    const fd = openSync(path, 'wx');
    try {
      writeSync(fd, text);
      return true;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    return false;
  }
}

/** Sets a file's times, which wakes everybody who watches it; makes it where it is missing. */
export function touch(path: string): void {
  const now = new Date();
  const isThere = orAbsent(() => withFile(path, constants.O_RDWR, (fd) => (futimesSync(fd, now, now), true)));
  if (isThere === undefined) createIfAbsent(path, '');
}

/**
 * Copies a file to a new name within the kernel, which needs no memory and, where the file system can, no second copy. It
 * does not wait for the disk.
 *
 * @returns the size in bytes; undefined where there is no such file
 */
export function copyNew(path: string, copy: string): number | undefined {
  const flags = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;
  if (orAbsent(() => (copyFileSync(path, copy, flags), true)) === undefined) return undefined;
  return lstatSync(copy).size;
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

/**
 * Moves whatever stands under a name; the name it gets must be free.
 * @returns false where there was nothing
 */
export function moveIfThere(path: string, to: string): boolean {
  try {
    renameSync(path, to);
    return true;
  } catch (error) {
    if (lstatSync(to, { throwIfNoEntry: false })) return true; // carried out, and answered with an error
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
