/** What a server or the way to it may say, and what that means for a board. */
import pg from 'pg';
import { CoordError } from '../../model/errors.ts';
import { SCHEMA_VERSION } from './schema.ts';

/** The connection is gone; what was under way may have happened or not. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
    this.name = 'ConnectionLost';
  }
}

/** @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const LOST = /^(08...|57P0[1245]|25P03)$/;
/** What the client itself says, without a code. A mistake of ours says something else, and is shown as one. */
const ENDED = /^(Connection terminated|Client (has encountered|was closed)|timeout expired|Query read timeout)/;
/** It starts or stops, or has as many connections as it takes. */
const BUSY = /^(57P0[13]|53300)$/;

export function codeOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** Whether the connection ended; what the server says of a statement leaves it as it is. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined) return LOST.test(code);
  if (!(error instanceof Error) || error instanceof CoordError) return false;
  return 'code' in error || 'errors' in error || ENDED.test(error.message);
}

/** Whether the server is there, and will let us in later. */
export function isBusy(error: unknown): boolean {
  return BUSY.test(codeOf(error) ?? '');
}

/** Whether another commit came first. `22012` is the guard of a commit, see backend.ts. */
export function isOvertaken(error: unknown): boolean {
  return /^(22012|40001|40P01)$/.test(codeOf(error) ?? '');
}

/** In words that say what to do. @param address  as it may be shown */
export function explainError(error: unknown, address: string): unknown {
  if (error instanceof CoordError) return error;
  const unavailable = (message: string, why?: string): CoordError =>
    new CoordError('store-unavailable', message, {
      details: { path: address, ...(why === undefined ? {} : { why }) },
      cause: error,
    });
  const cause = error instanceof ConnectionLost ? error.cause : error;
  const said = messageOf(cause);
  switch (codeOf(cause)) {
    case '3F000': // no such schema
    case '42P01': // no such table
    case '42703': // no such column
      return unavailable(
        `The database has no schema of coord, or an old one; it wants version ${SCHEMA_VERSION}.`,
        'no-schema',
      );
    case '42501':
      return unavailable(`The database does not allow it: ${said}.`, 'privilege');
    case '28000':
    case '28P01':
      return unavailable(`The database does not let you in: ${said}.`, 'login');
    case '3D000':
      return unavailable(`${said}.`, 'no-database');
    case '53300':
      return unavailable(`The server has no connection to spare: ${said}.`, 'connections');
    case undefined:
      break;
    default:
      return unavailable(`The database says: ${said}.`);
  }
  const isOfWay = isLost(cause) || /password|SSL|SASL|TLS|certificate/i.test(said);
  return isOfWay ? unavailable(`The server of this board cannot be reached: ${said}.`, 'unreachable') : cause;
}

function messageOf(error: unknown): string {
  // Node tries several addresses of a name, and gathers what came of them without a message.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}
