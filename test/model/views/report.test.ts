import { expect, test } from 'vitest';
import { type Discovery, fenced, type Result, writeReport } from '../../../src/model/views/report.ts';
import { board, claimed, later, NOW, task } from '../../support/boards.ts';

const result = (task_id: string, fields: Partial<Result> = {}): Result => ({
  task_id,
  worker: 'w',
  attempt: 1,
  completed_at: NOW,
  output: `Output of ${task_id}`,
  files_modified: [],
  files_created: [],
  ...fields,
});
const found = (n: number, fields: Partial<Discovery> = {}): Discovery => ({
  id: `discovery-${n}`,
  worker: 'w',
  created_at: NOW,
  content: `Finding ${n}`,
  tags: [],
  task_id: null,
  ...fields,
});
const done = (id: string, fields = {}) => task(id, { status: 'done', claimed_by: 'w', completed_at: NOW, ...fields });

test('a board of which nothing came yet', () => {
  expect(writeReport(board(task('task-001')), [], [], NOW)).toMatchSnapshot();
});

test('everything that can come of a board', () => {
  const many = Array.from({ length: 11 }, (_, i) => String(i + 1).padStart(3, '0'));
  const all = {
    ...board(
      done('task-002', {
        dependencies: ['task-001'],
        description: '# Two\nlines <b>bold</b> & 1 < 2',
        claimed_by: null,
        completed_at: null,
      }),
      done('task-001'),
      done('task-003'),
      done('task-004'),
      claimed('task-005', 'v'),
      task('task-006'),
      task('task-007', { status: 'cancelled' }),
      ...many.map((n) =>
        task(`fail-${n}`, { status: 'failed', last_error: n === '001' ? 'w: no\n<script>\u001b' : null }),
      ),
      ...many.map((n) => task(`stuck-${n}`, { dependencies: ['fail-001', 'fail-002'] })),
    ),
    goal: 'All\n# of it <i>',
    revision: 12,
  };
  const results = [
    result('task-001', {
      output: '# Heading\n\n<img src=x> \u001b[31m\n',
      files_created: ['b.ts', 'c\n.ts'],
      files_modified: ['a.ts'],
    }),
    result('task-002', { output: ' \n', files_modified: ['a.ts', '<b>.ts'] }),
    result('task-003', { files_created: ['b.ts'] }),
    result('unknown'),
  ];
  const discoveries = [
    found(1),
    found(2, { worker: 'v', task_id: 'task-001', tags: ['a', 'b'], content: 'two\n\n# lines <!-- x' }),
  ];
  expect(writeReport(all, results, discoveries, later(60))).toMatchSnapshot();
});

test('as many as are shown are no more', () => {
  const ten = Array.from({ length: 10 }, (_, i) => task(`fail-${i}`, { status: 'failed' }));
  const stuck = Array.from({ length: 10 }, (_, i) => task(`stuck-${i}`, { dependencies: ['fail-0'] }));
  const text = writeReport({ ...board(...ten, ...stuck), goal: ' a \n\n b ' }, [], [], NOW);
  expect(text).not.toContain('more.');
  expect(text).toContain('\n## Discoveries\n\nNone.\n\n## Failed\n\n- fail-0');
  expect(text).toContain('**Goal:** a b\n');
});

test.each([
  ['<b>', ['> &lt;b>']],
  ['</b>', ['> &lt;/b>']],
  ['<!-- -->', ['> &lt;!-- -->']],
  ['<?x', ['> &lt;?x']],
  ['<Z<z', ['> &lt;Z&lt;z']],
  ['1 < 2 <3', ['> 1 < 2 <3']],
])('no markup of its own reaches the reader: %s', (text, lines) => {
  expect(fenced(text)).toEqual(lines);
});
