/** Hands in the result of a task. */
import * as z from 'zod/mini';
import { type Board, type Change, compareIds, eventOf, findTask, replaceTasks } from '../board.ts';
import { Dependencies } from '../dependencies.ts';
import { Attempt, Cost, Files, lazily, TaskId, Worker } from '../fields.ts';
import { checksOf, mayBeReviewed, wantsReview } from '../gate.ts';
import { toDone, toSubmitted } from '../lifecycle.ts';
import type { Task } from '../task.ts';
import { clip } from '../text.ts';
import { withCost } from './add-cost.ts';
import { heldTask, isLate } from './held-task.ts';
import { Proof, proven, refuseUnproven } from './proof.ts';
import { withSignOfLife } from './renew.ts';

/** Ten million characters of result: more belongs in a file that the result names. */
export const MAX_RESULT = 10_000_000;

export const Complete = lazily(() =>
  z.strictObject({
    worker: Worker(),
    task_id: TaskId(),
    output: z.string().check(z.maxLength(MAX_RESULT)),
    files_modified: z.optional(Files()),
    files_created: z.optional(Files()),
    attempt: z.optional(Attempt()),
    /** What the agent's work on this attempt cost, in US dollars. */
    cost_usd: z.optional(Cost()),
    /** There was nothing to change in the worktree. */
    no_changes: z.optional(z.boolean()),
    /** What came of the checks, by whoever ran them. */
    proof: z.optional(Proof()),
  }),
);
export type Complete = z.infer<ReturnType<typeof Complete>>;

export interface CompleteAnswer {
  /** Done; or submitted, where somebody else looks at it first. */
  task: Task;
  /** True when this worker had handed in this very result before. */
  already: boolean;
  /** It came after the claim was taken away, and before anybody else's. */
  late?: boolean;
  /** Ids that this completion made claimable, smallest first. */
  now_claimable: string[];
}

/**
 * Hands in a result. The same worker handing in the same result again is a success that changes nothing. Where the task has
 * checks, they must be proven; where it is to be reviewed, it is submitted and not yet done.
 *
 * @param digest  fingerprint of output and files, so that a repetition is known without reading the old result
 * @throws CoordError `task-not-found`, `claim-lost`, `unchecked` with the checks that are not proven
 */
export function completeTask(board: Board, input: Complete & { digest: string }, now: string): Change<CompleteAnswer> {
  const held = findTask(board, input.task_id);
  const isIn = held.status === 'done' || held.status === 'submitted';
  if (isIn && held.claimed_by === input.worker && held.result_digest === input.digest) {
    const renewed = withSignOfLife(board, input.worker, now);
    const answer = { task: held, already: true, now_claimable: [] };
    return { ...(renewed === board ? {} : { board: renewed }), answer, repeatable: true };
  }
  const late = isLate(held, input);
  const given = late ? held : heldTask(held, 'complete', input);
  const { worker, digest, proof } = input;
  refuseUnproven(board, held, proof);
  const files = [...(input.files_modified ?? []), ...(input.files_created ?? []), ...(proof?.touched ?? [])];
  const isUnseen = proof?.unchecked === true && (checksOf(board, held).length > 0 || mayBeReviewed(board, held));
  // What has nothing to land is not held up by it.
  const { branch, ...unchanged } = given;
  const lands = branch !== undefined && proof?.unchanged !== true;
  const isForOthers = isUnseen || lands || wantsReview(board, held, files);
  // What it names is what a later check or review goes by, where nobody could look.
  const seen = isUnseen && files.length > 0 ? { files, ...proof } : proof;
  const work = proof?.unchanged === true ? unchanged : given;
  const handed = isForOthers ? toSubmitted(work, worker, digest, now) : toDone(work, worker, digest, now);
  const task: Task = withCost({ ...handed, ...proven(seen, worker, now) }, input);
  const next = withSignOfLife(replaceTasks(board, [task]), input.worker, now);
  return {
    board: next,
    answer: { task, already: false, ...(late ? { late } : {}), now_claimable: freedBy(board, next, task.id, now) },
    events: [
      eventOf(
        input.worker,
        isForOthers ? 'submit' : 'complete',
        task,
        `attempt ${task.attempt}${late ? ', late' : ''}: ${clip(input.output)}`,
      ),
    ],
    result: {
      task,
      output: input.output,
      files_modified: input.files_modified ?? [],
      files_created: input.files_created ?? [],
      ...(proof?.runs ? { checks: proof.runs } : {}),
    },
    repeatable: true,
  };
}

/** Only direct dependants can become claimable. */
export function freedBy(before: Board, after: Board, id: string, now: string): string[] {
  const dependants = (board: Board): Task[] => board.tasks.filter((task) => task.dependencies.includes(id));
  const claimable = (board: Board): Set<string> => {
    const candidates = dependants(board);
    if (candidates.length === 0) return new Set();
    const dependencies = new Dependencies(board);
    return new Set(candidates.filter((task) => dependencies.isClaimable(task, now)).map((task) => task.id));
  };
  const were = claimable(before);
  return [...claimable(after)].filter((freed) => !were.has(freed)).toSorted(compareIds);
}
