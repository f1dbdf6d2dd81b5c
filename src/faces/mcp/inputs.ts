/** The inputs of the tools: the very schemas of the store's verbs, with the caller's own name optional. */
import * as z from 'zod/mini';
import { lazily } from '../../model/fields.ts';
import * as inputs from '../../model/inputs.ts';
import { LISTABLE } from '../../model/views/listing.ts';
import { inputJson, type JsonSchema } from './schemas.ts';

/** What an agent costs, those know who started it; not the agent. */
const COST = { cost_usd: true } as const;
/** Nor in which session it works: this process knows. */
const SESSION = { session: true, adopt: true } as const;
/** Nor does it say itself that its work was checked. */
const PROOF = { ...COST, proof: true } as const;

export const Init = lazily(() =>
  z.strictObject({
    goal: inputs.InitBoard().shape.goal,
    approach: inputs.InitBoard().shape.approach,
    master_plan: z.optional(z.string()),
  }),
);
export const CreateTask = lazily(() =>
  z.extend(inputs.NewTask(), {
    description: z.optional(inputs.NewTask().shape.description),
    tasks: z.optional(inputs.AddTasks().shape.tasks),
  }),
);
export const ClaimTask = lazily(() => z.omit(z.partial(inputs.Claim(), { worker: true }), SESSION));
export const CompleteTask = lazily(() => z.omit(z.partial(inputs.Complete(), { worker: true }), PROOF));
export const FailTask = lazily(() => z.omit(z.partial(inputs.Fail(), { worker: true }), COST));
export const ReleaseTask = lazily(() => z.omit(z.partial(inputs.Release(), { worker: true }), COST));
export const AddDiscovery = lazily(() => z.partial(inputs.AddDiscovery(), { worker: true }));
export const GetTask = lazily(() => z.strictObject({ task_id: inputs.Claim().shape.task_id.def.innerType }));
export const GetStatus = lazily(() =>
  z.strictObject({
    view: z.optional(z.enum(['summary', 'tasks', 'workers', 'discoveries', 'messages'])),
    status: z.optional(z.enum(LISTABLE)),
    limit: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
    cursor: z.optional(z.string()),
  }),
);
export const WaitForTask = lazily(() =>
  z.strictObject({
    timeout_seconds: z.optional(z.int().check(z.minimum(1))),
    after_revision: z.optional(z.int().check(z.minimum(0), z.describe('answers at once if newer'))),
    worker: z.optional(inputs.Claim().shape.worker),
  }),
);

export const AskLeader = lazily(() =>
  z.strictObject({
    question: inputs.Ask().shape.question,
    task_id: z.optional(inputs.Ask().shape.task_id),
    park: inputs.Ask().shape.park,
    default: inputs.Ask().shape.default,
    after_seconds: inputs.Ask().shape.after_seconds,
    timeout_seconds: z.optional(z.int().check(z.minimum(1))),
    worker: z.optional(inputs.Ask().shape.worker),
  }),
);
export const SendMessage = lazily(() =>
  z.strictObject({
    to: z.optional(inputs.Tell().shape.to),
    text: inputs.Tell().shape.text,
    answers: z.optional(inputs.Answer().shape.task_id),
    worker: z.optional(inputs.Tell().shape.from),
  }),
);

/** What a tool understands and does not advertise: each word costs every client tokens. */
function without(json: JsonSchema, ...names: string[]): JsonSchema {
  for (const name of names) delete propertiesOf(json)[name];
  return json;
}

function propertiesOf(json: JsonSchema): Record<string, unknown> {
  return json['properties'] as Record<string, unknown>; // of an object schema
}

/** A batch is told in words: its items have the fields that stand beside it. */
export function createTaskJson(): JsonSchema {
  const json = without(inputJson(CreateTask()), 'max_attempts', 'check_timeout', 'review');
  const tasks = { type: 'array', items: { type: 'object' }, description: 'instead: many such, all or none' };
  return Object.assign(json, { properties: { ...propertiesOf(json), tasks } });
}

/** The eight words for a status stand in the refusal of a ninth. */
export function statusJson(): JsonSchema {
  const json = inputJson(GetStatus());
  return Object.assign(json, { properties: { ...propertiesOf(json), status: { type: 'string' } } });
}

/** `master_plan` is another word for `approach`. */
export function initJson(): JsonSchema {
  return without(inputJson(Init()), 'master_plan');
}

/** A lease is long enough for whoever does not know of it: it is renewed. */
export function claimJson(): JsonSchema {
  const first = { worker: 'your name, such as terminal-2', task_id: 'this task and no other' };
  return without(inputJson(ClaimTask(), first), 'lease_seconds');
}

/** Who has changed nothing is told so by the refusal; a later attempt is refused without asking for its number. */
export function completeJson(): JsonSchema {
  return without(inputJson(CompleteTask()), 'no_changes', 'attempt');
}

/** How long a default waits is told by the refusal of one without it. */
export function askJson(): JsonSchema {
  return without(inputJson(AskLeader()), 'after_seconds', 'timeout_seconds');
}

export function releaseJson(): JsonSchema {
  return without(inputJson(ReleaseTask()), 'attempt');
}

/**
 * Arguments as clients really send them: null for what is not given, and arrays, numbers and booleans as JSON text. Only where
 * the tool wants no text there, so that a description of digits stays one.
 */
export function asSent(given: unknown, json: JsonSchema): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given ?? {};
  const properties = propertiesOf(json);
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue;
    read[name] = typeof value === 'string' ? readAs(value, properties[name]) : value;
  }
  return read;
}

function readAs(text: string, wanted: unknown): unknown {
  const type = typeof wanted === 'object' && wanted !== null && 'type' in wanted ? wanted.type : undefined;
  if (type !== 'array' && type !== 'object' && type !== 'number' && type !== 'integer' && type !== 'boolean')
    return text;
  try {
    const value: unknown = JSON.parse(text);
    const isWanted =
      type === 'array' ? Array.isArray(value) : type === 'integer' ? typeof value === 'number' : typeof value === type;
    return isWanted ? value : text;
  } catch {
    return text; // the check says what is wrong with it
  }
}
