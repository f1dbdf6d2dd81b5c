/**
 * Processes and their descendants. Claude Code runs each shell command in a session of its own, so neither a signal to it
 * nor one to its group reaches them: the tree must be known before its root is gone.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { ProcessId } from '../store/open.ts';

/** A killed process that is still there after this hangs in the kernel: nothing more can be done about it. */
const GONE_MS = 2000;

interface Running extends ProcessId {
  parent: number;
}

/** Everything that runs on this machine, as far as this user may see it. */
function running(): Running[] {
  return process.platform === 'linux' ? runningByProc() : runningByPs();
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (fields 3 state, 4 ppid, 22 starttime) */
function runningByProc(): Running[] {
  const found: Running[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(Number(name));
    if (stat) found.push(stat);
  }
  return found;
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
  try {
    const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,lstart='], { encoding: 'utf8' });
    return [...text.matchAll(/^\s*(\d+)\s+(\d+)\s+(.+?)\s*$/gm)].map(([, pid, parent, started = '']) => ({
      pid: Number(pid),
      parent: Number(parent),
      started,
    }));
  } catch {
    return []; // Windows, or a machine without ps: only the root is known there
  }
}

/** The process as it can be told apart later; undefined when it has ended already. */
export function identify(pid: number): ProcessId | undefined {
  const found = process.platform === 'linux' ? statOf(pid) : runningByPs().find((other) => other.pid === pid);
  return found && { pid, started: found.started };
}

export function isAlive({ pid, started }: ProcessId): boolean {
  return identify(pid)?.started === started;
}

/** A process and all that descend from it, itself first. */
export function treeOf(root: number): ProcessId[] {
  const byKernel = treeByKernel(root);
  if (byKernel) return byKernel;
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

/** Sends a signal to those that still run, and are still the same. */
export function signalAll(processes: readonly ProcessId[], signal: NodeJS.Signals): void {
  for (const one of processes) if (isAlive(one)) signalOne(one.pid, signal);
}

/** Kills those that still run, and waits until they are gone, which the kernel needs a moment for. */
export async function killAndWait(processes: readonly ProcessId[]): Promise<void> {
  signalAll(processes, 'SIGKILL');
  for (let waited = 0; waited < GONE_MS && processes.some(isAlive); waited += 10)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

export function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}
