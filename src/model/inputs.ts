/**
 * The input of every verb. CLI, MCP and the API check against these very schemas, and show these very words.
 * Strict throughout: a misspelt field is an error, never silently dropped.
 */
import en from 'zod/v4/locales/en.js';
import * as z from 'zod/mini';
import { CoordError } from './errors.ts';
import { Description, lazily, Name, Priority } from './fields.ts';
import { DEFAULT_LEASE_SECONDS, MAX_TEXT } from './limits.ts';

// One check a process is the rule, and generating code for it takes longer than the check.
z.config({ ...en(), jitless: true });

/** Ten million characters of result: more belongs in a file that the result names. */
export const MAX_RESULT = 10_000_000;
/** A year. A lease that never ends would lose the task of a crashed worker. */
const MAX_LEASE_SECONDS = 31_536_000;

const Worker = lazily(() => Name().check(z.describe('your name, such as terminal-2')));
const TaskId = lazily(() => Name().check(z.describe('a task id, such as task-001')));
const Files = lazily(() => z.array(z.string().check(z.minLength(1), z.maxLength(1024))).check(z.maxLength(1000)));
const Reason = lazily(() => z.string().check(z.trim(), z.minLength(1, 'must not be empty'), z.maxLength(MAX_TEXT)));
const Cost = lazily(() => z.number().check(z.minimum(0), z.maximum(1_000_000)));
const Attempt = lazily(() =>
  z.int().check(z.minimum(1), z.describe('the attempt that the claim named; refuses when it is no longer yours')),
);
const Dependency = lazily(() => z.string().check(z.minLength(1), z.maxLength(64)));

export const NewTask = lazily(() =>
  z.strictObject({
    description: Description().check(z.describe('one outcome, 5 to 15 minutes of work')),
    key: z.optional(Name().check(z.describe('the same key again gives the same task'))),
    priority: z.optional(Priority().check(z.describe('1 (first) to 10 (last), default 5'))),
    dependencies: z.optional(
      z
        .array(Dependency())
        .check(z.maxLength(1000), z.describe('ids, keys, or task-1, task-2 … for the n-th of a batch')),
    ),
    files: z.optional(Files().check(z.describe('paths it will touch'))),
    hints: z.optional(z.string().check(z.maxLength(MAX_TEXT), z.describe('what the worker should know'))),
    tags: z.optional(z.array(Name()).check(z.maxLength(100))),
    max_attempts: z.optional(
      z.int().check(z.minimum(1), z.maximum(100), z.describe('claims before the task counts as failed, default 3')),
    ),
    exclusive: z.optional(z.boolean().check(z.describe('never beside a claimed task that shares a file'))),
  }),
);
export const AddTasks = lazily(() =>
  z.strictObject({
    tasks: z.array(NewTask()).check(z.minLength(1, 'must hold at least one task'), z.maxLength(100_000)),
  }),
);
export const EditTask = lazily(() =>
  z.strictObject({
    task_id: TaskId(),
    description: z.optional(Description()),
    priority: z.optional(Priority()),
    dependencies: z.optional(z.array(Dependency()).check(z.maxLength(1000))),
    files: z.optional(Files()),
    hints: z.optional(z.string().check(z.maxLength(MAX_TEXT))),
    tags: z.optional(z.array(Name()).check(z.maxLength(100))),
    max_attempts: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
    exclusive: z.optional(z.boolean()),
  }),
);
export const TaskIds = lazily(() =>
  z.strictObject({ task_ids: z.array(TaskId()).check(z.minLength(1), z.maxLength(100_000)) }),
);
export const CancelTasks = lazily(() =>
  z.extend(TaskIds(), {
    cascade: z.optional(z.boolean().check(z.describe('also every task that waits for one of these'))),
  }),
);
export const Claim = lazily(() =>
  z.strictObject({
    worker: Worker(),
    task_id: z.optional(TaskId().check(z.describe('this task and no other'))),
    lease_seconds: z.optional(
      z.int().check(z.minimum(1), z.maximum(MAX_LEASE_SECONDS), z.describe(`default ${DEFAULT_LEASE_SECONDS}`)),
    ),
  }),
);
export const Renew = lazily(() => z.strictObject({ worker: Worker() }));
export const Complete = lazily(() =>
  z.strictObject({
    worker: Worker(),
    task_id: TaskId(),
    output: z.string().check(z.maxLength(MAX_RESULT), z.describe('what was done, for who builds on it')),
    files_modified: z.optional(Files()),
    files_created: z.optional(Files()),
    attempt: z.optional(Attempt()),
    /** What the agent's work on this attempt cost, in US dollars. */
    cost_usd: z.optional(Cost()),
  }),
);
export const Fail = lazily(() =>
  z.strictObject({
    worker: Worker(),
    task_id: TaskId(),
    error: Reason().check(z.describe('why, for whoever tries next')),
    retry: z.optional(z.boolean().check(z.describe('false: nobody should try again'))),
    attempt: z.optional(Attempt()),
    cost_usd: z.optional(Cost()),
  }),
);
export const Release = lazily(() =>
  z.strictObject({
    worker: Worker(),
    task_id: TaskId(),
    reason: z.optional(Reason().check(z.describe('notes for the next worker'))),
    attempt: z.optional(Attempt()),
    cost_usd: z.optional(Cost()),
  }),
);
export const AddCost = lazily(() => z.strictObject({ cost_usd: Cost() }));
export const AddDiscovery = lazily(() =>
  z.strictObject({
    worker: Worker(),
    content: Reason(),
    tags: z.optional(z.array(Name()).check(z.maxLength(100))),
    task_id: z.optional(TaskId()),
  }),
);
export const WritePlan = lazily(() =>
  z.strictObject({
    text: z.string().check(z.maxLength(1_000_000)),
    append: z.optional(z.boolean().check(z.describe('add to the plan instead of replacing it'))),
  }),
);
export const InitBoard = lazily(() =>
  z.strictObject({
    goal: z.string().check(z.trim(), z.minLength(1, 'must not be empty'), z.maxLength(MAX_TEXT)),
    approach: z.optional(z.string().check(z.maxLength(1_000_000))),
  }),
);

export type NewTask = z.infer<ReturnType<typeof NewTask>>;
export type AddTasks = z.infer<ReturnType<typeof AddTasks>>;
export type EditTask = z.infer<ReturnType<typeof EditTask>>;
export type TaskIds = z.infer<ReturnType<typeof TaskIds>>;
export type CancelTasks = z.infer<ReturnType<typeof CancelTasks>>;
export type Claim = z.infer<ReturnType<typeof Claim>>;
export type Renew = z.infer<ReturnType<typeof Renew>>;
export type Complete = z.infer<ReturnType<typeof Complete>>;
export type Fail = z.infer<ReturnType<typeof Fail>>;
export type Release = z.infer<ReturnType<typeof Release>>;
export type AddCost = z.infer<ReturnType<typeof AddCost>>;
export type AddDiscovery = z.infer<ReturnType<typeof AddDiscovery>>;
export type WritePlan = z.infer<ReturnType<typeof WritePlan>>;
export type InitBoard = z.infer<ReturnType<typeof InitBoard>>;

/** Checks a value at the edge; what does not fit becomes `invalid-input`, naming the field. */
export function parseInput<S extends z.ZodMiniType>(schema: () => S, value: unknown): z.infer<S> {
  const parsed = schema().safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CoordError('invalid-input', describeIssues(parsed.error.issues), { cause: parsed.error });
}

/** The first few things wrong, each with its field: `tasks[3].priority: expected number`. */
export function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  const shown = issues.slice(0, 3).map((issue) => `${fieldName(issue.path)}: ${issueText(issue)}`);
  if (issues.length > shown.length) shown.push(`and ${issues.length - shown.length} more`);
  return shown.join('; ');
}

/** zod's own words, but for the misspelt field, where its name is what the reader needs. */
export function issueText(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  if (issue.code === 'too_big' && issue.origin === 'string') return `must be at most ${issue.maximum} characters`;
  return issue.message.replace(/^Invalid input: /, '');
}

export function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'input';
  return path.reduce<string>(
    (name, part) =>
      typeof part === 'number' ? `${name}[${part}]` : name === '' ? String(part) : `${name}.${String(part)}`,
    '',
  );
}
