/** Messages between leader and workers, which stand beside the board: who may be told, how much, and what is still to be seen. */
import { CoordError } from './errors.ts';
import { isName, LEADER, MAX_MESSAGE } from './limits.ts';
import { isRecord } from './values.ts';

export interface Message {
  /** Counts up; never used twice. */
  id: number;
  from: string;
  /** Everybody it was sent to, by name. */
  to: string[];
  text: string;
  /** ISO 8601 UTC. */
  at: string;
}

/** All that is kept. */
export interface Mail {
  /** By their ids, ascending. */
  messages: readonly Message[];
  /** By reader: up to which id they have seen everything. */
  seen: ReadonlyMap<string, number>;
}

/** Unread messages of one reader; then whoever tells them more is refused. */
export const MOST_UNREAD = 50;
/** What nobody has read after a week holds no longer. */
export const KEPT_MS = 7 * 86_400_000;
/** Stands for every worker. */
export const ALL = 'all';
/** Far above any team: a list of readers stands in each message to all. */
const MOST_READERS = 1000;

export function isMessage(value: unknown): value is Message {
  if (!isRecord(value)) return false;
  const { id, from, to, text, at } = value;
  return (
    typeof id === 'number' &&
    Number.isSafeInteger(id) &&
    id > 0 &&
    isName(from) &&
    Array.isArray(to) &&
    to.length <= MOST_READERS &&
    to.every(isName) &&
    typeof text === 'string' &&
    text.length <= MAX_MESSAGE &&
    typeof at === 'string' &&
    !Number.isNaN(Date.parse(at))
  );
}

export function isKept({ at }: Message, now: string): boolean {
  return Date.parse(now) - Date.parse(at) < KEPT_MS;
}

/** What this reader has not seen yet, oldest first. */
export function unreadOf({ messages, seen }: Mail, reader: string, now: string): Message[] {
  const from = seen.get(reader) ?? 0;
  return messages.filter((one) => one.id > from && one.to.includes(reader) && isKept(one, now));
}

export interface Draft {
  /** What is sent, but for its number. */
  message: Omit<Message, 'id' | 'at'>;
  /** Those who get no more before they have read what they have. */
  full: string[];
}

/**
 * A message to one reader or to {@link ALL} workers.
 *
 * @param readers  everybody who is known on the board
 * @throws CoordError `reader-unknown`; `inbox-full` where nobody would get it; `not-allowed` for a worker that tells all
 */
export function draft(
  { from, to, text }: { from: string; to: string; text: string },
  mail: Mail,
  readers: ReadonlySet<string>,
  now: string,
): Draft {
  if (to === ALL && from !== LEADER)
    throw new CoordError('not-allowed', 'Only the leader tells all; a finding is shared with discover.', {
      details: { why: 'tell-all' },
    });
  const wanted =
    to === ALL ? [...readers].filter((one) => one !== LEADER && one !== from).toSorted() : readers.has(to) ? [to] : [];
  if (wanted.length === 0) throw nobody(to, readers);
  const full = wanted.filter((reader) => unreadOf(mail, reader, now).length >= MOST_UNREAD);
  const left = wanted.filter((reader) => !full.includes(reader)).slice(0, MOST_READERS);
  const [first = ''] = full;
  if (left.length === 0)
    throw new CoordError('inbox-full', `${first} has ${MOST_UNREAD} messages that it has not read.`, {
      details: { worker: first },
    });
  return { message: { from, to: left, text }, full };
}

function nobody(to: string, readers: ReadonlySet<string>): CoordError {
  const known = [...readers].toSorted().slice(0, 10).join(', ');
  return new CoordError(
    'reader-unknown',
    to === ALL ? 'There is no worker to be told yet.' : `Nobody is called ${to} here. Known: ${known}.`,
    { details: { worker: to } },
  );
}
