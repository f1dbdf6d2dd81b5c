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
  const archived = archivedOf(board);
  if (!archived) return false;
  const number = Number(NUMBERED.exec(id)?.[1]);
  if (asked.text !== archived.done) asked = { text: archived.done, ranges: rangesIn(archived.done) };
  const { ranges: known } = asked;
  let [low, high] = [0, known.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((known[middle]?.[1] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return number >= (known[low]?.[0] ?? Infinity);
}

/** What was asked about last: a board is asked once for every dependency. */
let asked: { text: string; ranges: [from: number, to: number][] } = { text: '', ranges: [] };

/** In their order, whoever wrote them. */
function rangesIn(text: string): [from: number, to: number][] {
  return text
    .split(',')
    .map((range): [number, number] => {
      const [from = Number.NaN, to = from] = range.split('-').map(Number);
      return [from, to];
    })
    .filter(([from, to]) => from > 0 && to >= from)
    .toSorted(([a], [b]) => a - b);
}

/** Whether an id was given to a task that may be in the archive by now, in whatever state. */
export function mayBeArchived(board: { last_id?: number | undefined }, id: string): boolean {
  const number = Number(NUMBERED.exec(id)?.[1]);
  return (archivedOf(board)?.count ?? 0) > 0 && /\d{3}$/.test(id) && number <= (board.last_id ?? 0);
}

/** The numbers of all that is done and in the archive. */
export function archivedNumbers(board: object): number[] {
  return rangesIn(archivedOf(board)?.done ?? '').flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i),
  );
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
