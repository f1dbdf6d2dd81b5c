/**
 * Moves a board: it ends where it was, for whoever has it open too, and goes on where it is moved to. Once it is marked as moved
 * nothing changes there, so that what is read is all there is; the copy is compared with it before anything is led to it.
 * Begun again after a crash it goes on.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { CoordError } from '../model/errors.ts';
import { moveAway, stay } from '../model/moved.ts';
import { isRecord } from '../model/values.ts';
import { isAddress, parseAddress, shownAddress } from './address.ts';
import { machineTime } from './clock.ts';
import { type BoardContent, inventoryOf } from './content.ts';
import { allowStore } from './file/allowed-stores.ts';
import { FileBackend } from './file/backend.ts';
import { readConfig, removeConfig, writeConfig } from './file/config.ts';
import { readContent as readFiles, writeContent } from './file/content.ts';
import { explainErrno } from './file/errno.ts';
import { findOrBegin, isFileBoard, isFolder, namedTree } from './file/find.ts';
import { makeFolder, putAside } from './file/init.ts';
import { Tree } from './file/tree.ts';
import { accessTo, type OpenOptions, openRegistry, type Place, withDefaults } from './place.ts';
import { PostgresBackend } from './postgres/backend.ts';
import { createBoard, readContent, removeBoard } from './postgres/content.ts';
import { Database } from './postgres/database.ts';
import { backupOf, hasFiles, named, type OnServer, onServer, refusePassword } from './server.ts';
import type { Backend } from './store.ts';

/** A board to move from, or a place to move to. */
type End = { label: string } & ({ server: OnServer; tree: undefined } | { server: undefined; tree: Tree });

/** What {@link moveBoard} did. */
export interface Moved {
  from: string;
  to: string;
  /** Whether other machines can be led there. */
  isOnServer: boolean;
  /** How many there are of each kind. */
  counts: Record<string, number>;
}

/**
 * @param fromText,toText  each the address of a server, or a folder
 * @throws CoordError `task-state` while somebody holds a task, `already-initialised` where a board is there
 */
export async function moveBoard(fromText: string, toText: string, options: OpenOptions): Promise<Moved> {
  const to = endOf(toText, options);
  const from = sourceOf(fromText, to, options);
  if (from.label === to.label)
    throw new CoordError('already-initialised', 'The board is there already.', { details: { why: 'moved' } });
  const now = machineTime();
  await refuseRunning(from, options);
  // What can be known before is refused before: everybody would see the mark.
  const { moved_to } = await onBackend(from, options, (backend) => backend.read());
  if (moved_to !== to.label) await refuseTaken(to, from, options);
  const { wasBegun } = await onBackend(from, options, (backend) =>
    backend.commit((board, at) => {
      const moving = moveAway(board, to.label, at);
      return { ...moving, answer: { wasBegun: moving.board === undefined } };
    }),
  );
  let isMade = false;
  try {
    if (from.tree && to.server) writeConfig(from.tree, to.server.address); // from here on its texts stand still too
    const content = await contentToMove(from, options);
    isMade = to.server
      ? await writeToServer(to.server, content, from, now, options)
      : await writeToFolder(to.tree, content, now, options);
    refuseDifferent(content, await contentOf(to, options));
    if (to.server) leadFolders(from, to.server, now, options);
    const counts = Object.fromEntries(Object.entries(inventoryOf(content)).map(([name, { count }]) => [name, count]));
    return { from: from.label, to: to.label, isOnServer: to.server !== undefined, counts };
  } catch (error) {
    // What an earlier try has begun may be in use by now.
    if (!wasBegun) await takeBack(from, to, isMade, options);
    throw explainErrno(error);
  }
}

/** The folder that it comes from keeps nothing that could be taken for a board; one that led to where it was leads on. */
function leadFolders(from: End, { address }: OnServer, now: string, options: OpenOptions): void {
  allowStore(options.stateFolder, address);
  if (from.tree && isFolder(from.tree.commits)) {
    mkdirSync(from.tree.rejected, { recursive: true });
    renameSync(from.tree.commits, join(from.tree.rejected, backupOf('commits', now)));
  }
  const here = findOrBegin(options);
  const led = from.server && isFolder(here.root) ? readConfig(here) : undefined;
  if (led && led.url === from.server?.address.url && led.board === from.server.address.board)
    writeConfig(here, address);
}

/** @throws CoordError `already-initialised`, `store-unavailable` where the tables are missing */
async function refuseTaken({ server, tree }: End, from: End, options: OpenOptions): Promise<void> {
  if (tree && isFileBoard(tree)) throw hasFiles(tree);
  if (!server) return;
  const { board } = server.address;
  const text = 'SELECT head FROM coord.boards WHERE name = $1';
  const [[there] = []] = await onServer(server, options, (database) =>
    database.run((trip) => trip({ text, values: [board] })),
  );
  const head = there?.['head'];
  if (there && !(isRecord(head) && head['moved_to'] === from.label)) throw nameTaken(board);
}

function nameTaken(board: string): CoordError {
  return new CoordError('already-initialised', `There is a board ${board} in that database already.`, {
    details: { why: 'name-taken' },
  });
}

async function takeBack(from: End, to: End, isMade: boolean, options: OpenOptions): Promise<void> {
  const { server } = to;
  if (from.tree && server) removeConfig(from.tree);
  if (server && isMade) await onServer(server, options, (database) => removeBoard(database, server.address.board));
  await onBackend(from, options, (backend) => backend.commit((board) => stay(board)));
}

function endOf(text: string, options: OpenOptions): End {
  const cwd = resolve(options.cwd ?? '.');
  if (isAddress(text)) {
    const given = parseAddress(text);
    refusePassword(text, given, options);
    const address = named(given, findOrBegin({ ...options, cwd }));
    return { label: shownAddress(address), server: { address, isOwn: true }, tree: undefined };
  }
  const tree = namedTree(cwd, text);
  return { label: `${tree.root} on ${hostname()}`, server: undefined, tree };
}

/** A folder may lead to a server; not where it leads since an earlier try of the same move. */
function sourceOf(text: string, to: End, options: OpenOptions): End {
  const end = endOf(text, options);
  const led = end.tree && readConfig(end.tree);
  if (!end.tree || !led) return end;
  const address = named(led, end.tree);
  const label = shownAddress(address);
  // What a file says is no word of this user's.
  const isBegun = label === to.label && isFolder(end.tree.commits);
  return isBegun ? end : { label, server: { address, isOwn: false }, tree: undefined };
}

async function onBackend<T>(end: End, options: OpenOptions, work: (backend: Backend) => Promise<T>): Promise<T> {
  const backend = end.server ? backendOf(end.server, options) : filesIn(end.tree, options);
  try {
    return await work(backend);
  } finally {
    await backend.close();
  }
}

/** Without copies of it on this machine: whatever folder this runs in may hold another board. */
function backendOf({ address, isOwn }: OnServer, options: OpenOptions): Backend {
  const copy = { location: '', where: () => '', read: () => undefined, state: () => NEWEST, write: () => {} };
  const database = Database.of(address, accessTo(address, isOwn, options));
  return new PostgresBackend(database, address, { copy, now: options.now, notice: options.notice ?? (() => {}) });
}
const NEWEST = { revision: Infinity, texts: Infinity, ageMs: 0 };

function filesIn(tree: Tree, options: OpenOptions): FileBackend {
  return new FileBackend(tree, withDefaults({ ...options, evenIfMoved: true }));
}

/** @throws CoordError `already-running` while an orchestrator works on it */
async function refuseRunning(from: End, options: OpenOptions): Promise<void> {
  const registry = await openRegistry(placeOfEnd(from, options), options);
  const { orchestrator } = await registry.read();
  if (orchestrator && orchestrator.expires_at > registry.now())
    throw new CoordError('already-running', 'An orchestrator works on this board: end it first.', { details: {} });
}

/** A server's registry keeps here what is this machine's, of which nothing is read. */
function placeOfEnd(end: End, options: OpenOptions): Place {
  return end.server
    ? { ...end.server, tree: findOrBegin(options) }
    : { tree: end.tree, address: undefined, isOwn: true };
}

/** What is moved: without the mark of the move itself, and its line in the log. */
async function contentToMove(from: End, options: OpenOptions): Promise<BoardContent> {
  const content = await contentOf(from, options);
  const { moved_to, ...board } = content.board;
  const last = content.log.findLastIndex(({ event, message }) => event === 'move' && message === `to ${moved_to}`);
  return { ...content, board, log: content.log.filter((_, i) => i !== last) };
}

async function contentOf(end: End, options: OpenOptions): Promise<BoardContent> {
  const { server, tree } = end;
  if (server) return onServer(server, options, (database) => readContent(database, server.address.board));
  return readFiles(tree, filesIn(tree, options), await openRegistry(placeOfEnd(end, options), options));
}

/** @returns whether it was made now; an earlier try may have come so far */
async function writeToServer(
  server: OnServer,
  content: BoardContent,
  from: End,
  now: string,
  options: OpenOptions,
): Promise<boolean> {
  const { board } = server.address;
  const create = (more: { backup?: string }): Promise<boolean> =>
    onServer(server, options, (database) => createBoard(database, board, content, more));
  try {
    await create({});
    return true;
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'already-initialised') throw error;
    const there = await onServer(server, options, (database) => readContent(database, board));
    if (isSame(there, content)) return false;
    // What is there has moved here before: it ended then.
    if (there.board.moved_to !== from.label) throw nameTaken(board);
    await create({ backup: backupOf(board, now) });
    return true;
  }
}

/** Into a folder beside it, which takes its place once it is whole. @returns whether it was made now */
async function writeToFolder(tree: Tree, content: BoardContent, now: string, options: OpenOptions): Promise<boolean> {
  if (isFileBoard(tree)) {
    const there = await contentOf({ label: '', server: undefined, tree }, options);
    if (isSame(there, content)) return false; // an earlier try has brought it there
    throw hasFiles(tree);
  }
  const files = withDefaults({ ...options, durable: true });
  const beside = new Tree(`${tree.root}.moving`);
  rmSync(beside.root, { recursive: true, force: true });
  try {
    const place: Place = { tree: beside, address: undefined, isOwn: true };
    makeFolder(beside, files);
    await writeContent(beside, content, new FileBackend(beside, files), await openRegistry(place, options));
    refuseDifferent(content, await contentOf({ label: '', server: undefined, tree: beside }, options));
    if (isFolder(tree.root)) putAside(tree, now);
    renameSync(beside.root, tree.root);
    return true;
  } finally {
    rmSync(beside.root, { recursive: true, force: true });
  }
}

function isSame(a: BoardContent, b: BoardContent): boolean {
  return JSON.stringify(inventoryOf(a)) === JSON.stringify(inventoryOf(b));
}

function refuseDifferent(content: BoardContent, copy: BoardContent): void {
  const [was, is] = [inventoryOf(content), inventoryOf(copy)];
  const different = Object.keys(was).filter((name) => was[name]?.digest !== is[name]?.digest);
  if (different.length > 0)
    throw new CoordError(
      'store-unavailable',
      `The copy differs from the board in: ${different.join(', ')}. The board stays where it is.`,
      { details: { why: 'copy' } },
    );
}
