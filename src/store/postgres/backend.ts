/**
 * The board in PostgreSQL: a row a task, and in each process a copy of the board that it brings up to date with what has changed
 * since. A commit is two trips to the server:
 *
 * 1. begin, take the board's lock, and only then, in a statement of its own, look: a snapshot taken before the wait would be old;
 * 2. what the pure change made of it: rows of the tasks that are other objects than before, result, log, notification, commit.
 *
 * The lock lowers contention, and nothing relies on it: what is relied on is that the board's row leaves the revision that the
 * change was made from only once. Who loses the connection in the second trip looks, in the first one of the next try, for the
 * commit that it may have made.
 */
import { type Board, type Change, emptyBoard } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { refuseMoved } from '../../model/moved.ts';
import { faultOf } from '../../model/stored-board.ts';
import { isRecord } from '../../model/values.ts';
import type { StoreAddress } from '../address.ts';
import { incarnationOf, nextCommit } from '../commit-id.ts';
import type { LocalCopy } from '../local-copy.ts';
import type { Backend, Moment } from '../store.ts';
import { Copying } from './copying.ts';
import type { Database, Row, Statement, Trip } from './database.ts';
import { PostgresDocuments } from './documents.ts';
import { ConnectionLost, isOvertaken } from './failures.ts';
import { type Difference, differenceOf, headOf, type Known, merge, type Work, withoutNeeds } from './board-rows.ts';
import { Listening } from './listening.ts';
import { SCHEMA_VERSION } from './schema.ts';
import { PostgresMailbox } from './mailbox.ts';
import { ServerClock } from './server-clock.ts';
import { archiving, committed, lockOf, logRows, noSuchBoard, notifying, soleBoard, upsertTasks } from './statements.ts';

/** Ends the transaction of a client that freezes while it holds the lock, which all others wait for. */
const FROZEN_MS = 5000;
/** So many commits can be looked up; a copy of the board that is older is read anew. */
const KEPT_COMMITS = 1000;
/** How often those before are deleted, in commits. */
const TRIM_EVERY = 100;
const SURELY_KEPT = KEPT_COMMITS - TRIM_EVERY;

const BEGIN: Statement = { text: `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${FROZEN_MS}` };
const BEGIN_READING: Statement = { text: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' };
const COMMIT: Statement = { text: 'COMMIT' };
const ROLLBACK: Statement = { text: 'ROLLBACK' };

const KNOWN = `LATERAL (
  SELECT coalesce(max(c.revision), -1) AS revision FROM coord.commits c
  WHERE c.board_id = b.id AND c.revision = $2 AND c.id = $3
) known`;
const BOARD = `SELECT b.id, b.revision::float8 AS revision, b.commit, b.texts::float8 AS texts, b.messages::float8 AS messages, m.version, m.needs,
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now, known.revision::float8 AS known, pg_backend_pid() AS pid,
  CASE WHEN b.head_revision > known.revision THEN b.head END AS head
FROM coord.boards b, coord.meta m, ${KNOWN} WHERE b.name = $1`;
const TASKS = `SELECT t.id, t.position, t.doc FROM coord.boards b, ${KNOWN}, coord.tasks t
WHERE b.name = $1 AND t.board_id = b.id AND t.revision > known.revision ORDER BY t.position`;

export interface PostgresOptions {
  /** Where the machine keeps what it needs of the board. */
  copy: LocalCopy;
  /** Another clock than the server's, ISO 8601 UTC. */
  now: (() => string) | undefined;
  notice: (message: string) => void;
}

export class PostgresBackend implements Backend {
  readonly location: string;
  readonly documents: PostgresDocuments;
  readonly mailbox: PostgresMailbox;
  readonly #database: Database;
  readonly #options: PostgresOptions;
  readonly #listening: Listening;
  readonly #copying: Copying;
  #name: string | undefined;
  #known: Known | undefined;
  #isCopyAsked = false;
  /** Whether the server has been asked: what a copy says is no more than that. */
  #isVerified = false;
  readonly #clock = new ServerClock();

  constructor(database: Database, address: StoreAddress, options: PostgresOptions) {
    this.location = options.copy.location;
    this.#database = database;
    this.#name = address.board;
    this.#options = options;
    const found = async (): Promise<Known> => (this.#isVerified && this.#known ? this.#known : this.#found());
    const ways = {
      read: <T>(work: (trip: Trip) => Promise<T>) => database.run(work),
      write: <T>(work: Work<T>) =>
        this.#transact<T>((known, now, trip) => {
          refuseMoved(known.board);
          return work(known, now, trip);
        }),
      board: async () => (await found()).id,
    };
    this.documents = new PostgresDocuments({
      ...ways,
      readAtOnce: (work) => database.run(work, 0),
      where: (ref) => options.copy.where(ref),
    });
    this.mailbox = new PostgresMailbox({ ...ways, newest: async () => (await found()).messages });
    const { copy, notice } = options;
    this.#listening = new Listening(database, { board: async (trip) => (await this.#lookAt(trip)).id, notice });
    this.#copying = new Copying({
      copy,
      newest: () => (this.#known && this.#name !== undefined ? { name: this.#name, known: this.#known } : undefined),
      skewMs: () => Math.round(this.#clock.ms - Date.now()),
      changedSince: (board, texts) => this.documents.changedSince(board, texts),
    });
    database.prepare();
    if (address.board !== undefined) this.#knownOrCopied(address.board); // while the server answers
  }

  async now(): Promise<string> {
    if (!this.#options.now && !this.#clock.isSet)
      await this.#database.run(async (trip) => {
        const [[row] = []] = await trip({
          text: 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
        });
        this.#clock.set(Number(row?.['now']));
      });
    return this.#time();
  }

  #time(): string {
    return this.#options.now?.() ?? this.#clock.now();
  }

  async read(): Promise<Board> {
    return (await this.#found()).board;
  }

  #found(): Promise<Known> {
    return this.#database.run((trip) => this.#lookAt(trip));
  }

  async #lookAt(trip: Trip): Promise<Known> {
    const name = await this.#nameOf(trip);
    const known = this.#knownOrCopied(name);
    const [, [row] = [], tasks = []] = await trip(BEGIN_READING, ...this.#look(name, known), COMMIT);
    return this.#take(name, known, row, tasks);
  }

  commit<T extends object>(change: (board: Board, now: string) => Change<T>): Promise<T & Moment> {
    return this.#transact((known, now) => {
      const changed = change(known.board, now);
      const { board } = changed;
      const { revision } = known.board;
      if (!board) return { answer: { ...changed.answer, revision, at: now } };
      const next = { ...board, revision: revision + 1, commit: nextCommit(known.board.commit) };
      const difference = differenceOf(known.board, next, known.positions);
      const texts = known.texts + (changed.result ? 1 : 0);
      return {
        answer: { ...changed.answer, revision: next.revision, at: now },
        id: next.commit,
        statements: this.#writes(known, next, changed, difference, now),
        after: { ...known, board: next, positions: difference.positions, texts },
      };
    });
  }

  /**
   * Work on the newest board, while others wait for it. It begins again where it was overtaken all the same.
   *
   * @throws CoordError `outcome-unknown`, `store-unavailable`
   */
  async #transact<T>(work: Work<T>): Promise<T> {
    /** What was sent to be committed before the connection was lost. */
    let unsure: { id: string; answer: T; base: number } | undefined;
    const once = async (trip: Trip, name: string): Promise<T> => {
      const before = this.#knownOrCopied(name);
      const find = { text: 'SELECT 1 FROM coord.commits WHERE id = $1', values: [unsure?.id] };
      let isOpen = true;
      try {
        const looks = [...this.#look(name, before), ...(unsure ? [find] : [])];
        const [, , [row] = [], tasks = [], found = []] = await trip(BEGIN, lockOf(name), ...looks);
        const known = this.#take(name, before, row, tasks);
        if (unsure && found.length > 0) return unsure.answer;
        // So many others have come since that nobody knows its id any more.
        if (unsure && known.board.revision - unsure.base > SURELY_KEPT) throw outcomeUnknown();
        unsure = undefined;
        const { answer, id, statements, after } = await work(known, this.#time(), trip);
        if (id === undefined) return answer;
        unsure = { id, answer, base: known.board.revision };
        await trip(...statements, committed(known, id), COMMIT).catch((error: unknown) => {
          if (!(error instanceof ConnectionLost)) unsure = undefined; // it was refused
          throw error;
        });
        isOpen = false;
        if (after) this.#remember(after);
        return answer;
      } finally {
        // Nobody needs to wait for it: what is asked next comes after it on the same connection.
        if (isOpen) void trip(ROLLBACK).catch(() => {});
      }
    };
    try {
      return await this.#database.run(async (trip) => {
        const name = await this.#nameOf(trip);
        for (;;) {
          try {
            return await once(trip, name);
          } catch (error) {
            if (!isOvertaken(error)) throw error;
          }
        }
      });
    } catch (error) {
      throw unsure ? outcomeUnknown(error) : error;
    }
  }

  async #nameOf(trip: Trip): Promise<string> {
    return (this.#name ??= await soleBoard(trip));
  }

  /** What the copy on this machine knows, once a process. */
  #knownOrCopied(name: string): Known | undefined {
    if (this.#known || this.#isCopyAsked) return this.#known;
    this.#isCopyAsked = true;
    const copied = this.#options.copy.read(name);
    if (copied) this.#known = { ...copied, messages: 0 };
    return this.#known;
  }

  #look(name: string, known: Known | undefined): Statement[] {
    const values = [name, known?.board.revision ?? -1, known?.board.commit ?? ''];
    return [
      { text: BOARD, values },
      { text: TASKS, values },
    ];
  }

  /** Takes over what the server said has changed. */
  #take(name: string, before: Known | undefined, row: Row | undefined, rows: readonly Row[]): Known {
    if (!row) throw noSuchBoard(name);
    refuseOther(Number(row['version']), Number(row['needs']));
    this.#clock.set(Number(row['now']));
    this.#database.answeredBy(Number(row['pid']));
    this.#isVerified = true;
    const [revision, since] = [Number(row['revision']), Number(row['known'])];
    const base = since === -1 ? undefined : before;
    if (before && !base) this.#tellReplaced(before, Number(row['id']), revision, String(row['commit']));
    if (before && before.id !== Number(row['id'])) this.#listening.anew();
    if (base && revision === base.board.revision && rows.length === 0)
      return this.#remember({ ...base, texts: Number(row['texts']), messages: Number(row['messages']) });
    const { tasks, positions } = merge(base?.board.tasks ?? [], base?.positions ?? [], rows);
    const { tasks: _, ...head } = isRecord(row['head']) ? { ...row['head'], tasks: [] } : (base?.board ?? emptyBoard());
    const board = { ...head, version: 1, revision, commit: String(row['commit']), tasks };
    const fault = base ? faultOf({ ...board, tasks: withoutNeeds(rows) }) : faultOf(board);
    if (fault !== undefined)
      throw new CoordError('tasks-malformed', `What the database holds is no board: ${fault}.`, { details: {} });
    const [id, texts, messages] = ['id', 'texts', 'messages'].map((column) => Number(row[column])) as [
      number,
      number,
      number,
    ];
    return this.#remember({ id, board: board as Board, positions, texts, messages });
  }

  /** A copy may just be older than what the server still knows of. */
  #tellReplaced(before: Known, id: number, revision: number, commit: string): void {
    const isAnother = id !== before.id || incarnationOf(commit) !== incarnationOf(before.board.commit);
    if (!isAnother && revision - before.board.revision > SURELY_KEPT) return;
    this.#copying.replaced();
    const why = isAnother ? 'it was replaced, or moved here anew' : 'was it restored from a backup?';
    this.#options.notice(`The board was at revision ${before.board.revision} and is now at ${revision}: ${why}`);
  }

  #remember(known: Known): Known {
    const isNew = known.board.revision !== this.#known?.board.revision || known.texts !== this.#known.texts;
    this.#known = known;
    if (isNew) this.#copying.soon();
    return known;
  }

  /** The second trip of a commit, but for its end. */
  #writes(
    known: Known,
    next: Board & { commit: string },
    changed: Change<unknown>,
    { rows, removed }: Difference,
    now: string,
  ): Statement[] {
    const { id, board: before } = known;
    const { result, archive } = changed;
    const evidence = result ?? changed.evidence;
    const head = headOf(next);
    const values = [
      id,
      before.revision,
      next.revision,
      next.commit,
      head === headOf(before) ? null : head,
      result ? 1 : 0,
    ];
    const statements: Statement[] = [
      {
        // Nobody divides by one but who finds the revision that it was made from.
        text: `WITH made AS (
  UPDATE coord.boards SET revision = $3, commit = $4, texts = texts + $6,
    head = coalesce($5::json, head), head_revision = CASE WHEN $5::text IS NULL THEN head_revision ELSE $3 END
  WHERE id = $1 AND revision = $2 RETURNING 1
) SELECT 1 / count(*) FROM made`,
        values,
      },
    ];
    if (rows.length > 0) statements.push(upsertTasks(id, next.revision, rows));
    if (removed.length > 0)
      statements.push({
        text: "UPDATE coord.tasks SET doc = NULL, status = 'gone', worker = NULL, revision = $2 WHERE board_id = $1 AND id = ANY($3)",
        values: [id, next.revision, removed],
      });
    if (archive) statements.push(archiving(id, archive));
    if (result) statements.push(this.documents.keepingResult(id, known.texts + 1, result));
    if (evidence?.checks) statements.push(this.documents.keepingChecks(id, evidence));
    if (changed.events && changed.events.length > 0) statements.push(logRows(id, changed.events, now));
    if (next.revision % TRIM_EVERY === 0)
      statements.push({
        text: 'DELETE FROM coord.commits WHERE board_id = $1 AND revision <= $2',
        values: [id, next.revision - KEPT_COMMITS],
      });
    statements.push(notifying(id, String(next.revision)));
    return statements;
  }

  changes(signal: AbortSignal): AsyncIterable<void> {
    return this.#listening.changes(signal);
  }

  async close(): Promise<void> {
    this.#listening.close();
    await this.#copying.close();
    await this.#database.close();
  }
}

function outcomeUnknown(cause?: unknown): CoordError {
  return new CoordError(
    'outcome-unknown',
    'The server of this board went away while the change was made: it may have been made or not.',
    { details: {}, cause },
  );
}

/** @throws CoordError where the tables are older than this coord, or wants a newer one */
function refuseOther(version: number, needs: number): void {
  if (needs > SCHEMA_VERSION)
    throw new CoordError(
      'version-unsupported',
      `The tables of this board want a newer coord: they are of version ${version}, this one knows ${SCHEMA_VERSION}.`,
      { details: { why: 'schema' } },
    );
  if (version < SCHEMA_VERSION)
    throw new CoordError(
      'store-unavailable',
      `The tables of this board are of version ${version}; this coord needs ${SCHEMA_VERSION}.`,
      { details: { why: 'no-schema' } },
    );
}
