/** The files of one worktree: what is not committed, what is ignored, and what it gets a copy of. */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isRecord } from '../model/values.ts';
import { WORKTREES_FOLDER } from '../model/worktrees.ts';
import { type Env, git, gitOrThrow, namesOf, runGit } from './git.ts';

/** Patterns of ignored files that a new worktree gets a copy of; as Claude Code reads it. */
const INCLUDE = '.worktreeinclude';
/** In the folder that git keeps for a worktree: it is whole, and what was in it from the beginning. */
const READY = 'coord-ready.json';
/** Files and folders that are looked at before what holds them is kept as it is. */
const MOST_LOOKED = 50_000;

/** Where git keeps what is one linked worktree's own. */
export function ownFolder(path: string): string {
  return resolve(
    path,
    readFileSync(join(path, '.git'), 'utf8')
      .replace(/^gitdir: /, '')
      .trim(),
  );
}

export function isReady(path: string): boolean {
  return existsSync(join(path, '.git')) && existsSync(join(ownFolder(path), READY));
}

/** Marks a worktree as whole. @param ignored  what is ignored in it from the beginning, with what it holds */
export function markReady(path: string, ignored: Readonly<Record<string, string>>): void {
  writeFileSync(join(ownFolder(path), READY), `${JSON.stringify({ ignored })}\n`);
}

/** Head, branch, and what is neither committed nor ignored; from the root of a worktree. */
export async function statusOf(
  path: string,
  env: Env,
): Promise<{ head: string; branch: string; dirty: string[]; ignored: string[] }> {
  const args = ['status', '--porcelain=v2', '--branch', '--untracked-files=all', '--ignored=matching', '-z'];
  const entries = namesOf(await gitOrThrow(path, args, env));
  const of = (name: string): string =>
    entries.find((entry) => entry.startsWith(`# branch.${name} `))?.slice(`# branch.${name} `.length) ?? '';
  const dirty: string[] = [];
  const ignored: string[] = [];
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] ?? '';
    if (entry.startsWith('! ')) ignored.push(entry.slice(2));
    else if (entry.startsWith('? ')) dirty.push(entry.slice(2));
    else if (entry.startsWith('1 ')) dirty.push(fieldsFrom(entry, 8));
    else if (entry.startsWith('u ')) dirty.push(fieldsFrom(entry, 10));
    else if (entry.startsWith('2 ')) {
      dirty.push(fieldsFrom(entry, 9));
      i++; // the name before it was renamed stands behind
    }
  }
  const isOurs = (name: string): boolean => name.split('/').includes('.coordination');
  return { head: of('oid'), branch: of('head'), dirty: dirty.filter((name) => !isOurs(name)), ignored };
}

/** What stands behind so many fields: a path may have spaces. */
function fieldsFrom(entry: string, count: number): string {
  return entry.split(' ').slice(count).join(' ');
}

/** Our folders, and node_modules where it is a link to another's, are nobody's change. */
export function excludeFromStatus(common: string): void {
  const file = join(common, 'info', 'exclude');
  const known = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const wanted = [`/${WORKTREES_FOLDER}/`, '/node_modules'].filter((line) => !known.split('\n').includes(line));
  if (wanted.length === 0) return;
  mkdirSync(dirname(file), { recursive: true });
  // Never written anew: of several claims at once one might find it empty.
  appendFileSync(file, `${known === '' || known.endsWith('\n') ? '' : '\n'}${wanted.join('\n')}\n`);
}

/** Copies what is ignored and named in `.worktreeinclude`. @returns what was copied */
export async function copyIgnored(from: string, to: string, env: Env): Promise<string[]> {
  if (!existsSync(join(from, INCLUDE))) return [];
  const listed = await git(from, ['ls-files', '--others', '--ignored', `--exclude-from=${INCLUDE}`, '-z'], env);
  const names = namesOf(listed).filter((name) => !name.startsWith(`${WORKTREES_FOLDER}/`) && !name.endsWith('/'));
  if (names.length === 0) return [];
  const { stdout } = await runGit(from, ['check-ignore', '-z', '--stdin'], env, { input: names.join('\0') });
  const ignored = namesOf(stdout).filter((name) => !name.split('/').includes('.coordination'));
  for (const name of ignored) {
    const [source, target] = [join(from, name), join(to, name)];
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    if (lstatSync(source).isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (lstatSync(source).isFile()) copyFileSync(source, target);
  }
  return ignored;
}

/** The ignored files of a worktree with what they hold; folders as one, by their name alone. */
export async function ignoredIn(path: string, env: Env): Promise<Record<string, string>> {
  const { ignored } = await statusOf(path, env);
  return Object.fromEntries(ignored.map((name) => [name.replace(/\/$/, ''), digestOf(join(path, name))]));
}

function readyIn(path: string): Record<string, unknown> {
  try {
    const ready: unknown = JSON.parse(readFileSync(join(ownFolder(path), READY), 'utf8'));
    return isRecord(ready) && isRecord(ready['ignored']) ? ready['ignored'] : {};
  } catch {
    return {};
  }
}

function digestOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() === true) return `-> ${readlinkSync(path)}`;
  return stat?.isFile() === true ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
}

function isFolderAt(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function moveAcross(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    cpSync(from, to, { recursive: true, verbatimSymlinks: true }); // another file system
  }
}

/**
 * Moves ignored files and folders away that were made or changed since the worktree was: git would delete them. What a package
 * manager brings can be brought again.
 */
export function putAside(path: string, ignored: readonly string[], folder: string): void {
  const known = readyIn(path);
  const since = lstatSync(join(ownFolder(path), READY), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  for (const given of ignored) {
    const name = given.replace(/\/$/, ''); // how git writes a folder depends on what ignores it
    const from = join(path, name);
    const isKnown = isFolderAt(from)
      ? name.split('/').at(-1) === 'node_modules' || (name in known && !isTouchedSince(from, since))
      : known[name] === digestOf(from);
    if (isKnown || !existsSync(from)) continue;
    const to = join(folder, name);
    mkdirSync(dirname(to), { recursive: true });
    moveAcross(from, freeName(to));
  }
}

/** Whether anything in a folder was changed after a moment; one that is too large to be looked through was. */
function isTouchedSince(folder: string, since: number): boolean {
  const open = [folder];
  let looked = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      if (++looked > MOST_LOOKED || lstatSync(path).ctimeMs > since) return true;
      if (entry.isDirectory()) open.push(path);
    }
  }
  return false;
}

/** Whether a branch is the one of some checkout: read from where git keeps that, since it is asked for each landing. */
export function isCheckedOut(common: string, branch: string): boolean {
  const worktrees = join(common, 'worktrees');
  const own = existsSync(worktrees) ? readdirSync(worktrees).map((name) => join(worktrees, name)) : [];
  return [common, ...own].some((folder) => {
    const head = join(folder, 'HEAD');
    return existsSync(head) && readFileSync(head, 'utf8').trim() === `ref: refs/heads/${branch}`;
  });
}

/** What was put aside before stays. */
function freeName(path: string): string {
  let free = path;
  for (let n = 2; existsSync(free); n++) free = `${path}.${n}`;
  return free;
}
