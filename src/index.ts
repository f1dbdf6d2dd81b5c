/** The public API: the board that the command line works on, and the orchestrator, for programs. */
import { fileURLToPath } from 'node:url';
import { Orchestrator as Pool, type OrchestratorOptions } from './orchestrator/orchestrator.ts';

/**
 * Several Claude Code processes on one board.
 *
 * ```ts
 * await using orchestrator = new Orchestrator({ workingDirectory: './my-project', maxWorkers: 3 });
 * const { summary, costUsd } = await orchestrator.run('Build user authentication');
 * ```
 */
export class Orchestrator extends Pool {
  constructor(options: OrchestratorOptions & { env?: Readonly<Record<string, string | undefined>> } = {}) {
    // From dist/index.js: the binary of this very package, for the MCP server of the workers.
    const coord = fileURLToPath(new URL('../bin/coord.cjs', import.meta.url));
    super({ env: process.env, coord: [process.execPath, coord], ...options });
  }
}
export type { OrchestratorOptions, RunResult, TaskOptions } from './orchestrator/orchestrator.ts';
export type { RunEvent, RunOutcome } from './orchestrator/events.ts';
export type { Agent, FailureKind, Job, Outcome } from './orchestrator/agent.ts';
export { CoordError, type ErrorCode } from './model/errors.ts';
export type { Board } from './model/board.ts';
export type { Task, Status } from './model/task.ts';
export type { Discovery, LogEntry, Result } from './model/report.ts';
export type { AddAnswer } from './model/leader-verbs.ts';
export type { Claimed, ClaimAnswer, CompleteAnswer, IdleReason, NotClaimed, Overlap } from './model/worker-verbs.ts';
export { summarise, type Counts, type Summary } from './model/summary.ts';
export type {
  AddDiscovery,
  AddTasks,
  CancelTasks,
  Claim,
  Complete,
  EditTask,
  Fail,
  InitBoard,
  NewTask,
  Release,
  Renew,
  TaskIds,
  WritePlan,
} from './model/inputs.ts';
export { initStore, openMemoryStore, openStore, type Created, type OpenOptions } from './store/open.ts';
export type { Store } from './store/store.ts';
export { keepLease, nextTask, untilSettled, waitFor, type WaitOptions } from './store/wait.ts';
