/** The repository that a board's worktrees and branches are in. */
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
import { CoordError } from '../model/errors.ts';
import type { Worktrees } from '../model/worktrees.ts';
import { type Answer, type Env, failed, git, gitOrThrow, runGit, withoutRepository } from './git.ts';

/** `git merge-tree --write-tree`, by which landing merges without a checkout, came with it. */
const LEAST_GIT = [2, 38];

/** Each board of a repository takes one of these. */
const SERIES = 'refs/coord/series/';
const MOST_SERIES = 10_000;

export interface Repository {
  /** Where its main checkout is; beside a bare one, the folder of the board. Worktrees go below it. */
  top: string;
  /** What all its worktrees share: usually `<top>/.git`. */
  common: string;
  /** The project's folder, from the root of each checkout. */
  within: string;
  /** In which git finds this repository, and no other that the environment may name. */
  env: Env;
}

/**
 * The repository of the board's project; with a remote, that of whoever asks, which may be another clone.
 *
 * @param location  of the board: `.coordination/`
 * @throws CoordError `git-failed` where there is none
 */
export async function findRepository(
  location: string,
  cwd: string,
  given: Env,
  remote: string | undefined,
): Promise<Repository> {
  const env = withoutRepository(given);
  const root = dirname(resolve(location));
  const own = await repositoryAt(root, env);
  const within = own?.checkout === undefined ? '' : relative(own.checkout, root);
  if (remote !== undefined) {
    const theirs = await repositoryAt(cwd, env);
    const isClone = theirs !== undefined && theirs.common !== own?.common && (await hasRemote(cwd, remote, env));
    if (isClone) {
      const top =
        basename(theirs.common) === '.git' ? dirname(theirs.common) : (theirs.checkout ?? dirname(theirs.common));
      return { top, common: theirs.common, within, env };
    }
  }
  if (own) return { top: own.checkout ?? root, common: own.common, within, env };
  throw new CoordError('git-failed', `${root} is in no git repository: worktrees need one.`, {
    details: { why: 'no-repository', path: root },
  });
}

async function repositoryAt(
  folder: string,
  env: Env,
): Promise<{ common: string; checkout: string | undefined } | undefined> {
  const said = await runGit(
    folder,
    ['rev-parse', '--path-format=absolute', '--git-common-dir', '--show-toplevel'],
    env,
  );
  // Within a bare repository it says where that is, and then that there is no checkout.
  const [common = '', checkout = ''] = said.stdout.trim().split('\n');
  if (!isAbsolute(common)) return undefined;
  return { common, checkout: said.code === 0 && checkout !== '' ? checkout : undefined };
}

async function hasRemote(folder: string, remote: string, env: Env): Promise<boolean> {
  return (await git(folder, ['config', '--get', `remote.${remote}.url`], env)) !== undefined;
}

/**
 * Makes the board's branch where it is not there yet, from what is checked out.
 *
 * @returns the settings with a series of their own, where branches of an earlier board are left
 * @throws CoordError `git-failed`: git is missing or too old, there is no commit, the branch is checked out
 */
export async function beginBranch({ top, env }: Repository, wanted: Worktrees): Promise<Worktrees> {
  await refuseOldGit(top, env);
  const { branch, remote } = wanted;
  if (remote !== undefined) {
    if (!(await hasRemote(top, remote, env)))
      throw new CoordError('git-failed', `There is no remote ${remote} here.`, {
        hint: `git remote add ${remote} <url>`,
      });
    await fetchBranch({ top, env }, remote, branch);
  }
  const refs = await gitOrThrow(
    top,
    [
      'for-each-ref',
      '--format=%(refname)',
      'refs/heads/',
      ...(remote === undefined ? [] : [`refs/remotes/${remote}/`]),
    ],
    env,
  );
  const names = new Set(refs.split('\n'));
  const head = await git(top, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], env);
  if (head === undefined)
    throw new CoordError('git-failed', 'The repository has no commit yet, so no worktree can be made of it.', {
      hint: 'git commit --allow-empty -m "Begin"',
    });
  await refuseCheckedOut({ top, env }, branch);
  const shared = `refs/remotes/${remote}/${branch}`;
  if (!names.has(`refs/heads/${branch}`)) {
    const from = remote !== undefined && names.has(shared) ? shared : 'HEAD';
    await gitOrThrow(top, ['branch', '--no-track', branch, from], env);
  }
  if (remote !== undefined && !names.has(shared))
    await gitOrThrow(top, ['push', '--quiet', remote, `refs/heads/${branch}:refs/heads/${branch}`], env);
  return { ...wanted, ...(await ownSeries(top, env)) };
}

/** A number for the branches of this board alone: tasks of others in this repository, earlier or beside it, have the same ids. */
async function ownSeries(top: string, env: Env): Promise<Pick<Worktrees, 'series'>> {
  const said = await gitOrThrow(top, ['for-each-ref', '--format=%(refname)', 'refs/heads/coord/', SERIES], env);
  const refs = said.split('\n');
  const taken = refs.flatMap((ref) => {
    if (ref.startsWith(SERIES)) return [Number(ref.slice(SERIES.length))];
    const [claim, series = '1'] = /^refs\/heads\/coord\/(?:(\d+)\+)?.+\.\d+$/.exec(ref) ?? [];
    return claim === undefined ? [] : [Number(series)];
  });
  for (let n = Math.max(0, ...taken) + 1; ; n++) {
    const made = await runGit(top, ['update-ref', `${SERIES}${n}`, 'HEAD', ''], env);
    if (made.code === 0) return n === 1 ? {} : { series: String(n) };
    if (n > MOST_SERIES) throw failed(['update-ref', `${SERIES}${n}`], made);
  }
}

async function refuseOldGit(folder: string, env: Env): Promise<void> {
  const { code, stdout, stderr } = await runGit(folder, ['--version'], env);
  if (code !== 0)
    throw new CoordError('git-failed', `git could not be run: ${stderr.trim()}`, {
      hint: `Worktrees need git ${LEAST_GIT.join('.')} or newer.`,
    });
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST_GIT;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  throw new CoordError('git-failed', `Worktrees need git ${LEAST_GIT.join('.')} or newer; this is ${stdout.trim()}.`);
}

/** A checkout of a repository: the main one, or a linked worktree. */
export interface Checkout {
  path: string;
  /** Undefined for a detached head. */
  branch: string | undefined;
  head: string;
}

export async function checkoutsOf({ top, env }: Pick<Repository, 'top' | 'env'>): Promise<Checkout[]> {
  const list = await gitOrThrow(top, ['worktree', 'list', '--porcelain', '-z'], env);
  return list.split('\0\0').flatMap((entry) => {
    const lines = new Map(entry.split('\0').map((line) => [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)]));
    const path = lines.get('worktree');
    if (path === undefined) return [];
    return [{ path, branch: lines.get('branch')?.replace(/^refs\/heads\//, ''), head: lines.get('HEAD') ?? '' }];
  });
}

/** What lands moves the branch, which would pull the files from under whoever has it checked out. */
export async function refuseCheckedOut(repository: Pick<Repository, 'top' | 'env'>, branch: string): Promise<void> {
  const found = (await checkoutsOf(repository)).find((one) => one.branch === branch);
  if (!found) return;
  const { path } = found;
  throw new CoordError('git-failed', `${branch} is checked out in ${path}: nothing can land on it.`, {
    details: { why: 'checked-out', branch, path },
  });
}

/** Brings what a remote has under a branch up to date here, as its tracking branch. */
export function fetchBranch(
  { top, env }: Pick<Repository, 'top' | 'env'>,
  remote: string,
  branch: string,
): Promise<Answer> {
  const refs = `+refs/heads/${branch}:refs/remotes/${remote}/${branch}`;
  return runGit(top, ['fetch', '--quiet', remote, refs], env);
}

/** Whether one commit is in the history of another. @throws CoordError `git-failed` where one of them is not here */
export async function isAncestor({ top, env }: Repository, commit: string, of: string): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', commit, of];
  const answer = await runGit(top, args, env);
  if (answer.code !== 0 && answer.code !== 1) throw failed(args, answer);
  return answer.code === 0;
}

/** The name under which a claim's branch is kept apart: `task-001.1` of `coord/task-001.1`. */
export function claimName(branch: string): string {
  return branch.replace(/^coord\//, '');
}
