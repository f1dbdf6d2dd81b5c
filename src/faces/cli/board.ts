/** The handlers that belong to nobody in particular: log, doctor, prompt, completion. */
import { findTask } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { Claim } from '../../model/inputs.ts';
import { parseInput } from '../../model/parse-input.ts';
import { handoffPrompt, leaderPrompt, workerPrompt } from '../prompts.ts';
import type { LogEntry } from '../../model/views/report.ts';
import { visible, visibleDeep } from '../../model/text.ts';
import { examine, openStore } from '../../store/open.ts';
import type { Finding } from '../../store/store.ts';
import { waitFor } from '../../store/wait.ts';
import { type Context, type Reply, withStore } from '../io.ts';
import { EXIT } from './output.ts';
import { logText } from './tables.ts';
import { lastChangeOf } from '../../model/undo.ts';

export async function log(
  context: Context,
  options: { follow?: boolean; agent?: string; task?: string; limit: number },
): Promise<Reply> {
  return withStore(context, async (store) => {
    const board = await store.read();
    if (options.task !== undefined) findTask(board, options.task);
    const matching = async (): Promise<LogEntry[]> =>
      (await store.log()).filter(
        (entry) =>
          (options.agent === undefined || entry.agent === options.agent) &&
          (options.task === undefined || entry.task_id === options.task),
      );
    const entries = await matching();
    const shown = entries.slice(-options.limit);
    const text = (list: LogEntry[]): string =>
      list.map((entry) => logText(visibleDeep(entry), context.paint)).join('\n');
    if (options.follow !== true) {
      const more = entries.length - shown.length;
      const change = lastChangeOf(board);
      const last = change?.final === true ? undefined : change;
      return {
        text: shown.length === 0 ? 'Nothing yet.' : text(shown),
        json: { total: entries.length, entries: shown, undo: last?.what ?? null },
        notes: [
          ...(more > 0 ? [`${more} older: --limit ${entries.length}`] : []),
          ...(last ? [`coord leader undo takes back: ${last.what}`] : []),
        ],
      };
    }
    // By line, not by count: what another process logs late may belong before what was shown.
    const printed = new Map<string, number>();
    for (const entry of entries.slice(0, -options.limit)) count(printed, entry);
    return waitFor<Reply>(
      store,
      async () => {
        const found = new Map<string, number>();
        for (const entry of await matching()) {
          if (count(found, entry) <= (printed.get(JSON.stringify(entry)) ?? 0)) continue;
          count(printed, entry);
          context.print({ text: text([entry]), json: entry });
        }
        return { wakeAt: null };
      },
      { signal: context.io.signal },
    );
  });
}

function count(seen: Map<string, number>, entry: LogEntry): number {
  const key = JSON.stringify(entry);
  const times = (seen.get(key) ?? 0) + 1;
  seen.set(key, times);
  return times;
}

export async function doctor(context: Context, options: { fix?: boolean }): Promise<Reply> {
  const findings = [
    ...(await examine(context.openOptions, options.fix === true)),
    ...(await worktreeFindings(context, options.fix === true)),
  ];
  const open = findings.filter((finding) => !finding.ok && !finding.fixed);
  const fixable = open.filter((finding) => finding.fix !== undefined);
  return {
    text: findings
      .map((finding) => {
        const mark = finding.ok
          ? context.paint.green('ok  ')
          : finding.fixed
            ? context.paint.yellow('done')
            : context.paint.red('BAD ');
        const fix =
          finding.ok || finding.fix === undefined
            ? ''
            : finding.fixed
              ? `\n       fixed: ${finding.fix}`
              : `\n       --fix would: ${finding.fix}`;
        return `${mark} ${finding.check}: ${visible(finding.message)}${fix}`;
      })
      .join('\n'),
    json: { healthy: open.length === 0, findings },
    notes: fixable.length > 0 && options.fix !== true ? ['Next: coord doctor --fix'] : [],
    exitCode: open.length === 0 ? EXIT.done : EXIT.error,
  };
}

/** Of a board that can be read: what is wrong with another is said already. */
async function worktreeFindings(context: Context, fix: boolean): Promise<Finding[]> {
  const store = openStore(context.openOptions);
  try {
    const board = await store.read();
    if (!board.defaults?.worktrees) return [];
    const [{ examineWorktrees }, { openWorktrees }] = await Promise.all([
      import('../../work/examine.ts'),
      import('../../work/worktrees.ts'),
    ]);
    const worktrees = await openWorktrees(store, board, context.io.cwd, context.io.env);
    return await examineWorktrees(worktrees, store, fix);
  } catch (error) {
    if (!(error instanceof CoordError)) throw error;
    return error.code === 'git-failed' ? [{ check: 'worktrees', ok: false, message: error.message }] : [];
  } finally {
    await store.close();
  }
}

export async function prompt(context: Context, role: string, name: string | undefined): Promise<Reply> {
  if (role === 'leader') {
    const goal = await goalOfBoard(context);
    const text = leaderPrompt(goal);
    return { text: text.trimEnd(), json: { role, prompt: text } };
  }
  if (role === 'handoff') {
    if (name === undefined)
      throw new CoordError('usage', 'A handoff needs a task.', { hint: 'coord prompt handoff task-001' });
    const task = findTask(await withStore(context, (store) => store.read()), name);
    const text = handoffPrompt(task.id);
    return { text: text.trimEnd(), json: { role, task_id: task.id, prompt: text } };
  }
  if (role !== 'worker')
    throw new CoordError('usage', `There is no prompt for "${role}".`, {
      hint: 'coord prompt leader, or coord prompt worker terminal-2',
    });
  if (name === undefined)
    throw new CoordError('usage', 'A worker needs a name.', { hint: 'coord prompt worker terminal-2' });
  const { worker } = parseInput(Claim, { worker: name });
  const text = workerPrompt(worker);
  return { text: text.trimEnd(), json: { role, worker, prompt: text } };
}

/** The goal where there is a board; the prompt asks for it where there is none. */
async function goalOfBoard(context: Context): Promise<string | undefined> {
  try {
    return visibleDeep((await withStore(context, (store) => store.read())).goal);
  } catch (error) {
    if (error instanceof CoordError && error.code === 'not-initialised') return undefined;
    throw error;
  }
}
