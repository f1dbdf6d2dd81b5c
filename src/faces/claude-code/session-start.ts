/** The hook at the start of a session: who you are, what you hold, what there is to do. */
import { remember, namesakeText, onBoard, tellHere, type Call } from './hook-call.ts';
import { heldBy, isExpired } from '../../model/lifecycle.ts';
import { sessionTag } from '../../model/session-tag.ts';
import type { Store } from '../../store/store.ts';
import type { Task } from '../../model/task.ts';
import type { Reply } from '../io.ts';
import { dirname } from 'node:path';
import { worktreeAbove } from '../../store/sessions.ts';
import { clip, labelled, plural, startOf } from '../../model/text.ts';
import { LEADER } from '../../model/limits.ts';
import type { Board } from '../../model/board.ts';
import { formatTime } from '../durations.ts';

/** Bytes of what every session is told at its start, news apart: with the tools, skills and instructions of coord it stays below 2,400. */
const LONGEST_START = 340;

/** Who you are, what you hold, what there is to do. Also after a resume and a compaction, so it says the same again. */
export async function sessionStart(call: Call): Promise<Reply> {
  const { worker } = call.session;
  const namesakes = call.sessions.namesakes(call.sessionId, worker, call.terminal);
  const isNews = namesakes.length > 0 && call.session.warned !== true;
  if (isNews) call.sessions.warnNamesakes(call.sessionId, worker, call.terminal);
  const file = call.context.io.env['CLAUDE_ENV_FILE'];
  if (file) call.sessions.export(file, `export COORD_WORKER=${worker}`);
  remember(call, isNews ? { warned: true } : {});
  call.sessions.tidy();
  return onBoard(call, async (store) => {
    const [board, now] = [await store.read(), await store.now()];
    const held = heldBy(board.tasks, worker);
    if (namesakes.length === 0) await adopt(call, store, held);
    await store.acknowledge({ reader: worker, up_to: 0 }); // from now on others may tell it something
    const start = worker === LEADER ? await leaderStart(board, now) : await workerStart(call, store, board, now);
    if (call.input['source'] !== 'compact') await rememberFound(call, board, now);
    const news = await tellHere(call, store, 'start');
    const parts = [
      startOf(
        start.join('\n'),
        LONGEST_START,
        worker === LEADER ? 'coord leader status' : `coord worker context ${worker}`,
      ),
      ...(isNews ? [namesakeText(worker)] : []),
      ...(news === undefined ? [] : ['', news]),
    ];
    return { text: parts.join('\n'), json: undefined };
  });
}

/** What is there when a session begins is shown to it, and is nothing to be woken for later. */
async function rememberFound(call: Call, board: Board, now: string): Promise<void> {
  if (call.session.worker === LEADER) {
    const { happenedOn } = await import('../../model/views/leader-news.ts');
    remember(call, { told: happenedOn(board, now).map(({ key }) => key) });
    return;
  }
  const { claimableTasks } = await import('../../model/views/summary.ts');
  remember(call, { woken_for: claimableTasks(board, now).map(({ id }) => id) });
}

/** What it holds or could claim, and how to go on; then what may be cut. */
async function workerStart({ session: { worker } }: Call, store: Store, board: Board, now: string): Promise<string[]> {
  const held = heldBy(board.tasks, worker);
  const goal = board.goal === undefined ? [] : [`Goal: ${clip(board.goal, 100)}`];
  const who = `You are ${worker}, one of several agents on this project's task queue (command coord, or MCP).`;
  if (held.length > 0) {
    const { questionText } = await import('../../model/views/questions.ts');
    const whole = `coord worker context ${worker}`;
    return [
      who,
      ...held
        .slice(0, 3)
        .map(
          (task) => `You hold ${task.id} until ${formatTime(task.lease_expires_at)}: ${clip(task.description, 100)}`,
        ),
      ...held.slice(0, 3).flatMap(({ branch }) => {
        const root = branch === undefined ? undefined : worktreeAbove([dirname(store.location)], branch);
        return root === undefined ? [] : [`Its worktree, where you work and commit: ${clip(root, 300)}`];
      }),
      `Go on with it. Everything about it: ${whole}`,
      ...held
        .slice(0, 1)
        .flatMap(({ context: { files, hints }, questions }) => [
          ...(files.length > 0 ? [`Files: ${clip(files.join(', '), 150)}`] : []),
          ...(hints === '' ? [] : [`Hints: ${clip(hints, 150)}`]),
          ...(questions ?? []).slice(-1).flatMap((asked) => questionText(asked, now, 100, whole)),
        ]),
      ...goal,
    ];
  }
  const { summarise } = await import('../../model/views/summary.ts');
  const { counts, claimable } = summarise(board, now);
  if (claimable.length === 0)
    return [who, ...goal, `Nothing can be claimed now: ${counts.done} of ${counts.total} tasks done.`];
  return [
    who,
    ...goal,
    `${plural(counts.claimable, 'task')} can be claimed, first:`,
    ...claimable.slice(0, 2).map((task) => `  ${task.task_id} ${clip(task.description, 60)}`),
    `Claim the next one when you are asked to work: coord worker claim ${worker}`,
  ];
}

async function leaderStart(board: Board, now: string): Promise<string[]> {
  const { summarise } = await import('../../model/views/summary.ts');
  const { counts, questions } = summarise(board, now);
  return [
    `You are ${LEADER}: you lead several agents on this project's task queue (command coord, or MCP).`,
    `${counts.done} of ${counts.total} tasks done, ${counts.claimed} claimed, ${counts.failed} failed. More: coord leader status`,
    ...questions
      .slice(0, 2)
      .flatMap(({ task_id, worker, question }) =>
        labelled(`${worker} asks about ${task_id}`, question, 100, 'coord leader status'),
      ),
    ...(board.goal === undefined ? [] : [`Goal: ${clip(board.goal, 100)}`]),
  ];
}

/** A claim whose session is gone for good belongs to who goes on under its name, in a terminal of its own. */
async function adopt(
  { sessions, sessionId, session, terminal }: Call,
  store: Store,
  held: readonly Task[],
): Promise<void> {
  const [task] = held;
  const own = sessionTag(sessionId);
  const { claimed_session: theirs } = task ?? {};
  if (!task || theirs === undefined || theirs === own || isExpired(task, await store.now())) return;
  if (sessions.isGone(theirs, terminal)) await store.claim({ worker: session.worker, session: own, adopt: true });
}
