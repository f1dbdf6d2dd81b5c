/** What an orchestrator can be told. */
import type { NewTask } from '../model/verbs/add-tasks.ts';
import type { Worktrees } from '../model/worktrees.ts';
import type { Agent } from './agent.ts';
import type { RunEvent } from './events.ts';

export interface OrchestratorOptions {
  /** Where agents work, and where the board is found or made; default the working directory. */
  workingDirectory?: string;
  /** The project's root or `.coordination/` itself, where the board is not to be looked for. */
  dir?: string | undefined;
  /** Slots, so agents at the same time; default 3. */
  maxWorkers?: number;
  /** Passed on to Claude Code as given; default its own. */
  model?: string | undefined;
  /** Seconds that one attempt at a task may take; default 600. */
  taskTimeoutSeconds?: number;
  /**
   * Seconds that a run waits for answers where nothing else is left to do; `Infinity` where somebody sits before it. Default as
   * for an attempt.
   */
  answerTimeoutSeconds?: number;
  /** Attempts of a task that names no number of its own; default 3. */
  maxAttempts?: number | undefined;
  /** US dollars for the whole run; once they are spent nothing new is begun. */
  budgetUsd?: number | undefined;
  /** Turns of one agent. */
  maxTurns?: number | undefined;
  /** Of Claude Code; default `acceptEdits`. */
  permissionMode?: string | undefined;
  /** Rules of Claude Code for what workers may do besides: `Bash(npm test *)`. */
  allowedTools?: readonly string[] | undefined;
  /** Commands that must end well before a task is done, from now on for all tasks of the board that say nothing else. */
  checks?: readonly string[] | undefined;
  /** False: these were not given by a person or a program of theirs, and run only if allowed before. */
  allowsChecks?: boolean | undefined;
  /** Each task in a worktree of its own, landing on one branch: from now on for all claims of the board. */
  worktrees?: (Pick<Worktrees, 'remote' | 'setup'> & { branch?: string | undefined }) | undefined;
  /** Who looks at what is handed in: one more agent, or whoever leads, for whom the run waits. */
  review?: 'agent' | 'leader' | undefined;
  /** True: when every task is settled or stuck, the run waits for more instead of ending, until it is stopped. */
  keepGoing?: boolean;
  /** True: one more agent writes the summary's prose. */
  summarize?: boolean;
  /** Claude Code's executable; default COORD_CLAUDE_BIN, then `claude` on PATH. */
  claude?: string | undefined;
  /** Anything else that can do a job, instead of Claude Code. */
  agent?: Agent;
  onEvent?: (event: RunEvent) => void;
  /** Stops the run as {@link Orchestrator.stop} does. */
  signal?: AbortSignal;
  /** For tests: the first pause before a retry, and after a rate limit. */
  retryPauseMs?: number;
  limitPauseMs?: number;
}

/** What the process around it knows; index.ts fills it in for programs. */
export interface Surroundings {
  /** Command and arguments that start `coord`. */
  coord: readonly string[];
  /** Environment of the agents. */
  env: Readonly<Record<string, string | undefined>>;
}

/** What `addTask` takes besides the description. */
export type TaskOptions = Omit<NewTask, 'description'>;
