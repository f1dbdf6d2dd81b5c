/** The public API: the board that the command line works on, for programs. */
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
