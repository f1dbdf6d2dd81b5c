/** Finds the board, and opens it: the only file that names an adapter. */
import { readFileSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { emptyBoard } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import type { InitBoard } from '../model/inputs.ts';
import { BoardStore } from './board-store.ts';
import { FileBackend, type FileOptions } from './file/backend.ts';
import type { AgentRecords } from './file/agents.ts';
import type { Sessions } from './file/sessions.ts';
import type { Tokens } from './file/tokens.ts';
import { explainErrno, replaceFile } from './file/atomic.ts';
import { Tree, TREE_NAME } from './file/tree.ts';
import { MemoryBackend } from './memory.ts';
import type { Finding, Store } from './store.ts';

export type { AgentRecords, ProcessId } from './file/agents.ts';
export type { Session, Sessions } from './file/sessions.ts';

export interface OpenOptions extends Partial<FileOptions> {
  /** Where to start looking; default the working directory. */
  cwd?: string;
  /** The project's root or `.coordination/` itself, instead of looking. */
  dir?: string | undefined;
}

/**
 * Opens the board of this project: walks up from `cwd` to a `.coordination/`, as git finds `.git`. Inside a linked git
 * worktree without one, the main worktree's is used.
 *
 * @throws CoordError `not-initialised`
 */
export function openStore(options: OpenOptions = {}): Store {
  return openTree(findTree(options), options);
}

function openTree(tree: Tree, options: OpenOptions): Store {
  const complete = withDefaults(options);
  return new BoardStore(new FileBackend(tree, complete), complete.now);
}

/** A board in memory that ends with the process. */
export function openMemoryStore(goal?: string, now: () => string = clock): Store {
  return new BoardStore(new MemoryBackend(emptyBoard(goal), now), now);
}

/** The folder of the board. @throws CoordError `not-initialised` */
function findTree(options: OpenOptions): Tree {
  const cwd = resolve(options.cwd ?? '.');
  if (options.dir !== undefined) {
    const tree = namedTree(cwd, options.dir);
    if (isFolder(tree.root)) return tree;
    throw notInitialised(`There is no board at ${tree.root}.`);
  }
  for (let folder = cwd; ; folder = dirname(folder)) {
    const own = join(folder, TREE_NAME);
    if (isFolder(own)) return new Tree(own);
    const main = mainWorktree(folder);
    if (main !== undefined && isFolder(join(main, TREE_NAME))) return new Tree(join(main, TREE_NAME));
    if (dirname(folder) === folder) throw notInitialised(`There is no ${TREE_NAME}/ in ${cwd} or above.`);
  }
}

function notInitialised(message: string): CoordError {
  return new CoordError('not-initialised', message, { hint: 'coord leader init "<goal>"' });
}

/** `--dir` names the project's root, or the tree itself. */
function namedTree(cwd: string, dir: string): Tree {
  const path = resolve(cwd, dir);
  return new Tree(basename(path) === TREE_NAME ? path : join(path, TREE_NAME));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * The main worktree of a linked one: there `.git` is a file that names a folder whose `commondir` leads to the
 * repository. @see https://git-scm.com/docs/gitrepository-layout
 */
function mainWorktree(folder: string): string | undefined {
  const link = join(folder, '.git');
  if (!(statSync(link, { throwIfNoEntry: false })?.isFile() ?? false)) return undefined;
  try {
    const gitDir = resolve(
      folder,
      readFileSync(link, 'utf8')
        .replace(/^gitdir: /, '')
        .trim(),
    );
    const common = resolve(gitDir, readFileSync(join(gitDir, 'commondir'), 'utf8').trim());
    return basename(common) === '.git' ? dirname(common) : undefined;
  } catch {
    return undefined; // a submodule, or a repository that is gone
  }
}

/** Examines the stored files, and mends them with `fix`. @throws CoordError `not-initialised` */
export async function examine(options: OpenOptions, fix: boolean): Promise<Finding[]> {
  const { examineTree } = await import('./file/doctor.ts');
  return examineTree(findTree(options), withDefaults(options), fix);
}

/**
 * The tokens of workers that reach this board over HTTP.
 *
 * @param given  tokens by worker that hold besides the stored ones
 * @throws CoordError `not-initialised`
 */
export async function openTokens(
  options: OpenOptions,
  given: ReadonlyMap<string, string> = new Map(),
): Promise<Tokens> {
  const tree = findTree(options);
  const { Tokens: FileTokens } = await import('./file/tokens.ts');
  return new FileTokens(tree, withDefaults(options), given);
}

/** Which Claude Code session is which worker. @throws CoordError `not-initialised` */
export async function openSessions(options: OpenOptions): Promise<Sessions> {
  const tree = findTree(options);
  const { Sessions: FileSessions } = await import('./file/sessions.ts');
  return new FileSessions(tree);
}

/** What is known of the processes that orchestrators have started on this board. @throws CoordError `not-initialised` */
export async function openAgentRecords(options: OpenOptions): Promise<AgentRecords> {
  const tree = findTree(options);
  const { AgentRecords: FileRecords } = await import('./file/agents.ts');
  return new FileRecords(tree);
}

/** An error of the operating system in words that say what to do; any other error as it is. */
export function explainFailure(error: unknown): unknown {
  return explainErrno(error);
}

/** What {@link initStore} made. */
export interface Created {
  store: Store;
  /** Where an earlier board went, with `force`. */
  backup: string | undefined;
}

/**
 * Makes a board in `dir`, or in `cwd`. Of several processes that try, exactly one succeeds.
 *
 * @param options.force  puts an existing board aside as a backup first
 * @throws CoordError `already-initialised` when there is one here, or above without `dir`
 */
export async function initStore(input: InitBoard, options: OpenOptions & { force?: boolean } = {}): Promise<Created> {
  const cwd = resolve(options.cwd ?? '.');
  const tree = namedTree(cwd, options.dir ?? '.');
  const complete = withDefaults(options);
  refuseSecondBoard(tree, cwd, options);
  const backup = options.force === true ? putAside(tree, complete.now()) : undefined;
  tree.create();
  const backend = new FileBackend(tree, complete);
  const board = emptyBoard(input.goal);
  await backend.create(board);
  replaceFile(tree.plan, planText(input), tree.tmp, complete.durable);
  await backend.documents.addToLog([{ agent: 'leader', event: 'init', message: input.goal }]);
  return { store: new BoardStore(backend, complete.now), backup };
}

function refuseSecondBoard(tree: Tree, cwd: string, options: OpenOptions & { force?: boolean }): void {
  const isHere =
    isFolder(tree.root) && (isFolder(tree.commits) || statSync(tree.tasks, { throwIfNoEntry: false }) !== undefined);
  if (isHere && options.force !== true && !isEmpty(tree)) {
    throw new CoordError('already-initialised', `There is a board in ${tree.root} already.`, {
      hint: 'coord leader status to see it; coord leader init --force "<goal>" puts it aside and starts anew',
    });
  }
  if (isHere || options.dir !== undefined) return;
  let above: Tree | undefined;
  try {
    above = findTree({ cwd });
  } catch {
    return; // none above: free to begin
  }
  if (above.root === tree.root) return; // a folder that a crash left without a board
  throw new CoordError('already-initialised', `This folder already belongs to the board in ${above.root}.`, {
    hint: `coord leader status to see it; coord leader init --dir . "<goal>" for a board of its own in ${relative(dirname(above.root), cwd) || '.'}`,
  });
}

/** A tree without any commit and without tasks.json: an init that died half-way, to be done again. */
function isEmpty(tree: Tree): boolean {
  return statSync(tree.tasks, { throwIfNoEntry: false }) === undefined && !tree.hasCommits();
}

function putAside(tree: Tree, now: string): string | undefined {
  if (!isFolder(tree.root)) return undefined;
  const backup = `${tree.root}.backup-${now.replaceAll(/[-:.]/g, '')}`;
  renameSync(tree.root, backup);
  return backup;
}

function planText({ goal, approach }: InitBoard): string {
  const text = approach?.trim() ?? '';
  return `# Master plan\n\n## Goal\n\n${goal}\n\n## Approach\n\n${text === '' ? 'Not written yet. Write it with: coord leader plan --append "<approach>"' : text}\n`;
}

function withDefaults(options: OpenOptions): FileOptions {
  return {
    durable: options.durable ?? true,
    poll: options.poll ?? false,
    now: options.now ?? clock,
    notice: options.notice ?? (() => {}),
    at: options.at ?? (() => {}),
    lock: options.lock ?? true,
    canLink: options.canLink ?? true,
  };
}

function clock(): string {
  return new Date().toISOString();
}
