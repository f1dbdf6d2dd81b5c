/** Schemas as MCP clients see them: small, since every model that connects pays for them in tokens. */
import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import * as z from 'zod/mini';
import { DEFAULT_LEASE_SECONDS } from '../../model/limits.ts';

export type JsonSchema = Record<string, unknown>;

/** Rules that the check states in its answer when they are broken, and that need not be told before. */
const UNSAID = new Set([
  '$schema',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'default',
]);

/** What a field means, wherever it stands. Those that many tools have, `worker` above all, the first of them explains. */
const MEANING: Readonly<Record<string, string>> = {
  description: 'one outcome, 5 to 15 minutes of work',
  key: 'the same key again gives the same task',
  priority: '1 (first) to 10 (last), default 5',
  dependencies: 'ids, keys, or task-1, task-2 … for the n-th of a batch',
  files: 'paths it will touch',
  hints: 'what the worker should know',
  exclusive: 'never beside a claimed task that shares a file',
  lease_seconds: `default ${DEFAULT_LEASE_SECONDS}`,
  output: 'what was done, for who builds on it',
  error: 'why, for whoever tries next',
  retry: 'false: nobody should try again',
  reason: 'notes for the next worker',
  park: 'give the task back until it is answered',
  default: 'holds where nobody answers in time',
  to: 'leader, a worker, or all',
  answers: 'instead: the task whose question this answers',
};

/**
 * The JSON Schema of an input, without {@link UNSAID}, and with the {@link MEANING} of its fields. Strictness stays: no
 * property but the named ones.
 *
 * @param first  explains the fields that many tools have
 */
export function inputJson(schema: z.ZodMiniType, first: Readonly<Record<string, string>> = {}): JsonSchema {
  const json = slim(z.toJSONSchema(schema, { io: 'input' })) as JsonSchema; // an object stays an object
  const properties = json['properties'] as Record<string, JsonSchema>; // of an object schema
  for (const [name, property] of Object.entries(properties)) {
    const description = first[name] ?? MEANING[name];
    if (description !== undefined) property['description'] ??= description;
  }
  return json;
}

function slim(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(slim);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => !UNSAID.has(key) || typeof value === 'object')
      .map(([key, value]) => [key, slim(value)]),
  );
}

export const text = { type: 'string' };
export const whole = { type: 'integer' };
export const yesNo = { type: 'boolean' };
export const list = { type: 'array' };
export const record = { type: 'object' };

/** The shape of an answer, by the fields that a program would look for. An answer may have more. */
export function answer(fields: Record<string, JsonSchema>): JsonSchema {
  return { type: 'object', properties: { revision: whole, ...fields } };
}

/**
 * A schema that shows itself and lets everything pass. The tools check their input themselves, so that every refusal,
 * a misspelt field too, reaches the model in the same words.
 *
 * @see https://standardschema.dev
 */
export function shown(json: JsonSchema): StandardSchemaWithJSON {
  return {
    '~standard': {
      version: 1,
      vendor: 'coord',
      validate: (value) => ({ value }),
      jsonSchema: { input: () => json, output: () => json },
    },
  };
}
