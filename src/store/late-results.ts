/** Names of results that came too late: task, worker, attempt, and a number where there are several. */
import { isName } from '../model/limits.ts';

/** Whose it is; undefined for a name of something else. Names of workers may hold dots: what stands between is one. */
export function workerOfLate(taskId: string, name: string): string | undefined {
  const worker = /^(.*)\.\d+(?:-\d+)?$/.exec(name.slice(taskId.length + 1))?.[1];
  return isName(worker) ? worker : undefined;
}
