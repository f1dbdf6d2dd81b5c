/** The hook at the start of a session: who you are, what you hold, what there is to do. */
import { remember, onBoard, type Call } from './hook-call.ts';
import { claimOf, heldBy } from '../../model/lifecycle.ts';
import type { Task } from '../../model/task.ts';
import type { Reply } from '../io.ts';
import { dirname } from 'node:path';
import { worktreeAbove } from '../../store/sessions.ts';
import { visible, clip, plural } from '../../model/text.ts';
import { formatTime } from '../durations.ts';

/** Who you are, what you hold, what there is to do. Also after a resume and a compaction, so it says the same again. */
export async function sessionStart(call: Call): Promise<Reply> {
  const { worker } = call.session;
  const namesakes = call.sessions.namesakes(call.sessionId, worker, call.terminal);
  const file = call.context.io.env['CLAUDE_ENV_FILE'];
  if (file) call.sessions.export(file, `export COORD_WORKER=${worker}`);
  remember(call);
  call.sessions.tidy();
  return onBoard(call, async (store) => {
    const board = await store.read();
    const { summarise } = await import('../../model/views/summary.ts');
    const { counts, claimable } = summarise(board, await store.now());
    const lines = [
      `You are ${worker}, one of several agents on the task queue of this project (command coord, or the MCP server coordination).`,
    ];
    if (board.goal !== undefined) lines.push(`Goal: ${clip(board.goal, 200)}`);
    const held = heldBy(board.tasks, worker);
    if (namesakes.length > 0)
      lines.push(
        `Another live session works as ${worker} too. Tell the user: two of one name get the same task, so one of them needs another COORD_WORKER.`,
      );
    else adopt(call, held);
    for (const task of held.slice(0, 3)) {
      lines.push(
        `You hold ${task.id} until ${formatTime(task.lease_expires_at ?? '')}: ${clip(task.description, 300)}`,
      );
      const root = task.branch === undefined ? undefined : worktreeAbove([dirname(store.location)], task.branch);
      if (root !== undefined) lines.push(`Its worktree, where you work and commit: ${clip(root, 300)}`);
      if (task.context.files.length > 0) lines.push(`Files: ${clip(task.context.files.join(', '), 200)}`);
      if (task.context.hints !== '') lines.push(`Hints: ${clip(task.context.hints, 300)}`);
    }
    if (held.length > 0) lines.push(`Go on with it. Everything about it: coord worker context ${worker}`);
    else if (claimable.length > 0) {
      lines.push(`${plural(counts.claimable, 'task')} can be claimed, first:`);
      for (const task of claimable.slice(0, 5)) lines.push(`  ${task.task_id} ${clip(task.description, 100)}`);
      lines.push(`Claim the next one when you are asked to work: coord worker claim ${worker}`);
    } else lines.push(`Nothing can be claimed now: ${counts.done} of ${counts.total} tasks done.`);
    return { text: visible(lines.join('\n')), json: undefined };
  });
}

/** A claim whose session is gone for good belongs to who goes on under its name, in a terminal of its own. */
function adopt(call: Call, held: readonly Task[]): void {
  const [task] = held;
  if (!task || call.terminal === undefined) return;
  if (call.sessions.isOrphaned(claimOf(task))) remember(call, { claim: claimOf(task) });
}
