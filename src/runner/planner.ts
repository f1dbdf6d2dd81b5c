/** Goal to tasks, by asking an agent that may look at everything and change nothing. */
import * as z from 'zod/mini';
import { emptyBoard } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import { AddTasks } from '../model/inputs.ts';
import { parseInput } from '../model/parse-input.ts';
import { addTasks } from '../model/verbs/add-tasks.ts';
import type { Agent, Job, Outcome } from './agent.ts';

export interface Plan {
  /** How the goal is gone about, Markdown. */
  approach: string;
  tasks: AddTasks['tasks'];
}

/** The name of who plans, for logs. */
export const PLANNER = 'planner';
/** A bad plan is sent back once. */
const TRIES = 2;

const PlanAnswer = () =>
  z.strictObject({
    approach: z.string().check(z.minLength(1), z.maxLength(100_000)),
    tasks: AddTasks().shape.tasks,
  });

/** What the agent is asked for; the check above is stricter than what it is told. */
const SHAPE = {
  type: 'object',
  additionalProperties: false,
  required: ['approach', 'tasks'],
  properties: {
    approach: { type: 'string', description: 'how the goal is gone about, in a few paragraphs of Markdown' },
    tasks: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['key', 'description', 'priority', 'dependencies'],
        properties: {
          key: { type: 'string', description: 'a short name, letters, digits and dashes, unlike all others' },
          description: { type: 'string', description: 'one outcome, and how to tell that it is reached' },
          priority: { type: 'integer', minimum: 1, maximum: 10, description: '1 first' },
          dependencies: { type: 'array', items: { type: 'string' }, description: 'keys of what must be done first' },
          files: { type: 'array', items: { type: 'string' }, description: 'paths that it will touch' },
          hints: { type: 'string', description: 'what spares the worker a search' },
        },
      },
    },
  },
};

/**
 * Asks for a plan.
 *
 * @param spend  told what each try has cost, in US dollars, whatever comes of it
 * @throws CoordError `plan-invalid` when two answers in a row were no plan; and what made the agent fail
 */
export async function makePlan(
  agent: Agent,
  goal: string,
  job: Omit<Job, 'prompt' | 'schema' | 'isReadOnly'>,
  spend: (usd: number) => Promise<void>,
): Promise<Plan> {
  let problem = '';
  for (let tries = 0; tries < TRIES; tries++) {
    const prompt = `${planPrompt(goal)}${problem === '' ? '' : `\nYour last plan could not be used: ${problem}\nGive a corrected plan.\n`}`;
    const outcome = await agent.run({ ...job, prompt, schema: SHAPE, isReadOnly: true });
    await spend(outcome.costUsd ?? 0);
    if (!outcome.ok) {
      if (outcome.kind !== 'no-answer') throw planFailed(outcome);
      problem = outcome.reason;
      continue;
    }
    try {
      const { approach, tasks } = parseInput(PlanAnswer, outcome.structured);
      addTasks(emptyBoard(goal), { tasks }, new Date(0).toISOString()); // unknown keys and circles are refused here
      return { approach, tasks };
    } catch (error) {
      if (!(error instanceof CoordError)) throw error;
      problem = error.message;
    }
  }
  throw new CoordError('plan-invalid', `No usable plan after ${TRIES} tries: ${problem}.`.replace('..', '.'), {
    details: { why: 'unusable' },
  });
}

function planFailed(outcome: Outcome & { ok: false }): CoordError {
  if (outcome.kind === 'interrupted') return new CoordError('interrupted', 'Interrupted while planning.');
  if (outcome.kind === 'authentication')
    return new CoordError('claude-not-authenticated', `Claude Code may not work: ${outcome.reason}.`, {
      details: {},
    });
  return new CoordError('plan-invalid', `Planning failed: ${outcome.reason}.`, {
    details: { why: 'failed' },
  });
}

function planPrompt(goal: string): string {
  return `You plan the work of several Claude Code instances that will work side by side in this project. Do not change anything.

Goal: ${goal}

Read the code base as far as the goal needs it. Then break the goal into tasks. Each must be
- atomic: one outcome, which one worker reaches alone;
- specific: what to do, and how to tell that it is done;
- bounded: 5 to 15 minutes of work, so split what is longer;
- contextual: name the files it touches and give hints that spare the worker a search.
Tasks without a dependency between them run at the same time, so they should not touch the same files. Give each a key, a
priority (1 first, 10 last) and the keys of the tasks that must be done before it. Fewer dependencies are better: only real ones.
`;
}
