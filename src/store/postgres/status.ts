/** What a server says of itself, for people who look why it is slow or silent. */
import { isRecord } from '../../model/values.ts';
import type { StoreAddress } from '../address.ts';
import { monotonicMs, sleep } from '../clock.ts';
import type { Database, Listener } from './database.ts';
import { versionOf } from './migrate.ts';
import { channelOf, soleBoard } from './statements.ts';

/** A notification on the same server takes a millisecond. */
const PROBE_MS = 3000;

export interface ServerStatus {
  board: string;
  reachable: true;
  latency_ms: number;
  server_version: string;
  schema_version: number;
  notifications: boolean;
  revision: number;
  tasks: number;
  moved_to?: string;
  /** Those that are there, where this one is not. */
  boards: string[];
}

/** @throws CoordError */
export async function statusOf(database: Database, address: StoreAddress): Promise<Partial<ServerStatus>> {
  const reached = await database.run(async (trip) => {
    const start = monotonicMs();
    const [[row] = []] = await trip({ text: 'SHOW server_version' });
    const latency_ms = Math.round((monotonicMs() - start) * 10) / 10;
    const server_version = String(row?.['server_version']);
    return { reachable: true as const, latency_ms, server_version, schema_version: await versionOf(trip) };
  });
  if (reached.schema_version === 0) return reached;
  const known = await database.run(async (trip) => {
    const board = address.board ?? (await soleBoard(trip));
    const text = `SELECT b.id, b.head, b.revision::float8 AS revision, (
  SELECT count(*)::float8 FROM coord.tasks t WHERE t.board_id = b.id AND t.doc IS NOT NULL
) AS tasks FROM coord.boards b WHERE b.name = $1`;
    const names = { text: 'SELECT name FROM coord.boards ORDER BY name' };
    const [[row] = [], all = []] = await trip({ text, values: [board] }, names);
    return { board, row, boards: all.map(({ name }) => String(name)) };
  });
  if (!known.row) return { ...reached, board: known.board, boards: known.boards };
  const { head } = known.row;
  const moved = isRecord(head) && typeof head['moved_to'] === 'string' ? { moved_to: head['moved_to'] } : {};
  const notifications = await hearsNotifications(database, Number(known.row['id']));
  return {
    ...reached,
    board: known.board,
    notifications,
    revision: Number(known.row['revision']),
    tasks: Number(known.row['tasks']),
    ...moved,
  };
}

/**
 * Whether what another connection notifies reaches the one that listens. Behind a pooler in transaction mode it does not: the one
 * to the server, which listens, is given to somebody else.
 *
 * @param signal  ends the wait, and the answer is no
 */
export async function hearsNotifications(database: Database, board: number, signal?: AbortSignal): Promise<boolean> {
  const nonce = `?${Math.random().toString(36).slice(2)}`;
  const ending = new AbortController();
  const stop = (): void => ending.abort();
  signal?.addEventListener('abort', stop);
  let isHeard = false;
  const listener: Listener = {
    heard: (_, payload) => {
      if (payload !== nonce) return;
      isHeard = true;
      stop();
    },
    lost: () => {},
  };
  database.listeners.add(listener);
  try {
    await database.run((trip) => trip({ text: `LISTEN ${channelOf(board)}` }));
    await database.probe(channelOf(board), nonce);
    await sleep(PROBE_MS, ending.signal);
    return isHeard;
  } finally {
    database.listeners.delete(listener);
    signal?.removeEventListener('abort', stop);
  }
}
