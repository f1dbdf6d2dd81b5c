/**
 * Many processes on one board of a server that is restarted, crashes, loses sessions and connections; then the oracle of the
 * torture, which knows nothing but what was acknowledged and what is in the tables.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initStore, openStore } from '../../src/store/open.ts';
import { newDatabaseAt, type PostgresServer, sql } from './postgres-server.ts';
import { checkReads, judge, readLogs, type TortureReport } from './torture.ts';

export interface ServerRunOptions {
  server: PostgresServer;
  processes: number;
  /** Stops at so many acknowledged changes, or after so many seconds. */
  operations: number;
  seconds: number;
  /** The folder of the bundled children. */
  children: string;
  /** Milliseconds between two faults, on average. */
  faultEveryMs: number;
}

/** A way to a server that can be cut. */
export class Way {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isMuted = false;
  /** Bursts from the client, each after an answer: what went there and back. */
  trips = 0;

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const there = connect(port, '127.0.0.1');
      let isAsked = false;
      for (const [from, to] of [
        [client, there],
        [there, client],
      ] as const) {
        this.#sockets.add(from);
        from.setNoDelay(true);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.on('data', (data) => {
          if (from === client && !isAsked) this.trips++;
          isAsked = from === client;
          if (to === there || !this.#isMuted) to.write(data);
        });
      }
    });
  }

  static async to(port: number): Promise<Way> {
    const way = new Way(port);
    await new Promise<void>((resolve) => way.#server.listen(0, '127.0.0.1', resolve));
    return way;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  /** Every connection at once, in whatever it is. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#isMuted = false;
  }

  /** No answer of the server arrives any more, but on connections that are made after the next cut. */
  mute(): void {
    this.#isMuted = true;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function runOnServer(options: ServerRunOptions): Promise<TortureReport> {
  const root = mkdtempSync(join(tmpdir(), 'coord-server-run-'));
  const database = await newDatabaseAt(options.server.url(''));
  const way = await Way.to(options.server.port);
  try {
    return await runIn(root, database, way, options);
  } finally {
    await way.close();
    rmSync(root, { recursive: true, force: true });
  }
}

async function runIn(root: string, database: string, way: Way, options: ServerRunOptions): Promise<TortureReport> {
  const { server } = options;
  const url = new URL(database);
  url.port = String(way.port);
  const logs = join(root, 'acks');
  mkdirSync(logs);
  const folder = (name: string): string => join(root, name);
  const figures: Record<string, number> = {
    processes: options.processes,
    kills: 0,
    pauses: 0,
    terminated: 0,
    cuts: 0,
    restarts: 0,
    crashes: 0,
  };
  const violations: string[] = [];
  const env = { ...process.env, COORD_STORE: `${url.href}?board=torture`, FAULTS: '[]' };
  mkdirSync(folder('leader'));
  const { store: made } = await initStore(
    { goal: 'torture' },
    { cwd: folder('leader'), stateFolder: folder('leader'), env },
  );
  await made.close();

  const alive = new Map<string, ChildProcess>();
  let isOver = false;
  let runs = 0;
  const begin = (worker: string): void => {
    const run = String(runs++);
    mkdirSync(folder(worker), { recursive: true });
    const args = [
      join(options.children, 'torture-child.mjs'),
      folder(worker),
      worker,
      run,
      join(logs, `${worker}.${run}`),
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    child.on('exit', (code) => {
      if (code !== null && code !== 0) violations.push(`${worker} ended with ${code}: ${complaint.slice(0, 1000)}`);
      if (isOver || code !== null) alive.delete(worker);
      else begin(worker);
    });
    alive.set(worker, child);
  };
  const workers = Array.from({ length: options.processes }, (_, i) => `w${i}`);
  for (const worker of workers) begin(worker);
  const someone = (): ChildProcess | undefined => alive.get(workers[Math.floor(Math.random() * workers.length)] ?? '');
  const terminate = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'coord' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 3`;
  const faults: [name: string, act: () => Promise<unknown>][] = [
    ['kills', async () => someone()?.kill('SIGKILL')],
    ['terminated', () => sql(database, terminate)],
    ['cuts', async () => way.cut()],
    ['restarts', () => server.restart('fast')],
    ['crashes', () => server.restart('immediate')],
    [
      'pauses',
      async () => {
        const child = someone();
        child?.kill('SIGSTOP');
        await sleep(2000 * Math.random());
        child?.kill('SIGCONT');
      },
    ],
  ];
  const start = Date.now();
  const acknowledged = (): number => readLogs(logs).filter((line) => line.ack !== undefined).length;
  for (let n = 0; Date.now() - start < options.seconds * 1000 && alive.size > 0; n++) {
    await sleep(options.faultEveryMs * (0.5 + Math.random()));
    // Each in turn first, so that even a short run has seen them all.
    const [name, act] = faults[n < faults.length ? n : Math.floor(Math.random() * faults.length)] ?? [
      '',
      async () => {},
    ];
    await act();
    figures[name] = (figures[name] ?? 0) + 1;
    if (n >= faults.length && acknowledged() >= options.operations) break;
  }
  isOver = true;
  for (const child of alive.values()) {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
  }
  while (alive.size > 0) await sleep(20);
  figures['seconds'] = Math.round((Date.now() - start) / 1000);

  const store = openStore({
    cwd: folder('leader'),
    stateFolder: folder('leader'),
    env: { COORD_STORE: `${database}?board=torture` },
  });
  const board = await store.read();
  const results = new Map((await store.results()).map((result) => [result.task_id, result]));
  await store.close();
  const lines = readLogs(logs);
  figures['acknowledged'] = lines.filter((line) => line.ack !== undefined).length;
  figures['refused'] = lines.filter((line) => line.refused === 'store-unavailable').length;
  figures['unknown'] = lines.filter((line) => line.refused === 'outcome-unknown').length;
  figures['revisions'] = board.revision;
  violations.push(...judge(board, lines, results, [], []), ...checkReads(logs));
  return { violations, figures };
}
