/** Hands what has landed to a person: their branch goes forward to the board's, or stays as it is. */
import { CoordError } from '../model/errors.ts';
import { git, gitOrThrow, runGit } from './git.ts';
import { checkoutsOf, isAncestor } from './repository.ts';
import type { ClaimWorktrees } from './worktrees.ts';

export interface Published {
  branch: string;
  from: string;
  to: string;
  /** How many it went forward. */
  commits: number;
}

/**
 * @param cwd  whose branch it is, where none is named
 * @throws CoordError `git-failed` where it is no fast-forward, or something in the checkout stands in the way
 */
export async function publish(worktrees: ClaimWorktrees, cwd: string, named: string | undefined): Promise<Published> {
  const { env, top } = worktrees.repository;
  const { branch: shared, remote } = worktrees.settings;
  if (remote !== undefined)
    await gitOrThrow(top, ['fetch', '--quiet', remote, `+refs/heads/${shared}:${worktrees.sharedBranch}`], env);
  const here = (await git(cwd, ['symbolic-ref', '--quiet', '--short', 'HEAD'], env))?.trim();
  const branch = named ?? here;
  if (branch === undefined)
    throw new CoordError('git-failed', 'No branch is checked out here.', { hint: 'coord leader publish <branch>' });
  if (branch === shared)
    throw new CoordError('git-failed', `${shared} is the board's own branch.`, { hint: 'coord leader publish main' });
  const to = (await gitOrThrow(top, ['rev-parse', '--verify', `${worktrees.sharedBranch}^{commit}`], env)).trim();
  const from = (await git(top, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`], env))?.trim();
  if (from === undefined) throw new CoordError('git-failed', `There is no branch ${branch}.`, { hint: 'git branch' });
  if (!(await isAncestor(worktrees.repository, from, to)))
    throw new CoordError('git-failed', `${branch} has commits that ${shared} has not: it cannot simply go forward.`, {
      hint: `git switch ${branch} && git merge ${shared}; or bring them in as a task: git merge ${branch} in its worktree`,
    });
  const commits = Number(await gitOrThrow(top, ['rev-list', '--count', `${from}..${to}`], env));
  if (commits === 0) return { branch, from, to, commits };
  const folder = (await checkoutsOf(worktrees.repository)).find((one) => one.branch === branch)?.path;
  // Where it is checked out the files follow, and git keeps every file of the user's that would be overwritten, ignored ones too.
  if (folder === undefined) await gitOrThrow(top, ['update-ref', `refs/heads/${branch}`, to, from], env);
  else {
    const args = ['merge', '--quiet', '--ff-only', '--no-overwrite-ignore', to];
    const merged = await runGit(folder, args, env);
    if (merged.code !== 0)
      throw new CoordError('git-failed', `${branch} stays as it is: ${merged.stderr.trim() || merged.stdout.trim()}`, {
        hint: 'Commit, stash or move away what is in the way, then coord leader publish',
      });
  }
  return { branch, from, to, commits };
}
