/** Opens the board: the only file that names an adapter. */
import { renameSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { emptyBoard } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import type { InitBoard } from '../model/inputs.ts';
import { BoardStore } from './board-store.ts';
import { FileBackend, type FileOptions } from './file/backend.ts';
import type { AgentRecords } from './file/agents.ts';
import type { Tokens } from './file/tokens.ts';
import { explainErrno, replaceFile } from './file/atomic.ts';
import type { Tree } from './file/tree.ts';
import { type FindOptions, findTree, isFolder, namedTree } from './find.ts';
import { MemoryBackend } from './memory.ts';
import type { Finding, Store } from './store.ts';

export type { AgentRecords, ProcessId } from './file/agents.ts';

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
  const complete = withDefaults(options);
  return new BoardStore(new FileBackend(tree, complete), complete.now);
}

/** A board in memory that ends with the process. */
export function openMemoryStore(goal?: string, now: () => string = clock): Store {
  return new BoardStore(new MemoryBackend(emptyBoard(goal), now), now);
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
