/** The board: a column for each way a task can stand, its most urgent cards first. */
import type { JSX, RefObject } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { compareIds } from '../../../model/board.ts';
import { isExpired } from '../../../model/lifecycle.ts';
import type { Task } from '../../../model/task.ts';
import type { Derived, Standing } from './derived.ts';
import { fits, wordsIn } from './filter.ts';
import { addressOf } from './route.ts';
import { Shape } from './shape.tsx';
import type { State } from './state.ts';
import { VirtualList } from './virtual-list.tsx';
import { since, STANDINGS } from './words.ts';

interface ColumnOf {
  title: string;
  standings: readonly Standing[];
  /** What was settled last comes first. */
  isNewestFirst?: true;
}

const COLUMNS: readonly ColumnOf[] = [
  { title: 'Waiting', standings: ['asking', 'stuck', 'blocked'] },
  { title: 'Claimable', standings: ['available'] },
  { title: 'Claimed', standings: ['claimed'] },
  { title: 'Handed in', standings: ['review', 'queued', 'landing', 'submitted'] },
  { title: 'Done', standings: ['done'], isNewestFirst: true },
  { title: 'Failed, cancelled', standings: ['failed', 'cancelled'], isNewestFirst: true },
];

/** Pixels, as board.css draws a card with its gap. */
const CARD_HEIGHT = 136;

export function BoardView({ state, derived }: { state: State; derived: Derived }): JSX.Element {
  const { filter, now, route } = state;
  const columns = useRef<HTMLDivElement>(null);
  useFollowingFocus(columns);
  useEffect(() => {
    columns.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [route.task]);
  const cards = useMemo(() => cardsIn(derived, filter), [derived, filter]);
  /** The arrows lead from one column to the next that has a card. */
  const leave = (from: number, side: 'left' | 'right'): void => {
    const step = side === 'left' ? -1 : 1;
    let to = from + step;
    while (cards[to]?.length === 0) to += step;
    columns.current?.children[to]?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  };
  return (
    <div class="columns" ref={columns}>
      {COLUMNS.map(({ title }, i) => {
        const items = cards[i] ?? [];
        return (
          <section key={title} class="column" aria-label={title}>
            <h2>
              {title} <span class="count">{items.length}</span>
            </h2>
            <VirtualList
              label={title}
              items={items}
              keyOf={({ id }) => id}
              rowHeight={CARD_HEIGHT}
              empty={filter === '' ? 'None' : 'None that fits'}
              onLeave={(side) => leave(i, side)}
              row={(task, tabIndex) => (
                <Card
                  task={task}
                  standing={derived.standingOf(task)}
                  now={now}
                  isAsking={derived.asking.has(task.id)}
                  isOpen={route.task === task.id}
                  tabIndex={tabIndex}
                />
              )}
            />
          </section>
        );
      })}
    </div>
  );
}

/** The card that has the focus keeps it when it moves to another column. */
function useFollowingFocus(columns: RefObject<HTMLElement>): void {
  const last = useRef<string | undefined>();
  useEffect(() => {
    const { current } = columns;
    const look = (): void => {
      const { activeElement } = document;
      if (activeElement instanceof HTMLAnchorElement && current?.contains(activeElement))
        last.current = activeElement.hash;
      else if (activeElement !== document.body) last.current = undefined;
    };
    document.addEventListener('focusin', look);
    return () => document.removeEventListener('focusin', look);
  }, []);
  useEffect(() => {
    if (last.current === undefined || document.activeElement !== document.body) return;
    columns.current?.querySelector<HTMLElement>(`a[href="${last.current}"]`)?.focus();
  });
}

/** The cards of each column, in one walk over the board. */
function cardsIn({ byId, standingOf }: Derived, filter: string): Task[][] {
  const places = new Map(
    COLUMNS.flatMap(({ standings }, column) =>
      standings.map((standing, rank) => [standing, { column, rank }] as const),
    ),
  );
  const words = wordsIn(filter);
  const found = COLUMNS.map((): { task: Task; rank: number }[] => []);
  for (const task of byId.values()) {
    const place = places.get(standingOf(task));
    if (place && fits(task, words)) found[place.column]?.push({ task, rank: place.rank });
  }
  return found.map((cards, column) => {
    const isNewestFirst = COLUMNS[column]?.isNewestFirst === true;
    return cards
      .toSorted(
        (a, b) =>
          (isNewestFirst ? newestFirst(a.task, b.task) : 0) ||
          a.rank - b.rank ||
          a.task.priority - b.task.priority ||
          compareIds(a.task.id, b.task.id),
      )
      .map(({ task }) => task);
  });
}

function newestFirst({ completed_at: a }: Task, { completed_at: b }: Task): number {
  return a === b ? 0 : (a ?? '') < (b ?? '') ? 1 : -1;
}

interface CardProps {
  task: Task;
  standing: Standing;
  now: string;
  /** Whether its worker waits for an answer. */
  isAsking: boolean;
  isOpen: boolean;
  tabIndex: 0 | -1;
}

function Card({ task, standing, now, isAsking, isOpen, tabIndex }: CardProps): JSX.Element {
  const { id, description, priority, claimed_by, context } = task;
  return (
    <a
      class={`card is-${standing}`}
      href={addressOf({ view: 'board', task: id })}
      aria-current={isOpen ? 'true' : undefined}
      tabIndex={tabIndex}
    >
      <span class="card-head">
        <Shape of={standing} /> <span class="standing">{STANDINGS[standing]}</span> <span class="id">{id}</span>{' '}
        <span class="priority">p{priority}</span>
      </span>
      <span class="card-text">{description}</span>
      <span class="card-line">
        {claimed_by !== null && <span class="worker">{claimed_by}</span>} <Age task={task} now={now} />
      </span>
      <span class="card-line">
        {isAsking && standing !== 'asking' && (
          <span class="is-asking">
            <Shape of="asking" /> {STANDINGS.asking}
          </span>
        )}{' '}
        <Lease task={task} now={now} />{' '}
        {context.files.length > 0 && (
          <span class="files" title={context.files.join('\n')}>
            {context.files.length === 1 ? context.files[0] : `${context.files.length} files`}
          </span>
        )}
      </span>
    </a>
  );
}

/** How long it has stood like this. */
function Age({ task: { created_at, claimed_at, completed_at }, now }: { task: Task; now: string }): JSX.Element | null {
  const time = completed_at ?? claimed_at ?? created_at;
  return time === null ? null : <span class="age">{since(time, now)} ago</span>;
}

/** How long its claim stands unless it is renewed. */
function Lease({ task, now }: { task: Task; now: string }): JSX.Element | null {
  const { lease_expires_at } = task;
  const isOver = isExpired(task, now);
  if (lease_expires_at === null) return null;
  return <span class="age">{isOver ? 'lease over' : `lease ${since(lease_expires_at, now)}`}</span>;
}
