/** Where the tasks of a graph stand: from left to right, each right of all that it needs. Settled parts may be folded into one. */
import { Graph, layout } from '@dagrejs/dagre';
import { isSettled } from '../../../model/lifecycle.ts';
import type { Task } from '../../../model/task.ts';

/** A task, or several that are folded. Middle and size in pixels. */
export interface GraphNode {
  id: string;
  tasks: readonly Task[];
  x: number;
  y: number;
}

export interface GraphEdge {
  from: string;
  to: string;
  /** As SVG has it. */
  path: string;
}

export interface GraphLayout {
  nodes: GraphNode[];
  edges: GraphEdge[];
  width: number;
  height: number;
}

/** Pixels of a node. */
export const NODE = { width: 208, height: 60 };
const GAP = { rank: 64, node: 16 };
/** From one column to the next. */
const PITCH = NODE.width + GAP.rank;
/** Nodes that are drawn at the most: beyond it takes seconds, and nobody finds anything. */
export const MOST_NODES = 500;

/** What is drawn for each task: itself, or the settled ones that it hangs together with. */
export function groupsOf(
  tasks: readonly Task[],
  isFolding: boolean,
  unfolded: ReadonlySet<string>,
): Map<string, readonly Task[]> {
  if (!isFolding) return new Map(tasks.map((task) => [task.id, [task]]));
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const neighbours = new Map<string, string[]>();
  for (const task of tasks)
    for (const id of task.dependencies) {
      const needed = byId.get(id);
      if (!needed || !isSettled(task) || !isSettled(needed)) continue;
      neighbours.set(id, [...(neighbours.get(id) ?? []), task.id]);
      neighbours.set(task.id, [...(neighbours.get(task.id) ?? []), id]);
    }
  const groups = new Map<string, readonly Task[]>();
  const seen = new Set<string>();
  for (const task of tasks) {
    if (seen.has(task.id)) continue;
    seen.add(task.id);
    const found = [task];
    for (const one of found)
      // it grows while it is walked
      for (const id of neighbours.get(one.id) ?? []) {
        const other = byId.get(id);
        if (!other || seen.has(id)) continue;
        seen.add(id);
        found.push(other);
      }
    if (found.length === 1 || found.some(({ id }) => unfolded.has(id)))
      for (const one of found) groups.set(one.id, [one]);
    else groups.set(`${task.id}+${found.length - 1}`, found);
  }
  return groups;
}

/** @param groups  of {@link groupsOf}: at most {@link MOST_NODES} */
export function layOut(groups: ReadonlyMap<string, readonly Task[]>): GraphLayout {
  const edges = edgesBetween(groups);
  const connected = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', ranksep: GAP.rank, nodesep: GAP.node, ranker: 'tight-tree' });
  for (const id of connected) graph.setNode(id, { ...NODE });
  for (const { from, to } of edges) graph.setEdge(from, to, {});
  if (connected.size > 0) layout(graph);
  const { width = 0, height = 0 } = connected.size > 0 ? graph.graph() : {};
  const nodes: GraphNode[] = [];
  let single = 0;
  // What hangs together with nothing stands below, in rows as long as the rest is wide.
  const perRow = Math.max(4, Math.floor((width + GAP.rank) / (NODE.width + GAP.node)));
  const top = connected.size > 0 ? height + GAP.rank : 0;
  for (const [id, tasks] of groups) {
    if (connected.has(id)) {
      const { x, y } = graph.node(id) as { x: number; y: number }; // as layout has set it
      nodes.push({ id, tasks, x, y });
      continue;
    }
    const [column, row] = [single % perRow, Math.floor(single / perRow)];
    nodes.push({
      id,
      tasks,
      x: column * (NODE.width + GAP.node) + NODE.width / 2,
      y: top + row * (NODE.height + GAP.node) + NODE.height / 2,
    });
    single++;
  }
  return {
    nodes,
    edges: edges.map(({ from, to }) => ({ from, to, path: pathOf(graph, from, to) })),
    width: Math.max(width, Math.min(single, perRow) * (NODE.width + GAP.node)),
    height: single > 0 ? top + Math.ceil(single / perRow) * (NODE.height + GAP.node) : height,
  };
}

/** From what is needed to what needs it, once for each pair. */
export function edgesBetween(groups: ReadonlyMap<string, readonly Task[]>): { from: string; to: string }[] {
  const groupOf = new Map<string, string>();
  for (const [group, tasks] of groups) for (const { id } of tasks) groupOf.set(id, group);
  const edges = new Map<string, { from: string; to: string }>();
  for (const [to, tasks] of groups)
    for (const { dependencies } of tasks)
      for (const id of dependencies) {
        const from = groupOf.get(id);
        if (from !== undefined && from !== to) edges.set(`${from} ${to}`, { from, to });
      }
  return [...edges.values()];
}

interface Point {
  x: number;
  y: number;
}

/**
 * From the right side of one to the left side of the other: straight through each column of nodes that lies between, where dagre has
 * left it room, and bent in the gaps, so that it runs behind none.
 */
function pathOf(graph: Graph, from: string, to: string): string {
  // As layout has set them.
  const [begin, end] = [graph.node(from) as Point, graph.node(to) as Point];
  const { points } = graph.edge(from, to) as { points: Point[] };
  const half = NODE.width / 2;
  // Those in the gaps are for labels, which there are none.
  const isInColumn = (x: number): boolean => Math.abs(x - begin.x - Math.round((x - begin.x) / PITCH) * PITCH) < 1;
  const between = points.slice(1, -1).filter(({ x }) => x > begin.x + 1 && x < end.x - 1 && isInColumn(x));
  const stops = between.flatMap(({ x, y }) => [
    { x: x - half, y },
    { x: x + half, y },
  ]);
  let at = { x: begin.x + half, y: begin.y };
  let path = `M${at.x} ${at.y}`;
  for (const stop of [...stops, { x: end.x - half, y: end.y }]) {
    const bend = (stop.x - at.x) / 2;
    path += stop.y === at.y ? `H${stop.x}` : `C${at.x + bend} ${at.y} ${stop.x - bend} ${stop.y} ${stop.x} ${stop.y}`;
    at = stop;
  }
  return path;
}
