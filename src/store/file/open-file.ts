/**
 * Files of a board, opened and read. A board may have come from a stranger, so nothing here follows a link in the place of a
 * file, and nothing waits for what is no file at all (a pipe, a device). That the folders around are real is for guard.ts.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { isErrno, orAbsent, unsafe } from './errno.ts';

/** Windows has neither; there a look beforehand has to do. */
const NO_FOLLOW: number | undefined = constants.O_NOFOLLOW;
const NO_WAIT: number = constants.O_NONBLOCK ?? 0;

/** What is read of a file at most; a hundred times the largest that coord writes, and less than a string may hold. */
const MOST_BYTES = 2 ** 28;

/**
 * Opens an ordinary file.
 *
 * @throws CoordError `board-unsafe` for a link, and for a folder, pipe or device in its place
 */
export function openFile(path: string, flags: number, mode?: number): number {
  if (NO_FOLLOW === undefined && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw unsafe(path, 'is a link');
  let fd: number;
  try {
    fd = openSync(path, flags | (NO_FOLLOW ?? 0) | NO_WAIT, mode);
  } catch (error) {
    if (isErrno(error, 'ELOOP', 'EMLINK')) throw unsafe(path, 'is a link');
    if (isErrno(error, 'ENXIO', 'EISDIR', 'EOPNOTSUPP')) throw unsafe(path, 'is no ordinary file');
    throw error;
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw unsafe(path, 'is no ordinary file');
}

/** Opens, works, and closes whatever happens. */
export function withFile<T>(path: string, flags: number, work: (fd: number) => T, mode?: number): T {
  const fd = openFile(path, flags, mode);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

/** @throws CoordError `board-unsafe` where it is no ordinary file */
export function readIfThere(path: string): Buffer | undefined {
  return orAbsent(() =>
    withFile(path, constants.O_RDONLY, (fd) => {
      if (fstatSync(fd).size > MOST_BYTES) throw unsafe(path, `is larger than ${MOST_BYTES >> 20} MiB`);
      return readFileSync(fd);
    }),
  );
}

/** The first bytes of a file, at most so many. */
export function readStart(path: string, bytes: number): Buffer | undefined {
  return readPart(path, bytes, () => 0);
}

/** The last bytes of a file, at most so many. */
export function readEnd(path: string, bytes: number): Buffer | undefined {
  return readPart(path, bytes, (fd) => Math.max(fstatSync(fd).size - bytes, 0));
}

function readPart(path: string, bytes: number, startOf: (fd: number) => number): Buffer | undefined {
  return orAbsent(() =>
    withFile(path, constants.O_RDONLY, (fd) => {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(fd, buffer, 0, bytes, startOf(fd)));
    }),
  );
}
