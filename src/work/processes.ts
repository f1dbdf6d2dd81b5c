/**
 * Processes, their descendants, and those that bear a mark. Claude Code runs each shell command in a session of its own, so
 * neither a signal to it nor one to its group reaches them: the tree must be known before its root is gone, and what has lost
 * its parent is found by what it has inherited, a variable of its environment. A signal goes to single processes only, each told
 * by its id and start time, never to a group.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { sleep } from '../store/clock.ts';
import type { ProcessId } from '../store/registry.ts';
import type { Liveness } from '../store/run-records.ts';

/** The variable that everything an agent starts inherits. */
export const MARK = 'COORD_RUN';
/** A killed process that is still there after this hangs in the kernel: nothing more can be done about it. */
const GONE_MS = 2000;
/** The first process of a machine, and what stands for groups: never anybody's agent. */
const LEAST_PID = 2;

interface Running extends ProcessId {
  parent: number;
}

/** Everything that runs on this machine, as far as this user may see it. */
function running(): Running[] {
  return process.platform === 'linux' ? runningByProc() : runningByPs();
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (fields 3 state, 4 ppid, 22 starttime) */
function runningByProc(): Running[] {
  return pidsOfProc().flatMap((pid) => statOf(pid) ?? []);
}

function pidsOfProc(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function statOf(pid: number): Running | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in parentheses and may hold anything; the fields after it do not.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined; // ended, and only not yet waited for
    return { pid, parent: Number(fields[1]), started: fields[19] ?? '' };
  } catch {
    return undefined; // it ended meanwhile
  }
}

function runningByPs(): Running[] {
  return ps('-A', '-o', 'pid=,ppid=,lstart=').flatMap((line) => {
    const [, pid, parent, started = ''] = /^\s*(\d+)\s+(\d+)\s+(.+?)\s*$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), started }];
  });
}

/** Lines of ps; none on Windows, or on a machine without it: only the root is known there. */
function ps(...args: string[]): string[] {
  return linesOf('ps', args);
}

function linesOf(command: string, args: readonly string[]): string[] {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n');
  } catch {
    return [];
  }
}

/** The process as it can be told apart later; undefined when it has ended already. */
export function identify(pid: number): ProcessId | undefined {
  if (pid < LEAST_PID) return undefined;
  if (process.platform === 'win32')
    return livenessOf({ pid, started: '' }) === 'dead' ? undefined : { pid, started: '' };
  const found = process.platform === 'linux' ? statOf(pid) : runningByPs().find((other) => other.pid === pid);
  return found && { pid, started: found.started };
}

export function isAlive({ pid, started }: ProcessId): boolean {
  return identify(pid)?.started === started;
}

/** Whether a recorded process still runs, where that can be told. */
export function livenessOf(other: ProcessId): Liveness {
  if (process.platform !== 'win32' && isAlive(other)) return 'alive';
  try {
    process.kill(other.pid, 0);
    // Its number may be another's by now; where processes can be told apart, it is.
    return process.platform === 'win32' || identify(process.pid) === undefined ? 'unknown' : 'dead';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH' ? 'dead' : 'unknown';
  }
}

/**
 * Every process that has inherited this mark. Where environments cannot be read (Windows), none.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_environ.5.html
 */
export function processesMarked(mark: string, name = MARK): ProcessId[] {
  const variable = `${name}=${mark}`;
  if (process.platform === 'linux')
    return pidsOfProc()
      .filter((pid) => bears(pid, variable))
      .flatMap((pid) => identify(pid) ?? []);
  if (process.platform !== 'darwin') return [];
  const pids = ps('-A', '-E', '-ww', '-o', 'pid=,command=').filter((line) => line.split(' ').includes(variable));
  return pids.flatMap((line) => identify(Number.parseInt(line, 10)) ?? []);
}

function bears(pid: number, variable: string): boolean {
  if (pid < LEAST_PID || pid === process.pid) return false;
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    return environment.startsWith(`${variable}\0`) || environment.includes(`\0${variable}\0`);
  } catch {
    return false; // ended, or another user's
  }
}

/** A process and all that descend from it, itself first. */
export function treeOf(root: number): ProcessId[] {
  const byKernel = treeByKernel(root);
  if (byKernel) return byKernel;
  if (process.platform === 'win32') return [identify(root)].filter((one) => one !== undefined);
  const all = running();
  const found = all.filter(({ pid }) => pid === root);
  for (let i = 0; i < found.length; i++) found.push(...all.filter(({ parent }) => parent === found[i]?.pid));
  return found.map(({ pid, started }) => ({ pid, started }));
}

/**
 * The same from the lists of children that Linux keeps for each thread, without looking at every process of the machine.
 *
 * @returns undefined where the kernel was built without them
 * @see https://man7.org/linux/man-pages/man5/proc_tid_children.5.html
 */
function treeByKernel(root: number): ProcessId[] | undefined {
  if (process.platform !== 'linux' || !existsSync(`/proc/self/task/${process.pid}/children`)) return undefined;
  const found: ProcessId[] = [];
  const pids = [root];
  for (let pid = pids.shift(); pid !== undefined; pid = pids.shift()) {
    const self = statOf(pid);
    if (!self) continue;
    found.push({ pid, started: self.started });
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`))
        pids.push(
          ...readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
        );
    } catch {
      // It ended meanwhile, and its children belong to another.
    }
  }
  return found;
}

/** Whether a process that this user can see works in a folder. On Windows nobody can tell; there such a folder cannot be deleted. */
export function isSomebodyIn(folder: string): boolean {
  const real = realpathSync(folder);
  const isInside = (cwd: string): boolean => cwd === real || cwd.startsWith(`${real}/`);
  if (process.platform === 'linux') return pidsOfProc().some((pid) => isInside(folderOf(pid)));
  if (process.platform !== 'darwin') return false;
  const names = linesOf('lsof', ['-a', '-d', 'cwd', '-F', 'n', '-u', String(process.getuid?.() ?? 0)]);
  return names.some((line) => line.startsWith('n') && isInside(line.slice(1)));
}

/** Whether any git runs on this machine, as far as this user may see it. */
export function isGitRunning(): boolean {
  if (process.platform === 'linux') return pidsOfProc().some((pid) => nameOf(pid) === 'git');
  const names = process.platform === 'win32' ? linesOf('tasklist', ['/FO', 'CSV', '/NH']) : ps('-A', '-o', 'comm=');
  return names.some((name) => /(?:^|[/"])git(?:\.exe)?(?:"|\s|$)/.test(name.trim()));
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return ''; // ended
  }
}

function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // ended, or another user's
  }
}

/** Both lists, each process once. */
export function allOf(...lists: readonly (readonly ProcessId[])[]): ProcessId[] {
  return [...new Map(lists.flat().map((one) => [`${one.pid} ${one.started}`, one])).values()];
}

/** Sends a signal to those that still run, and are still the same. */
export function signalAll(processes: readonly ProcessId[], signal: NodeJS.Signals): void {
  for (const one of processes) if (isAlive(one)) signalOne(one.pid, signal);
}

/** Kills those that still run, and waits until they are gone, which the kernel needs a moment for. */
export async function killAndWait(processes: readonly ProcessId[]): Promise<void> {
  signalAll(processes, 'SIGKILL');
  for (let waited = 0; waited < GONE_MS && processes.some(isAlive); waited += 10) await sleep(10);
}

/** One process, never a group. */
export function signalOne(pid: number, signal: NodeJS.Signals): void {
  if (pid < LEAST_PID) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}

/**
 * Whether this process was started by `nohup`, to outlive its terminal. Node gives every signal its own action back when it
 * starts, so that this one is ignored cannot be seen; but shells name the command that they start in `_`, and nohup leaves a
 * terminal's input open for writing only, as nobody else does.
 *
 * @see https://github.com/nodejs/node/blob/v20.20.2/src/node.cc (PlatformInit)
 * @see https://man7.org/linux/man-pages/man5/proc_pid_fdinfo.5.html (flags, octal; the lowest bit is O_WRONLY)
 */
export function isHangupIgnored(env: Readonly<Record<string, string | undefined>>): boolean {
  if (basename(env['_'] ?? '') === 'nohup') return true;
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync('/proc/self/fdinfo/0', 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & 3) === 1;
  } catch {
    return false; // not Linux, or no stdin at all
  }
}
