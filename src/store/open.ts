/** Opens the board: the only file that names an adapter. */
import { resolve } from 'node:path';
import { emptyBoard } from '../model/board.ts';
import { InitBoard } from '../model/inputs.ts';
import { BoardStore } from './board-store.ts';
import { machineTime } from './clock.ts';
import { boardClock } from './file/board-clock.ts';
import type { AllowedCheck, CheckRecords } from './file/check-records.ts';
import { explainErrno } from './file/errno.ts';
import { notInitialised } from './file/guard.ts';
import type { Tree } from './file/tree.ts';
import { revokeBoard, type TrustedBoard, trustBoard, trustedBoards } from './file/trusted.ts';
import { type FindOptions, findTree, isFolder, namedTree, treeToBegin } from './file/find.ts';
import { MemoryBackend } from './memory/backend.ts';
import type { Registry } from './registry.ts';
import type { RunRecords } from './run-records.ts';
import type { Finding, Store } from './store.ts';
import type { Tokens } from './tokens.ts';
import { type FileOptions, FileBackend } from './file/backend.ts';

export type { AllowedCheck, CheckRecords };
export { stateFolderOf } from './state-folder.ts';
export { projectRoot, withoutLinks } from './file/find.ts';

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
export function openMemoryStore(goal?: string, now: () => string = machineTime): Store {
  return new BoardStore(new MemoryBackend(emptyBoard(goal), now));
}

/** Writes a report where a person wants it, beside the board. @throws CoordError `store-unavailable` */
export async function exportFile(path: string, text: string, options: OpenOptions): Promise<void> {
  const { exportFile: write } = await import('./file/export.ts');
  write(path, text, options.durable ?? true);
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
  const { Tokens: TokensOf } = await import('./tokens.ts');
  return new TokensOf(await openRegistry(findTree(options), options), given);
}

/** What is known of the processes that orchestrators have started on this board. @throws CoordError `not-initialised` */
export async function openRunRecords(options: OpenOptions): Promise<RunRecords> {
  const tree = findTree(options);
  const { RunRecords: RecordsOf } = await import('./run-records.ts');
  const { TranscriptFiles } = await import('./file/transcripts.ts');
  // A power cut ends the processes too: nothing to wait for the disk for.
  const registry = await openRegistry(tree, { ...options, durable: false });
  return new RecordsOf(registry, new TranscriptFiles(tree, options.stateFolder));
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
    remove: (path: string): boolean => revokeBoard(stateFolder, rootOf(path)),
  };
}

/** What this user has allowed to be run as checks of this board. @param commit  of the board */
export async function openCheckRecords(
  store: Store,
  options: OpenOptions,
  commit: string | undefined,
  forNow: readonly string[] = [],
): Promise<CheckRecords> {
  const { CheckRecords: RecordsOf } = await import('./file/check-records.ts');
  return new RecordsOf(options.stateFolder, store.location, commit, forNow);
}

/** Takes a command back for every board. @returns false where it was allowed for none */
export async function revokeCheck(options: OpenOptions, command: string): Promise<boolean> {
  const { revokeCheck: revoke } = await import('./file/check-records.ts');
  return revoke(options.stateFolder, command);
}

/** The same for all boards. */
export async function openAllowedChecks(options: OpenOptions): Promise<AllowedCheck[]> {
  const { allowedChecks } = await import('./file/check-records.ts');
  return allowedChecks(options.stateFolder);
}

async function openRegistry(tree: Tree, options: OpenOptions): Promise<Registry> {
  const { RegistryFile } = await import('./file/registry.ts');
  const complete = withDefaults(options);
  return new RegistryFile(tree, { ...complete, now: complete.now ?? boardClock(tree) });
}

/** An error of the operating system in words that say what to do; any other error as it is. */
export function explainFailure(error: unknown): unknown {
  return explainErrno(error);
}

/** Where {@link initStore} would make it: the path of `.coordination/`. */
export function placeOfNewBoard({ cwd, dir }: OpenOptions): string {
  const from = resolve(cwd ?? '.');
  return (dir === undefined ? treeToBegin(from) : namedTree(from, dir)).root;
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
  const { initFolder } = await import('./file/init.ts');
  const { backend, backup } = await initFolder(input, {
    ...withDefaults(options),
    cwd: options.cwd,
    dir: options.dir,
    force: options.force === true,
  });
  return { store: new BoardStore(backend), backup };
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
