/**
 * Edits of tasks.json made by hand: read, completed with defaults, and merged three ways with what coord wrote
 * meanwhile. Pure; the file store decides when.
 */
import { isArchivedDone } from './archived.ts';
import * as z from 'zod/mini';
import type { Board } from './board.ts';
import { CLAIM_FIELDS } from './claim-fields.ts';
import { type Defaults, isDefaults } from './defaults.ts';
import { sortByDependency } from './graph.ts';
import { describeIssues, fieldName, issueText } from './parse-input.ts';
import { highestNumber } from './verbs/add-tasks.ts';
import { isDeeper, isRecord, isSame } from './values.ts';
import { DEEPEST, DEFAULT_LEASE_SECONDS, MAX_REVISION } from './limits.ts';
import { type Task, WrittenTask } from './task.ts';

const BoardFile = z
  .looseObject({
    version: z._default(z.literal(1), 1),
    revision: z.optional(z.int().check(z.minimum(0), z.maximum(MAX_REVISION / 2))),
    commit: z.optional(z.string()),
    goal: z.optional(z.string()),
    last_id: z.optional(z.int().check(z.minimum(0))),
    cost_usd: z.optional(z.number().check(z.minimum(0))),
    moved_to: z.optional(z.string()),
    defaults: z.optional(z.custom<Defaults>(isDefaults, 'must be checks and the like')),
    tasks: z.array(WrittenTask),
  })
  .check(({ value: board, issues }) => {
    const refuse = (path: PropertyKey[], message: string): void =>
      void issues.push({ code: 'custom', path, message, input: board });
    const seen = new Set<string>();
    for (const [i, task] of board.tasks.entries()) {
      if (seen.has(task.id)) refuse(['tasks', i, 'id'], `two tasks have the id "${task.id}"`);
      seen.add(task.id);
    }
    for (const [i, task] of board.tasks.entries()) {
      for (const [j, id] of task.dependencies.entries()) {
        if (!seen.has(id) && !isArchivedDone(board, id))
          refuse(['tasks', i, 'dependencies', j], `there is no task "${id}"`);
      }
    }
    const { cycle } = sortByDependency(board.tasks);
    if (cycle) {
      const i = board.tasks.findIndex((task) => task.id === cycle[0]);
      refuse(['tasks', i, 'dependencies'], `tasks wait for each other: ${cycle.join(' -> ')}`);
    }
  });

/** A board as somebody wrote it: the revision may be missing, and its tasks may contradict themselves. */
export type EditedBoard = z.infer<typeof BoardFile>;

export type ParsedBoard =
  | { ok: true; board: EditedBoard }
  | { ok: false; /** Where in the document, outermost first. */ path: PropertyKey[]; field: string; problem: string };

/** Checks a document that is already JSON. Missing fields take their defaults, unknown ones are kept. */
export function parseBoard(value: unknown): ParsedBoard {
  // What is deeper ends the stack of whoever checks, compares or copies it. No deeper than what counts as stored: a commit
  // that the next reader puts aside would be made again and again.
  const { tasks, ...others }: Record<string, unknown> = isRecord(value) ? value : { value };
  if (isDeeper(others, DEEPEST) || (Array.isArray(tasks) && tasks.some((task) => isDeeper(task, DEEPEST))))
    return { ok: false, path: [], field: 'the board', problem: `nested more than ${DEEPEST} levels deep` };
  const parsed = BoardFile.safeParse(value);
  if (parsed.success) return { ok: true, board: parsed.data };
  const [issue] = parsed.error.issues;
  if (!issue) return { ok: false, path: [], field: '', problem: describeIssues(parsed.error.issues) };
  return { ok: false, path: [...issue.path], field: fieldName(issue.path), problem: issueText(issue) };
}

const RENEWED_ONLY = ['lease_expires_at', 'lease_seconds'];

export type Merge = { ok: true; board: Board } | { ok: false; conflict: string };

/**
 * Three-way merge by task and field.
 *
 * @param base  the board that the edit started from
 * @param head  the newest board
 * @param edit  what somebody saved
 * @returns the merged board under the head's revision (the very `head` when the edit changed nothing), or what
 *   contradicts: both sides changed one field, or one changed a task that the other deleted
 */
export function mergeEdit(base: Board, head: Board, edit: EditedBoard, now: string): Merge {
  const baseTasks = byId(base.tasks);
  const headTasks = byId(head.tasks);
  const editTasks = byId(edit.tasks);
  const merged: Task[] = [];
  const conflict = (what: string): Merge => ({ ok: false, conflict: what });

  for (const task of head.tasks) {
    const was = baseTasks.get(task.id);
    const wanted = editTasks.get(task.id);
    if (!was) {
      if (wanted && !isSame(wanted, task)) return conflict(`${task.id} was added on both sides`);
      merged.push(task);
    } else if (!wanted) {
      if (!isSame(was, task)) return conflict(`${task.id} was deleted by hand but changed since`);
      if (task.status === 'claimed')
        return conflict(`${task.id} was deleted by hand, but ${task.claimed_by} works on it`);
    } else {
      const result = mergeTask(was, task, wanted, now);
      if (typeof result === 'string') return conflict(`${task.id}: ${result} was changed on both sides`);
      merged.push(result);
    }
  }
  for (const task of edit.tasks) {
    if (headTasks.has(task.id)) continue;
    const was = baseTasks.get(task.id);
    if (!was) merged.push(completed(task, undefined, now));
    else if (!isSame(was, task)) return conflict(`${task.id} was changed by hand but deleted since`);
  }

  // Somebody who writes only the tasks does not mean to take the goal away.
  const { revision: _r, commit: _c, tasks: _t, goal = base.goal, ...otherFields } = edit;
  const editFields = { ...otherFields, ...(goal === undefined ? {} : { goal }) };
  const fields = mergeFields(base, head, editFields, ['version', 'revision', 'commit', 'tasks', 'last_id']);
  if (typeof fields === 'string') return conflict(`${fields} was changed on both sides`);
  const next: Board = {
    ...(fields as Omit<Board, 'tasks'>),
    version: 1,
    revision: head.revision,
    tasks: merged,
  }; // all fields of a board stand here
  const highest = Math.max(highestNumber(base), highestNumber(head), highestNumber({ tasks: edit.tasks }));
  if (highest > highestNumber({ ...next, last_id: 0 })) next.last_id = highest;
  if (isSame(next, head)) return { ok: true, board: head };
  const check = parseBoard(next);
  return check.ok ? { ok: true, board: next } : conflict(`${check.field}: ${check.problem}`);
}

/** A board nobody has a log of: every task completed with what coord needs. */
export function adoptBoard(edit: EditedBoard, now: string): Board {
  return {
    ...edit,
    version: 1,
    revision: edit.revision ?? 0,
    tasks: edit.tasks.map((task) => completed(task, undefined, now)),
  } as Board; // revision is set
}

/** The merged task, or the name of the field that both sides changed. */
function mergeTask(base: Task, head: Task, edit: WrittenTask, now: string): Task | string {
  // A file that somebody cut down to the plain fields has no created_at: that is no change.
  const wanted = { ...edit, created_at: edit.created_at ?? base.created_at };
  const editMoved = CLAIM_FIELDS.some((field) => !isSame(wanted[field], base[field]));
  const headMoved = CLAIM_FIELDS.some((field) => !RENEWED_ONLY.includes(field) && !isSame(head[field], base[field]));
  if (editMoved && headMoved && CLAIM_FIELDS.some((field) => !isSame(wanted[field], head[field])))
    return 'status or claim';
  const fields = mergeFields(base, head, wanted, CLAIM_FIELDS);
  if (typeof fields === 'string') return fields;
  const lifecycle = editMoved ? wanted : head;
  const task: Record<string, unknown> = { ...fields };
  for (const field of CLAIM_FIELDS) {
    if (lifecycle[field] === undefined) delete task[field];
    else task[field] = lifecycle[field];
  }
  const result = inOrderOf(head, task) as Task; // the fields of two tasks, merged
  return editMoved ? completed(result, base, now) : result;
}

/** Field by field; objects one level down are merged likewise. Fields in `skip` are taken from the head. */
function mergeFields(
  base: Record<string, unknown>,
  head: Record<string, unknown>,
  edit: Record<string, unknown>,
  skip: readonly string[],
): Record<string, unknown> | string {
  const merged: Record<string, unknown> = { ...head };
  for (const field of new Set([...Object.keys(base), ...Object.keys(head), ...Object.keys(edit)])) {
    if (skip.includes(field) || isSame(edit[field], base[field])) continue;
    if (isSame(head[field], base[field]) || isSame(head[field], edit[field])) {
      if (edit[field] === undefined) delete merged[field];
      else merged[field] = edit[field];
    } else if (isRecord(base[field]) && isRecord(head[field]) && isRecord(edit[field])) {
      const inner = mergeFields(base[field], head[field], edit[field], []);
      if (typeof inner === 'string') return `${field}.${inner}`;
      merged[field] = inner;
    } else return field;
  }
  return merged;
}

/** Fills in what a hand-made change of status leaves out, so that no stored task contradicts itself. */
function completed(task: WrittenTask, base: Task | undefined, now: string): Task {
  const filled = { ...task, created_at: task.created_at ?? now };
  const attempt = Math.max(task.attempt, base?.attempt ?? 0);
  switch (task.status) {
    case 'claimed':
      return { ...filled, ...completedClaim(task, base, now) } as Task; // the schema wants a worker beside this status
    case 'available':
      return { ...filled, claimed_at: null, lease_expires_at: null, completed_at: null, attempt } as Task; // likewise none
    case 'submitted':
    case 'done':
    case 'failed':
    case 'cancelled':
      return { ...filled, lease_expires_at: null, completed_at: task.completed_at ?? now, attempt } as Task; // nor here a lease
  }
}

/** A claim by hand counts as an attempt, so that a command of the former holder is refused. */
function completedClaim(
  task: WrittenTask,
  base: Task | undefined,
  now: string,
): { attempt: number; claimed_at: string; lease_expires_at: string } {
  const isNew = base?.status !== 'claimed' || base.claimed_by !== task.claimed_by;
  const isLeaseOld = isNew && task.lease_expires_at === base?.lease_expires_at;
  const lease = isLeaseOld ? null : task.lease_expires_at;
  return {
    attempt: isNew ? Math.max(task.attempt, (base?.attempt ?? 0) + 1) : Math.max(task.attempt, 1),
    claimed_at: isNew && task.claimed_at === (base?.claimed_at ?? null) ? now : (task.claimed_at ?? now),
    lease_expires_at: lease ?? new Date(Date.parse(now) + DEFAULT_LEASE_SECONDS * 1000).toISOString(),
  };
}

function byId<T extends { id: string }>(tasks: readonly T[]): Map<string, T> {
  return new Map(tasks.map((task) => [task.id, task]));
}

/** Known fields where the head has them, new ones behind: a merge must not shuffle the file. */
function inOrderOf(head: object, fields: Record<string, unknown>): Record<string, unknown> {
  const ordered: Record<string, unknown> = {};
  for (const field of [...Object.keys(head), ...Object.keys(fields)])
    if (field in fields) ordered[field] = fields[field];
  return ordered;
}
