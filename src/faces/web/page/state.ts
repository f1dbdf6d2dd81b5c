/** All that the page knows, in one place. Components read it and call the functions below; nothing else changes it. */
import { type Board, compareIds } from '../../../model/board.ts';
import type { Task } from '../../../model/task.ts';
import type { BoardChange, Snapshot } from '../api.ts';
import { Connection, type Line } from './connection.ts';
import { routeIn, type Route } from './route.ts';

export interface State {
  line: Line;
  /** What the server says of the board, where that cannot be read. */
  trouble: string | undefined;
  /** Undefined until the server has told it. */
  board: Board | undefined;
  place: string;
  version: string;
  isReadOnly: boolean;
  /** Counts what the server has told: what stands beside the board may have changed as well. */
  told: number;
  /** The board's clock is ahead of this machine's by so many milliseconds. */
  skewMs: number;
  /** What the board's clock says, ISO 8601 UTC; moves every second. */
  now: string;
  route: Route;
  /** Words that what is shown must hold. */
  filter: string;
  /** What was done last, in words, for a while. */
  notice: string;
  /** What somebody has begun to write, by what it is for. */
  drafts: ReadonlyMap<string, string>;
  /** What is asked for in a window of its own. */
  dialog: Dialog | undefined;
}

export type Dialog =
  | { kind: 'add' }
  | { kind: 'undo'; what: string }
  | { kind: 'edit'; task: Task }
  | { kind: 'tell'; to: string }
  | { kind: 'import'; file: File };

/** As long as it takes to read a line twice. */
const NOTICE_MS = 8000;

let state: State = {
  line: 'connecting',
  trouble: undefined,
  board: undefined,
  place: '',
  version: '',
  isReadOnly: true,
  told: 0,
  skewMs: 0,
  now: new Date().toISOString(),
  route: routeIn(''),
  filter: '',
  notice: '',
  drafts: new Map(),
  dialog: undefined,
};
let onChange: (state: State) => void = () => {};
let connection: Connection | undefined;

function update(change: Partial<State>): void {
  state = { ...state, ...change };
  onChange(state);
}

/** Begins: shows the state whenever it changes, and follows the board. */
export function begin(token: string, show: (state: State) => void): void {
  onChange = show;
  connection = new Connection(token, {
    onBoard: receiveBoard,
    onChange: receiveChange,
    onLine: (line, trouble = state.trouble) => update({ line, trouble }),
  });
  addEventListener('hashchange', () => update({ route: routeIn(location.hash) }));
  setInterval(() => update({ now: timeAt(state.skewMs) }), 1000);
  update({ route: routeIn(location.hash), line: token === '' ? 'ended' : 'connecting' });
  if (token !== '') void connection.follow();
}

/** Whether the server is there, and has shown that it is ours. */
export function isLive(): boolean {
  return state.line === 'live';
}

/** The line to the server. @throws Error before {@link begin} */
export function server(): Connection {
  if (!connection) throw new Error('not begun');
  return connection;
}

export function setFilter(filter: string): void {
  update({ filter });
}

export function keepDraft(of: string, text: string): void {
  const drafts = new Map(state.drafts);
  if (text === '') drafts.delete(of);
  else drafts.set(of, text);
  update({ drafts });
}

export function draftOf(of: string): string {
  return state.drafts.get(of) ?? '';
}

/** Says for a while what was done. */
export function say(notice: string): void {
  update({ notice });
  setTimeout(() => {
    if (state.notice === notice) update({ notice: '' });
  }, NOTICE_MS);
}

export function showDialog(dialog: Dialog | undefined): void {
  update({ dialog });
}

function receiveBoard({ now, board, place, version, read_only, trouble }: Snapshot): void {
  const skewMs = skewOf(now);
  const told = state.told + 1;
  update({
    board,
    place,
    version,
    isReadOnly: read_only,
    told,
    skewMs,
    now: timeAt(skewMs),
    trouble: trouble ?? undefined,
  });
}

function receiveChange({ now, head, tasks, removed, trouble }: BoardChange): void {
  const skewMs = skewOf(now);
  const byId = new Map((state.board?.tasks ?? []).map((task) => [task.id, task]));
  for (const task of tasks) byId.set(task.id, task);
  for (const id of removed) byId.delete(id);
  const isLonger = byId.size > (state.board?.tasks.length ?? 0);
  const all = [...byId.values()];
  // What was taken away may have come back: it has its old place again.
  const sorted = isLonger ? all.toSorted((a, b) => compareIds(a.id, b.id)) : all;
  // `head` is all of a board but its tasks, which its type cannot say of one with unknown fields.
  const board = { ...head, tasks: sorted } as Board;
  update({ board, told: state.told + 1, skewMs, now: timeAt(skewMs), trouble: trouble ?? undefined });
}

function skewOf(now: string): number {
  return Date.parse(now) - Date.now();
}

function timeAt(skewMs: number): string {
  return new Date(Date.now() + skewMs).toISOString();
}
