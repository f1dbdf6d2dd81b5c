/** What the page and its server say to each other, in the very names of tasks.json. Types, and the few words that both need. */
import type { Board } from '../../model/board.ts';
import type { Message } from '../../model/messages.ts';
import type { Task } from '../../model/task.ts';
import type { Discovery, LogEntry, Result } from '../../model/views/report.ts';

/** The board as the page shows it: its tasks cut to what a list needs, and made visible. Answer of `GET /api/board`. */
export interface Snapshot {
  /** Names this state of the board: `GET /api/events?after=<id>` tells what came after it. */
  id: string;
  /** By the board's clock, ISO 8601 UTC. */
  now: string;
  /** Where the board is kept. */
  place: string;
  /** Of coord. */
  version: string;
  read_only: boolean;
  board: Board;
  /** Why the board cannot be read now, in words; then this is how it was before. */
  trouble: string | null;
}

/** What the leader changed last, as the board's `last_change` tells the page. */
export interface LastChange {
  what: string;
  /** Whether it cannot be taken back. */
  final: boolean;
}

/** What has changed since the event before; without tasks, that something beside the board may have. Data of the event `change`. */
export interface BoardChange {
  now: string;
  /** The board's own fields. */
  head: Omit<Board, 'tasks'>;
  /** Those that are new, or not what they were. */
  tasks: Task[];
  /** Ids of those that are gone. */
  removed: string[];
  /** As the snapshot's. */
  trouble: string | null;
}

/** All of one task. Answer of `GET /api/task/<id>`. */
export interface TaskDocument {
  task: Task;
  /** Ids of the tasks that wait for it. */
  dependants: string[];
  /** What its worker was told, or would be: Markdown. */
  brief: string;
  result: Result | null;
  /** Results that came too late, and are kept. */
  late: { name: string; worker: string; output: string }[];
  /** Protected files that it touches. */
  guarded: string[];
  /** Its checks that nobody has allowed on this machine. */
  unallowed: string[];
  /** What came of landing it here last, in words, where it has not landed. */
  landing: string | null;
  /** What the log says about it, oldest first. */
  log: LogEntry[];
}

/** Answer of `GET /api/log?after=<n>`: what the log says after its n-th entry, oldest first. */
export interface LogPart {
  total: number;
  entries: LogEntry[];
}

/** Answer of `GET /api/discoveries`. */
export interface Discoveries {
  discoveries: Discovery[];
}

/** Answer of `GET /api/inbox`: what the leader has been told, and up to which message it was seen. */
export interface LeaderInbox {
  messages: Message[];
  seen: number;
}

/** Answer of `POST /api/import`. */
export interface ImportAnswer {
  added: number;
  known: number;
  skipped: Record<string, number>;
  notes: string[];
  tasks: Pick<Task, 'id' | 'description' | 'priority' | 'dependencies'>[];
}

/** What was refused, or went wrong; `hint` is the next step. */
export interface Refusal {
  error: { code: string; message: string; hint?: string };
}

/** The leader's verbs, as the command line calls them. `POST /api/<verb>` takes the input of the store's verb. */
export const VERB_NAMES = [
  'add-task',
  'edit',
  'retry',
  'reopen',
  'cancel',
  'release',
  'approve',
  'send-back',
  'accept',
  'answer',
  'tell',
  'undo',
  'seen',
] as const;
export type VerbName = (typeof VERB_NAMES)[number];

/** Bytes of a list of tasks that can be dropped on the page. */
export const MOST_IMPORTED = 8 * 1024 * 1024;

/** How often a page hears something, if it is that the server is still here: where it does not, the line is dead. */
export const HEARTBEAT_MS = 15_000;

/** Says which server speaks, before the page tells it the token: HMAC-SHA256, keyed by the token, of this. */
export function challenge(nonce: string, host: string): string {
  return `coord web ${host} ${nonce}`;
}
