/** The texts beside the board, each a JSON string or document. */
import type { BoardEvent, ResultToStore } from '../../model/board.ts';
import type { Ref } from '../../model/refs.ts';
import type { Task } from '../../model/task.ts';
import type { Discovery, LogEntry, Result } from '../../model/views/report.ts';
import { workerOfLate } from '../late-results.ts';
import type { ChangedTexts, ResultOf } from '../local-copy.ts';
import type { Documents, LateResult } from '../store.ts';
import { randomId } from '../commit-id.ts';
import type { Known, Work } from './board-rows.ts';
import type { Row, Statement, Trip } from './database.ts';
import { archiving, insertDocs, logRows, notifying, textOf } from './statements.ts';

export interface DocumentWays {
  read<T>(work: (trip: Trip) => Promise<T>): Promise<T>;
  /** The same, without patience for a server that is away. */
  readAtOnce<T>(work: (trip: Trip) => Promise<T>): Promise<T>;
  /** The board's number. */
  board(): Promise<number>;
  write<T>(work: Work<T>): Promise<T>;
  where(ref: Ref): string;
}

/** Counts one more text. */
const COUNT = 'UPDATE coord.boards SET texts = texts + 1 WHERE id = $1';
const PLAN = 'plan';
const SUMMARY = 'summary';

export class PostgresDocuments implements Documents {
  readonly #ways: DocumentWays;

  constructor(ways: DocumentWays) {
    this.#ways = ways;
  }

  async #rows(text: string, ...values: unknown[]): Promise<Row[]> {
    const id = await this.#ways.board();
    const [rows = []] = await this.#ways.read((trip) => trip({ text, values: [id, ...values] }));
    return rows;
  }

  /** A document by its name. */
  async #read(name: string): Promise<string> {
    const [row] = await this.#rows('SELECT doc FROM coord.documents WHERE board_id = $1 AND name = $2', name);
    return textOf(row);
  }

  readPlan(): Promise<string> {
    return this.#read(PLAN);
  }

  writePlan(text: string, isAppended: boolean): Promise<string> {
    const body = `${text.trimEnd()}\n`;
    return this.#ways.write(async (known, _, trip) => {
      const { id } = known;
      const find = { text: 'SELECT doc FROM coord.documents WHERE board_id = $1 AND name = $2', values: [id, PLAN] };
      const [[row] = []] = isAppended ? await trip(find) : [];
      const plan = isAppended ? `${textOf(row)}\n${body}` : body;
      return {
        answer: plan,
        id: randomId(),
        statements: [...keepingDocument(known, PLAN, plan), notifying(id, PLAN)],
        after: withOneMore(known),
      };
    });
  }

  addDiscovery(discovery: Omit<Discovery, 'id'>): Promise<Discovery> {
    return this.#ways.write(async (known, _, trip) => {
      const { id, texts } = known;
      const last = {
        text: 'SELECT coalesce(max(n), 0) AS last FROM coord.discoveries WHERE board_id = $1',
        values: [id],
      };
      const [[row] = []] = await trip(last);
      const n = Number(row?.['last']) + 1;
      const stored = { ...discovery, content: discovery.content.trim() };
      return {
        answer: { id: `discovery-${n}`, ...stored },
        id: randomId(),
        statements: [
          { text: COUNT, values: [id] },
          {
            text: 'INSERT INTO coord.discoveries (board_id, n, text_n, doc) VALUES ($1, $2, $3, $4)',
            values: [id, n, texts + 1, JSON.stringify(stored)],
          },
          notifying(id, 'discovery'),
        ],
        after: withOneMore(known),
      };
    });
  }

  async discoveries(): Promise<Discovery[]> {
    return (await this.#rows('SELECT n, doc FROM coord.discoveries WHERE board_id = $1 ORDER BY n')).map(discoveryOf);
  }

  async results(tasks: readonly Task[]): Promise<Result[]> {
    const ids = tasks.map(({ id }) => id);
    const rows = await this.#rows(
      'SELECT task_id, doc FROM coord.results WHERE board_id = $1 AND task_id = ANY($2)',
      ids,
    );
    const found = new Map(rows.map((row) => [String(row['task_id']), row['doc'] as ResultOf]));
    return tasks.flatMap((task) => {
      const result = found.get(task.id);
      if (!result) return [];
      const { id, claimed_by, attempt, completed_at } = task;
      const { output, files_modified, files_created } = result;
      return [{ task_id: id, worker: claimed_by ?? '', attempt, completed_at, output, files_modified, files_created }];
    });
  }

  /** For the trip that makes its task done. @param n  of the text */
  keepingResult(board: number, n: number, result: ResultToStore): Statement {
    const { task, ...rest } = result;
    const { id, description, claimed_by, attempt, completed_at } = task;
    const doc: ResultOf = {
      ...rest,
      output: withoutLast(rest.output),
      task: { id, description, claimed_by, attempt, completed_at },
    };
    return {
      text: `INSERT INTO coord.results (board_id, task_id, text_n, doc) VALUES ($1, $2, $3, $4)
ON CONFLICT (board_id, task_id) DO UPDATE SET text_n = excluded.text_n, doc = excluded.doc`,
      values: [board, id, n, JSON.stringify(doc)],
    };
  }

  /** The same for what its checks came to. */
  keepingChecks(board: number, { task, checks = [] }: Pick<ResultToStore, 'task' | 'checks'>): Statement {
    const { id, claimed_by: worker, attempt, evidence } = task;
    const about = { task_id: id, worker, attempt, at: evidence?.at ?? null, tree: evidence?.tree ?? null };
    return insertDocs(
      'checks',
      board,
      checks.map((run) => JSON.stringify({ ...about, ...run })),
    );
  }

  async keepRefused(refused: { task_id: string; worker: string; attempt: number; output: string }): Promise<Ref> {
    const stem = `${refused.task_id}.${refused.worker}.${refused.attempt}`;
    const output = withoutLast(refused.output);
    return this.#ways.write(async (known, _, trip) => {
      const { id, texts } = known;
      const all = {
        text: 'SELECT name, doc FROM coord.refused WHERE board_id = $1 AND left(name, $2) = $3',
        values: [id, stem.length, stem],
      };
      const [rows = []] = await trip(all);
      const kept = new Map(rows.map((row) => [String(row['name']), textOf(row)]));
      let name = stem; // the first free one, or the one that holds this very text
      for (let n = 2; kept.has(name) && kept.get(name) !== output; n++) name = `${stem}-${n}`;
      const answer: Ref = { ref: 'refused', name };
      if (kept.has(name)) return { answer };
      return {
        answer,
        id: randomId(),
        statements: [
          { text: COUNT, values: [id] },
          {
            text: 'INSERT INTO coord.refused (board_id, name, text_n, doc) VALUES ($1, $2, $3, $4)',
            values: [id, name, texts + 1, JSON.stringify(output)],
          },
        ],
        after: withOneMore(known),
      };
    });
  }

  async late(taskId: string): Promise<LateResult[]> {
    const rows = await this.#rows(
      'SELECT name, doc FROM coord.refused WHERE board_id = $1 AND left(name, $2) = $3 ORDER BY name COLLATE "C"',
      taskId.length + 1,
      `${taskId}.`,
    );
    return rows.flatMap((row) => {
      const name = String(row['name']);
      const worker = workerOfLate(taskId, name);
      return worker === undefined ? [] : [{ name, worker, output: textOf(row) }];
    });
  }

  writeSummary(text: string): Promise<Ref> {
    return this.#ways.write((known) => ({
      answer: { ref: 'summary' },
      id: randomId(),
      statements: keepingDocument(known, SUMMARY, text),
      after: withOneMore(known),
    }));
  }

  archive(tasks: readonly Task[]): Promise<void> {
    return this.#ways.write(({ id }) => ({
      answer: undefined,
      id: randomId(),
      statements: [archiving(id, tasks)],
    }));
  }

  async archived(): Promise<Task[]> {
    const rows = await this.#rows('SELECT doc FROM coord.archive WHERE board_id = $1 ORDER BY n');
    return rows.map(({ doc }) => doc as Task);
  }

  addToLog(events: readonly BoardEvent[]): Promise<void> {
    return this.#ways.write(({ id }, now) => ({
      answer: undefined,
      id: randomId(),
      statements: [logRows(id, events, now)],
    }));
  }

  async log(): Promise<LogEntry[]> {
    const rows = await this.#rows('SELECT doc FROM coord.log WHERE board_id = $1 ORDER BY n');
    return rows.map(({ doc }) => doc as LogEntry);
  }

  where(ref: Ref): string {
    return this.#ways.where(ref);
  }

  /** What was written after the first so many. */
  async changedSince(board: number, texts: number): Promise<ChangedTexts> {
    const values = [board, texts];
    const newer = 'WHERE board_id = $1 AND text_n > $2';
    const [documents = [], discoveries = [], results = [], refused = []] = await this.#ways.readAtOnce((trip) =>
      trip(
        { text: `SELECT name, doc FROM coord.documents ${newer}`, values },
        {
          text: `SELECT n, doc FROM coord.discoveries WHERE board_id = $1
AND EXISTS (SELECT FROM coord.discoveries ${newer}) ORDER BY n`,
          values,
        },
        { text: `SELECT doc FROM coord.results ${newer}`, values },
        { text: `SELECT name, doc FROM coord.refused ${newer}`, values },
      ),
    );
    const document = (name: string): Row | undefined => documents.find((row) => row['name'] === name);
    const [plan, summary] = [document(PLAN), document(SUMMARY)];
    return {
      ...(plan ? { plan: textOf(plan) } : {}),
      ...(summary ? { summary: textOf(summary) } : {}),
      ...(discoveries.length > 0 ? { discoveries: discoveries.map(discoveryOf) } : {}),
      results: results.map(({ doc }) => doc as ResultOf),
      refused: refused.map((row) => ({ name: String(row['name']), output: textOf(row) })),
    };
  }
}

/** The board once one more text is written. */
function withOneMore(known: Known): Known {
  return { ...known, texts: known.texts + 1 };
}

function keepingDocument({ id, texts }: Known, name: string, text: string): Statement[] {
  return [
    { text: COUNT, values: [id] },
    {
      text: `INSERT INTO coord.documents (board_id, name, text_n, doc) VALUES ($1, $2, $3, $4)
ON CONFLICT (board_id, name) DO UPDATE SET text_n = excluded.text_n, doc = excluded.doc`,
      values: [id, name, texts + 1, JSON.stringify(text)],
    },
  ];
}

/** Without a line feed at its end, as results in files are. */
function withoutLast(text: string): string {
  return text.replace(/\n$/, '');
}

function discoveryOf(row: Row): Discovery {
  return { id: `discovery-${Number(row['n'])}`, ...(row['doc'] as Omit<Discovery, 'id'>) };
}
