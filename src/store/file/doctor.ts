/** Examines a tree: whether everything in it is as the protocol wants it, and what would put it right. */
import { linkSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isExpired } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import type { Finding } from '../store.ts';
import {
  explainErrno,
  isLinkUnsupported,
  namesIn,
  orAbsent,
  readIfThere,
  removeIfThere,
  replaceFile,
  scratchName,
  touch,
} from './atomic.ts';
import type { FileOptions } from './backend.ts';
import { parseBytes } from './board-text.ts';
import { CommitLog, type Revision } from './commit-log.ts';
import { FileDocuments } from './documents.ts';
import { STALE_MS, withLock } from './lock.ts';
import { DISPLACED, TasksFile } from './tasks-file.ts';
import type { Tree } from './tree.ts';
import { watchBell } from './watch.ts';

/** A finding with the means to mend it. */
type Check = Finding & { mend?: () => Promise<void> | void };

/**
 * Every check, in the order in which they depend on each other. Without `fix` only scratch files come and go.
 *
 * @param fix  mend what can be mended, under the lock
 */
export async function examineTree(tree: Tree, options: FileOptions, fix: boolean): Promise<Finding[]> {
  const checks = [
    checkFolders,
    checkTasks,
    checkLog,
    checkResults,
    checkLock,
    checkRejected,
    checkScratch,
    checkLinks,
    checkWatching,
  ];
  const findings: Finding[] = [];
  for (const check of checks) {
    try {
      const { mend, ...finding } = await check(tree, options);
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

async function checkFolders(tree: Tree): Promise<Check> {
  const missing = tree.folders().filter((folder) => !orAbsent(() => statSync(folder))?.isDirectory());
  if (missing.length === 0) return { check: 'folders', ok: true, message: 'all there' };
  const names = missing.map((folder) => folder.slice(tree.root.length + 1)).join(', ');
  return { check: 'folders', ok: false, message: `missing: ${names}`, fix: 'make them', mend: () => tree.create() };
}

async function checkTasks(tree: Tree, options: FileOptions): Promise<Check> {
  const log = new CommitLog(tree.commits, options);
  const file = new TasksFile(tree, log, options);
  const { head, bytes, content } = await file.look();
  const check = 'tasks.json';
  if (content === 'same')
    return {
      check,
      ok: true,
      message: `revision ${head?.revision}, ${head?.board.tasks.length} tasks, equal to the newest commit`,
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
  renameSync(tree.tasks, join(tree.rejected, `tasks-malformed-${Date.now()}.json`));
  // Somebody may have saved a good file in between: settling decides, and publishes the head only where nothing is.
  if (bytes) await file.publish(head.revision, undefined);
  await file.settle();
}

async function checkLog(tree: Tree, options: FileOptions): Promise<Check> {
  const log = new CommitLog(tree.commits, options);
  const revisions = log.revisions();
  const check = 'log of commits';
  const torn = namesIn(tree.commits).filter((name) => name.endsWith('.torn'));
  const bad = revisions.filter((revision) => !isWhole(log.path(revision), revision));
  const [first = 0] = revisions;
  const gaps = revisions.filter((revision, i) => revision !== first + i);
  if (revisions.length === 0)
    return {
      check,
      ok: false,
      message: 'empty',
      fix: 'start it from tasks.json',
      mend: async () => {
        await new TasksFile(tree, log, options).settle();
      },
    };
  if (bad.length > 0)
    return {
      check,
      ok: false,
      message: `unreadable: revision ${bad.join(', ')}`,
      fix: 'remove them',
      mend: () => bad.forEach((revision) => removeIfThere(log.path(revision))),
    };
  if (torn.length > 0) {
    return {
      check,
      ok: false,
      message: `${torn.length} cut short by a crash, never acknowledged`,
      fix: 'remove them',
      mend: () => torn.forEach((name) => removeIfThere(join(tree.commits, name))),
    };
  }
  const gap = gaps.length > 0 ? ', with a gap (the log went on from a restored tasks.json)' : '';
  return { check, ok: true, message: `revisions ${first} to ${revisions.at(-1)}${gap}` };
}

function isWhole(path: string, revision: number): boolean {
  const bytes = readIfThere(path);
  if (!bytes) return true; // trimmed meanwhile
  try {
    return parseBytes(bytes).revision === revision;
  } catch {
    return false;
  }
}

async function checkResults(tree: Tree, options: FileOptions): Promise<Check> {
  const check = 'results';
  const head = new CommitLog(tree.commits, options).head();
  if (!head) return { check, ok: true, message: 'no board yet' };
  const documents = new FileDocuments(tree, options);
  const unfinished = namesIn(tree.pending).length;
  const missing = head.board.tasks.filter(
    (task) => task.status === 'done' && !orAbsent(() => statSync(tree.result(task.id))),
  );
  const isLive = head.board.tasks.some((task) => task.status === 'claimed' && !isExpired(task, options.now()));
  if (unfinished > 0 && !isLive) {
    return {
      check,
      ok: false,
      message: `${unfinished} handed in by a process that died`,
      fix: 'name those that were accepted, keep the others as refused',
      mend: () => documents.finishResults(head.board),
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
        replaceFile(
          tree.result(task.id),
          'No result was stored: the task was set to done by hand.\n',
          tree.tmp,
          options.durable,
        ),
      ),
  };
}

async function checkLock(tree: Tree): Promise<Check> {
  const stat = orAbsent(() => statSync(tree.lock));
  if (!stat) return { check: 'lock', ok: true, message: 'free' };
  const age = Date.now() - stat.mtimeMs;
  if (age < STALE_MS) return { check: 'lock', ok: true, message: 'held by a command that is at work' };
  return {
    check: 'lock',
    ok: false,
    message: `left behind ${Math.round(age / 1000)} s ago by a process that died (harmless: the next command takes it over)`,
    fix: 'remove it',
    mend: () => rmSync(tree.lock, { recursive: true, force: true }),
  };
}

async function checkRejected(tree: Tree): Promise<Check> {
  const names = namesIn(tree.rejected);
  const message =
    names.length === 0
      ? 'none rejected'
      : `${names.length} kept in rejected/: compare them with tasks.json, then delete them`;
  return { check: 'hand edits', ok: true, message };
}

async function checkScratch(tree: Tree): Promise<Check> {
  const old = namesIn(tree.tmp)
    .filter((name) => !name.startsWith(DISPLACED))
    .filter((name) => Date.now() - (orAbsent(() => statSync(join(tree.tmp, name)))?.mtimeMs ?? Date.now()) > 60_000);
  if (old.length === 0) return { check: 'scratch files', ok: true, message: 'none left behind' };
  return {
    check: 'scratch files',
    ok: false,
    message: `${old.length} left behind by crashes`,
    fix: 'remove them',
    mend: () => old.forEach((name) => removeIfThere(join(tree.tmp, name))),
  };
}

async function checkLinks(tree: Tree): Promise<Check> {
  const check = 'hard links';
  const from = scratchName(tree.tmp);
  const to = scratchName(tree.tmp);
  mkdirSync(tree.tmp, { recursive: true });
  writeFileSync(from, '');
  try {
    linkSync(from, to);
    return { check, ok: true, message: 'work here' };
  } catch (error) {
    if (!isLinkUnsupported(error)) throw error;
    return { check, ok: true, message: 'do not exist here; commits use exclusive creation instead' };
  } finally {
    removeIfThere(from);
    removeIfThere(to);
  }
}

/** How long an event may take before watching counts as impossible; it takes milliseconds where it works. */
const WATCH_MS = 3000;

async function checkWatching(tree: Tree, options: FileOptions): Promise<Check> {
  const check = 'watching';
  const ending = new AbortController();
  const bell = scratchName(tree.tmp);
  const events = watchBell(bell, { poll: options.poll, signal: ending.signal });
  try {
    await events.next(); // the watcher stands
    const seen = events.next();
    touch(bell);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), WATCH_MS)));
    const isSeen = await Promise.race([seen.then(() => true), tooLate]);
    clearTimeout(timer);
    if (isSeen)
      return { check, ok: true, message: options.poll ? 'works by polling (COORD_WATCH=poll)' : 'works here' };
    return {
      check,
      ok: false,
      message:
        'the file system reports no changes: set COORD_WATCH=poll, or waiting workers notice tasks up to 5 s late',
    };
  } finally {
    ending.abort();
    await events.return(undefined);
    removeIfThere(bell);
  }
}
