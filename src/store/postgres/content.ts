/** A whole board into the tables, and out of them. */
import { CoordError } from '../../model/errors.ts';
import type { Board } from '../../model/board.ts';
import { isMessage } from '../../model/messages.ts';
import { faultOf } from '../../model/stored-board.ts';
import { isRecord } from '../../model/values.ts';
import { type BoardContent, resultsOf } from '../content.ts';
import type { ResultOf } from '../local-copy.ts';
import { isToken } from '../registry.ts';
import { headOf } from './board-rows.ts';
import type { Database, Row, Statement } from './database.ts';
import { codeOf } from './failures.ts';
import { archiving, insertDocs, noSuchBoard, textOf, upsertTasks } from './statements.ts';

/** Written by {@link createBoard}, counted as texts. */
const FIRST_TEXT = 1;

/**
 * Makes a board of that name, in one transaction.
 *
 * @param options.backup  the name that one of the same name is given before; without it there must be none
 * @returns whether there was one
 * @throws CoordError `already-initialised`
 */
export function createBoard(
  database: Database,
  name: string,
  content: BoardContent,
  options: { backup?: string } = {},
): Promise<boolean> {
  const { board } = content;
  return database.run(async (trip) => {
    const aside = {
      text: 'UPDATE coord.boards SET name = $2 WHERE name = $1 RETURNING id',
      values: [name, options.backup],
    };
    const insert: Statement = {
      text: `INSERT INTO coord.boards (name, revision, commit, head, head_revision, texts, messages)
VALUES ($1, $2, $3, $4, $2, $5, $6) RETURNING id`,
      values: [name, board.revision, board.commit, headOf(board), FIRST_TEXT, content.messages.at(-1)?.id ?? 0],
    };
    try {
      const rows = await trip({ text: 'BEGIN' }, ...(options.backup === undefined ? [] : [aside]), insert);
      const id = Number(rows.at(-1)?.[0]?.['id']);
      await trip(...insertsOf(id, content), { text: 'COMMIT' });
      return options.backup !== undefined && (rows[1]?.length ?? 0) > 0;
    } catch (error) {
      await trip({ text: 'ROLLBACK' }).catch(() => {}); // the connection may be gone
      if (codeOf(error) !== '23505') throw error;
      const [[there] = []] = await trip({ text: 'SELECT commit FROM coord.boards WHERE name = $1', values: [name] });
      if (there?.['commit'] === board.commit) return options.backup !== undefined; // made before the connection was lost
      throw new CoordError('already-initialised', `There is a board ${name} in this database already.`, {
        details: { why: 'on-server' },
        cause: error,
      });
    }
  });
}

function insertsOf(board: number, content: BoardContent): Statement[] {
  const { tasks, revision, commit } = content.board;
  const docs = (list: readonly unknown[]): string[] => list.map((one) => JSON.stringify(one));
  const results = resultsOf(content);
  const documents = Object.entries({ plan: content.plan, summary: content.summary }).filter(([, text]) => text !== '');
  return [
    upsertTasks(
      board,
      revision,
      tasks.map((task, position) => ({ task, position })),
    ),
    {
      text: 'INSERT INTO coord.commits (board_id, id, revision) VALUES ($1, $2, $3)',
      values: [board, commit, revision],
    },
    keyed(
      'documents',
      'name',
      board,
      documents.map(([name]) => name),
      docs(documents.map(([, text]) => text)),
    ),
    keyed(
      'results',
      'task_id',
      board,
      results.map(({ task }) => task.id),
      docs(results),
    ),
    keyed(
      'refused',
      'name',
      board,
      content.late.map(({ name }) => name),
      docs(content.late.map(({ output }) => output)),
    ),
    {
      text: `INSERT INTO coord.discoveries (board_id, n, text_n, doc)
SELECT $1, n, ${FIRST_TEXT}, doc::json FROM unnest($2::text[]) WITH ORDINALITY AS row (doc, n)`,
      values: [board, docs(content.discoveries)],
    },
    archiving(board, content.archived),
    insertDocs('checks', board, docs(content.checks)),
    insertDocs('log', board, docs(content.log)),
    {
      text: `INSERT INTO coord.messages (board_id, n, at, doc)
SELECT $1, n, at, doc::json FROM unnest($2::bigint[], $3::timestamptz[], $4::text[]) AS row (n, at, doc)`,
      values: [
        board,
        content.messages.map(({ id }) => id),
        content.messages.map(({ at }) => at),
        docs(content.messages),
      ],
    },
    {
      text: 'INSERT INTO coord.readers (board_id, reader, seen) SELECT $1, reader, seen FROM unnest($2::text[], $3::bigint[]) AS row (reader, seen)',
      values: [board, content.seen.map(([reader]) => reader), content.seen.map(([, id]) => id)],
    },
    {
      text: 'INSERT INTO coord.registry (board_id, revision, doc) VALUES ($1, 1, $2)',
      values: [board, JSON.stringify({ tokens: content.tokens, orchestrator: null, fence: 0 })],
    },
  ];
}

function keyed(table: string, key: string, board: number, keys: string[], docs: string[]): Statement {
  return {
    text: `INSERT INTO coord.${table} (board_id, ${key}, text_n, doc)
SELECT $1, key, ${FIRST_TEXT}, doc::json FROM unnest($2::text[], $3::text[]) AS row (key, doc)`,
    values: [board, keys, docs],
  };
}

/** As it stands at one moment. @throws CoordError `not-initialised`, `tasks-malformed` */
export function readContent(database: Database, name: string): Promise<BoardContent> {
  const of = (columns: string, table: string, order: string, where = ''): Statement => ({
    text: `SELECT ${columns} FROM coord.${table} t JOIN coord.boards b ON b.id = t.board_id WHERE b.name = $1 ${where} ORDER BY ${order}`,
    values: [name],
  });
  return database.run(async (trip) => {
    const [
      ,
      boards,
      tasks,
      documents = [],
      results = [],
      checks = [],
      late = [],
      discoveries,
      archived,
      log,
      registry,
      messages,
      readers = [],
    ] = await trip(
      { text: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' },
      { text: 'SELECT revision::float8 AS revision, commit, head FROM coord.boards WHERE name = $1', values: [name] },
      of('t.doc', 'tasks', 't.position', 'AND t.doc IS NOT NULL'),
      of('t.name, t.doc', 'documents', 't.name'),
      of('t.doc', 'results', 't.task_id COLLATE "C"'),
      of('t.doc', 'checks', 't.n'),
      of('t.name, t.doc', 'refused', 't.name COLLATE "C"'),
      of('t.doc', 'discoveries', 't.n'),
      of('t.doc', 'archive', 't.n'),
      of('t.doc', 'log', 't.n'),
      of('t.doc', 'registry', 't.board_id'),
      of('t.doc', 'messages', 't.n'),
      of('t.reader, t.seen::float8 AS seen', 'readers', 't.reader COLLATE "C"'),
      { text: 'COMMIT' },
    );
    const [row] = boards ?? [];
    if (!row) throw noSuchBoard(name);
    const board = {
      ...(row['head'] as object),
      revision: Number(row['revision']),
      commit: row['commit'],
      tasks: docsOf(tasks),
    };
    const fault = faultOf(board);
    if (fault !== undefined)
      throw new CoordError('tasks-malformed', `What the database holds is no board: ${fault}.`, { details: {} });
    const document = (wanted: string): string => textOf(documents.find((one) => one['name'] === wanted));
    const [shared] = docsOf<unknown>(registry);
    const tokens = isRecord(shared) && Array.isArray(shared['tokens']) ? shared['tokens'].filter(isToken) : [];
    return {
      board: board as unknown as Board, // as just found
      plan: document('plan'),
      summary: document('summary'),
      discoveries: docsOf(discoveries),
      results: docsOf<ResultOf>(results).map(({ task, output, files_modified, files_created }) => ({
        task_id: task.id,
        output,
        files_modified,
        files_created,
      })),
      checks: docsOf(checks),
      late: late.map((one) => ({ name: String(one['name']), output: textOf(one) })),
      archived: docsOf(archived),
      log: docsOf(log),
      tokens,
      messages: docsOf<unknown>(messages).filter(isMessage),
      seen: readers.map((one) => [String(one['reader']), Number(one['seen'])]),
    };
  });
}

function docsOf<T>(rows: readonly Row[] = []): T[] {
  return rows.map(({ doc }) => doc as T);
}

export async function removeBoard(database: Database, name: string): Promise<void> {
  await database.run((trip) => trip({ text: 'DELETE FROM coord.boards WHERE name = $1', values: [name] }));
}
