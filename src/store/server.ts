/** Boards that a server keeps: made, joined and examined. Loaded by the commands that do so. */
import { basename, dirname } from 'node:path';
import { CoordError } from '../model/errors.ts';
import { isName } from '../model/limits.ts';
import { movedAway } from '../model/moved.ts';
import { parseInput } from '../model/parse-input.ts';
import { plural } from '../model/text.ts';
import { InitBoard } from '../model/verbs/init-board.ts';
import { hasPassword, parseAddress, shownAddress, type StoreAddress } from './address.ts';
import { machineTime } from './clock.ts';
import { newContent } from './content.ts';
import { allowStore } from './file/allowed-stores.ts';
import { FileBackend } from './file/backend.ts';
import { readConfig, writeConfig } from './file/config.ts';
import { explainErrno } from './file/errno.ts';
import { isFileBoard } from './file/find.ts';
import { makeFolder, refuseSecondBoard, treeOf } from './file/init.ts';
import type { Tree } from './file/tree.ts';
import { accessTo, type InitOptions, type OpenOptions, type Place, withDefaults } from './place.ts';
import { createBoard } from './postgres/content.ts';
import { Database } from './postgres/database.ts';
import { migrate } from './postgres/migrate.ts';
import { migrationScript, SCHEMA_VERSION } from './postgres/schema.ts';
import { noSuchBoard, soleBoard } from './postgres/statements.ts';
import { statusOf } from './postgres/status.ts';
import type { Finding } from './store.ts';

export { migrationScript };

/** A board's address in full. */
export type NamedAddress = StoreAddress & { board: string };

/** A board on a server, and whether this user has typed where it is. */
export interface OnServer<A extends StoreAddress = NamedAddress> {
  address: A;
  isOwn: boolean;
}

/**
 * Makes a board on a server, and the folder that leads there.
 *
 * @param isOwn  whether this user has named the server
 */
export async function initOnServer(
  given: InitBoard,
  text: string,
  isOwn: boolean,
  options: InitOptions,
): Promise<{ place: Place; backup: string | undefined }> {
  const input = parseInput(InitBoard, given);
  const tree = treeOf(options);
  const address = named(parseAddress(text, { board: options.board }), tree);
  refusePassword(text, address, options);
  const now = (options.now ?? machineTime)();
  try {
    refuseSecondBoard(tree, { ...withDefaults(options), ...options, force: options.force === true });
  } catch (error) {
    throw explainErrno(error);
  }
  const backup = options.force === true ? backupOf(address.board, now) : undefined;
  const wasThere = await onServer({ address, isOwn }, options, (database) =>
    createBoard(database, address.board, newContent(input, now), backup === undefined ? {} : { backup }),
  );
  leadTo(tree, address, options);
  return { place: { tree, address, isOwn: true }, backup: wasThere ? backup : undefined };
}

/** What {@link connect} found. */
export interface Joined {
  address: string;
  /** The folder. */
  dir: string;
  tasks: number;
  /** Where the folder led before, if that was elsewhere. */
  before: string | undefined;
}

/** Leads this folder to a board that is there. @throws CoordError `board-moved` where it has moved on */
export async function connect(text: string, options: InitOptions): Promise<Joined> {
  const tree = treeOf(options);
  const wanted = parseAddress(text, { board: options.board });
  refusePassword(text, wanted, options);
  const before = beforeIn(tree);
  if (isFileBoard(tree)) throw hasFiles(tree);
  const place = { address: wanted, isOwn: true };
  const board = wanted.board ?? (await onServer(place, options, (database) => database.run(soleBoard)));
  const address = { ...wanted, board };
  const { tasks, moved_to } = await onServer(place, options, (database) => statusOf(database, address));
  if (moved_to !== undefined) throw movedAway(moved_to);
  if (tasks === undefined) throw noSuchBoard(board);
  leadTo(tree, address, options);
  const shown = shownAddress(address);
  return { address: shown, dir: tree.root, tasks, before: before === shown ? undefined : before };
}

/** Where a folder leads; a config.json that cannot be read leads nowhere, and is about to be replaced. */
function beforeIn(tree: Tree): string | undefined {
  try {
    const address = readConfig(tree);
    return address && shownAddress(address);
  } catch {
    return undefined;
  }
}

export function hasFiles(tree: Tree): CoordError {
  return new CoordError('already-initialised', `There is a board in files in ${tree.root}.`, {
    details: { why: 'files' },
  });
}

/** Writes where the board is into the folder, and that this user has said so. */
function leadTo(tree: Tree, address: NamedAddress, options: InitOptions): void {
  try {
    makeFolder(tree, { ...withDefaults(options), force: options.force === true });
    writeConfig(tree, address);
    allowStore(options.stateFolder, address);
  } catch (error) {
    throw explainErrno(error);
  }
}

/** The name of a board that was put aside. @param now  ISO 8601 UTC */
export function backupOf(board: string, now: string): string {
  return `${board}.backup-${now.replaceAll(/[-:.]/g, '')}`;
}

/** By default a board is called as the folder of its project. */
export function named(address: StoreAddress, tree: Tree): NamedAddress {
  const folder = basename(dirname(tree.root))
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 64);
  return { ...address, board: address.board ?? (isName(folder) ? folder : 'main') };
}

/** In COORD_STORE it may be; what is typed stands in the history of a shell, and would be written to a file. */
export function refusePassword(text: string, address: StoreAddress, { env }: OpenOptions): void {
  if (!hasPassword(address) || text === env?.['COORD_STORE']) return;
  throw new CoordError(
    'invalid-input',
    'The address of the store holds a password, which would be written to a file.',
    {
      details: { why: 'store-password' },
    },
  );
}

export async function onServer<T>(
  { address, isOwn }: OnServer<StoreAddress>,
  options: OpenOptions,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = Database.of(address, accessTo(address, isOwn, options));
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** What is known of the place of a board. */
export interface StoreStatus {
  store: 'files' | 'postgres';
  /** A path, or an address without a password. */
  location: string;
  /** What says so: COORD_STORE, the path of config.json, or the command line. */
  source?: string | undefined;
  board?: string | undefined;
  reachable: boolean;
  /** Of one way there and back, milliseconds. */
  latency_ms?: number;
  server_version?: string;
  /** Of the tables, and the one that this coord knows. */
  schema_version?: number;
  known_schema_version?: number;
  /** Whether waiting is woken by the server. */
  notifications?: boolean;
  revision?: number;
  tasks?: number;
  /** Where it is now, if it has moved. */
  moved_to?: string;
  /** Boards that are there, where this one is not. */
  boards?: string[];
  /** What is wrong, and of which kind it is. */
  problem?: { message: string; why: string | undefined };
}

/** @param place  of the board @throws CoordError `not-initialised` */
export async function examineStore(
  place: Place,
  source: string | undefined,
  options: OpenOptions,
): Promise<StoreStatus> {
  const { tree, address, isOwn } = place;
  if (!address) {
    const { revision, tasks, moved_to } = await new FileBackend(tree, withDefaults(options)).read();
    const moved = moved_to === undefined ? {} : { moved_to };
    return { store: 'files', location: tree.root, reachable: true, revision, tasks: tasks.length, ...moved };
  }
  const location = shownAddress(address);
  const known = { store: 'postgres' as const, location, source, known_schema_version: SCHEMA_VERSION };
  try {
    const found = await onServer({ address, isOwn }, options, (database) => statusOf(database, address));
    return { reachable: false, ...known, ...found };
  } catch (error) {
    if (!(error instanceof CoordError)) throw error;
    return { ...known, reachable: false, problem: { message: error.message, why: error.details?.why } };
  }
}

/** The same as what a doctor finds: nothing of it a program can mend. @throws CoordError `not-initialised` */
export async function examineServer(place: Place, options: OpenOptions): Promise<Finding[]> {
  const found = await examineStore(place, undefined, options);
  const { reachable, latency_ms, server_version, schema_version, notifications, revision, tasks = 0 } = found;
  if (!reachable) return [{ check: 'server', ok: false, message: found.problem?.message ?? found.location }];
  const server = { check: 'server', ok: true, message: `PostgreSQL ${server_version}, ${latency_ms} ms away` };
  const isCurrent = schema_version === SCHEMA_VERSION;
  const tables = { check: 'tables', ok: isCurrent, message: `version ${schema_version} of ${SCHEMA_VERSION}` };
  if (revision === undefined)
    return [server, tables, { check: 'board', ok: false, message: `${found.board} is not there` }];
  const wakes = notifications === true ? 'arrive' : 'do not arrive: who waits looks every 5 s';
  const moved = found.moved_to === undefined ? '' : `, moved to ${found.moved_to}`;
  return [
    server,
    tables,
    { check: 'notifications', ok: notifications === true, message: wakes },
    {
      check: 'board',
      ok: moved === '',
      message: `${found.board}, revision ${revision}, ${plural(tasks, 'task')}${moved}`,
    },
  ];
}

/** Makes or upgrades the tables. @returns the versions before and after */
export function migrateStore(
  place: OnServer<StoreAddress>,
  options: OpenOptions,
): Promise<{ from: number; to: number }> {
  return onServer(place, options, migrate);
}
