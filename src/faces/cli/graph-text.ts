/** The dependency graph, for eyes and for the tools that draw it. */
import { fit } from './width.ts';
import type { Paint } from '../io.ts';
import { clip } from '../../model/text.ts';
import { compareIds, type Board } from '../../model/board.ts';
import { paintState } from './tables.ts';
import type { Task } from '../../model/task.ts';
import { criticalPath, sortByDependency } from '../../model/graph.ts';
import type { Shown } from '../../model/views/listing.ts';
import { drawLanes } from './graph-lanes.ts';

const MARKS: Record<Shown, string> = {
  available: '○',
  claimed: '▶',
  submitted: '?',
  done: '✓',
  failed: '✗',
  cancelled: '–',
  asking: '?',
  blocked: '·',
  stuck: '!',
};

const RARE = new Set(['submitted', 'asking']);

/** Who waits for whom, among the tasks of the board: what was archived is waited for by nobody. */
export function edgesOf(tasks: readonly Task[]): { from: string; to: string }[] {
  const ids = new Set(tasks.map(({ id }) => id));
  return tasks.flatMap((task) =>
    task.dependencies.filter((id) => ids.has(id)).map((id) => ({ from: id, to: task.id })),
  );
}

export type GraphFormat = 'text' | 'mermaid' | 'dot';

/** The dependency graph; the critical path is marked with a star, or with heavy edges. */
export function graphText(
  board: Board,
  shownOf: (task: Task) => Shown,
  format: GraphFormat,
  paint: Paint,
  columns: number,
): string {
  const critical = new Set(criticalPath(board.tasks).map((task) => task.id));
  const { order } = sortByDependency(board.tasks);
  const isCriticalEdge = (edge: { from: string; to: string }): boolean =>
    critical.has(edge.from) && critical.has(edge.to);
  switch (format) {
    case 'text':
      return [
        ...textRows(order, shownOf, critical, paint, columns),
        '',
        paint.dim(
          Object.entries(MARKS)
            // Those that few boards have, and for which a narrow terminal has no room.
            .filter(([state]) => !RARE.has(state) || order.some((task) => shownOf(task) === state))
            .map(([state, mark]) => `${mark} ${state}`)
            .join('  '),
        ),
        ...(critical.size > 1 ? [`* critical path: ${critical.size} tasks, one after the other`] : []),
      ].join('\n');
    case 'mermaid':
      return [
        'graph TD',
        ...order.map(
          (task) =>
            `  ${task.id}["${task.id}: ${clip(task.description, 40).replaceAll(/["<>[\]{}`\\#]/g, "'")}"]:::${shownOf(task)}`,
        ),
        ...edgesOf(order).map((edge) => `  ${edge.from} ${isCriticalEdge(edge) ? '==>' : '-->'} ${edge.to}`),
        ...Object.entries(COLOURS).map(([state, colour]) => `  classDef ${state} fill:${colour},color:#111`),
      ].join('\n');
    case 'dot':
      return [
        'digraph tasks {',
        '  node [shape=box, style=filled]',
        ...order.map(
          (task) =>
            `  ${JSON.stringify(task.id)} [label=${JSON.stringify(`${task.id}\n${clip(task.description, 40)}`)}, fillcolor="${COLOURS[shownOf(task)]}"]`,
        ),
        ...edgesOf(order).map(
          (edge) =>
            `  ${JSON.stringify(edge.from)} -> ${JSON.stringify(edge.to)}${isCriticalEdge(edge) ? ' [penwidth=3]' : ''}`,
        ),
        '}',
      ].join('\n');
  }
}

/** Lanes and tasks; without lanes where they would be too wide. */
function textRows(
  order: readonly Task[],
  shownOf: (task: Task) => Shown,
  critical: ReadonlySet<string>,
  paint: Paint,
  columns: number,
): string[] {
  const byId = new Map(order.map((task) => [task.id, task]));
  const textOf = (task: Task, lanes: string): string => {
    const shown = shownOf(task);
    const needs = task.dependencies.length === 0 ? '' : ` <- ${[...task.dependencies].toSorted(compareIds).join(', ')}`;
    const start = `${critical.has(task.id) ? '*' : ' '} ${lanes} `;
    const room = Math.max(LEAST_COLUMNS, columns - start.length - task.id.length - shown.length - needs.length - 4);
    return `${start}${paint.cyan(task.id)} ${fit(task.description, room)} (${paintState(shown, paint)(shown)})${paint.dim(needs)}`;
  };
  const rows = drawLanes(order, (id) => MARKS[shownOf(byId.get(id) as Task)]); // it draws what it is given
  if (!rows) return order.map((task) => textOf(task, MARKS[shownOf(task)]));
  return rows.map(({ lanes, id }) => {
    const task = byId.get(id);
    return task ? textOf(task, lanes) : `  ${lanes}`;
  });
}

/** Columns of a description at the least. */
const LEAST_COLUMNS = 20;

const COLOURS: Record<Shown, string> = {
  available: '#cfe8ff',
  claimed: '#ffe08a',
  submitted: '#e3c8f7',
  done: '#b7e4b0',
  failed: '#f4a6a0',
  cancelled: '#d9d9d9',
  asking: '#e3c8f7',
  blocked: '#eeeeee',
  stuck: '#f7c6a3',
};
