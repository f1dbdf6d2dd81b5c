/** What the parts of one run share: the board, the agent, what it may cost, and how it ends. */
import type { ClaimedTask, Task } from '../model/task.ts';
import type { RunRecords } from '../store/run-records.ts';
import type { Store } from '../store/store.ts';
import type { Gate } from '../work/gate.ts';
import type { LandingLoop } from '../work/landing-loop.ts';
import type { Prepared } from '../work/worktrees.ts';
import type { Agent, Job } from './agent.ts';
import type { Backoff } from './backoff.ts';
import type { Budget } from './budget.ts';
import type { Ending } from './ending.ts';
import type { RunEvent } from './events.ts';

export interface RunParts {
  store: Store;
  agent: Agent;
  budget: Budget;
  backoff: Backoff;
  ending: Ending;
  /** Where agents work. */
  cwd: string;
  /** For one attempt; undefined: as long as it takes. */
  timeoutMs?: number | undefined;
  /** What the agent is told besides the brief. */
  prompt: (worker: string, brief: string) => string;
  onEvent?: ((event: RunEvent) => void) | undefined;
  /** The way to done. */
  gate: Gate;
  /** Whether one more agent looks at what is handed in. */
  isReviewing?: boolean | undefined;
  /** Makes the worktree of a claim, where the board gives each one of its own. */
  prepare?: ((claimed: { task: ClaimedTask; already: boolean }) => Promise<Prepared | undefined>) | undefined;
  /** Lands what is handed in. */
  landing?: LandingLoop | undefined;
  /** What agents are recorded in, where somebody has to find them after a crash. */
  records?: RunRecords | undefined;
}

export class Run {
  readonly #parts: RunParts;
  #isUnkept = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  get store(): Store {
    return this.#parts.store;
  }
  get agent(): Agent {
    return this.#parts.agent;
  }
  get budget(): Budget {
    return this.#parts.budget;
  }
  get backoff(): Backoff {
    return this.#parts.backoff;
  }
  get ending(): Ending {
    return this.#parts.ending;
  }
  get gate(): Gate {
    return this.#parts.gate;
  }
  get isReviewing(): boolean {
    return this.#parts.isReviewing === true;
  }
  get landing(): LandingLoop | undefined {
    return this.#parts.landing;
  }

  /** Where the agent of a claim works, and what it is told of that. */
  async prepare(task: ClaimedTask, already: boolean): Promise<Prepared | undefined> {
    return this.#parts.prepare?.({ task, already });
  }

  get records(): RunRecords | undefined {
    return this.#parts.records;
  }

  prompt(worker: string, brief: string): string {
    return this.#parts.prompt(worker, brief);
  }

  tell(event: RunEvent): void {
    this.#parts.onEvent?.(event);
  }

  /** Once the last of the budget is spent, nothing new is begun. */
  spend(costUsd: number): void {
    const { budget, ending } = this.#parts;
    const isLast = budget.spend(costUsd);
    if (costUsd > 0) this.tell({ type: 'cost', total_usd: budget.spentUsd });
    if (!isLast) return;
    ending.drain();
    this.tell({ type: 'warning', message: `The budget of $${budget.limitUsd} is spent; nothing new is begun.` });
  }

  /** What no task has cost is kept with the board, so that the summary of a later run knows it too. */
  async spendApart(costUsd: number): Promise<void> {
    this.spend(costUsd);
    if (costUsd > 0) await this.store.addCost({ cost_usd: costUsd });
  }

  /**
   * A job without its prompt.
   *
   * @param task  null for an agent that does none, such as the planner
   * @param cwd  where it works
   * @param lost  ends the job besides, where the task is another's by now
   */
  job(
    worker: string,
    task: Task | null,
    lost?: AbortSignal,
    cwd = this.#parts.cwd,
  ): Omit<Job, 'prompt' | 'isReadOnly'> {
    const { timeoutMs, budget, ending } = this.#parts;
    const { leftUsd } = budget;
    const claim = { task_id: task?.id ?? '', attempt: task?.attempt ?? 0 };
    return {
      worker,
      task,
      cwd,
      ...(leftUsd === undefined ? {} : { budgetUsd: leftUsd }),
      timeoutMs,
      signal: lost ? AbortSignal.any([ending.stopping, lost]) : ending.stopping,
      onStart: async (agent) => this.records?.record({ worker, ...claim, ...agent }),
      onAction: (action) => this.tell({ type: 'progress', worker, task_id: task?.id ?? null, action }),
      onWarning: (message) => this.tell({ type: 'warning', message }),
      onLine: (line) => this.#keep(worker, line),
    };
  }

  /** A transcript that cannot be written is no reason to stop. */
  #keep(worker: string, line: string): void {
    try {
      this.records?.keep(worker, line);
    } catch (error) {
      if (this.#isUnkept) return;
      this.#isUnkept = true;
      const why = error instanceof Error ? error.message : String(error);
      this.tell({ type: 'warning', message: `What agents say is not kept: ${why}` });
    }
  }
}
