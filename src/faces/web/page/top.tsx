/** The head of the page: the goal, how far it is, what it cost, and where to go. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { formatDuration } from '../../durations.ts';
import type { LastChange, LeaderInbox } from '../api.ts';
import { askedOf } from './asks-view.tsx';
import type { Derived, Standing } from './derived.ts';
import { addressOf, type View } from './route.ts';
import { Shape } from './shape.tsx';
import { setFilter, showDialog, type State } from './state.ts';
import { dollars } from './words.ts';

interface TopProps {
  state: State;
  derived: Derived;
  inbox: LeaderInbox | undefined;
  /** Whether a task lies over it. */
  isCovered: boolean;
}

export function Top({ state, derived, inbox, isCovered }: TopProps): JSX.Element {
  const { board, place, isReadOnly } = state;
  const { cost, spanMs } = derived;
  const last = lastChangeOf(state);
  return (
    <header class="top" inert={isCovered}>
      <div class="goal">
        <h1>{board?.goal ?? 'No goal yet'}</h1>
        <p class="place">
          {place}
          {isReadOnly && ' · only to look at'}
        </p>
      </div>
      <Trouble state={state} />
      <Progress derived={derived} />
      <p class="facts">
        <span>
          <span class="label">Cost</span> {dollars(cost)}
        </span>
        <span title="from the first task until now, or until the last was settled">
          <span class="label">Time</span> {formatDuration(spanMs)}
        </span>
        <LineState state={state} />
      </p>
      {!isReadOnly && (
        <div class="commands">
          <button type="button" class="main" onClick={() => showDialog({ kind: 'add' })}>
            Add a task
          </button>
          <ImportButton />
          <button type="button" onClick={() => showDialog({ kind: 'tell', to: 'all' })}>
            Tell workers
          </button>
          <button
            type="button"
            disabled={!last || last.final}
            title={last ? (last.final ? `Cannot be taken back: ${last.what}` : last.what) : 'Nothing to take back'}
            onClick={() => last && showDialog({ kind: 'undo', what: last.what })}
          >
            Undo
          </button>
        </div>
      )}
      <Tabs state={state} asks={askedOf(derived, inbox)} />
    </header>
  );
}

/** What stands in the way of everything. */
function Trouble({ state: { board, trouble } }: { state: State }): JSX.Element | null {
  const moved =
    board?.moved_to === undefined
      ? undefined
      : `This board has moved to ${board.moved_to}: nothing changes here any more.`;
  const text = trouble === undefined ? moved : `The board cannot be read now, this is how it was: ${trouble}`;
  return text === undefined ? null : (
    <p class="refusal trouble" role="alert">
      {text}
    </p>
  );
}

function lastChangeOf({ board }: State): LastChange | undefined {
  // As live.ts makes it of the board's own field.
  return board?.['last_change'] as LastChange | undefined;
}

/** Parts of the bar, in the order of their way to done. */
function partsOf({ summary: { counts } }: Derived): { standing: Standing; label: string; count: number }[] {
  const waiting = counts.blocked - counts.stuck + counts.asking;
  return [
    { standing: 'done', label: 'done', count: counts.done },
    { standing: 'submitted', label: 'handed in', count: counts.submitted },
    { standing: 'claimed', label: 'claimed', count: counts.claimed },
    { standing: 'available', label: 'claimable', count: counts.available - counts.blocked - counts.asking },
    { standing: 'blocked', label: 'waiting', count: waiting },
    { standing: 'stuck', label: 'stuck', count: counts.stuck },
    { standing: 'failed', label: 'failed', count: counts.failed },
    { standing: 'cancelled', label: 'cancelled', count: counts.cancelled },
  ];
}

function Progress({ derived }: { derived: Derived }): JSX.Element {
  const { total, done } = derived.summary.counts;
  const parts = partsOf(derived).filter(({ count, standing }) => count > 0 || standing === 'done');
  return (
    <div class="progress">
      <div
        class="bar"
        role="img"
        aria-label={[
          `${done} of ${total} tasks done`,
          ...parts.slice(1).map(({ count, label }) => `${count} ${label}`),
        ].join(', ')}
      >
        {parts.map(({ standing, count }) => (
          <span key={standing} class={`is-${standing}`} style={{ flexGrow: count }} />
        ))}
      </div>
      <ul class="legend">
        {parts.map(({ standing, label, count }) => (
          <li key={standing}>
            <Shape of={standing} /> <strong>{standing === 'done' ? `${count} of ${total}` : count}</strong> {label}
          </li>
        ))}
      </ul>
    </div>
  );
}

function LineState({ state: { line } }: { state: State }): JSX.Element {
  const words = { connecting: 'connecting', live: 'live', lost: 'connection lost, trying again', ended: 'ended' };
  return (
    <span class={`line is-${line}`} role="status">
      {words[line]}
    </span>
  );
}

function ImportButton(): JSX.Element {
  return (
    <label class="button">
      Import a list
      <input
        type="file"
        class="hidden-input"
        onChange={(event) => {
          const { currentTarget } = event;
          const file = currentTarget.files?.[0];
          if (file) showDialog({ kind: 'import', file });
          currentTarget.value = ''; // the same file may be chosen again
        }}
      />
    </label>
  );
}

const TITLES: Readonly<Record<View, string>> = {
  asks: 'For you',
  board: 'Board',
  graph: 'Graph',
  timeline: 'Timeline',
  log: 'Log',
  discoveries: 'Discoveries',
};

function Tabs({ state: { route, filter }, asks }: { state: State; asks: number }): JSX.Element {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [route.view]);
  const tab = (view: View, extra: ComponentChildren = null): JSX.Element => (
    <a href={addressOf({ view, task: undefined })} aria-current={route.view === view ? 'page' : undefined}>
      {TITLES[view]} {extra}
    </a>
  );
  return (
    <div class="tabs">
      <nav aria-label="Views" ref={nav}>
        {tab('asks', asks > 0 && <span class="asks">{asks}</span>)}
        {tab('board')}
        {tab('graph')}
        {tab('timeline')}
        {tab('log')}
        {tab('discoveries')}
      </nav>
      <label class="filter">
        <span class="label">Filter</span>
        <input
          type="search"
          value={filter}
          placeholder="words, worker, file"
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      </label>
    </div>
  );
}
