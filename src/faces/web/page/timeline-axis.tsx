/** The hours above a timeline. */
import type { JSX } from 'preact';

/** Pixels between two marks of the axis at least. */
const TICK_GAP = 96;
const STEPS_S = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800,
];

interface AxisProps {
  /** Pixels from the left edge to where time begins. */
  indent: number;
  begin: number;
  scale: number;
  /** Pixels between which it is drawn. */
  from: number;
  to: number;
}

/** Marks at whole hours and minutes of the reader's own clock. */
export function Axis({ indent, begin, scale, from, to }: AxisProps): JSX.Element {
  const step = 1000 * (STEPS_S.find((seconds) => seconds * 1000 * scale >= TICK_GAP) ?? 2_592_000);
  const ticks: number[] = [];
  const zone = new Date(begin).getTimezoneOffset() * 60_000;
  const firstAt = begin + Math.max(0, from) / scale;
  for (let time = Math.ceil((firstAt - zone) / step) * step + zone; (time - begin) * scale < to; time += step)
    ticks.push(time);
  return (
    <div class="axis" aria-hidden="true">
      {ticks.map((time, i) => (
        <span key={time} style={{ left: `${indent + (time - begin) * scale}px` }}>
          {tickText(time, step, ticks[i - 1])}
        </span>
      ))}
    </div>
  );
}

/** The time, or the day where another one begins. */
function tickText(time: number, step: number, before: number | undefined): string {
  const moment = new Date(time);
  const isNewDay = before === undefined ? false : new Date(before).toDateString() !== moment.toDateString();
  if (step >= 86_400_000 || isNewDay) return moment.toLocaleDateString([], { dateStyle: 'medium' });
  return moment.toLocaleTimeString([], { timeStyle: step < 60_000 ? 'medium' : 'short' });
}
