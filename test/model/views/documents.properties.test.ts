/** Whatever people and agents write, what coord makes of it keeps to its bounds and to its own words. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Task } from '../../../src/model/task.ts';
import { visible } from '../../../src/model/text.ts';
import { LONGEST_BRIEF, writeBrief } from '../../../src/model/views/brief.ts';
import { type Discovery, type Result, writeReport } from '../../../src/model/views/report.ts';
import { board, NOW, task } from '../../support/boards.ts';

/** Lines of coord's own, of which somebody's text is full. */
const OWN = [
  '# task-001',
  '## Plan',
  '## Results this task builds on',
  '## Discoveries',
  '## Failed',
  '… and 3 more',
  '- w',
];
const piece = fc.oneof(
  fc.constantFrom(
    ...OWN,
    '\n',
    '\r\n',
    '\r',
    '\u2028',
    '\u0085',
    '\u001b[2J',
    '\u202e',
    '\u{e0041}',
    '\u0000',
    '<b>',
    '漢😀',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const hostile = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.tuple(piece, fc.integer({ min: 1, max: 8000 })).map(([text, times]) => text.repeat(times).slice(0, 10_000)),
);
/** Marks every line of somebody's text, so that it is known again. */
const marked = hostile.map((text) => `MARK${text.replace(/\n/g, '\nMARK')}`);
const CONTROLS =
  // oxlint-disable-next-line no-control-regex -- finding them is the point
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e01ef}]/u;

const dependency = fc.integer({ min: 1, max: 12 }).map((n) => Array.from({ length: n }, (_, i) => `task-1${i}`));
const drawn = fc.record({
  description: marked,
  hints: marked,
  files: fc.array(
    marked.map((text) => text.slice(0, 1024)),
    { maxLength: 30 },
  ),
  last_error: fc.option(marked),
  note: marked,
  plan: marked,
  outputs: fc.array(marked, { maxLength: 12 }),
  contents: fc.array(marked, { maxLength: 25 }),
  dependencies: dependency,
});
type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

function parts({ description, hints, files, last_error, note, outputs, contents, dependencies }: Drawn) {
  const one = task('task-001', { description, dependencies, context: { files, hints }, last_error, note });
  const before = dependencies.map((id): Task => task(id, { status: 'done', claimed_by: 'w', description }));
  const results = outputs.map((output, i): Result => ({
    task_id: dependencies[i % dependencies.length] ?? '',
    worker: 'w',
    attempt: 1,
    completed_at: NOW,
    output,
    files_modified: files,
    files_created: [],
  }));
  const discoveries = contents.map((content, i): Discovery => ({
    id: `discovery-${i}`,
    worker: 'w',
    created_at: NOW,
    content,
    tags: [],
    task_id: null,
  }));
  const failed = task('task-200', { status: 'failed', description, last_error });
  return { board: { ...board(...before, one, failed), goal: description }, task: one, results, discoveries };
}

test('a brief is never longer than it may be, and nobody else’s line passes for one of coord’s', () => {
  fc.assert(
    fc.property(drawn, (all) => {
      const text = writeBrief({ now: '2026-11-25T12:00:00.000Z', ...parts(all), plan: all.plan });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LONGEST_BRIEF);
      expect(text).not.toMatch(CONTROLS);
      expect(visible(text)).toBe(text);
      for (const line of text.split('\n'))
        if (line.includes('MARK')) expect(line).toMatch(/^(> |Files: |Hints: |Last attempt: |Note: )/);
      // Each heading of coord's stands there once, however often somebody else wrote it.
      for (const own of OWN.slice(0, 4)) expect(text.split('\n').filter((line) => line === own).length).toBeLessThan(2);
    }),
    { numRuns: 150 },
  );
});

test('a report holds no control characters, no markup, and every line of others fenced or behind a label', () => {
  fc.assert(
    fc.property(drawn, (all) => {
      const { board: whole, results, discoveries } = parts(all);
      const text = writeReport(whole, results, discoveries, NOW);
      expect(text).not.toMatch(CONTROLS);
      expect(text).not.toMatch(/<[A-Za-z/!?]/);
      for (const line of text.split('\n'))
        if (line.includes('MARK'))
          expect(line).toMatch(/^(> | {2}> |\*\*Goal:\*\* |### task-|Modified: |- task-|- MARK)/);
      for (const own of ['## Discoveries', '## Failed', '## Results'])
        expect(text.split('\n').filter((line) => line === own)).toHaveLength(1);
    }),
    { numRuns: 60 },
  );
});
