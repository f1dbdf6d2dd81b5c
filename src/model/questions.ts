/** What a worker asks about its task. A question is part of the task, so it stands or falls with the status that goes with it. */
import { isRecord } from './values.ts';

export interface Question {
  text: string;
  /** The worker who asked. */
  by: string;
  /** ISO 8601 UTC. */
  at: string;
  /** Where the task was given back until there is an answer. */
  parked?: true;
  /** What holds from `due` on (ISO 8601 UTC), unless somebody has answered before. */
  default?: string;
  due?: string;
  answer?: Answered;
}

/** What asks: a task, as far as it matters here. */
interface Asking {
  status: string;
  claimed_by: string | null;
  questions?: readonly Question[] | undefined;
}

export interface Answered {
  text: string;
  /** Null where nobody answered in time, and the default holds. */
  by: string | null;
  /** ISO 8601 UTC. */
  at: string;
}

/** A question by its place among those of its task, from 1. */
export interface Asked {
  n: number;
  question: Question;
}

/** Questions that a task keeps: more are a conversation, and that is no task any more. */
export const MOST_QUESTIONS = 20;

export function isQuestions(value: unknown): value is Question[] {
  return Array.isArray(value) && value.length <= MOST_QUESTIONS && value.every(isQuestion);
}

function isQuestion(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { text, by, at, parked, default: fallback, due, answer } = value;
  return (
    [text, by, at].every((one) => typeof one === 'string') &&
    (parked === undefined || parked === true) &&
    (fallback === undefined) === (due === undefined) &&
    [fallback, due].every((one) => one === undefined || typeof one === 'string') &&
    (answer === undefined || isAnswer(answer))
  );
}

function isAnswer(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { text, by, at } = value;
  return typeof text === 'string' && (by === null || typeof by === 'string') && typeof at === 'string';
}

/** What was answered by `now` (ISO 8601 UTC), or holds since nobody did. */
export function answerTo({ answer, default: text, due }: Question, now: string): Answered | undefined {
  if (answer) return answer;
  return text !== undefined && due !== undefined && due <= now ? { text, by: null, at: due } : undefined;
}

/** What somebody waits to be answered, oldest first: whoever holds the task, or has parked it. */
export function openQuestions(task: Asking, now: string): Asked[] {
  const open = unanswered(task, now);
  const parked = task.status === 'available' ? open.find(({ question }) => question.parked === true) : undefined;
  const waiting = parked ? parked.question.by : task.claimed_by;
  return open.filter(({ question }) => question.by === waiting);
}

/** Of a task that somebody may yet work on: what nobody has answered, oldest first. */
export function unanswered(task: Asking, now: string): Asked[] {
  if (task.questions === undefined || (task.status !== 'available' && task.status !== 'claimed')) return [];
  return task.questions
    .map((question, i) => ({ n: i + 1, question }))
    .filter(({ question }) => answerTo(question, now) === undefined);
}

/** Whether nobody may claim it before its question is answered. */
export function isAsking(task: Asking, now: string): boolean {
  return task.status === 'available' && openQuestions(task, now).length > 0;
}

/** When a default takes over next, after `now`; null where none does. */
export function nextDefault(tasks: readonly Asking[], now: string): string | null {
  let next: string | null = null;
  for (const task of tasks) {
    for (const { question } of task.questions === undefined ? [] : openQuestions(task, now)) {
      const { due } = question;
      if (due !== undefined && (next === null || due < next)) next = due;
    }
  }
  return next;
}
