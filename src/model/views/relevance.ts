/** Which findings matter to a task: what was found in the tasks it builds on and in its files, before what was found elsewhere. */
import { type Board, tasksById } from '../board.ts';
import { PathIndex } from '../files.ts';
import type { Task } from '../task.ts';
import type { Discovery } from './report.ts';

/** How near a finding is: about this very task, from one that it builds on, about its files, about nothing in particular. */
const NEAR = { own: 3, built_on: 2, files: 2, else: 0 };

/** The same findings, the most relevant first, and of equals the newest. */
export function byRelevance(discoveries: readonly Discovery[], board: Board, task: Task): Discovery[] {
  const tasks = tasksById(board);
  const builtOn = ancestorsOf(task, tasks);
  const files = new PathIndex<true>();
  for (const file of task.context.files) files.add(file, true);
  const sharesFiles = (other: Task | undefined): boolean =>
    other?.context.files.some((file) => files.find(file).size > 0) ?? false;
  const namesFile = ({ content }: Discovery): boolean => task.context.files.some((file) => content.includes(file));
  const nearness = (found: Discovery): number => {
    const { task_id } = found;
    if (task_id === task.id) return NEAR.own;
    return (
      (task_id !== null && builtOn.has(task_id) ? NEAR.built_on : NEAR.else) +
      (namesFile(found) || (task_id !== null && sharesFiles(tasks.get(task_id))) ? NEAR.files : NEAR.else)
    );
  };
  return discoveries
    .map((found, at) => ({ found, at, near: nearness(found) }))
    .toSorted((a, b) => b.near - a.near || b.at - a.at)
    .map(({ found }) => found);
}

/** Everything that a task builds on, however far back. */
function ancestorsOf(task: Task, tasks: ReadonlyMap<string, Task>): Set<string> {
  const found = new Set<string>();
  const open = [...task.dependencies];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(tasks.get(id)?.dependencies ?? []));
  }
  return found;
}
