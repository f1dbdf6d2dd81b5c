/** The port to whatever does the work. Claude Code is one agent, a command another; each has its place in agents/. */
import type { Task } from '../model/task.ts';
import type { ProcessId } from '../store/registry.ts';

export interface Job {
  /** Who works, for logs and for the board. */
  worker: string;
  /** What it is to do, for agents that are told in other ways than by words; null where it is no task of the board. */
  task: Task | null;
  prompt: string;
  /** Goes on with this session of the agent, as an {@link Outcome} has named it, and with what it knows. */
  resume?: string | undefined;
  /** Where it works. */
  cwd: string;
  /** True for planning: it may look at everything and change nothing. */
  isReadOnly: boolean;
  /** The answer's shape as JSON Schema; without it the answer is text. */
  schema?: Record<string, unknown> | undefined;
  /** What this job may cost at most, in US dollars; checked after each request, so it may go a little over. */
  budgetUsd?: number | undefined;
  /** After this long it ends as `timeout`; undefined: never. */
  timeoutMs?: number | undefined;
  /** Ends the job as `interrupted`. */
  signal: AbortSignal;
  /** Told once, before the agent has its prompt. The mark is the value of COORD_RUN in the environment of all that it starts. */
  onStart: (agent: ProcessId & { mark: string }) => Promise<void>;
  /** Told what it does: `Edit src/user.ts`. */
  onAction: (action: string) => void;
  /** Told what a person should know, and what stops nothing. */
  onWarning: (message: string) => void;
  /** Told each line that it says, unread. */
  onLine: (line: string) => void;
}

/** Why a job failed. `rate-limited` and the two after it say nothing about the task. */
export type FailureKind =
  | 'timeout'
  | 'stalled'
  | 'crashed'
  | 'api-error'
  | 'max-turns'
  | 'budget'
  | 'no-answer'
  | 'check-failed'
  | 'not-committed'
  | 'rate-limited'
  | 'authentication'
  | 'interrupted';

export interface Report {
  /** In US dollars, as the agent estimates it; undefined for one that costs nothing that it could tell. */
  costUsd?: number | undefined;
  /** Names its session, where it can go on with it. */
  session?: string | undefined;
  /** Its final message; of a failure, what it said last. */
  text: string;
  filesCreated: string[];
  filesModified: string[];
  /** What it was not allowed to do. */
  denied: string[];
}

export type Success = Report & { ok: true; structured: unknown };
export type Failure = Report & { ok: false; kind: FailureKind; reason: string };
export type Outcome = Success | Failure;

export interface Agent {
  /** Whether it can be started at all. @throws CoordError `claude-not-found`, `claude-too-old`, `claude-not-authenticated` */
  check(): Promise<void>;
  /**
   * Runs to its end; afterwards nothing that it started is left, unless it succeeded and meant to leave it.
   *
   * @throws CoordError where it could not be started; never for what it did
   */
  run(job: Job): Promise<Outcome>;
  /** Kills what runs at once, for the last moment of this process. */
  killAll(): void;
}
