/** One call of a hook: what is known of the session it comes from, and the ways to its board. */
import type { Store } from '../../store/store.ts';
import type { Context } from '../io.ts';
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

/** Remembers something of this session; a disk that refuses costs a repeated hint, and nothing else. */
export function remember(call: Call, change: Partial<Session> = {}): void {
  const { sessions, sessionId, session, terminal, inherited } = call;
  try {
    call.session = sessions.update(sessionId, {
      ...inherited,
      worker: session.worker,
      ...(terminal === undefined ? {} : { terminal }),
      ...change,
    });
  } catch {
    // Said above.
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
