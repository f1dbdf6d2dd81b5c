/** Opens the board, and what stands beside it. */
import { resolve } from 'node:path';
import { emptyBoard } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import { InitBoard } from '../model/inputs.ts';
import { isAddress, parseAddress, shownAddress } from './address.ts';
import { readConfig } from './file/config.ts';
import type { Tree } from './file/tree.ts';
import { BoardStore } from './board-store.ts';
import { machineTime } from './clock.ts';
import type { AllowedCheck, CheckRecords } from './file/check-records.ts';
import { explainErrno } from './file/errno.ts';
import { notInitialised } from './file/guard.ts';
import { revokeBoard, type TrustedBoard, trustBoard, trustedBoards } from './file/trusted.ts';
import { findOrBegin, isFolder, namedTree, treeToBegin } from './file/find.ts';
import { MemoryBackend } from './memory/backend.ts';
import type { WebLinks } from './file/web-links.ts';
import type { RunRecords } from './run-records.ts';
import {
  type InitOptions,
  openBackend,
  type OpenOptions,
  openRegistry,
  type Place,
  placeOf,
  withDefaults,
} from './place.ts';
import type { Finding, Store } from './store.ts';
import type { Tokens } from './tokens.ts';

export type { WebLink, WebLinks } from './file/web-links.ts';
export type { AllowedCheck, CheckRecords, InitOptions, OpenOptions };
export { stateFolderOf } from './state-folder.ts';
export { projectRoot, withoutLinks } from './file/find.ts';

/**
 * Opens the board of this project: walks up from `cwd` to a `.coordination/`, as git finds `.git`. Inside a linked git
 * worktree without one, the main worktree's is used.
 *
 * @throws CoordError `not-initialised`
 */
export function openStore(options: OpenOptions = {}): Store {
  return new BoardStore(openBackend(placeOf(options), options));
}

/**
 * The board as it was seen last on this machine, where a server keeps it and would have to be asked; undefined where it need not,
 * or was never seen.
 */
export async function openLocalCopy(options: OpenOptions): Promise<Store | undefined> {
  const { tree, address } = placeOf(options);
  if (!address) return undefined;
  const { LocalCopyFiles } = await import('./file/local-copy.ts');
  const { stateFolder } = options;
  const copy = new LocalCopyFiles(tree, { stateFolder, isLedHere: () => false, notice: () => {} });
  const last = copy.last(address.board);
  if (!last) return undefined;
  const now = (): string => new Date(Date.now() + last.skewMs).toISOString();
  return new BoardStore(new MemoryBackend(last.board, now));
}

/** Whether a look at the board asks a server. @throws CoordError `not-initialised` */
export function isOnServer(options: OpenOptions): boolean {
  return placeOf(options).address !== undefined;
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

/** Boards on servers: to make their tables, to join, to move and to examine them. */
export async function openServers(options: OpenOptions) {
  const [servers, { moveBoard }] = await Promise.all([import('./server.ts'), import('./move-board.ts')]);
  /** What was named, else COORD_STORE, else what the folder says; and what says so. */
  const placeNamed = (text: string | undefined): { place: Place; source: string | undefined } => {
    if (text !== undefined && isAddress(text))
      return { place: { tree: findOrBegin(options), address: parseAddress(text), isOwn: true }, source: undefined };
    const place = placeOf(text === undefined ? options : { ...options, dir: text });
    return { place, source: place.isOwn ? 'COORD_STORE' : place.tree.config };
  };
  return {
    migrationScript: servers.migrationScript,
    status(text: string | undefined) {
      const { place, source } = placeNamed(text);
      return servers.examineStore(place, source, options);
    },
    /** @throws CoordError `usage` where no server is named */
    async migrate(text: string | undefined) {
      const { address, isOwn } = placeNamed(text).place;
      if (!address)
        throw new CoordError('usage', 'This board is kept in files: name a server.', {
          hint: 'coord store migrate postgres://user@host/database',
        });
      return servers.migrateStore({ address, isOwn }, options);
    },
    connect: (text: string, board: string | undefined) => servers.connect(text, { ...options, board }),
    move: (from: string, to: string) => moveBoard(from, to, options),
  };
}

/** Examines the stored files, and mends them with `fix`. @throws CoordError `not-initialised` */
export async function examine(options: OpenOptions, fix: boolean): Promise<Finding[]> {
  const place = placeOf(options);
  if (place.address) {
    const { examineServer } = await import('./server.ts');
    return examineServer(place, options);
  }
  const { examineTree } = await import('./file/doctor.ts');
  return examineTree(place.tree, withDefaults(options), fix);
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
  return new TokensOf(await openRegistry(placeOf(options), options), given);
}

/** What is known of the processes that orchestrators have started on this board. @throws CoordError `not-initialised` */
export async function openRunRecords(options: OpenOptions): Promise<RunRecords> {
  const place = placeOf(options);
  const { RunRecords: RecordsOf } = await import('./run-records.ts');
  const { TranscriptFiles } = await import('./file/transcripts.ts');
  // A power cut ends the processes too: nothing to wait for the disk for.
  const registry = await openRegistry(place, { ...options, durable: false });
  return new RecordsOf(registry, new TranscriptFiles(place.tree, options.stateFolder));
}

/** Where the page of this board is served from. */
export async function openWebLinks(store: Store, { stateFolder }: OpenOptions): Promise<WebLinks> {
  const { WebLinks: LinksOf } = await import('./file/web-links.ts');
  return new LinksOf(stateFolder, store.location);
}

/** The servers that may get this user's password. */
export async function openAllowedStores({ stateFolder }: OpenOptions) {
  const { allowedStores, revokeStore } = await import('./file/allowed-stores.ts');
  return {
    all: () => allowedStores(stateFolder),
    /** @returns false where it was not allowed */
    remove: (url: string) => revokeStore(stateFolder, url),
  };
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

/** An error of the operating system in words that say what to do; any other error as it is. */
export function explainFailure(error: unknown): unknown {
  return explainErrno(error);
}

/** Where {@link initStore} would make it: the path of `.coordination/`. */
export function placeOfNewBoard(options: OpenOptions): string {
  return treeOfNew(options).root;
}

function treeOfNew({ cwd, dir }: OpenOptions): Tree {
  const from = resolve(cwd ?? '.');
  return dir === undefined ? treeToBegin(from) : namedTree(from, dir);
}

/** What {@link initStore} made. */
export interface Created {
  store: Store;
  /** Where an earlier board went, with `force`: a path, or its name on the server. */
  backup: string | undefined;
  /** Of the board, where a server keeps it; without a password. */
  address: string | undefined;
}

/** Where a board that is put aside is kept, there the new one is too. */
function ledTo(options: InitOptions): string | undefined {
  const address = options.force === true ? readConfig(treeOfNew(options)) : undefined;
  return address && shownAddress(address);
}

/**
 * Makes a board in `dir`, or in `cwd`. Of several processes that try, exactly one succeeds.
 *
 * @throws CoordError `already-initialised` when there is one here, or above without `dir`, or of this name on the server
 */
export async function initStore(input: InitBoard, options: InitOptions = {}): Promise<Created> {
  const own = options.store ?? (options.env?.['COORD_STORE'] || undefined);
  const given = own ?? ledTo(options);
  if (given !== undefined) {
    const { initOnServer } = await import('./server.ts');
    const { place, backup } = await initOnServer(input, given, own !== undefined, options);
    const { address } = place;
    return { store: new BoardStore(openBackend(place, options)), backup, address: address && shownAddress(address) };
  }
  if (options.board !== undefined)
    throw new CoordError('usage', '--board names a board on a server: say which with --store.');
  const { initFolder } = await import('./file/init.ts');
  const { backend, backup } = await initFolder(input, {
    ...withDefaults(options),
    cwd: options.cwd,
    dir: options.dir,
    force: options.force === true,
  });
  return { store: new BoardStore(backend), backup, address: undefined };
}
