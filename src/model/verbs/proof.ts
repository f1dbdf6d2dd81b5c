/** What whoever ran the checks of a task says of them. The store keeps it; a face makes it, and no agent can. */
import * as z from 'zod/mini';
import type { Board } from '../board.ts';
import { CoordError } from '../errors.ts';
import type { CheckRun, Evidence } from '../evidence.ts';
import { Files, lazily } from '../fields.ts';
import { mayBeReviewed, unproven } from '../gate.ts';
import type { Task } from '../task.ts';
import { clip } from '../text.ts';

/** Characters that are kept of what a check said last. */
export const TAIL = 4096;
/** Of what did not end well, on the board. */
const TAIL_ON_BOARD = 1000;

export const Run = lazily(() =>
  z.strictObject({
    command: z.string(),
    exit_code: z.nullable(z.int()),
    duration_ms: z.number().check(z.minimum(0)),
    tail: z.string().check(z.maxLength(TAIL)),
  }),
);
export type Run = z.infer<ReturnType<typeof Run>>;

export const Proof = lazily(() =>
  z.strictObject({
    runs: z.optional(z.array(Run())),
    /** Git's hash of the tree that was checked; null without git. */
    tree: z.optional(z.nullable(z.string())),
    /** Digest of the files that were handed in: an approval is bound to it. */
    head: z.optional(z.string()),
    /** These files. */
    files: z.optional(Files()),
    /** Files that have changed since the claim: one that is protected forces a review. */
    touched: z.optional(Files()),
    /** There was no tree to check: it is handed in all the same, and not done before somebody checks it. */
    unchecked: z.optional(z.boolean()),
    /** There was nothing to change: nothing lands. */
    unchanged: z.optional(z.boolean()),
  }),
);
export type Proof = z.infer<ReturnType<typeof Proof>>;

/** The runs that a task's evidence tells of, as far as they prove anything. */
export function provenRuns({ evidence }: Task): readonly CheckRun[] {
  return evidence?.verdict === 'green' ? evidence.checks : [];
}

/** @throws CoordError `unchecked` where a check is not proven */
export function refuseUnproven(
  board: Board,
  task: Task,
  proof:
    | {
        runs?: readonly CheckRun[] | undefined;
        unchecked?: boolean | undefined;
        head?: string | undefined;
        unchanged?: boolean | undefined;
      }
    | undefined,
): void {
  if (proof?.unchecked === true) return;
  if (task.branch !== undefined && proof?.head === undefined && proof?.unchanged !== true)
    throw new CoordError('unchecked', `${task.id} is handed in from its worktree, as a commit on ${task.branch}.`, {
      details: { task_id: task.id },
    });
  const missing = unproven(board, task, proof?.runs ?? []);
  if (missing.length === 0 && (proof !== undefined || !mayBeReviewed(board, task))) return;
  if (missing.length === 0)
    throw new CoordError('unchecked', `${task.id} is to be reviewed: it is handed in with what was seen.`, {
      details: { task_id: task.id },
    });
  throw new CoordError(
    'unchecked',
    `${task.id} is not done before its checks end well: ${missing.map((command) => clip(command)).join('; ')}.`,
    {
      details: { task_id: task.id },
    },
  );
}

/** What did not end well, as it is kept. */
export function failing(
  verdict: 'red' | 'broken',
  { command, exit_code, duration_ms, tail }: Run,
  tree: string | null,
  worker: string,
  now: string,
): Evidence {
  const checks = [{ command, exit_code, duration_ms }];
  return { verdict, at: now, worker, tree, checks, tail: tail.slice(-TAIL_ON_BOARD) };
}

/** The fields of a task that say so. */
export function proven(proof: Proof | undefined, worker: string, now: string): Pick<Task, 'evidence' | 'head'> {
  if (!proof) return {};
  const { runs = [], tree = null, head, files, unchecked } = proof;
  const isWorthKeeping = runs.length > 0 || unchecked === true || files !== undefined;
  const evidence: Evidence = {
    verdict: unchecked === true ? 'unchecked' : 'green',
    at: now,
    worker,
    tree,
    checks: runs.map(({ command, exit_code, duration_ms }) => ({ command, exit_code, duration_ms })),
    ...(files === undefined ? {} : { files }),
  };
  return { ...(isWorthKeeping ? { evidence } : {}), ...(head === undefined ? {} : { head }) };
}
