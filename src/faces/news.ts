/**
 * What a session is told unasked, and when that counts as seen: **at least once, and never a nag**. Messages are shown where the
 * model will read them; a message counts as seen when a later event comes from the same session that only the model can have
 * caused, since by then a request with it has been answered. Until then the next session is shown it again.
 *
 * - `start`: everything unseen, also what an earlier process of this session was shown.
 * - `prompt`: what came since. It fires before any request, so nothing counts as seen by it.
 * - `batch`, after all tools of one request have run: what was shown before that request is seen. What the inbox has shown in this
 *   very batch is in no request yet: it counts with the next.
 * - `stop`, when the model has spoken: all that was shown is seen. `over` likewise, and shows nothing more.
 * - `command`, and calls over MCP, of whoever works without hooks: what an earlier one has shown is seen. Where hooks speak at the
 *   end of the batch, commands leave it to them: nobody may read their stderr.
 */
import { answerTo } from '../model/questions.ts';
import { type News, newsText, SHOWN_AT_ONCE } from '../model/views/news.ts';
import type { Session, Sessions } from '../store/sessions.ts';
import type { Store } from '../store/store.ts';

export type Occasion = 'start' | 'prompt' | 'batch' | 'stop' | 'over' | 'wake' | 'command';

/** Who is told, and what remembers it: a session of Claude Code, or a name where there is none. */
export interface Listener {
  store: Store;
  sessions: Sessions;
  /** Of the session; see listenerId in store/sessions.ts. */
  id: string;
  worker: string;
}

/** What is to be told now, which then counts as told; undefined where there is nothing. */
export async function takeNews(listener: Listener, occasion: Occasion): Promise<News | undefined> {
  const { store, sessions, id, worker } = listener;
  const newest = await store.newestMessage();
  if (isQuiet(memoryOf(listener), newest, occasion)) return undefined;
  const end = sessions.beginTelling(id);
  if (!end) return undefined; // another process of this session tells at this very moment
  try {
    const { shown = 0, fresh = 0, asks = [] } = memoryOf(listener);
    const inbox = await store.inbox({ reader: worker });
    const seen = Math.max(inbox.seen, seenBy(occasion, { shown, fresh }));
    if (seen > inbox.seen) await store.acknowledge({ reader: worker, up_to: seen });
    if (occasion === 'over') {
      sessions.update(id, { worker, shown: 0, fresh: 0 });
      return undefined;
    }
    const told = occasion === 'start' ? inbox.seen : Math.max(seen, shown, fresh);
    const fit = inbox.messages.filter((message) => message.id > told);
    const { answers, open } = await answersTo(store, asks);
    const messages = fit.slice(0, Math.max(0, SHOWN_AT_ONCE - answers.length));
    const last = Math.max(messages.at(-1)?.id ?? 0, occasion === 'start' ? 0 : shown, occasion === 'batch' ? fresh : 0);
    const left = (n: number): number => (n > seen ? n : 0);
    sessions.update(id, {
      worker,
      shown: left(last),
      fresh: occasion === 'batch' || occasion === 'start' ? 0 : left(fresh),
      asks: open,
      ...(fit.length === messages.length ? { looked: inbox.newest } : {}),
    });
    if (messages.length + answers.length === 0) return undefined;
    return { messages, answers, more: fit.length - messages.length };
  } finally {
    end();
  }
}

/** Whether nothing was written since the last look, and nothing is to be acknowledged; or others will tell it. */
function isQuiet(
  { shown = 0, fresh = 0, looked = 0, asks = [], hooked }: Session,
  newest: number,
  at: Occasion,
): boolean {
  return (at === 'command' && hooked === true) || (newest <= looked && shown + fresh + asks.length === 0);
}

/** Up to which message this event shows that the model has seen everything. */
function seenBy(occasion: Occasion, { shown, fresh }: { shown: number; fresh: number }): number {
  switch (occasion) {
    case 'batch':
      return shown;
    case 'stop':
    case 'over':
    case 'command':
      return Math.max(shown, fresh);
    case 'start':
    case 'prompt':
    case 'wake':
      return 0;
  }
}

/**
 * The same as text; undefined where there is nothing.
 *
 * @param most  bytes of it
 */
export async function tellNews(listener: Listener, occasion: Occasion, most?: number): Promise<string | undefined> {
  const news = await takeNews(listener, occasion);
  if (!news) return undefined;
  const { store, worker } = listener;
  return newsText(news, worker, await store.now(), `coord inbox ${worker}`, most);
}

/** Whether there would be something to tell an idle session, beyond message `after`. */
export async function hasNews(listener: Listener, after = 0): Promise<boolean> {
  const { store, worker } = listener;
  const { shown = 0, fresh = 0, looked = 0, asks = [] } = memoryOf(listener);
  const told = Math.max(shown, fresh, after);
  const isWritten = (await store.newestMessage()) > Math.max(told, looked);
  if (isWritten && (await store.inbox({ reader: worker })).messages.some((message) => message.id > told)) return true;
  return (await answersTo(store, asks)).answers.length > 0;
}

/** Remembers that a session asked something and did not wait: it is told the answer. */
export async function rememberAsking(memory: Omit<Listener, 'store'>, taskId: string, n: number): Promise<void> {
  await changeAsks(memory, (asks) => [...new Set([...asks, `${taskId}?${n}`])].slice(-MOST_ASKS));
}
const MOST_ASKS = 20;

/** Forgets it again: it has the answer. */
export async function forgetAsking(memory: Omit<Listener, 'store'>, taskId: string, n: number): Promise<void> {
  await changeAsks(memory, (asks) => asks.filter((ask) => ask !== `${taskId}?${n}`));
}

/** While no other process of the session tells, which writes what is left of them. */
async function changeAsks(
  { sessions, id, worker }: Omit<Listener, 'store'>,
  change: (asks: string[]) => string[],
): Promise<void> {
  const end = await sessions.untilNobodyTells(id);
  try {
    const asks = sessions.get(id)?.asks ?? [];
    const next = change(asks);
    if (next.length !== asks.length || next.length > 0) sessions.update(id, { worker, asks: next });
  } finally {
    end();
  }
}

/** What a session remembers of itself under this name; of another name's nothing. */
function memoryOf({ sessions, id, worker }: Listener): Session {
  const known = sessions.get(id);
  return known?.worker === worker ? known : { worker };
}

/** Those of these questions that are answered by now, some at a time; and those that still wait. What no longer stands is neither. */
async function answersTo(store: Store, asks: readonly string[]): Promise<{ answers: News['answers']; open: string[] }> {
  const answers: News['answers'][number][] = [];
  const open: string[] = [];
  if (asks.length === 0) return { answers, open };
  const [board, now] = [await store.read(), await store.now()];
  for (const ask of asks) {
    const [task_id = '', n = ''] = ask.split('?');
    const question = board.tasks.find((task) => task.id === task_id)?.questions?.[Number(n) - 1];
    const isAnswered = question !== undefined && answerTo(question, now) !== undefined;
    if (isAnswered && answers.length < SHOWN_AT_ONCE) answers.push({ task_id, question });
    else if (question) open.push(ask);
  }
  return { answers, open };
}
