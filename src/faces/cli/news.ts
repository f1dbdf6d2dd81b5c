/** What a worker is told beside the answer of its command, and what is remembered of that. */
import { listenerId, openSessions } from '../../store/sessions.ts';
import type { Store } from '../../store/store.ts';
import type { Context } from '../io.ts';
import type { Listener } from '../news.ts';

/** Who listens: the session around the command, or the name alone. */
export function listenerOf(context: Context, store: Store, worker: string): Listener {
  const sessions = openSessions({ ...context.openOptions, dir: store.location });
  const id = context.io.env['CLAUDE_CODE_SESSION_ID'] || undefined;
  const own = context.io.env['COORD_WORKER'] || (id === undefined ? undefined : sessions.get(id)?.worker);
  return { store, sessions, worker, id: listenerId(id, worker, own) };
}

/** Messages and answers that a worker has not seen yet, for its stderr. With `--json` nobody reads that. */
export async function newsFor(context: Context, store: Store, worker: string): Promise<string | undefined> {
  if (context.json) return undefined;
  try {
    const listener = listenerOf(context, store, worker);
    if (!context.io.env['COORD_STORE'] && listener.sessions.isQuiet(listener.id, worker)) return undefined;
    const { tellNews } = await import('../news.ts');
    return await tellNews(listener, 'command');
  } catch (error) {
    // What the command was to do is done, or says itself what is wrong.
    context.note(`Messages cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Whether whoever asks is this reader. */
export function isOwnInbox(context: Context, store: Store, reader: string): boolean {
  const { sessions, id } = listenerOf(context, store, reader);
  return context.io.env['COORD_WORKER'] === reader || (!id.startsWith('name-') && sessions.get(id)?.worker === reader);
}

/** A reader has looked into its own inbox. */
export function rememberShown(context: Context, store: Store, reader: string, upTo: number): void {
  const { sessions, id, worker } = listenerOf(context, store, reader);
  const { fresh = 0 } = sessions.get(id) ?? {};
  if (upTo > fresh) sessions.update(id, { worker, fresh: upTo });
}
