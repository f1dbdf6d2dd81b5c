/** Who waits is woken by the server: one LISTEN a connection, however many wait, and again after the connection was lost. */
import { sleep } from '../clock.ts';
import { Nudges } from '../nudges.ts';
import type { Database, Listener, Trip } from './database.ts';
import { channelOf } from './statements.ts';

/** Of many waiters that begin at once not all probe at once: each needs a second connection for a moment. */
const PROBE_SPREAD_MS = 2000;
/** Likewise of many that have lost their connections. */
const RELISTEN_MS = 1000;

export interface ListeningOptions {
  /** The board's number, as the server says it. */
  board: (trip: Trip) => Promise<number>;
  notice: (message: string) => void;
}

export class Listening {
  readonly #database: Database;
  readonly #options: ListeningOptions;
  readonly #waiters = new Set<() => void>();
  readonly #closing = new AbortController();
  #channel: string | undefined;
  #standing: Promise<void> | undefined;
  #isProbed = false;

  constructor(database: Database, options: ListeningOptions) {
    this.#database = database;
    this.#options = options;
    database.listeners.add(this.#listener);
  }

  readonly #listener: Listener = {
    heard: (channel, payload) => {
      // What begins with a question mark is a probe, and no news.
      if (channel === this.#channel && !payload.startsWith('?')) for (const nudge of this.#waiters) nudge();
    },
    lost: () => this.anew(),
  };

  async *changes(signal: AbortSignal): AsyncGenerator<void> {
    const nudges = new Nudges();
    this.#waiters.add(nudges.nudge);
    try {
      await this.#stand();
      nudges.nudge(); // it stands; or the server is away, and whoever looks waits for it
      yield* nudges.until(signal);
    } finally {
      this.#waiters.delete(nudges.nudge);
    }
  }

  #stand(): Promise<void> {
    return (this.#standing ??= this.#database
      .run(async (trip) => {
        const board = await this.#options.board(trip);
        this.#channel = channelOf(board);
        await trip({ text: `LISTEN ${this.#channel}` });
        if (!this.#isProbed) void this.#probe(board);
        this.#isProbed = true;
      })
      .catch(() => this.anew()));
  }

  /** Whoever waits listens again, and looks, since it may have missed something. */
  anew(): void {
    this.#standing = undefined;
    if (this.#waiters.size === 0) return;
    void sleep(RELISTEN_MS * Math.random()).then(async () => {
      if (this.#waiters.size === 0) return;
      await this.#stand();
      for (const nudge of this.#waiters) nudge();
    });
  }

  /** Says, once, where notifications do not arrive. Waiters then look by themselves every few seconds. */
  async #probe(board: number): Promise<void> {
    const { signal } = this.#closing;
    await sleep(Math.random() * PROBE_SPREAD_MS, signal);
    const { hearsNotifications } = await import('./status.ts');
    if (signal.aborted) return;
    // Who cannot ask does not know.
    if ((await hearsNotifications(this.#database, board, signal).catch(() => true)) || signal.aborted) return;
    this.#options.notice(
      'Notifications of the database do not arrive here, as behind a pooler in transaction mode: waiting looks every five seconds. Give coord a direct connection.',
    );
  }

  close(): void {
    this.#closing.abort();
    this.#waiters.clear();
    this.#database.listeners.delete(this.#listener);
  }
}
