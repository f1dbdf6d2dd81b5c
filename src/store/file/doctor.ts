/** Examines a tree: whether everything in it is as the protocol wants it, and what would put it right. */
import { CoordError } from '../../model/errors.ts';
import type { Finding } from '../store.ts';
import type { FileOptions } from './backend.ts';
import { boardClock } from './board-clock.ts';
import { explainErrno } from './errno.ts';
import { checkTree } from './guard.ts';
import { withLock } from './lock.ts';
import { TasksFile } from './tasks-file.ts';
import { checkFolders, checkResults, checkLog, checkTasks } from './doctor-board.ts';
import { checkLock, checkScratch, checkWatching, checkRejected, checkLinks, checkClock } from './doctor-machine.ts';
import type { Patient } from './doctor-check.ts';
import { Tree } from './tree.ts';

/**
 * Every check, in the order in which they depend on each other. Without `fix` only scratch files come and go.
 *
 * @param fix  mend what can be mended, under the lock
 */
export async function examineTree(tree: Tree, given: FileOptions, fix: boolean): Promise<Finding[]> {
  checkTree(tree, given.stateFolder);
  const options = { ...given, now: given.now ?? boardClock(tree) };
  const patient: Patient = { tree, options, tasks: new TasksFile(tree, options) };
  const checks = [
    checkFolders,
    checkTasks,
    checkLog,
    checkResults,
    checkLock,
    checkRejected,
    checkScratch,
    checkLinks,
    checkClock,
    checkWatching,
  ];
  const findings: Finding[] = [];
  for (const check of checks) {
    try {
      const { mend, ...finding } = await check(patient);
      const isMended = fix && mend !== undefined && !finding.ok;
      if (isMended) await withLock(tree.root, tree.lock, async () => mend());
      findings.push(isMended ? { ...finding, fixed: true } : finding);
    } catch (error) {
      const reason = explainErrno(error);
      if (!(reason instanceof CoordError)) throw error;
      findings.push({ check: check.name.replace('check', '').toLowerCase(), ok: false, message: reason.message });
    }
  }
  return findings;
}
