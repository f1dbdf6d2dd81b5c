/** Makes the folder of a new board, once, however many try. */
import { type FileOptions, FileBackend } from './backend.ts';
import { Tree } from './tree.ts';
import { findTree, type FindOptions, holdsCopies, isFileBoard, isFolder, namedTree, treeToBegin } from './find.ts';
import { CoordError } from '../../model/errors.ts';
import { dirname, resolve, relative } from 'node:path';
import { explainErrno } from './errno.ts';
import { InitBoard } from '../../model/verbs/init-board.ts';
import { scratchName } from './scratch.ts';
import { checkRoot, checkTree } from './guard.ts';
import { renameSync, lstatSync } from 'node:fs';
import { replaceFile, namesIn } from './atomic.ts';
import { machineTime } from '../clock.ts';
import { firstPlan } from '../first-plan.ts';
import { emptyBoard } from '../../model/board.ts';
import { parseInput } from '../../model/parse-input.ts';

export interface InitOptions extends FileOptions, Pick<FindOptions, 'cwd' | 'dir'> {
  /** Puts an existing board aside as a backup first. */
  force?: boolean;
}

/** Where a new board would go. */
export function treeOf({ cwd, dir }: Pick<FindOptions, 'cwd' | 'dir'>): Tree {
  const from = resolve(cwd ?? '.');
  return dir === undefined ? treeToBegin(from) : namedTree(from, dir);
}

/**
 * Makes the folder of a board, in `dir` or where all worktrees find it.
 *
 * @throws CoordError `already-initialised`, `board-unsafe`
 */
export async function initFolder(
  given: InitBoard,
  options: InitOptions,
): Promise<{ backend: FileBackend; /** Where an earlier board went. */ backup: string | undefined }> {
  const input = parseInput(InitBoard, given);
  const tree = treeOf(options);
  try {
    refuseSecondBoard(tree, options);
    const backup = makeFolder(tree, options);
    const backend = new FileBackend(tree, options);
    const { goal, approach: _, ...defaults } = input;
    await backend.create(emptyBoard(goal, defaults));
    try {
      replaceFile(tree.plan, firstPlan(input), { scratch: scratchName(tree.tmp), durable: options.durable });
      await backend.documents.addToLog([{ agent: 'leader', event: 'init', message: input.goal }]);
    } catch (error) {
      const reason = explainErrno(error);
      options.notice(`The board is made, but not its plan: ${reason instanceof Error ? reason.message : 'unknown'}`);
    }
    return { backend, backup };
  } catch (error) {
    throw explainErrno(error);
  }
}

/** Makes what is missing. @returns where an existing board went, with `force` */
export function makeFolder(tree: Tree, options: InitOptions): string | undefined {
  if (isFolder(tree.root)) checkRoot(tree, options.stateFolder);
  const backup = options.force === true ? putAside(tree, (options.now ?? machineTime)()) : undefined;
  if (lstatSync(tree.root, { throwIfNoEntry: false })) checkTree(tree, options.stateFolder);
  tree.create();
  return backup;
}

/** @throws CoordError `already-initialised` */
export function refuseSecondBoard(tree: Tree, options: InitOptions): void {
  const cwd = resolve(options.cwd ?? '.');
  const isHere = isFileBoard(tree) || isThere(tree.config) || holdsCopies(tree);
  if (isHere && options.force !== true && !isEmpty(tree)) {
    throw new CoordError('already-initialised', `There is a board in ${tree.root} already.`, {
      details: { why: isThere(tree.config) ? 'led' : 'here', path: tree.root },
    });
  }
  if (isHere || options.dir !== undefined) return;
  let above: Tree | undefined;
  try {
    above = findTree({ cwd, stateFolder: options.stateFolder });
  } catch {
    return; // none above, or none of ours: free to begin
  }
  if (above.root === tree.root) return; // a folder that a crash left without a board
  throw new CoordError('already-initialised', `This folder already belongs to the board in ${above.root}.`, {
    details: { why: 'above', path: relative(dirname(above.root), cwd) || '.' },
  });
}

/** A tree without any commit and without tasks.json: an init that died half-way, to be done again. */
function isEmpty(tree: Tree): boolean {
  return !isThere(tree.tasks) && !isThere(tree.config) && namesIn(tree.commits).length === 0;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** @returns where an existing board went */
export function putAside(tree: Tree, now: string): string | undefined {
  if (!isFolder(tree.root)) return undefined;
  const backup = `${tree.root}.backup-${now.replaceAll(/[-:.]/g, '')}`;
  renameSync(tree.root, backup);
  return backup;
}
