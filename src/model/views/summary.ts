/** What a person or an agent wants to know about a board at a glance. Bounded, however long the board. */
import { type Board, compareIds, expireLastAttempts } from '../board.ts';
import { isExpired } from '../lifecycle.ts';
import { Dependencies } from '../dependencies.ts';
import { checkText } from '../evidence.ts';
import { isAsking, openQuestions } from '../questions.ts';
import { submittedState } from '../landing.ts';
import type { SubmittedTask, Task } from '../task.ts';
import { claimTask } from '../verbs/claim.ts';
import { type NotClaimed } from './idle.ts';

/** Names shown of each list before "and N more". */
const SHOWN = 10;

export interface Counts {
  total: number;
  available: number;
  claimed: number;
  /** Handed in, and to be looked at by somebody else. */
  submitted: number;
  done: number;
  failed: number;
  cancelled: number;
  /** Derived: what a claim could hand out now. Expired claims count here and in `claimed`. */
  claimable: number;
  /** Derived, part of `available`: parked until somebody answers. */
  asking: number;
  /** Derived, part of `available`: some dependency is not done. Includes the stuck ones. */
  blocked: number;
  /** Derived, part of `blocked`: behind a failed or cancelled task. */
  stuck: number;
}

export interface Summary {
  revision: number;
  goal: string | null;
  counts: Counts;
  /** What nobody has answered yet, oldest first; at most {@link SHOWN}. */
  questions: OpenQuestion[];
  /** How many there are. */
  open_questions: number;
  /** Who works on what, oldest claim first; at most {@link SHOWN}. */
  active: {
    task_id: string;
    worker: string;
    description: string;
    claimed_at: string | null;
    lease_expires_at: string | null;
    expired: boolean;
  }[];
  /** What a claim would hand out next, best first; at most {@link SHOWN}. */
  claimable: { task_id: string; priority: number; description: string }[];
  /** What will never run unless somebody acts, and because of which tasks; at most {@link SHOWN}. */
  stuck: { task_id: string; because: string[]; description: string }[];
  /** What waits for a review, longest first; at most {@link SHOWN}. */
  review: { task_id: string; worker: string; description: string; unchecked: boolean }[];
  /** What is approved, or needs no review, and is landing or waits for its turn, longest first; at most {@link SHOWN}. */
  landing: { task_id: string; worker: string; description: string; state: 'queued' | 'landing' }[];
  /** Checks that could not be run, which nobody but the leader can mend; at most {@link SHOWN}. */
  broken: { task_id: string; worker: string; check: string }[];
  /** The failed tasks and why; at most {@link SHOWN}. */
  failed: { task_id: string; last_error: string | null; description: string }[];
}

/** A question that waits for an answer. */
export interface OpenQuestion {
  task_id: string;
  /** Its place among those of the task, from 1. */
  n: number;
  /** Who asked. */
  worker: string;
  question: string;
  /** ISO 8601 UTC. */
  at: string;
  /** Whether the task waits with it, in nobody's hands. */
  parked: boolean;
  /** What holds from `due` on, if nobody answers. */
  default: string | null;
  due: string | null;
}

/** Tasks that a claim could hand out now, in the order of priority and id. */
export function claimableTasks(board: Board, now: string): Task[] {
  const live = expireLastAttempts(board, now).board;
  const dependencies = new Dependencies(live);
  return live.tasks
    .filter((task) => dependencies.isClaimable(task, now))
    .toSorted((a, b) => a.priority - b.priority || compareIds(a.id, b.id));
}

/** The board at a glance, as it stands at `now` (ISO 8601 UTC). */
export function summarise(board: Board, now: string): Summary {
  const live = expireLastAttempts(board, now).board;
  const dependencies = new Dependencies(live);
  const counts: Counts = {
    total: live.tasks.length,
    available: 0,
    claimed: 0,
    submitted: 0,
    done: 0,
    failed: 0,
    cancelled: 0,
    claimable: 0,
    asking: 0,
    blocked: 0,
    stuck: 0,
  };
  const stuck: Task[] = [];
  for (const task of live.tasks) {
    counts[task.status]++;
    if (dependencies.isBlocked(task)) counts.blocked++;
    else if (isAsking(task, now)) counts.asking++;
    if (dependencies.isStuck(task)) stuck.push(task);
  }
  const questions = questionsOf(live, now);
  const claimable = claimableTasks(live, now);
  counts.claimable = claimable.length;
  counts.stuck = stuck.length;
  const active = live.tasks
    .filter((task) => task.status === 'claimed')
    .toSorted((a, b) => (a.claimed_at ?? '').localeCompare(b.claimed_at ?? '') || compareIds(a.id, b.id));
  const submitted = live.tasks
    .filter((task): task is SubmittedTask => task.status === 'submitted')
    .toSorted((a, b) => (a.completed_at ?? '').localeCompare(b.completed_at ?? '') || compareIds(a.id, b.id));
  return {
    revision: live.revision,
    goal: live.goal ?? null,
    counts,
    questions: questions.slice(0, SHOWN),
    open_questions: questions.length,
    active: active.slice(0, SHOWN).map((task) => ({
      task_id: task.id,
      worker: task.claimed_by ?? '',
      description: task.description,
      claimed_at: task.claimed_at,
      lease_expires_at: task.lease_expires_at,
      expired: isExpired(task, now),
    })),
    claimable: claimable
      .slice(0, SHOWN)
      .map((task) => ({ task_id: task.id, priority: task.priority, description: task.description })),
    stuck: stuck.slice(0, SHOWN).map((task) => ({
      task_id: task.id,
      because: dependencies
        .causes(task)
        .slice(0, 5)
        .map((cause) => cause.id),
      description: task.description,
    })),
    review: submitted
      .filter((task) => submittedState(live, task, now) === 'review')
      .slice(0, SHOWN)
      .map((task) => ({
        task_id: task.id,
        worker: task.claimed_by,
        description: task.description,
        unchecked: task.evidence?.verdict === 'unchecked',
      })),
    landing: submitted
      .flatMap((task) => {
        const state = submittedState(live, task, now);
        const { id: task_id, claimed_by: worker, description } = task;
        return state === 'review' ? [] : [{ task_id, worker, description, state }];
      })
      .slice(0, SHOWN),
    broken: active
      .filter(({ evidence }) => evidence?.verdict === 'broken')
      .slice(0, SHOWN)
      .map((task) => ({
        task_id: task.id,
        worker: task.claimed_by ?? '',
        check: task.evidence?.checks.map(checkText).join('; ') ?? '',
      })),
    failed: live.tasks
      .filter((task) => task.status === 'failed')
      .slice(0, SHOWN)
      .map((task) => ({ task_id: task.id, last_error: task.last_error, description: task.description })),
  };
}

/** Everything that is asked on a board, oldest first. */
export function questionsOf(board: Board, now: string): OpenQuestion[] {
  const asked = board.tasks.flatMap((task) =>
    openQuestions(task, now).map(({ n, question: { text, by, at, parked, default: fallback, due } }) => ({
      task_id: task.id,
      n,
      worker: by,
      question: text,
      at,
      parked: parked === true,
      default: fallback ?? null,
      due: due ?? null,
    })),
  );
  return asked.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/**
 * Why a claim at `now` would hand nothing out and change nothing; undefined when it is worth making. A waiter asks this
 * first, so that fifty of them do not queue for the lock.
 */
export function idleReason(board: Board, worker: string, now: string): NotClaimed | undefined {
  const { board: changed, answer } = claimTask(board, { worker }, now);
  return changed || answer.task ? undefined : answer;
}
