/**
 * The port to what a board knows besides its tasks: the tokens of workers over HTTP, the one orchestrator that may run, and the
 * agents it has started. A store keeps it as one document that changes by compare and swap; what the changes mean stands in
 * tokens.ts and run-records.ts.
 */
import { isName, MAX_REVISION } from '../model/limits.ts';
import { isRecord } from '../model/values.ts';

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

export function isToken(value: unknown): value is Token {
  return isRecord(value) && isName(value['worker']) && isTextOf(value['fingerprint'], /^[0-9a-f]{64}$/);
}

/** A process that may be asked about: never 0 or 1, never a group. */
function isProcess(value: Record<string, unknown>): boolean {
  return isWhole(value['pid'], 2) && isTextOf(value['started'], /^[\w :,.+-]{0,64}$/);
}

export function isRunLease(value: unknown): value is RunLease {
  if (!isRecord(value) || !isProcess(value)) return false;
  return (
    isTextOf(value['host'], /^[0-9a-z]{1,7}$/) &&
    isTextOf(value['expires_at'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) &&
    isWhole(value['fence'], 1)
  );
}

export function isAgentRecord(value: unknown): value is AgentRecord {
  if (!isRecord(value) || !isProcess(value)) return false;
  const { mark, host, worker, task_id, attempt } = value;
  return (
    isTextOf(mark, /^[0-9a-f-]{16,64}$/) &&
    isTextOf(host, /^[0-9a-z]{1,7}$/) &&
    isName(worker) &&
    (task_id === '' || isName(task_id)) &&
    isWhole(attempt, 0)
  );
}

export function isWhole(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= MAX_REVISION;
}

function isTextOf(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}
