/** The handlers of checks and reviews: what must hold before a task is done, and who looks at it. */
import { findTask, LEADER } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { checkText, evidenceText } from '../../model/evidence.ts';
import { ApproveTask, SendBackTask, SetDefaults } from '../../model/inputs.ts';
import { checksOf } from '../../model/gate.ts';
import { parseInput } from '../../model/parse-input.ts';
import type { Task } from '../../model/task.ts';
import { labelled, plural, quoted, visible } from '../../model/text.ts';
import { mayReview, type ReviewAnswer } from '../../model/verbs/review-task.ts';
import { openCheckRecords } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import type { Checked, Gate } from '../../work/gate.ts';
import { openGate } from '../hand-in.ts';
import { type Context, isPerson, type Reply, withStore } from '../io.ts';
import { quotedWord } from './hints.ts';
import { EXIT } from './output.ts';
import { surroundings } from './surroundings.ts';
import type { LandedHere, WorktreeOptions } from './worktrees.ts';
import type { Worktrees } from '../../model/worktrees.ts';

/** What a person types is what that person allows, on this machine. @returns what to do about those that nobody has allowed */
export async function allowTyped(context: Context, store: Store, commands: readonly string[]): Promise<string[]> {
  if (commands.length === 0) return [];
  const records = await openCheckRecords(store, context.openOptions, (await store.read()).commit);
  const given = commands.map((command) => command.trim()); // as it is stored
  if (isPerson(context.io)) for (const command of given) records.allow(command);
  return given
    .filter((command) => !records.isAllowed(command))
    .map((command) => `A person has to allow the check, in a terminal: coord trust check ${quotedWord(command)}`);
}

/** What is run for a board, of what was typed. */
export function commandsIn({ check: checks = [], setup }: DefaultOptions & WorktreeOptions): string[] {
  return setup === undefined ? checks : [...checks, setup];
}

export async function check(context: Context, id: string | undefined): Promise<Reply> {
  return withStore(context, async (store) => {
    const board = await store.read();
    const task = id === undefined ? undefined : findTask(board, id);
    const gate = await openGate(store, surroundings(context));
    if (task?.status === 'submitted' && task.evidence?.verdict === 'unchecked' && checksOf(board, task).length > 0)
      return reviewed(await gate.verify(task.id, LEADER));
    const checked = await gate.check(board, task);
    const isGreen = checked.every(({ verdict }) => verdict === 'green');
    return {
      text:
        checked.length === 0
          ? task
            ? `${task.id} has no checks.`
            : `The board has no checks of its own.${board.tasks.some((one) => one.checks) ? ' Some tasks have: coord check <task>' : ''}`
          : checked.flatMap((one) => checkedLines(one)).join('\n'),
      json: { task_id: task?.id ?? null, green: isGreen, checks: checked },
      notes: checked
        .filter(({ verdict }) => verdict === 'not allowed')
        .map(({ command }) => `A person allows it, in a terminal: coord trust check ${quotedWord(command)}`),
      exitCode: isGreen ? EXIT.done : EXIT.refused,
    };
  });
}

function checkedLines({ command, verdict, run, isKnown, why }: Checked): string[] {
  const what = run ? checkText(run) : command;
  const known = isKnown === true ? ', known from before on this tree' : '';
  const tail = verdict === 'green' || !run || run.tail.trim() === '' ? [] : quoted(run.tail, 2000, 'run it yourself');
  return [`${verdict}: ${visible(what)}${known}${why === undefined ? '' : ` (${visible(why)})`}`, ...tail];
}

export async function approve(context: Context, ids: string[]): Promise<Reply> {
  return withStore(context, async (store) => {
    const gate = await openGate(store, surroundings(context));
    const answers: ReviewAnswer[] = [];
    for (const task_id of ids) answers.push(await approveOne(gate, LEADER, task_id));
    const landed = await landApproved(context, store, LEADER, answers);
    const tasks = answers.map(({ task }) => landed?.tasks.get(task.id) ?? task);
    return {
      text: [...tasks.map(approvedText), ...(landed?.lines ?? [])].join('\n'),
      json: { tasks },
      notes: freed([...answers.flatMap(({ now_claimable }) => now_claimable), ...(landed?.now_claimable ?? [])]),
    };
  });
}

export async function approveAsWorker(
  context: Context,
  by: string,
  id: string,
  options: { head?: string },
): Promise<Reply> {
  return withStore(context, async (store) => {
    const answer = await approveOne(await openGate(store, surroundings(context)), by, id, options.head);
    const landed = await landApproved(context, store, by, [answer]);
    const reply = reviewed({
      task: landed?.tasks.get(id) ?? answer.task,
      now_claimable: [...answer.now_claimable, ...(landed?.now_claimable ?? [])],
    });
    return { ...reply, text: [reply.text, ...(landed?.lines ?? [])].join('\n') };
  });
}

/** What is approved lands at once, where nobody else lands. */
async function landApproved(
  context: Context,
  store: Store,
  by: string,
  answers: readonly ReviewAnswer[],
): Promise<LandedHere | undefined> {
  const waiting = answers.find(({ task }) => task.status === 'submitted' && task.branch !== undefined);
  if (!waiting) return undefined;
  const { landHandedIn } = await import('./worktrees.ts');
  return landHandedIn(context, store, by, waiting.task);
}

function approvedText({ id, status, branch }: Task): string {
  return status === 'submitted' && branch !== undefined ? `${id} approved, waits to land` : `${id} ${status}`;
}

function approveOne(gate: Gate, by: string, task_id: string, seen?: string): Promise<ReviewAnswer> {
  parseInput(ApproveTask, { by, task_id });
  return gate.approve({ by, task_id, seen });
}

function reviewed({ task, now_claimable }: ReviewAnswer): Reply {
  return { text: approvedText(task), json: { task, now_claimable }, notes: freed(now_claimable) };
}

function freed(ids: readonly string[]): string[] {
  const shown = ids.slice(0, 5);
  return ids.length === 0
    ? []
    : [
        `Now claimable: ${shown.join(', ')}${ids.length > shown.length ? ` and ${ids.length - shown.length} more` : ''}`,
      ];
}

export function sendBack(context: Context, id: string, reason: string): Promise<Reply> {
  return sendBackBy(context, LEADER, id, reason);
}

export async function sendBackBy(context: Context, by: string, id: string, reason: string): Promise<Reply> {
  const input = parseInput(SendBackTask, { by, task_id: id, reason });
  return withStore(context, async (store) => {
    const { landerOptions, sendBackWithdrawing } = await import('./worktrees.ts');
    const { task } = await sendBackWithdrawing(landerOptions(context, store, LEADER), input);
    return {
      text:
        task.status === 'failed'
          ? `${task.id} failed: it was sent back ${plural(task.bounces ?? 0, 'time')}`
          : `${task.id} sent back to ${task.returned_to ?? 'whoever claims it'}`,
      json: { task },
    };
  });
}

export async function accept(context: Context, id: string, kept: string): Promise<Reply> {
  return withStore(context, async (store) => {
    const name = kept.replace(/^.*[/\\]/, '').replace(/\.refused\.md$/, '');
    const before = (await store.read()).tasks.find((task) => task.id === id);
    const reply = reviewed(await (await openGate(store, surroundings(context))).accept(id, name));
    const holder = before?.status === 'claimed' ? [`Taken from ${before.claimed_by}, who worked on it.`] : [];
    return { ...reply, notes: [...holder, ...(reply.notes ?? [])] };
  });
}

export interface DefaultOptions {
  check?: string[];
  /** Milliseconds. */
  checkTimeout?: number;
  review?: boolean;
  protect?: string[];
}

/** As the store takes them. */
export function defaultFields(options: DefaultOptions): object {
  const { check: checks, checkTimeout, protect } = options;
  return {
    ...(checks === undefined ? {} : { checks }),
    ...(checkTimeout === undefined ? {} : { check_timeout: Math.max(1, Math.round(checkTimeout / 1000)) }),
    ...(options.review === undefined ? {} : { review: options.review }),
    ...(protect === undefined ? {} : { protect }),
  };
}

const CLEARABLE: Readonly<Record<string, string>> = {
  check: 'checks',
  'check-timeout': 'check_timeout',
  review: 'review',
  protect: 'protect',
  worktrees: 'worktrees',
};

export async function defaults(
  context: Context,
  options: DefaultOptions & WorktreeOptions & { clear?: string[] },
): Promise<Reply> {
  const clear = options.clear?.map((name) => {
    const field = CLEARABLE[name];
    if (field !== undefined) return field;
    throw new CoordError('invalid-input', `--clear: "${name}" is no default.`, {
      hint: `One of ${Object.keys(CLEARABLE).join(', ')}.`,
    });
  });
  const input = parseInput(SetDefaults, { ...defaultFields(options), ...(clear === undefined ? {} : { clear }) });
  return withStore(context, async (store) => {
    const worktrees = await changedWorktrees(context, store, options);
    const { defaults: now } = await store.setDefaults({ ...input, ...(worktrees ? { worktrees } : {}) });
    const notes = await allowTyped(context, store, commandsIn(options));
    const lines = [
      ...(now.checks ?? []).map((command) => `check: ${visible(command)}`),
      ...(now.check_timeout === undefined ? [] : [`check timeout: ${now.check_timeout} s`]),
      ...(now.review === true ? ['review: yes'] : []),
      ...(now.protect ?? []).map((pattern) => `protect: ${visible(pattern)}`),
      ...worktreeLines(now.worktrees),
    ];
    return { text: lines.length === 0 ? 'No defaults.' : lines.join('\n'), json: { defaults: now }, notes };
  });
}

async function changedWorktrees(
  context: Context,
  store: Store,
  options: WorktreeOptions,
): Promise<Worktrees | undefined> {
  if ([options.worktrees, options.branch, options.setup, options.remote].every((one) => one === undefined))
    return undefined;
  const { beginWorktrees } = await import('./worktrees.ts');
  return beginWorktrees(context, store.location, options, (await store.read()).defaults?.worktrees);
}

function worktreeLines(worktrees: Worktrees | undefined): string[] {
  if (!worktrees) return [];
  const { branch, remote, setup } = worktrees;
  return [
    `worktrees: one a claim, landing on ${branch}${remote === undefined ? '' : ` of ${remote}`}`,
    ...(setup === undefined ? [] : [`setup: ${visible(setup)}`]),
  ];
}

/** Bytes shown of a diff. */
const SHOWN_DIFF = 30_000;

export async function review(context: Context, worker: string, id: string | undefined): Promise<Reply> {
  return withStore(context, async (store) => {
    const board = await store.read();
    const waiting = board.tasks.filter((task) => mayReview(task, worker));
    const task = id === undefined ? waiting[0] : findTask(board, id);
    if (!task)
      return {
        text: 'Nothing waits for a review of yours.',
        json: { task: null, waiting: [] },
        exitCode: EXIT.nothing,
      };
    if (!mayReview(task, worker))
      throw new CoordError(
        'task-state',
        task.status === 'submitted'
          ? `${worker} has worked on ${task.id}: somebody else reviews it.`
          : `${task.id} is ${task.status}; only submitted tasks are reviewed.`,
        { details: { why: 'author', task_id: task.id } },
      );
    const gate = await openGate(store, surroundings(context));
    const [[result], diff, brief] = await Promise.all([
      store.results([task.id]),
      gate.diff(task),
      briefOf(store, task),
    ]);
    const others = waiting.filter((one) => one.id !== task.id).map((one) => one.id);
    const text = [
      `${task.id}, handed in by ${task.claimed_by ?? ''}`,
      '',
      brief.trimEnd(),
      '',
      ...labelled('Result', result?.output ?? '(no result stored)', 6000, `coord leader show ${task.id}`),
      ...(task.evidence ? labelled('Evidence', evidenceText(task.evidence)) : []),
      ...(task.evidence?.files ? labelled('Files', task.evidence.files.join(', ')) : []),
      '',
      ...(diff.trim() === '' ? ['No change is to be seen.'] : ['Diff:', ...quoted(diff, SHOWN_DIFF, 'git diff')]),
      '',
      `Approve:   coord worker approve ${worker} ${task.id}${task.head === undefined ? '' : ` --head ${task.head.slice(0, 40)}`}`,
      `Send back: coord worker send-back ${worker} ${task.id} "what is wrong, and what would be right"`,
    ].join('\n');
    return {
      text: visible(text),
      json: { task, result: result ?? null, evidence: task.evidence ?? null, diff, brief, waiting: others },
      notes: others.length > 0 ? [`Then: ${others.slice(0, 5).join(', ')}`] : [],
    };
  });
}

async function briefOf(store: Store, task: Task): Promise<string> {
  const { briefFor } = await import('../../store/brief-for.ts');
  return briefFor(store, task);
}
