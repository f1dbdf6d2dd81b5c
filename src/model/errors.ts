/**
 * Everything that coord refuses or cannot do, as one class with one list of codes.
 * A code is part of the contract with scripts and agents: codes are added, never renamed.
 */
import type { Ref } from './refs.ts';

export type ErrorCode =
  | 'usage' // the words of the command line are wrong
  | 'invalid-input' // a value does not fit its schema
  | 'import-malformed' // a task file cannot be understood
  | 'not-initialised' // no .coordination/ here or above
  | 'already-initialised' // there is one already
  | 'board-moved' // it is kept elsewhere now
  | 'tasks-malformed' // tasks.json is not JSON, or not a board
  | 'version-unsupported' // tasks.json was written by a newer coord
  | 'task-not-found'
  | 'dependency-unknown'
  | 'dependency-cycle'
  | 'key-taken' // the key names another task
  | 'reader-unknown' // nobody of that name works on this board
  | 'inbox-full' // a reader has too much that it has not read
  | 'task-state' // the task's status does not allow this
  | 'not-claimable' // a task asked for by name cannot be claimed now
  | 'worker-busy' // the worker holds another task
  | 'claim-lost' // the task is not, or no longer, this worker's
  | 'unchecked' // a check of the task is not proven
  | 'check-failed' // a check did not end well
  | 'check-broken' // a check could not be run
  | 'check-not-allowed' // nobody has allowed the command on this machine
  | 'not-committed' // what is handed in is no commit of its worktree
  | 'git-failed' // git says no, or is not there
  | 'outcome-unknown' // paused for so long that the log of commits moved on
  | 'store-unavailable' // the disk, a permission or a path says no
  | 'board-unsafe' // a link, or somebody else's folder, where the board should be
  | 'not-allowed' // agents may not do this
  | 'settings-malformed' // a file of Claude Code's settings cannot be merged with
  | 'command-failed' // a program that coord was to start has ended badly
  | 'command-not-found' // `coord worker run` cannot start its command
  | 'claude-not-found' // there is no Claude Code to start
  | 'claude-too-old'
  | 'claude-not-authenticated' // nobody is logged in, or the account cannot pay
  | 'plan-invalid' // the planning agent gave no usable plan, twice
  | 'already-running' // another orchestrator works on this board
  | 'timed-out'
  | 'interrupted';

/** The facts behind an error, from which each face words the next step. Which of them there are, the code and `why` say. */
export interface ErrorDetails {
  /** Tells apart what one code may stand for: `waits`, `full`. */
  why?: string;
  task_id?: string;
  /** The task that stands in the way of it, or that was meant. */
  other_id?: string;
  worker?: string;
  /** Status of the task. */
  status?: string;
  /** Place in the batch, from 0. */
  index?: number;
  path?: string;
  /** Of a check. */
  command?: string;
  exit_code?: number | null;
  /** How many times in a row it ended like this. */
  times?: number;
  /** ISO 8601 UTC. */
  until?: string;
  /** Of a landing. */
  token?: string;
  branch?: string;
  /** Where the text of a refused result is kept. */
  kept?: Ref;
}

/** What happened (`message`), the facts of it (`details`), and what lay beneath (`cause`). */
export class CoordError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;
  /** The next step, where a face knows it better than the details tell. */
  readonly hint: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: ErrorDetails | undefined; hint?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CoordError';
    this.code = code;
    this.details = options.details;
    this.hint = options.hint;
  }
}

/** Closes a `switch` over a union: a case that was forgotten fails the build. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
