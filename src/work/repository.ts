/** The repository that a board's worktrees and branches are in. */
import { basename, dirname, relative, resolve } from 'node:path';
import { CoordError } from '../model/errors.ts';
import type { Worktrees } from '../model/worktrees.ts';
import { type Env, git, gitOrThrow, runGit, withoutRepository } from './git.ts';

/** `git merge-tree --write-tree`, by which landing merges without a checkout, came with it. */
const LEAST_GIT = [2, 38];

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
  if (common === '' || !common.startsWith('/') === !/^[A-Za-z]:/.test(common)) return undefined;
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
    await git(top, ['fetch', '--quiet', remote, `+refs/heads/${branch}:refs/remotes/${remote}/${branch}`], env);
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
  await refuseCheckedOut(top, env, branch);
  const shared = `refs/remotes/${remote}/${branch}`;
  if (!names.has(`refs/heads/${branch}`)) {
    const from = remote !== undefined && names.has(shared) ? shared : 'HEAD';
    await gitOrThrow(top, ['branch', '--no-track', branch, from], env);
  }
  if (remote !== undefined && !names.has(shared))
    await gitOrThrow(top, ['push', '--quiet', remote, `refs/heads/${branch}:refs/heads/${branch}`], env);
  const taken = [...names].filter((name) => name !== `refs/heads/${branch}` && name !== shared);
  return { ...wanted, ...seriesBeside(taken) };
}

/** A number that no branch of an earlier board bears: its tasks had the same ids. */
function seriesBeside(refs: readonly string[]): Pick<Worktrees, 'series'> {
  const claims = refs.map((ref) => /\/coord\/(?:(\d+)-)?.+\.\d+$/.exec(ref)).filter((match) => match !== null);
  if (claims.length === 0) return {};
  return { series: String(Math.max(...claims.map(([, series]) => Number(series ?? 1))) + 1) };
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

/** What lands moves the branch, which would pull the files from under whoever has it checked out. */
export async function refuseCheckedOut(folder: string, env: Env, branch: string): Promise<void> {
  const list = await gitOrThrow(folder, ['worktree', 'list', '--porcelain', '-z'], env);
  const where = list.split('\0\0').find((entry) => entry.split('\0').includes(`branch refs/heads/${branch}`));
  if (where === undefined) return;
  const path = /^worktree (.*)$/.exec(where.split('\0').find((line) => line.startsWith('worktree ')) ?? '')?.[1] ?? '';
  throw new CoordError('git-failed', `${branch} is checked out in ${path}: nothing can land on it.`, {
    details: { why: 'checked-out', branch, path },
  });
}

/** Whether one commit is in the history of another. */
export async function isAncestor({ top, env }: Repository, commit: string, of: string): Promise<boolean> {
  return (await runGit(top, ['merge-base', '--is-ancestor', commit, of], env)).code === 0;
}

/** The name under which a claim's branch is kept apart: `task-001.1` of `coord/task-001.1`. */
export function claimName(branch: string): string {
  return branch.replace(/^coord\//, '');
}
