/**
 * Several agents on one board: plan a goal, work through the tasks, sum up. The board is all the state there is: a person may
 * watch it, work on it, add to it meanwhile; after a crash another orchestrator goes on from it.
 */
import { resolve } from 'node:path';
import { LEADER } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import { AddTasks, InitBoard } from '../model/inputs.ts';
import { parseInput } from '../model/parse-input.ts';
import type { Task } from '../model/task.ts';
import type { NewTask } from '../model/verbs/add-tasks.ts';
import { summarise, type Summary } from '../model/views/summary.ts';
import {
  initStore,
  openRunRecords,
  type OpenOptions,
  openStore,
  placeOfNewBoard,
  stateFolderOf,
} from '../store/open.ts';
import type { RunRecords } from '../store/run-records.ts';
import type { Store } from '../store/store.ts';
import type { Agent } from './agent.ts';
import { Claude } from './agents/claude/claude.ts';
import { Backoff } from './backoff.ts';
import { Budget } from './budget.ts';
import { conclude, type RunResult } from './conclusion.ts';
import { Ending } from './ending.ts';
import type { RunEvent } from './events.ts';
import type { OrchestratorOptions, Surroundings, TaskOptions } from './options.ts';
import { reconcile } from './orphans.ts';
import { makePlan, PLANNER } from './planner.ts';
import { Pool } from './pool.ts';
import { DEFAULT_BRANCH, type Worktrees } from '../model/worktrees.ts';
import { Gate } from '../work/gate.ts';
import { type Landed, Lander } from '../work/landing.ts';
import { LandingLoop } from '../work/landing-loop.ts';
import { beginBranch, findRepository } from '../work/repository.ts';
import { prepareClaim } from '../work/worktrees.ts';
import { identify, livenessOf } from '../work/processes.ts';
import { tellQuestions } from './questions.ts';
import { Run } from './run.ts';
import { rolePrompt } from './role-prompt.ts';

/** Renewed at every third of it. When this process dies, its tasks are free after this at the latest, or at once with `resume`. */
const LEASE_SECONDS = 120;
const DEFAULT_WORKERS = 3;
const DEFAULT_TIMEOUT_SECONDS = 600;

export class Orchestrator {
  readonly #options: OrchestratorOptions & Surroundings;
  readonly #cwd: string;
  readonly #ending = new Ending();
  readonly #budget: Budget;
  readonly #backoff: Backoff;
  #store: Store | undefined;
  #agent: Agent | undefined;
  #checked: Promise<void> | undefined;
  #goal = '';
  #running: Promise<RunResult> | undefined;

  constructor(options: OrchestratorOptions & Surroundings) {
    this.#options = options;
    this.#cwd = resolve(options.workingDirectory ?? '.');
    this.#budget = new Budget(options.budgetUsd);
    this.#backoff = new Backoff(options.retryPauseMs, options.limitPauseMs);
    options.signal?.addEventListener('abort', () => this.#ending.stop(), { once: true });
    if (options.signal?.aborted) this.#ending.stop();
  }

  /**
   * Opens the board of the working directory, or makes one for this goal.
   *
   * @throws CoordError `already-initialised` when there is one with open tasks of another goal
   */
  async initialize(goal: string): Promise<void> {
    this.#goal = parseInput(InitBoard, { goal }).goal;
    try {
      const worktrees = await this.#beginWorktrees(placeOfNewBoard(this.#place));
      const { store } = await initStore({ goal: this.#goal, ...(worktrees ? { worktrees } : {}) }, this.#place);
      this.#store = store;
    } catch (error) {
      if (!(error instanceof CoordError) || error.code !== 'already-initialised') throw error;
      await this.#join();
    }
  }

  /** The branch on which tasks land is made before the board, which should not stand without it. */
  async #beginWorktrees(location: string): Promise<Worktrees | undefined> {
    const { worktrees, env } = this.#options;
    if (!worktrees) return undefined;
    const { branch = DEFAULT_BRANCH, remote, setup } = worktrees;
    const wanted = { branch, ...(remote === undefined ? {} : { remote }), ...(setup === undefined ? {} : { setup }) };
    return beginBranch(await findRepository(location, this.#cwd, env, remote), wanted);
  }

  /** Takes the board that is there, if it is of this goal; a finished one of another goal is put aside. */
  async #join(): Promise<void> {
    const store = openStore(this.#place);
    this.#store = store;
    const board = await store.read();
    if (board.goal === this.#goal) return;
    const { counts } = summarise(board, await store.now());
    const open = counts.available + counts.claimed + counts.submitted;
    if (open > 0) {
      throw new CoordError(
        'already-initialised',
        `The board here still has ${open} open tasks for: ${board.goal ?? 'no goal'}.`,
        {
          details: { why: 'other-goal' },
        },
      );
    }
    const made = await initStore({ goal: this.#goal }, { ...this.#place, dir: store.location, force: true });
    this.#store = made.store;
    this.#tell({
      type: 'warning',
      message: `The finished board of another goal is kept in ${made.backup ?? 'its backup'}.`,
    });
  }

  get #place(): OpenOptions {
    return {
      cwd: this.#cwd,
      dir: this.#options.dir,
      stateFolder: stateFolderOf(this.#options.env),
      env: this.#options.env,
    };
  }

  /**
   * Whether Claude Code can be started at all. Every run asks first; ask before {@link initialize} to leave no board behind.
   *
   * @throws CoordError `claude-not-found`, `claude-too-old`, `claude-not-authenticated`
   */
  check(): Promise<void> {
    return (this.#checked ??= this.#agentOf().check());
  }

  /** Opens the board that is there. @throws CoordError `not-initialised` */
  open(): Store {
    return (this.#store ??= openStore(this.#place));
  }

  async addTask(description: string, options: TaskOptions = {}): Promise<Task> {
    const [task] = await this.addTasks([{ ...options, description }]);
    return task as Task; // one in, one out
  }

  /** All or none. */
  async addTasks(tasks: readonly NewTask[]): Promise<Task[]> {
    const { maxAttempts } = this.#options;
    const input = tasks.map((task) => (maxAttempts === undefined ? task : { max_attempts: maxAttempts, ...task }));
    const added = await this.open().addTasks(parseInput(AddTasks, { tasks: input }));
    return added.tasks;
  }

  /** Gives every task that waits so many attempts more than it has had. */
  async limitAttempts(attempts: number): Promise<void> {
    const store = this.open();
    const { tasks } = await store.read();
    for (const { id, status, attempt } of tasks)
      if (status === 'available') await store.editTask({ task_id: id, max_attempts: attempt + attempts });
  }

  /**
   * Answers what an agent asks about a task.
   *
   * @param n  which of its questions, from 1; by default the oldest that is open
   * @throws CoordError `task-state` where there is none
   */
  async answer(taskId: string, text: string, n?: number): Promise<void> {
    await this.open().answer({ by: LEADER, task_id: taskId, answer: text, n });
  }

  get #timeoutSeconds(): number {
    return this.#options.taskTimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
  }

  async getStatus(): Promise<Summary> {
    const store = this.open();
    return summarise(await store.read(), await store.now());
  }

  /** Does the tasks that are on the board. */
  runWithPredefinedTasks(): Promise<RunResult> {
    return this.#once(async () => {});
  }

  /** Lets an agent read the code base and break the goal down, then does the tasks. */
  runWithLeaderPlanning(): Promise<RunResult> {
    return this.#once((run) => this.#plan(run));
  }

  /** `initialize` and `runWithLeaderPlanning`. */
  async run(goal: string): Promise<RunResult> {
    await this.check();
    await this.initialize(goal);
    return this.runWithLeaderPlanning();
  }

  /** Plans and stops there: approach and tasks are on the board, for review. */
  async planOnly(): Promise<Task[]> {
    const { run, end } = await this.#begin();
    try {
      await this.#plan(run);
      return (await run.store.read()).tasks;
    } finally {
      await end();
    }
  }

  /** Ends the run: agents are interrupted, their tasks given back. Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#ending.stop();
    await this.#running?.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#store?.close();
  }

  /** For the last moment of this process: kills every agent at once. */
  killAll(): void {
    this.#agent?.killAll();
  }

  /** One run at a time; asked again meanwhile, the same one answers. */
  #once(prepare: (run: Run) => Promise<void>): Promise<RunResult> {
    this.#running ??= this.#work(prepare).finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #work(prepare: (run: Run) => Promise<void>): Promise<RunResult> {
    const start = Date.now();
    const { run, end } = await this.#begin();
    const over = new AbortController();
    let asking: Promise<void> | undefined;
    try {
      const toldDiscoveries = (await run.store.discoveries()).length;
      await prepare(run);
      await this.#verify(run);
      const { keepGoing, maxWorkers = DEFAULT_WORKERS } = this.#options;
      // On an empty board a slot would wait for the first task for ever.
      const { total } = (await this.getStatus()).counts;
      const width = total === 0 && keepGoing !== true ? 0 : maxWorkers;
      const workers = Array.from({ length: width }, (_, i) => `worker-${i + 1}`);
      asking = tellQuestions(run.store, (event) => this.#tell(event), over.signal).catch((error: unknown) => {
        this.#tell({ type: 'warning', message: `What agents ask is not told: ${String(error)}` });
      });
      await new Pool(run, {
        workers,
        leaseSeconds: LEASE_SECONDS,
        stay: keepGoing,
        awaitsReviews: this.#options.review === 'leader',
        answerMs: (this.#options.answerTimeoutSeconds ?? this.#timeoutSeconds) * 1000,
        tellsBoard: true,
        toldDiscoveries,
      }).work();
      if (this.#ending.because) throw this.#ending.because;
      return await conclude(run, { start, summarize: this.#options.summarize === true });
    } finally {
      over.abort();
      await asking;
      await run.landing?.settled();
      await end();
    }
  }

  /** Checks the agent, makes this the board's one orchestrator, and ends what a dead one has left running. */
  async #begin(): Promise<{ run: Run; end: () => Promise<void> }> {
    const store = this.open();
    await this.check();
    const records = await openRunRecords({ ...this.#place, dir: store.location });
    await this.#own(records);
    await this.#setGate(store);
    const around = {
      store,
      openOptions: this.#place,
      allowed: this.#allowed,
      cwd: this.#cwd,
      env: this.#options.env,
      signal: this.#ending.stopping,
    };
    const isLanding = (await store.read()).defaults?.worktrees !== undefined;
    const run = new Run({
      store,
      gate: new Gate(around),
      prepare: (claimed) => prepareClaim(store, claimed, around),
      landing: isLanding
        ? new LandingLoop(new Lander({ ...around, by: LEADER }), (end) => this.#tell(eventOfLanding(end)))
        : undefined,
      isReviewing: this.#options.review === 'agent',
      agent: this.#agentOf(),
      budget: this.#budget,
      backoff: this.#backoff,
      ending: this.#ending,
      cwd: this.#cwd,
      timeoutMs: this.#timeoutSeconds * 1000,
      prompt: (worker, brief) => `${rolePrompt(worker)}\n${brief}`,
      onEvent: this.#options.onEvent,
      records,
    });
    try {
      await reconcile(store, records, (event) => this.#tell(event));
    } catch (error) {
      await records.disown();
      throw error;
    }
    return { run, end: () => records.disown() };
  }

  /** What an earlier run handed in without checking it, as where it was stopped meanwhile. */
  async #verify(run: Run): Promise<void> {
    void run.landing?.run().catch(() => {}); // told once the rest lands
    for (const { id, status, evidence, branch } of (await run.store.read()).tasks) {
      if (status !== 'submitted' || evidence?.verdict !== 'unchecked' || branch !== undefined) continue;
      await run.gate.verify(id, LEADER).catch((error: unknown) => {
        if (!(error instanceof CoordError)) throw error;
        this.#tell({ type: 'warning', message: `${id} stays unchecked: ${error.message}` });
      });
    }
  }

  /** What whoever runs this asks for holds for the whole board. */
  async #setGate(store: Store): Promise<void> {
    const { checks, review } = this.#options;
    const isAsked = this.#options.worktrees !== undefined && (await store.read()).defaults?.worktrees === undefined;
    const worktrees = isAsked ? await this.#beginWorktrees(store.location) : undefined;
    if (checks === undefined && review === undefined && !worktrees) return;
    await store.setDefaults({
      ...(worktrees ? { worktrees } : {}),
      ...(checks === undefined ? {} : { checks: [...checks] }),
      ...(review === undefined ? {} : { review: true }),
    });
  }

  /** What whoever starts the run asks for may run in it. */
  get #allowed(): readonly string[] {
    const { checks = [], allowsChecks, worktrees } = this.#options;
    const { setup } = worktrees ?? {};
    return allowsChecks === false ? [] : [...checks, ...(setup === undefined ? [] : [setup])];
  }

  /** @throws CoordError `already-running` */
  async #own(records: RunRecords): Promise<void> {
    const self = identify(process.pid) ?? { pid: process.pid, started: '' };
    const other = await records.own(
      self,
      (one) => (one.pid === process.pid ? 'dead' : livenessOf(one)),
      () => this.#robbed(),
    );
    if (!other) return;
    throw new CoordError('already-running', `Another orchestrator (process ${other.pid}) works on this board.`, {
      details: { why: 'other', until: other.expires_at },
    });
  }

  /** This process was paused for so long that another one goes on with the board. */
  #robbed(): void {
    const message = 'Another orchestrator has taken this board over meanwhile.';
    this.#ending.stop(new CoordError('already-running', message, { details: { why: 'lost' } }));
  }

  #agentOf(): Agent {
    if (this.#agent) return this.#agent;
    const { agent, claude, model, maxTurns, permissionMode, allowedTools, coord, env } = this.#options;
    this.#agent =
      agent ??
      new Claude({
        executable: claude ?? (env['COORD_CLAUDE_BIN'] || undefined),
        env,
        coord,
        boardDir: () => this.open().location,
        model,
        maxTurns,
        permissionMode,
        allowedTools,
      });
    return this.#agent;
  }

  async #plan(run: Run): Promise<void> {
    const { store, agent } = run;
    const goal = this.#goal || ((await store.read()).goal ?? '');
    let cost_usd = 0;
    const spend = async (usd: number): Promise<void> => {
      cost_usd += usd;
      await run.spendApart(usd);
    };
    let plan;
    try {
      plan = await makePlan(agent, goal, run.job(PLANNER, null), spend);
    } finally {
      await run.records?.forget(PLANNER);
    }
    await store.writePlan({ text: `# Master plan\n\n## Goal\n\n${goal}\n\n## Approach\n\n${plan.approach}\n` });
    await this.addTasks(plan.tasks);
    this.#tell({ type: 'plan', approach: plan.approach, tasks: plan.tasks.length, cost_usd });
  }

  #tell(event: RunEvent): void {
    this.#options.onEvent?.(event);
  }
}

function eventOfLanding(end: Landed): RunEvent {
  const { id: task_id, landed } = end.task;
  return end.end === 'landed'
    ? { type: 'land', task_id, commit: end.commit, branch: landed?.branch ?? '' }
    : { type: 'bounce', task_id, reason: end.reason, held: end.end === 'held' };
}
