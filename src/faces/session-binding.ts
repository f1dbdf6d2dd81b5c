/** Binds sessions of Claude Code to who works in them, so that hooks know whose claims they look after, and who leads. */
import { type Board, LEADER } from '../model/board.ts';
import { heldBy } from '../model/lifecycle.ts';
import { sessionTag } from '../model/session-tag.ts';
import { happenedOn } from '../model/views/leader-news.ts';
import type { Claimed } from '../model/verbs/claim.ts';
import type { OpenOptions } from '../store/open.ts';
import { openSessions, terminalOf } from '../store/sessions.ts';
import type { Store } from '../store/store.ts';

/** What the client says of the session around this process. */
export interface SessionAround {
  openOptions: OpenOptions;
  id: string;
  /** The client's process id. */
  pid: string | undefined;
}

/**
 * A claim stays with the session that made it as long as that lives. What a worker has started in its own shell is nobody.
 *
 * @returns what the agent should know; said once
 */
export async function bindClaim(
  { openOptions, id, pid }: SessionAround,
  store: Store,
  worker: string,
  { task, already }: Pick<Claimed, 'task' | 'already'>,
): Promise<string[]> {
  const sessions = openSessions(openOptions);
  const terminal = terminalOf(pid);
  const theirs = task.claimed_session;
  const own = sessionTag(id);
  const isAnothers = already && theirs !== undefined && theirs !== own;
  if (isAnothers && sessions.isGone(theirs, terminal)) await store.claim({ worker, session: own, adopt: true });
  const known = sessions.get(id);
  if (!known && sessions.isNested(worker, terminal)) return [];
  const isElsewhere = isAnothers && sessions.isElsewhere(theirs, terminal);
  const isTold = isElsewhere && known?.warned !== true;
  if (isTold) sessions.warnNamesakes(id, worker, terminal);
  // Whoever works takes what comes: what it once let lie is news again.
  const warned = isTold ? { warned: true } : {};
  sessions.update(id, { worker, woken_for: [], ...warned, ...(terminal === undefined ? {} : { terminal }) });
  return isTold
    ? [`Another live session works as ${worker} and has claimed ${task.id}: take another name, or end one of the two.`]
    : [];
}

/** Whether another live session of this name has claimed something. */
export async function holdsElsewhere(
  { openOptions, id, pid }: SessionAround,
  store: Store,
  worker: string,
): Promise<boolean> {
  const sessions = openSessions(openOptions);
  const own = sessionTag(id);
  return heldBy((await store.read()).tasks, worker).some(
    ({ claimed_session: theirs }) =>
      theirs !== undefined && theirs !== own && sessions.isElsewhere(theirs, terminalOf(pid)),
  );
}

/** What a session gives back it is not woken for again. */
export function rememberGivenBack({ openOptions, id }: SessionAround, worker: string, taskId: string): void {
  const sessions = openSessions(openOptions);
  const known = sessions.get(id)?.woken_for ?? [];
  sessions.update(id, { worker, woken_for: [taskId, ...known].slice(0, MOST_KNOWN) });
}
const MOST_KNOWN = 100;

/** The first that adds to the board in a session leads in it, unless that is a worker's; what there is already is no news to it. */
export async function bindLeader({ openOptions, id, pid }: SessionAround, store: Store): Promise<void> {
  const sessions = openSessions(openOptions);
  if (sessions.get(id)) return;
  const terminal = terminalOf(pid);
  const told = keysOf(await store.read(), await store.now());
  sessions.update(id, { worker: LEADER, told, ...(terminal === undefined ? {} : { terminal }) });
}

/** Whoever leads has just seen how the board stands: it need not be woken for that. */
export function rememberSeen({ openOptions, id }: SessionAround, board: Board, now: string): void {
  const sessions = openSessions(openOptions);
  if (sessions.get(id)?.worker === LEADER) sessions.update(id, { worker: LEADER, told: keysOf(board, now) });
}

function keysOf(board: Board, now: string): string[] {
  return happenedOn(board, now).map(({ key }) => key);
}
