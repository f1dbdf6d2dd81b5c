/**
 * The hook that waits beside an idle terminal, and wakes it: with the next task already claimed, so that of many idle ones only one
 * is woken for it; with messages and answers; and a leader with everything that it has to see to, in one text.
 */
import { LEADER } from '../../model/limits.ts';
import { CoordError } from '../../model/errors.ts';
import { isHeldBy, isLive } from '../../model/lifecycle.ts';
import { nextDefault } from '../../model/questions.ts';
import { bytesOf } from '../../model/text.ts';
import { LONGEST_NEWS } from '../../model/views/news.ts';
import { sessionTag } from '../../model/session-tag.ts';
import type { Claimed } from '../../model/verbs/claim.ts';
import type { Store } from '../../store/store.ts';
import { hasNews } from '../news.ts';
import type { Context, Reply } from '../io.ts';
import { type Call, listenerOf, onBoard, remember, SILENT, tellHere } from './hook-call.ts';

/** Below the hook's own limit of an hour, after which Claude Code would end it. */
const LONGEST_WAKE_MS = 3_500_000;
/** Exit code by which a hook tells the session what stands on its stderr. */
const WAKE = 2;

/** What an idle terminal is woken with; undefined where it is woken no more. */
type Woken = { text: string } | undefined;
type Look = () => Promise<{ answer: Woken } | { wakeAt: string | null }>;

export async function wake(call: Call): Promise<Reply> {
  const { context, sessions, sessionId } = call;
  // A compaction is in the midst of a turn, at whose end comes a stop.
  if (!isAttended(context.io.env) || call.input['source'] === 'compact') return SILENT;
  const isWaiter = sessions.wait(sessionId);
  const isOver = (): boolean => !isWaiter() || !isSessionAlive(context.io.env);
  const { waitFor } = await import('../../store/wait.ts');
  return onBoard(call, async (store) => {
    const isStart = call.input['hook_event_name'] === 'SessionStart';
    const look =
      call.session.worker === LEADER ? leaderLook(call, store, isStart) : workerLook(call, store, isStart, isOver);
    const options = { signal: context.io.signal, timeoutMs: LONGEST_WAKE_MS };
    const woken = await waitFor<Woken>(store, async () => (isOver() ? { answer: undefined } : look()), options).catch(
      (error: unknown) => {
        if (error instanceof CoordError) return undefined; // the time is up, or the session ends
        throw error;
      },
    );
    if (!woken) return SILENT;
    context.io.stderr.write(`${woken.text}\n`);
    return { ...SILENT, exitCode: WAKE };
  });
}

/**
 * @param isStart  what is there when the session begins is shown to it then, and is nothing to be woken for
 * @param isOver  whether the session has gone, or is idle no more
 */
function workerLook(call: Call, store: Store, isStart: boolean, isOver: () => boolean): Look {
  const { sessionId, session } = call;
  const { worker } = session;
  const known = new Set(session.woken_for);
  let newest: number | undefined;
  let claimed: Claimed | undefined;
  return async () => {
    // Claimed before, and then the board was away for a moment.
    if (claimed) return { answer: await taskOf(call, store, claimed, isOver) };
    const isFirst = newest === undefined;
    newest ??= isStart ? await store.newestMessage() : 0;
    if (await hasNews(listenerOf(call, store), newest)) {
      const text = await tellHere(call, store, 'wake');
      return text === undefined ? { wakeAt: null } : { answer: { text } }; // another process of the session tells it
    }
    const { claimableTasks, idleReason } = await import('../../model/views/summary.ts');
    const [board, now] = [await store.read(), await store.now()];
    if (board.tasks.some((task) => isHeldBy(task, worker) && isLive(task, now))) return { wakeAt: null };
    const idle = idleReason(board, worker, now);
    const claimable = idle ? [] : claimableTasks(board, now);
    if (isFirst && isStart) for (const { id } of claimable) known.add(id);
    if (!claimable.some(({ id }) => !known.has(id))) return { wakeAt: idle?.next_expiry ?? null };
    const answer = await store.claim({ worker, session: sessionTag(sessionId) });
    // Somebody else was faster, and be it another session of this name.
    if (!answer.task || answer.already) return { wakeAt: answer.task ? null : answer.next_expiry };
    claimed = answer;
    return { answer: await taskOf(call, store, claimed, isOver) };
  };
}

/** The task as `coord worker claim` would show it; given back where nobody is there any more to be woken. */
async function taskOf(call: Call, store: Store, claimed: Claimed, isOver: () => boolean): Promise<Woken> {
  const { context, openOptions } = call;
  const { worker } = call.session;
  const { id: task_id, attempt, branch } = claimed.task;
  const [{ claimText }, { visibleDeep }, { pathOfResult }] = await Promise.all([
    import('../claim-text.ts'),
    import('../../model/text.ts'),
    import('../io.ts'),
  ]);
  const worktree = branch === undefined ? undefined : await prepared(call, store, claimed);
  if (worktree === 'failed') return undefined; // it is given back
  if (isOver()) {
    await store.release({ worker, task_id, attempt, reason: 'its session ended' });
    return undefined;
  }
  const place = { io: { ...context.io, cwd: openOptions.cwd ?? context.io.cwd } };
  const text = claimText(visibleDeep(claimed), worker, pathOfResult(place, store), await store.now(), worktree);
  return { text: ['A task has come, and is yours:', text, ...(worktree?.notes ?? [])].join('\n') };
}

async function prepared(call: Call, store: Store, claimed: Claimed) {
  const { openOptions, context } = call;
  const { prepareClaim } = await import('../../work/worktrees.ts');
  const cwd = openOptions.cwd ?? context.io.cwd;
  const { env, signal } = context.io;
  return prepareClaim(store, claimed, { openOptions, cwd, env, signal }).catch(() => 'failed' as const);
}

/** @param isStart  as of {@link workerLook} */
function leaderLook(call: Call, store: Store, isStart: boolean): Look {
  let newest: number | undefined;
  const told = new Set(call.session.told);
  return async () => {
    const { happenedOn, happenedText } = await import('../../model/views/leader-news.ts');
    const isFirst = newest === undefined;
    newest ??= isStart ? await store.newestMessage() : 0;
    const [board, now] = [await store.read(), await store.now()];
    const happened = happenedOn(board, now);
    if (isFirst && isStart) for (const { key } of happened) told.add(key);
    const fresh = happened.filter(({ key }) => !told.has(key));
    const isNews = await hasNews(listenerOf(call, store), newest);
    const first = fresh.length > 0 ? happenedText(fresh) : undefined;
    const room = LONGEST_NEWS - bytesOf(first ?? '');
    const news = isNews ? await tellHere(call, store, 'wake', room) : undefined;
    const parts = [first, news].filter((part) => part !== undefined);
    if (parts.length === 0) return { wakeAt: nextDefault(board.tasks, now) };
    remember(call, { told: happened.map(({ key }) => key) });
    return { answer: { text: parts.join('\n\n') } };
  };
}

/** Whether somebody sits before the session. Older releases tell only how it was started. */
function isAttended(env: Context['io']['env']): boolean {
  const attended = env['CLAUDE_CODE_SESSION_ATTENDED'];
  return attended === undefined ? env['CLAUDE_CODE_ENTRYPOINT'] === 'cli' : attended === '1';
}

/** A session that was killed tells nobody; its waiter notices within the tick of a wait. */
function isSessionAlive(env: Context['io']['env']): boolean {
  const pid = Number(env['CLAUDE_PID']);
  if (!Number.isInteger(pid) || pid < 2) return true; // not told: then the time limit ends it
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
