/** What came of the checks of a task: the proof that is kept with it. */
import { isRecord } from './values.ts';

/** One run of one check. */
export interface CheckRun {
  command: string;
  /** Null where it was ended by a signal, or not at all. */
  exit_code: number | null;
  duration_ms: number;
}

export interface Evidence {
  /**
   * `green`: all ended well. `red`: one did not. `broken`: one could not be run, which says nothing about the work.
   * `unchecked`: handed in from where there is no tree to check.
   */
  verdict: 'green' | 'red' | 'broken' | 'unchecked';
  /** When, ISO 8601 UTC. */
  at: string;
  /** Whose work was checked. */
  worker: string;
  /** Git's hash of the tree that was checked, with what is not committed; null without git. */
  tree: string | null;
  checks: CheckRun[];
  /** The files that were handed in, as far as they are known: an approval is bound to them. */
  files?: string[];
  /** Of what is not green: what the check said last, and how many times in a row it said that. */
  tail?: string;
  times?: number;
}

export interface Reviewed {
  by: string;
  /** As the task's. */
  head: string;
  /** ISO 8601 UTC. */
  at: string;
}

const VERDICTS: readonly unknown[] = ['green', 'red', 'broken', 'unchecked'];

export function isEvidence(value: unknown): value is Evidence {
  if (!isRecord(value)) return false;
  const { verdict, at, worker, tree, checks, files, tail, times } = value;
  return (
    VERDICTS.includes(verdict) &&
    typeof at === 'string' &&
    typeof worker === 'string' &&
    (tree === null || typeof tree === 'string') &&
    Array.isArray(checks) &&
    checks.every(isCheckRun) &&
    (files === undefined || (Array.isArray(files) && files.every((file) => typeof file === 'string'))) &&
    (tail === undefined || typeof tail === 'string') &&
    (times === undefined || typeof times === 'number')
  );
}

function isCheckRun(value: unknown): value is CheckRun {
  if (!isRecord(value)) return false;
  const { command, exit_code, duration_ms } = value;
  return (
    typeof command === 'string' &&
    (exit_code === null || typeof exit_code === 'number') &&
    typeof duration_ms === 'number'
  );
}

export function isReviewed(value: unknown): value is Reviewed {
  return ['by', 'head', 'at'].every((field) => isRecord(value) && typeof value[field] === 'string');
}

/** `green on tree 4b825dc, 2026-01-31T12:00:00.000Z: npm test: exit 0 in 3.2 s`; with the last lines of what is not green. */
export function evidenceText({ verdict, at, tree, checks, tail, times }: Evidence): string {
  const runs = checks.map(checkText).join('; ');
  const what = checks.length === 0 && verdict === 'green' ? 'not checked: it has no checks' : verdict;
  const where = tree === null ? '' : ` on tree ${tree.slice(0, 10)}`;
  const often = times !== undefined && times > 1 ? `, ${times} times in a row` : '';
  return `${what}${where}, ${at}${runs === '' ? '' : `: ${runs}`}${often}${tail === undefined ? '' : `\n${tail}`}`;
}

/** `npm test: exit 0 in 3.2 s`. */
export function checkText({ command, exit_code, duration_ms }: CheckRun): string {
  const seconds = (duration_ms / 1000).toFixed(1);
  return `${command}: ${exit_code === null ? 'did not end by itself, stopped' : `exit ${exit_code}`} ${exit_code === null ? 'after' : 'in'} ${seconds} s`;
}
