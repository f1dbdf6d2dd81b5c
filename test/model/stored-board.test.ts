/** The check of what is stored agrees with the schema: what one takes as it stands the other takes, and nothing else. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeEdit, parseBoard } from '../../src/model/hand-edit.ts';
import { faultOf } from '../../src/model/stored-board.ts';
import { isDeeper } from '../../src/model/values.ts';
import { claimTask } from '../../src/model/verbs/claim.ts';
import { board, claimed, later, NOW, task } from '../support/boards.ts';

const whole = () => ({
  ...board(
    task('task-001', {
      status: 'done',
      claimed_by: 'w',
      completed_at: NOW,
      cost_usd: 0.5,
      result_digest: 'x',
      key: 'k',
    }),
    claimed('task-002', 'w', { dependencies: ['task-001'], exclusive: true, lease_seconds: 5, note: 'n' }),
    task('task-003', { dependencies: ['task-001', 'task-002'], tags: ['a'], context: { files: ['a.ts'], hints: 'h' } }),
  ),
  goal: 'G',
  last_id: 7,
});

/** Whether the schema takes it and changes nothing, which is what coord itself writes. */
function isCanonical(document: unknown): boolean {
  const parsed = parseBoard(document);
  return parsed.ok && JSON.stringify(sorted(parsed.board)) === JSON.stringify(sorted(document));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}

const VALUES = [
  null,
  '',
  ' ',
  'x',
  '../x',
  '.x',
  'a b',
  'x'.repeat(65),
  'task-001',
  'task-002',
  'task-003',
  0,
  1,
  -1,
  1.5,
  11,
  1e15,
  true,
  [],
  {},
  ['task-001'],
  ['../x'],
  [null],
  NOW,
  '2026-01-01',
  'claimed',
  'available',
  'submitted',
];
const DISAGREE = new Set(['description']); // text with white space around it: the schema trims it, and nobody is hurt by it

test('one change of any field to anything', () => {
  expect(faultOf(whole())).toBeUndefined();
  expect(isCanonical(whole())).toBe(true);
  const paths: [number, string][] = [0, 1, 2].flatMap((n) =>
    [...Object.keys(whole().tasks[n] ?? {}), 'unknown', 'note', 'exclusive'].map((field): [number, string] => [
      n,
      field,
    ]),
  );
  for (const [n, field] of paths) {
    for (const value of [undefined, ...VALUES]) {
      const document = JSON.parse(JSON.stringify(whole())) as { tasks: Record<string, unknown>[] };
      if (value === undefined) delete document.tasks[n]?.[field];
      else Object.assign(document.tasks[n] ?? {}, { [field]: value });
      const where = `tasks[${n}].${field} = ${JSON.stringify(value)}`;
      if (faultOf(document) === undefined && !DISAGREE.has(field)) expect(isCanonical(document), where).toBe(true);
      if (isCanonical(document)) expect(faultOf(document), where).toBeUndefined();
    }
  }
});

test('any document at all: never a crash, and only what the schema takes too', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 6 }),
      fc.constantFrom('version', 'revision', 'goal', 'last_id', 'cost_usd', 'tasks', 'x'),
      (value, field) => {
        const document: unknown = JSON.parse(JSON.stringify({ ...whole(), [field]: value }));
        if (faultOf(document) === undefined) expect(isCanonical(document)).toBe(true);
        expect(faultOf(value)).toBeDefined();
      },
    ),
    { numRuns: 400 },
  );
});

test('depth is counted without walking deeper than asked', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  expect(isDeeper(deep, 64)).toBe(true);
  expect(isDeeper([[[]]], 3)).toBe(false);
  expect(isDeeper([[[]]], 2)).toBe(true);
});

test('what an edit may bring is never too deep to be stored: at every depth both say the same, or the edit is refused', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
  const base = board(task('task-001', { key: 'k' }));
  for (let levels = 60; levels <= 70; levels++) {
    for (const edit of [
      { ...base, more: nested(levels) },
      { ...base, tasks: base.tasks.map((one) => ({ ...one, more: nested(levels) })) },
      { ...base, tasks: base.tasks.map((one) => ({ ...one, context: { ...one.context, more: nested(levels) } })) },
    ]) {
      const parsed = parseBoard(JSON.parse(JSON.stringify(edit)));
      if (!parsed.ok) continue;
      const merged = mergeEdit(base, base, parsed.board, NOW);
      expect(merged.ok && faultOf(merged.board), String(levels)).toBeUndefined();
    }
  }
});

test('an end of the last attempt is in the log, also when its finder only renews', () => {
  const dead = claimed('task-001', 'dead', { attempt: 3, lease_expires_at: NOW });
  const { events } = claimTask(board(dead, claimed('task-002', 'w')), { worker: 'w' }, later(1));
  expect(events).toMatchObject([{ event: 'expire', task_id: 'task-001' }]);
});
