/** The dependency graph: order, cycles, the critical path. Edges run from a task to what it needs. */
import { isSettled } from './lifecycle.ts';
import type { Task } from './task.ts';

export interface Node {
  id: string;
  dependencies: readonly string[];
}

/**
 * Dependencies before dependants, otherwise in the order given (Kahn's algorithm).
 * Edges to ids outside the list are ignored.
 *
 * @returns the order, and a cycle if there is one: its ids in the order of the edges, the first repeated at the end
 */
export function sortByDependency<T extends Node>(nodes: readonly T[]): { order: T[]; cycle: string[] | undefined } {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const waiting = new Map<string, number>();
  const dependants = new Map<string, T[]>();
  for (const node of nodes) {
    const known = new Set(node.dependencies.filter((id) => byId.has(id)));
    waiting.set(node.id, known.size);
    for (const id of known) {
      const list = dependants.get(id);
      if (list) list.push(node);
      else dependants.set(id, [node]);
    }
  }
  const order = nodes.filter((node) => waiting.get(node.id) === 0);
  for (let next = 0; next < order.length; next++) {
    for (const dependant of dependants.get(order[next]?.id ?? '') ?? []) {
      const left = (waiting.get(dependant.id) ?? 0) - 1;
      waiting.set(dependant.id, left);
      if (left === 0) order.push(dependant);
    }
  }
  return { order, cycle: order.length === nodes.length ? undefined : findCycle(byId, waiting) };
}

/** Walks from any task that Kahn's algorithm left over: every such walk runs into a cycle. */
function findCycle(byId: Map<string, Node>, waiting: Map<string, number>): string[] {
  const isLeft = (id: string): boolean => (waiting.get(id) ?? 0) > 0;
  const path: string[] = [];
  let id = [...byId.keys()].find(isLeft);
  while (id !== undefined && !path.includes(id)) {
    path.push(id);
    id = byId.get(id)?.dependencies.find((dependency) => byId.has(dependency) && isLeft(dependency));
  }
  return id === undefined ? path : [...path.slice(path.indexOf(id)), id];
}

/** Every task that waits, directly or not, for one of these ids. */
export function dependantsOf<T extends Node>(nodes: readonly T[], ids: Iterable<string>): T[] {
  const reached = new Set(ids);
  return sortByDependency(nodes).order.filter((node) => {
    if (reached.has(node.id) || !node.dependencies.some((id) => reached.has(id))) return false;
    reached.add(node.id);
    return true;
  });
}

/** The longest chain of unsettled tasks, each waiting for the one before: no number of workers is faster. */
export function criticalPath(tasks: readonly Task[]): Task[] {
  const open = sortByDependency(tasks).order.filter((task) => !isSettled(task));
  const longest = new Map<string, { length: number; task: Task; before: string | undefined }>();
  let end: string | undefined;
  for (const task of open) {
    let before: string | undefined;
    for (const id of task.dependencies) {
      if ((longest.get(id)?.length ?? 0) > (longest.get(before ?? '')?.length ?? 0)) before = id;
    }
    const length = (longest.get(before ?? '')?.length ?? 0) + 1;
    longest.set(task.id, { length, task, before });
    if (length > (longest.get(end ?? '')?.length ?? 0)) end = task.id;
  }
  const path: Task[] = [];
  for (let step = longest.get(end ?? ''); step; step = longest.get(step.before ?? '')) path.unshift(step.task);
  return path;
}
