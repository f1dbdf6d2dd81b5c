/**
 * The tables, made and upgraded by their owner with `coord store migrate`, never when a board is opened. Every step stays as it
 * is once it was released; what a coord of another version may do with the tables, `needs` says.
 *
 * Texts are `json` strings: `text` and `jsonb` refuse U+0000 and lone surrogates, which agents do write. No rule of coord stands
 * here but one, that a revision is made once (the update of `boards` in backend.ts).
 */

/** The version that this coord reads and writes. */
export const SCHEMA_VERSION = 2;

/** Each makes one version out of the one before it. */
const STEPS: readonly string[] = [
  `
CREATE TABLE coord.meta (
  -- Of the tables.
  version integer NOT NULL,
  -- The oldest version that a coord must know to write here.
  needs integer NOT NULL
);
INSERT INTO coord.meta VALUES (0, 1);

CREATE TABLE coord.boards (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  -- Counts up by one with each commit.
  revision bigint NOT NULL,
  -- Names the revision, so that a restored backup is told from what was there before.
  commit text NOT NULL,
  -- Everything of the board but its tasks, and the revision that changed it last.
  head json NOT NULL,
  head_revision bigint NOT NULL,
  -- Counts up with each text that is written, so that copies of them know what they lack.
  texts bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE coord.tasks (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  id text NOT NULL,
  position double precision NOT NULL,
  -- That changed it last.
  revision bigint NOT NULL,
  -- NULL: no longer on the board.
  doc json,
  -- Copied out of doc, for people who look.
  status text NOT NULL,
  worker text,
  PRIMARY KEY (board_id, id)
) WITH (fillfactor = 70);
CREATE INDEX tasks_changed ON coord.tasks (board_id, revision);

-- What was written, of late: who lost its connection looks its own up.
CREATE TABLE coord.commits (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  id text NOT NULL,
  -- That it made; of a text beside the board the one after the board's.
  revision bigint NOT NULL,
  PRIMARY KEY (board_id, id)
);

CREATE TABLE coord.archive (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  id text NOT NULL,
  n bigint GENERATED ALWAYS AS IDENTITY,
  doc json NOT NULL,
  PRIMARY KEY (board_id, id)
);

CREATE TABLE coord.results (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  task_id text NOT NULL,
  text_n bigint NOT NULL,
  doc json NOT NULL,
  PRIMARY KEY (board_id, task_id)
);

-- What its checks came to, one row a hand-in.
CREATE TABLE coord.checks (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  n bigint GENERATED ALWAYS AS IDENTITY,
  doc json NOT NULL,
  PRIMARY KEY (board_id, n)
);

-- Results that came too late.
CREATE TABLE coord.refused (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  name text NOT NULL,
  text_n bigint NOT NULL,
  doc json NOT NULL,
  PRIMARY KEY (board_id, name)
);

-- The plan and the summary.
CREATE TABLE coord.documents (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  name text NOT NULL,
  text_n bigint NOT NULL,
  doc json NOT NULL,
  PRIMARY KEY (board_id, name)
);

CREATE TABLE coord.discoveries (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  n integer NOT NULL,
  text_n bigint NOT NULL,
  doc json NOT NULL,
  PRIMARY KEY (board_id, n)
);

CREATE TABLE coord.log (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  n bigint GENERATED ALWAYS AS IDENTITY,
  doc json NOT NULL,
  PRIMARY KEY (board_id, n)
);

-- Tokens of workers over HTTP, and the one orchestrator that may run. Process ids of agents never come here.
CREATE TABLE coord.registry (
  board_id integer PRIMARY KEY REFERENCES coord.boards ON DELETE CASCADE,
  revision bigint NOT NULL,
  doc json NOT NULL
);
`,
  `
-- The number of the newest message, which is used once.
ALTER TABLE coord.boards ADD COLUMN messages bigint NOT NULL DEFAULT 0;

CREATE TABLE coord.messages (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  n bigint NOT NULL,
  at timestamptz NOT NULL,
  doc json NOT NULL,
  PRIMARY KEY (board_id, n)
);

-- Up to which message each has seen everything.
CREATE TABLE coord.readers (
  board_id integer NOT NULL REFERENCES coord.boards ON DELETE CASCADE,
  reader text NOT NULL,
  seen bigint NOT NULL,
  PRIMARY KEY (board_id, reader)
);
`,
];

/** Who migrates waits for others that do. CREATE SCHEMA IF NOT EXISTS alone races. */
export const MIGRATION_LOCK = 7_433_000;

export const MAKE_SCHEMA = 'CREATE SCHEMA IF NOT EXISTS coord;';

/** What makes, of tables of version `from`, the newest; each may hold several statements. */
export function stepsFrom(from: number): string[] {
  return STEPS.slice(from).map((step, i) => `${step.trim()}\nUPDATE coord.meta SET version = ${from + i + 1};\n`);
}

/** The same from nothing as one script, for people who want to read it first, or to run it themselves. */
export function migrationScript(): string {
  return ['BEGIN;', `SELECT pg_advisory_xact_lock(${MIGRATION_LOCK});`, MAKE_SCHEMA, ...stepsFrom(0), 'COMMIT;\n'].join(
    '\n',
  );
}

/** The first key of the locks of boards; the second is the board's id. Any number that nobody else is likely to take. */
export const BOARD_LOCKS = 7433;
