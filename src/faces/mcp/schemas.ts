/** Schemas as MCP clients see them: small, since every model that connects pays for them in tokens. */
import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import * as z from 'zod/mini';

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

/** Fields that many tools have. Only the first explains them. */
const EXPLAINED_ONCE = ['worker', 'task_id', 'attempt'];

/**
 * The JSON Schema of an input, without {@link UNSAID}. Strictness stays: no property but the named ones.
 *
 * @param isFirst  explains the fields that many tools have
 */
export function inputJson(schema: z.ZodMiniType, isFirst = false): JsonSchema {
  const json = slim(z.toJSONSchema(schema, { io: 'input' })) as JsonSchema; // an object stays an object
  const properties = json['properties'] as Record<string, JsonSchema>; // of an object schema
  if (!isFirst) for (const name of EXPLAINED_ONCE) delete properties[name]?.['description'];
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
