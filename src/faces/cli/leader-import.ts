/** `coord leader import` and `export`: tasks from other tools, and for them. */
import { resolve } from 'node:path';
import { exportTasks } from '../../formats/export.ts';
import type { ExportFormat } from '../../formats/names.ts';
import type { ImportOptions } from '../../formats/task-file.ts';
import { CoordError } from '../../model/errors.ts';
import { clip, plural, visible } from '../../model/text.ts';
import { exportFile } from '../../store/open.ts';
import { importInto } from '../import-tasks.ts';
import { type Context, type Reply, withStore } from '../io.ts';

/** Tasks shown of a dry run. */
const SHOWN = 20;

export async function importTasks(
  context: Context,
  file: string,
  options: ImportOptions & { dryRun?: boolean },
): Promise<Reply> {
  return withStore(context, async (store) => {
    const { cwd, readStdin } = context.io;
    const isDry = options.dryRun === true;
    const { added, known, skipped, notes, tasks, fresh } = await withPrefixHint(file, () =>
      importInto(store, { cwd, file, readStdin }, { ...options, isDry }),
    );
    const reasons = Object.entries(skipped).map(([reason, count]) => `${count} ${reason}`);
    const named = fresh.length > 0 ? fresh : tasks;
    const range =
      named.length > 2 ? `${named[0]?.id ?? ''} … ${named.at(-1)?.id ?? ''}` : named.map(({ id }) => id).join(', ');
    const head = [
      `${plural(added, 'task')} ${isDry ? 'would be added' : 'added'}`,
      ...(known > 0 ? [`${known} there already`] : []),
      ...(reasons.length > 0 ? [`skipped: ${reasons.join(', ')}`] : []),
    ].join(', ');
    const shown = isDry
      ? fresh
          .slice(0, SHOWN)
          .map(
            (task) =>
              `\n  p${task.priority}  ${visible(clip(task.description))}${task.dependencies.length > 0 ? `, needs ${task.dependencies.join(', ')}` : ''}`,
          )
      : [];
    if (fresh.length > shown.length && isDry) shown.push(`\n  … and ${fresh.length - shown.length} more`);
    return {
      text: `${visible(head)}${!isDry && range !== '' ? `: ${range}` : ''}${shown.join('')}`,
      json: {
        added,
        known,
        skipped,
        ...(isDry ? { dry_run: true } : {}),
        ...(notes.length > 0 ? { notes } : {}),
        tasks: tasks.map(({ id, key, description, priority, dependencies }) => ({
          id,
          ...(key === undefined ? {} : { key }),
          description,
          ...(isDry ? { priority, dependencies } : {}),
        })),
      },
      notes: [
        ...notes,
        ...(added > 0 && !isDry
          ? ['Next: coord leader graph, then start workers: coord prompt worker terminal-2']
          : []),
        ...(isDry && added > 0 ? [`Next: the same without --dry-run`] : []),
      ],
    };
  });
}

/** Two lists that number their items alike do not mean the same. */
async function withPrefixHint<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'key-taken') throw error;
    throw new CoordError(error.code, `${error.message} Nothing was added.`, {
      hint: `coord leader import ${file} --prefix <name>- puts that before every key; or coord leader edit, where it is the same task`,
      cause: error,
    });
  }
}

export async function exportBoard(
  context: Context,
  options: { format: ExportFormat; output?: string },
): Promise<Reply> {
  return withStore(context, async (store) => {
    const board = await store.read();
    const text = await exportTasks(board, options.format);
    const { output } = options;
    if (output === undefined || output === '-')
      return { text: text.replace(/\n$/, ''), json: { format: options.format, tasks: board.tasks.length, text } };
    const path = resolve(context.io.cwd, output);
    await exportFile(path, text, context.openOptions);
    return {
      text: `${plural(board.tasks.length, 'task')} written to ${output}`,
      json: { format: options.format, tasks: board.tasks.length, file: output },
    };
  });
}
