/** The doctor's checks of what the board holds: folders, tasks.json, the log of commits, results. */
import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { join, basename } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { DIGESTS } from './commit-digests.ts';
import { setAside, type Patient, type Check } from './doctor-check.ts';
import { parseRevision } from './board-text.ts';
import { replaceFile, namesIn } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import type { Revision, TasksFile } from './tasks-file.ts';
import { Tree } from './tree.ts';
import { scratchName } from './scratch.ts';
import { ResultFiles } from './result-files.ts';
import { nameOf } from '../commit-id.ts';
import { isLive } from '../../model/lifecycle.ts';

export async function checkFolders({ tree }: Patient): Promise<Check> {
  const missing = tree.folders().filter((folder) => !lstatSync(folder, { throwIfNoEntry: false }));
  if (missing.length === 0) return { check: 'folders', ok: true, message: 'all there' };
  const names = missing.map((folder) => folder.slice(tree.root.length + 1)).join(', ');
  return { check: 'folders', ok: false, message: `missing: ${names}`, fix: 'make them', mend: () => tree.create() };
}

export async function checkTasks({ tree, tasks: file }: Patient): Promise<Check> {
  const { head, bytes, content } = await file.look();
  const check = 'tasks.json';
  if (content === 'same')
    return {
      check,
      ok: true,
      message: `revision ${head?.revision}, ${head?.value.tasks.length} tasks, equal to the newest commit`,
    };
  const settle = async (): Promise<void> => {
    await file.settle();
  };
  switch (content.kind) {
    case 'behind':
      return {
        check,
        ok: false,
        message: 'older than the newest commit',
        fix: `write revision ${head?.revision} to it`,
        mend: settle,
      };
    case 'edit':
    case 'newer':
      return {
        check,
        ok: false,
        message: 'edited by hand since the newest commit',
        fix: 'merge the edit',
        mend: settle,
      };
    case 'blank':
      if (!head)
        return {
          check,
          ok: false,
          message: 'missing, and there is no commit to restore it from: coord leader init --force',
        };
      return {
        check,
        ok: false,
        message: 'missing or empty',
        fix: `write revision ${head.revision} to it`,
        mend: settle,
      };
    case 'malformed': {
      const { message } = await content.problem();
      if (!head) return { check, ok: false, message };
      return {
        check,
        ok: false,
        message,
        fix: `move it to rejected/ and write revision ${head.revision} in its place`,
        mend: () => putBack(tree, file, head, bytes),
      };
    }
  }
}

async function putBack(tree: Tree, file: TasksFile, head: Revision, bytes: Buffer | undefined): Promise<void> {
  mkdirSync(tree.rejected, { recursive: true });
  renameSync(tree.tasks, scratchName(tree.rejected, 'tasks-malformed-'));
  // Somebody may have saved a good file in between: settling decides, and publishes the head only where nothing is.
  if (bytes) await file.publish(head, undefined);
  await file.settle();
}

export async function checkLog({ tree, tasks }: Patient): Promise<Check> {
  const { log } = tasks;
  const check = 'log of commits';
  const folder = log.folder();
  const revisions = log.revisions(folder);
  if (folder === undefined || revisions.length === 0)
    return {
      check,
      ok: false,
      message: 'empty',
      fix: 'start it from tasks.json',
      mend: async () => {
        await tasks.settle();
      },
    };
  const bad = revisions.filter((revision) => !isWhole(log.path(folder, revision), revision));
  if (bad.length > 0)
    return {
      check,
      ok: false,
      message: `no revisions: ${bad.join(', ')}`,
      fix: 'move them to rejected/',
      mend: () => {
        for (const revision of bad) setAside(tree, join(folder, nameOf(revision)));
      },
    };
  const known = new Set([...revisions.map(nameOf), DIGESTS]);
  const strange = [
    ...namesIn(folder).filter((name) => !known.has(name)),
    ...namesIn(tree.commits).filter((name) => folder !== tree.commits && name !== basename(folder)),
  ];
  const [first = 0] = revisions;
  const gaps = revisions.filter((revision, i) => revision !== first + i);
  const gap = gaps.length > 0 ? ', with a gap (the log went on from a restored tasks.json)' : '';
  const others = strange.length > 0 ? `; not of coord, and ignored: ${strange.slice(0, 5).join(', ')}` : '';
  return { check, ok: true, message: `revisions ${first} to ${revisions.at(-1)}${gap}${others}` };
}

function isWhole(path: string, revision: number): boolean {
  try {
    const bytes = readIfThere(path);
    if (!bytes) return !lstatSync(path, { throwIfNoEntry: false }); // trimmed meanwhile
    const parsed = parseRevision(bytes, revision, path);
    return parsed !== 'torn' && 'value' in parsed;
  } catch (error) {
    if (error instanceof CoordError && error.code === 'board-unsafe') return false;
    throw error;
  }
}

export async function checkResults({ tree, options, tasks }: Patient): Promise<Check> {
  const check = 'results';
  const files = new ResultFiles(tree, options.durable);
  const pending = files.pending();
  const head = await tasks.log.head();
  if (!head) return { check, ok: true, message: 'no board yet' };
  const unfinished = pending.length;
  const missing = head.value.tasks.filter(
    (task) => task.status === 'done' && !lstatSync(tree.result(task.id), { throwIfNoEntry: false }),
  );
  const isWorkedOn = head.value.tasks.some((task) => isLive(task, options.now()));
  if (unfinished > 0 && !isWorkedOn) {
    return {
      check,
      ok: false,
      message: `${unfinished} handed in by a process that died`,
      fix: 'name those that were accepted, keep the others as refused',
      mend: () => files.finish(head.value, pending),
    };
  }
  if (missing.length === 0) return { check, ok: true, message: 'every done task has its result' };
  return {
    check,
    ok: false,
    message: `no result for ${missing
      .slice(0, 5)
      .map((task) => task.id)
      .join(', ')}${missing.length > 5 ? ` and ${missing.length - 5} more` : ''} (set to done by hand?)`,
    fix: 'write a result that says so',
    mend: () =>
      missing.forEach((task) =>
        replaceFile(tree.result(task.id), 'No result was stored: the task was set to done by hand.\n', {
          scratch: scratchName(tree.tmp),
          durable: options.durable,
        }),
      ),
  };
}
