/**
 * What a task is.
 *
 * Glossary, one word per idea in code, flags, JSON and docs:
 *
 * - **board**: everything that tasks.json holds; **task**: one unit of work on it.
 * - **leader**: adds and orders tasks; **worker**: a name such as `terminal-2` that does them.
 * - **claim**: a task handed to one worker; **lease**: how long a claim stands unless renewed;
 *   **attempt**: the n-th claim of a task, which fences off earlier holders.
 * - **check**: a command that must end well before the task is done; **evidence**: what came of it, on which tree;
 *   **review**: another's look at what was handed in (**submitted**), which approves it or sends it back (a **bounce**);
 *   **landing**: the way of a branch that was handed in, and is **queued**, into the branch of the board.
 * - **question**: what a worker asks about its task; it may be **parked**: given back until there is an **answer**;
 *   **message**: a word to a **reader**, who is a worker or the leader, **seen** once the model has surely read it.
 * - **result**: what a worker hands in; **discovery**: a finding shared with everybody;
 *   **plan**: goal and approach.
 *
 * What a verb makes of each status stands in lifecycle.ts.
 *
 * Derived, never stored: **claimable** (available, or claimed with an expired lease, and every
 * dependency done), **blocked** (available, some dependency not done), **stuck** (blocked behind a
 * failed or cancelled task).
 */
import * as z from 'zod/mini';
import { Checks, CheckTimeout, Description, Name, Priority } from './fields.ts';
import { type Evidence, isEvidence, isReviewed, type Reviewed } from './evidence.ts';
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_PRIORITY, MAX_TEXT, STATUSES } from './limits.ts';
import { isQuestions, type Question } from './questions.ts';
import { isBranchName, isLanded, isLanding, isTurn, type Landed, type Landing, type Turn } from './worktrees.ts';

/** Exactly what `Date.prototype.toISOString` writes: times are compared as text. */
const Time = z.iso.datetime({ precision: 3, error: 'must be a UTC time such as 2026-01-31T12:00:00.000Z' });
/** Hand-written times may be shorter or carry an offset; they are brought into the one form. */
const LooseTime = z._default(
  z.pipe(
    z.transform((value: unknown) => {
      if (typeof value !== 'string') return value;
      const time = new Date(value);
      return Number.isNaN(time.getTime()) ? value : time.toISOString();
    }),
    z.nullable(Time),
  ),
  null,
);

/** Takes null and nothing at all for `value`, as people write them. */
function orElse<S extends z.ZodMiniType>(value: unknown, schema: S) {
  return z.pipe(
    z.transform((given: unknown) => given ?? value),
    schema,
  );
}

const TaskContext = z.looseObject({
  files: z._default(z.array(z.string().check(z.minLength(1), z.maxLength(1024))), []),
  hints: orElse('', z.string().check(z.maxLength(MAX_TEXT))),
});

/**
 * A task as somebody may have written it into tasks.json: what is missing takes its default, what coord does not know is kept.
 * {@link Task} says what becomes of it.
 */
export const WrittenTask = z
  .looseObject({
    id: Name(),
    description: Description(),
    status: z._default(z.enum(STATUSES), 'available'),
    /** Who holds the task, or who did it. */
    claimed_by: z._default(z.nullable(Name()), null),
    priority: z._default(Priority(), DEFAULT_PRIORITY),
    dependencies: z._default(z.array(Name()), []),
    context: orElse({}, TaskContext),
    tags: z._default(z.array(Name()), []),
    /** Claims so far; the fencing number. */
    attempt: z._default(z.int().check(z.minimum(0)), 0),
    /** No upper bound: retries and releases raise it. */
    max_attempts: z._default(z.int().check(z.minimum(1)), DEFAULT_MAX_ATTEMPTS),
    created_at: LooseTime,
    claimed_at: LooseTime,
    lease_expires_at: LooseTime,
    completed_at: LooseTime,
    last_error: z._default(z.nullable(z.string()), null),
    // Written only where they are set, so that an ordinary task stays plain.
    /** Never beside another claimed task that names one of its files. */
    exclusive: z.optional(z.boolean()),
    /** Adding the same key again gives this task. */
    key: z.optional(Name()),
    /** Length of this claim where it is not the default. */
    lease_seconds: z.optional(z.int().check(z.minimum(1))),
    /** What the last holder said when it gave the task back. */
    note: z.optional(z.string()),
    /** What agents have cost on this task so far, failed attempts included, in US dollars. */
    cost_usd: z.optional(z.number().check(z.minimum(0))),
    /** Fingerprint of the accepted result. */
    result_digest: z.optional(z.string()),
    /** Commands that must end well before it is done; without them those of the board. */
    checks: z.optional(Checks()),
    /** Seconds that one of them may take. */
    check_timeout: z.optional(CheckTimeout()),
    /** Whether somebody else looks at what is handed in; without it as the board says. */
    review: z.optional(z.boolean()),
    /** What was handed in, as a digest of its files: an approval holds for this alone. */
    head: z.optional(z.string()),
    evidence: z.optional(z.custom<Evidence>(isEvidence, 'is no evidence')),
    reviewed: z.optional(z.custom<Reviewed>(isReviewed, 'must say by whom, of what head, and when')),
    /** How often it was sent back. */
    bounces: z.optional(z.int().check(z.minimum(0))),
    /** Whose claim ended without a word of theirs: what they hand in late is taken while nobody else holds the task. */
    taken_from: z.optional(Name()),
    /** Who held it, where it is to be reviewed: they do not review it. */
    held_by: z.optional(z.array(Name())),
    /** When it was claimed first, where it is to be reviewed: what has changed since is looked at. */
    begun_at: z.optional(Time),
    /** Whose it is to mend, since it was sent back to them. */
    returned_to: z.optional(Name()),
    /** Of its claim, where each has one of its own. */
    branch: z.optional(z.custom<string>(isBranchName, 'must be the name of a branch')),
    landing: z.optional(z.custom<Landing>(isLanding, 'must say who lands it, by which token, and until when')),
    landed: z.optional(z.custom<Landed>(isLanded, 'must say as what, where and when')),
    /** What workers have asked about it, oldest first. */
    questions: z.optional(z.custom<Question[]>(isQuestions, 'must each say what, by whom and when')),
    /** Of the Claude Code session in which it was claimed, as sessionTag names it. */
    claimed_session: z.optional(Name()),
    turn: z.optional(z.custom<Turn>(isTurn, 'must say with which files, and until when')),
  })
  .check(({ value: task, issues }) => {
    const refuse = (message: string): void =>
      void issues.push({ code: 'custom', path: ['claimed_by'], message, input: task.claimed_by });
    if (task.status === 'claimed' && task.claimed_by === null) refuse('a claimed task must name its worker');
    if (task.status === 'submitted' && task.claimed_by === null) refuse('a submitted task must name its worker');
    if (task.status === 'available' && task.claimed_by !== null) refuse('an available task must not name a worker');
  });
export type WrittenTask = z.infer<typeof WrittenTask>;

/** What every task says, in the very names of tasks.json. Times are ISO 8601 UTC. */
interface TaskFields {
  id: string;
  description: string;
  /** 1 (first) to 10 (last). */
  priority: number;
  /** Ids of what must be done first. */
  dependencies: string[];
  context: { files: string[]; hints: string; [unknown: string]: unknown };
  tags: string[];
  attempt: number;
  max_attempts: number;
  created_at: string | null;
  claimed_at: string | null;
  completed_at: string | null;
  last_error: string | null;
  exclusive?: boolean | undefined;
  key?: string | undefined;
  lease_seconds?: number | undefined;
  note?: string | undefined;
  cost_usd?: number | undefined;
  result_digest?: string | undefined;
  checks?: string[] | undefined;
  check_timeout?: number | undefined;
  review?: boolean | undefined;
  head?: string | undefined;
  evidence?: Evidence | undefined;
  reviewed?: Reviewed | undefined;
  bounces?: number | undefined;
  taken_from?: string | undefined;
  held_by?: string[] | undefined;
  returned_to?: string | undefined;
  begun_at?: string | undefined;
  branch?: string | undefined;
  landing?: Landing | undefined;
  landed?: Landed | undefined;
  turn?: Turn | undefined;
  questions?: Question[] | undefined;
  claimed_session?: string | undefined;
  [unknown: string]: unknown;
}

/** Nobody's. */
export interface AvailableTask extends TaskFields {
  status: 'available';
  claimed_by: null;
  lease_expires_at: null;
}
/** Somebody's, until its lease runs out. */
export interface ClaimedTask extends TaskFields {
  status: 'claimed';
  claimed_by: string;
  lease_expires_at: string;
}
/** Handed in, and not yet done: somebody else looks at it first. Says who handed it in. */
export interface SubmittedTask extends TaskFields {
  status: 'submitted';
  claimed_by: string;
  lease_expires_at: null;
}
/** No worker is needed any more. A done one says who did it. */
export interface SettledTask extends TaskFields {
  status: SettledStatus;
  claimed_by: string | null;
  lease_expires_at: null;
}

/** One task. What contradicts itself, such as a claim without a worker, is none. */
export type Task = AvailableTask | ClaimedTask | SubmittedTask | SettledTask;
export type Status = Task['status'];
export type SettledStatus = 'done' | 'failed' | 'cancelled';
