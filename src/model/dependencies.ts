/** What the tasks of a board wait for. */
import { isArchivedDone } from './archived.ts';
import { type Board, compareIds, tasksById } from './board.ts';
import { isExpired } from './lifecycle.ts';
import { isAsking } from './questions.ts';
import type { Task } from './task.ts';

/** Questions about the dependencies of one board, each task looked at once however many ask. */
export class Dependencies {
  readonly #board: Board;
  #byId: Map<string, Task> | undefined;
  readonly #dead = new Map<string, boolean>();
  readonly #awaiting = new Map<string, boolean>();

  constructor(board: Board) {
    this.#board = board;
  }

  #find(id: string): Task | undefined {
    this.#byId ??= tasksById(this.#board);
    return this.#byId.get(id);
  }

  /** Dependencies that are not done yet. */
  pending(task: Task): Task[] {
    if (task.dependencies.length === 0) return [];
    return task.dependencies
      .map((id) => this.#find(id))
      .filter((dependency) => dependency !== undefined)
      .filter((dependency) => dependency.status !== 'done');
  }

  /** Available and not waiting for an answer, or claimed with an expired lease; and every dependency done. */
  isClaimable(task: Task, now: string): boolean {
    return (task.status === 'available' ? !isAsking(task, now) : isExpired(task, now)) && this.areDone(task);
  }

  areDone(task: Task): boolean {
    return task.dependencies.every((id) => {
      const needed = this.#find(id);
      return needed ? needed.status === 'done' : isArchivedDone(this.#board, id);
    });
  }

  isBlocked(task: Task): boolean {
    return task.status === 'available' && !this.areDone(task);
  }

  /** Blocked behind a failed or cancelled task, however far up: it never runs unless somebody acts. */
  isStuck(task: Task): boolean {
    return task.status === 'available' && this.#leadsToDead(task);
  }

  /** Submitted, or waiting for an answer, or blocked behind nothing but that: somebody must look at it first. */
  awaitsSomebody(task: Task, now: string): boolean {
    const known = this.#awaiting;
    const stack = [task]; // depth first with a stack of its own, as below
    while (stack.length > 0) {
      const top = stack.at(-1) as Task; // the stack is not empty
      const pending = this.pending(top);
      const unknown = top.status === 'available' ? pending.filter((one) => !known.has(one.id)) : [];
      if (unknown.length > 0) {
        stack.push(...unknown);
        continue;
      }
      stack.pop();
      const isWaiting = top.status === 'available' && pending.length > 0;
      known.set(
        top.id,
        top.status === 'submitted' ||
          isAsking(top, now) ||
          (isWaiting && pending.every((one) => known.get(one.id) === true)),
      );
    }
    return known.get(task.id) === true;
  }

  /** The failed or cancelled tasks that a stuck task waits for. */
  causes(task: Task): Task[] {
    const causes = new Map<string, Task>();
    const seen = new Set<string>([task.id]);
    const queue = [task];
    for (let next = queue.pop(); next; next = queue.pop()) {
      for (const dependency of this.pending(next)) {
        if (seen.has(dependency.id)) continue;
        seen.add(dependency.id);
        if (dependency.status === 'failed' || dependency.status === 'cancelled') causes.set(dependency.id, dependency);
        else queue.push(dependency);
      }
    }
    return [...causes.values()].toSorted((a, b) => compareIds(a.id, b.id));
  }

  /** Depth first with a stack of its own: a chain of ten thousand tasks must not end the call stack. */
  #leadsToDead(task: Task): boolean {
    const stack = [task];
    while (stack.length > 0) {
      const top = stack.at(-1) as Task; // the stack is not empty
      if (this.#dead.has(top.id)) {
        stack.pop();
        continue;
      }
      const pending = this.pending(top);
      if (pending.some((d) => d.status === 'failed' || d.status === 'cancelled' || this.#dead.get(d.id) === true)) {
        this.#dead.set(top.id, true);
        stack.pop();
        continue;
      }
      const unknown = pending.filter((d) => !this.#dead.has(d.id));
      if (unknown.length === 0) this.#dead.set(top.id, false);
      else stack.push(...unknown);
    }
    return this.#dead.get(task.id) === true;
  }
}
