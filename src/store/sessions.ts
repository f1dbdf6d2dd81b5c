/** Which Claude Code session is which worker, found without opening the board. */
import { Sessions } from './file/sessions.ts';
import { type FindOptions, findTree } from './find.ts';

export type { Session, Sessions } from './file/sessions.ts';

/** @throws CoordError `not-initialised` */
export function openSessions(options: FindOptions): Sessions {
  return new Sessions(findTree(options));
}
