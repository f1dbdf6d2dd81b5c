/**
 * Landing: what was handed in on a branch is merged with what has landed before, checked as merged, and then the board's branch
 * moves. One lands at a time, by a lease on the board; a crash at any step leaves what the next lander goes on from.
 *
 * | step | after a crash |
 * |---|---|
 * | 1 board: the lease, with a token | it runs out; the next asks first whether the branch holds the task already |
 * | 2 merged in a scratch checkout | nothing happened |
 * | 3 committed, and the fence raised | the next lets it fall by its value |
 * | 4 checked in the scratch checkout | that is cleaned |
 * | 5 the fence falls and the branch moves, in one transaction | moved: as 1 |
 * | 6 board: done | repeated |
 * | 7 worktree and branch removed | by the next landing, or `coord worktree clean` |
 *
 * The lease may run out while a lander sleeps. It then lands nothing: once its fence is up it asks the board whether it is still
 * its turn, and whoever takes the task from it lets that fence fall first.
 */
import { randomUUID } from 'node:crypto';
import { type Board, findTask } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import { checksOf, unproven } from '../model/gate.ts';
import { isLandingLive, LANDING_SECONDS, nextToLand } from '../model/landing.ts';
import type { SubmittedTask, Task } from '../model/task.ts';
import { plural, quoted, visible } from '../model/text.ts';
import type { CancelTasks } from '../model/verbs/cancel-tasks.ts';
import { provenRuns, type Run } from '../model/verbs/proof.ts';
import type { SendBackTask } from '../model/verbs/review-task.ts';
import { monotonicMs } from '../store/clock.ts';
import { type CheckRecords, openCheckRecords } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { waitFor } from '../store/wait.ts';
import { changedBy, fetchHead, headOfBranch, namedInTask } from './branch.ts';
import { type Checked, checkedReason, Gate, type GateOptions } from './gate.ts';
import { gitOrThrow } from './git.ts';
import { sweepLanded } from './clean.ts';
import { commitMerge, merge, mergeOf, othersOn } from './merge.ts';
import { isAncestor, refuseCheckedOut } from './repository.ts';
import { type SharedRefs, sharedRefs } from './refs.ts';
import { checkOut, equipScratch, releaseScratch, scratchAt } from './scratch-tree.ts';
import { branchFrom, type ClaimWorktrees, namedFiles, openWorktrees } from './worktrees.ts';

export interface LanderOptions extends GateOptions {
  /** Who lands: a worker's name, or `leader`. */
  by: string;
  /** Called after each of the seven steps, where tests end the process. */
  at?: ((step: number) => void) | undefined;
}

/** What came of one landing. */
export type LandingEnd =
  | { end: 'landed'; task: Task; commit: string; now_claimable: string[] }
  /** @param tail  what the check said last, where one was red */
  | { end: 'sent-back'; task: Task; reason: string; tail: string }
  /** It cannot land here as it is, and stays queued. */
  | { end: 'held'; task: Task; reason: string }
  /** Nothing can land now; when to ask again at the latest, ISO 8601 UTC. */
  | { end: 'idle'; wakeAt: string | null };

export type Landed = Exclude<LandingEnd, { end: 'idle' }>;

/** When to stop landing. */
export interface Until {
  /** How long to wait in all for others who land, and for turns that others have. */
  patienceMs?: number;
  /** Asked after each landing, and while it waits. @param now  ISO 8601 UTC */
  isOver?: ((board: Board, now: string) => boolean) | undefined;
}

interface Waiting extends Pick<Until, 'isOver'> {
  timeoutMs: number;
  staysOn?: boolean;
}

/** The turn that this lander has. */
interface Turn {
  board: Board;
  task: SubmittedTask;
  branch: string;
  head: string;
  token: string;
  worktrees: ClaimWorktrees;
  refs: SharedRefs;
  records: CheckRecords;
  /** Its checkout, once it has one. */
  scratch?: string | undefined;
  /** The branch was asked to move, and has not been seen to stand still since. */
  isMoving?: boolean;
  /** Its fence, while it stands. */
  fence?: string | undefined;
}

/** What is to be checked, and where. */
interface MergedTree {
  scratch: string;
  commit: string;
  tree: string;
}

/** The branch may move under a merge as often as others land in other clones. */
const MOST_TRIES = 50;
/** What could not land may have been in the way for a moment, as a lock of git's. */
const HELD_MS = 60_000;
/** Characters shown of what a red check said. */
const SHOWN_TAIL = 700;

export class Lander {
  readonly #options: LanderOptions;
  readonly #gate: Gate;
  /** Tasks that could not land here: asked again once they are others, or after a while. */
  readonly #held = new Map<string, { head: string; until: number }>();

  constructor(options: LanderOptions) {
    this.#options = options;
    this.#gate = new Gate(options);
  }

  /** Lands what is queued, until nothing is, or nothing can. */
  async *landAll({ patienceMs = Infinity, isOver }: Until = {}): AsyncGenerator<Landed> {
    const start = monotonicMs();
    do {
      const end = await this.landNext();
      if (end.end !== 'idle') yield end;
      else if (end.wakeAt === null) return;
    } while (await this.#untilFree({ timeoutMs: start + patienceMs - monotonicMs(), isOver }));
  }

  /** Lands whatever is queued from now on. Ends by its signal alone. */
  async *landOn(): AsyncGenerator<Landed> {
    for (;;) {
      yield* this.landAll();
      await this.#untilFree({ timeoutMs: Infinity, staysOn: true });
    }
  }

  /** @returns whether something can land now; false where nothing is queued, or it is over */
  async #untilFree({ timeoutMs, isOver, staysOn = false }: Waiting): Promise<boolean> {
    const { store, signal } = this.#options;
    const look = async (): Promise<{ answer: boolean } | { wakeAt: string | null }> => {
      const board = await store.read();
      const now = await store.now();
      if (isOver?.(board, now) === true) return { answer: false };
      const { task, wakeAt } = nextToLand(board, now, this.#heldIn(board, undefined));
      if (task) return { answer: true };
      return wakeAt === null && !staysOn ? { answer: false } : { wakeAt };
    };
    try {
      return await waitFor(store, look, { signal, ...(timeoutMs === Infinity ? {} : { timeoutMs }) });
    } catch (error) {
      if (error instanceof CoordError && error.code === 'timed-out') return false;
      throw error;
    }
  }

  /** Lands what is next. @param id  this task and no other */
  async landNext(id?: string): Promise<LandingEnd> {
    const { store, signal } = this.#options;
    for (;;) {
      if (signal.aborted) throw new CoordError('interrupted', 'Interrupted before it landed.');
      const board = await store.read();
      const { task, wakeAt } = nextToLand(board, await store.now(), this.#heldIn(board, id));
      if (!task) return { end: 'idle', wakeAt };
      const end = await this.#begin(board, task);
      if (end) return end;
    }
  }

  /** @returns undefined where another was faster, and the next is to be asked for */
  async #begin(board: Board, task: SubmittedTask): Promise<LandingEnd | undefined> {
    const { store, cwd, env, by, openOptions, allowed } = this.#options;
    const branch = branchFrom(task);
    const worktrees = await openWorktrees(store, board, cwd, env);
    const seen = await seenOf(worktrees, board, task).catch((error: unknown) => {
      if (error instanceof CoordError && error.code === 'git-failed') return error.message; // others may land all the same
      throw error;
    });
    if (typeof seen === 'string') return this.#hold(task, seen);
    const { head, files } = seen;
    const token = randomUUID();
    const records = await openCheckRecords(store, openOptions, board.commit, allowed);
    try {
      const input = { by, task_id: task.id, token, head, ...(files === undefined ? {} : { files }) };
      const begun = await store.beginLanding(input);
      if (!begun.lands) return undefined;
      this.#at(1);
    } catch (error) {
      if (error instanceof CoordError && error.code === 'task-state') return undefined;
      throw error;
    }
    // A turn that is another's by then is found out at the next step.
    const renew = (): void => void store.renewLanding({ task_id: task.id, token }).catch(() => {});
    const renewing = setInterval(renew, (LANDING_SECONDS * 1000) / 3);
    const refs = sharedRefs(worktrees.repository, worktrees.settings);
    const turn: Turn = { board, task, branch, head, token, worktrees, refs, records };
    try {
      return await this.#land(turn);
    } catch (error) {
      if (isLost(error)) return undefined;
      // The branch may have moved: then its lease runs out, and who takes it back asks the branch first. The first error says more.
      if (turn.isMoving !== true) await this.#giveUp(turn).catch(() => {});
      if (error instanceof CoordError && error.code === 'git-failed') return this.#hold(task, error.message);
      throw error;
    } finally {
      clearInterval(renewing);
      if (turn.scratch !== undefined) releaseScratch(turn.scratch);
    }
  }

  async #land(turn: Turn): Promise<LandingEnd> {
    const { store } = this.#options;
    const { task, branch, head, token, worktrees, refs } = turn;
    const { repository, settings } = worktrees;
    let before = '';
    for (let tries = 1; tries <= MOST_TRIES; tries++) {
      const { tip, fence } = await refs.look(branch);
      if (fence !== undefined) {
        await refs.drop(branch, fence); // of one that is dead, or sleeps
        continue; // it may have moved the branch just before
      }
      if (await isAncestor(repository, head, tip)) return this.#already(turn, tip);
      turn.isMoving = false;
      await refuseCheckedOut(repository, settings.branch);
      const scratch = await this.#scratchAt(turn, tip);
      const merged = await merge(scratch, tip, head, repository.env);
      this.#at(2);
      if (merged.tree === undefined) return this.#conflict(turn, tip, merged);
      const { tree } = merged;
      const commit = await commitMerge(repository, { tree, onto: tip, head, task, token });
      const raised = await refs.raise(branch, commit);
      if (!raised.ok) {
        refuseStandstill(raised, tip, before);
        before = tip;
        continue;
      }
      turn.fence = commit;
      await this.#stillMine(turn);
      this.#at(3);
      const checked = await this.#check(turn, { scratch, commit, tree });
      if ('end' in checked) return checked;
      this.#at(4);
      // Checks take their time, and somebody may have looked at the branch meanwhile.
      if (checked.runs.length > 0) await refuseCheckedOut(repository, settings.branch);
      turn.isMoving = true;
      const moved = await refs.move(branch, { from: tip, to: commit });
      if (moved.ok) {
        this.#at(5);
        return this.#done(turn, commit, { runs: checked.runs, tree });
      }
      await refs.drop(branch, commit);
      turn.fence = undefined;
      await store.renewLanding({ task_id: task.id, token }); // taken back meanwhile, or just overtaken
      refuseStandstill(moved, tip, before);
      before = tip;
    }
    throw new CoordError(
      'git-failed',
      `${settings.branch} moved ${plural(MOST_TRIES, 'time')} while ${task.id} was to land.`,
    );
  }

  /**
   * The branch holds it: a lander has died after it had moved the branch, with checks that ended well. What came there in another way,
   * as where it holds no commit of its own, is checked as it stands.
   */
  async #already(turn: Turn, tip: string): Promise<LandingEnd> {
    const { head, worktrees } = turn;
    const merged = await mergeOf(worktrees.repository, head, tip);
    if (merged !== undefined) return this.#done(turn, merged, undefined);
    const { env } = worktrees.repository;
    const scratch = await this.#scratchAt(turn, tip);
    const tree = (await gitOrThrow(scratch, ['rev-parse', `${tip}^{tree}`], env)).trim();
    const checked = await this.#check(turn, { scratch, commit: tip, tree });
    return 'end' in checked ? checked : this.#done(turn, tip, { runs: checked.runs, tree });
  }

  /** Asked once the fence is up: whoever takes the task back from now on must let it fall. */
  async #stillMine(turn: Turn): Promise<void> {
    try {
      await this.#options.store.renewLanding({ task_id: turn.task.id, token: turn.token });
      // By the checks that hold now.
      turn.board = await this.#options.store.read();
      const now = findTask(turn.board, turn.task.id);
      if (now.status === 'submitted') turn.task = now;
    } catch (error) {
      await this.#letFall(turn);
      throw error;
    }
  }

  async #scratchAt(turn: Turn, tip: string): Promise<string> {
    turn.scratch = await scratchAt(turn.worktrees, tip);
    return turn.scratch;
  }

  /** Its own fence, and no other's. */
  async #letFall(turn: Turn): Promise<void> {
    if (turn.fence !== undefined) await turn.refs.drop(turn.branch, turn.fence);
    turn.fence = undefined;
  }

  /** @returns the runs of the checks; or what became of the task where one did not end well */
  async #check(turn: Turn, merged: MergedTree): Promise<{ runs: Run[] } | LandingEnd> {
    const { board, task, worktrees } = turn;
    if (checksOf(board, task).length === 0) return { runs: [] };
    const known = provenRuns(task);
    // Its worker had the very same tree before itself, since nothing has landed meanwhile.
    if (task.evidence?.tree === merged.tree && unproven(board, task, known).length === 0)
      return { runs: known.map((run) => ({ ...run, tail: '' })) };
    let ran = await this.#checkIn(turn, merged, false);
    // What it needs may have changed since the checkout was set up.
    if (!('reason' in ran) && ran.bad?.verdict === 'red' && worktrees.settings.setup !== undefined)
      ran = await this.#checkIn(turn, merged, true);
    if (!('reason' in ran) && !ran.bad) return { runs: ran.runs };
    await this.#letFall(turn);
    if (!('reason' in ran) && ran.bad?.verdict === 'red' && ran.bad.run) {
      const { branch } = worktrees.settings;
      const text = `merged with ${branch} it is red: ${checkedReason(ran.bad)}. In its worktree: git merge ${this.#mergeable(turn)}, mend it, commit, and hand it in again.`;
      return this.#sendBack(turn, { reason: text, run: ran.bad.run, tree: merged.tree });
    }
    await this.#giveUp(turn);
    return this.#hold(task, 'reason' in ran ? ran.reason : ran.bad ? checkedReason(ran.bad) : '');
  }

  /** One round of checks in the scratch checkout, made ready once, or once more. */
  async #checkIn(
    { board, task, worktrees, records }: Turn,
    { scratch, commit }: MergedTree,
    again: boolean,
  ): Promise<{ runs: Run[]; bad: Checked | undefined } | { reason: string }> {
    await checkOut(scratch, commit, worktrees.repository.env);
    const around = { signal: this.#options.signal };
    const [trouble] = await equipScratch(worktrees, scratch, board, records, around, again);
    if (trouble !== undefined) return { reason: trouble };
    const { checked } = await this.#gate.checkTree(worktrees.projectIn(scratch), board, task);
    return {
      runs: checked.flatMap(({ run }) => run ?? []),
      bad: checked.find(({ verdict }) => verdict !== 'green'),
    };
  }

  async #conflict(
    turn: Turn,
    tip: string,
    { why, files }: { why: 'conflict' | 'case'; files: string[] },
  ): Promise<LandingEnd> {
    const { task, head, branch, worktrees } = turn;
    const { settings, repository } = worktrees;
    const others = await othersOn(repository, tip, head, files);
    const theirs = others.length === 0 ? settings.branch : `${settings.branch}, by ${others.join(', ')}`;
    const what =
      why === 'conflict'
        ? `${branch} conflicts with ${theirs}, in ${namedFiles(files)}`
        : `with ${theirs} there would be paths that differ by case alone: ${namedFiles(files)}`;
    const reason = `${what}. In its worktree: git merge ${this.#mergeable(turn)}, resolve it so that both changes stand, commit, and hand it in again.`;
    // From the root of the project, as tasks name them.
    const { within } = repository;
    const own = files.map((file) =>
      within !== '' && file.startsWith(`${within}/`) ? file.slice(within.length + 1) : file,
    );
    const touched = namedInTask(turn.board, [...new Set([...own, ...(task.evidence?.files ?? [])])]);
    return this.#sendBack(turn, { reason, files: touched });
  }

  /** The board's branch as a worker merges it. */
  #mergeable({ worktrees: { settings } }: Turn): string {
    return settings.remote === undefined ? settings.branch : `${settings.remote}/${settings.branch}`;
  }

  async #sendBack(
    { task, token }: Turn,
    back: { reason: string; files?: string[]; run?: Run; tree?: string },
  ): Promise<LandingEnd> {
    const sent = await this.#options.store.bounce({ task_id: task.id, token, ...back });
    return { end: 'sent-back', task: sent.task, reason: back.reason, tail: back.run?.tail ?? '' };
  }

  async #done(turn: Turn, commit: string, proof: { runs: Run[]; tree: string } | undefined): Promise<LandingEnd> {
    const { task, token, worktrees, branch, head } = turn;
    const input = { task_id: task.id, token, commit, branch: worktrees.settings.branch };
    const done = await this.#landOnBoard(input, proof);
    this.#at(6);
    // What is left behind is found by the next, and by `coord worktree clean`.
    await worktrees.remove({ path: worktrees.rootOf(branch), branch, head }).catch(() => {});
    await turn.refs.forget(branch, head).catch(() => {});
    await sweepLanded(worktrees, await this.#options.store.read()).catch(() => {});
    this.#at(7);
    return { end: 'landed', task: done.task, commit, now_claimable: done.now_claimable };
  }

  /** The branch has moved: whatever was changed on the board meanwhile, such as its checks, cannot undo that. */
  async #landOnBoard(
    input: { task_id: string; token: string; commit: string; branch: string },
    proof: { runs: Run[]; tree: string } | undefined,
  ) {
    const { store } = this.#options;
    try {
      return await store.land({ ...input, ...(proof ? { proof } : {}) });
    } catch (error) {
      if (!proof || !(error instanceof CoordError) || error.code !== 'unchecked') throw error;
      return store.land(input);
    }
  }

  /** The turn is free for others at once. */
  async #giveUp(turn: Turn): Promise<void> {
    await this.#letFall(turn);
    await this.#options.store.renewLanding({ task_id: turn.task.id, token: turn.token, ends: true });
  }

  #hold(task: Task, reason: string): LandingEnd {
    this.#held.set(task.id, { head: task.head ?? '', until: monotonicMs() + HELD_MS });
    return { end: 'held', task, reason };
  }

  #heldIn({ tasks }: Board, only: string | undefined): ReadonlySet<string> {
    const isHeld = ({ id, head = '' }: Task): boolean => {
      const held = this.#held.get(id);
      return (only !== undefined && only !== id) || (held?.head === head && held.until > monotonicMs());
    };
    return new Set(tasks.filter(isHeld).map(({ id }) => id));
  }

  #at(step: number): void {
    this.#options.at?.(step);
  }
}

/**
 * Makes void what somebody has begun to land, and maybe sleeps over: then the task may be taken back.
 *
 * @returns the token of the landing, for the verb that takes it back
 * @throws CoordError `task-state` where it has landed already
 */
async function withdrawLanding(options: LanderOptions, id: string): Promise<string> {
  const { store, cwd, env } = options;
  const board = await store.read();
  const task = findTask(board, id);
  const { landing, head, branch } = task;
  if (landing === undefined || branch === undefined || isLandingLive(task, await store.now()))
    throw new CoordError('task-state', `${id} is not what it was a moment ago.`, { details: { task_id: id } });
  const worktrees = await openWorktrees(store, board, cwd, env);
  const refs = sharedRefs(worktrees.repository, worktrees.settings);
  if (head !== undefined) await fetchHead(worktrees, branch, head);
  const { fence } = await refs.look(branch);
  if (fence !== undefined) await refs.drop(branch, fence);
  // Only now is it certain that nothing moves any more.
  const { tip, fence: still } = await refs.look(branch);
  if (still !== undefined)
    throw new CoordError(
      'git-failed',
      `What ${landing.by} has begun to land cannot be made void: the fence of ${branch} stays.`,
      {
        hint: 'Repeat the command; coord doctor names locks that git has left.',
      },
    );
  if (head === undefined || !(await isAncestor(worktrees.repository, head, tip))) return landing.token;
  const { end } = await new Lander(options).landNext(id);
  if (end !== 'landed')
    throw new CoordError('task-state', `${id} is not what it was a moment ago.`, { details: { task_id: id } });
  throw new CoordError('task-state', `${id} has landed on ${worktrees.settings.branch} already.`, {
    details: { why: 'landed', task_id: id },
  });
}

/** Runs a verb that takes tasks back, making void before what somebody has begun to land. */
async function withdrawing<T>(options: LanderOptions, verb: (withdrawn: readonly string[]) => Promise<T>): Promise<T> {
  const withdrawn: string[] = [];
  for (;;) {
    try {
      return await verb(withdrawn);
    } catch (error) {
      const details = error instanceof CoordError ? error.details : undefined;
      if (details?.why !== 'landing-begun' || details.task_id === undefined) throw error;
      withdrawn.push(await withdrawLanding(options, details.task_id));
    }
  }
}

/** Cancels tasks, some of which somebody may have begun to land. */
export function cancelWithdrawing(options: LanderOptions, input: CancelTasks): ReturnType<Store['cancelTasks']> {
  return withdrawing(options, (withdrawn) => options.store.cancelTasks({ ...input, withdrawn: [...withdrawn] }));
}

/** Sends a task back that somebody may have begun to land. */
export function sendBackWithdrawing(options: LanderOptions, input: SendBackTask): ReturnType<Store['sendBack']> {
  return withdrawing(options, (tokens) => {
    const withdrawn = tokens.at(-1);
    return options.store.sendBack({ ...input, ...(withdrawn === undefined ? {} : { withdrawn }) });
  });
}

/**
 * The commit that a task lands, fetched where it is another clone's; and what it changes, where nobody could look at that before.
 *
 * @returns why there is none, in words
 * @throws CoordError `git-failed`
 */
async function seenOf(
  worktrees: ClaimWorktrees,
  board: Board,
  task: SubmittedTask,
): Promise<{ head: string; files: string[] | undefined } | string> {
  const branch = branchFrom(task);
  const head = task.head ?? (await headOfBranch(worktrees, branch));
  if (head === undefined) return `there is no branch ${branch} here`;
  await fetchHead(worktrees, branch, head);
  const files = task.head === undefined ? namedInTask(board, await changedBy(worktrees, head)) : undefined;
  return { head, files };
}

/** Git says no, and nothing has changed since it said so before: it is no race. */
function refuseStandstill({ said }: { said: string }, tip: string, before: string): void {
  if (tip === before) throw new CoordError('git-failed', `Nothing can land: ${said.split('\n').slice(-3).join(' / ')}`);
}

function isLost(error: unknown): boolean {
  return error instanceof CoordError && error.code === 'task-state' && error.details?.why === 'landing-lost';
}

/** What became of a task that was to land, as its board tells; undefined where it still is. */
export function outcomeText({ id, status, landed, last_error }: Task): string | undefined {
  if (landed) return `${id} landed on ${visible(landed.branch)} as ${landed.commit.slice(0, 12)}`;
  return status === 'available' || status === 'failed' ? `${id}: ${visible(last_error ?? '')}` : undefined;
}

/** `coord/task-001.1 landed on coord/main as 1a2b3c4`, and the like. */
export function landingText(end: Landed): string {
  switch (end.end) {
    case 'landed':
      return outcomeText(end.task) ?? '';
    case 'sent-back':
      return [
        `${end.task.id} ${end.task.status === 'failed' ? 'failed, sent back too often' : 'sent back'}: ${visible(end.reason)}`,
        ...(end.tail.trim() === '' ? [] : quoted(end.tail.trim().slice(-SHOWN_TAIL))),
      ].join('\n');
    case 'held':
      return `${end.task.id} cannot land here: ${visible(end.reason)}`;
  }
}
