/**
 * The way to done: what is handed in is checked where it was made, and the store is told what came of it. A task that asks for
 * nothing goes through in one commit, as if there were no gate.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type Board, findTask } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import { checkText } from '../model/evidence.ts';
import { PathIndex } from '../model/files.ts';
import { checkSecondsOf, checksOf, protectedOf, unproven, wantsReview } from '../model/gate.ts';
import { isHeldBy, isLive } from '../model/lifecycle.ts';
import { DEFAULT_LEASE_SECONDS } from '../model/limits.ts';
import type { Task } from '../model/task.ts';
import { quoted, visible } from '../model/text.ts';
import type { Complete, CompleteAnswer } from '../model/verbs/complete.ts';
import { type Proof, provenRuns, type Run, TAIL } from '../model/verbs/proof.ts';
import type { ReviewAnswer } from '../model/verbs/review-task.ts';
import { type CheckRecords, openCheckRecords, type OpenOptions } from '../store/open.ts';
import type { Moment, Store } from '../store/store.ts';
import { keepLease } from '../store/wait.ts';
import { branchOf } from '../model/worktrees.ts';
import { changedBy, handedIn, headOfBranch, namedInTask, shareBranch } from './branch.ts';
import { runCheck } from './check-run.ts';
import { git } from './git.ts';
import { headOf, placeOf, WorkingTree } from './tree.ts';
import { branchFrom, type ClaimWorktrees, openWorktrees } from './worktrees.ts';

export interface GateOptions {
  store: Store;
  /** How the board was opened: where this user's records of what is allowed lie. */
  openOptions: OpenOptions;
  /** Checks that are allowed besides, for as long as this gate is used. */
  allowed?: readonly string[] | undefined;
  /** Where whoever hands in stands. */
  cwd: string;
  /** Of the checks. */
  env: Readonly<Record<string, string | undefined>>;
  /** Ends a check that runs. */
  signal: AbortSignal;
  /** Told a few seconds apart what runs, and for how long. */
  onProgress?: ((command: string, seconds: number) => void) | undefined;
}

/** One check of a task, and what came of it; what was not begun has no run. */
export interface Checked {
  command: string;
  verdict: 'green' | 'red' | 'broken' | 'not allowed';
  run?: Run;
  /** It was not run again: the same command has ended like this on this very tree. */
  isKnown?: boolean;
  why?: string;
}

interface CheckingJob {
  /** Where; by default where whoever hands in stands. */
  root?: string | undefined;
  board: Board;
  /** Undefined for the checks of the board itself. */
  task: Task | undefined;
  commands: readonly string[];
  signal: AbortSignal;
}

interface CheckingPlace extends CheckingJob {
  root: string; // found by now
  records: CheckRecords | undefined;
  /** The last run of each command before this call: a later one is somebody's for whom it has waited. */
  known: ReadonlyMap<string, string | undefined>;
}

/** What came of the checks. */
interface Ran {
  checked: Checked[];
  /** Git's hash of the tree; undefined without git. */
  tree: string | undefined;
  look: WorkingTree | undefined;
  others: PathIndex<true>;
  root: string;
}

/** Bytes shown of what a red check said: an agent pays for each. */
const SHOWN_TAIL = 700;
const PROGRESS_MS = 5000;
/** Checks of a task may be changed while they run. */
const MOST_TRIES = 3;
/** Files that an approval is bound to, where nobody has named them. */
const MOST_FILES = 200;

export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /**
   * Hands in a result, checked.
   *
   * @throws CoordError `check-failed`, `check-broken`, `check-not-allowed`: the claim stays, and no attempt is used up; and what
   *   {@link Store.complete} throws
   */
  async complete(input: Complete): Promise<CompleteAnswer & Moment> {
    const { store } = this.#options;
    for (let tries = 1; ; tries++) {
      try {
        return await store.complete(input);
      } catch (error) {
        if (!isUnchecked(error) || tries > MOST_TRIES) throw error;
      }
      const board = await store.read();
      const task = findTask(board, input.task_id);
      const named = [...(input.files_modified ?? []), ...(input.files_created ?? [])];
      const prove = (signal: AbortSignal): Promise<Proof> =>
        task.branch === undefined
          ? this.#prove(board, task, named, signal, input)
          : this.#proveBranch(board, task, signal, input);
      const proof = await this.#keepingLease(input, task, prove);
      if (!proof) continue; // it is another's by now: the store says so, and keeps the text
      input = { ...input, proof };
    }
  }

  /**
   * Approves what was seen, in the tree as it is now, checked.
   *
   * @param input.seen  the head that the reviewer has looked at, where it is not just the task's
   */
  async approve(input: { by: string; task_id: string; seen?: string | undefined }): Promise<ReviewAnswer & Moment> {
    const { store } = this.#options;
    const { task_id, by, seen } = input;
    const board = await store.read();
    let task = findTask(board, task_id);
    if (seen !== undefined && task.status === 'submitted' && (task.head ?? '') !== seen)
      throw new CoordError('task-state', `${task_id} was handed in again since you looked at it.`, {
        details: { why: 'moved', task_id },
      });
    if (task.branch !== undefined) {
      // What lands is checked then, merged.
      const head = await headOfBranch(await this.#worktrees(board), task.branch);
      if (head === undefined)
        throw new CoordError('not-committed', `${task.branch} is not here: what it holds cannot be approved unseen.`, {
          details: { why: 'gone', branch: task.branch, task_id },
        });
      return store.approve({ by, task_id, ...(head === undefined ? {} : { head }) });
    }
    if (task.status === 'submitted' && unproven(board, task, provenRuns(task)).length > 0) {
      const verified = await this.verify(task_id, by);
      if (verified.task.status === 'done') return verified;
      task = verified.task;
    }
    const head = task.evidence?.files ? headOf(await this.#place(), task.evidence.files) : task.head;
    return store.approve({ by, task_id, ...(head === undefined ? {} : { head }) });
  }

  /** Checks what was handed in from where there was no tree. */
  async verify(task_id: string, by: string): Promise<ReviewAnswer & Moment> {
    const { store, signal } = this.#options;
    const board = await store.read();
    const task = findTask(board, task_id);
    const proof =
      task.branch === undefined
        ? await this.#prove(board, task, task.evidence?.files ?? [], signal)
        : await this.#proveBranch(board, task, signal);
    return store.verify({ by, task_id, proof });
  }

  /** Takes a late result, checked. */
  async accept(task_id: string, kept: string): Promise<ReviewAnswer & Moment> {
    const { store, signal } = this.#options;
    const board = await store.read();
    if (board.defaults?.worktrees) return this.#acceptBranch(board, task_id, kept);
    const proof = await this.#prove(board, findTask(board, task_id), [], signal);
    return store.accept({ task_id, kept, proof });
  }

  /** Runs what `complete` would run, and changes nothing. @param task  without it the checks of the board */
  async check(board: Board, task: Task | undefined): Promise<Checked[]> {
    const commands = checksOf(board, task);
    const branch = task?.branch;
    const root = branch === undefined ? undefined : (await this.#worktrees(board)).projectOf(branch);
    return this.#checking(
      // What has landed, or is worked on elsewhere, has no worktree here.
      {
        root: root !== undefined && existsSync(root) ? root : undefined,
        board,
        task,
        commands,
        signal: this.#options.signal,
      },
      false,
      async ({ checked }) => checked,
    );
  }

  /** The commits of that attempt land, checked then. */
  async #acceptBranch(board: Board, task_id: string, kept: string): Promise<ReviewAnswer & Moment> {
    const worktrees = await this.#worktrees(board);
    const attempt = Number(/\.(\d+)$/.exec(kept)?.[1]);
    const branch = branchOf({ id: findTask(board, task_id).id, attempt }, worktrees.settings);
    const head = await headOfBranch(worktrees, branch);
    if (head === undefined)
      throw new CoordError('not-committed', `${branch} is not there any more.`, {
        details: { why: 'gone', branch, task_id },
      });
    const files = namedInTask(board, await changedBy(worktrees, head));
    return this.#options.store.accept({ task_id, kept, branch, proof: { unchecked: true, head, files } });
  }

  /** Checks a tree that stands apart, as for landing, and changes nothing on the board. */
  checkTree(root: string, board: Board, task: Task): Promise<Pick<Ran, 'checked' | 'tree'>> {
    const job = { root, board, task, commands: checksOf(board, task), signal: this.#options.signal };
    return this.#checking(job, true, async ({ checked, tree }) => ({ checked, tree }));
  }

  /** What has changed since the claim in the files that were handed in, as a patch. */
  async diff(task: Task): Promise<string> {
    if (task.branch !== undefined) return this.#diffOfBranch(task);
    const tree = await WorkingTree.open(await this.#place(), this.#options.env);
    if (!tree) return '';
    try {
      await tree.hash();
      return await tree.diffSince(begunAt(task), task.evidence?.files ?? []);
    } finally {
      tree.close();
    }
  }

  async #diffOfBranch({ branch, head }: Task): Promise<string> {
    const { repository, sharedBranch } = await this.#worktrees(await this.#options.store.read());
    const args = ['diff', '--no-color', '--no-ext-diff', '--no-textconv', `${sharedBranch}...${head ?? branch}`];
    return (await git(repository.top, args, repository.env)) ?? '';
  }

  #worktrees(board: Board): Promise<ClaimWorktrees> {
    const { store, cwd, env } = this.#options;
    return openWorktrees(store, board, cwd, env);
  }

  /** The commits of a claim's branch, checked in its worktree. */
  async #proveBranch(board: Board, task: Task, signal: AbortSignal, input?: Complete): Promise<Proof> {
    const worktrees = await this.#worktrees(board);
    const isUnchanged = input?.no_changes === true;
    const { root, head, files } = await handedIn(worktrees, task, isUnchanged);
    const job = { root, board, task, commands: checksOf(board, task), signal };
    const { checked, tree = null } = await this.#checking(job, true, async (ran) => ran);
    const bad = checked.find(({ verdict }) => verdict !== 'green');
    if (bad) throw await this.#refusal(bad, task, tree, input);
    const runs = checked.flatMap(({ run }) => run ?? []);
    if (isUnchanged) return { runs, tree, unchanged: true };
    await shareBranch(worktrees, branchFrom(task), head);
    return { runs, tree, head, files: namedInTask(board, files) };
  }

  #place(): Promise<string> {
    const { store, cwd, env } = this.#options;
    return placeOf(store.location, cwd, env);
  }

  #prove(board: Board, task: Task, named: readonly string[], signal: AbortSignal, input?: Complete): Promise<Proof> {
    const job = { board, task, commands: checksOf(board, task), signal };
    return this.#checking(job, true, async ({ checked, tree, look, others, root }) => {
      const bad = checked.find(({ verdict }) => verdict !== 'green');
      if (bad) throw await this.#refusal(bad, task, tree ?? null, input);
      const isProtecting = (board.defaults?.protect ?? []).length > 0;
      const touched = look && isProtecting ? protectedOf(board, await look.touchedSince(begunAt(task))) : [];
      const proof: Proof = {
        runs: checked.flatMap(({ run }) => run ?? []),
        tree: tree ?? null,
        ...(touched.length > 0 ? { touched } : {}),
      };
      if (!wantsReview(board, task, [...named, ...touched])) return proof;
      const seen = [...new Set([...(await this.#filesOf(task, named, others, look)), ...touched])];
      return seen.length === 0 ? proof : { ...proof, files: seen, head: headOf(root, seen) };
    });
  }

  /** What was handed in: what its author names, else what its task names, else what has changed since and is nobody else's. */
  async #filesOf(
    task: Task,
    named: readonly string[],
    others: PathIndex<true>,
    look: WorkingTree | undefined,
  ): Promise<string[]> {
    if (named.length > 0) return [...new Set(named)];
    const changed = ((await look?.touchedSince(begunAt(task))) ?? []).filter((file) => others.find(file).size === 0);
    const own = new PathIndex<true>();
    for (const file of task.context.files) own.add(file, true);
    const theirs = changed.filter((file) => own.find(file).size > 0);
    return (theirs.length > 0 ? theirs : changed).slice(0, MOST_FILES);
  }

  /** Runs the checks, and hands over what came of them while the look at the tree is still open. */
  async #checking<T>(job: CheckingJob, stopsAtRed: boolean, use: (ran: Ran) => Promise<T>): Promise<T> {
    const { board, task, commands, signal } = job;
    const { env, store, openOptions, allowed } = this.#options;
    const root = job.root ?? (await this.#place());
    const others = filesOfOthers(board, task, await store.now());
    const records = commands.length > 0 ? await openCheckRecords(store, openOptions, board.commit, allowed) : undefined;
    const foreign = commands.find((command) => records?.isAllowed(command) !== true);
    if (foreign !== undefined) {
      const checked: Checked[] = [{ command: foreign, verdict: 'not allowed' }];
      return use({ checked, tree: undefined, look: undefined, others, root });
    }
    const known = new Map(commands.map((command) => [command, records?.last(command, root)?.id]));
    const look = await WorkingTree.open(root, env);
    try {
      const place = { ...job, root, records, known };
      const run = (): Promise<Pick<Ran, 'checked' | 'tree'>> => this.#all(place, look, others, stopsAtRed);
      const ran = await (records ? records.exclusively(root, signal, run) : run());
      return await use({ ...ran, look: ran.tree === undefined ? undefined : look, others, root });
    } finally {
      look?.close();
    }
  }

  async #all(
    place: CheckingPlace,
    look: WorkingTree | undefined,
    others: PathIndex<true>,
    stopsAtRed: boolean,
  ): Promise<Pick<Ran, 'checked' | 'tree'>> {
    const tree = await look?.hash();
    const checked: Checked[] = [];
    for (const command of place.commands) {
      const one = await this.#one(command, tree ?? '', place);
      checked.push(one);
      if (one.verdict === 'red') remember(place, one, tree);
      if (one.verdict !== 'green' && stopsAtRed) return { checked, tree };
    }
    const isGreen = checked.every(({ verdict }) => verdict === 'green');
    const isKnown = checked.every((one) => one.isKnown === true);
    const last = checked.at(-1);
    const after = isGreen && !isKnown ? await look?.hash() : tree;
    const changed = look && tree && after && after !== tree ? await whatChanged(look, tree, after, others) : undefined;
    // Only of a tree that has stood still is it known that it was green.
    if (after === tree) for (const one of checked) if (one.verdict === 'green') remember(place, one, tree);
    if (changed !== undefined && last) checked[checked.length - 1] = { ...last, verdict: 'red', why: changed };
    return { checked, tree };
  }

  async #one(command: string, tree: string, place: CheckingPlace): Promise<Checked> {
    const { board, task, root, signal, records, known } = place;
    const last = records?.last(command, root);
    // Green on this very tree; or just run by somebody for whom this call has waited.
    const isFresh = last !== undefined && last.id !== known.get(command) && (tree !== '' || last.task === task?.id);
    if (last?.tree === tree && (isFresh || (last.exit_code === 0 && tree !== ''))) {
      const { exit_code, duration_ms, tail } = last;
      return { ...verdictOf({ command, exit_code, duration_ms, tail }), isKnown: true };
    }
    const seconds = checkSecondsOf(board, task);
    const start = Date.now();
    this.#options.onProgress?.(command, 0);
    const telling = setInterval(
      () => this.#options.onProgress?.(command, Math.round((Date.now() - start) / 1000)),
      PROGRESS_MS,
    );
    try {
      const env = { ...this.#options.env, ...(task ? { COORD_TASK_ID: task.id } : {}) };
      const end = await runCheck({ command, cwd: root, env, timeoutMs: seconds * 1000, signal });
      if (end.isInterrupted) throw new CoordError('interrupted', `Interrupted while ${visible(command)} ran.`);
      const { exit_code, duration_ms, tail, broken } = end;
      const run = { command, exit_code, duration_ms, tail };
      return broken === undefined ? verdictOf(run) : { command, verdict: 'broken', run, why: broken };
    } finally {
      clearInterval(telling);
    }
  }

  /** What is said of a check that is not green; the board knows it afterwards. */
  async #refusal(bad: Checked, task: Task, tree: string | null, input: Complete | undefined): Promise<CoordError> {
    const { command, verdict, run, why } = bad;
    const shown = visible(command);
    const about = { task_id: task.id, command, ...(input ? { worker: input.worker } : {}) };
    if (verdict === 'not allowed' || !run)
      return new CoordError(
        'check-not-allowed',
        `Nobody has allowed this check of ${task.id} on this machine: ${shown}`,
        {
          details: about,
        },
      );
    const isRecorded = input !== undefined && isHeldBy(task, input.worker) && !(verdict === 'red' && why !== undefined);
    const { times } = isRecorded
      ? await this.#options.store.recordCheck({
          worker: input.worker,
          task_id: task.id,
          attempt: input.attempt,
          verdict: verdict === 'broken' ? 'broken' : 'red',
          run: why === undefined ? run : { ...run, tail: `${run.tail}\n(${why})`.slice(-TAIL) },
          tree,
        })
      : { times: 1 };
    const said = run.tail.trim();
    const lines = said === '' ? [] : quoted(lastBytes(said, SHOWN_TAIL));
    const head = `${checkedReason(bad)}.`.replace('..', '.');
    return new CoordError(verdict === 'broken' ? 'check-broken' : 'check-failed', [head, ...lines].join('\n'), {
      details: {
        ...about,
        exit_code: run.exit_code,
        times,
        ...(why === undefined ? {} : { why: verdict === 'broken' ? 'broken' : 'changed' }),
      },
    });
  }

  /** @returns undefined where the claim was lost meanwhile */
  async #keepingLease<T>(
    input: Complete,
    task: Task,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const { store, signal } = this.#options;
    if (!isHeldBy(task, input.worker)) return work(signal);
    const over = new AbortController();
    const lost = new AbortController();
    const leaseSeconds = task.lease_seconds ?? DEFAULT_LEASE_SECONDS;
    // The first renewal comes after a third of the lease: what is left must reach as far.
    const left = Date.parse(task.lease_expires_at ?? '') - Date.parse(await store.now());
    if (!(left > (leaseSeconds * 1000) / 2)) await store.renew({ worker: input.worker });
    keepLease(store, { worker: input.worker, taskId: task.id, leaseSeconds }, over.signal, () => lost.abort());
    try {
      return await work(AbortSignal.any([signal, lost.signal]));
    } catch (error) {
      const isLost = lost.signal.aborted || (error instanceof CoordError && error.code === 'claim-lost');
      if (isLost && !signal.aborted) return undefined;
      throw error;
    } finally {
      over.abort();
    }
  }
}

/** Why a check is not green, in one line. */
export function checkedReason({ command, verdict, run, why }: Checked): string {
  const shown = visible(command);
  if (verdict === 'not allowed' || !run) return `nobody has allowed the check on this machine: ${shown}`;
  if (verdict === 'broken') return `The check cannot be run: ${shown}: ${why ?? ''}`;
  return why === undefined ? visible(checkText(run)) : `${shown}: ${why}`;
}

/** Since when what has changed may be its work. */
function begunAt({ begun_at, claimed_at }: Task): string | null {
  return begun_at ?? claimed_at;
}

function isUnchecked(error: unknown): boolean {
  return error instanceof CoordError && error.code === 'unchecked';
}

/** For who comes next, and for who waits. */
function remember({ records, root, task }: CheckingPlace, { command, run, isKnown }: Checked, tree = ''): void {
  if (!run || isKnown === true) return;
  const { exit_code, duration_ms, tail } = run;
  records?.remember(command, root, { id: randomUUID(), task: task?.id, tree, exit_code, duration_ms, tail });
}

function verdictOf(run: Run): Checked {
  return { command: run.command, verdict: run.exit_code === 0 ? 'green' : 'red', run };
}

/** The files of everybody else's work: what changes there while a check runs is their affair. */
function filesOfOthers(board: Board, task: Task | undefined, now: string): PathIndex<true> {
  const files = new PathIndex<true>();
  const own = new PathIndex<true>();
  for (const file of task?.context.files ?? []) own.add(file, true);
  for (const other of board.tasks)
    if (other.id !== task?.id && (isLive(other, now) || other.status === 'submitted'))
      for (const file of [...other.context.files, ...(other.evidence?.files ?? [])])
        if (own.find(file).size === 0) files.add(file, true);
  return files;
}

/** Why a tree that has changed while it was checked proves nothing; undefined where only others' files have. */
async function whatChanged(
  look: WorkingTree,
  before: string,
  after: string,
  others: PathIndex<true>,
): Promise<string | undefined> {
  const changed = (await look.changed(before, after)).filter((file) => others.find(file).size === 0);
  if (changed.length === 0) return undefined;
  const shown = changed.slice(0, 5).map(visible);
  const more = changed.length > shown.length ? ` and ${changed.length - shown.length} more` : '';
  return `changed meanwhile: ${shown.join(', ')}${more}. What a check writes belongs into .gitignore.`;
}

/** The end of a text, on whole lines where that is possible. */
function lastBytes(text: string, most: number): string {
  const end = Buffer.from(text)
    .subarray(-most)
    .toString()
    .replace(/^\uFFFD+/, '');
  return end.length < text.length && end.includes('\n') ? end.slice(end.indexOf('\n') + 1) : end;
}
