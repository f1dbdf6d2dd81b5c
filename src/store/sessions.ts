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

/** A worker in no session of Claude Code, or under another name than the session's own, is remembered by its name. */
export function listenerId(sessionId: string | undefined, worker: string, ownName: string | undefined): string {
  return sessionId !== undefined && (ownName === undefined || ownName === worker) ? sessionId : `name-${worker}`;
}
