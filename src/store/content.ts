/** All that a board is, for who moves it from one place to another. */
import { type Board, emptyBoard, LEADER } from '../model/board.ts';
import type { Task } from '../model/task.ts';
import type { InitBoard } from '../model/verbs/init-board.ts';
import type { Mail, Message } from '../model/messages.ts';
import type { Discovery, LogEntry } from '../model/views/report.ts';
import { nextCommit } from './commit-id.ts';
import { digest } from './digest.ts';
import { firstPlan } from './first-plan.ts';
import type { ResultOf } from './local-copy.ts';
import type { Token } from './registry.ts';

/** One run of a check of what was handed in. */
export interface CheckRecord {
  task_id: string;
  worker: string;
  attempt: number;
  /** ISO 8601 UTC. */
  at: string | null;
  tree: string | null;
  command: string;
  exit_code: number | null;
  duration_ms: number;
  tail: string;
}

interface StoredResult {
  task_id: string;
  output: string;
  files_modified: string[];
  files_created: string[];
}

export interface BoardContent {
  board: Board;
  plan: string;
  /** Empty where none was written. */
  summary: string;
  discoveries: Omit<Discovery, 'id'>[];
  results: StoredResult[];
  /** What checks of results came to, one record a run, oldest first. */
  checks: CheckRecord[];
  /** Results that came too late, by name. */
  late: { name: string; output: string }[];
  archived: Task[];
  log: LogEntry[];
  tokens: Token[];
  messages: Message[];
  /** By reader: up to which message they have seen everything. */
  seen: [reader: string, id: number][];
}

/** A board that has just begun. @param now  ISO 8601 UTC */
export function newContent(input: InitBoard, now: string): BoardContent {
  const { goal, approach: _, ...defaults } = input;
  return {
    board: { ...emptyBoard(goal, defaults), revision: 1, commit: nextCommit(undefined) },
    plan: firstPlan(input),
    summary: '',
    discoveries: [],
    results: [],
    checks: [],
    late: [],
    archived: [],
    log: [{ time: now, agent: LEADER, event: 'init', task_id: null, message: goal.replace(/\s+/g, ' ') }],
    tokens: [],
    messages: [],
    seen: [],
  };
}

/** The mail as lists. */
export function mailOf({ messages, seen }: Mail): Pick<BoardContent, 'messages' | 'seen'> {
  return { messages: [...messages], seen: [...seen] };
}

/** Results with what they say of their tasks. */
export function resultsOf({ board, archived, results, checks }: BoardContent): ResultOf[] {
  const tasks = new Map([...archived, ...board.tasks].map((task) => [task.id, task]));
  return results.flatMap(({ task_id, ...texts }) => {
    const task = tasks.get(task_id);
    if (!task) return [];
    const { id, description, claimed_by, attempt, completed_at, evidence } = task;
    const own = checks.filter((run) => run.task_id === id && run.attempt === attempt && run.at === evidence?.at);
    return [
      {
        task: { id, description, claimed_by, attempt, completed_at },
        ...texts,
        ...(evidence && own.length > 0 ? { checks: own } : {}),
      },
    ];
  });
}

/** How much there is of each kind, and a digest of it: two contents are equal where these are. */
export function inventoryOf(content: BoardContent): Record<string, { count: number; digest: string }> {
  const { board, plan, summary, ...lists } = content;
  const { tasks, revision: _, commit: __, ...head } = board;
  const inOrder: Record<string, unknown[]> = {
    tasks,
    discoveries: lists.discoveries,
    archived: lists.archived,
    messages: lists.messages,
  };
  // Where two happened in one millisecond, nobody has kept which was first.
  const { results, checks, late, log, tokens, seen } = lists;
  const inAnyOrder: Record<string, unknown[]> = { results, checks, late, log, tokens, seen };
  const single: Record<string, unknown[]> = { goal: [head], plan: [plan], summary: [summary] };
  const entries = [
    ...Object.entries({ ...inOrder, ...single }).map(([name, list]) => [name, list.map(canonical)] as const),
    ...Object.entries(inAnyOrder).map(([name, list]) => [name, list.map(canonical).toSorted()] as const),
  ];
  return Object.fromEntries(
    entries.map(([name, list]) => [name, { count: list.length, digest: digest(list.join('\n')) }]),
  );
}

/** JSON with its keys in order, and without halves of characters, which no file holds. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'string') return Buffer.from(inner).toString();
    return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  });
}
