/** Examines a tree: whether everything in it is as the protocol wants it, and what would put it right. */
import { linkSync, lstatSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isExpired } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import type { Finding } from '../store.ts';
import { moveIfThere, namesIn, readIfThere, removeIfThere, replaceFile, touch } from './atomic.ts';
import { boardClock, clockSkew, type FileOptions } from './backend.ts';
import { parseRevision } from './board-text.ts';
import { DIGESTS, nameOf } from './commit-log.ts';
import { FileDocuments } from './documents.ts';
import { explainErrno, isLinkUnsupported } from './errno.ts';
import { checkTree } from './guard.ts';
import { STALE_MS, withLock } from './lock.ts';
import { fileSystemTime, removeScratch, scratchIn, scratchName } from './scratch.ts';
import { type Revision, TasksFile } from './tasks-file.ts';
import type { Tree } from './tree.ts';
import { watchBell } from './watch.ts';

/** What a check may need. */
interface Patient {
  tree: Tree;
  options: FileOptions & { now: () => string };
  tasks: TasksFile;
}

/** A finding with the means to mend it. */
type Check = Finding & { mend?: () => Promise<void> | void };

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

async function checkFolders({ tree }: Patient): Promise<Check> {
  const missing = tree.folders().filter((folder) => !lstatSync(folder, { throwIfNoEntry: false }));
  if (missing.length === 0) return { check: 'folders', ok: true, message: 'all there' };
  const names = missing.map((folder) => folder.slice(tree.root.length + 1)).join(', ');
  return { check: 'folders', ok: false, message: `missing: ${names}`, fix: 'make them', mend: () => tree.create() };
}

async function checkTasks({ tree, tasks: file }: Patient): Promise<Check> {
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

async function checkLog({ tree, tasks }: Patient): Promise<Check> {
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

function setAside(tree: Tree, path: string, prefix = 'commit-'): void {
  mkdirSync(tree.rejected, { recursive: true });
  moveIfThere(path, scratchName(tree.rejected, prefix));
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

async function checkResults({ tree, options, tasks }: Patient): Promise<Check> {
  const check = 'results';
  const head = await tasks.log.head();
  if (!head) return { check, ok: true, message: 'no board yet' };
  const documents = new FileDocuments(tree, options, async () => false);
  const unfinished = namesIn(tree.pending).length;
  const missing = head.value.tasks.filter(
    (task) => task.status === 'done' && !lstatSync(tree.result(task.id), { throwIfNoEntry: false }),
  );
  const isLive = head.value.tasks.some((task) => task.status === 'claimed' && !isExpired(task, options.now()));
  if (unfinished > 0 && !isLive) {
    return {
      check,
      ok: false,
      message: `${unfinished} handed in by a process that died`,
      fix: 'name those that were accepted, keep the others as refused',
      mend: () => documents.finishResults(head.value),
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

async function checkLock({ tree }: Patient): Promise<Check> {
  const check = 'lock';
  const stat = lstatSync(tree.lock, { throwIfNoEntry: false });
  if (!stat) return { check, ok: true, message: 'free' };
  if (!stat.isDirectory() || namesIn(tree.lock).length > 0)
    return {
      check,
      ok: false,
      message: 'something else stands in its place, and writers do without it',
      fix: 'move it to rejected/',
      mend: () => setAside(tree, tree.lock, 'lock-'),
    };
  const age = fileSystemTime(tree.tmp) - stat.mtimeMs;
  if (age < STALE_MS) return { check, ok: true, message: 'held by a command that is at work' };
  const message = `left behind ${Math.round(age / 1000)} s ago by a process that died; the next command takes it over`;
  return { check, ok: true, message };
}

async function checkRejected({ tree }: Patient): Promise<Check> {
  const names = namesIn(tree.rejected).filter((name) => name.startsWith('tasks-'));
  const message =
    names.length === 0
      ? 'none rejected'
      : `${names.length} kept in rejected/: compare them with tasks.json, then delete them`;
  return { check: 'hand edits', ok: true, message };
}

async function checkScratch({ tree, options, tasks }: Patient): Promise<Check> {
  const check = 'scratch files';
  const left = scratchIn(tree.tmp, Date.parse(options.now())).filter(
    // Each commit leaves the tasks.json before it for the next to remove.
    (file) => file.isLeft && file.age > MINUTE_MS && (!file.isDisplaced || tasks.isTouched(file)),
  );
  if (left.length === 0) return { check, ok: true, message: 'none left behind' };
  return {
    check,
    ok: false,
    message: `${left.length} left behind by crashes`,
    fix: 'remove them',
    mend: async () => {
      await tasks.sweep(); // what may hold somebody's edit is merged first
      for (const file of left) removeScratch(file.path);
    },
  };
}

async function checkClock({ options }: Patient): Promise<Check> {
  const skew = clockSkew(options.now());
  return { check: 'clock', ok: skew === undefined, message: skew ?? 'agrees with that of the file system' };
}

async function checkLinks({ tree }: Patient): Promise<Check> {
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
    return { check, ok: true, message: 'do not exist here; commits rename folders instead' };
  } finally {
    removeIfThere(from);
    removeIfThere(to);
  }
}

/** Scratch of a command that has just ended is swept by the next one. */
const MINUTE_MS = 60_000;

/** How long an event may take before watching counts as impossible; it takes milliseconds where it works. */
const WATCH_MS = 3000;

async function checkWatching({ tree, options }: Patient): Promise<Check> {
  const check = 'watching';
  const ending = new AbortController();
  const bell = scratchName(tree.tmp);
  let problem: string | undefined;
  const events = watchBell(bell, {
    poll: options.poll,
    signal: ending.signal,
    onPolling: (error) => (problem ??= error instanceof Error ? error.message : 'an unknown error'),
  });
  try {
    await events.next(); // the watcher stands
    const seen = events.next();
    touch(bell);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), WATCH_MS)));
    const isSeen = await Promise.race([seen.then(() => true), tooLate]);
    clearTimeout(timer);
    if (problem !== undefined) {
      return { check, ok: false, message: `is refused, so the board is looked at twice a second instead: ${problem}` };
    }
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
