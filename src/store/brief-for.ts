/** Gathers what a brief needs from a store. */
import { writeBrief } from '../model/views/brief.ts';
import type { Task } from '../model/task.ts';
import type { Store } from './store.ts';

/** All that a worker needs for this task. */
export async function briefFor(store: Store, task: Task): Promise<string> {
  const [board, plan, results, discoveries, late, now] = await Promise.all([
    store.read(),
    store.readPlan(),
    store.results(task.dependencies),
    store.discoveries(),
    store.late(task.id),
    store.now(),
  ]);
  return writeBrief({ board, task, plan, results, late, discoveries, now });
}
