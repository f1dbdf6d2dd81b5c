/** What needs what, from left to right; and the longest chain that is still to be done. */
import type { JSX } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { plural } from '../../../model/text.ts';
import type { Task } from '../../../model/task.ts';
import { criticalIds, type Derived, type Standing } from './derived.ts';
import { fits, wordsIn } from './filter.ts';
import {
  edgesBetween,
  type GraphEdge,
  type GraphLayout,
  type GraphNode,
  groupsOf,
  layOut,
  MOST_NODES,
  NODE,
} from './graph-layout.ts';
import { useCanvas } from './canvas.ts';
import { addressOf } from './route.ts';
import { ShapeMarks } from './shape.tsx';
import type { State } from './state.ts';
import { STANDINGS } from './words.ts';

/** From so many tasks on, what is settled is folded at first. */
const FOLDED_FROM = 60;

export function GraphView({ state, derived }: { state: State; derived: Derived }): JSX.Element {
  const { board, filter } = state;
  const tasks = board?.tasks ?? [];
  const [folding, setFolding] = useState<boolean | undefined>();
  const isFolding = folding ?? tasks.length >= FOLDED_FROM;
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const shown = useMemo(() => near(tasks, filter), [tasks, filter]);
  const groups = useMemo(() => groupsOf(shown, isFolding, unfolded), [shown, isFolding, unfolded]);
  const drawn = useLayout(groups, `${isFolding} ${filter}`);
  const critical = board ? criticalIds(board) : new Set<string>();

  return (
    <section class="graph" aria-label="Graph of dependencies">
      <div class="graph-tools">
        <label class="tick">
          <input
            type="checkbox"
            checked={isFolding}
            onChange={(event) => {
              setFolding(event.currentTarget.checked);
              setUnfolded(new Set());
            }}
          />{' '}
          Fold what is settled
        </label>
        <span class="label">{critical.size > 1 && `Critical path, drawn thick: ${plural(critical.size, 'task')}`}</span>
      </div>
      {typeof drawn === 'string' ? (
        <p class="empty">{drawn}</p>
      ) : (
        <Drawing
          drawn={drawn}
          derived={derived}
          critical={critical}
          openTask={state.route.task}
          onUnfold={(ids) => setUnfolded((before) => new Set([...before, ...ids]))}
        />
      )}
    </section>
  );
}

/** Tasks that hold the words of the filter, with what they need and what needs them. */
function near(tasks: readonly Task[], filter: string): readonly Task[] {
  const words = wordsIn(filter);
  if (words.length === 0) return tasks;
  const found = new Set(tasks.filter((task) => fits(task, words)).map(({ id }) => id));
  const needed = new Set(tasks.flatMap(({ id, dependencies }) => (found.has(id) ? dependencies : [])));
  return tasks.filter(
    ({ id, dependencies }) => found.has(id) || needed.has(id) || dependencies.some((one) => found.has(one)),
  );
}

/**
 * Laid out anew only where something else hangs together; meanwhile what was drawn last.
 *
 * @param scope  what was chosen to be drawn
 * @returns words where nothing can be drawn; with the scope that the layout is of
 */
function useLayout(groups: ReadonlyMap<string, readonly Task[]>, scope: string): Drawn | string {
  const structure = useMemo(
    () =>
      `${[...groups.keys()].join()} ${edgesBetween(groups)
        .map(({ from, to }) => `${from}>${to}`)
        .join()}`,
    [groups],
  );
  const [laidOut, setLaidOut] = useState<Drawn | undefined>();
  useEffect(() => {
    if (groups.size > MOST_NODES) return undefined;
    // After the page has shown itself: it takes a moment.
    const timer = setTimeout(() => setLaidOut({ ...layOut(groups), scope }));
    return () => clearTimeout(timer);
  }, [structure, scope]);
  // The tasks as they are now, in the places that they have.
  const drawn = useMemo(
    () =>
      laidOut && {
        ...laidOut,
        nodes: laidOut.nodes.flatMap((node) => {
          const tasks = groups.get(node.id);
          return tasks ? [{ ...node, tasks }] : [];
        }),
      },
    [laidOut, groups],
  );
  if (groups.size === 0) return 'No task to draw.';
  if (groups.size > MOST_NODES)
    return `${groups.size} tasks are too many to draw: fold what is settled, or filter for some words.`;
  return drawn ?? 'Drawing …';
}

interface Drawn extends GraphLayout {
  /** What was chosen to be drawn: where that changes, it is shown from its beginning. */
  scope: string;
}

interface DrawingProps {
  drawn: Drawn;
  derived: Derived;
  critical: ReadonlySet<string>;
  openTask: string | undefined;
  onUnfold: (ids: string[]) => void;
}

function Drawing({ drawn, derived, critical, openTask, onUnfold }: DrawingProps): JSX.Element {
  const { nodes, edges, width, height, scope } = drawn;
  const canvas = useCanvas(width, height, scope);
  const [chosen, setChosen] = useState<string | undefined>();
  const svg = useRef<SVGSVGElement>(null);
  const active = nodes.find(({ id }) => id === chosen) ?? nodes.find(({ id }) => id === openTask) ?? nodes[0];
  /** Once it is the one that the Tab key leads to. */
  const follows = useRef(false);
  useLayoutEffect(() => {
    if (!follows.current || active?.id !== chosen) return;
    follows.current = false;
    svg.current?.querySelector<SVGElement>('a[tabindex="0"]')?.focus({ preventScroll: true });
  });
  const choose = (id: string): void => {
    follows.current = true;
    setChosen(id);
  };
  const move = (event: KeyboardEvent): void => {
    const next = active && nearest(nodes, active, event.key);
    if (!next) return canvas.onKeyDown(event);
    event.preventDefault();
    choose(next.id);
  };
  const unfold = useCallback((ids: string[]): void => {
    onUnfold(ids);
    const [first] = ids;
    if (first !== undefined) choose(first);
  }, []);
  const focused = useCallback((node: GraphNode): void => {
    setChosen(node.id);
    canvas.show(node, NODE);
  }, []);
  // The second hand of the page's clock draws nothing anew, nor does moving it.
  const lines = useMemo(
    () =>
      edges.map((edge) => (
        <Edge
          key={`${edge.from} ${edge.to}`}
          edge={edge}
          isCritical={critical.has(edge.from) && critical.has(edge.to)}
        />
      )),
    [edges, critical],
  );
  const marks = useMemo(
    () =>
      nodes.map((node) => (
        <Node
          key={node.id}
          node={node}
          derived={derived}
          isCritical={critical.has(node.id)}
          isOpen={node.id === openTask}
          tabIndex={node === active ? 0 : -1}
          onFocus={focused}
          onUnfold={unfold}
        />
      )),
    [nodes, derived, critical, openTask, active],
  );
  return (
    <div class="canvas" ref={canvas.frame} {...canvas.handlers}>
      <svg ref={svg} role="group" aria-label={plural(nodes.length, 'node')} onKeyDown={move}>
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="9"
            markerHeight="9"
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path d="M0 0 8 4 0 8z" />
          </marker>
        </defs>
        <g transform={canvas.transform} class={canvas.isFar ? 'far' : ''}>
          {lines}
          {marks}
        </g>
      </svg>
      <div class="zoom" role="group" aria-label="Zoom">
        <button type="button" onClick={() => canvas.zoom(1.25)} aria-label="Closer">
          +
        </button>
        <button type="button" onClick={() => canvas.zoom(0.8)} aria-label="Farther">
          −
        </button>
        <button type="button" onClick={canvas.fit}>
          All
        </button>
      </div>
    </div>
  );
}

/** What the arrow leads to: near, and rather straight on. */
function nearest(nodes: readonly GraphNode[], from: GraphNode, key: string): GraphNode | undefined {
  const ways: Readonly<Record<string, readonly [x: number, y: number]>> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
  const way = ways[key];
  if (!way) return undefined;
  let best: { node: GraphNode; distance: number } | undefined;
  for (const node of nodes) {
    const [dx, dy] = [node.x - from.x, node.y - from.y];
    const ahead = dx * way[0] + dy * way[1];
    const aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
    if (ahead <= 1) continue;
    const distance = ahead + 2 * aside;
    if (!best || distance < best.distance) best = { node, distance };
  }
  return best?.node;
}

function Edge({ edge: { path }, isCritical }: { edge: GraphEdge; isCritical: boolean }): JSX.Element {
  return <path class={`edge${isCritical ? ' is-critical' : ''}`} d={path} marker-end="url(#arrow)" />;
}

interface NodeProps {
  node: GraphNode;
  derived: Derived;
  isCritical: boolean;
  isOpen: boolean;
  tabIndex: 0 | -1;
  onFocus: (node: GraphNode) => void;
  onUnfold: (ids: string[]) => void;
}

function Node({ node, derived, isCritical, isOpen, tabIndex, onFocus, onUnfold }: NodeProps): JSX.Element {
  const { tasks, x, y } = node;
  const [task] = tasks;
  const isFolded = tasks.length > 1;
  const standing: Standing = isFolded ? foldedStanding(tasks) : task ? derived.standingOf(task) : 'available';
  const text = isFolded ? `${task?.id ?? ''} and ${tasks.length - 1} more` : (task?.description ?? '');
  const head = isFolded ? plural(tasks.length, 'settled task') : `${node.id} ${STANDINGS[standing]}`;
  const needs = !isFolded && task && task.dependencies.length > 0 ? `, needs ${task.dependencies.join(', ')}` : '';
  const label = `${head}${isCritical ? ', on the critical path' : ''}${needs}: ${text}`;
  const classes = ['node', `is-${standing}`, isCritical && 'is-critical', isOpen && 'is-open', isFolded && 'is-folded'];
  return (
    <a
      href={addressOf({ view: 'graph', task: isFolded ? undefined : node.id })}
      class={classes.filter(Boolean).join(' ')}
      tabIndex={tabIndex}
      onFocus={() => onFocus(node)}
      onClick={(event) => {
        if (!isFolded) return;
        event.preventDefault();
        onUnfold(tasks.map(({ id }) => id));
      }}
    >
      <g transform={`translate(${x - NODE.width / 2} ${y - NODE.height / 2})`}>
        <title>{isFolded ? `${label}. Unfold` : label}</title>
        {isFolded && <rect class="behind" x="5" y="5" width={NODE.width} height={NODE.height} rx="8" />}
        <rect width={NODE.width} height={NODE.height} rx="8" />
        <g transform="translate(10 9)" class={`shape is-${standing}`}>
          <ShapeMarks of={standing} />
        </g>
        <text x="33" y="22" class="node-head">
          {head}
        </text>
        <foreignObject x="10" y="30" width={NODE.width - 20} height="24">
          <div class="node-text">{text}</div>
        </foreignObject>
      </g>
    </a>
  );
}

/** Of several settled tasks the one that somebody may have to see to. */
function foldedStanding(tasks: readonly Task[]): Standing {
  if (tasks.some(({ status }) => status === 'failed')) return 'failed';
  return tasks.every(({ status }) => status === 'cancelled') ? 'cancelled' : 'done';
}
