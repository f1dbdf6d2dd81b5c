/**
 * The worktrees of a board's claims: each has one of its own, made when it is claimed, and gone when what was done in it has
 * landed. What somebody stands in, has not committed, or has not landed is never removed; ignored files are put aside first.
 */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Board } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import { checkSecondsOf } from '../model/gate.ts';
import type { ClaimedTask, Task } from '../model/task.ts';
import { clip, plural, visible } from '../model/text.ts';
import { branchesOf, isOfSeries, WORKTREES_FOLDER, worktreeOf, type Worktrees } from '../model/worktrees.ts';
import { DEFAULT_LEASE_SECONDS } from '../model/limits.ts';
import { type CheckRecords, openCheckRecords, type OpenOptions } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { keepLease } from '../store/wait.ts';
import { sleep } from '../store/clock.ts';
import { runCheck } from './check-run.ts';
import { type Env, failed, git, gitOrThrow, runGit } from './git.ts';
import { isSomebodyIn } from './processes.ts';
import { checkoutsOf, claimName, fetchBranch, findRepository, isAncestor, type Repository } from './repository.ts';
import {
  copyIgnored,
  excludeFromStatus,
  ignoredIn,
  isReady,
  markReady,
  ownFolder,
  putAside,
  isCheckedOut,
  statusOf,
} from './worktree-files.ts';

/** A claim's worktree, as whoever works in it needs it. */
export interface Prepared {
  /** The project's folder in it. */
  path: string;
  branch: string;
  /** What its worker should know: set-up that was not run, work of earlier attempts that is kept. */
  notes: string[];
}

/** A worktree of a claim; or its branch alone, where the worktree is gone. */
export interface Worktree {
  path: string;
  branch: string;
  /** Commit at its head. */
  head: string;
}

/** And whose it is; undefined where the board has no such task. */
export interface WorktreeEntry extends Worktree {
  task: Task | undefined;
}

/** How long the git of a coord that was killed may go on making a worktree. */
const HALF_MADE_MS = 5000;
/** Names shown in a message. */
const SHOWN = 5;

export class ClaimWorktrees {
  readonly repository: Repository;
  readonly settings: Worktrees;

  constructor(repository: Repository, settings: Worktrees) {
    this.repository = repository;
    this.settings = settings;
  }

  /** The branch that all share, as git finds its newest state here. */
  get sharedBranch(): string {
    const { remote, branch } = this.settings;
    return remote === undefined ? `refs/heads/${branch}` : `refs/remotes/${remote}/${branch}`;
  }

  /** The root of the worktree of this branch. */
  rootOf(branch: string): string {
    return join(this.repository.top, ...worktreeOf(branch).split('/'));
  }

  /** The project's folder in the worktree of this branch. */
  projectOf(branch: string): string {
    return this.projectIn(this.rootOf(branch));
  }

  /** The project's folder in a checkout. */
  projectIn(root: string): string {
    return join(root, this.repository.within);
  }

  /** Whether there is a whole one. */
  isReady(branch: string): boolean {
    return isReady(this.rootOf(branch));
  }

  /**
   * Makes the worktree of a claim, unless it is there. One at a time: whoever asks twice at once waits for the first.
   *
   * @throws CoordError `git-failed`
   */
  async prepare(board: Board, task: ClaimedTask, records: CheckRecords, around: Around): Promise<Prepared> {
    const branch = branchFrom(task);
    const path = this.rootOf(branch);
    const project = this.projectOf(branch);
    return records.exclusively(`worktree ${path}`, around.signal, async () => {
      const notes: string[] = [];
      if (!this.isReady(branch)) {
        const before = await this.#before(task);
        for (const old of before) await this.#keep(old, `what was not committed on ${old}`);
        await this.#make(path, branch, before, `coord: ${task.id} of ${task.claimed_by}`);
        notes.push(...(await this.equip(path, board, task, records, around)));
      }
      if (task.attempt > 1) notes.push(...(await this.#keptNotes(task)));
      return { path: project, branch, notes };
    });
  }

  /** Makes a worktree with everything it needs, and marks it as whole. @returns what did not go well */
  async equip(
    path: string,
    board: Board,
    task: Task | undefined,
    records: CheckRecords,
    around: Around,
  ): Promise<string[]> {
    const { top, within, env } = this.repository;
    const copied = await copyIgnored(top, path, env);
    const notes = await this.#setUp(join(path, within), board, task, records, around);
    const isBare = copied.length === 0 && this.settings.setup === undefined;
    // A scratch checkout that is not ready is set up again by the next landing; a worker is told, and helps itself.
    if (task || notes.length === 0) markReady(path, isBare ? {} : await ignoredIn(path, env));
    return notes;
  }

  /** Branches of earlier attempts at this task that are still there, the latest first. */
  async #before(task: Task): Promise<string[]> {
    if (task.attempt === 1) return [];
    const { top, env } = this.repository;
    const { remote, series } = this.settings;
    const start = branchesOf(task.id, series);
    if (remote !== undefined) await fetchBranch(this.repository, remote, `${start}*`);
    const rooms = ['refs/heads/', ...(remote === undefined ? [] : [`refs/remotes/${remote}/`])];
    const said = await gitOrThrow(
      top,
      ['for-each-ref', '--format=%(refname)', ...rooms.map((room) => `${room}${start}*`)],
      env,
    );
    const attempts = said.split('\n').flatMap((ref) => {
      const room = rooms.find((one) => ref.startsWith(`${one}${start}`));
      const attempt = Number(ref.slice(`${room}${start}`.length));
      return room !== undefined && Number.isInteger(attempt) && attempt < task.attempt ? [{ ref, attempt, room }] : [];
    });
    return attempts
      .toSorted((a, b) => b.attempt - a.attempt || rooms.indexOf(a.room) - rooms.indexOf(b.room))
      .map(({ ref }) => ref.replace(/^refs\/heads\//, ''));
  }

  /** From the board's branch, or where the last attempt was left. */
  async #baseOf(before: readonly string[]): Promise<string> {
    const { remote, branch } = this.settings;
    const [last] = before;
    const shared = this.sharedBranch;
    if (remote !== undefined) await fetchBranch(this.repository, remote, branch);
    return last === undefined || (await isAncestor(this.repository, last, shared)) ? shared : last;
  }

  async #make(path: string, branch: string, before: readonly string[], reason: string): Promise<void> {
    const { top, common, env } = this.repository;
    excludeFromStatus(common);
    if (existsSync(join(path, '.git'))) return this.#finish(path, branch);
    const base = await this.#baseOf(before);
    const place = ['--lock', '--reason', reason];
    const args = ['worktree', 'add', '--quiet', ...place, '--no-track', '-b', branch, path, base];
    const made = await runGit(top, args, env);
    if (made.code === 0) return;
    // The branch is there: of a coord that was killed between the two, or of a worktree that somebody has deleted.
    const isThere = (await git(top, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`], env)) !== undefined;
    if (!isThere || existsSync(path)) throw failed(args, made);
    // A folder that is gone may still be registered, and locked.
    await gitOrThrow(top, ['worktree', 'add', '--quiet', '-f', '-f', ...place, path, branch], env);
  }

  /** A worktree that a killed coord has left half made, and nobody was told of. */
  async #finish(path: string, branch: string): Promise<void> {
    const { env } = this.repository;
    const lock = join(ownFolder(path), 'index.lock');
    // Its git may live on for a moment.
    for (let waited = 0; existsSync(lock) && waited < HALF_MADE_MS; waited += 50) await sleep(50);
    rmSync(lock, { force: true });
    // Nobody was told of it, and still somebody may have found it.
    const { dirty } = await statusOf(path, env);
    if (dirty.some((name) => existsSync(join(path, name)))) await this.#keep(branch, `What was found on ${branch}`);
    await gitOrThrow(path, ['reset', '--quiet', '--hard'], env);
  }

  /** @returns what its worker should know */
  async #setUp(
    cwd: string,
    board: Board,
    task: Task | undefined,
    records: CheckRecords,
    { signal }: Around,
  ): Promise<string[]> {
    const { setup } = this.settings;
    if (setup === undefined) return [];
    const shown = visible(clip(setup));
    if (!records.isAllowed(setup))
      return [
        `Nobody has allowed the set-up on this machine: ${shown}. A person does, in a terminal: coord trust check`,
      ];
    const timeoutMs = checkSecondsOf(board, task) * 1000;
    const end = await runCheck({ command: setup, cwd, env: this.repository.env, timeoutMs, signal });
    if (end.isInterrupted) throw new CoordError('interrupted', `Interrupted while ${shown} ran.`);
    if (end.exit_code === 0 && end.broken === undefined) return [];
    const said = visible(end.tail.trim().split('\n').slice(-3).join(' / '));
    return [
      `The set-up of this worktree has not ended well (${shown}: ${end.broken ?? `exit ${end.exit_code}`}): ${said}`,
    ];
  }

  /**
   * Keeps what is not committed in a worktree as a commit of its own, without touching the worktree.
   *
   * @returns the ref; undefined where all is committed, or there is no worktree
   */
  async #keep(branch: string, message: string): Promise<string | undefined> {
    const { top, env } = this.repository;
    const path = this.rootOf(branch);
    if (!existsSync(join(path, '.git'))) return undefined;
    const scratch = mkdtempSync(join(tmpdir(), 'coord-kept-'));
    try {
      const index = join(scratch, 'index');
      const own = join(ownFolder(path), 'index');
      if (existsSync(own)) copyFileSync(own, index);
      const inScratch = { ...env, GIT_INDEX_FILE: index };
      await gitOrThrow(path, ['add', '--all', '--', '.', ':(exclude,top,glob)**/.coordination/**'], inScratch);
      const tree = (await gitOrThrow(path, ['write-tree'], inScratch)).trim();
      const [head = '', treeOfHead] = (await gitOrThrow(path, ['rev-parse', 'HEAD', 'HEAD^{tree}'], env))
        .trim()
        .split('\n');
      if (tree === treeOfHead) return undefined;
      const known = await gitOrThrow(
        top,
        ['for-each-ref', '--format=%(tree) %(refname)', `${keptPrefix(branch)}/`],
        env,
      );
      const refs = known.split('\n').filter((line) => line !== '');
      const same = refs.find((line) => line.startsWith(`${tree} `));
      if (same !== undefined) return same.slice(tree.length + 1);
      const commit = (await gitOrThrow(top, ['commit-tree', tree, '-p', head, '-m', message], env)).trim();
      const ref = `${keptPrefix(branch)}/${refs.length + 1}`;
      await gitOrThrow(top, ['update-ref', ref, commit, ''], env);
      return ref;
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  async #keptNotes(task: Task): Promise<string[]> {
    const { top, env } = this.repository;
    const start = `refs/coord/kept/${claimName(branchesOf(task.id, this.settings.series))}`;
    const said = await git(top, ['for-each-ref', '--format=%(refname)', `${start}*/*`], env);
    const refs = (said ?? '').split('\n').filter((ref) => ref !== '');
    return refs.map((ref) => `An earlier attempt left uncommitted work; look: git diff HEAD...${ref}`);
  }

  /** All worktrees of claims; scratch of landings, and what other boards have, is not among them. */
  async list(): Promise<Worktree[]> {
    const folder = join(this.repository.top, ...WORKTREES_FOLDER.split('/'));
    return (await checkoutsOf(this.repository)).flatMap(({ path, branch, head }) => {
      if (branch === undefined || !isOfSeries(branch, this.settings)) return [];
      const isOurs = isSamePlace(dirname(path), folder) && basename(path) === basename(worktreeOf(branch));
      return isOurs ? [{ path, branch, head }] : [];
    });
  }

  /** What of a worktree is not committed, from its root. */
  async uncommitted(path: string): Promise<string[]> {
    return (await statusOf(path, this.repository.env)).dirty;
  }

  /** Whether this is in the board's branch. */
  hasLanded(commit: string): Promise<boolean> {
    return isAncestor(this.repository, commit, this.sharedBranch);
  }

  /**
   * Removes a worktree and its branch, if nothing can be lost by it.
   *
   * @param entry.head  what has landed of it
   * @param keeps  what is not committed is kept as a commit first
   * @returns why it stays; undefined where it is gone
   */
  async remove({ path, branch, head }: Worktree, keeps = false): Promise<string | undefined> {
    const { top, common, env } = this.repository;
    if (existsSync(path)) {
      const { why, ignored } = await this.#lookAt(path, head, keeps);
      if (why !== undefined) return why;
      const kept = keeps ? await this.#keep(branch, `What was not committed on ${branch}`) : undefined;
      putAside(path, ignored, join(common, 'coord', 'kept', claimName(branch)));
      const lock = join(ownFolder(path), 'locked');
      const reason = existsSync(lock) ? readFileSync(lock) : undefined;
      rmSync(lock, { force: true });
      // What is kept may go; whatever else stands in the way, such as a submodule, does not.
      const isForced = kept !== undefined && !(await hasRepositories(path, kept, env));
      const args = ['worktree', 'remove', ...(isForced ? ['--force'] : []), path];
      const removed = await runGit(top, args, env);
      if (removed.code !== 0) {
        if (reason) writeFileSync(lock, reason);
        return failed(args, removed).message;
      }
    }
    // Somebody may have it checked out elsewhere: its ref would go from under them.
    if (isCheckedOut(common, branch)) return 'its branch is checked out elsewhere';
    await git(top, ['update-ref', '-d', `refs/heads/${branch}`, head], env);
    return undefined;
  }

  /** What would be lost with a worktree, or who would be; undefined where nothing would. */
  async whyNotRemoved({ path, head }: Pick<Worktree, 'path' | 'head'>, keeps = false): Promise<string | undefined> {
    return existsSync(path) ? (await this.#lookAt(path, head, keeps)).why : undefined;
  }

  async #lookAt(path: string, landed: string, keeps: boolean): Promise<{ why: string | undefined; ignored: string[] }> {
    if (!existsSync(join(path, '.git'))) return { why: 'it is half removed: delete the folder', ignored: [] };
    if (isSomebodyIn(path)) return { why: 'somebody is in it', ignored: [] };
    // Of these git itself says no, and what they hold is nowhere else.
    if (existsSync(join(ownFolder(path), 'modules')))
      return { why: 'worktrees with submodules cannot be moved or removed by git', ignored: [] };
    const { head, dirty, ignored } = await statusOf(path, this.repository.env);
    if (head !== landed) return { why: 'it has commits that have not landed', ignored };
    if (dirty.some((name) => name.endsWith('/'))) return { why: 'a repository of its own is in it', ignored };
    return { why: dirty.length > 0 && !keeps ? `not committed: ${namedFiles(dirty)}` : undefined, ignored };
  }

  /** Where {@link remove} puts ignored files. */
  asideOf(branch: string): string | undefined {
    const path = join(this.repository.common, 'coord', 'kept', claimName(branch));
    return existsSync(path) ? path : undefined;
  }
}

/** The worktrees of a board. @throws CoordError `git-failed` where it has none, or is in no repository */
export async function openWorktrees(
  store: { location: string },
  board: Board,
  cwd: string,
  env: Env,
): Promise<ClaimWorktrees> {
  const settings = board.defaults?.worktrees;
  if (!settings)
    throw new CoordError('git-failed', 'This board has no worktrees.', {
      hint: 'coord leader defaults --worktrees gives each claim one of its own from now on.',
    });
  return new ClaimWorktrees(await findRepository(store.location, cwd, env, settings.remote), settings);
}

/** What whoever claims is at. */
export interface ClaimPlace {
  openOptions: OpenOptions;
  /** Set-up that is allowed besides. */
  allowed?: readonly string[] | undefined;
  cwd: string;
  env: Env;
  signal: AbortSignal;
}

/**
 * Makes the worktree of a claim that was just made; where that cannot be done, the claim is given back, at no attempt's cost.
 *
 * @returns undefined where the claim has none
 * @throws CoordError `git-failed`
 */
export async function prepareClaim(
  store: Store,
  { task, already }: { task: ClaimedTask; already: boolean },
  { openOptions, allowed, cwd, env, signal }: ClaimPlace,
): Promise<Prepared | undefined> {
  if (task.branch === undefined) return undefined;
  const { claimed_by: worker, id: task_id, attempt } = task;
  const over = new AbortController();
  const leaseSeconds = task.lease_seconds ?? DEFAULT_LEASE_SECONDS;
  keepLease(store, { worker, taskId: task_id, leaseSeconds }, over.signal, () => {});
  try {
    const board = await store.read();
    const records = await openCheckRecords(store, openOptions, board.commit, allowed);
    return await (await openWorktrees(store, board, cwd, env)).prepare(board, task, records, { signal });
  } catch (error) {
    const reason = 'its worktree could not be made';
    // The first error says more.
    if (!already) await store.release({ worker, task_id, attempt, reason }).catch(() => {});
    throw error;
  } finally {
    over.abort();
  }
}

/** What whoever prepares a worktree stands in. */
export interface Around {
  signal: AbortSignal;
}

/** @throws CoordError `git-failed` for a claim that was made before the board had worktrees */
export function branchFrom({ id, branch }: Task): string {
  if (branch !== undefined) return branch;
  throw new CoordError('git-failed', `${id} was claimed without a worktree.`, { details: { task_id: id } });
}

/** The task that one of its claims' branches is of. */
export function taskOf({ tasks }: Board, branch: string, { series }: Worktrees): Task | undefined {
  return tasks.find(({ id }) => {
    const start = branchesOf(id, series);
    return branch.startsWith(start) && /^\d+$/.test(branch.slice(start.length));
  });
}

/** Whether a commit names other repositories: what they hold it has not. */
async function hasRepositories(folder: string, commit: string, env: Env): Promise<boolean> {
  const said = await gitOrThrow(folder, ['ls-tree', '-r', commit], env);
  return said.split('\n').some((line) => line.startsWith('160000 '));
}

function keptPrefix(branch: string): string {
  return `refs/coord/kept/${claimName(branch)}`;
}

function isSamePlace(a: string, b: string): boolean {
  if (a === b) return true;
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

/** Paths of a list in words. */
export function namedFiles(files: readonly string[]): string {
  const shown = files.slice(0, SHOWN).map(visible).join(', ');
  return files.length > SHOWN ? `${shown} and ${plural(files.length - SHOWN, 'more file')}` : shown;
}

/** The folders in which worktrees are kept, as they are now. */
export function worktreeFolders({ top }: Repository): string[] {
  const folder = join(top, ...WORKTREES_FOLDER.split('/'));
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
