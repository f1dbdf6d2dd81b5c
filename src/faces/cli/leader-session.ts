/** The Claude Code session in which somebody leads. */
import { LEADER } from '../../model/limits.ts';
import { plural } from '../../model/text.ts';
import type { Store } from '../../store/store.ts';
import type { Board } from '../../model/board.ts';
import { type Context, sessionAround } from '../io.ts';

/** The session in which somebody first adds to a board leads. */
export async function leads(context: Context, store: Store): Promise<void> {
  const { env } = context.io;
  const around = sessionAround(context);
  if (!around || env['COORD_ORCHESTRATED'] || env['COORD_WORKER']) return;
  const { bindLeader } = await import('../session-binding.ts');
  await bindLeader(around, store);
}

/** An idle leader need not be woken for what it has just looked at. */
export async function seen(context: Context, board: Board, now: string): Promise<void> {
  const around = sessionAround(context);
  if (!around) return;
  const { rememberSeen } = await import('../session-binding.ts');
  rememberSeen(around, board, now);
}

/** Questions that this leader has looked at before, as `task-001?2`. */
export async function knownQuestions(context: Context): Promise<Set<string>> {
  const around = sessionAround(context);
  if (!around) return new Set();
  const { openSessions } = await import('../../store/sessions.ts');
  const told = openSessions(around.openOptions).get(around.id)?.told ?? [];
  return new Set(told.flatMap((key) => (key.startsWith('question ') ? [key.slice('question '.length)] : [])));
}

/** How many messages wait for whoever leads, as a note; where hooks show them, too. */
export async function inboxNote(store: Store): Promise<string[]> {
  if ((await store.newestMessage()) === 0) return [];
  const { messages } = await store.inbox({ reader: LEADER });
  return messages.length > 0 ? [`${plural(messages.length, 'message')} for the leader: coord inbox leader --ack`] : [];
}
