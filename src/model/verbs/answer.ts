/** Somebody answers what a worker asked. */
import * as z from 'zod/mini';
import { type Board, type Change, eventOf, findTask, replaceTasks } from '../board.ts';
import { CoordError } from '../errors.ts';
import { lazily, ShortText, TaskId, Worker } from '../fields.ts';
import { allows } from '../lifecycle.ts';
import { type Asked, openQuestions, type Question, unanswered } from '../questions.ts';
import type { Task } from '../task.ts';
import { clip } from '../text.ts';

export const Answer = lazily(() =>
  z.strictObject({
    /** `leader`, or whoever else knows. */
    by: Worker(),
    task_id: TaskId(),
    answer: ShortText(),
    /** Which of the task's questions, from 1; without it the oldest that is open. */
    n: z.optional(z.int().check(z.minimum(1))),
  }),
);
export type Answer = z.infer<ReturnType<typeof Answer>>;

export interface AnswerAnswer {
  task: Task;
  question: Question;
  n: number;
  /** Questions of this task that are still open. */
  open: number;
  /** True where the same answer stood there already. */
  already: boolean;
}

/**
 * @throws CoordError `task-not-found`; `task-state` where nothing is asked, where a default has taken over, or by whoever asked
 */
export function answerQuestion(board: Board, input: Answer, now: string): Change<AnswerAnswer> {
  const task = findTask(board, input.task_id);
  const waiting = openQuestions(task, now);
  // What an earlier holder asked may be answered for the next one, after what somebody waits for.
  const open = waiting.length > 0 && input.n === undefined ? waiting : unanswered(task, now);
  const asked = input.n === undefined ? open[0] : open.find(({ n }) => n === input.n);
  if (!asked) {
    const same = answeredSo(task, input);
    if (same) return { answer: { task, ...same, open: open.length, already: true }, repeatable: true };
    throw new CoordError('task-state', whyNot(task, input), { details: { task_id: task.id, why: 'no-question' } });
  }
  if (asked.question.by === input.by)
    throw new CoordError('task-state', `${input.by} has asked that: somebody else answers.`, {
      details: { task_id: task.id, why: 'asked' },
    });
  const question: Question = { ...asked.question, answer: { text: input.answer, by: input.by, at: now } };
  const questions = (task.questions ?? []).map((one, i) => (i === asked.n - 1 ? question : one));
  const next: Task = { ...task, questions };
  return {
    board: replaceTasks(board, [next]),
    answer: { task: next, question, n: asked.n, open: open.length - 1, already: false },
    events: [eventOf(input.by, 'answer', next, clip(input.answer, 200))],
    repeatable: true,
  };
}

/** The question that has this very answer of the same one. */
function answeredSo(task: Task, { by, answer, n }: Answer): Asked | undefined {
  return (task.questions ?? [])
    .map((question, i) => ({ n: i + 1, question }))
    .findLast((one) => (n ?? one.n) === one.n && one.question.answer?.text === answer && one.question.answer.by === by);
}

function whyNot(task: Task, { n }: Answer): string {
  const question = n === undefined ? task.questions?.at(-1) : task.questions?.[n - 1];
  if (!question) return n === undefined ? `${task.id} asks nothing.` : `${task.id} has no question ${n}.`;
  if (!allows('answer', task)) return `${task.id} is ${task.status}: nobody waits for an answer any more.`;
  if (question.answer) return `${question.answer.by ?? 'The default'} has answered ${task.id} already.`;
  return `Nobody answered ${task.id} in time: its default holds since ${question.due}.`;
}
