/** Opens the board: the only file that names an adapter. */
import { lstatSync, realpathSync, renameSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { emptyBoard } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import { InitBoard, parseInput } from '../model/inputs.ts';
import { BoardStore } from './board-store.ts';
import type { AgentRecords } from './file/agents.ts';
import { namesIn, replaceFile } from './file/atomic.ts';
import { boardClock, FileBackend, type FileOptions } from './file/backend.ts';
import { explainErrno } from './file/errno.ts';
import { checkRoot, checkTree, notInitialised } from './file/guard.ts';
import { scratchName } from './file/scratch.ts';
import type { Tokens } from './file/tokens.ts';
import type { Tree } from './file/tree.ts';
import { revokeBoard, type TrustedBoard, trustBoard, trustedBoards } from './file/trusted.ts';
import { type FindOptions, findTree, isFolder, namedTree, treeToBegin } from './find.ts';
import { MemoryBackend } from './memory.ts';
import type { Finding, Store } from './store.ts';

export { stateFolderOf } from './state-folder.ts';
export type { AgentRecords, Liveness } from './file/agents.ts';
export type { AgentRecord, ProcessId } from './file/registry.ts';

export interface OpenOptions extends FindOptions, Partial<FileOptions> {}

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
  return new BoardStore(new FileBackend(tree, withDefaults(options)));
}

/** A board in memory that ends with the process. */
export function openMemoryStore(goal?: string, now: () => string = clock): Store {
  return new BoardStore(new MemoryBackend(emptyBoard(goal), now));
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
  const { Tokens: FileTokens } = await import('./file/tokens.ts');
  return new FileTokens(await openRegistry(findTree(options), options), given);
}

/** What is known of the processes that orchestrators have started on this board. @throws CoordError `not-initialised` */
export async function openAgentRecords(options: OpenOptions): Promise<AgentRecords> {
  const tree = findTree(options);
  const { AgentRecords: FileRecords } = await import('./file/agents.ts');
  // A power cut ends the processes too: nothing to wait for the disk for.
  return new FileRecords(tree, await openRegistry(tree, { ...options, durable: false }), options.stateFolder);
}

/** The boards of other users that this one has allowed. */
export function openTrust(options: OpenOptions) {
  const { stateFolder } = options;
  const rootOf = (path: string): string => namedTree(resolve(options.cwd ?? '.'), path).root;
  return {
    /** @throws CoordError `not-initialised`, `board-unsafe` where there is no folder of a board */
    add(path: string): TrustedBoard {
      const root = rootOf(path);
      if (!isFolder(root)) throw notInitialised(`There is no board at ${root}.`);
      return trustBoard(stateFolder, root);
    },
    all: (): TrustedBoard[] => trustedBoards(stateFolder),
    /** @returns false where it was not allowed */
    remove: (path: string): boolean => revokeBoard(stateFolder, realOr(rootOf(path))),
  };
}

/** The real path, or the path itself where nothing is there any more. */
function realOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

async function openRegistry(tree: Tree, options: OpenOptions) {
  const { RegistryFile } = await import('./file/registry.ts');
  const complete = withDefaults(options);
  return new RegistryFile(tree, { ...complete, now: complete.now ?? boardClock(tree) });
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
export async function initStore(given: InitBoard, options: OpenOptions & { force?: boolean } = {}): Promise<Created> {
  const input = parseInput(InitBoard, given);
  const cwd = resolve(options.cwd ?? '.');
  const tree = options.dir === undefined ? treeToBegin(cwd) : namedTree(cwd, options.dir);
  try {
    refuseSecondBoard(tree, cwd, options);
    const complete = withDefaults(options);
    const now = complete.now ?? (() => new Date().toISOString());
    if (isFolder(tree.root)) checkRoot(tree, options.stateFolder);
    const backup = options.force === true ? putAside(tree, now()) : undefined;
    if (lstatSync(tree.root, { throwIfNoEntry: false })) checkTree(tree, options.stateFolder);
    tree.create();
    const backend = new FileBackend(tree, complete);
    await backend.create(emptyBoard(input.goal));
    try {
      replaceFile(tree.plan, planText(input), { scratch: scratchName(tree.tmp), durable: complete.durable });
      await backend.documents.addToLog([{ agent: 'leader', event: 'init', message: input.goal }]);
    } catch (error) {
      const reason = explainErrno(error);
      complete.notice(`The board is made, but not its plan: ${reason instanceof Error ? reason.message : 'unknown'}`);
    }
    return { store: new BoardStore(backend), backup };
  } catch (error) {
    throw explainErrno(error);
  }
}

function refuseSecondBoard(tree: Tree, cwd: string, options: OpenOptions & { force?: boolean }): void {
  const isHere =
    isFolder(tree.root) && (isFolder(tree.commits) || lstatSync(tree.tasks, { throwIfNoEntry: false }) !== undefined);
  if (isHere && options.force !== true && !isEmpty(tree)) {
    throw new CoordError('already-initialised', `There is a board in ${tree.root} already.`, {
      hint: 'coord leader status to see it; coord leader init --force "<goal>" puts it aside and starts anew',
    });
  }
  if (isHere || options.dir !== undefined) return;
  let above: Tree | undefined;
  try {
    above = findTree({ cwd, stateFolder: options.stateFolder });
  } catch {
    return; // none above, or none of ours: free to begin
  }
  if (above.root === tree.root) return; // a folder that a crash left without a board
  throw new CoordError('already-initialised', `This folder already belongs to the board in ${above.root}.`, {
    hint: `coord leader status to see it; coord leader init --dir . "<goal>" for a board of its own in ${relative(dirname(above.root), cwd) || '.'}`,
  });
}

/** A tree without any commit and without tasks.json: an init that died half-way, to be done again. */
function isEmpty(tree: Tree): boolean {
  return lstatSync(tree.tasks, { throwIfNoEntry: false }) === undefined && namesIn(tree.commits).length === 0;
}

/** @returns where an existing board went */
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
    stateFolder: options.stateFolder,
    now: options.now,
    notice: options.notice ?? (() => {}),
    at: options.at ?? (() => {}),
    lock: options.lock ?? true,
    canLink: options.canLink ?? true,
  };
}

function clock(): string {
  return new Date().toISOString();
}
