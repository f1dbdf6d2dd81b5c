/** One call of a hook: what is known of the session it comes from, and the ways to its board. */
import type { Store } from '../../store/store.ts';
import type { Context, Reply } from '../io.ts';
import type { Listener, Occasion } from '../news.ts';
import type { OpenOptions } from '../../store/open.ts';
import type { Session, Sessions } from '../../store/sessions.ts';

/** What is known when a hook is called. */
export interface Call {
  context: Context;
  input: Record<string, unknown>;
  openOptions: OpenOptions;
  sessionId: string;
  sessions: Sessions;
  session: Session;
  /** The terminal around it, where the client says which. */
  terminal: string | undefined;
  /** What an earlier session of this terminal leaves to this one. */
  inherited: Session | undefined;
}

export const SILENT: Reply = { text: '', json: undefined };

export function listenerOf({ sessions, sessionId: id, session }: Call, store: Store): Listener {
  return { store, sessions, id, worker: session.worker };
}

/** What is new for this session, as text: messages, answers, and once that another one has its name. */
export async function tellHere(
  call: Call,
  store: Store,
  occasion: Occasion,
  most?: number,
): Promise<string | undefined> {
  const { tellNews } = await import('../news.ts');
  const news = await tellNews(listenerOf(call, store), occasion, most);
  // Where it cannot be written down it is not said: else it would be, again and again.
  if (call.session.warned !== false || !remember(call, { warned: true })) return news;
  return [namesakeText(call.session.worker), news].filter(Boolean).join('\n\n');
}

export function namesakeText(worker: string): string {
  return `Another live session works as ${worker} too. Tell the user: two of one name get the same task, so one of them needs another COORD_WORKER.`;
}

/** Remembers something of this session; a disk that refuses costs a repeated hint, and nothing else. @returns whether that was written */
export function remember(call: Call, change: Partial<Session> = {}): boolean {
  const { sessions, sessionId, session, terminal, inherited } = call;
  try {
    call.session = sessions.update(sessionId, {
      ...inherited,
      worker: session.worker,
      ...(terminal === undefined ? {} : { terminal }),
      ...change,
    });
    return true;
  } catch {
    return false;
  }
}

/** The board as it was seen last, where asking a server would hold up every edit; else as {@link onBoard}. */
export async function onSeenBoard<T>(call: Call, work: (store: Store) => Promise<T>): Promise<T> {
  const { openLocalCopy } = await import('../../store/open.ts');
  const seen = await openLocalCopy({ ...call.openOptions, dir: call.sessions.location });
  return seen ? work(seen) : onBoard(call, work);
}

export async function onBoard<T>(call: Call, work: (store: Store) => Promise<T>): Promise<T> {
  const { openStore } = await import('../../store/open.ts');
  const store = openStore({ ...call.openOptions, dir: call.sessions.location });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
