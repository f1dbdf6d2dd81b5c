/** What the reading tools show: bounded at any size of the board, and in the same order every time. */
import { type Board, findTask } from '../../model/board.ts';
import { isExpired } from '../../model/lifecycle.ts';
import { CoordError } from '../../model/errors.ts';
import { type Listable, listTasks } from '../../model/views/listing.ts';
import type { Discovery } from '../../model/views/report.ts';
import { summarise } from '../../model/views/summary.ts';
import type { Task } from '../../model/task.ts';
import { answerTo } from '../../model/questions.ts';
import { clip, startOf } from '../../model/text.ts';
import { LONGEST_NEWS, type News } from '../../model/views/news.ts';
import type { Store } from '../../store/store.ts';

/** Entries of a list, unless the caller says otherwise; the design's number. */
const DEFAULT_LIMIT = 20;
/** Entries of each list in the summary, which is looked at often. */
const IN_SUMMARY = 5;
/** Characters of a description in a list; get_task has it all. */
const LINE = 100;
/** Characters of a result that get_task repeats, of the task itself and of each task it builds on. The file has it all. */
const LONGEST_RESULT = 20_000;
const LONGEST_DEPENDENCY = 2000;
/** Results of the tasks before it, and paths, that get_task repeats: clients cut an answer at 50,000 characters. */
const SHOWN_DEPENDENCIES = 8;
const SHOWN_FILES = 50;

export interface StatusQuery {
  view?: 'summary' | 'tasks' | 'workers' | 'discoveries' | 'messages' | undefined;
  status?: Listable | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

export async function statusView(store: Store, you: string, query: StatusQuery): Promise<Record<string, unknown>> {
  const board = await store.read();
  const now = await store.now();
  const base = { revision: board.revision, you };
  const start = query.cursor === undefined ? 0 : Number(query.cursor);
  if (!Number.isSafeInteger(start) || start < 0)
    throw new CoordError('invalid-input', `cursor: "${query.cursor}" is none that get_status gave.`);
  const page = <T>(all: readonly T[]): Page<T> => slice(all, start, query.limit ?? DEFAULT_LIMIT);
  switch (query.view ?? (query.status === undefined ? 'summary' : 'tasks')) {
    case 'summary':
      return { ...base, ...summaryView(board, now) };
    case 'tasks': {
      const listed = listTasks(board, query.status === undefined ? {} : { statuses: [query.status] }, now);
      const { items, ...cursor } = page(listed);
      return {
        ...base,
        tasks: items.map(({ task, shown }) => ({
          id: task.id,
          status: shown,
          priority: task.priority,
          ...(task.status === 'claimed' ? { worker: task.claimed_by } : {}),
          description: clip(task.description, LINE),
        })),
        ...cursor,
      };
    }
    case 'workers': {
      const { items, ...cursor } = page(workers(board, now));
      return { ...base, workers: items, ...cursor };
    }
    case 'messages': {
      const { messages } = await store.inbox({ reader: you, all: true });
      const { items, ...cursor } = page(messages.toReversed());
      return { ...base, messages: items.map(({ id, from, at, text }) => ({ id, from, at, text })), ...cursor };
    }
    case 'discoveries': {
      // The newest first: who joins late reads what holds now.
      const { items, ...cursor } = page((await store.discoveries()).toReversed());
      return { ...base, discoveries: items.map(discoveryView), ...cursor };
    }
  }
}

function summaryView(board: Board, now: string): Record<string, unknown> {
  const { goal, counts, questions, active, claimable, stuck, review, broken, failed } = summarise(board, now);
  return {
    goal: clip(goal ?? '', LINE),
    counts: Object.fromEntries(Object.entries(counts).filter(([name, count]) => count > 0 || name === 'total')),
    ...(questions.length === 0
      ? {}
      : {
          questions: questions
            .slice(0, IN_SUMMARY)
            .map((asked) => ({ id: asked.task_id, worker: asked.worker, question: clip(asked.question, 300) })),
        }),
    claimable: claimable
      .slice(0, IN_SUMMARY)
      .map((task) => ({ id: task.task_id, priority: task.priority, description: clip(task.description, LINE) })),
    active: active.slice(0, IN_SUMMARY).map((task) => ({
      id: task.task_id,
      worker: task.worker,
      lease_expires_at: task.lease_expires_at,
      ...(task.expired ? { expired: true } : {}),
    })),
    stuck: stuck.slice(0, IN_SUMMARY).map((task) => ({ id: task.task_id, because: task.because })),
    ...(review.length === 0
      ? {}
      : { review: review.slice(0, IN_SUMMARY).map((task) => ({ id: task.task_id, worker: task.worker })) }),
    ...(broken.length === 0
      ? {}
      : {
          broken_checks: broken
            .slice(0, IN_SUMMARY)
            .map((task) => ({ id: task.task_id, check: clip(task.check, LINE) })),
        }),
    ...(failed.length === 0
      ? {}
      : {
          failed: failed
            .slice(0, IN_SUMMARY)
            .map((task) => ({ id: task.task_id, last_error: clip(task.last_error ?? '', LINE) })),
        }),
  };
}

/** Who works on what, and how much each has done. */
function workers(board: Board, now: string): Record<string, unknown>[] {
  const byName = new Map<string, { worker: string; done: number; task_id?: string; expired?: boolean }>();
  for (const task of board.tasks) {
    if (task.claimed_by === null || (task.status !== 'claimed' && task.status !== 'done')) continue;
    const worker = byName.get(task.claimed_by) ?? { worker: task.claimed_by, done: 0 };
    if (task.status === 'done') worker.done++;
    else Object.assign(worker, { task_id: task.id, ...(isExpired(task, now) ? { expired: true } : {}) });
    byName.set(task.claimed_by, worker);
  }
  return [...byName.values()].toSorted((a, b) => (a.worker < b.worker ? -1 : 1));
}

function discoveryView({ id, worker, content, tags, task_id }: Discovery): Record<string, unknown> {
  return {
    id,
    worker,
    content: clip(content, 500),
    ...(tags.length > 0 ? { tags } : {}),
    ...(task_id === null ? {} : { task_id }),
  };
}

interface Page<T> {
  items: T[];
  total: number;
  next_cursor?: string;
}

/** A slice of a list, and where the next one begins. */
function slice<T>(all: readonly T[], start: number, limit: number): Page<T> {
  const end = start + limit;
  return {
    items: all.slice(start, end),
    total: all.length,
    ...(end < all.length ? { next_cursor: String(end) } : {}),
  };
}

/** What rides on an answer: short enough that it is read at once. */
export function newsView({ messages, answers, more }: News, now: string): Record<string, unknown> {
  const room = Math.floor((LONGEST_NEWS - AROUND.all) / Math.max(messages.length + answers.length, 1)) - AROUND.one;
  const cutNews = (given: string): string => startOf(given, room, 'get_status {"view": "messages"}');
  return {
    messages: [
      ...answers.map(({ task_id, question }) => {
        const answer = answerTo(question, now);
        return {
          from: answer?.by ?? 'the default, since nobody answered in time',
          task_id,
          question: clip(question.text, 100),
          answer: cutNews(answer?.text ?? ''),
        };
      }),
      ...messages.map(({ from, at, text }) => ({ from, at, text: cutNews(text) })),
    ],
    ...(more > 0 ? { more_messages: more } : {}),
  };
}
/** What stands around the texts, as JSON. */
const AROUND = { all: 60, one: 260 };

/** One task whole, with the results before it and after it, and what was found out about it. */
export async function taskView(store: Store, id: string): Promise<Record<string, unknown>> {
  const board = await store.read();
  const task = findTask(board, id);
  const [[result], builtOn, discoveries] = await Promise.all([
    store.results([id]),
    store.results(task.dependencies),
    store.discoveries(),
  ]);
  const about = discoveries.filter((discovery) => discovery.task_id === id);
  return {
    revision: board.revision,
    task: bounded(task),
    ...(result ? { result: { ...result, output: cut(result.output, LONGEST_RESULT, `results/${id}.md`) } } : {}),
    ...(builtOn.length > 0
      ? {
          builds_on: builtOn.slice(0, SHOWN_DEPENDENCIES).map((other) => ({
            id: other.task_id,
            output: cut(other.output, LONGEST_DEPENDENCY, `results/${other.task_id}.md`),
            files: [...other.files_created, ...other.files_modified].slice(0, SHOWN_FILES),
          })),
          ...(builtOn.length > SHOWN_DEPENDENCIES
            ? { more: `${builtOn.length - SHOWN_DEPENDENCIES} more in results/` }
            : {}),
        }
      : {}),
    ...(about.length > 0 ? { discoveries: about.slice(-DEFAULT_LIMIT).map(discoveryView) } : {}),
  };
}

function bounded(task: Task): Task {
  const { files } = task.context;
  const shown = files.slice(0, SHOWN_FILES).map((file) => clip(file, 200));
  return {
    ...task,
    dependencies: task.dependencies.slice(0, 100),
    context: {
      ...task.context,
      files: files.length > SHOWN_FILES ? [...shown, `… ${files.length - SHOWN_FILES} more`] : shown,
    },
  };
}

function cut(output: string, length: number, file: string): string {
  return output.length <= length ? output : `${output.slice(0, length)}… (the rest: .coordination/${file})`;
}
