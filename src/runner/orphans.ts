/** An orchestrator that died leaves its agents working. They are ended before their tasks are handed out again. */
import { CoordError } from '../model/errors.ts';
import { sleep } from '../store/clock.ts';
import type { AgentRecord } from '../store/registry.ts';
import type { RunRecords } from '../store/run-records.ts';
import type { Store } from '../store/store.ts';
import { costOf } from './agents/claude/stream.ts';
import type { RunEvent } from './events.ts';
import { allOf, isAlive, killAndWait, processesMarked, signalAll, treeOf } from '../work/processes.ts';

/** How long an orphan has to end by itself, and how often it is looked at. */
const ORPHAN_MS = 5000;
const LOOK_MS = 50;

/** Ends what is recorded of earlier runs on this machine, and gives its tasks back with what they cost. */
export async function reconcile(store: Store, records: RunRecords, tell: (event: RunEvent) => void): Promise<void> {
  // What runs on another machine is that one's to end; its tasks stand for as long as their leases.
  for (const record of (await records.all()).filter((one) => records.isHere(one))) {
    await endOrphans(record);
    const { worker, task_id, attempt, mark } = record;
    const cost_usd = costOf(records.said(worker), mark);
    try {
      if (task_id === '') await store.addCost({ cost_usd: cost_usd ?? 0 });
      else {
        const reason = 'its orchestrator died; look at what is there already';
        await store.release({ worker, task_id, attempt, reason, cost_usd });
        tell({ type: 'release', worker, task_id, reason: 'its orchestrator died' });
      }
    } catch (error) {
      if (!(error instanceof CoordError)) throw error; // done, or another's by now
    }
    await records.forget(worker);
  }
}

/** Ends a process, and what it has started, as far as they bear its mark. */
async function endOrphans({ pid, started, mark }: AgentRecord): Promise<void> {
  const marked = processesMarked(mark);
  const root = marked.find((one) => one.pid === pid && one.started === started);
  const orphans = allOf(root ? treeOf(root.pid) : [], marked);
  if (orphans.length === 0) return;
  signalAll(root ? [root] : orphans, 'SIGTERM');
  for (let waited = 0; waited < ORPHAN_MS && orphans.some(isAlive); waited += LOOK_MS) await sleep(LOOK_MS);
  await killAndWait(allOf(orphans, processesMarked(mark)));
}
