/** The words of the page for what the board knows. */
import { formatDuration } from '../../durations.ts';
import type { Standing } from './derived.ts';

/** How a task stands, for people. */
export const STANDINGS: Readonly<Record<Standing, string>> = {
  available: 'claimable',
  blocked: 'blocked',
  stuck: 'stuck',
  asking: 'asks',
  claimed: 'claimed',
  submitted: 'handed in',
  review: 'to review',
  queued: 'waits to land',
  landing: 'landing',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** How long before `now`, or how long until then; both ISO 8601. */
export function since(time: string, now: string): string {
  return formatDuration(Math.abs(Date.parse(now) - Date.parse(time)));
}

export function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

/** In the reader's own time zone and manner. */
export function clock(time: string): string {
  const moment = new Date(time);
  const isToday = moment.toDateString() === new Date().toDateString();
  return moment.toLocaleString([], isToday ? { timeStyle: 'medium' } : { dateStyle: 'short', timeStyle: 'medium' });
}
