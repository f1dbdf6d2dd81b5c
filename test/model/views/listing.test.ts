import { expect, test } from 'vitest';
import { LISTABLE, type Listable, listTasks, shownStatus } from '../../../src/model/views/listing.ts';
import { board, claimed, later, NOW, task } from '../../support/boards.ts';

const needs = (...dependencies: string[]) => ({ dependencies });
const all = board(
  task('free', { tags: ['x', 'y'] }),
  task('blocked', { ...needs('free'), tags: ['x'] }),
  task('stuck', needs('failed')),
  claimed('live', 'w', { lease_expires_at: later(5) }),
  claimed('expired', 'v', { lease_expires_at: NOW, tags: ['y'] }),
  claimed('last', 'u', { lease_expires_at: NOW, attempt: 3 }),
  task('done', { status: 'done' }),
  task('failed', { status: 'failed' }),
  task('cancelled', { status: 'cancelled' }),
);
const ids = ({ status, ...wanted }: { status?: Listable; tag?: string; worker?: string; search?: string }) =>
  listTasks(all, { ...wanted, ...(status === undefined ? {} : { statuses: [status] }) }, NOW).map(
    (listed) => listed.task.id,
  );

test('what a list can be narrowed to', () => {
  expect(LISTABLE).toEqual([
    'available',
    'claimed',
    'submitted',
    'done',
    'failed',
    'cancelled',
    'claimable',
    'asking',
    'blocked',
    'stuck',
  ]);
});

test('a list shows every task as it stands now, in the order of the board', () => {
  expect(listTasks(all, {}, NOW).map(({ task: one, shown }) => [one.id, shown])).toEqual([
    ['free', 'available'],
    ['blocked', 'blocked'],
    ['stuck', 'stuck'],
    ['live', 'claimed'],
    ['expired', 'claimed'],
    ['last', 'failed'],
    ['done', 'done'],
    ['failed', 'failed'],
    ['cancelled', 'cancelled'],
  ]);
  expect(listTasks(all, {}, NOW)[0]?.task).toBe(all.tasks[0]);
});

test.each<[Listable, string[]]>([
  ['available', ['free', 'blocked', 'stuck']],
  ['claimed', ['live', 'expired']],
  ['done', ['done']],
  ['failed', ['last', 'failed']],
  ['cancelled', ['cancelled']],
  ['claimable', ['free', 'expired']],
  ['blocked', ['blocked', 'stuck']],
  ['stuck', ['stuck']],
])('%s: %j', (status, expected) => {
  expect(ids({ status })).toEqual(expected);
});

test('a tag narrows a list further', () => {
  expect(ids({ tag: 'x' })).toEqual(['free', 'blocked']);
  expect(ids({ tag: 'y', status: 'claimed' })).toEqual(['expired']);
  expect(ids({ tag: 'none' })).toEqual([]);
});

test('the word for a task is its status, unless it cannot run', () => {
  expect(all.tasks.map(shownStatus(all, NOW)).slice(0, 4)).toEqual(['available', 'blocked', 'stuck', 'claimed']);
});
