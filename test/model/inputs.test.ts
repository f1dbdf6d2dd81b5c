/** What every verb takes, at both sides of each bound, and in which words it says no. */
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import * as fields from '../../src/model/fields.ts';
import * as inputs from '../../src/model/inputs.ts';
import { describeIssues, fieldName, parseInput } from '../../src/model/parse-input.ts';
import { WrittenTask } from '../../src/model/task.ts';
import { refusal } from '../support/boards.ts';

type Schema = Parameters<typeof parseInput>[0];

const text = (length: number) => 'x'.repeat(length);
/** A value short enough for the name of a test. */
const brief = (value: unknown) => JSON.stringify(value).slice(0, 60);
const list = <T>(length: number, item: T): T[] => Array.from({ length }, () => item);

const { MAX_RESULT: _limit, ...schemas } = inputs;
test.each<[string, Schema]>(Object.entries(schemas))('%s is the schema that agents are shown', (_, schema) => {
  expect(z.toJSONSchema(schema(), { io: 'input' })).toMatchSnapshot();
});

test('a schema is built once', () => {
  expect(inputs.Claim()).toBe(inputs.Claim());
});

const NAME = 'must be 1 to 64 letters, digits, ".", "_" or "-", not starting with a dot';
const EMPTY = 'must not be empty';
const CHARACTERS = 'must be at most 10000 characters';

describe.each<[keyof typeof fields, unknown[], [unknown, string][]]>([
  [
    'Name',
    ['a', '-', '_', '0.x', text(64)],
    [
      ['', NAME],
      [text(65), NAME],
      ['.x', NAME],
      ['a/b', NAME],
      ['a b', NAME],
      ['a\n', NAME],
      ['é', NAME],
      [1, 'expected string, received number'],
    ],
  ],
  [
    'Worker',
    ['terminal-2'],
    [
      ['a b', NAME],
      [null, 'expected string, received null'],
    ],
  ],
  ['TaskId', ['task-001'], [['../x', NAME]]],
  [
    'Priority',
    [1, 10],
    [
      [0, 'Too small: expected number to be >=1'],
      [11, 'Too big: expected number to be <=10'],
      [1.5, 'expected int, received number'],
    ],
  ],
  [
    'Description',
    ['a', text(10_000)],
    [
      ['', EMPTY],
      [' \n', EMPTY],
      [text(10_001), CHARACTERS],
    ],
  ],
  [
    'Reason',
    ['a', text(10_000)],
    [
      ['', EMPTY],
      [' \n', EMPTY],
      [text(10_001), CHARACTERS],
    ],
  ],
  ['Hints', ['', text(10_000)], [[text(10_001), CHARACTERS]]],
  [
    'Files',
    [[], ['a'], [text(1024)], list(1000, 'a')],
    [
      [[''], 'Too small: expected string to have >=1 characters'],
      [[text(1025)], 'must be at most 1024 characters'],
      [list(1001, 'a'), 'Too big: expected array to have <=1000 items'],
    ],
  ],
  [
    'Tags',
    [[], ['a'], list(100, 'a')],
    [
      [['a b'], NAME],
      [list(101, 'a'), 'Too big: expected array to have <=100 items'],
    ],
  ],
  [
    'MaxAttempts',
    [1, 100],
    [
      [0, 'Too small: expected number to be >=1'],
      [101, 'Too big: expected number to be <=100'],
    ],
  ],
  [
    'Dependencies',
    [[], ['#1'], [text(64)], list(1000, 'a')],
    [
      [[''], 'Too small: expected string to have >=1 characters'],
      [[text(65)], 'must be at most 64 characters'],
      [list(1001, 'a'), 'Too big: expected array to have <=1000 items'],
    ],
  ],
  [
    'Cost',
    [0, 0.5, 1_000_000],
    [
      [-0.01, 'Too small: expected number to be >=0'],
      [1_000_000.01, 'Too big: expected number to be <=1000000'],
    ],
  ],
  [
    'Attempt',
    [1, 1_000_000],
    [
      [0, 'Too small: expected number to be >=1'],
      [1.5, 'expected int, received number'],
    ],
  ],
  [
    'TaskIds',
    [{ task_ids: ['a'] }, { task_ids: list(100_000, 'a') }],
    [
      [{ task_ids: [] }, 'Too small: expected array to have >=1 items'],
      [{ task_ids: list(100_001, 'a') }, 'Too big: expected array to have <=100000 items'],
      [{ task_ids: ['a b'] }, NAME],
      [{ task_ids: ['a'], more: 1 }, 'unknown field "more"'],
    ],
  ],
])('%s', (name, taken, refused) => {
  // oxlint-disable-next-line import/namespace -- the table names exports only
  const schema: Schema = fields[name] as Schema; // `lazily`, the one export that is none, is not in the table

  test.each(taken.map((value) => [brief(value), value]))('takes %s', (_, value) => {
    expect(parseInput(schema, value)).toEqual(value);
  });

  test.each(refused.map(([value, message]) => [brief(value), message, value]))(
    'refuses %s: %s',
    (_, message, value) => {
      const no = refusal(() => parseInput(schema, value));
      expect(no?.code).toBe('invalid-input');
      expect(no?.message.replace(/^[^:]*: /, '')).toBe(message);
    },
  );
});

test.each<keyof typeof fields>(['Description', 'Reason'])('the white space around a %s is not part of it', (name) => {
  // oxlint-disable-next-line import/namespace -- as above
  expect(parseInput(fields[name] as Schema, '  a b\n')).toBe('a b'); // as above
});

describe('the inputs of the verbs', () => {
  const some = { worker: 'w', task_id: 'task-001' };
  test.each<[string, Schema, object]>([
    ['AddCost', inputs.AddCost, { cost_usd: 0.5 }],
    ['AddDiscovery', inputs.AddDiscovery, { worker: 'w', content: 'c' }],
    ['AddDiscovery', inputs.AddDiscovery, { ...some, content: text(10_000), tags: ['t'] }],
    ['AddTasks', inputs.AddTasks, { tasks: [{ description: 'a' }] }],
    [
      'AddTasks',
      inputs.AddTasks,
      {
        tasks: [
          {
            description: 'a',
            key: 'k',
            priority: 1,
            dependencies: ['#1'],
            files: ['f'],
            hints: '',
            tags: ['t'],
            max_attempts: 1,
            exclusive: true,
          },
        ],
      },
    ],
    ['CancelTasks', inputs.CancelTasks, { task_ids: ['a'], cascade: true }],
    ['Claim', inputs.Claim, { worker: 'w' }],
    ['Claim', inputs.Claim, { ...some, lease_seconds: 1 }],
    ['Claim', inputs.Claim, { worker: 'w', lease_seconds: 31_536_000 }],
    ['Complete', inputs.Complete, { ...some, output: '' }],
    [
      'Complete',
      inputs.Complete,
      { ...some, output: text(10_000_000), files_modified: ['a'], files_created: ['b'], attempt: 1, cost_usd: 0 },
    ],
    [
      'EditTask',
      inputs.EditTask,
      {
        task_id: 'a',
        description: 'd',
        priority: 1,
        dependencies: [],
        files: [],
        hints: '',
        tags: [],
        max_attempts: 1,
        exclusive: false,
      },
    ],
    ['EditTask', inputs.EditTask, { task_id: 'a' }],
    ['Fail', inputs.Fail, { ...some, error: 'e' }],
    ['Fail', inputs.Fail, { ...some, error: 'e', retry: false, attempt: 2, cost_usd: 1 }],
    ['InitBoard', inputs.InitBoard, { goal: 'g' }],
    ['InitBoard', inputs.InitBoard, { goal: 'g', approach: text(1_000_000) }],
    ['Release', inputs.Release, some],
    ['Release', inputs.Release, { ...some, reason: 'r', attempt: 1, cost_usd: 1 }],
    ['Renew', inputs.Renew, { worker: 'w' }],
    ['WritePlan', inputs.WritePlan, { text: '' }],
    ['WritePlan', inputs.WritePlan, { text: text(1_000_000), append: true }],
  ])('%s takes what it should, and no field beside', (_, schema, value) => {
    expect(parseInput(schema, value)).toEqual(value);
    expect(refusal(() => parseInput(schema, Object.assign({}, value, { wroker: 1 })))?.message).toBe(
      'input: unknown field "wroker"',
    );
  });

  test.each<[string, Schema, unknown, string]>([
    ['AddTasks', inputs.AddTasks, { tasks: [] }, 'tasks: must hold at least one task'],
    [
      'AddTasks',
      inputs.AddTasks,
      { tasks: list(100_001, { description: 'a' }) },
      'tasks: Too big: expected array to have <=100000 items',
    ],
    ['AddTasks', inputs.AddTasks, { tasks: [{ description: 'a', x: 1, y: 2 }] }, 'tasks[0]: unknown field "x", "y"'],
    [
      'AddTasks',
      inputs.AddTasks,
      { tasks: [{ description: '', priority: 0, key: '' }, {}, {}] },
      `tasks[0].description: ${EMPTY}; tasks[0].key: ${NAME}; tasks[0].priority: Too small: expected number to be >=1; and 2 more`,
    ],
    ['Claim', inputs.Claim, { worker: 'w', lease_seconds: 0 }, 'lease_seconds: Too small: expected number to be >=1'],
    [
      'Claim',
      inputs.Claim,
      { worker: 'w', lease_seconds: 31_536_001 },
      'lease_seconds: Too big: expected number to be <=31536000',
    ],
    ['Complete', inputs.Complete, { ...some, output: text(10_000_001) }, 'output: must be at most 10000000 characters'],
    [
      'InitBoard',
      inputs.InitBoard,
      { goal: 'g', approach: text(1_000_001) },
      'approach: must be at most 1000000 characters',
    ],
    ['WritePlan', inputs.WritePlan, { text: text(1_000_001) }, 'text: must be at most 1000000 characters'],
    ['WritePlan', inputs.WritePlan, null, 'input: expected object, received null'],
    ['Renew', inputs.Renew, {}, 'worker: expected string, received undefined'],
  ])('%s refuses what it should not take', (_, schema, value, message) => {
    expect(refusal(() => parseInput(schema, value))).toEqual({ code: 'invalid-input', message, details: undefined });
  });

  test('what zod found lies beneath', () => {
    expect(() => parseInput(inputs.Renew, {})).toThrow(
      expect.objectContaining({
        name: 'CoordError',
        cause: expect.objectContaining({ issues: [expect.anything()] }) as unknown,
      }),
    );
  });
});

test.each([
  [[], 'input'],
  [['a'], 'a'],
  [['a', 'b'], 'a.b'],
  [['tasks', 0, 'dependencies', 12], 'tasks[0].dependencies[12]'],
  [[3, 'a'], '[3].a'],
])('the place %j is written %s', (path, name) => {
  expect(fieldName(path)).toBe(name);
});

test('nothing wrong is nothing to describe', () => {
  expect(describeIssues([])).toBe('');
});

describe('a task as somebody wrote it', () => {
  const least = {
    id: 'a',
    description: 'd',
    status: 'available',
    claimed_by: null,
    priority: 5,
    dependencies: [],
    context: { files: [], hints: '' },
    tags: [],
    attempt: 0,
    max_attempts: 3,
    created_at: null,
    claimed_at: null,
    lease_expires_at: null,
    completed_at: null,
    last_error: null,
  };

  test.each<[string, object, object]>([
    ['what is left out', {}, {}],
    ['a context that is null', { context: null }, {}],
    ['hints that are null', { context: { hints: null } }, {}],
    ['hints that are left out', { context: { files: ['a'] } }, { context: { files: ['a'], hints: '' } }],
    ['fields that coord does not know', { x: 1, context: { y: 2 } }, { x: 1, context: { y: 2, files: [], hints: '' } }],
    ['a short time', { created_at: '2026-01-01' }, { created_at: '2026-01-01T00:00:00.000Z' }],
    ['a time with an offset', { created_at: '2026-01-01T13:00:00+01:00' }, { created_at: '2026-01-01T12:00:00.000Z' }],
    [
      'every other time',
      { claimed_at: '2026-01-01', completed_at: '2026-01-02', lease_expires_at: '2026-01-03' },
      {
        claimed_at: '2026-01-01T00:00:00.000Z',
        completed_at: '2026-01-02T00:00:00.000Z',
        lease_expires_at: '2026-01-03T00:00:00.000Z',
      },
    ],
    ['a claim', { status: 'claimed', claimed_by: 'w' }, { status: 'claimed', claimed_by: 'w' }],
    ['a done task of nobody', { status: 'done' }, { status: 'done' }],
    [
      'the least numbers',
      { attempt: 0, max_attempts: 1, lease_seconds: 1, cost_usd: 0 },
      { attempt: 0, max_attempts: 1, lease_seconds: 1, cost_usd: 0 },
    ],
    ['the greatest', { max_attempts: 1000 }, { max_attempts: 1000 }],
    [
      'what only some tasks have',
      { exclusive: false, key: 'k', note: '', result_digest: '', last_error: '' },
      { exclusive: false, key: 'k', note: '', result_digest: '', last_error: '' },
    ],
  ])('takes %s', (_, written, read) => {
    expect(WrittenTask.parse({ id: 'a', description: 'd', ...written })).toStrictEqual({ ...least, ...read });
  });

  const TIME = 'must be a UTC time such as 2026-01-31T12:00:00.000Z';
  test.each<[string, string, object]>([
    ['id', NAME, { id: 'a b' }],
    ['description', EMPTY, { description: ' ' }],
    [
      'status',
      'Invalid option: expected one of "available"|"claimed"|"submitted"|"done"|"failed"|"cancelled"',
      { status: 'busy' },
    ],
    ['claimed_by', 'a claimed task must name its worker', { status: 'claimed' }],
    ['claimed_by', 'an available task must not name a worker', { claimed_by: 'w' }],
    ['claimed_by', NAME, { status: 'done', claimed_by: 'a b' }],
    ['priority', 'Too small: expected number to be >=1', { priority: 0 }],
    ['dependencies.0', NAME, { dependencies: ['a b'] }],
    ['tags.0', NAME, { tags: ['a b'] }],
    ['attempt', 'Too small: expected number to be >=0', { attempt: -1 }],
    ['max_attempts', 'Too small: expected number to be >=1', { max_attempts: 0 }],
    ['created_at', TIME, { created_at: 'soon' }],
    ['claimed_at', TIME, { claimed_at: 5 }],
    ['last_error', 'Invalid input: expected string, received number', { last_error: 1 }],
    ['exclusive', 'Invalid input: expected boolean, received number', { exclusive: 1 }],
    ['key', NAME, { key: '' }],
    ['lease_seconds', 'Too small: expected number to be >=1', { lease_seconds: 0 }],
    ['note', 'Invalid input: expected string, received number', { note: 1 }],
    ['cost_usd', 'Too small: expected number to be >=0', { cost_usd: -1 }],
    ['result_digest', 'Invalid input: expected string, received number', { result_digest: 1 }],
    ['context.files.0', 'Too small: expected string to have >=1 characters', { context: { files: [''] } }],
    ['context.files.0', 'Too big: expected string to have <=1024 characters', { context: { files: [text(1025)] } }],
    ['context.hints', 'Too big: expected string to have <=10000 characters', { context: { hints: text(10_001) } }],
    ['context', 'Invalid input: expected object, received array', { context: [] }],
  ])('refuses a %s: %s', (path, message, written) => {
    const parsed = WrittenTask.safeParse({ id: 'a', description: 'd', ...written });
    expect(parsed.error?.issues.map((issue) => [issue.path.join('.'), issue.message])).toEqual([[path, message]]);
  });

  test('takes files and hints up to their bounds', () => {
    const context = { files: [text(1024)], hints: text(10_000) };
    expect(WrittenTask.parse({ id: 'a', description: 'd', context }).context).toEqual(context);
  });
});
