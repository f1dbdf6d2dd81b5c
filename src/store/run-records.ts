/**
 * The one orchestrator of a board and the processes that it has started: recorded before a process gets its task, so that
 * after a crash the next orchestrator finds what still runs. Beside that, what those processes say, for people who look for a reason.
 */
import { CoordError } from '../model/errors.ts';
import type { AgentRecord, ProcessId, Registry, RunLease, Transcripts } from './registry.ts';

/** How long an orchestrator owns the board unless it says so again, which it does at every third. */
const RUN_LEASE_MS = 60_000;
/** No lease of ours lasts longer, even by the clock of another machine; one that says so would lock the board for ever. */
const MOST_LEASE_MS = 10 * RUN_LEASE_MS;
/** What a process may look like to whoever asks whether it still runs. */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** The boards that this very process owns: its own lease says nothing to it. */
const OWNED = new Set<string>();

export class RunRecords {
  readonly #registry: Registry;
  readonly #transcripts: Transcripts;
  #fence: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(registry: Registry, transcripts: Transcripts) {
    this.#registry = registry;
    this.#transcripts = transcripts;
  }

  /**
   * Makes `self` the one orchestrator of this board, and keeps it so until {@link disown}.
   *
   * @param livenessOf  whether a process of this machine still runs; of another machine's only the lease says something
   * @param onLost  told when another one owns the board, since this process was paused for longer than its lease
   * @returns the other one, where there is one that may live
   */
  async own(
    self: ProcessId,
    livenessOf: (other: ProcessId) => Liveness,
    onLost: () => void,
  ): Promise<RunLease | undefined> {
    let other: RunLease | undefined;
    let fence = 0;
    const isHeldHere = OWNED.has(this.#transcripts.board);
    await this.#registry.change(({ orchestrator, fence: last }) => {
      other =
        orchestrator !== null && (isHeldHere || this.#mayLive(orchestrator, livenessOf)) ? orchestrator : undefined;
      if (other) return undefined;
      fence = last + 1;
      return { fence, orchestrator: this.#lease(self, fence) };
    });
    if (other) return other;
    this.#fence = fence;
    OWNED.add(this.#transcripts.board);
    this.#timer = setInterval(() => {
      this.#renewing = this.#change(() => ({ orchestrator: this.#lease(self, fence) })).catch((error: unknown) => {
        if (error instanceof CoordError && error.code === 'already-running' && this.#fence === fence) onLost();
        // A disk that does not answer now may do so at the next third.
      });
    }, RUN_LEASE_MS / 3);
    this.#timer.unref();
    return undefined;
  }

  #mayLive(lease: RunLease, livenessOf: (other: ProcessId) => Liveness): boolean {
    const liveness = lease.host === this.#transcripts.host ? livenessOf(lease) : 'unknown';
    const remaining = Date.parse(lease.expires_at) - Date.parse(this.#registry.now());
    return liveness === 'alive' || (liveness === 'unknown' && remaining > 0 && remaining <= MOST_LEASE_MS);
  }

  #lease(self: ProcessId, fence: number): RunLease {
    const expires = Date.parse(this.#registry.now()) + RUN_LEASE_MS;
    return { ...self, host: this.#transcripts.host, expires_at: new Date(expires).toISOString(), fence };
  }

  /** @throws CoordError `already-running` when the board has another owner by now */
  async #change(
    change: (agents: AgentRecord[]) => { agents?: AgentRecord[]; orchestrator?: RunLease | null },
  ): Promise<void> {
    await this.#registry.change(({ agents, orchestrator }) => {
      if (this.#fence === undefined || orchestrator?.fence !== this.#fence)
        throw new CoordError('already-running', 'Another orchestrator has taken this board over meanwhile.', {
          details: { why: 'lost' },
        });
      return change(agents);
    });
  }

  async disown(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#fence === undefined) return;
    await this.#renewing;
    await this.#change(() => ({ orchestrator: null })).catch(() => {}); // its lease ends by itself
    this.#fence = undefined;
    OWNED.delete(this.#transcripts.board);
  }

  /** @throws CoordError `already-running` */
  async record(agent: Omit<AgentRecord, 'host'>): Promise<void> {
    await this.#change((agents) => ({
      agents: [...agents.filter(({ worker }) => worker !== agent.worker), { ...agent, host: this.#transcripts.host }],
    }));
  }

  /** Once nothing of the agent is left, and its task is handed in. */
  async forget(worker: string): Promise<void> {
    await this.#change((agents) => ({ agents: agents.filter((agent) => agent.worker !== worker) })).catch(
      (error: unknown) => {
        if (!(error instanceof CoordError)) throw error; // whoever owns the board now has seen to it
      },
    );
  }

  async all(): Promise<AgentRecord[]> {
    return (await this.#registry.read()).agents;
  }

  /** Whether the process ids of a record are of this machine. */
  isHere({ host }: AgentRecord): boolean {
    return host === this.#transcripts.host;
  }

  /** Keeps a line of what an agent said. */
  keep(worker: string, line: string): void {
    this.#transcripts.keep(worker, line);
  }

  /** The last lines that were kept of an agent, oldest first. */
  said(worker: string): string[] {
    return this.#transcripts.said(worker);
  }
}
