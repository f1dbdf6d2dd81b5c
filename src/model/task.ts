/**
 * What a task is.
 *
 * Glossary, one word per idea in code, flags, JSON and docs:
 *
 * - **board**: everything that tasks.json holds; **task**: one unit of work on it.
 * - **leader**: adds and orders tasks; **worker**: a name such as `terminal-2` that does them.
 * - **claim**: a task handed to one worker; **lease**: how long a claim stands unless renewed;
 *   **attempt**: the n-th claim of a task, which fences off earlier holders.
 * - **result**: what a worker hands in; **discovery**: a finding shared with everybody;
 *   **plan**: goal and approach.
 *
 * Derived, never stored: **claimable** (available, or claimed with an expired lease, and every
 * dependency done), **blocked** (available, some dependency not done), **stuck** (blocked behind a
 * failed or cancelled task).
 */
import * as z from 'zod';
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_PRIORITY, Description, MAX_TEXT, Name, Priority, STATUSES } from './fields.ts';

/** Exactly what `Date.prototype.toISOString` writes: times are compared as text. */
const Time = z.iso.datetime({ precision: 3, error: 'must be a UTC time such as 2026-01-31T12:00:00.000Z' });
/** Hand-written times may be shorter or carry an offset; they are brought into the one form. */
const LooseTime = z
  .preprocess((value) => {
    if (typeof value !== 'string') return value;
    const time = new Date(value);
    return Number.isNaN(time.getTime()) ? value : time.toISOString();
  }, Time.nullable())
  .default(null);

const TaskContext = z.looseObject({
  files: z.array(z.string().min(1).max(1024)).default([]),
  hints: z.preprocess((value) => value ?? '', z.string().max(MAX_TEXT)),
});

/** One task, in the very names of tasks.json. Fields that coord does not know are kept. */
export const Task = z
  .looseObject({
    id: Name(),
    description: Description(),
    status: z.enum(STATUSES).default('available'),
    claimed_by: Name().nullable().default(null).describe('who holds the task, or who did it'),
    priority: Priority().default(DEFAULT_PRIORITY),
    dependencies: z.array(Name()).default([]),
    context: z.preprocess((value) => value ?? {}, TaskContext),
    tags: z.array(Name()).default([]),
    attempt: z.int().min(0).default(0).describe('claims so far; the fencing number'),
    // No upper bound: retries and releases raise it.
    max_attempts: z.int().min(1).default(DEFAULT_MAX_ATTEMPTS),
    created_at: LooseTime,
    claimed_at: LooseTime,
    lease_expires_at: LooseTime,
    completed_at: LooseTime,
    last_error: z.string().nullable().default(null),
    // Written only where they are set, so that an ordinary task stays plain.
    exclusive: z.boolean().optional().describe('never beside another claimed task that names one of its files'),
    key: Name().optional().describe('adding the same key again gives this task'),
    lease_seconds: z.int().min(1).optional().describe('length of this claim where it is not the default'),
    note: z.string().optional().describe('what the last holder said when it gave the task back'),
    result_digest: z.string().optional().describe('fingerprint of the accepted result'),
  })
  .superRefine((task, issues) => {
    if (task.status === 'claimed' && task.claimed_by === null) {
      issues.addIssue({ code: 'custom', path: ['claimed_by'], message: 'a claimed task must name its worker' });
    }
    if (task.status === 'available' && task.claimed_by !== null) {
      issues.addIssue({ code: 'custom', path: ['claimed_by'], message: 'an available task must not name a worker' });
    }
  });
export type Task = z.infer<typeof Task>;
export type Status = Task['status'];
