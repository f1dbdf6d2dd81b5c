/** The tree that is checked, as git sees it: with what is not committed and not ignored, and without the board itself. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { type Env, git, namesOf } from './git.ts';

/**
 * Where a task is checked: the project's root; or the same folder of the linked worktree that one works in.
 *
 * @param location  of the board: `.coordination/`
 */
export async function placeOf(location: string, cwd: string, env: Env): Promise<string> {
  const root = dirname(resolve(location));
  if (resolve(cwd) === root) return root;
  const [mine, theirs] = await Promise.all(
    [cwd, root].map(async (folder) => {
      const said = await git(
        folder,
        ['rev-parse', '--path-format=absolute', '--git-common-dir', '--show-toplevel'],
        env,
      );
      const [common = '', top = ''] = said?.trim().split('\n') ?? [];
      return { common, top };
    }),
  );
  if (!mine || !theirs || mine.common === '' || mine.common !== theirs.common || mine.top === theirs.top) return root;
  return join(mine.top, relative(theirs.top, root));
}

/** One look at a working tree, kept apart from git's own index and objects. */
export class WorkingTree {
  readonly #root: string;
  readonly #env: Env;
  readonly #scratch: string;
  readonly #base: Env;
  /** What was hashed last. */
  #last: { index: Buffer; hash: string } | undefined;

  private constructor(root: string, env: Env, gitDir: string, objects: string) {
    this.#root = root;
    this.#base = env;
    this.#scratch = mkdtempSync(join(tmpdir(), 'coord-tree-'));
    const index = join(gitDir, 'index');
    // With what git knows of the files' times, so that only what has changed is read.
    // And with the index's own time, by which git tells whether a file may have changed in the same moment.
    if (existsSync(index)) {
      const { atime, mtime } = statSync(index);
      copyFileSync(index, join(this.#scratch, 'index'));
      utimesSync(join(this.#scratch, 'index'), atime, mtime);
    }
    this.#env = {
      ...env,
      GIT_INDEX_FILE: join(this.#scratch, 'index'),
      GIT_OBJECT_DIRECTORY: this.#scratch,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: objects,
    };
  }

  /** @returns undefined where there is no git, or no repository */
  static async open(root: string, env: Env): Promise<WorkingTree | undefined> {
    // A plain repository is seen without asking git, which would take as long as a fast check.
    const own = join(root, '.git');
    if (env['GIT_DIR'] === undefined && lstatSync(own, { throwIfNoEntry: false })?.isDirectory() === true)
      return new WorkingTree(root, env, own, join(own, 'objects'));
    const said = await git(root, ['rev-parse', '--absolute-git-dir', '--git-path', 'objects'], env);
    const [gitDir, objects] = said?.trim().split('\n') ?? [];
    return gitDir === undefined || objects === undefined
      ? undefined
      : new WorkingTree(root, env, gitDir, resolve(root, objects));
  }

  /** The hash of the tree as it is now. */
  async hash(): Promise<string | undefined> {
    const added = await git(
      this.#root,
      ['add', '--all', '--', '.', ':(exclude,top,glob)**/.coordination/**'],
      this.#env,
    );
    if (added === undefined) return undefined;
    // The same index is the same tree.
    if (this.#last && this.#index()?.equals(this.#last.index) === true) return this.#last.hash;
    const hash = (await git(this.#root, ['write-tree'], this.#env))?.trim();
    const index = this.#index(); // as git has left it
    this.#last = hash === undefined || index === undefined ? undefined : { index, hash };
    return hash;
  }

  /** Undefined where nothing was ever added. */
  #index(): Buffer | undefined {
    const path = join(this.#scratch, 'index');
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  /** Paths that differ between two of its hashes, from the root of the repository. */
  async changed(before: string, after: string): Promise<string[]> {
    return namesIn(
      await git(this.#root, ['diff-tree', '-r', '-z', '--name-only', '--relative', before, after], this.#env),
    );
  }

  /** Paths that have changed since a moment, committed or not; after {@link hash}. @param since  ISO 8601 UTC */
  async touchedSince(since: string | null): Promise<string[]> {
    return namesIn(await this.#diff(since, ['--name-only', '-z']));
  }

  /** What has changed in these files since a moment, as a patch; after {@link hash}. */
  async diffSince(since: string | null, files: readonly string[]): Promise<string> {
    return (await this.#diff(since, ['--', ...(files.length > 0 ? files : ['.'])])) ?? '';
  }

  async #diff(since: string | null, args: readonly string[]): Promise<string | undefined> {
    const base = await this.#baseOf(since);
    return git(
      this.#root,
      ['diff', '--cached', '--no-color', '--no-ext-diff', '--no-textconv', '--relative', base, ...args],
      this.#env,
    );
  }

  /** The last commit before that moment. */
  async #baseOf(since: string | null): Promise<string> {
    const before = since === null ? [] : [`--before=${since}`];
    const found = (await git(this.#root, ['rev-list', '-1', ...before, 'HEAD'], this.#base))?.trim();
    // Nothing was committed before it: all that is there is new. The id of git's empty tree.
    return found === undefined || found === '' ? '4b825dc642cb6eb9a060e54bf8d69288fbee4904' : found;
  }

  close(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

/** What these files hold: an approval is bound to it. */
export function headOf(root: string, files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files.toSorted()) hash.update(`${file}\0${contentOf(join(root, file))}\0`);
  return hash.digest('hex').slice(0, 40);
}

function contentOf(path: string): string {
  try {
    return lstatSync(path).isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'no file';
  } catch {
    return 'absent';
  }
}

function namesIn(list: string | undefined): string[] {
  return namesOf(list).filter((name) => !name.split('/').includes(BOARD));
}

const BOARD = '.coordination';
