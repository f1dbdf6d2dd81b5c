/**
 * The scratch folder: files under construction, and copies of tasks.json that a publisher has moved aside. Whatever has a
 * name made here and a maker that is known to be dead may go; of anybody else's nothing is touched for a day.
 */
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, readlinkSync, rmSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { namesIn } from './atomic.ts';
import { isErrno } from './errno.ts';

/** Begins the names of copies of tasks.json that were moved aside. */
export const DISPLACED = 'displaced-';
const DAY_MS = 86_400_000;
/** `<prefix><time>-<host>-<pid>-<n>-<random>` */
const NAME = /^(.*?)([0-9a-z]{8,9})-([0-9a-z]{1,7})-(\d+)-(\d+)-[0-9a-z]{1,6}$/;

let counter = 0;
let thisHost: string | undefined;

/** A name in the folder that no other process and no other call uses. */
export function scratchName(folder: string, prefix = ''): string {
  const random = Math.random().toString(36).slice(2, 8) || '0';
  return join(folder, `${prefix}${Date.now().toString(36)}-${hostTag()}-${process.pid}-${counter++}-${random}`);
}

/**
 * Where a process id means something: this boot of this machine, this space of process ids (containers have their own). A
 * hash, in seven characters.
 */
export function hostTag(): string {
  if (thisHost === undefined) {
    let text = '';
    try {
      text = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1') + readlinkSync('/proc/self/ns/pid');
    } catch {
      text = hostname(); // not Linux
    }
    thisHost = shortHash(text);
  }
  return thisHost;
}

/** At most seven letters and digits for a text: to tell a few apart, not to keep a secret. */
export function shortHash(text: string): string {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) >>> 0;
  return hash.toString(36);
}

/**
 * What the clock of the folder's file system says, in milliseconds since 1970: that of the file server, where there is one,
 * and so the same for everybody who shares the board. Where nothing can be written, this machine's.
 */
export function fileSystemTime(folder: string): number {
  const path = scratchName(folder);
  try {
    const fd = openSync(path, 'wx');
    try {
      const { mtimeMs } = fstatSync(fd);
      return mtimeMs > LEAST_PLAUSIBLE ? Math.floor(mtimeMs) : Date.now();
    } finally {
      closeSync(fd);
      unlinkSync(path);
    }
  } catch {
    return Date.now();
  }
}

/** The year 2020: a file system that says less keeps no time. */
const LEAST_PLAUSIBLE = 1_577_836_800_000;

/** A scratch file, by its name. */
export interface Scratch {
  name: string;
  path: string;
  isDisplaced: boolean;
  /** Made by this very process. */
  isOwn: boolean;
  /** Its maker cannot come back to it. Asked of the system when it is read. */
  readonly isLeft: boolean;
  /** Milliseconds since it was made or moved here, by the file system's clock. */
  age: number;
}

/** What lies in the folder under names that are made here, oldest first. */
export function scratchIn(folder: string, now: number): Scratch[] {
  const found: Scratch[] = [];
  for (const name of namesIn(folder)) {
    const [, prefix = '', , host, pid] = NAME.exec(name) ?? [];
    if (pid === undefined) continue;
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) continue;
    const age = now - Math.max(stat.ctimeMs, stat.mtimeMs);
    const isHere = host === hostTag();
    const isOwn = isHere && Number(pid) === process.pid;
    found.push({
      name,
      path,
      isDisplaced: prefix.startsWith(DISPLACED),
      isOwn,
      get isLeft() {
        return age > DAY_MS || (isHere && !isOwn && isDead(Number(pid)));
      },
      age,
    });
  }
  return found.toSorted((a, b) => b.age - a.age);
}

/** Whether no process has this id. Signal 0 asks and sends nothing. */
function isDead(pid: number): boolean {
  if (pid < 2) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return isErrno(error, 'ESRCH');
  }
}

/**
 * Removes a scratch file, or a folder under construction; links in it are removed, not followed. Never fails: it comes after
 * what matters, and what stays is swept later.
 */
export function removeScratch(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'EISDIR', 'EPERM', 'EACCES')) return;
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // As said above.
    }
  }
}
