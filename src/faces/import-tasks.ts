/** Adds the tasks of a list to the board, whoever brings it: a file on the command line, or one that is dropped on the page. */
import { type ImportOptions, readTaskFile, type TaskPlace } from '../formats/task-file.ts';
import type { Task } from '../model/task.ts';
import { addTasks, type AddAnswer } from '../model/verbs/add-tasks.ts';
import type { Store } from '../store/store.ts';

export interface Imported {
  added: number;
  /** Tasks of the list that were there already. */
  known: number;
  /** How many were left out, by reason. */
  skipped: Record<string, number>;
  /** What a person should know, one line each. */
  notes: string[];
  /** All of the list, those that were there among them. */
  tasks: Task[];
  /** Those that were not there before. */
  fresh: Task[];
}

/**
 * All or none; twice adds nothing.
 *
 * @param options.isDry  says what would be added, and adds nothing
 * @throws CoordError as readTaskFile and {@link Store.addTasks}
 */
export async function importInto(
  store: Store,
  place: TaskPlace,
  options: ImportOptions & { isDry: boolean },
): Promise<Imported> {
  const board = await store.read();
  const found = await readTaskFile(place, board, { ...options, archived: await store.archived() });
  const input = { tasks: found.tasks };
  const add = async (): Promise<AddAnswer> =>
    options.isDry ? addTasks(board, input, await store.now()).answer : await store.addTasks(input);
  const { tasks, added } = found.tasks.length === 0 ? { tasks: [], added: 0 } : await add();
  const old = new Set(board.tasks.map(({ id }) => id));
  return {
    added,
    known: tasks.length - added + found.there.length,
    skipped: found.skipped,
    notes: found.notes,
    tasks,
    fresh: tasks.filter(({ id }) => !old.has(id)),
  };
}
