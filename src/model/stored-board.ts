/**
 * Whether what was stored is a board. A log of commits may have come with a clone, so it is checked whenever it is read; by
 * hand, since a schema takes a hundred times as long for ten thousand tasks, and every command reads them all. The
 * schema of task.ts says the same, and a test holds the two together.
 */
import { isArchivedDone } from './archived.ts';
import type { Board } from './board.ts';
import { isEvidence, isReviewed } from './evidence.ts';
import { isDefaults } from './defaults.ts';
import { DEEPEST, isName, MAX_REVISION, MAX_TEXT, NAME_PATTERN, STATUSES } from './limits.ts';
import { sortByDependency } from './graph.ts';
import { isDeeper, isRecord } from './values.ts';
import { isQuestions } from './questions.ts';
import type { Task } from './task.ts';
import { isBranchName, isLanded, isLanding, isTurn } from './worktrees.ts';

type Fields = Record<string, unknown>;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Fields of every task. */
const ALWAYS = 15;

/** What is wrong with a document that should be a stored board; undefined where it is one. */
export function faultOf(document: unknown): string | undefined {
  if (!isRecord(document)) return 'it is no object';
  const { version, revision, goal, last_id, cost_usd, defaults, moved_to, tasks, ...others } = document;
  if (version !== 1) return 'version: must be 1';
  if (!isWhole(revision, 0, MAX_REVISION)) return 'revision: must be a whole number';
  if (goal !== undefined && typeof goal !== 'string') return 'goal: must be text';
  if (last_id !== undefined && !isWhole(last_id, 0)) return 'last_id: must be a whole number';
  if (cost_usd !== undefined && !isCost(cost_usd)) return 'cost_usd: must be an amount';
  if (moved_to !== undefined && typeof moved_to !== 'string') return 'moved_to: must be text';
  if (defaults !== undefined && !isDefaults(defaults)) return 'defaults: must be checks and the like';
  if (isDeeper(others, DEEPEST)) return 'it is nested too deeply';
  return Array.isArray(tasks) ? faultOfTasks(tasks, document) : 'tasks: must be a list';
}

function faultOfTasks(tasks: readonly unknown[], board: Fields): string | undefined {
  const seen = new Set<unknown>();
  let isInOrder = true; // every dependency stands before who needs it: then there is no circle
  for (let i = 0; i < tasks.length; i++) {
    const fault = faultOfTask(tasks[i]);
    if (fault !== undefined) return `tasks[${i}].${fault}`;
    const { id, dependencies } = tasks[i] as Task; // it is one, as was just found, but for what the dependencies name
    for (const other of dependencies) isInOrder &&= seen.has(other) || isArchivedDone(board, other);
    if (seen.size === seen.add(id).size) return `tasks[${i}].id: two tasks have it`;
  }
  if (isInOrder) return undefined;
  const all = tasks as readonly Task[];
  if (all.some(({ dependencies }) => dependencies.some((id) => !seen.has(id) && !isArchivedDone(board, id))))
    return 'tasks: a dependency is unknown';
  return sortByDependency(all).cycle ? 'tasks: they wait for each other' : undefined;
}

/** Without a call where none is needed: it runs for ten thousand tasks before V8 has compiled it. */
function faultOfTask(task: unknown): string | undefined {
  if (typeof task !== 'object' || task === null) return ' is no object';
  const { id, description, status, claimed_by, priority, attempt, max_attempts, last_error, context } = task as Fields;
  const { dependencies, tags, created_at, claimed_at, lease_expires_at, completed_at } = task as Fields;
  if (typeof id !== 'string' || !NAME_PATTERN.test(id)) return 'id: is no name';
  if (typeof description !== 'string' || description.length === 0 || description.length > MAX_TEXT)
    return 'description: does not fit';
  if (
    claimed_by === null ? status === 'claimed' || status === 'submitted' : status === 'available' || !isName(claimed_by)
  )
    return 'claimed_by: a claimed or submitted task has a worker, an available one has none';
  if (status !== 'available' && !(STATUSES as readonly unknown[]).includes(status))
    return 'status: is none that this coord knows';
  if (typeof priority !== 'number' || (priority | 0) !== priority || priority < 1 || priority > 10)
    return 'priority: must be 1 to 10';
  if (typeof attempt !== 'number' || !Number.isSafeInteger(attempt) || attempt < 0)
    return 'attempt: must be a whole number';
  if (typeof max_attempts !== 'number' || !Number.isSafeInteger(max_attempts) || max_attempts < 1)
    return 'max_attempts: must be a whole number';
  if (created_at !== null && created_at !== knownTime && !isTime(created_at)) return 'created_at: is no time';
  if (claimed_at !== null && !isTime(claimed_at)) return 'claimed_at: is no time';
  // Coord writes one with every claim and nowhere else. Another's board that does otherwise is no reason to put it aside.
  if (lease_expires_at !== null && !isTime(lease_expires_at)) return 'lease_expires_at: is no time';
  if (completed_at !== null && !isTime(completed_at)) return 'completed_at: is no time';
  if (last_error !== null && typeof last_error !== 'string') return 'last_error: must be text';
  if (!Array.isArray(dependencies)) return 'dependencies: must be a list'; // of ids, as faultOfTasks finds out
  if (!Array.isArray(tags) || (tags.length > 0 && !tags.every(isName))) return 'tags: must be a list of names';
  let fields = 0;
  for (const _ in task) fields++;
  return faultOfContext(context) ?? (fields > ALWAYS ? faultOfRest(task as Fields) : undefined);
}

function faultOfContext(context: unknown): string | undefined {
  if (typeof context !== 'object' || context === null) return 'context: must be an object';
  const { files, hints } = context as Fields;
  if (!Array.isArray(files)) return 'context.files: must be a list of paths';
  for (const file of files as unknown[])
    if (typeof file !== 'string' || file.length === 0 || file.length > 1024) return 'context.files: must be paths';
  if (typeof hints !== 'string' || hints.length > MAX_TEXT) return 'context.hints: does not fit';
  let fields = 0;
  for (const _ in context) fields++;
  return fields > 2 && isDeeper(context, DEEPEST) ? 'context: nested too deeply' : undefined;
}

/** What only some tasks have: fields that are written where they are set, and those that coord does not know. */
function faultOfRest(task: Fields): string | undefined {
  const { exclusive, key, lease_seconds, note, cost_usd, result_digest } = task;
  if (exclusive !== undefined && typeof exclusive !== 'boolean') return 'exclusive: must be true or false';
  if (key !== undefined && !isName(key)) return 'key: is no name';
  if (lease_seconds !== undefined && !isWhole(lease_seconds, 1)) return 'lease_seconds: must be a whole number';
  if (note !== undefined && typeof note !== 'string') return 'note: must be text';
  if (cost_usd !== undefined && !isCost(cost_usd)) return 'cost_usd: must be an amount';
  if (result_digest !== undefined && typeof result_digest !== 'string') return 'result_digest: must be text';
  return faultOfProof(task) ?? faultOfDepth(task);
}

/** What a task says of its checks and its review. */
function faultOfProof(task: Fields): string | undefined {
  const { checks, check_timeout, review, head, evidence, reviewed, bounces } = task;
  const { taken_from, held_by, returned_to, begun_at } = task;
  if (checks !== undefined && !(Array.isArray(checks) && checks.every((one) => typeof one === 'string' && one !== '')))
    return 'checks: must be a list of commands';
  if (check_timeout !== undefined && !isWhole(check_timeout, 1)) return 'check_timeout: must be a whole number';
  if (review !== undefined && typeof review !== 'boolean') return 'review: must be true or false';
  if (head !== undefined && typeof head !== 'string') return 'head: must be text';
  if (evidence !== undefined && !isEvidence(evidence)) return 'evidence: is none';
  if (reviewed !== undefined && !isReviewed(reviewed)) return 'reviewed: must say by whom';
  if (bounces !== undefined && !isWhole(bounces, 0)) return 'bounces: must be a whole number';
  if (taken_from !== undefined && !isName(taken_from)) return 'taken_from: is no name';
  if (held_by !== undefined && !(Array.isArray(held_by) && held_by.every(isName))) return 'held_by: must be names';
  if (returned_to !== undefined && !isName(returned_to)) return 'returned_to: is no name';
  if (begun_at !== undefined && !isTime(begun_at)) return 'begun_at: is no time';
  return faultOfLanding(task);
}

function faultOfLanding({ branch, landing, landed, turn, questions, claimed_session }: Fields): string | undefined {
  if (branch !== undefined && !isBranchName(branch)) return 'branch: is no name of one';
  if (landing !== undefined && !isLanding(landing)) return 'landing: must say who lands it';
  if (landed !== undefined && !isLanded(landed)) return 'landed: must say where';
  if (turn !== undefined && !isTurn(turn)) return 'turn: must say with which files';
  if (questions !== undefined && !isQuestions(questions)) return 'questions: must each say what, by whom and when';
  if (claimed_session !== undefined && !isName(claimed_session)) return 'claimed_session: is no name';
  return undefined;
}

function faultOfDepth(task: Fields): string | undefined {
  // One more than an edit may bring: a context that was at its limit stays readable beside any other field.
  return isDeeper(task, DEEPEST + 1) ? 'nested too deeply' : undefined;
}

function isWhole(value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;
}

/** The time that was found to be one last: tasks that were added together share it. */
let knownTime = '';

function isTime(value: unknown): boolean {
  if (typeof value !== 'string' || !TIME.test(value)) return false;
  knownTime = value;
  return true;
}

function isCost(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** The board in a document; for what {@link faultOf} has found nothing wrong with. */
export function asBoard(document: unknown): Board {
  return document as Board; // every field of one has been checked
}
