/** The dependency graph, for eyes and for the tools that draw it. */
import { fit } from './width.ts';
import type { Paint } from '../io.ts';
import { clip } from '../../model/text.ts';
import { compareIds, type Board } from '../../model/board.ts';
import { paintState } from './tables.ts';
import type { Task } from '../../model/task.ts';
import { criticalPath, sortByDependency } from '../../model/graph.ts';
import type { Shown } from '../../model/views/listing.ts';

const MARKS: Record<Shown, string> = {
  available: '○',
  claimed: '▶',
  done: '✓',
  failed: '✗',
  cancelled: '–',
  blocked: '·',
  stuck: '!',
};

export type GraphFormat = 'text' | 'mermaid' | 'dot';

/** The dependency graph; the critical path is marked with a star, or with heavy edges. */
export function graphText(board: Board, shownOf: (task: Task) => Shown, format: GraphFormat, paint: Paint): string {
  const critical = new Set(criticalPath(board.tasks).map((task) => task.id));
  const { order } = sortByDependency(board.tasks);
  const isCriticalEdge = (task: Task, id: string): boolean => critical.has(task.id) && critical.has(id);
  switch (format) {
    case 'text':
      return [
        ...order.map((task) => {
          const shown = shownOf(task);
          const needs =
            task.dependencies.length === 0
              ? ''
              : paint.dim(` <- ${[...task.dependencies].toSorted(compareIds).join(', ')}`);
          return `${critical.has(task.id) ? '*' : ' '} ${paintState(shown, paint)(MARKS[shown])} ${paint.cyan(task.id)} ${fit(task.description, 50)} (${shown})${needs}`;
        }),
        ...(critical.size > 1 ? ['', `* critical path: ${critical.size} tasks, one after the other`] : []),
      ].join('\n');
    case 'mermaid':
      return [
        'graph TD',
        ...order.map(
          (task) =>
            `  ${task.id}["${task.id}: ${clip(task.description, 40).replaceAll(/["<>[\]{}`\\#]/g, "'")}"]:::${shownOf(task)}`,
        ),
        ...order.flatMap((task) =>
          task.dependencies.map((id) => `  ${id} ${isCriticalEdge(task, id) ? '==>' : '-->'} ${task.id}`),
        ),
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
        ...order.flatMap((task) =>
          task.dependencies.map(
            (id) =>
              `  ${JSON.stringify(id)} -> ${JSON.stringify(task.id)}${isCriticalEdge(task, id) ? ' [penwidth=3]' : ''}`,
          ),
        ),
        '}',
      ].join('\n');
  }
}

const COLOURS: Record<Shown, string> = {
  available: '#cfe8ff',
  claimed: '#ffe08a',
  done: '#b7e4b0',
  failed: '#f4a6a0',
  cancelled: '#d9d9d9',
  blocked: '#eeeeee',
  stuck: '#f7c6a3',
};
