/**
 * The port to what a board knows besides its tasks: the tokens of workers over HTTP, the one orchestrator that may run, and the
 * agents it has started. A store keeps it as one document that changes by compare and swap; what the changes mean stands in
 * tokens.ts and run-records.ts.
 */

/** A process, told apart from a later one of the same number by when it began. */
export interface ProcessId {
  pid: number;
  /** As the operating system says it; only ever compared. */
  started: string;
}

/** Who may run agents on this board, and until when unless it says so again. */
export interface RunLease extends ProcessId {
  /** Where its process id means something. */
  host: string;
  /** ISO 8601 UTC, by the board's clock. */
  expires_at: string;
  /** Counts up with every owner: what an earlier one still wants to write is refused. */
  fence: number;
}

export interface AgentRecord extends ProcessId {
  /** The value of COORD_RUN in the environment of the agent and of all that it starts; its session id as well. */
  mark: string;
  host: string;
  worker: string;
  /** Empty for an agent that does no task, such as the planner. */
  task_id: string;
  attempt: number;
}

/** The whole document. */
export interface RegistryState {
  version: 1;
  revision: number;
  commit: string;
  tokens: Token[];
  orchestrator: RunLease | null;
  /** Of the last owner; kept so that it only grows. */
  fence: number;
  agents: AgentRecord[];
}

/** Of a token only its SHA-256, in hexadecimal. */
export interface Token {
  worker: string;
  fingerprint: string;
}

export interface Registry {
  /** The board's clock, ISO 8601 UTC. */
  now(): string;
  read(): Promise<RegistryState>;
  /** @throws CoordError `store-unavailable` where others than its owner could have read or written them */
  tokens(): Promise<Token[]>;
  /**
   * Changes the registry, again and again until nobody else did so meanwhile.
   *
   * @param change  what it becomes; undefined leaves it as it is. Runs on every newer state, and may throw
   */
  change(change: (state: RegistryState) => Partial<RegistryState> | undefined): Promise<void>;
}

/** What the agents of a board have said, line by line, for people who look for a reason, and to know what a dead one has cost. */
export interface Transcripts {
  /** This machine, as process ids are kept with it. */
  readonly host: string;
  /** The board, by a name that is one in this process. */
  readonly board: string;
  keep(worker: string, line: string): void;
  /** The last lines, oldest first. */
  said(worker: string): string[];
}
