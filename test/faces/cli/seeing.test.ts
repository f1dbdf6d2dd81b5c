/** What people see, at the widths of their terminals: kept as files, so that a change of it is looked at. */
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { graphText } from '../../../src/faces/cli/graph-text.ts';
import { listText, statusText } from '../../../src/faces/cli/tables.ts';
import { timelineText } from '../../../src/faces/cli/timeline-text.ts';
import type { Paint } from '../../../src/faces/io.ts';
import type { Board } from '../../../src/model/board.ts';
import { listTasks, shownStatus } from '../../../src/model/views/listing.ts';
import { summarise } from '../../../src/model/views/summary.ts';
import { type LogEntry, timelineOf } from '../../../src/model/views/timeline.ts';
import { board, claimed, later, NOW, task } from '../../support/boards.ts';

const same = (text: string): string => text;
const plain: Paint = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

const seen: Board = {
  ...board(
    task('task-001', { status: 'done', claimed_by: 'terminal-2', description: 'Create the User model' }),
    claimed('task-002', 'terminal-3', {
      description: 'ユーザーの一覧を表示する画面を作り、検索と並べ替えを付けて、長い名前でも崩れないようにする',
      dependencies: ['task-001'],
      lease_expires_at: later(25 * 60),
    }),
    task('task-003', {
      description: 'Write the docs 📚 with a family 👨‍👩‍👧 and a flag 🇪🇺 in them, at some length',
      priority: 2,
    }),
    task('task-004', { description: 'Add the login endpoint', dependencies: ['task-001', 'task-002'] }),
    task('task-005', { description: `One ${'very '.repeat(60)}long line`, dependencies: ['task-003'] }),
    task('task-006', {
      status: 'failed',
      description: 'Deploy',
      last_error: `terminal-4: ${'it did not work; '.repeat(20)}`,
    }),
    task('task-007', { description: 'Tell the users', dependencies: ['task-006', 'task-004'] }),
  ),
  goal: 'Build a REST API for user management, with a front end in two languages and everything that goes with it',
};

const entry = (seconds: number, agent: string, event: string, task_id: string): LogEntry => ({
  time: later(seconds),
  agent,
  event,
  task_id,
  message: '',
});
const log = [
  entry(0, 'terminal-2', 'claim', 'task-001'),
  entry(60, 'terminal-3', 'claim', 'task-003'),
  entry(300, 'terminal-2', 'complete', 'task-001'),
  entry(320, 'terminal-3', 'fail', 'task-003'),
  entry(330, 'terminal-2', 'claim', 'task-002'),
  entry(400, 'terminal-3', 'claim', 'task-003'),
  entry(500, 'leader', 'release', 'task-003'),
];

describe.each([80, 200])('at %i columns', (columns) => {
  test.each<[string, () => string]>([
    ['status', () => statusText(summarise(seen, NOW), NOW, plain, columns, true)],
    ['list', () => listText(listTasks(seen, {}, NOW), plain, columns)],
    ['graph', () => graphText(seen, shownStatus(seen, NOW), 'text', plain, columns)],
    [
      'timeline',
      () =>
        timelineText(timelineOf(log, later(600)) as never, 'text', plain, columns).replace(
          /\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d|\d\d:\d\d:\d\d/g,
          'HH:MM:SS',
        ),
    ],
  ])('%s fits', async (name, draw) => {
    const text = draw();
    for (const line of text.split('\n')) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
    await expect(`${text}\n`).toMatchFileSnapshot(`golden/${name}-${columns}.txt`);
  });
});

test('piped, a list is not cut', () => {
  expect(listText(listTasks(seen, {}, NOW), plain, Infinity)).toContain(`One ${'very '.repeat(60)}long line`);
});

test('the picture holds no more than names, times and bars', async () => {
  const svg = timelineText(timelineOf(log, later(600)) as never, 'svg', plain, 80);
  await expect(svg).toMatchFileSnapshot('golden/timeline.svg');
});
