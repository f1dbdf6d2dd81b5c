/** The handlers of `coord leader` that set the goal, look and sum up: words to input, one store verb, answer to words. */
import { relative, resolve } from 'node:path';
import { type Board, expireLastAttempts, findTask } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { InitBoard, WritePlan } from '../../model/inputs.ts';
import { parseInput } from '../../model/parse-input.ts';
import { writeReport } from '../../model/views/report.ts';
import { summarise } from '../../model/views/summary.ts';
import { LISTABLE, type Listable, listTasks, shownStatus } from '../../model/views/listing.ts';
import { clip, visible, visibleDeep } from '../../model/text.ts';
import { exportFile, initStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { untilSettled, waitFor } from '../../store/wait.ts';
import { type Context, pathOfResult, type Reply, textOrStdin, withStore } from '../io.ts';
import { formatTime } from '../durations.ts';
import { EXIT } from './output.ts';
import { countsText, listText, statusText, taskText } from './tables.ts';
import { graphText, type GraphFormat } from './graph-text.ts';

export async function init(
  context: Context,
  goal: string,
  options: { approach?: string; force?: boolean },
): Promise<Reply> {
  const input = parseInput(InitBoard, { goal, approach: options.approach });
  const { store, backup } = await initStore(input, { ...context.openOptions, force: options.force === true });
  const dir = relative(context.io.cwd, store.location) || '.';
  await store.close();
  return {
    text: `Created ${dir}/ for: ${visible(clip(input.goal, 100))}`,
    json: { created: true, dir: store.location, goal: input.goal, backup: backup ?? null },
    notes: [
      ...(backup === undefined ? [] : [`The earlier board is kept in ${relative(context.io.cwd, backup)}/`]),
      'Next: coord leader add-task "<description>" -p 1',
      'Prompts for your Claude Code terminals: coord prompt leader; coord prompt worker terminal-2',
      'Or set them up once for all: coord setup claude',
    ],
  };
}

export async function plan(context: Context, text: string | undefined, options: { append?: boolean }): Promise<Reply> {
  return withStore(context, async (store) => {
    if (text === undefined) {
      const current = await store.readPlan();
      return { text: visible(current.trimEnd()), json: { plan: current } };
    }
    const input = parseInput(WritePlan, { text: await textOrStdin(context, text), append: options.append === true });
    if (input.text.trim() === '')
      throw new CoordError('invalid-input', 'The plan must not be empty.', {
        hint: 'coord leader plan "<text>", or - to read it from stdin',
      });
    const written = await store.writePlan(input);
    return {
      text: `Plan ${options.append ? 'extended' : 'replaced'}: ${written.length} characters`,
      json: { plan: written },
    };
  });
}

export async function status(context: Context, options: { watch?: boolean }): Promise<Reply> {
  return withStore(context, async (store) => {
    if (options.watch) return watchStatus(context, store);
    return statusReply(context, await store.read(), await store.now());
  });
}

function statusReply(context: Context, board: Board, now: string): Reply {
  const summary = summarise(board, now);
  return {
    text: statusText(visibleDeep(summary), now, context.paint, context.io.stdout.columns),
    json: summary,
    notes: board.tasks.length === 0 ? ['Next: coord leader add-task "<description>"'] : [],
  };
}

/** Redraws at every change; on a terminal every few seconds besides, so that the times move. */
async function watchStatus(context: Context, store: Store): Promise<Reply> {
  const { isTTY } = context.io.stdout;
  let drawn = -1;
  return waitFor<Reply>(
    store,
    async () => {
      const board = await store.read();
      if (board.revision === drawn && !isTTY) return { wakeAt: null };
      drawn = board.revision;
      const now = await store.now();
      const reply = statusReply(context, board, now);
      // Home, then clear to the end of the screen: without the flicker of clearing first.
      const footer = context.paint.dim(`${formatTime(now)}, Ctrl-C to end`);
      context.print({ ...reply, text: isTTY ? `\u001b[H\u001b[J${reply.text}\n${footer}` : `${reply.text}\n` });
      return { wakeAt: null };
    },
    { signal: context.io.signal },
  );
}

export async function list(
  context: Context,
  options: { status?: string; tag?: string; limit: number },
): Promise<Reply> {
  return withStore(context, async (store) => {
    const wanted = options.status;
    if (wanted !== undefined && !isListable(wanted)) {
      throw new CoordError('invalid-input', `--status: "${wanted}" is no status.`, {
        hint: `One of ${LISTABLE.join(', ')}.`,
      });
    }
    const board = await store.read();
    const found = listTasks(
      board,
      {
        ...(wanted === undefined ? {} : { status: wanted }),
        ...(options.tag === undefined ? {} : { tag: options.tag }),
      },
      await store.now(),
    );
    const rows = found.slice(0, options.limit);
    const more = found.length - rows.length;
    return {
      text:
        rows.length === 0
          ? board.tasks.length === 0
            ? 'No task yet.'
            : 'No such task.'
          : listText(visibleDeep(rows), context.paint, context.io.stdout.isTTY ? context.io.stdout.columns : 100),
      json: { total: found.length, tasks: rows.map(({ task }) => task) },
      notes: more > 0 ? [`${more} more: --limit ${found.length}, or --status and --tag`] : [],
    };
  });
}

function isListable(word: string): word is Listable {
  return (LISTABLE as readonly string[]).includes(word);
}

export async function show(context: Context, id: string): Promise<Reply> {
  return withStore(context, async (store) => {
    const { board } = expireLastAttempts(await store.read(), await store.now());
    const task = findTask(board, id);
    const [result] = await store.results([task.id]);
    const dependants = board.tasks.filter((other) => other.dependencies.includes(task.id)).map((other) => other.id);
    const resultPath = result && pathOfResult(context, store)(task.id);
    return {
      text: taskText(visibleDeep(task), shownStatus(board)(task), { resultPath, dependants }, context.paint),
      json: { task, dependants, result: result ?? null },
    };
  });
}

export async function graph(context: Context, options: { format: GraphFormat }): Promise<Reply> {
  return withStore(context, async (store) => {
    const { board } = expireLastAttempts(await store.read(), await store.now());
    const shownOf = shownStatus(board);
    const edges = board.tasks.flatMap((task) => task.dependencies.map((id) => ({ from: id, to: task.id })));
    return {
      text:
        board.tasks.length === 0
          ? 'No task yet.'
          : graphText(visibleDeep(board), shownOf, options.format, context.paint),
      json: {
        tasks: board.tasks.map((task) => ({ id: task.id, status: shownOf(task), description: task.description })),
        edges,
      },
    };
  });
}

export async function wait(context: Context, options: { timeout?: number }): Promise<Reply> {
  return withStore(context, async (store) => {
    const board = await untilSettled(store, { signal: context.io.signal, timeoutMs: options.timeout });
    const { counts } = summarise(board, await store.now());
    const isStuck = counts.stuck > 0;
    return {
      text: `${isStuck ? 'stuck' : 'settled'}: ${countsText(counts)}`,
      json: { settled: !isStuck, counts },
      notes: [isStuck ? 'Next: coord leader status shows what is stuck and why' : 'Next: coord leader aggregate'],
      exitCode: isStuck || counts.failed > 0 ? EXIT.error : EXIT.done,
    };
  });
}

export async function aggregate(context: Context, options: { output?: string }): Promise<Reply> {
  return withStore(context, async (store) => {
    const [board, now] = [await store.read(), await store.now()];
    const report = writeReport(board, await store.results(), await store.discoveries(), now);
    const { counts } = summarise(board, now);
    if (options.output === '-') return { text: visible(report.trimEnd()), json: { counts, summary: report } };
    const path = await writeReportTo(context, store, report, options.output);
    const shown = relative(context.io.cwd, path);
    const notes =
      counts.total > counts.done + counts.failed + counts.cancelled
        ? ['Some tasks are still open; aggregate again when they are settled.']
        : [];
    return { text: `${visible(shown)} written: ${countsText(counts)}`, json: { path, counts }, notes };
  });
}

/** Into summary.md, or wherever the caller wants it. @returns the path */
async function writeReportTo(
  context: Context,
  store: Store,
  report: string,
  output: string | undefined,
): Promise<string> {
  if (output === undefined) return store.where(await store.writeSummary(report)) ?? 'summary.md';
  const path = resolve(context.io.cwd, output);
  await exportFile(path, report, context.openOptions);
  return path;
}
