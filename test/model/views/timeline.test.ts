import { expect, test } from 'vitest';
import { timelineOf } from '../../../src/model/views/timeline.ts';
import { later } from '../../support/boards.ts';

test.each([
  { event: 'complete', end: 'done' },
  { event: 'submit', end: 'handed in' },
  { event: 'fail', end: 'failed' },
  { event: 'release', end: 'given back' },
  { event: 'park', end: 'given back' },
])('a claim ends with the $event of its worker', ({ event, end }) => {
  const entry = (seconds: number, what: string) => ({
    time: later(seconds),
    agent: 'w',
    event: what,
    task_id: 'task-001',
    message: '',
  });
  const found = timelineOf([entry(0, 'claim'), entry(60, event)], later(600));
  expect(found?.lanes).toEqual([
    { worker: 'w', spans: [{ worker: 'w', task_id: 'task-001', from: later(0), to: later(60), end }] },
  ]);
});
