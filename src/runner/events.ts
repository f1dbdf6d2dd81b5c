/** What an orchestrator tells while it runs. One JSON object a line with `--json`, so the names are those of the other documents. */
import type { Counts, OpenQuestion } from '../model/views/summary.ts';
import type { FailureKind } from './agent.ts';

export type RunEvent =
  | { type: 'plan'; approach: string; tasks: number; cost_usd: number }
  | {
      type: 'claim';
      worker: string;
      task_id: string;
      attempt: number;
      description: string;
      /** The worker held it before, as where two terminals have one name. */
      already?: boolean;
    }
  | { type: 'progress'; worker: string; task_id: string | null; action: string }
  | { type: 'complete'; worker: string; task_id: string; cost_usd: number; duration_ms: number; denied: string[] }
  | {
      type: 'fail';
      worker: string;
      task_id: string;
      kind: FailureKind;
      reason: string;
      final: boolean;
      cost_usd: number;
    }
  /** What was handed in waits for somebody else's look. */
  | { type: 'submit'; worker: string; task_id: string; cost_usd: number; duration_ms: number; denied: string[] }
  | { type: 'review'; worker: string; task_id: string; approved: boolean; reasons: string }
  /** A check did not end well, and the same agent is told once. */
  | { type: 'check'; worker: string; task_id: string; message: string }
  /** It is on the board's branch. */
  | { type: 'land'; task_id: string; commit: string; branch: string }
  /** It could not land: it goes back to be mended, or stays queued. */
  | { type: 'bounce'; task_id: string; reason: string; held: boolean }
  /** The task is tried again, after this pause. */
  | { type: 'retry'; worker: string; task_id: string; attempt: number; pause_ms: number }
  /** The task goes back without an attempt being used up: the run was stopped, or the API is overloaded. */
  | { type: 'release'; worker: string; task_id: string; reason: string }
  | { type: 'discovery'; worker: string; content: string; task_id: string | null }
  /** An agent asks; it waits, or has given its task back (`parked`), or goes on meanwhile. */
  | ({ type: 'question' } & OpenQuestion)
  /** `by` null: its default holds since nobody answered in time; `answer` null: nobody waits for one any more. */
  | { type: 'answer'; task_id: string; n: number; worker: string; answer: string | null; by: string | null }
  /** What the run has cost so far. */
  | { type: 'cost'; total_usd: number }
  | { type: 'warning'; message: string }
  /** How the board stands, after each change of this run's making. */
  | { type: 'status'; counts: Counts }
  | { type: 'settled'; outcome: RunOutcome; counts: Counts; cost_usd: number; duration_ms: number };

/**
 * `done`: every task is done (or cancelled). `failed`: some failed or are stuck behind them. `budget`: the money is spent.
 * `interrupted`: stopped from outside. `review`: all that is left waits for a person's look. `question`: for an answer, or a look.
 */
export type RunOutcome = 'done' | 'failed' | 'budget' | 'interrupted' | 'review' | 'question';
