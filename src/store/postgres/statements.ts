/** What is sent to the server. Every text goes as JSON, which spells out what PostgreSQL refuses as text. */
import type { BoardEvent } from '../../model/board.ts';
import type { Task } from '../../model/task.ts';
import type { Known } from './board-rows.ts';
import { CoordError } from '../../model/errors.ts';
import type { Row, Statement, Trip } from './database.ts';
import { BOARD_LOCKS } from './schema.ts';

/** All who write to a board wait here for each other. */
export function lockOf(name: string): Statement {
  return {
    text: 'SELECT pg_advisory_xact_lock($1, id) FROM coord.boards WHERE name = $2',
    values: [BOARD_LOCKS, name],
  };
}

/** Whoever loses the connection here finds it again. */
export function committed({ id: board, board: { revision } }: Known, id: string): Statement {
  return {
    text: 'INSERT INTO coord.commits (board_id, id, revision) VALUES ($1, $2, $3)',
    values: [board, id, revision + 1],
  };
}

export function channelOf(id: number): string {
  return `coord_${id}`;
}

export function notifying(id: number, payload: string): Statement {
  return { text: 'SELECT pg_notify($1, $2)', values: [channelOf(id), payload] };
}

export function upsertTasks(
  board: number,
  revision: number,
  rows: readonly { task: Task; position: number }[],
): Statement {
  return {
    text: `INSERT INTO coord.tasks (board_id, id, position, revision, doc, status, worker)
SELECT $1, id, position, $2, doc::json, status, worker
FROM unnest($3::text[], $4::float8[], $5::text[], $6::text[], $7::text[]) AS row (id, position, doc, status, worker)
ON CONFLICT (board_id, id) DO UPDATE SET position = excluded.position, revision = excluded.revision, doc = excluded.doc,
  status = excluded.status, worker = excluded.worker`,
    values: [
      board,
      revision,
      rows.map(({ task }) => task.id),
      rows.map(({ position }) => position),
      rows.map(({ task }) => JSON.stringify(task)),
      rows.map(({ task }) => task.status),
      rows.map(({ task }) => task.claimed_by),
    ],
  };
}

/** Tasks that leave the board. */
export function archiving(board: number, tasks: readonly Task[]): Statement {
  return {
    text: `INSERT INTO coord.archive (board_id, id, doc) SELECT $1, id, doc::json
FROM unnest($2::text[], $3::text[]) AS row (id, doc) ON CONFLICT (board_id, id) DO UPDATE SET doc = excluded.doc`,
    values: [board, tasks.map(({ id }) => id), tasks.map((task) => JSON.stringify(task))],
  };
}

/** @param now  ISO 8601 UTC */
export function logRows(board: number, events: readonly BoardEvent[], now: string): Statement {
  const docs = events.map(({ agent, event, task_id, message }) =>
    // As the lines of a log in a file have it.
    JSON.stringify({
      time: now,
      agent,
      event,
      task_id: task_id ?? null,
      message: (message ?? '').replace(/\s+/g, ' ').trim(),
    }),
  );
  return insertDocs('log', board, docs);
}

/** Rows of a table that numbers them itself. */
export function insertDocs(table: 'log' | 'checks', board: number, docs: readonly string[]): Statement {
  return {
    text: `INSERT INTO coord.${table} (board_id, doc) SELECT $1, doc::json FROM unnest($2::text[]) AS row (doc)`,
    values: [board, docs],
  };
}

export function noSuchBoard(name: string): CoordError {
  return new CoordError('not-initialised', `There is no board ${name} in this database.`, {
    details: { why: 'no-board' },
  });
}

/** The only board of a database; those that were put aside do not count. @throws CoordError `not-initialised` */
export async function soleBoard(trip: Trip): Promise<string> {
  const text = String.raw`SELECT name FROM coord.boards WHERE name !~ '\.backup-' ORDER BY name`;
  const [rows = []] = await trip({ text });
  const names = rows.map(({ name }) => String(name));
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  throw new CoordError(
    'not-initialised',
    only === undefined
      ? 'There is no board in this database.'
      : `There are several boards in this database: ${names.slice(0, 10).join(', ')}. Name one: …?board=${only}`,
    { details: { why: only === undefined ? 'no-board' : 'several-boards' } },
  );
}

/** Of a document that is a string. */
export function textOf(row: Row | undefined): string {
  return typeof row?.['doc'] === 'string' ? row['doc'] : '';
}
