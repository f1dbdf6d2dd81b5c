/** The handlers of `coord leader` that set the goal, look and sum up: words to input, one store verb, answer to words. */
import { isAbsolute, relative, resolve } from 'node:path';
import { type Board, expireLastAttempts, findTask } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { protectedOf } from '../../model/gate.ts';
import { InitBoard, WritePlan } from '../../model/inputs.ts';
import { parseInput } from '../../model/parse-input.ts';
import { writeReport, type Result } from '../../model/views/report.ts';
import { summarise } from '../../model/views/summary.ts';
import { LISTABLE, type Listable, listTasks, shownStatus, sortListed } from '../../model/views/listing.ts';
import { clip, visible, visibleDeep, quoted } from '../../model/text.ts';
import { exportFile, initStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { waitFor } from '../../store/wait.ts';
import { type Context, isAgent, pathOfResult, type Reply, textOrStdin, withStore } from '../io.ts';
import { formatTime } from '../durations.ts';
import { quotedWord } from './hints.ts';
import { inboxNote, leads, seen } from './leader-session.ts';
import { countsText, listText, statusText, taskText } from './tables.ts';
import type { DefaultOptions } from './checks.ts';
import type { WorktreeOptions } from './worktrees.ts';
import type { Worktrees } from '../../model/worktrees.ts';
import { edgesOf, graphText, type GraphFormat } from './graph-text.ts';
import type { Sort } from '../../model/limits.ts';
import { timelineText, type TimelineFormat } from './timeline-text.ts';
import { timelineOf } from '../../model/views/timeline.ts';
import { fitLine } from './width.ts';

export async function init(
  context: Context,
  goal: string,
  options: { approach?: string; force?: boolean; store?: string; board?: string } & DefaultOptions & WorktreeOptions,
): Promise<Reply> {
  if (options.store !== undefined && isAgent(context.io))
    throw new CoordError('not-allowed', 'Where the board is kept is for a person to say.');
  const { allowTyped, commandsIn, defaultFields } = await import('./checks.ts');
  const fields = { goal, approach: options.approach, ...defaultFields(options) };
  parseInput(InitBoard, fields); // before a branch is made for it
  const worktrees = await worktreesOfNew(context, options);
  const input = parseInput(InitBoard, { ...fields, ...(worktrees ? { worktrees } : {}) });
  const { store, backup, address } = await initStore(input, {
    ...context.openOptions,
    force: options.force === true,
    store: options.store,
    board: options.board,
  });
  const dir = relative(context.io.cwd, store.location) || '.';
  const unallowed = await allowTyped(context, store, commandsIn(options));
  await leads(context, store);
  await store.close();
  return {
    text: `Created ${dir}/ for: ${visible(clip(input.goal, 100))}`,
    json: { created: true, dir: store.location, goal: input.goal, backup: backup ?? null },
    notes: [
      ...(worktrees
        ? [`What is handed in lands on ${worktrees.branch}: coord leader publish brings your branch there.`]
        : []),
      ...unallowed,
      ...(backup === undefined ? [] : [keptText(context, backup)]),
      ...(address === undefined
        ? []
        : [`On every other machine, in the project: coord store connect ${quotedWord(address)}`]),
      'Next: coord leader add-task "<description>" -p 1',
      'Prompts for your Claude Code terminals: coord prompt leader; coord prompt worker terminal-2',
      'Or set them up once for all: coord setup claude',
    ],
  };
}

/** Where an earlier board went: a folder, or a name on the server. */
function keptText(context: Context, backup: string): string {
  return isAbsolute(backup)
    ? `The earlier board is kept in ${relative(context.io.cwd, backup)}/`
    : `The earlier board is kept on the server, as ${backup}; who was led to it sees the new one.`;
}

/** Only who asks for them loads what they need. */
async function worktreesOfNew(context: Context, options: WorktreeOptions): Promise<Worktrees | undefined> {
  const isAsked = [options.worktrees, options.branch, options.setup, options.remote].some((one) => one !== undefined);
  if (!isAsked) return undefined;
  const { beginWorktreesOfNew } = await import('./worktrees.ts');
  return beginWorktreesOfNew(context, options);
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
    const [board, now] = [await store.read(), await store.now()];
    const reply = statusReply(context, board, now);
    await seen(context, board, now);
    return { ...reply, notes: [...(reply.notes ?? []), ...(await inboxNote(store))] };
  });
}

/** What is read by a program is never cut. */
function columnsOf({ io: { stdout } }: Context): number {
  return stdout.isTTY ? stdout.columns : Infinity;
}

function statusReply(context: Context, board: Board, now: string): Reply {
  const summary = summarise(board, now);
  return {
    text: statusText(visibleDeep(summary), now, context.paint, columnsOf(context), context.io.stdout.isTTY),
    json: summary,
    notes:
      board.moved_to !== undefined
        ? [`This board has moved to ${visible(board.moved_to)}: nothing changes here any more.`]
        : board.tasks.length === 0
          ? ['Next: coord leader add-task "<description>"']
          : [],
  };
}

/** The screen that editors use, so that what stood there comes back; and home, cleared. */
const OTHER_SCREEN = '\u001b[?1049h';
const OWN_SCREEN = '\u001b[?1049l';
const HOME = '\u001b[H\u001b[J';
/** How often the times move on a terminal. */
const TICK_MS = 5000;

/** Shows the board again at every change; on a terminal also when its size changes, and as time passes. */
async function watchStatus(context: Context, store: Store): Promise<Reply> {
  const { stdout, signal } = context.io;
  const { isTTY } = stdout;
  let drawn = -1;
  const draw = async (): Promise<void> => {
    const board = await store.read();
    if (board.revision === drawn && !isTTY) return;
    drawn = board.revision;
    const now = await store.now();
    const reply = statusReply(context, board, now);
    if (!isTTY || context.json) return context.print({ ...reply, text: `${reply.text}\n` });
    const lines = reply.text.split('\n');
    const room = Math.max(1, stdout.rows - 2);
    const shown =
      lines.length > room
        ? [...lines.slice(0, room - 1), context.paint.dim(`and ${lines.length - room + 1} more lines`)]
        : lines;
    const footer = context.paint.dim(`${formatTime(now)}, Ctrl-C to end`);
    stdout.write(HOME + [...shown, footer].map((line) => fitLine(line, stdout.columns)).join('\n'));
  };
  if (!isTTY || context.json) return waitFor<Reply>(store, async () => (await draw(), { wakeAt: null }), { signal });
  stdout.write(OTHER_SCREEN);
  const redraw = (): void => void draw().catch(() => {}); // the next change tries again, and says why not
  const forget = stdout.onResize(redraw);
  const timer = setInterval(redraw, TICK_MS);
  try {
    return await waitFor<Reply>(store, async () => (await draw(), { wakeAt: null }), { signal });
  } finally {
    clearInterval(timer);
    forget();
    stdout.write(OWN_SCREEN);
  }
}

export async function list(
  context: Context,
  options: {
    status?: string[];
    tag?: string;
    worker?: string;
    search?: string;
    sort?: Sort;
    limit: number;
    all?: boolean;
    archived?: boolean;
  },
): Promise<Reply> {
  return withStore(context, async (store) => {
    const statuses = options.status?.map((wanted) => {
      if (isListable(wanted)) return wanted;
      throw new CoordError('invalid-input', `--status: "${wanted}" is no status.`, {
        hint: `One of ${LISTABLE.join(', ')}.`,
      });
    });
    const board = await store.read();
    const { tag, worker, search } = options;
    const listed = options.archived === true ? { ...board, tasks: await store.archived() } : board;
    const found = listTasks(listed, { statuses, tag, worker, search }, await store.now());
    const sorted = options.sort === undefined ? found : sortListed(found, options.sort);
    const rows = options.all === true ? sorted : sorted.slice(0, options.limit);
    const more = found.length - rows.length;
    return {
      text:
        rows.length === 0
          ? board.tasks.length === 0
            ? 'No task yet.'
            : 'No such task.'
          : listText(visibleDeep(rows), context.paint, columnsOf(context)),
      json: {
        total: found.length,
        truncated: more > 0,
        tasks: rows.map(({ task, shown }) => ({ ...task, state: shown })),
      },
      notes: more > 0 ? [`${more} more: --all, or --status, --tag, --worker and --search`] : [],
    };
  });
}

function isListable(word: string): word is Listable {
  return (LISTABLE as readonly string[]).includes(word);
}

export async function show(context: Context, id: string): Promise<Reply> {
  return withStore(context, async (store) => {
    const now = await store.now();
    const { board } = expireLastAttempts(await store.read(), now);
    const archived = board.tasks.some((one) => one.id === id) ? [] : await store.archived();
    const task = archived.find((one) => one.id === id) ?? findTask(board, id);
    const [[result], late] = await Promise.all([store.results([task.id]), store.late(task.id)]);
    const dependants = board.tasks.filter((other) => other.dependencies.includes(task.id)).map((other) => other.id);
    const resultPath = result && pathOfResult(context, store)(task.id);
    const guarded = protectedOf(board, task.evidence?.files ?? []);
    const parts = { resultPath, dependants, guarded: guarded.map(visible), now };
    const text = taskText(visibleDeep(task), shownStatus(board, now)(task), parts, context.paint);
    return {
      text: result ? [text, '', ...resultLines(result)].join('\n') : text,
      json: { task, dependants, result: result ?? null, late: late.map(({ name, worker }) => ({ name, worker })) },
      notes: (task.status === 'done' ? [] : late).map(
        ({ name, worker }) => `A result of ${worker} came too late: coord leader accept ${task.id} ${name} takes it`,
      ),
    };
  });
}

/** Lines shown of a result; its file has the rest. */
const RESULT_CHARACTERS = 2000;

function resultLines({ output, files_modified, files_created }: Result): string[] {
  const files = [...files_modified.map((file) => `M ${file}`), ...files_created.map((file) => `A ${file}`)];
  return [
    ...quoted(visible(output.trim()), RESULT_CHARACTERS, ' … (the file has all of it)'),
    ...files.map((file) => visible(file)),
  ];
}

/** The last of a list, and how to see what was left out. */
function newest<T>(all: readonly T[], limit: number): { shown: T[]; truncated: boolean; notes: string[] } {
  const shown = all.slice(-limit);
  const more = all.length - shown.length;
  return { shown, truncated: more > 0, notes: more > 0 ? [`${more} older: --limit ${all.length}`] : [] };
}

export async function results(context: Context, ids: string[], options: { limit: number }): Promise<Reply> {
  return withStore(context, async (store) => {
    const board = await store.read();
    const archived = await store.archived();
    const descriptions = new Map([...archived, ...board.tasks].map((task) => [task.id, task.description]));
    for (const id of ids) if (!descriptions.has(id)) findTask(board, id);
    const all = await store.results(ids.length > 0 ? ids : undefined);
    const { shown, truncated, notes } = newest(all, options.limit);
    return {
      text:
        shown.length === 0
          ? 'No result yet.'
          : shown
              .map((result) =>
                [
                  `${context.paint.bold(result.task_id)} ${visible(clip(descriptions.get(result.task_id) ?? ''))}, by ${result.worker}${result.completed_at === null ? '' : `, ${formatTime(result.completed_at)}`}`,
                  ...resultLines(result),
                ].join('\n'),
              )
              .join('\n\n'),
      json: { total: all.length, truncated, results: shown },
      notes,
    };
  });
}

export async function discoveries(
  context: Context,
  options: { tag?: string; search?: string; limit: number },
): Promise<Reply> {
  return withStore(context, async (store) => {
    const search = options.search?.toLowerCase();
    const all = (await store.discoveries()).filter(
      ({ content, tags }) =>
        (options.tag === undefined || tags.includes(options.tag)) &&
        (search === undefined || content.toLowerCase().includes(search)),
    );
    const { shown, truncated, notes } = newest(all, options.limit);
    return {
      text:
        shown.length === 0
          ? 'No discovery yet.'
          : shown
              .map((found) => {
                const about = [
                  ...found.tags.map((tag) => `#${tag}`),
                  ...(found.task_id === null ? [] : [found.task_id]),
                ];
                return `${context.paint.dim(formatTime(found.created_at))} ${context.paint.cyan(found.worker)}${about.length > 0 ? ` (${about.join(', ')})` : ''}: ${visible(found.content)}`;
              })
              .join('\n'),
      json: { total: all.length, truncated, discoveries: shown },
      notes,
    };
  });
}

export async function graph(context: Context, options: { format: GraphFormat }): Promise<Reply> {
  return withStore(context, async (store) => {
    const { board } = expireLastAttempts(await store.read(), await store.now());
    const shownOf = shownStatus(board, await store.now());
    const edges = edgesOf(board.tasks);
    return {
      text:
        board.tasks.length === 0
          ? 'No task yet.'
          : graphText(visibleDeep(board), shownOf, options.format, context.paint, columnsOf(context)),
      json: {
        tasks: board.tasks.map((task) => ({ id: task.id, status: shownOf(task), description: task.description })),
        edges,
      },
    };
  });
}

export async function timeline(context: Context, options: { format: TimelineFormat }): Promise<Reply> {
  return withStore(context, async (store) => {
    const found = timelineOf(await store.log(), await store.now());
    return {
      text: found
        ? timelineText(found, options.format, context.paint, columnsOf(context))
        : 'Nobody has claimed a task yet.',
      json: found ?? { from: null, to: null, lanes: [] },
    };
  });
}

export async function aggregate(context: Context, options: { output?: string }): Promise<Reply> {
  return withStore(context, async (store) => {
    const [board, now] = [await store.read(), await store.now()];
    const whole = { ...board, tasks: [...(await store.archived()), ...board.tasks] };
    const report = writeReport(whole, await store.results(), await store.discoveries(), now, await store.log());
    const { counts } = summarise(whole, now);
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
