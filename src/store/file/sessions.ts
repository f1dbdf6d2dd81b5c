/**
 * Which Claude Code session is which worker, what it has claimed, and what its hooks have told it already. One small file a
 * session; losing one costs a repeated hint, so nothing here waits for the disk or for a lock.
 */
import { appendFileSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isName } from '../../model/limits.ts';
import { namesIn, removeIfThere, replaceFile, touch } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import { orAbsent } from './errno.ts';
import { checkTree } from './guard.ts';
import { hostTag, scratchName } from './scratch.ts';
import type { Tree } from './tree.ts';

export interface Session {
  worker: string;
  /** The claim that was made in this session, as `task-001#2`: it looks after this one and no other. */
  claim?: string;
  /** The claim that a stop was held up for: no second time for the same. */
  held_up_for?: string;
  /** The tasks that an idle terminal was woken for last. */
  woken_for?: string[];
  /** The process of the session, as {@link terminalOf} names it. */
  terminal?: string;
}

/** Files of sessions that ended long ago. */
const FORGOTTEN_MS = 30 * 86_400_000;
const CLAIM = /^[A-Za-z0-9._-]{1,64}#\d{1,9}$/;
const TERMINAL = /^[0-9a-z]{1,7}-\d{1,10}-\d{0,20}$/;
/** Everything that is made here is named so. */
const NAME = /^[A-Za-z0-9_-]{1,100}\.(json|life|waiter)$/;

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
    return this.#all()
      .filter(([name, other]) => name !== `${safe(id)}.json` && other.worker === worker)
      .map(([, other]) => other)
      .filter((other) => other.terminal !== undefined && other.terminal !== terminal && isLiving(other.terminal));
  }

  /** Who worked in this very terminal before its session got a new id, as after `/clear`: the newest. */
  before(id: string, terminal: string | undefined): Session | undefined {
    if (terminal === undefined) return undefined;
    const found = this.#all().filter(([name, other]) => name !== `${safe(id)}.json` && other.terminal === terminal);
    return found.toSorted(([a], [b]) => this.#changed(b) - this.#changed(a))[0]?.[1];
  }

  /** The claims of this session, and of those that were in the same terminal before: `/clear` gives a session a new id. */
  claimsOf(id: string, terminal: string | undefined): Set<string> {
    const here = this.#all().filter(([, other]) => terminal !== undefined && other.terminal === terminal);
    return new Set([this.get(id), ...here.map(([, other]) => other)].flatMap((one) => one?.claim ?? []));
  }

  /** Whether this claim was made in a terminal that is known to be gone. */
  isOrphaned(claim: string): boolean {
    const owners = this.#all().filter(([, other]) => other.claim === claim);
    return owners.length > 0 && owners.every(([, { terminal }]) => terminal !== undefined && !isLiving(terminal));
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
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^\d+$/.exec(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '')?.[0] ?? '';
  } catch {
    return '';
  }
}

/** Of no use where it does not fit: the next binding replaces it. */
function parse(bytes: Buffer | undefined): Session | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes?.toString() ?? 'null');
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { worker, claim, held_up_for, woken_for, terminal } = value as Record<string, unknown>;
  if (!isName(worker)) return undefined;
  const isClaim = (text: unknown): text is string => typeof text === 'string' && CLAIM.test(text);
  return {
    worker,
    ...(isClaim(claim) ? { claim } : {}),
    ...(isClaim(held_up_for) ? { held_up_for } : {}),
    ...(Array.isArray(woken_for) && woken_for.every(isName) ? { woken_for } : {}),
    ...(typeof terminal === 'string' && TERMINAL.test(terminal) ? { terminal } : {}),
  };
}

/** An id is a UUID; whatever else came in must not name another file. */
function safe(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 100);
}
