/** What the page asks for when somebody looks at it: one task, the log, discoveries, messages. All of it made visible. */
import { type Board, expireLastAttempts, findTask, LEADER } from '../../model/board.ts';
import { checksOf, protectedOf } from '../../model/gate.ts';
import { isSettled } from '../../model/lifecycle.ts';
import type { Task } from '../../model/task.ts';
import { visible, visibleDeep } from '../../model/text.ts';
import { openCheckRecords } from '../../store/open.ts';
import { briefFor } from '../../store/brief-for.ts';
import type { Store } from '../../store/store.ts';
import { type GateSurroundings, openGate } from '../hand-in.ts';
import type { Live } from './live.ts';
import type { Verbs } from './verbs.ts';
import type { Discoveries, LeaderInbox, LogPart, TaskDocument } from './api.ts';

/** Characters of a diff that a page is given. */
const MOST_DIFF = 400_000;

/** @throws CoordError `task-not-found` */
export async function taskDocument(
  store: Store,
  { live, verbs, surroundings }: { live: Live; verbs: Verbs; surroundings: GateSurroundings },
  id: string,
): Promise<TaskDocument> {
  const { board } = expireLastAttempts(await store.read(), await store.now());
  const here = board.tasks.find((task) => task.id === id);
  const task = here ?? (await store.archived()).find((one) => one.id === id) ?? findTask(board, id);
  const [[result], late, log] = await Promise.all([store.results([id]), store.late(id), live.log()]);
  return visibleDeep({
    task,
    dependants: board.tasks.filter(({ dependencies }) => dependencies.includes(id)).map((other) => other.id),
    brief: here ? await briefFor(store, here) : '',
    result: result ?? null,
    late,
    unallowed: await unallowedOf(store, surroundings, board, task),
    guarded: protectedOf(board, task.evidence?.files ?? []),
    landing: task.status === 'submitted' ? (verbs.landingOf(id) ?? null) : null,
    log: log.filter(({ task_id }) => task_id === id),
  });
}

/** What was handed in, as a patch; empty where there is no git. @throws CoordError `task-not-found`, `git-failed` */
export async function diffOf(store: Store, surroundings: GateSurroundings, id: string): Promise<{ diff: string }> {
  const task = findTask(await store.read(), id);
  const diff = await (await openGate(store, surroundings)).diff(task);
  const cut = diff.length > MOST_DIFF ? `${diff.slice(0, MOST_DIFF)}\n… (the rest: git diff)` : diff;
  return { diff: visible(cut) };
}

export async function logAfter(live: Live, after: number): Promise<LogPart> {
  const log = await live.log();
  // A log that is shorter than what was told of it is another one: it is told from its beginning.
  return visibleDeep({ total: log.length, entries: log.slice(after <= log.length ? after : 0) });
}

export async function discoveries(store: Store): Promise<Discoveries> {
  return visibleDeep({ discoveries: await store.discoveries() });
}

export async function leaderInbox(store: Store): Promise<LeaderInbox> {
  const { messages, seen } = await store.inbox({ reader: LEADER });
  return visibleDeep({ messages, seen });
}

/** Its checks that nobody has allowed on this machine: here nobody could hand it in. */
async function unallowedOf(
  store: Store,
  { openOptions }: GateSurroundings,
  board: Board,
  task: Task,
): Promise<string[]> {
  const checks = isSettled(task) ? [] : checksOf(board, task);
  if (checks.length === 0) return [];
  const records = await openCheckRecords(store, openOptions, board.commit);
  return checks.filter((command) => !records.isAllowed(command));
}
