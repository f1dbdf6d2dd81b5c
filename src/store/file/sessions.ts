/**
 * Which Claude Code session is which worker, and what its hooks have told it already. One small file a session; losing one costs
 * a repeated hint, so nothing here waits for the disk or for a lock.
 */
import { appendFileSync, existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isName } from '../../model/limits.ts';
import { revisionOfName } from '../commit-id.ts';
import { sessionTag } from '../../model/session-tag.ts';
import { createIfAbsent, namesIn, removeIfThere, replaceFile, touch } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import { orAbsent } from './errno.ts';
import { monotonicMs, sleep } from '../clock.ts';
import { checkTree } from './guard.ts';
import { hostTag, scratchName } from './scratch.ts';
import type { Tree } from './tree.ts';

export interface Session {
  worker: string;
  /** The claim that a stop was held up for: no second time for the same. */
  held_up_for?: string;
  /** The tasks that it has given back, or found when it began: what it let lie is nothing to be woken for. */
  woken_for?: string[];
  /** What an idle leader was told of already, as keys of model/views/leader-news.ts. */
  told?: string[];
  /** Messages up to this one were shown, and do not count as seen yet; so those of `fresh`, which are in no request yet. */
  shown?: number;
  fresh?: number;
  /** The newest message at the last look that found nothing more to show. */
  looked?: number;
  /** Questions that it went on after, as `task-001?2`. */
  asks?: string[];
  /** Whether hooks speak after each batch of tools. */
  hooked?: boolean;
  /** Whether its last stop was held up for what others have said. */
  held_for_news?: boolean;
  /** Whether it was told that another live session has its name; of one that is to be told, false. */
  warned?: boolean;
  /** The process of the session, as {@link terminalOf} names it. */
  terminal?: string;
}

/** How long telling may take, before it was surely killed in it. */
const TELLING_MS = 10_000;
/** Files of sessions that ended long ago. */
const FORGOTTEN_MS = 30 * 86_400_000;
const ASK = /^[A-Za-z0-9._-]{1,64}\?\d{1,3}$/;
/** See model/views/leader-news.ts. */
const TOLD = /^[a-z]+ [A-Za-z0-9._#?:-]{0,140}$/;
const CLAIM = /^[A-Za-z0-9._-]{1,64}#\d{1,9}$/;
const TERMINAL = /^[0-9a-z]{1,7}-\d{1,10}-\d{0,20}$/;
/** Everything that is made here is named so. */
const NAME = /^[A-Za-z0-9_-]{1,100}\.(json|life|waiter|telling)$/;

export class Sessions {
  readonly #tree: Tree;

  /** @throws CoordError `board-unsafe` */
  constructor(tree: Tree, stateFolder: string | undefined) {
    checkTree(tree, stateFolder);
    this.#tree = tree;
  }

  /** The folder of their board. */
  get location(): string {
    return this.#tree.root;
  }

  get(id: string): Session | undefined {
    return parse(readIfThere(this.#path(id)));
  }

  /**
   * Whether nothing can be new for a session, as far as that shows without opening the board: of one in this folder alone. A
   * session that was told of something says so again until it counts as seen, so it is not quiet.
   */
  isQuiet(id: string, worker: string): boolean {
    if (existsSync(this.#tree.config)) return false;
    const known = this.get(id);
    const own: Session = known?.worker === worker ? known : { worker };
    const { looked = 0, shown = 0, fresh = 0, asks = [], warned } = own;
    const newest = Math.max(0, ...namesIn(this.#tree.messages).map((name) => revisionOfName(name) ?? 0));
    return newest <= looked && shown + fresh + asks.length === 0 && warned !== false;
  }

  /** @returns the session as it stands now */
  update(id: string, change: Partial<Session> & { worker: string }): Session {
    const next = { ...this.get(id), ...change };
    this.#write(this.#path(id), `${JSON.stringify(next)}\n`);
    return next;
  }

  /**
   * Other sessions of the same name that a living terminal is in, except those of this one.
   * @param terminal  of the asking session, as {@link terminalOf} names it
   */
  namesakes(id: string, worker: string, terminal: string | undefined): Session[] {
    return this.#namesakes(id, worker, terminal).map(([, other]) => other);
  }

  #namesakes(id: string, worker: string, terminal: string | undefined): [name: string, session: Session][] {
    return this.#all()
      .filter(([name, other]) => name !== `${safe(id)}.json` && other.worker === worker)
      .filter(([, other]) => other.terminal !== undefined && other.terminal !== terminal && isLiving(other.terminal));
  }

  /** Who worked in this very terminal before its session got a new id, as after `/clear`: the newest. */
  before(id: string, terminal: string | undefined): Session | undefined {
    if (terminal === undefined) return undefined;
    const found = this.#all().filter(([name, other]) => name !== `${safe(id)}.json` && other.terminal === terminal);
    return found.toSorted(([a], [b]) => this.#changed(b) - this.#changed(a))[0]?.[1];
  }

  /** Whether the session of this tag lives in another terminal than this one. @param tag  as sessionTag names it */
  isElsewhere(tag: string, terminal: string | undefined): boolean {
    const found = this.#byTag(tag)?.terminal;
    return found !== undefined && found !== terminal && isLiving(found);
  }

  /** Whether the session of this tag is known to be gone, or was in this very terminal: `/clear` gives a session a new id. */
  isGone(tag: string, terminal: string | undefined): boolean {
    const found = this.#byTag(tag)?.terminal;
    return found !== undefined && (found === terminal || !isLiving(found));
  }

  #byTag(tag: string): Session | undefined {
    return this.#all().find(([name]) => sessionTag(name.slice(0, -'.json'.length)) === tag)?.[1];
  }

  /** Whether a session of this name runs around this one, as where a worker starts `claude -p` in its shell. */
  isNested(worker: string, terminal: string | undefined): boolean {
    const pids = ancestorsOf(terminal);
    return this.#all().some(([, other]) => {
      const pid = Number(other.terminal?.split('-')[1]);
      return other.worker === worker && pids.has(pid) && other.terminal !== undefined && isLiving(other.terminal);
    });
  }

  /** Lets the other sessions of this name know of each other, once. @see Session.warned */
  warnNamesakes(id: string, worker: string, terminal: string | undefined): void {
    for (const [name, other] of this.#namesakes(id, worker, terminal))
      if (other.warned === undefined) this.update(name.slice(0, -'.json'.length), { worker, warned: false });
  }

  #all(): [name: string, session: Session][] {
    return namesIn(this.#tree.sessions)
      .filter((name) => NAME.test(name) && name.endsWith('.json'))
      .map((name) => [name, parse(readIfThere(join(this.#tree.sessions, name)))] as const)
      .filter((one): one is [string, Session] => one[1] !== undefined);
  }

  #changed(name: string): number {
    return lstatSync(join(this.#tree.sessions, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }

  /**
   * For one process of a session at a time, for the moment in which it tells something.
   * @returns ends it; undefined where another is at it
   */
  beginTelling(id: string): (() => void) | undefined {
    const path = join(this.#tree.sessions, `${safe(id)}.telling`);
    mkdirSync(this.#tree.sessions, { recursive: true });
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat && Math.abs(Date.now() - stat.mtimeMs) > TELLING_MS) removeIfThere(path); // of one that was killed
    return createIfAbsent(path, '') ? () => removeIfThere(path) : undefined;
  }

  /** The same, once the other is done with it, which takes a moment. */
  async untilNobodyTells(id: string): Promise<() => void> {
    const start = monotonicMs();
    for (;;) {
      const end = this.beginTelling(id);
      if (end) return end;
      if (monotonicMs() - start > TELLING_MS) return () => {}; // costs an answer that is not shown unasked
      await sleep(10);
    }
  }

  /** True at most once in this time, over all processes but for a race, which costs one renewal too many. */
  isDue(id: string, ms: number): boolean {
    const path = join(this.#tree.sessions, `${safe(id)}.life`);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat && Math.abs(Date.now() - stat.mtimeMs) < ms) return false;
    mkdirSync(this.#tree.sessions, { recursive: true });
    touch(path);
    return true;
  }

  /** Makes this process the session's one waiter. @returns whether it still is */
  wait(id: string): () => boolean {
    const path = join(this.#tree.sessions, `${safe(id)}.waiter`);
    const mine = `${process.pid}-${Math.random().toString(36).slice(2)}`;
    this.#write(path, mine);
    return () => readIfThere(path)?.toString() === mine;
  }

  /** Adds a line to the file from which Claude Code takes variables for its shells, once. The file is the client's. */
  export(file: string, line: string): void {
    const known = orAbsent(() => readFileSync(file, 'utf8'));
    if (known?.split('\n').includes(line) !== true) appendFileSync(file, `${line}\n`);
  }

  /** Forgets sessions of which nothing was heard for a month. */
  tidy(): void {
    for (const name of namesIn(this.#tree.sessions)) {
      const path = join(this.#tree.sessions, name);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (NAME.test(name) && stat?.isFile() && Date.now() - stat.mtimeMs > FORGOTTEN_MS) removeIfThere(path);
    }
  }

  #write(path: string, text: string): void {
    mkdirSync(this.#tree.sessions, { recursive: true });
    replaceFile(path, text, { scratch: scratchName(this.#tree.tmp), durable: false });
  }

  #path(id: string): string {
    return join(this.#tree.sessions, `${safe(id)}.json`);
  }
}

/**
 * The terminal around a session, by its process: host, id and start time, so that a later process of the same id is another.
 * @param pid  what Claude Code says in CLAUDE_PID; undefined where it says nothing
 */
export function terminalOf(pid: string | undefined): string | undefined {
  if (pid === undefined || !/^\d{1,10}$/.test(pid) || Number(pid) < 2) return undefined;
  return `${hostTag()}-${pid}-${startOf(Number(pid))}`;
}

function isLiving(terminal: string): boolean {
  const [host, pid] = terminal.split('-');
  if (host !== hostTag() || terminalOf(pid) !== terminal) return false;
  try {
    return process.kill(Number(pid), 0); // asks, and sends nothing
  } catch {
    return false;
  }
}

/** When a process began, as Linux counts it; nothing where only its number is known. @see proc_pid_stat(5), field 22 */
function startOf(pid: number): string {
  return /^\d+$/.exec(statOf(pid)?.[19] ?? '')?.[0] ?? '';
}

/** What the kernel says of a process behind its name: its state, its parent … */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** The processes around that of a terminal, itself not among them; as far as Linux says. */
function ancestorsOf(terminal: string | undefined): Set<number> {
  const found = new Set<number>();
  for (let pid = Number(terminal?.split('-')[1] ?? 0); pid > 1 && found.size < MOST_ANCESTORS;) {
    pid = Number(statOf(pid)?.[1] ?? 0);
    if (pid > 1) found.add(pid);
  }
  return found;
}
/** Deeper than any shell. */
const MOST_ANCESTORS = 100;

/** Of no use where it does not fit: the next binding replaces it. */
function parse(bytes: Buffer | undefined): Session | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes?.toString() ?? 'null');
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const { worker, held_up_for, woken_for, told, asks, terminal, hooked, held_for_news, warned } = fields;
  if (!isName(worker)) return undefined;
  const isClaim = (text: unknown): text is string => typeof text === 'string' && CLAIM.test(text);
  return {
    worker,
    ...(isClaim(held_up_for) ? { held_up_for } : {}),
    ...(Array.isArray(woken_for) && woken_for.every(isName) ? { woken_for } : {}),
    ...(Array.isArray(told)
      ? { told: told.filter((one): one is string => typeof one === 'string' && TOLD.test(one)) }
      : {}),
    ...(isListOf(asks, ASK) ? { asks } : {}),
    ...Object.fromEntries(
      COUNTS.map((name) => [name, fields[name]]).filter(
        ([, count]) => Number.isSafeInteger(count) && Number(count) >= 0,
      ),
    ),
    ...(hooked === true ? { hooked } : {}),
    ...(held_for_news === true ? { held_for_news } : {}),
    ...(typeof warned === 'boolean' ? { warned } : {}),
    ...(typeof terminal === 'string' && TERMINAL.test(terminal) ? { terminal } : {}),
  };
}

const COUNTS = ['shown', 'fresh', 'looked'] as const;

function isListOf(value: unknown, pattern: RegExp): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && pattern.test(one));
}

/** An id is a UUID; whatever else came in must not name another file. */
function safe(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 100);
}
