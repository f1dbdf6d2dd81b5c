/** A report where a person wants it: no file of the board, perhaps on another disk. */
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, sep } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { replaceFile } from './atomic.ts';
import { explainErrno, orAbsent } from './errno.ts';
import { scratchName } from './scratch.ts';
import { TREE_NAME } from './tree.ts';

/**
 * Replaces the file in one step, keeping its mode. A link is followed, what is no file is left alone.
 *
 * @throws CoordError `store-unavailable`
 */
export function exportFile(path: string, text: string, durable: boolean): void {
  try {
    const real = orAbsent(() => realpathSync(path)) ?? path;
    const inBoard = dirname(real).split(sep).includes(TREE_NAME);
    if (inBoard && basename(real) !== 'summary.md')
      throw new CoordError('invalid-input', `${path} lies in the board's own folder; nothing was written.`);
    const folder = dirname(real);
    if (!existsSync(folder))
      throw new CoordError('store-unavailable', `There is no folder ${folder}; nothing was written.`, {
        details: { why: 'no-file', path: folder },
      });
    const there = lstatSync(real, { throwIfNoEntry: false });
    if (there && !there.isFile()) {
      throw new CoordError('store-unavailable', `${path} is no ordinary file; nothing was written.`, {
        details: { why: 'no-file', path },
      });
    }
    const mode = there ? { mode: there.mode & 0o777 } : {};
    replaceFile(real, text, { scratch: scratchName(dirname(real)), durable, ...mode });
  } catch (error) {
    throw explainErrno(error);
  }
}
