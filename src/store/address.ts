/**
 * Where a board is kept that is not kept in files: `postgres://user@host/database`, and the board's name there. What stands in
 * `config.json` may have come with a clone; what stands in COORD_STORE is this user's own.
 */
import { CoordError } from '../model/errors.ts';
import { isName } from '../model/limits.ts';

export interface StoreAddress {
  /** Without the name of the board. A password is only ever in one from COORD_STORE. */
  url: string;
  /** Undefined: the only one in the database. */
  board: string | undefined;
}

/** Parameters that name files, which are then read. */
const FILES = ['sslcert', 'sslkey', 'sslrootcert'];
/** What may stand behind the question mark. @see https://www.postgresql.org/docs/current/libpq-connect.html */
const PARAMETERS = ['board', 'host', 'port', 'user', 'password', 'sslmode', ...FILES];
const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** Whether it is meant as the address of a server, and not as a path. */
export function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * The name of the board may stand in the address, as `?board=NAME`.
 *
 * @param more.board  its name, where it is given beside the address
 * @param more.source  where the address stands, for messages
 * @throws CoordError `invalid-input`, without the text: it may hold a password
 */
export function parseAddress(text: string, more: { board?: string | undefined; source?: string } = {}): StoreAddress {
  const { source } = more;
  const invalid = (why: string): CoordError =>
    new CoordError('invalid-input', `The address of the store${source === undefined ? '' : ` in ${source}`} ${why}.`, {
      details: { why: 'store-address', ...(source === undefined ? {} : { path: source }) },
    });
  if (!/^postgres(ql)?:\/\//i.test(text)) throw invalid('must begin with postgres://');
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid('is no URL');
  }
  const strange = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (strange !== undefined && isName(strange))
    throw invalid(`has an unknown parameter, ${strange}: it may have ${PARAMETERS.join(', ')}`);
  if (strange !== undefined) throw invalid('has an unknown parameter');
  const mode = url.searchParams.get('sslmode');
  if (mode !== null && !SSL_MODES.includes(mode)) throw invalid(`must have one of ${SSL_MODES.join(', ')} as sslmode`);
  const board = more.board ?? url.searchParams.get('board') ?? undefined;
  if (board !== undefined && !isName(board))
    throw invalid('names a board with other characters than letters, digits, dots, dashes and underscores');
  url.searchParams.delete('board');
  return { url: url.href, board };
}

export function hasPassword({ url }: StoreAddress): boolean {
  const { password, searchParams } = new URL(url);
  return password !== '' || searchParams.has('password');
}

export function withoutPassword<T extends StoreAddress>(address: T): T {
  const url = new URL(address.url);
  url.password = '';
  url.searchParams.delete('password');
  return { ...address, url: url.href };
}

/** Whether connecting reads files that the address names. */
export function namesFiles({ url }: StoreAddress): boolean {
  const { searchParams } = new URL(url);
  return FILES.some((name) => searchParams.has(name));
}

/** As it may be shown: without a password. */
export function shownAddress(address: StoreAddress): string {
  const shown = new URL(withoutPassword(address).url);
  if (address.board !== undefined) shown.searchParams.set('board', address.board);
  return shown.href;
}
