/**
 * The branch that all share, and the fences before it: a lander raises one, and the branch moves only together with its fall.
 * Whoever takes a task back lets the fence fall first, so that a lander that slept meanwhile cannot move anything.
 */
import type { Worktrees } from '../model/worktrees.ts';
import { type Answer, git, gitOrThrow, runGit } from './git.ts';
import { claimName, type Repository } from './repository.ts';

export interface SharedRefs {
  /** The newest commit of the branch, and what stands under the fence of this claim, if anything. */
  look(claim: string): Promise<{ tip: string; fence: string | undefined }>;
  /** Not where there is one already. */
  raise(claim: string, commit: string): Promise<Tried>;
  /** Lets a fence fall, if it still has this value. That it has fallen only {@link look} tells. */
  drop(claim: string, commit: string): Promise<void>;
  /** Moves the branch and lets the fence fall, both or neither: not where one of them was another by then. */
  move(claim: string, change: { from: string; to: string }): Promise<Tried>;
  /** All fences that stand. */
  fences(): Promise<{ claim: string; commit: string }[]>;
  /** Removes the branch of a claim from where it was shared, if it is still at this commit. */
  forget(claim: string, commit: string): Promise<void>;
}

/** What became of a change, and what git has said where it was not made. */
interface Tried {
  ok: boolean;
  said: string;
}

const FENCES = 'refs/coord/landing/';

function tried({ code, stderr }: Answer): Tried {
  return { ok: code === 0, said: stderr.trim() };
}

/** From lines of `<commit> <ref>`. */
function fencesIn(said: string): { claim: string; commit: string }[] {
  return said.split('\n').flatMap((line) => {
    const [commit = '', ref = ''] = line.split(/\s+/);
    return ref.startsWith(FENCES) ? [{ claim: `coord/${ref.slice(FENCES.length)}`, commit }] : [];
  });
}

function fenceOf(claim: string): string {
  return `${FENCES}${claimName(claim)}`;
}

export function sharedRefs(repository: Repository, worktrees: Worktrees): SharedRefs {
  return worktrees.remote === undefined
    ? new LocalRefs(repository, worktrees.branch)
    : new RemoteRefs(repository, worktrees.branch, worktrees.remote);
}

class LocalRefs implements SharedRefs {
  readonly #repository: Repository;
  readonly #branch: string;

  constructor(repository: Repository, branch: string) {
    this.#repository = repository;
    this.#branch = `refs/heads/${branch}`;
  }

  async look(claim: string): Promise<{ tip: string; fence: string | undefined }> {
    const { top, env } = this.#repository;
    const said = await gitOrThrow(
      top,
      ['for-each-ref', '--format=%(refname) %(objectname)', this.#branch, fenceOf(claim)],
      env,
    );
    const values = new Map(said.split('\n').map((line) => line.split(' ') as [string, string]));
    const tip = values.get(this.#branch);
    if (tip === undefined)
      return { tip: await gitOrThrow(top, ['rev-parse', '--verify', this.#branch], env), fence: undefined };
    return { tip, fence: values.get(fenceOf(claim)) };
  }

  async raise(claim: string, commit: string): Promise<Tried> {
    const { top, env } = this.#repository;
    return tried(await runGit(top, ['update-ref', fenceOf(claim), commit, ''], env));
  }

  async drop(claim: string, commit: string): Promise<void> {
    const { top, env } = this.#repository;
    await git(top, ['update-ref', '-d', fenceOf(claim), commit], env);
  }

  async fences(): Promise<{ claim: string; commit: string }[]> {
    const { top, env } = this.#repository;
    return fencesIn(await gitOrThrow(top, ['for-each-ref', '--format=%(objectname) %(refname)', FENCES], env));
  }

  /** It is shared with nobody. */
  async forget(): Promise<void> {}

  async move(claim: string, { from, to }: { from: string; to: string }): Promise<Tried> {
    const { top, env } = this.#repository;
    const input = `start\ndelete ${fenceOf(claim)} ${to}\nupdate ${this.#branch} ${to} ${from}\nprepare\ncommit\n`;
    return tried(await runGit(top, ['update-ref', '--stdin'], env, { input }));
  }
}

/** Of the remote: what clones share is there. */
class RemoteRefs implements SharedRefs {
  readonly #repository: Repository;
  readonly #name: string;
  readonly #branch: string;
  readonly #remote: string;

  constructor(repository: Repository, branch: string, remote: string) {
    this.#repository = repository;
    this.#name = branch;
    this.#branch = `refs/heads/${branch}`;
    this.#remote = remote;
  }

  async look(claim: string): Promise<{ tip: string; fence: string | undefined }> {
    const { top, env } = this.#repository;
    const tracking = `refs/remotes/${this.#remote}/${this.#name}`;
    await gitOrThrow(top, ['fetch', '--quiet', '--no-tags', this.#remote, `+${this.#branch}:${tracking}`], env);
    const tip = (await gitOrThrow(top, ['rev-parse', '--verify', tracking], env)).trim();
    const said = await gitOrThrow(top, ['ls-remote', this.#remote, fenceOf(claim)], env);
    return { tip, fence: said.split('\t')[0]?.trim() || undefined };
  }

  async raise(claim: string, commit: string): Promise<Tried> {
    const fence = fenceOf(claim);
    return this.#push([`--force-with-lease=${fence}:`], [`${commit}:${fence}`]);
  }

  async drop(claim: string, commit: string): Promise<void> {
    const fence = fenceOf(claim);
    await this.#push([`--force-with-lease=${fence}:${commit}`], [`:${fence}`]);
  }

  async fences(): Promise<{ claim: string; commit: string }[]> {
    const { top, env } = this.#repository;
    return fencesIn(await gitOrThrow(top, ['ls-remote', this.#remote, `${FENCES}*`], env));
  }

  async forget(claim: string, commit: string): Promise<void> {
    const branch = `refs/heads/${claim}`;
    await this.#push([`--force-with-lease=${branch}:${commit}`], [`:${branch}`]);
  }

  async move(claim: string, { from, to }: { from: string; to: string }): Promise<Tried> {
    const fence = fenceOf(claim);
    const moved = await this.#push(
      ['--atomic', `--force-with-lease=${this.#branch}:${from}`, `--force-with-lease=${fence}:${to}`],
      [`${to}:${this.#branch}`, `:${fence}`],
    );
    if (!moved.ok) return moved;
    // The clone's own follows, where nobody has it checked out and it only goes forward.
    const { top, env } = this.#repository;
    await git(top, ['fetch', '--quiet', '.', `${to}:${this.#branch}`], env);
    return moved;
  }

  async #push(options: readonly string[], refs: readonly string[]): Promise<Tried> {
    const { top, env } = this.#repository;
    return tried(await runGit(top, ['push', '--quiet', '--no-verify', ...options, this.#remote, ...refs], env));
  }
}
