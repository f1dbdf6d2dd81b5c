/** The handlers of `coord worker`: words to input, one store verb, answer to words. */
import { CoordError } from '../../model/errors.ts';
import { AddDiscovery, Claim, Complete, Fail, Release, Renew } from '../../model/inputs.ts';
import { parseInput } from '../../model/parse-input.ts';
import { waitingText, type NotClaimed } from '../../model/views/idle.ts';
import { clip, quoted, visible, visibleDeep, plural } from '../../model/text.ts';
import type { Task } from '../../model/task.ts';
import { sessionTag } from '../../model/session-tag.ts';
import type { ClaimAnswer, Claimed } from '../../model/verbs/claim.ts';
import type { CompleteAnswer } from '../../model/verbs/complete.ts';
import type { Store } from '../../store/store.ts';
import {
  type Context,
  leaseSeconds,
  pathOfResult,
  type Reply,
  sessionAround,
  textOrStdin,
  withoutMoment,
  withStore,
} from '../io.ts';
import { formatTime } from '../durations.ts';
import { handIn } from '../hand-in.ts';
import { newsFor } from './news.ts';
import { EXIT } from './output.ts';
import { claimText, idleText } from '../claim-text.ts';

/** As withStore, and tells the worker what is new for it, whatever came of the command. */
export async function withWorker(
  context: Context,
  worker: string,
  work: (store: Store) => Promise<Reply>,
): Promise<Reply> {
  return withStore(context, async (store) => {
    const news = async (): Promise<string[]> => {
      const text = await newsFor(context, store, worker);
      return text === undefined ? [] : [text];
    };
    try {
      const reply = await work(store);
      return { ...reply, notes: [...(reply.notes ?? []), ...(await news())] };
    } catch (error) {
      for (const text of await news()) context.note(text);
      throw error;
    }
  });
}

export interface ClaimOptions {
  wait?: boolean;
  /** Milliseconds. */
  timeout?: number;
  stay?: boolean;
  lease?: string;
}

export async function claim(
  context: Context,
  worker: string,
  taskId: string | undefined,
  options: ClaimOptions,
): Promise<Reply> {
  const input = parseInput(Claim, {
    worker,
    task_id: taskId,
    lease_seconds: leaseSeconds(context, options.lease),
    session: sessionOf(context),
  });
  const isWaiting = options.wait === true || options.stay === true || options.timeout !== undefined;
  return withWorker(context, worker, async (store) => {
    const answer = withoutMoment<ClaimAnswer>(
      isWaiting ? await waitForTask(context, store, input, options) : await store.claim(input),
    );
    if (!answer.task) return notClaimed(answer, worker);
    const notes = await bindSession(context, store, worker, answer);
    // Only what was asked depends on it.
    const now = answer.task.questions ? await store.now() : '';
    if (answer.task.branch === undefined)
      return { text: claimText(visibleDeep(answer), worker, pathOfResult(context, store), now), json: answer, notes };
    const { prepare } = await import('./worktrees.ts');
    const worktree = await prepare(context, store, answer);
    return {
      text: claimText(visibleDeep(answer), worker, pathOfResult(context, store), now, worktree),
      json: { ...answer, worktree: worktree?.path, branch: worktree?.branch },
      notes: [...notes, ...(worktree?.notes ?? [])],
    };
  });
}

/** How the session around this command is named on the board. */
function sessionOf(context: Context): string | undefined {
  const around = sessionAround(context);
  return around && sessionTag(around.id);
}

/** @returns what the agent should know */
async function bindSession(context: Context, store: Store, worker: string, claimed: Claimed): Promise<string[]> {
  const around = sessionAround(context);
  if (!around) return [];
  const { bindClaim } = await import('../session-binding.ts'); // only who works in such a session pays for it
  return bindClaim(around, store, worker, claimed);
}

/** Sleeps until there is a task; a time-out says what it waited for. */
async function waitForTask(context: Context, store: Store, input: Claim, options: ClaimOptions): Promise<ClaimAnswer> {
  let idle: NotClaimed | undefined;
  try {
    const { nextTask } = await import('../../store/wait.ts'); // only who waits pays for it
    return await nextTask(store, input, {
      signal: context.io.signal,
      timeoutMs: options.timeout,
      stay: options.stay,
      onIdle: (reason) => {
        if (reason.reason === 'landing') void landFor(context, store, input.worker);
        // On a terminal somebody looks at it and wonders; an agent need not read it.
        if (!idle && context.io.stderr.isTTY)
          context.note(`Since ${formatTime(new Date().toISOString())}: ${waitingText(reason)}. Ctrl-C to end.`);
        idle = reason;
      },
    });
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'timed-out' || !idle) throw error;
    throw new CoordError('timed-out', `${error.message.replace(/\.$/, '')}; ${waitingText(idle)}.`, {
      hint: 'Run the same command again to go on waiting.',
      cause: error,
    });
  }
}

/** Nothing is left but to land: whoever waits does it, since who was to do so may have died. */
async function landFor(context: Context, store: Store, worker: string): Promise<void> {
  try {
    const { landMeanwhile } = await import('./worktrees.ts');
    await landMeanwhile(context, store, worker);
  } catch (error) {
    if (!context.io.signal.aborted)
      context.note(`Not landed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function notClaimed(idle: NotClaimed, worker: string): Reply {
  return { text: idleText(idle, worker), json: idle, exitCode: EXIT.nothing };
}

export async function complete(
  context: Context,
  worker: string,
  taskId: string,
  output: string | undefined,
  options: { modified?: string[]; created?: string[]; attempt?: number; file?: string; changes?: boolean },
): Promise<Reply> {
  if (options.file !== undefined && output !== undefined)
    throw new CoordError('usage', 'Either the result, or -F with a file that holds it.');
  const input = parseInput(Complete, {
    worker,
    task_id: taskId,
    output:
      options.file === undefined ? await textOrStdin(context, output ?? '') : await textOfFile(context, options.file),
    files_modified: options.modified,
    files_created: options.created,
    attempt: options.attempt,
    ...(options.changes === false ? { no_changes: true } : {}),
  });
  return withWorker(context, worker, async (store) => {
    const handed = withoutMoment<CompleteAnswer>(
      await handIn(store, input, async () => (await import('./surroundings.ts')).surroundings(context)),
    );
    const isToLand = handed.task.status === 'submitted' && handed.task.branch !== undefined;
    const landed = isToLand
      ? await (await import('./worktrees.ts')).landHandedIn(context, store, worker, handed.task)
      : undefined;
    const answer = {
      ...handed,
      task: landed?.tasks.get(taskId) ?? handed.task,
      now_claimable: [...handed.now_claimable, ...(landed?.now_claimable ?? [])],
    };
    const { status } = answer.task;
    const isBack = status === 'available' || status === 'failed';
    const shown = answer.now_claimable.slice(0, 5);
    if (answer.now_claimable.length > shown.length)
      shown.push(`and ${answer.now_claimable.length - shown.length} more`);
    return {
      text: `${taskId} ${answer.already ? `was already ${status}` : status}${answer.late === true ? ', late: nobody else had claimed it yet' : ''}${status === 'submitted' ? waitsFor(handed.task) : ''}${shown.length > 0 ? `, now claimable: ${shown.join(', ')}` : ''}${(landed?.lines ?? []).map((line) => `\n${line}`).join('')}`,
      json: answer,
      notes: [
        ...(input.output.trim() === '' ? ['The result is empty: whoever builds on it learns nothing from it.'] : []),
        `Next: coord worker claim ${worker}${isBack ? ` ${taskId}: a new worktree, with your commits` : ''}`,
      ],
      // It was handed in, and is not done: whoever goes on from it must know.
      exitCode: isBack ? EXIT.refused : EXIT.done,
    };
  });
}

/** What a submitted task waits for. */
function waitsFor({ branch, landing }: Task): string {
  if (branch === undefined) return ', for somebody else to look at';
  return landing === undefined ? ', to be reviewed, or to land when its turn comes: coord land' : ', and is landing';
}

/** @throws CoordError `invalid-input` where it cannot be read */
async function textOfFile({ io }: Context, file: string): Promise<string> {
  if (file === '-') return (await io.readStdin()).toString();
  const { readSource } = await import('../../formats/source.ts');
  return (await readSource(io.cwd, file, io.readStdin)).text;
}

export async function fail(
  context: Context,
  worker: string,
  taskId: string,
  error: string,
  options: { retry: boolean; attempt?: number },
): Promise<Reply> {
  const input = parseInput(Fail, {
    worker,
    task_id: taskId,
    error: await textOrStdin(context, error),
    retry: options.retry,
    attempt: options.attempt,
  });
  return withWorker(context, worker, async (store) => {
    const { task } = await store.fail(input);
    const left = task.max_attempts - task.attempt;
    return {
      text:
        task.status === 'failed'
          ? `${taskId} failed for good (attempt ${task.attempt} of ${task.max_attempts})`
          : `${taskId} given back, ${plural(left, 'attempt')} left`,
      json: { task },
      notes: [`Next: coord worker claim ${worker}`],
    };
  });
}

export async function release(
  context: Context,
  worker: string,
  taskId: string,
  reason: string | undefined,
  options: { attempt?: number },
): Promise<Reply> {
  const input = parseInput(Release, {
    worker,
    task_id: taskId,
    reason: reason === undefined ? undefined : await textOrStdin(context, reason),
    attempt: options.attempt,
  });
  return withWorker(context, worker, async (store) => {
    const { task } = await store.release(input);
    await letLie(context, worker, taskId);
    return { text: `${taskId} given back`, json: { task }, notes: [`Next: coord worker claim ${worker}`] };
  });
}

/** Whether another live session has claimed under this name: what it holds is not ours to keep. */
async function isForeign(context: Context, store: Store, worker: string): Promise<boolean> {
  const around = sessionAround(context);
  if (!around) return false;
  const { holdsElsewhere } = await import('../session-binding.ts');
  return holdsElsewhere(around, store, worker);
}

/** An idle terminal is not woken for what it has just given back. */
async function letLie(context: Context, worker: string, taskId: string): Promise<void> {
  const around = sessionAround(context);
  if (!around) return;
  const { rememberGivenBack } = await import('../session-binding.ts');
  rememberGivenBack(around, worker, taskId);
}

export async function heartbeat(context: Context, worker: string): Promise<Reply> {
  const input = parseInput(Renew, { worker });
  return withWorker(context, worker, async (store) => {
    const isShared = await isForeign(context, store, worker);
    const { tasks } = await store.renew(isShared ? { ...input, session: sessionOf(context) } : input);
    return {
      text:
        tasks.length === 0
          ? `${worker} holds no task`
          : tasks.map((task) => `${task.id} yours until ${formatTime(task.lease_expires_at ?? '')}`).join('\n'),
      json: { tasks },
      notes: tasks.length === 0 ? [`Next: coord worker claim ${worker}`] : [],
    };
  });
}

/** Tasks that `worker list` shows. */
const LISTED = 10;

export async function list(context: Context): Promise<Reply> {
  return withStore(context, async (store) => {
    const [{ claimableTasks }, { listText }] = await Promise.all([
      import('../../model/views/summary.ts'),
      import('./tables.ts'),
    ]);
    const tasks = claimableTasks(await store.read(), await store.now());
    const rows = tasks.slice(0, LISTED).map((task) => ({ task, shown: task.status }));
    return {
      text:
        rows.length === 0
          ? 'Nothing can be claimed now.'
          : listText(visibleDeep(rows), context.paint, context.io.stdout.isTTY ? context.io.stdout.columns : 100),
      json: { total: tasks.length, tasks: rows.map(({ task }) => task) },
      notes:
        tasks.length > rows.length ? [`${tasks.length - rows.length} more: coord leader list --status claimable`] : [],
    };
  });
}

export async function discover(
  context: Context,
  worker: string,
  text: string,
  options: { tag?: string[]; task?: string },
): Promise<Reply> {
  const input = parseInput(AddDiscovery, {
    worker,
    content: await textOrStdin(context, text),
    tags: options.tag,
    task_id: options.task,
  });
  return withWorker(context, worker, async (store) => {
    const { discovery } = await store.addDiscovery(input);
    return { text: `${discovery.id} shared`, json: { discovery } };
  });
}

export async function showContext(context: Context, worker: string): Promise<Reply> {
  const input = parseInput(Renew, { worker });
  return withWorker(context, worker, async (store) => {
    const [task] = (await store.renew(input)).tasks;
    if (task) {
      const { briefFor } = await import('../../store/brief-for.ts');
      const brief = await briefFor(store, task);
      return { text: visible(brief.trimEnd()), json: { task, brief } };
    }
    const plan = await store.readPlan();
    const found = (await store.discoveries())
      .slice(-20)
      .flatMap((discovery) => quoted(`${discovery.worker}: ${clip(discovery.content, 300)}`));
    const brief = [
      `${worker} holds no task.`,
      '',
      '## Plan',
      '',
      ...(plan.trim() === '' ? ['None.'] : quoted(plan, 10_000, 'master-plan.md')),
      '',
      '## Discoveries',
      '',
      ...(found.length > 0 ? found : ['None.']),
    ].join('\n');
    return { text: visible(brief), json: { task: null, brief }, notes: [`Next: coord worker claim ${worker}`] };
  });
}
