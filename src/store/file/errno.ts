/** What the operating system says, in words that a person can act on. */
import { basename, dirname } from 'node:path';
import { CoordError } from '../../model/errors.ts';

/** Whether the error is the operating system's, with one of these codes. */
export function isErrno(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** Whether it says that there is no room; what coord left behind itself may then be in the way. */
export function isFull(error: unknown): boolean {
  return isErrno(error, 'ENOSPC', 'EDQUOT');
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

/**
 * Whether link(2) works in this folder: exFAT and some network and container mounts have none.
 * @see https://man7.org/linux/man-pages/man2/link.2.html (EPERM, EOPNOTSUPP)
 */
export function isLinkUnsupported(error: unknown): boolean {
  return isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK');
}

/** Something on a board that is not what coord makes: it is neither followed nor read nor written. */
export function unsafe(path: string, what: string): CoordError {
  return new CoordError('board-unsafe', `${path} ${what}: nothing on this board was touched.`, {
    details: { why: 'strange', path },
  });
}

/** An error of the operating system as a message, never as a bug of coord; any other error as it is. */
export function explainErrno(error: unknown): unknown {
  if (error instanceof RangeError && /call stack/i.test(error.message))
    return new CoordError('invalid-input', 'Something that was read is nested too deeply.', { cause: error });
  if (isErrno(error, 'ERR_FS_FILE_TOO_LARGE', 'ERR_STRING_TOO_LONG', 'ERR_BUFFER_TOO_LARGE'))
    return new CoordError('store-unavailable', 'A file of the board is too large to be read.', { cause: error });
  if (!(error instanceof Error) || error instanceof CoordError || !('code' in error) || !('syscall' in error))
    return error;
  const { code, path, dest, message } = error as NodeJS.ErrnoException & { dest?: string };
  const where = path ?? 'the board';
  const unavailable = (what: string, why: string, at?: string): CoordError =>
    new CoordError('store-unavailable', what, {
      details: { why, ...(at === undefined ? {} : { path: at }) },
      cause: error,
    });
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return unavailable(`The disk is full: ${where} could not be written.`, 'full');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return unavailable(`No permission to use ${where} (${code}).`, 'permission', dirname(where));
    case 'ENOENT':
      return unavailable(`${dest ?? where} is not there, or not any more.`, 'gone');
    case 'EIO':
    case 'ESTALE':
    case 'ETIMEDOUT':
    case 'EHOSTDOWN':
      return unavailable(`The file system of ${where} does not answer as it should (${code}).`, 'unreliable');
    default:
      return unavailable(`${basename(where)}: ${message}.`, 'other');
  }
}
