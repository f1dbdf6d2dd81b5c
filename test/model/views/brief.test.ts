import { describe, expect, test } from 'vitest';
import { LONGEST_BRIEF, writeBrief } from '../../../src/model/views/brief.ts';
import type { Discovery, Result } from '../../../src/model/views/report.ts';
import { board, NOW, task } from '../../support/boards.ts';

const result = (task_id: string, output: string): Result => ({
  task_id,
  worker: 'w',
  attempt: 1,
  completed_at: NOW,
  output,
  files_modified: [],
  files_created: [],
});
const found = (worker: string, content: string): Discovery => ({
  id: 'discovery-1',
  worker,
  created_at: NOW,
  content,
  tags: [],
  task_id: null,
});
const brief = (one = task('task-001'), more: Partial<Parameters<typeof writeBrief>[0]> = {}) =>
  writeBrief({
    now: '2026-11-25T12:00:00.000Z',
    board: board(one),
    task: one,
    plan: '',
    results: [],
    discoveries: [],
    ...more,
  });

test('a task alone', () => {
  expect(brief()).toMatchSnapshot();
  expect(brief(task('task-001'), { plan: ' \n' })).toBe(brief());
});

test('everything that a worker is told', () => {
  const one = task('task-003', {
    description: 'Do it\n\n# well',
    dependencies: ['task-001', 'task-002'],
    context: { files: ['src/a.ts', 'b\nc.ts', 'x'.repeat(301)], hints: 'look\nhere' },
    last_error: 'v: it broke',
    note: 'v: half\ndone',
  });
  const all = board(task('task-001', { description: `First\n${'y'.repeat(70)}` }), task('task-002'), one);
  const text = writeBrief({
    now: '2026-11-25T12:00:00.000Z',
    board: all,
    task: one,
    plan: '\n# Plan\n\nGo.\n',
    results: [result('task-001', ' done\n> all ')],
    discoveries: [found('u', 'one\ntwo'), found('v', 'three')],
  });
  expect(text).toMatchSnapshot();
});

test('one line of hints needs no blank line before what follows', () => {
  const one = task('task-001', { context: { files: ['a'], hints: 'h' }, last_error: '', note: '' });
  expect(brief(one, { plan: 'p' })).toMatchSnapshot();
});

describe('each part is cut where it would crowd out the others', () => {
  const long = 'x'.repeat(10_000);
  test.each<[string, () => string, number, string]>([
    ['description', () => brief(task('task-001', { description: long })), 6000, 'coord leader show task-001'],
    [
      'hints',
      () => brief(task('task-001', { context: { files: [], hints: long } })),
      2500,
      'coord leader show task-001',
    ],
    ['last error', () => brief(task('task-001', { last_error: long })), 900, 'coord leader show task-001'],
    ['note', () => brief(task('task-001', { note: long })), 900, 'coord leader show task-001'],
    ['plan', () => brief(task('task-001'), { plan: long }), 1500, 'master-plan.md'],
  ])('%s', (_, written, bytes, rest) => {
    const text = written();
    expect(text).toContain(`> ${'x'.repeat(bytes)}\n… (the rest: ${rest})\n`);
    expect(text).not.toContain('x'.repeat(bytes + 1));
  });

  test('files', () => {
    const files = Array.from({ length: 400 }, (_, i) => `file-${i}`);
    const text = brief(task('task-001', { context: { files, hints: '' } }));
    const [, shown] = /Files:\n> (.*)\n… \(the rest: coord leader show task-001\)\n/.exec(text) ?? [];
    expect(shown).toBe(files.join(', ').slice(0, 1500));
  });

  const many = Array.from({ length: 10 }, (_, i) => `task-10${i}`);
  test('a result, and as many results as have room', () => {
    const one = task('task-001', { dependencies: many });
    const text = writeBrief({
      now: '2026-11-25T12:00:00.000Z',
      board: board(...many.map((id) => task(id)), one),
      task: one,
      plan: '',
      results: many.map((id) => result(id, long)),
      discoveries: [],
    });
    expect(text.match(/^### .*$/gm)).toEqual(['### task-100', '### task-101', '### task-102', '### task-103']);
    expect(text).toContain(`> ${'x'.repeat(1500)}\n… (the rest: results/task-100.md)\n`);
    expect(text.endsWith('\n\n… and 6 more in results/\n')).toBe(true);
    const followed = writeBrief({
      now: '2026-11-25T12:00:00.000Z',
      board: board(...many.map((id) => task(id)), one),
      task: one,
      plan: 'p',
      results: many.map((id) => result(id, long)),
      discoveries: Array.from({ length: 21 }, () => found('w', 'd')),
    });
    expect(followed).toContain('\n… and 6 more in results/\n\n## Plan\n\n> p\n');
    expect(followed).toContain('> w: d\n\n… 1 more in context/discoveries.md\n\n## Results this task builds on\n');
  });

  test.each([
    [405, 5],
    [406, 4],
  ])('results have room to the last byte: one of %i makes %i', (bytes, shown) => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const one = task('task-001', { dependencies: ids });
    const text = writeBrief({
      now: '2026-11-25T12:00:00.000Z',
      board: board(...ids.map((id) => task(id)), one),
      task: one,
      plan: '',
      results: ids.map((id) => result(id, 'x'.repeat(id === 'e' ? bytes : 1500))),
      discoveries: [],
    });
    expect(text.match(/^### /gm)).toHaveLength(shown);
  });

  test('where all results have room, none is said to be missing', () => {
    const one = task('task-001', { dependencies: ['task-002'] });
    const all = board(task('task-002'), one);
    const text = writeBrief({
      now: '2026-11-25T12:00:00.000Z',
      board: all,
      task: one,
      plan: '',
      results: [],
      discoveries: [],
    });
    expect(text).toContain('> (no result stored)\n');
    expect(text).not.toContain('more in');
  });

  test('what was found in a task that it builds on comes before what is newer', () => {
    const one = task('task-002', { dependencies: ['task-001'] });
    const text = writeBrief({
      now: '2026-11-25T12:00:00.000Z',
      board: board(task('task-001'), one),
      task: one,
      plan: '',
      results: [],
      discoveries: [{ ...found('w', 'near'), task_id: 'task-001' }, found('w', 'newer')],
    });
    expect(text).toContain('> w: near\n> w: newer\n');
    expect(text.indexOf('## Discoveries')).toBeLessThan(text.indexOf('## Results'));
  });

  test('of discoveries that matter alike the newest first', () => {
    const discoveries = Array.from({ length: 25 }, (_, i) => found('w', `number ${i}`));
    const text = brief(task('task-001'), { discoveries });
    expect(text.match(/number \d+/g)).toEqual(Array.from({ length: 20 }, (_, i) => `number ${24 - i}`));
    expect(text).toContain('\n… 5 more in context/discoveries.md\n');
    expect(brief(task('task-001'), { discoveries: discoveries.slice(0, 20) })).not.toContain('more in');
  });

  test('of long discoveries only the beginning, and as many as have room', () => {
    const discoveries = Array.from({ length: 20 }, (_, i) => found('w', `number ${i} ${long}`));
    const text = brief(task('task-001'), { discoveries });
    expect(text.match(/number \d+/g)).toEqual(Array.from({ length: 11 }, (_, i) => `number ${19 - i}`));
    expect(text).toContain(`> w: number 9 ${'x'.repeat(287)}…\n`);
    expect(brief(task('task-001'), { discoveries: [found('w', '漢'.repeat(400))] })).toContain(
      `> w: ${'漢'.repeat(115)}\n… (the rest: context/discoveries.md)\n`,
    );
  });

  test('all of it together', () => {
    const one = task('task-001', {
      dependencies: many,
      description: long,
      context: { files: Array.from({ length: 1000 }, () => long.slice(0, 1024)), hints: long },
      last_error: long,
      note: long,
    });
    const text = writeBrief({
      now: '2026-11-25T12:00:00.000Z',
      board: board(...many.map((id) => task(id)), one),
      task: one,
      plan: long,
      results: many.map((id) => result(id, long)),
      discoveries: many.map((id) => found(id, long)),
    });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LONGEST_BRIEF);
    expect(text.endsWith('\n')).toBe(true);
  });
});
