/** orchestration.json: a goal, how to go about it, and tasks, written by hand or by `coord orchestrate init` and `create-task`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { CoordError } from '../model/errors.ts';
import { MAX_TEXT } from '../model/limits.ts';
import { parseInput } from '../model/parse-input.ts';
import { taskFileOf } from './task-file.ts';
import type { Board } from '../model/board.ts';
import type { NewTask } from '../model/verbs/add-tasks.ts';

export const CONFIG_NAME = 'orchestration.json';

const Config = () =>
  z.strictObject({
    goal: z.string().check(z.trim(), z.minLength(1, 'must not be empty'), z.maxLength(MAX_TEXT)),
    max_workers: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
    model: z.optional(z.nullable(z.string())),
    /** Seconds for one attempt at a task. */
    task_timeout: z.optional(z.int().check(z.minimum(1), z.maximum(86_400))),
    /** As in every task file; checked when they are added. */
    tasks: z._default(z.array(z.unknown()), []),
  });

export type OrchestrationConfig = z.infer<ReturnType<typeof Config>>;

/** @throws CoordError `store-unavailable`, `import-malformed`, `invalid-input` */
export function readConfig(cwd: string, file: string): OrchestrationConfig {
  let text: string;
  try {
    text = readFileSync(resolve(cwd, file), 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new CoordError(
      'store-unavailable',
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      {
        details: { why: 'config' },
        cause: error,
      },
    );
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new CoordError(
      'import-malformed',
      `${file} is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
      {
        details: { why: 'config' },
        cause: error,
      },
    );
  }
  try {
    return parseInput(Config, document);
  } catch (error) {
    if (!(error instanceof CoordError)) throw error;
    throw new CoordError(error.code, `${file}: ${error.message}`, { cause: error });
  }
}

/** The tasks of a config as new tasks of a board. @throws CoordError `import-malformed` */
export function tasksOfConfig(config: OrchestrationConfig, file: string, board: Board): NewTask[] {
  return taskFileOf(file, config.tasks, board).tasks;
}

/** Writes the file. @throws CoordError `already-initialised` when there is one, unless `replace` */
export function writeConfig(cwd: string, file: string, config: OrchestrationConfig, replace: boolean): void {
  try {
    writeFileSync(resolve(cwd, file), `${JSON.stringify(config, null, 2)}\n`, { flag: replace ? 'w' : 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new CoordError('already-initialised', `There is a ${file} already.`, {
      details: { why: 'config' },
      cause: error,
    });
  }
}
