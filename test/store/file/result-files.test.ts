/** Results on their way, beside a process that knows an older board. */
import { expect, test } from 'vitest';
import { ResultFiles } from '../../../src/store/file/result-files.ts';
import { Tree } from '../../../src/store/file/tree.ts';
import { board, claimed, task } from '../../support/boards.ts';
import { Rig } from '../../support/rig.ts';

const DONE = task('task-001', { status: 'done', claimed_by: 'w', attempt: 1, result_digest: 'x' });
const RESULT = { task: DONE, output: 'the work', files_modified: [], files_created: [] };

test('what was handed in after an older board was read is left alone, so that its commit finds it', () => {
  const rig = new Rig();
  const tree = new Tree(rig.path('.coordination'));
  tree.create();
  const files = new ResultFiles(tree, false);
  // Read here, and then asleep, while somebody claims the task and hands it in.
  const asleep = { board: board(task('task-001')), names: files.pending() };
  const staged = files.stage(RESULT);
  files.finish(asleep.board, asleep.names);
  staged.keep();
  expect(rig.read('.coordination/results/task-001.md')).toContain('the work');
});

test('what is too late by a board that was read since is kept as refused; what is on its way stays', () => {
  const rig = new Rig();
  const tree = new Tree(rig.path('.coordination'));
  tree.create();
  const files = new ResultFiles(tree, false);
  files.stage(RESULT);
  files.finish(board(claimed('task-001', 'w')), files.pending());
  expect(files.pending()).toHaveLength(1);
  files.finish(board(claimed('task-001', 'v', { attempt: 2 })), files.pending());
  expect(files.pending()).toEqual([]);
  expect(rig.read('.coordination/results/task-001.w.1.refused.md')).toContain('the work');
});
