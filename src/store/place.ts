/** Where the board of a project is, and how it is opened there. With open.ts and server.ts the only files that name an adapter. */
import { CoordError } from '../model/errors.ts';
import { parseAddress, type StoreAddress } from './address.ts';
import { type FileOptions, FileBackend } from './file/backend.ts';
import { boardClock } from './file/board-clock.ts';
import { readConfig } from './file/config.ts';
import { placeIn } from './file/documents.ts';
import { type FindOptions, findOrBegin, findTree, holdsCopies, isFileBoard } from './file/find.ts';
import type { Tree } from './file/tree.ts';
import { LateBackend } from './late-backend.ts';
import type { Registry } from './registry.ts';
import type { Backend } from './store.ts';

export interface OpenOptions extends FindOptions, Partial<FileOptions> {
  /** Of the process. COORD_STORE names a server that keeps the board, before `config.json`; PGPASSWORD is for it. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Where a board is: its folder, and the server that keeps it, if it is not kept in the folder. */
export interface Place {
  tree: Tree;
  address: StoreAddress | undefined;
  /** Whether the address is this user's own word, and not that of a file, which may have come with a clone. */
  isOwn: boolean;
}

/** @throws CoordError `not-initialised`, `board-unsafe`, `invalid-input` */
export function placeOf(options: OpenOptions): Place {
  const given = options.env?.['COORD_STORE'];
  if (given === undefined || given === '') {
    const tree = findTree(options);
    const address = readConfig(tree);
    if (!address && holdsCopies(tree))
      throw new CoordError(
        'not-initialised',
        `${tree.root} holds copies of a board that a server keeps, and no config.json that leads there.`,
        { details: { why: 'only-copies' } },
      );
    return { tree, address, isOwn: false };
  }
  const tree = findOrBegin(options);
  const own = parseAddress(given, { source: 'COORD_STORE' });
  const known = readConfig(tree);
  if (!known && isFileBoard(tree))
    throw new CoordError(
      'invalid-input',
      `COORD_STORE names a server, but ${tree.root} holds a board in files: unset it, or move the board there.`,
      { details: { why: 'two-stores', path: tree.root } },
    );
  // Whoever says only which server means the board that the folder names there.
  const board = own.board ?? (known?.url === own.url ? known.board : undefined);
  return { tree, address: { ...own, board }, isOwn: true };
}

/** Whether copies of that board may be written there: it may have moved, or the folder be led elsewhere, since it was opened. */
function isLedTo({ tree, isOwn }: Place, address: StoreAddress): boolean {
  const config = readConfig(tree);
  if (!config) return isOwn && !isFileBoard(tree);
  return isOwn || (config.url === address.url && config.board === address.board);
}

export interface InitOptions extends OpenOptions {
  /** Puts an existing board aside as a backup first. */
  force?: boolean;
  /** The address of a server that shall keep it, instead of the folder; without a password. COORD_STORE says the same. */
  store?: string | undefined;
  /** Its name there; by default that of the project's folder. */
  board?: string | undefined;
}

export function openBackend(place: Place, options: OpenOptions): Backend {
  const { tree, address, isOwn } = place;
  if (!address) return new FileBackend(tree, withDefaults(options));
  return new LateBackend({
    location: tree.root,
    where: (ref) => placeIn(tree, ref),
    load: async () => {
      const [{ openBackend: open }, { LocalCopyFiles }] = await Promise.all([
        import('./postgres/open.ts'),
        import('./file/local-copy.ts'),
      ]);
      const access = accessTo(address, isOwn, options);
      const notice = options.notice ?? (() => {});
      const isLedHere = (): boolean => isLedTo(place, address);
      const copy = new LocalCopyFiles(tree, { stateFolder: options.stateFolder, isLedHere, notice });
      return open(address, { ...access, copy, now: options.now, notice });
    },
  });
}

/** What may be shown to the server, and what is known of that only where it asks. */
export function accessTo(address: StoreAddress, isOwn: boolean, options: OpenOptions) {
  const isAllowed = async (): Promise<boolean> => {
    if (isOwn) return true;
    const { isStoreAllowed } = await import('./file/allowed-stores.ts');
    return isStoreAllowed(options.stateFolder, address);
  };
  return { isAllowed, env: options.env ?? {} };
}

export async function openRegistry({ tree, address, isOwn }: Place, options: OpenOptions): Promise<Registry> {
  const { RegistryFile } = await import('./file/registry.ts');
  const complete = withDefaults(options);
  if (address) tree.create(); // with COORD_STORE alone there may be none yet
  const here = new RegistryFile(tree, { ...complete, now: complete.now ?? boardClock(tree) });
  if (!address) return here;
  const { openRegistry: open } = await import('./postgres/open.ts');
  return open(address, accessTo(address, isOwn, options), here);
}

export function withDefaults(options: OpenOptions): FileOptions {
  return {
    durable: options.durable ?? true,
    poll: options.poll ?? false,
    stateFolder: options.stateFolder,
    now: options.now,
    notice: options.notice ?? (() => {}),
    at: options.at ?? (() => {}),
    lock: options.lock ?? true,
    canLink: options.canLink ?? true,
    evenIfMoved: options.evenIfMoved ?? false,
  };
}
