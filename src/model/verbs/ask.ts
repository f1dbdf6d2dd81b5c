/** A worker asks about the task that it holds. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, findTask, replaceTasks } from '../board.ts';
import { CoordError } from '../errors.ts';
import { Attempt, lazily, ShortText, TaskId, Worker } from '../fields.ts';
import { toAvailable } from '../lifecycle.ts';
import { answerTo, type Answered, MOST_QUESTIONS, type Question } from '../questions.ts';
import type { Task } from '../task.ts';
import { clip } from '../text.ts';
import { heldTask } from './held-task.ts';
import { withSignOfLife } from './renew.ts';

/** Thirty days: what nobody has answered by then, nobody will. */
const MAX_AFTER_SECONDS = 2_592_000;
/** As long as a lease: who waits longer for an answer had better do something else. */
const DEFAULT_AFTER_SECONDS = 1800;

export const Ask = lazily(() =>
  z
    .strictObject({
      worker: Worker(),
      task_id: TaskId(),
      question: ShortText(),
      /** Gives the task back until there is an answer. */
      park: z.optional(z.boolean()),
      /** What holds where nobody answers in time. */
      default: z.optional(ShortText()),
      /** How long that is. */
      after_seconds: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_AFTER_SECONDS))),
      attempt: z.optional(Attempt()),
    })
    .check(
      z.refine((ask) => ask.after_seconds === undefined || ask.default !== undefined, {
        error: 'goes with a default',
        path: ['after_seconds'],
      }),
    ),
);
export type Ask = z.infer<ReturnType<typeof Ask>>;

export interface AskAnswer {
  task: Task;
  question: Question;
  /** Its place among those of the task, from 1. */
  n: number;
  /** The answer, where it was asked before and there is one. */
  answer: Answered | null;
  /** True where it stood there already. */
  already: boolean;
}

/**
 * The same question again in the same attempt is the same question: who waits asks again.
 *
 * @throws CoordError `task-not-found`, `claim-lost`; `task-state` where it has asked too much
 */
export function askQuestion(board: Board, input: Ask, now: string): Change<AskAnswer> {
  const found = findTask(board, input.task_id);
  const repeated = repeatedIn(found, input);
  // Parked before, and asked again: the task is nobody's by now.
  if (repeated?.question.parked === true)
    return { answer: { task: found, ...repeated, answer: answerTo(repeated.question, now) ?? null, already: true } };
  const held = heldTask(found, 'ask', input);
  const before = held.questions ?? [];
  const answer = repeated && answerTo(repeated.question, now);
  const addsDefault = input.default !== undefined && repeated?.question.default === undefined;
  if (repeated && (answer || (input.park !== true && !addsDefault))) {
    const next = withSignOfLife(board, input.worker, now);
    return { board: next, answer: { task: held, ...repeated, answer: answer ?? null, already: true } };
  }
  if (before.length >= MOST_QUESTIONS && !repeated)
    throw new CoordError('task-state', `${held.id} has ${MOST_QUESTIONS} questions already.`, {
      details: { task_id: held.id },
    });
  const { default: fallback, after_seconds = DEFAULT_AFTER_SECONDS } = input;
  const question: Question = {
    ...(repeated?.question ?? { text: input.question, by: input.worker, at: now }),
    ...(input.park === true ? { parked: true } : {}),
    ...(fallback === undefined || (repeated && !addsDefault)
      ? {}
      : { default: fallback, due: new Date(Date.parse(now) + after_seconds * 1000).toISOString() }),
  };
  const n = repeated?.n ?? before.length + 1;
  const questions = [...before.slice(0, n - 1), question, ...before.slice(n)];
  const task: Task =
    input.park === true
      ? {
          ...toAvailable(held),
          questions,
          // As with a release: it uses up none of the attempts. Who asked knows it best.
          max_attempts: held.max_attempts + 1,
          returned_to: input.worker,
        }
      : { ...held, questions };
  return {
    board: withSignOfLife(replaceTasks(board, [task]), input.worker, now),
    answer: { task, question, n, answer: null, already: repeated !== undefined },
    events: [eventOf(input.worker, input.park === true ? 'park' : 'ask', task, clip(question.text, 200))],
  };
}

/** The same words of the same worker, asked in this attempt. */
function repeatedIn(task: Task, { worker, question }: Ask): { question: Question; n: number } | undefined {
  const all = task.questions ?? [];
  const i = all.findLastIndex((one) => one.by === worker && one.text === question);
  const last = all[i];
  const isOfThisClaim = last !== undefined && (task.claimed_at === null || last.at >= task.claimed_at);
  return isOfThisClaim ? { question: last, n: i + 1 } : undefined;
}
