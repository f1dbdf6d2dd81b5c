/** Which Claude Code session is which worker, found without opening the board. */
import { Sessions } from './file/sessions.ts';
import { type FindOptions, findTree } from './file/find.ts';

export { isWithin, worktreeAbove } from './file/worktree-above.ts';
export { terminalOf } from './file/sessions.ts';
export type { Session, Sessions } from './file/sessions.ts';

/** @throws CoordError `not-initialised`, `board-unsafe` */
export function openSessions(options: FindOptions): Sessions {
  const { notice: _, ...quietly } = options;
  return new Sessions(findTree(quietly), options.stateFolder);
}
