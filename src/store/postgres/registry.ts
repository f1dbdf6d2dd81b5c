/**
 * Tokens and the one orchestrator, as one document that changes by compare and swap. The processes that an orchestrator has
 * started are this machine's own, and never leave it.
 */
import { movedAway } from '../../model/moved.ts';
import { isRecord } from '../../model/values.ts';
import type { StoreAddress } from '../address.ts';
import { isRunLease, isToken, type Registry, type RegistryState, type Token } from '../registry.ts';
import { Database, type DatabaseOptions, type Trip } from './database.ts';
import { ServerClock } from './server-clock.ts';
import { noSuchBoard, notifying, soleBoard } from './statements.ts';

type Shared = Pick<RegistryState, 'revision' | 'tokens' | 'orchestrator' | 'fence'>;

const READ = `SELECT b.id, b.head, r.revision::float8 AS revision, r.doc,
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now
FROM coord.boards b LEFT JOIN coord.registry r ON r.board_id = b.id WHERE b.name = $1`;
const WRITE = `INSERT INTO coord.registry (board_id, revision, doc) VALUES ($1, $2, $3)
ON CONFLICT (board_id) DO UPDATE SET revision = excluded.revision, doc = excluded.doc
WHERE coord.registry.revision = excluded.revision - 1 RETURNING revision`;

export class PostgresRegistry implements Registry {
  readonly #address: StoreAddress;
  readonly #options: DatabaseOptions;
  readonly #local: Registry;
  #name: string | undefined;
  readonly #clock = new ServerClock();

  /** @param local  keeps what is this machine's alone: its processes */
  constructor(address: StoreAddress, options: DatabaseOptions, local: Registry) {
    this.#address = address;
    this.#options = options;
    this.#name = address.board;
    this.#local = local;
  }

  /** The server's clock, once anything was read; this machine's before. */
  now(): string {
    return this.#clock.now();
  }

  async read(): Promise<RegistryState> {
    const { shared } = await this.#run((trip, name) => this.#shared(trip, name));
    return { ...(await this.#local.read()), ...shared };
  }

  async tokens(): Promise<Token[]> {
    return (await this.read()).tokens;
  }

  async change(change: (state: RegistryState) => Partial<RegistryState> | undefined): Promise<void> {
    let before: Shared | undefined;
    /** What was sent before the connection was lost. */
    let unsure: string | undefined;
    await this.#run(async (trip, name) => {
      for (;;) {
        const { id, shared, doc, movedTo } = await this.#shared(trip, name);
        if (unsure !== undefined && doc === unsure) return; // it was made
        if (movedTo !== undefined) throw movedAway(movedTo);
        before = shared;
        const changed = change({ ...(await this.#local.read()), ...shared });
        if (!changed || !('tokens' in changed || 'orchestrator' in changed || 'fence' in changed)) return;
        const { tokens, orchestrator, fence, revision } = { ...shared, ...changed, revision: shared.revision + 1 };
        unsure = JSON.stringify({ revision, tokens, orchestrator, fence });
        const [written = []] = await trip({ text: WRITE, values: [id, revision, unsure] }, notifying(id, 'registry'));
        if (written.length > 0) return;
      }
    });
    // What is this machine's alone changes by compare and swap of its own: others of its processes do so too.
    await this.#local.change((own) => {
      const agents = before && change({ ...own, ...before })?.agents;
      return agents ? { agents } : undefined;
    });
  }

  /** Over the connection of the board where one is open, else over one of its own for so long. */
  async #run<T>(work: (trip: Trip, name: string) => Promise<T>): Promise<T> {
    const database = Database.of(this.#address, this.#options);
    try {
      return await database.run(async (trip) => {
        this.#name ??= await soleBoard(trip);
        return work(trip, this.#name);
      });
    } finally {
      await database.close();
    }
  }

  async #shared(
    trip: Trip,
    name: string,
  ): Promise<{ id: number; shared: Shared; doc: string; movedTo: string | undefined }> {
    const [[row] = []] = await trip({ text: READ, values: [name] });
    if (!row) throw noSuchBoard(name);
    this.#clock.set(Number(row['now']));
    const doc = isRecord(row['doc']) ? row['doc'] : {};
    const { tokens, orchestrator, fence } = doc;
    const movedTo = isRecord(row['head']) ? row['head']['moved_to'] : undefined;
    return {
      id: Number(row['id']),
      doc: JSON.stringify(doc),
      movedTo: typeof movedTo === 'string' ? movedTo : undefined,
      shared: {
        revision: Number(row['revision'] ?? 0),
        tokens: Array.isArray(tokens) ? tokens.filter(isToken) : [],
        orchestrator: isRunLease(orchestrator) ? orchestrator : null,
        fence: Number.isSafeInteger(fence) ? (fence as number) : 0,
      },
    };
  }
}
