/**
 * Tasks that were moved out of the board once they were settled, so that claims do not pay for them. The board keeps the numbers
 * of the done ones: what depends on one of them waits for nothing.
 */

/** Names of tasks that have a number. */
export const NUMBERED = /^task-(\d+)$/;

/** What the board knows of its archive: how many tasks, and the numbers of the done ones as in `1-40,42`. */
export interface Archived {
  count: number;
  done: string;
}

export function archivedOf(board: object): Archived | undefined {
  const archived: unknown = 'archived' in board ? board.archived : undefined;
  if (typeof archived !== 'object' || archived === null || !('count' in archived) || !('done' in archived))
    return undefined;
  const { count, done } = archived;
  return typeof count === 'number' && typeof done === 'string' ? { count, done } : undefined;
}

/** Whether a task of this id is done and in the archive: nobody waits for it. */
export function isArchivedDone(board: object, id: string): boolean {
  const number = Number(NUMBERED.exec(id)?.[1]);
  const archived = archivedOf(board);
  if (!archived || Number.isNaN(number)) return false;
  return archived.done.split(',').some((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return from !== undefined && to !== undefined && number >= from && number <= to;
  });
}

/** The numbers of all that is done and in the archive. */
export function archivedNumbers(board: object): number[] {
  const text = archivedOf(board)?.done ?? '';
  return text.split(',').flatMap((range) => {
    const [from = Number.NaN, to = from] = range.split('-').map(Number);
    return from > 0 && to >= from ? Array.from({ length: to - from + 1 }, (_, i) => from + i) : [];
  });
}

/** Numbers as the board keeps them: `1, 2, 3, 5` as `1-3,5`. */
export function ranges(numbers: readonly number[]): string {
  const found: [from: number, to: number][] = [];
  for (const number of [...new Set(numbers)].toSorted((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}
