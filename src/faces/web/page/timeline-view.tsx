/** Who worked on what, and when: a lane for each worker, each attempt a bar, reviews and landings as marks; now is a line. */
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { idleOf, type Span, timelineOf } from '../../../model/views/timeline.ts';
import type { Standing } from './derived.ts';
import { holds, wordsIn } from './filter.ts';
import { useLog } from './log-lines.ts';
import { addressOf } from './route.ts';
import { useScrollView } from './scroll-view.ts';
import { Shape, ShapeMarks } from './shape.tsx';
import type { State } from './state.ts';
import { Axis } from './timeline-axis.tsx';
import { clock, since } from './words.ts';

/** Pixels, as timeline.css draws them. */
const LANE_HEIGHT = 40;
const NAME_WIDTH = 130;
const AXIS_HEIGHT = 28;
/** A bar is at least so wide, and one that would begin within another's last pixel is left out. */
const LEAST_BAR = 3;
/** Fewer bars of a lane are all drawn, also those that others cover. */
const FEW = 200;
/** Pixels behind now, for its word. */
const BEHIND = 48;
/** Browsers lay out no wider. */
const MOST_WIDTH = 8_000_000;

/** Which shape and colour an end has. */
const END: Readonly<Record<Span['end'], Standing>> = {
  done: 'done',
  'handed in': 'review',
  failed: 'failed',
  'given back': 'available',
  'taken away': 'cancelled',
  expired: 'stuck',
  working: 'claimed',
  approved: 'done',
  'sent back': 'stuck',
  landed: 'landing',
};

interface Bar {
  span: Span;
  from: number;
  to: number;
}

interface Lane {
  worker: string;
  bars: Bar[];
  /** When it held nothing. */
  waits: { from: number; to: number }[];
}

export function TimelineView({ state }: { state: State }): JSX.Element {
  const log = useLog(state.told);
  const lanes = useMemo(() => lanesOf(log ?? [], state.now, state.filter), [log, state.filter]);
  if (!log) return <p class="empty">Reading the log …</p>;
  if (lanes.length === 0)
    return <p class="empty">{state.filter === '' ? 'Nobody has claimed a task yet.' : 'Nothing that fits'}</p>;
  return <Lanes lanes={lanes} now={Date.parse(state.now)} openTask={state.route.task} />;
}

function lanesOf(log: Parameters<typeof timelineOf>[0], now: string, filter: string): Lane[] {
  const words = wordsIn(filter);
  return (timelineOf(log, now)?.lanes ?? []).flatMap(({ worker, spans }) => {
    const bars = spans
      .filter(({ task_id, end }) => holds(`${worker} ${task_id} ${end}`, words))
      // One that goes on ends wherever now is.
      .map((span) => ({
        span,
        from: Date.parse(span.from),
        to: span.end === 'working' ? Infinity : Date.parse(span.to),
      }));
    // A review takes no time: nobody waits between two of them.
    const waits = idleOf(spans.filter(({ from, to }) => to > from)).map(({ from, to }) => ({
      from: Date.parse(from),
      to: Date.parse(to),
    }));
    return bars.length === 0 ? [] : [{ worker, bars, waits }];
  });
}

interface LanesProps {
  lanes: readonly Lane[];
  /** Milliseconds, as all times here. */
  now: number;
  openTask: string | undefined;
}

function Lanes({ lanes, now, openTask }: LanesProps): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const view = useScrollView(frame);
  const [zoom, setZoom] = useState(1);
  const [chosen, setChosen] = useState({ lane: 0, bar: 0 });
  const follows = useRef(false);
  const middle = useRef<number | undefined>();
  const begin = Math.min(...lanes.map(({ bars }) => bars[0]?.from ?? now));
  const end = Math.max(
    now,
    ...lanes.map(({ bars }) => Math.max(...bars.map(({ to }) => (to === Infinity ? now : to)))),
  );
  const room = Math.max(200, view.width - NAME_WIDTH - BEHIND);
  const duration = Math.max(1000, end - begin);
  const scale = Math.min((room / duration) * zoom, MOST_WIDTH / duration);
  const width = Math.max(room, duration * scale + BEHIND);
  /** The time in the middle stays there. */
  const zoomTo = (next: number): void => {
    const { current } = frame;
    const bounded = Math.min(MOST_WIDTH / room, Math.max(1, next));
    middle.current = current ? (current.scrollLeft + room / 2) / scale : undefined;
    setZoom(bounded);
  };
  useLayoutEffect(() => {
    if (frame.current && middle.current !== undefined) frame.current.scrollLeft = middle.current * scale - room / 2;
    middle.current = undefined;
  }, [zoom]);
  const xOf = (time: number): number => (Math.min(time, end) - begin) * scale;
  const [left, right] = [view.left - 100, view.left + view.width + 100];
  const first = Math.max(0, Math.floor(view.top / LANE_HEIGHT) - 2);
  const last = Math.ceil((view.top + view.height) / LANE_HEIGHT) + 2;
  const lane = Math.min(chosen.lane, lanes.length - 1);
  const bar = Math.min(chosen.bar, (lanes[lane]?.bars.length ?? 1) - 1);

  useLayoutEffect(() => {
    if (!follows.current) return;
    follows.current = false;
    frame.current?.querySelector<HTMLElement>('.span[tabindex="0"]')?.focus({ preventScroll: true });
  });
  const goTo = (toLane: number, toBar: number): void => {
    const target = lanes[toLane]?.bars[toBar];
    const { current } = frame;
    if (!target || !current) return;
    const x = xOf(target.from);
    if (x < current.scrollLeft || x > current.scrollLeft + room) current.scrollLeft = Math.max(0, x - room / 3);
    const y = toLane * LANE_HEIGHT;
    if (y < current.scrollTop) current.scrollTop = y;
    if (y + LANE_HEIGHT + AXIS_HEIGHT > current.scrollTop + current.clientHeight)
      current.scrollTop = y + LANE_HEIGHT + AXIS_HEIGHT - current.clientHeight;
    follows.current = true;
    setChosen({ lane: toLane, bar: toBar });
  };
  /** The bar of another lane that is nearest in time. */
  const beside = (toLane: number): void => {
    const from = lanes[lane]?.bars[bar]?.from ?? 0;
    const bars = lanes[toLane]?.bars ?? [];
    const after = bars.findIndex((one) => one.from >= from);
    goTo(toLane, after === -1 ? bars.length - 1 : after);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => goTo(lane, bar - 1),
      ArrowRight: () => goTo(lane, bar + 1),
      ArrowUp: () => beside(lane - 1),
      ArrowDown: () => beside(lane + 1),
      Home: () => goTo(lane, 0),
      End: () => goTo(lane, (lanes[lane]?.bars.length ?? 1) - 1),
      '+': () => zoomTo(zoom * 1.5),
      '-': () => zoomTo(zoom / 1.5),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  return (
    <section class="timeline" aria-label="Timeline">
      <div class="graph-tools">
        <span class="zoom" role="group" aria-label="Zoom">
          <button type="button" onClick={() => zoomTo(zoom * 1.5)} aria-label="Closer">
            +
          </button>
          <button type="button" onClick={() => zoomTo(zoom / 1.5)} aria-label="Farther">
            −
          </button>
          <button type="button" onClick={() => zoomTo(1)}>
            All
          </button>
        </span>
        <Legend lanes={lanes} />
      </div>
      <div class="timeline-frame" ref={frame} onKeyDown={onKeyDown}>
        <div class="timeline-body" style={{ width: `${NAME_WIDTH + width}px` }}>
          <Axis indent={NAME_WIDTH} begin={begin} scale={scale} from={left} to={right} />
          <div class="now" style={{ left: `${NAME_WIDTH + xOf(now)}px` }}>
            <span>now</span>
          </div>
          <ol style={{ height: `${lanes.length * LANE_HEIGHT}px` }}>
            {lanes.slice(first, last).map(({ worker, bars, waits }, i) => {
              const index = first + i;
              return (
                <li key={worker} class="lane" style={{ transform: `translateY(${index * LANE_HEIGHT}px)` }}>
                  <span class="lane-name" title={worker}>
                    {worker}
                  </span>
                  <div class="lane-bars">
                    {waits
                      .map(({ from, to }) => ({ from: xOf(from), to: xOf(to) }))
                      .filter(({ from, to }) => to > left && from < right && to - from > 2)
                      .map(({ from, to }) => (
                        <span key={from} class="wait" style={{ left: `${from}px`, width: `${to - from}px` }} />
                      ))}
                    {seen(bars, xOf, left, right, index === lane ? bar : -1).map(({ bar: one, n }) => (
                      <SpanBar
                        key={`${one.span.task_id} ${one.span.from} ${one.span.end}`}
                        bar={one}
                        x={xOf(one.from)}
                        width={xOf(one.to) - xOf(one.from)}
                        now={now}
                        isOpen={one.span.task_id === openTask}
                        tabIndex={index === lane && n === bar ? 0 : -1}
                        onFocus={() => setChosen({ lane: index, bar: n })}
                      />
                    ))}
                  </div>
                </li>
              );
            })}
          </ol>
        </div>
      </div>
    </section>
  );
}

/** What the shapes mean, of those that there are. */
function Legend({ lanes }: { lanes: readonly Lane[] }): JSX.Element {
  const ends = new Set(lanes.flatMap(({ bars }) => bars.map(({ span }) => span.end)));
  return (
    <ul class="legend">
      {Object.entries(END).map(([end, standing]) =>
        ends.has(end as Span['end']) ? ( // its own names
          <li key={end}>
            <Shape of={standing} /> {end}
          </li>
        ) : null,
      )}
      <li>
        <span class="legend-wait" /> held nothing
      </li>
    </ul>
  );
}

/** The bars that are to be seen: within the frame, and not behind one that covers the same pixels. */
function seen(
  bars: readonly Bar[],
  xOf: (time: number) => number,
  left: number,
  right: number,
  always: number,
): { bar: Bar; n: number }[] {
  const found: { bar: Bar; n: number }[] = [];
  let covered = -Infinity;
  for (const [n, bar] of bars.entries()) {
    const [from, to] = [xOf(bar.from), Math.max(xOf(bar.to), xOf(bar.from) + LEAST_BAR)];
    const isSeen = to >= left && from <= right && (bars.length < FEW || to > covered + 1);
    if (isSeen) covered = to;
    if (isSeen || n === always) found.push({ bar, n });
  }
  return found;
}

interface SpanBarProps {
  bar: Bar;
  x: number;
  width: number;
  now: number;
  isOpen: boolean;
  tabIndex: 0 | -1;
  onFocus: () => void;
}

function SpanBar({ bar: { span, from, to }, x, width, now, isOpen, tabIndex, onFocus }: SpanBarProps): JSX.Element {
  const { task_id, end } = span;
  const isMoment = to === from;
  const long = isMoment ? '' : `, ${since(span.from, to === Infinity ? new Date(now).toISOString() : span.to)}`;
  const label = `${task_id}, ${end}, ${clock(span.from)}${long}`;
  return (
    <a
      href={addressOf({ view: 'timeline', task: task_id })}
      class={`span is-${END[end]}${isMoment ? ' is-moment' : ''}${isOpen ? ' is-open' : ''}`}
      style={{ left: `${x}px`, width: isMoment ? undefined : `${Math.max(LEAST_BAR, width)}px` }}
      aria-label={label}
      title={label}
      tabIndex={tabIndex}
      onFocus={onFocus}
    >
      {(isMoment || width > 20) && (
        <svg class={`shape is-${END[end]}`} viewBox="0 0 16 16" aria-hidden="true">
          <ShapeMarks of={END[end]} />
        </svg>
      )}
      {width > 80 && <span>{task_id}</span>}
    </a>
  );
}
