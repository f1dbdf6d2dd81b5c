/** The handlers of worktrees and landing: claims with a branch each, and one branch that stays green. */
import { relative } from 'node:path';
import { type Board, LEADER } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { isQueued, submittedState } from '../../model/landing.ts';
import type { Task } from '../../model/task.ts';
import { plural, visible } from '../../model/text.ts';
import { DEFAULT_BRANCH, isWorktrees, type Worktrees } from '../../model/worktrees.ts';
import { placeOfNewBoard } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { cleanWorktrees, listWorktrees } from '../../work/clean.ts';
import { type Landed, Lander, landingText, type LanderOptions, outcomeText } from '../../work/landing.ts';

export { cancelWithdrawing, sendBackWithdrawing } from '../../work/landing.ts';
import { publish as publishBranch } from '../../work/publish.ts';
import { beginBranch, findRepository } from '../../work/repository.ts';
import { openWorktrees, prepareClaim, type Prepared } from '../../work/worktrees.ts';
import { type Context, isAgent, type Reply, withStore } from '../io.ts';
import { EXIT } from './output.ts';
import { surroundings } from './surroundings.ts';

export interface WorktreeOptions {
  worktrees?: boolean;
  branch?: string;
  setup?: string;
  remote?: string;
}

/** As the board keeps them; undefined where none are asked for. The branch is made. @throws CoordError `git-failed` */
export async function beginWorktrees(
  context: Context,
  location: string,
  options: WorktreeOptions,
  before?: Worktrees,
): Promise<Worktrees | undefined> {
  const {
    worktrees,
    branch = before?.branch ?? DEFAULT_BRANCH,
    setup = before?.setup,
    remote = before?.remote,
  } = options;
  const isMeant = worktrees === true || before !== undefined;
  const given = [options.branch, options.setup, options.remote].some((option) => option !== undefined);
  if (!isMeant && given) throw new CoordError('usage', '--branch, --setup and --remote go with --worktrees.');
  if (!isMeant || (before !== undefined && !given)) return undefined;
  const wanted = { branch, ...(remote === undefined ? {} : { remote }), ...(setup === undefined ? {} : { setup }) };
  if (!isWorktrees(wanted))
    throw new CoordError(
      'invalid-input',
      `--branch ${visible(branch)}${remote === undefined ? '' : ` --remote ${visible(remote)}`}: git takes no such name.`,
    );
  const { cwd, env } = context.io;
  const begun = await beginBranch(await findRepository(location, cwd, env, remote), wanted);
  return before === undefined
    ? begun
    : { ...wanted, ...(before.series === undefined ? {} : { series: before.series }) };
}

/** Before there is a board. */
export function beginWorktreesOfNew(context: Context, options: WorktreeOptions): Promise<Worktrees | undefined> {
  const { cwd } = context.io;
  return beginWorktrees(context, placeOfNewBoard({ cwd, dir: context.openOptions.dir }), options);
}

/** Of a claim that was just made. */
export function prepare(
  context: Context,
  store: Store,
  claimed: Parameters<typeof prepareClaim>[1],
): Promise<Prepared | undefined> {
  return prepareClaim(store, claimed, surroundings(context));
}

export function landerOptions(context: Context, store: Store, by: string): LanderOptions {
  return { ...surroundings(context), store, by };
}

/** How long `done` waits for its turn to land, where others land or have the turn: longer than a turn, and a lease after a crash. */
const PATIENCE_MS = 30_000;

/** What became of tasks that were just handed in, or approved. */
export interface LandedHere {
  /** As they are now, those that have moved. */
  tasks: ReadonlyMap<string, Task>;
  /** What came of each landing, in words. */
  lines: string[];
  now_claimable: string[];
}

/**
 * Lands what is queued, where nobody else does, until this one is no more. Others' tasks before it too; those behind it are landed
 * by whoever handed them in, and waits for that as long as here.
 */
export async function landHandedIn(context: Context, store: Store, by: string, handed: Task): Promise<LandedHere> {
  const ends: Landed[] = [];
  const { id, attempt } = handed;
  const ownIn = ({ tasks }: Board): Task | undefined => tasks.find((task) => task.id === id);
  const isOver = (board: Board, now: string): boolean => {
    const own = ownIn(board);
    if (own?.status === 'submitted' && own.attempt === attempt) return false;
    // What was sent back is to be mended at once: others wait for it.
    return own?.status !== 'done' || !isAnyAbandoned(board, now);
  };
  const lander = new Lander(landerOptions(context, store, by));
  let trouble: string | undefined;
  try {
    for await (const end of lander.landAll({ patienceMs: PATIENCE_MS, isOver })) ends.push(end);
  } catch (error) {
    // It is handed in, whatever becomes of its landing.
    if (!(error instanceof CoordError)) throw error;
    trouble = `${id} is handed in, and not landed: ${visible(error.message)}`;
  }
  const own = ownIn(await store.read()) ?? handed;
  // Another may have landed it, or sent it back.
  const told = ends.some(({ task }) => task.id === id) ? undefined : outcomeText(own);
  return {
    tasks: new Map([...ends.map(({ task }) => task), own].map((task) => [task.id, task])),
    lines: [told, ...ends.map(landingText), trouble].filter((line) => line !== undefined),
    now_claimable: ends.flatMap((end) => (end.end === 'landed' ? end.now_claimable : [])),
  };
}

/** Whether something is queued for so long that whoever handed it in does not wait any more. */
function isAnyAbandoned(board: Board, now: string): boolean {
  const since = new Date(Date.parse(now) - PATIENCE_MS).toISOString();
  return board.tasks.some((task) => isQueued(board, task) && (task.completed_at ?? '') < since);
}

/** Lands for whoever only waits, as where the last lander died. */
export async function landMeanwhile(context: Context, store: Store, by: string): Promise<void> {
  for await (const end of new Lander(landerOptions(context, store, by)).landAll()) context.note(landingText(end));
}

export async function land(context: Context, options: { loop?: boolean; once?: boolean }): Promise<Reply> {
  if (options.loop === true && options.once === true) throw new CoordError('usage', 'Either --loop or --once.');
  return withStore(context, async (store) => {
    const board = await store.read();
    if (!board.defaults?.worktrees) await openWorktrees(store, board, context.io.cwd, context.io.env); // says so
    const lander = new Lander(landerOptions(context, store, context.io.env['COORD_WORKER'] || LEADER));
    const ends: Landed[] = [];
    if (options.once === true) {
      const end = await lander.landNext();
      if (end.end !== 'idle') ends.push(end);
    } else {
      for await (const end of options.loop === true ? lander.landOn() : lander.landAll()) {
        ends.push(end);
        // One line a landing, as they come; a document of them all at the end.
        if (!context.json) context.print({ text: landingText(end), json: end });
      }
    }
    const after = await store.read();
    const held = ends.filter(({ end }) => end === 'held');
    const queued = after.tasks.filter((task) => isQueued(after, task));
    const shown = options.once === true ? ends.map(landingText).join('\n') : '';
    return {
      text: ends.length > 0 ? shown : queued.length > 0 ? 'Nothing could land.' : 'Nothing waits to land.',
      json: { landed: ends, queued: queued.map(({ id }) => id) },
      notes:
        queued.length > 0
          ? [
              `${plural(queued.length, 'task')} still queued: ${queued
                .slice(0, 5)
                .map(({ id }) => id)
                .join(', ')}`,
            ]
          : [],
      exitCode: held.length > 0 ? EXIT.refused : ends.length > 0 ? EXIT.done : EXIT.nothing,
    };
  });
}

export async function publish(context: Context, branch: string | undefined): Promise<Reply> {
  if (isAgent(context.io) && context.io.env['COORD_ORCHESTRATED'])
    throw new CoordError('not-allowed', "A person's branch is for a person to move.");
  return withStore(context, async (store) => {
    const { cwd, env } = context.io;
    const worktrees = await openWorktrees(store, await store.read(), cwd, env);
    const done = await publishBranch(worktrees, cwd, branch);
    const what = `${visible(done.branch)} is at ${done.to.slice(0, 12)}`;
    return {
      text: done.commits === 0 ? `${what} already` : `${what}: ${plural(done.commits, 'commit')} further`,
      json: done,
    };
  });
}

export async function list(context: Context): Promise<Reply> {
  return withStore(context, async (store) => {
    const { cwd, env } = context.io;
    const board = await store.read();
    const worktrees = await openWorktrees(store, board, cwd, env);
    const entries = await listWorktrees(worktrees, board);
    const now = await store.now();
    return {
      text:
        entries.length === 0
          ? 'No claim has a worktree.'
          : entries
              .map(
                ({ branch, path, task, dirty, ahead }) =>
                  `${branch}  ${stateOf(board, branch, task, now)}${dirty > 0 ? `, ${plural(dirty, 'file')} not committed` : ''}${ahead > 0 ? `, ${plural(ahead, 'commit')} not landed` : ''}\n  ${visible(relative(cwd, path) || '.')}`,
              )
              .join('\n'),
      json: {
        branch: worktrees.settings.branch,
        worktrees: entries.map(({ task, ...entry }) => ({
          ...entry,
          task_id: task?.id ?? null,
          state: stateOf(board, entry.branch, task, now),
        })),
      },
    };
  });
}

/** What a branch is there for. */
function stateOf(board: Board, branch: string, task: Task | undefined, now: string): string {
  if (!task) return 'of no task';
  if (task.branch !== branch) return `an earlier attempt at ${task.id}`;
  if (task.status === 'claimed') return `${task.id} of ${task.claimed_by}`;
  return `${task.id} ${task.status === 'submitted' ? submittedState(board, task, now) : task.status}`;
}

export async function clean(context: Context, options: { dryRun?: boolean }): Promise<Reply> {
  return withStore(context, async (store) => {
    const { cwd, env } = context.io;
    const board = await store.read();
    const worktrees = await openWorktrees(store, board, cwd, env);
    const { removed, left } = await cleanWorktrees(worktrees, store, options.dryRun === true);
    const what = options.dryRun === true ? 'would remove' : 'removed';
    const lines = [
      ...removed.map(({ branch }) => `${what} ${visible(branch)}`),
      ...left.map(({ branch, why }) => `stays: ${visible(branch)}, ${why}`),
    ];
    const aside = removed.flatMap((one) => one.aside ?? []);
    return {
      text: lines.length === 0 ? 'There is nothing to clean.' : lines.join('\n'),
      json: {
        removed: removed.map(({ branch }) => branch),
        left,
        aside,
      },
      notes: aside.length > 0 ? [`Ignored files that only these had are kept in: ${aside.join(', ')}`] : [],
    };
  });
}
