import { expect, test } from 'vitest';
import { renewLeases, withSignOfLife } from '../../../src/model/verbs/renew.ts';
import { board, claimed, later, NOW, task } from '../../support/boards.ts';

const others = [claimed('task-001', 'v'), task('task-002'), task('task-003', { status: 'done', claimed_by: 'w' })];

test('every lease of the worker begins anew, each as long as it was, expired ones too', () => {
  const held = [
    claimed('task-004', 'w', { lease_expires_at: NOW }),
    claimed('task-005', 'w', { lease_seconds: 60, lease_expires_at: later(60) }),
  ];
  const tasks = [
    claimed('task-004', 'w', { lease_expires_at: later(1830) }),
    claimed('task-005', 'w', { lease_seconds: 60, lease_expires_at: later(90) }),
  ];
  expect(renewLeases(board(...others, ...held), { worker: 'w' }, later(30))).toStrictEqual({
    board: board(...others, ...tasks),
    answer: { tasks },
    repeatable: true,
  });
});

test('who holds nothing renews nothing', () => {
  const before = board(...others);
  expect(renewLeases(before, { worker: 'w' }, later(30))).toStrictEqual({ answer: { tasks: [] } });
  expect(withSignOfLife(before, 'w', later(30))).toBe(before);
});
