/** Merging without a checkout: the tree that two commits make, the commit of it, and what stands against it. */
import type { Task } from '../model/task.ts';
import { clip, visible } from '../model/text.ts';
import { failed, git, gitOrThrow, namesOf, runGit } from './git.ts';
import type { Repository } from './repository.ts';

export type Merged =
  | { tree: string }
  /** Why it cannot be, in these files. */
  | { tree: undefined; why: 'conflict' | 'case'; files: string[] };

/**
 * @param folder  a checkout of ours at the first commit: its attributes hold, never those of the user's
 * @see https://git-scm.com/docs/git-merge-tree (OUTPUT)
 */
export async function merge(folder: string, onto: string, head: string, env: Repository['env']): Promise<Merged> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--messages', onto, head];
  const answer = await runGit(folder, args, env);
  const [tree = '', ...rest] = answer.stdout.split('\0');
  if (answer.code === 1 && tree !== '')
    return { tree: undefined, why: 'conflict', files: rest.slice(0, rest.indexOf('')) };
  if (answer.code !== 0) throw failed(args, answer);
  const clashes = await caseClashes(folder, onto, tree, env);
  return clashes.length > 0 ? { tree: undefined, why: 'case', files: clashes } : { tree };
}

/** Paths that a merge adds and that differ from others by case alone: many file systems can hold only one of them. */
async function caseClashes(folder: string, onto: string, tree: string, env: Repository['env']): Promise<string[]> {
  const added = namesOf(
    await git(folder, ['diff-tree', '-r', '-z', '--name-only', '--no-renames', '--diff-filter=A', onto, tree], env),
  );
  if (added.length === 0) return [];
  const all = namesOf(await gitOrThrow(folder, ['ls-tree', '-r', '-z', '--name-only', tree], env)).flatMap(withFolders);
  const known = new Map<string, Set<string>>();
  for (const path of all) {
    const folded = path.toLowerCase();
    known.set(folded, (known.get(folded) ?? new Set()).add(path));
  }
  const clashing = added.flatMap(withFolders).flatMap((path) => {
    const alike = known.get(path.toLowerCase());
    return alike !== undefined && alike.size > 1 ? [...alike] : [];
  });
  return [...new Set(clashing)];
}

function withFolders(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

/** Commits a merged tree. The commit names its task, and the try that it was made in. */
export async function commitMerge(
  { top, env }: Repository,
  { tree, onto, head, task, token }: { tree: string; onto: string; head: string; task: Task; token: string },
): Promise<string> {
  const signs = (await git(top, ['config', '--type=bool', '--get', 'commit.gpgSign'], env))?.trim() === 'true';
  const message = `Land ${task.id}: ${visible(clip(task.description, 60))}

Coord-Task: ${task.id}
Coord-Worker: ${task.claimed_by ?? ''}
Coord-Landing: ${token}
`;
  const args = ['commit-tree', tree, '-p', onto, '-p', head, ...(signs ? ['-S'] : []), '-F', '-'];
  return (await gitOrThrow(top, args, env, { input: message })).trim();
}

/** Landings that are looked through for who has changed a file. */
const MOST_LANDINGS = 200;
const SHOWN = 3;

/** Which landed tasks have changed these files since a branch was begun: `task-003 (1a2b3c4)`; the latest three. */
export async function othersOn(
  { top, env }: Repository,
  shared: string,
  head: string,
  files: readonly string[],
): Promise<string[]> {
  // By its names, not by paths: asked for those, git leaves out a merge that is just what was merged.
  const format = '--format=%x01%h%x09%(trailers:key=Coord-Task,valueonly,separator=%x20)%x09%s';
  const range = ['--first-parent', '-m', '--name-only', '-n', String(MOST_LANDINGS), `${head}..${shared}`];
  const said = await git(top, ['-c', 'core.quotePath=false', 'log', format, ...range], env);
  const wanted = new Set(files);
  const others = (said ?? '').split('\x01').flatMap((landing) => {
    const [line = '', ...names] = landing.split('\n');
    if (!names.some((name) => wanted.has(name))) return [];
    const [short = '', task = '', subject = ''] = line.split('\t');
    return [`${visible(task.trim() === '' ? clip(subject) : task.trim())} (${short})`];
  });
  return others.slice(0, SHOWN);
}

/** The merge by which a commit landed on a branch; undefined where it came there in another way. */
export async function mergeOf({ top, env }: Repository, head: string, branch: string): Promise<string | undefined> {
  const format = '--format=%H %P %(trailers:key=Coord-Landing,valueonly,separator=%x20)';
  const said = await git(top, ['log', '--first-parent', '--ancestry-path', format, `${head}..${branch}`], env);
  const line = (said ?? '').split('\n').find((one) => {
    const [, , second, token] = one.split(' ');
    return second === head && token !== undefined && token !== '';
  });
  return line?.split(' ')[0];
}
