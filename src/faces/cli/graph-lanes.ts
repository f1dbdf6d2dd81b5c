/** A dependency graph as lines of text, as `git log --graph` draws commits: a task a row, and a lane for whatever waits for it. */

export interface Row {
  /** The drawing before the task. */
  lanes: string;
  id: string;
}

interface Node {
  id: string;
  dependencies: readonly string[];
}

/** Lanes beside each other at the most: more is a carpet, and names say it better. */
const MOST_LANES = 16;

/**
 * @param order  every task below what it depends on
 * @param markOf  one character for each
 * @returns rows, some of them only lanes (`id` is empty there); undefined where it would be too wide
 */
export function drawLanes(order: readonly Node[], markOf: (id: string) => string): Row[] | undefined {
  const waiting = new Map<string, number>();
  for (const { dependencies } of order)
    for (const id of new Set(dependencies)) waiting.set(id, (waiting.get(id) ?? 0) + 1);
  /** Each lane carries a task to those that wait for it. */
  const lanes: (string | undefined)[] = [];
  const rows: Row[] = [];
  for (const { id, dependencies } of order) {
    const from = [...new Set(dependencies)].map((need) => lanes.indexOf(need)).filter((lane) => lane !== -1);
    const ending = new Set(
      from.filter((lane) => {
        const need = lanes[lane] ?? '';
        waiting.set(need, (waiting.get(need) ?? 1) - 1);
        return waiting.get(need) === 0;
      }),
    );
    const own = ownLane(lanes, ending);
    if (own >= MOST_LANES) return undefined;
    if (from.some((lane) => lane !== own)) rows.push({ lanes: joinLine(lanes, own, from, ending), id: '' });
    for (const lane of ending) lanes[lane] = undefined;
    rows.push({ lanes: nodeLine(lanes, own, markOf(id)), id });
    lanes[own] = (waiting.get(id) ?? 0) > 0 ? id : undefined;
    while (lanes.length > 0 && lanes.at(-1) === undefined) lanes.pop();
  }
  return rows;
}

/** The leftmost that ends here; else the first that is free. */
function ownLane(lanes: readonly (string | undefined)[], ending: ReadonlySet<number>): number {
  if (ending.size > 0) return Math.min(...ending);
  const free = lanes.findIndex((lane) => lane === undefined);
  return free === -1 ? lanes.length : free;
}

/** Lines from the lanes of what a task needs to its own. */
function joinLine(
  lanes: readonly (string | undefined)[],
  own: number,
  from: readonly number[],
  ending: ReadonlySet<number>,
): string {
  const [least, most] = [Math.min(own, ...from), Math.max(own, ...from)];
  const cells: string[] = [];
  for (let i = 0; i < Math.max(lanes.length, most + 1); i++) {
    const isBetween = i > least && i < most;
    const isOpen = lanes[i] !== undefined;
    const isFrom = from.includes(i);
    const turns =
      i === least ? (ending.has(i) ? '╰' : '├') : i === most ? (ending.has(i) ? '╯' : '┤') : ending.has(i) ? '┴' : '┼';
    const mark =
      i === own
        ? isOpen
          ? i === least
            ? '├'
            : i === most
              ? '┤'
              : '┼'
          : i === least
            ? '╭'
            : i === most
              ? '╮'
              : '┬'
        : isFrom
          ? turns
          : isBetween
            ? isOpen
              ? '┼'
              : '─'
            : isOpen
              ? '│'
              : ' ';
    cells.push(mark, i >= least && i < most ? '─' : ' ');
  }
  return cells.join('').trimEnd();
}

function nodeLine(lanes: readonly (string | undefined)[], own: number, mark: string): string {
  const cells = Array.from({ length: Math.max(lanes.length, own + 1) }, (_, i) =>
    i === own ? mark : lanes[i] === undefined ? ' ' : '│',
  );
  return cells.join(' ');
}
