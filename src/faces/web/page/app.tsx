/** The page: its head, one of its views, and the task that is open beside it. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { LeaderInbox } from '../api.ts';
import { askedOf, AsksView, type AsksViewProps } from './asks-view.tsx';
import { BoardView } from './board-view.tsx';
import { Boundary } from './boundary.tsx';
import { Dialogs } from './dialogs.tsx';
import { type Derived, derive } from './derived.ts';
import { DiscoveriesView } from './discoveries-view.tsx';
import { useDocument } from './document.ts';
import { GraphView } from './graph-view.tsx';
import { LogView } from './log-view.tsx';
import { tokenOfTab } from './route.ts';
import { showDialog, type State } from './state.ts';
import { TaskPane } from './task-pane.tsx';
import { TimelineView } from './timeline-view.tsx';
import { Top } from './top.tsx';

export function App({ state }: { state: State }): JSX.Element {
  const { board, now, line, route, trouble } = state;
  if (line === 'ended') return <Ended isOpened={tokenOfTab() !== ''} />;
  if (!board && trouble !== undefined) return <p class="empty begin">{trouble}</p>;
  if (!board)
    return (
      <p class="empty begin">
        {line === 'lost' ? 'The server does not answer. Trying again …' : 'Asking for the board …'}
      </p>
    );
  return <Page state={state} derived={derive(board, now)} openTask={route.task} />;
}

interface PageProps {
  state: State;
  derived: Derived;
  openTask: string | undefined;
}

function Page({ state, derived, openTask }: PageProps): JSX.Element {
  const { value: inbox } = useDocument<LeaderInbox>('/api/inbox', state.told);
  const asks = askedOf(derived, inbox);
  const goal = derived.summary.goal ?? 'coord';
  useEffect(() => {
    document.title = `${asks > 0 ? `(${asks}) ` : ''}${goal} · coord`;
  }, [asks, goal]);
  const drop = useDrop(state.isReadOnly);
  const isBeside = useWide();
  const isCovered = openTask !== undefined && !isBeside;
  return (
    <div class={`page${openTask === undefined ? '' : ' has-pane'}`} {...drop.handlers}>
      <a class="skip" href="#main" onClick={skip} inert={isCovered}>
        Skip to the view
      </a>
      <Top state={state} derived={derived} inbox={inbox} isCovered={isCovered} />
      <main id="main" tabIndex={-1} inert={isCovered}>
        <Boundary of={state.route.view}>
          <View state={state} derived={derived} inbox={inbox} />
        </Boundary>
      </main>
      {openTask !== undefined && (
        <Boundary of={openTask}>
          <TaskPane key={openTask} id={openTask} state={state} derived={derived} />
        </Boundary>
      )}
      <Dialogs state={state} derived={derived} />
      <p class="notice" role="status">
        {state.notice}
      </p>
      {drop.isOver && <div class="drop">Drop a list of tasks to import it</div>}
    </div>
  );
}

function View({ state, derived, inbox }: AsksViewProps): JSX.Element {
  switch (state.route.view) {
    case 'asks':
      return <AsksView state={state} derived={derived} inbox={inbox} />;
    case 'board':
      return <BoardView state={state} derived={derived} />;
    case 'graph':
      return <GraphView state={state} derived={derived} />;
    case 'timeline':
      return <TimelineView state={state} />;
    case 'log':
      return <LogView state={state} />;
    case 'discoveries':
      return <DiscoveriesView state={state} />;
  }
}

/** Whether a task has room beside the view; elsewhere it lies over it, as task.css says. */
function useWide(): boolean {
  const query = matchMedia('(min-width: 1100px)');
  const [isWide, setWide] = useState(query.matches);
  useEffect(() => {
    const look = (): void => setWide(query.matches);
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, []);
  return isWide;
}

/** The address stays what says where one is. */
function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#main')?.focus();
}

function Ended({ isOpened }: { isOpened: boolean }): JSX.Element {
  return isOpened ? (
    <div class="begin" role="alert">
      <h1>This link holds no longer</h1>
      <p>
        Whoever ends <code>coord web</code> ends its link. Start it again in the project, and open the link that it
        prints.
      </p>
    </div>
  ) : (
    <div class="begin" role="alert">
      <h1>The link is missing</h1>
      <p>
        Open the link that <code>coord web</code> has printed: the part behind the # lets you in. Each tab needs it, or
        another one in which the board is open.
      </p>
    </div>
  );
}

/** A file that is dragged over the page, wherever. */
function useDrop(isReadOnly: boolean) {
  const [isOver, setOver] = useState(false);
  const hasFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;
  return {
    isOver,
    handlers: {
      onDragOver: (event: DragEvent) => {
        if (!hasFile(event)) return;
        event.preventDefault();
        setOver(!isReadOnly);
      },
      onDragLeave: (event: DragEvent) => {
        if (event.relatedTarget === null) setOver(false);
      },
      onDrop: (event: DragEvent) => {
        if (!hasFile(event)) return;
        event.preventDefault(); // else the browser would leave the page for it
        setOver(false);
        const file = event.dataTransfer?.files[0];
        if (file && !isReadOnly) showDialog({ kind: 'import', file });
      },
    },
  };
}
