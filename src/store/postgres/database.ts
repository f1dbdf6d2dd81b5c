/**
 * One connection to the server, opened when it is first needed and again after it was lost. What is asked goes out in trips: all
 * statements of one at once, and all answers back, since each way there and back costs more than a statement.
 */
import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { CoordError } from '../../model/errors.ts';
import { monotonicMs, sleep } from '../clock.ts';
import { hasPassword, namesFiles, shownAddress, type StoreAddress } from '../address.ts';
import { Queue } from '../queue.ts';
import { ConnectionLost, explainError, isBusy, isLost } from './failures.ts';

export interface Statement {
  text: string;
  values?: readonly unknown[];
}
export type Row = Record<string, unknown>;

/** Sends statements and waits for all answers: the rows of each. */
export type Trip = (...statements: Statement[]) => Promise<Row[][]>;

export interface DatabaseOptions {
  /** Whether this user has allowed the address: only then it gets a password. */
  isAllowed: () => Promise<boolean>;
  /** Where passwords stand that are in no address: PGPASSWORD. */
  env: Readonly<Record<string, string | undefined>>;
}

/** How long a server may take to let somebody in. */
const CONNECT_MS = 10_000;
/**
 * How long a trip may take. It may wait for the lock of a client that froze, which the server ends after five seconds
 * ({@link FROZEN_MS} in backend.ts), and for some that wait before it.
 */
const TRIP_MS = 30_000;
/** How long who is refused because the server starts, stops or is full tries again, and who has lost its connection. */
const PATIENCE_MS = 20_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;

/** Told what happens on the connection by itself. */
export interface Listener {
  heard(channel: string, payload: string): void;
  lost(): void;
}

/** Those of this process by their addresses: all that it opens there goes over one connection. */
const OPEN = new Map<string, Database>();

export class Database {
  readonly listeners = new Set<Listener>();
  readonly #address: StoreAddress;
  readonly #options: DatabaseOptions;
  readonly #queue = new Queue();
  #client: pg.Client | undefined;
  #connecting: Promise<pg.Client> | undefined;
  #isDirect = false;
  /** Whether it could be reached before. */
  #wasThere = false;
  #isClosed = false;
  #users = 0;

  private constructor(address: StoreAddress, options: DatabaseOptions) {
    this.#address = address;
    this.#options = options;
  }

  /** Whoever asks for it closes it again. */
  static of(address: StoreAddress, options: DatabaseOptions): Database {
    const database = OPEN.get(address.url) ?? new Database(address, options);
    OPEN.set(address.url, database);
    database.#users++;
    return database;
  }

  /** Begins to connect, while whoever will ask has something else to do. */
  prepare(): void {
    if (this.#client) return;
    this.#connecting ??= this.#connect();
    this.#connecting.catch(() => {}); // whoever asks first is told
  }

  /**
   * Work on the connection, one piece after the other. Work that has lost it is begun again on a new one, for a while.
   *
   * @param patienceMs  how long
   * @throws CoordError `store-unavailable`, `not-allowed`
   */
  run<T>(work: (trip: Trip) => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
    return this.#queue.run(async () => {
      const start = monotonicMs();
      for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
        try {
          const client = await this.#connected();
          hold(client, true);
          return await work((...statements) => this.#send(client, statements));
        } catch (error) {
          const isWorthATry = error instanceof ConnectionLost;
          if (!isWorthATry || this.#isClosed || monotonicMs() - start > patienceMs)
            throw explainError(error, shownAddress(this.#address));
          await sleep(pause * (0.5 + Math.random() / 2));
        } finally {
          if (this.#client) hold(this.#client, false);
        }
      }
    });
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client) return this.#client;
    if (this.#isClosed) throw new Error('the connection was closed before');
    this.#connecting ??= this.#connect();
    return this.#connecting.finally(() => (this.#connecting = undefined));
  }

  async #connect(): Promise<pg.Client> {
    try {
      const client = await this.#newClient();
      client.on('end', () => this.#forget(client));
      client.on('notification', ({ channel, payload }) => {
        for (const listener of this.listeners) listener.heard(channel, payload ?? '');
      });
      this.#wasThere = true;
      return (this.#client = client);
    } catch (error) {
      // The first time a server that is not there is a mistake in the address; later it is one that comes back.
      if (isBusy(error) || (this.#wasThere && isLost(error))) throw new ConnectionLost(error);
      throw error;
    }
  }

  async #newClient(): Promise<pg.Client> {
    const url = new URL(this.#address.url);
    // As libpq and version 9 of the client read `sslmode`: version 8 takes `require` for more than it says.
    if (url.searchParams.has('sslmode')) url.searchParams.set('uselibpqcompat', 'true');
    if (namesFiles(this.#address) && !(await this.#options.isAllowed())) throw notAllowed();
    const client = new pg.Client({
      // Parsed here: of an address the client itself takes an empty password for one, and then asks nobody.
      ...parseIntoClientConfig(url.href),
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: CONNECT_MS,
      fallback_application_name: 'coord',
      ...(hasPassword(this.#address) ? {} : { password: this.#passwordOf }),
    });
    client.on('error', () => this.#forget(client)); // at any moment, also in this one
    try {
      await client.connect();
    } catch (error) {
      client.connection.stream.destroy(); // of what went wrong on our side the client leaves it open
      throw error;
    }
    return client;
  }

  /** Only asked where the server wants one. Not on behalf of an address that came with somebody's repository. */
  readonly #passwordOf = async (asked: object = {}): Promise<string> => {
    if (!(await this.#options.isAllowed())) throw notAllowed();
    const given = this.#options.env['PGPASSWORD'];
    if (given) return given;
    const { default: pgpass } = await import('pgpass');
    return new Promise((resolve) => pgpass(asked, (found) => resolve(found ?? '')));
  };

  async #send(client: pg.Client, statements: readonly Statement[]): Promise<Row[][]> {
    // In one packet.
    const { stream } = client.connection;
    stream.cork();
    const answers = statements.map(({ text, values }) =>
      client.query<Row>({
        text,
        ...(values ? { values: [...values] } : {}),
        ...(values && this.#isDirect ? { name: nameOf(text) } : {}),
      }),
    );
    stream.uncork();
    const timer = setTimeout(() => stream.destroy(), TRIP_MS);
    try {
      // All of them: what is under way must not meet the next trip.
      const settled = await Promise.allSettled(answers);
      const failed = settled.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
      return settled.map((one) => (one.status === 'fulfilled' ? one.value.rows : []));
    } catch (error) {
      if (!isLost(error)) throw error;
      this.#forget(client);
      stream.destroy();
      throw new ConnectionLost(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Told which process of the server answers. Where it is the one that let this connection in, statements are prepared once,
   * which halves their cost; a pooler gives each transaction to another one, which knows them not.
   */
  answeredBy(pid: number): void {
    this.#isDirect =
      this.#client !== undefined && (this.#client as pg.Client & { processID: number }).processID === pid;
  }

  #forget(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#isDirect = false;
    for (const listener of this.listeners) listener.lost();
  }

  /** Whether what one connection notifies reaches another: behind a pooler by transaction it does not. */
  async probe(channel: string, nonce: string): Promise<void> {
    const client = await this.#newClient();
    try {
      await client.query('SELECT pg_notify($1, $2)', [channel, nonce]);
    } finally {
      await client.end();
    }
  }

  /** Ends the connection with its last user. */
  async close(): Promise<void> {
    if (--this.#users > 0) return;
    this.#isClosed = true;
    OPEN.delete(this.#address.url);
    await this.#queue.run(async () => {
      const client = this.#client ?? (await this.#connecting?.catch(() => undefined));
      this.#client = undefined;
      void client?.end().catch(() => {}); // it is over either way, and nobody waits for the server's goodbye
    });
  }
}

const NAMES = new Map<string, string>();

/** Of a prepared statement: one for each text, of which there are few. */
function nameOf(text: string): string {
  const name = NAMES.get(text) ?? `coord_${NAMES.size}`;
  NAMES.set(text, name);
  return name;
}

/** Whether an open connection keeps the process: an idle one must not. */
function hold(client: pg.Client, isHeld: boolean): void {
  // The types do not know them.
  const { ref, unref } = client as pg.Client & Record<'ref' | 'unref', () => void>;
  (isHeld ? ref : unref).call(client);
}

function notAllowed(): CoordError {
  return new CoordError(
    'not-allowed',
    'The address of this board stands in its folder, and nobody on this machine has allowed it to get a password.',
    { details: { why: 'store' } },
  );
}
