/** The handlers of `coord orchestrate`. */
import { CoordError } from '../../model/errors.ts';
import { NewTask } from '../../model/inputs.ts';
import { clip, visible } from '../../model/text.ts';
import type { RunEvent, RunOutcome } from '../../runner/events.ts';
import type { RunResult } from '../../runner/conclusion.ts';
import { Orchestrator } from '../../runner/orchestrator.ts';
import { CONFIG_NAME, readConfig, tasksOfConfig, writeConfig } from '../../formats/orchestration-file.ts';
import { readTaskFile } from '../../formats/task-file.ts';
import { type Context, isAgent, type Reply, textOrStdin, withStore } from '../io.ts';
import { EXIT } from './output.ts';
import { Answers } from './answers.ts';
import { Progress } from './progress.ts';
import { emptyBoard, type Board } from '../../model/board.ts';
import type { NotifyOptions } from './notify.ts';
import type { WorktreeOptions } from './worktrees.ts';
import { formatDuration } from '../durations.ts';
import { relative } from 'node:path';
import { parseInput } from '../../model/parse-input.ts';

export interface RunOptions extends NotifyOptions, WorktreeOptions {
  workers?: number;
  model?: string;
  /** Seconds. */
  timeout?: number;
  maxAttempts?: number;
  /** US dollars. */
  budget?: number;
  maxTurns?: number;
  permissionMode?: string;
  allowedTools?: string[];
  summarize?: boolean;
  keepGoing?: boolean;
  check?: string[];
  review?: 'agent' | 'leader';
}

export async function run(
  context: Context,
  goal: string,
  options: RunOptions & { plan: boolean; tasks?: string; planOnly?: boolean },
): Promise<Reply> {
  if (options.planOnly && (!options.plan || options.tasks !== undefined))
    throw new CoordError('usage', '--plan-only plans; it goes neither with --no-plan nor with --tasks.');
  if (options.plan && options.tasks !== undefined)
    throw new CoordError('usage', '--tasks brings a plan along; say --no-plan too.', {
      hint: `coord orchestrate run --no-plan --tasks ${options.tasks} "${clip(goal)}"`,
    });
  const checked = options.tasks === undefined ? [] : await readTasks(context, options.tasks);
  return withOrchestrator(context, options, async (orchestrator) => {
    await orchestrator.initialize(goal);
    if (options.planOnly) {
      const planned = await orchestrator.planOnly();
      return {
        text: planned
          .map((task) => `${task.id}  p${task.priority}  ${visible(clip(task.description, 100))}`)
          .join('\n'),
        json: { tasks: planned },
        notes: ['Change them with coord leader edit, add-task or cancel.', 'Next: coord orchestrate resume'],
      };
    }
    if (options.plan) return concluded(context, await orchestrator.runWithLeaderPlanning(), options);
    if (checked.length > 0) await orchestrator.addTasks(checked);
    else if (options.keepGoing !== true && (await orchestrator.getStatus()).counts.total === 0)
      throw new CoordError('usage', 'Without a plan there is nothing to do: the board has no task.', {
        hint: `coord orchestrate run --no-plan --tasks tasks.json "${clip(goal)}"`,
      });
    return concluded(context, await orchestrator.runWithPredefinedTasks(), options);
  });
}

export async function resume(context: Context, options: RunOptions): Promise<Reply> {
  return withOrchestrator(context, options, async (orchestrator) => {
    if (options.keepGoing !== true && (await orchestrator.getStatus()).counts.total === 0)
      throw new CoordError('usage', 'There is nothing to go on with: the board has no task.', {
        hint: 'coord orchestrate run "<goal>", or coord leader add-task "<description>"',
      });
    if (options.maxAttempts !== undefined) await orchestrator.limitAttempts(options.maxAttempts);
    return concluded(context, await orchestrator.runWithPredefinedTasks(), options);
  });
}

export async function init(context: Context, goal: string, options: { force?: boolean }): Promise<Reply> {
  const { env } = context.io;
  const config = {
    goal,
    max_workers: numberFrom(env, 'MAX_WORKERS') ?? DEFAULT_WORKERS,
    model: env['CLAUDE_MODEL'] || null,
    task_timeout: numberFrom(env, 'TASK_TIMEOUT') ?? DEFAULT_TIMEOUT,
    tasks: [],
  };
  if (goal.trim() === '') throw new CoordError('invalid-input', 'goal: must not be empty');
  writeConfig(context.io.cwd, CONFIG_NAME, config, options.force === true);
  return {
    text: `Wrote ${CONFIG_NAME}`,
    json: { file: CONFIG_NAME, ...config },
    notes: ['Next: coord orchestrate create-task "<description>" -p 1'],
  };
}

export async function createTask(
  context: Context,
  description: string,
  options: { priority?: number; depends?: string[]; files?: string[]; hints?: string },
): Promise<Reply> {
  const config = readConfig(context.io.cwd, CONFIG_NAME);
  const task = {
    description: await textOrStdin(context, description),
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    ...(options.depends === undefined ? {} : { dependencies: options.depends }),
    ...(options.files === undefined ? {} : { files: options.files }),
    ...(options.hints === undefined ? {} : { hints: options.hints }),
  };
  parseInput(NewTask, task); // before the file is looked at: it is what was typed that is wrong
  const next = { ...config, tasks: [...config.tasks, task] };
  const tasks = tasksOfConfig(next, CONFIG_NAME, await boardIfAny(context));
  const n = tasks.length;
  const unknown = (options.depends ?? []).find((name) => {
    const place = /^(?:task-|#)(\d+)$/.exec(name)?.[1];
    return place !== undefined && (Number(place) < 1 || Number(place) >= n);
  });
  if (unknown !== undefined)
    throw new CoordError('dependency-unknown', `${unknown} is no task before this one; ${CONFIG_NAME} has ${n - 1}.`);
  writeConfig(context.io.cwd, CONFIG_NAME, next, true);
  return {
    text: `task-${n} added to ${CONFIG_NAME}`,
    json: { id: `task-${n}`, task },
    notes: ['Next: coord orchestrate from-config'],
  };
}

export async function fromConfig(context: Context, file: string | undefined, options: RunOptions): Promise<Reply> {
  const name = file ?? CONFIG_NAME;
  const config = readConfig(context.io.cwd, name);
  const tasks = tasksOfConfig(config, name, await boardIfAny(context));
  if (tasks.length === 0)
    throw new CoordError('usage', `${name} lists no task.`, { hint: 'coord orchestrate create-task "<description>"' });
  const given = {
    ...options,
    workers: options.workers ?? config.max_workers,
    model: options.model ?? config.model ?? undefined,
    timeout: options.timeout ?? config.task_timeout,
  };
  return withOrchestrator(context, given as RunOptions, async (orchestrator) => {
    await orchestrator.initialize(config.goal);
    await orchestrator.addTasks(tasks); // Each has a key: run again after a crash, none is added twice.
    return concluded(context, await orchestrator.runWithPredefinedTasks(), options);
  });
}

const DEFAULT_WORKERS = 3;
const DEFAULT_TIMEOUT = 600;

/** The board that a run would go on with. There need be none yet. */
async function boardIfAny(context: Context): Promise<Board> {
  try {
    return await withStore(context, (store) => store.read());
  } catch (error) {
    if (error instanceof CoordError && error.code === 'not-initialised') return emptyBoard();
    throw error;
  }
}

async function readTasks(context: Context, file: string): Promise<NewTask[]> {
  const { cwd, readStdin } = context.io;
  return (await readTaskFile({ cwd, file, readStdin }, await boardIfAny(context))).tasks;
}

async function withOrchestrator(
  context: Context,
  options: RunOptions,
  work: (orchestrator: Orchestrator) => Promise<Reply>,
): Promise<Reply> {
  const { io } = context;
  const progress = new Progress(context);
  const answers =
    io.isTerminal && !context.json
      ? new Answers(context, progress, ({ task_id, n }, text) => orchestrator.answer(task_id, text, n))
      : undefined;
  const orchestrator: Orchestrator = new Orchestrator({
    workingDirectory: io.cwd,
    dir: context.openOptions.dir,
    maxWorkers: options.workers ?? numberFrom(io.env, 'MAX_WORKERS') ?? DEFAULT_WORKERS,
    taskTimeoutSeconds: options.timeout ?? numberFrom(io.env, 'TASK_TIMEOUT') ?? DEFAULT_TIMEOUT,
    model: options.model ?? (io.env['CLAUDE_MODEL'] || undefined),
    maxAttempts: options.maxAttempts,
    budgetUsd: options.budget,
    maxTurns: options.maxTurns,
    permissionMode: options.permissionMode,
    allowedTools: options.allowedTools,
    summarize: options.summarize === true,
    keepGoing: options.keepGoing === true,
    checks: options.check,
    // What was typed, or what a person's own script says; never what an agent says.
    allowsChecks: !isAgent(io),
    review: options.review,
    worktrees: worktreesOf(options),
    coord: [io.program.node, io.program.script],
    env: io.env,
    signal: io.signal,
    answerTimeoutSeconds: answers ? Infinity : (options.timeout ?? DEFAULT_TIMEOUT),
    onEvent: (event: RunEvent) => {
      if (!answers || event.type !== 'question') progress.tell(event);
      answers?.tell(event);
    },
  });
  io.heedHangup();
  const stopping = (): void =>
    context.note('stopping: agents are interrupted, their tasks given back; once more kills them');
  io.signal.addEventListener('abort', stopping);
  const forget = io.atSecondInterrupt(() => {
    context.note('killed; giving the tasks back');
    orchestrator.killAll();
  });
  try {
    await orchestrator.check();
    const { withNotice } = await import('./notify.ts');
    return await withNotice(context, options, () => work(orchestrator));
  } finally {
    io.signal.removeEventListener('abort', stopping);
    forget();
    answers?.end();
    progress.end();
    await orchestrator[Symbol.asyncDispose]();
  }
}

function worktreesOf({ worktrees, branch, setup, remote }: RunOptions) {
  if (worktrees === true) return { branch, setup, remote };
  if (branch !== undefined || setup !== undefined || remote !== undefined)
    throw new CoordError('usage', '--branch, --setup and --remote go with --worktrees.');
  return undefined;
}

const EVENT_OF = {
  done: 'settled',
  failed: 'failed',
  budget: 'budget',
  interrupted: 'interrupted',
  review: 'review',
  question: 'question',
} as const;

const EXIT_OF = {
  done: EXIT.done,
  failed: EXIT.error,
  budget: EXIT.error,
  interrupted: EXIT.interrupted,
  review: EXIT.error,
  question: EXIT.error,
} satisfies Record<RunOutcome, number>;

async function concluded(context: Context, result: RunResult, options: NotifyOptions): Promise<Reply> {
  const { outcome, tasksCompleted: done, tasksFailed: failed, tasksStuck: stuck, costUsd, summaryPath } = result;
  const counts = [
    `${done} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(result.tasksSubmitted > 0 ? [`${result.tasksSubmitted} submitted`] : []),
    ...(result.tasksAsking > 0 ? [`${result.tasksAsking} asking`] : []),
    ...(stuck > 0 ? [`${stuck} stuck`] : []),
  ].join(', ');
  const { tell } = await import('./notify.ts');
  await tell(context, options, { event: EVENT_OF[outcome], message: `${outcome}: ${counts}`, done, failed, stuck });
  const cost = costUsd > 0 ? `, $${costUsd.toFixed(2)}` : '';
  const where = summaryPath === '' ? '' : `\nSummary: ${visible(relative(context.io.cwd, summaryPath))}`;
  return {
    text: `${outcome}: ${counts} in ${formatDuration(result.durationMs)}${cost}${where}`,
    json: context.json ? undefined : result, // with --json every event has been printed, the last one sums up
    notes:
      outcome === 'done'
        ? []
        : outcome === 'review'
          ? ['Next: coord leader list --status submitted; approve or send back, then coord orchestrate resume']
          : outcome === 'question'
            ? ['Next: coord leader answer <task> "<answer>", then coord orchestrate resume']
            : ['Next: coord leader status, then coord orchestrate resume'],
    exitCode: EXIT_OF[outcome],
  };
}

function numberFrom(env: Context['io']['env'], name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  if (/^\d+$/.test(text) && Number(text) >= 1) return Number(text);
  throw new CoordError('invalid-input', `${name}: "${text}" is not a whole number of 1 or more.`);
}
