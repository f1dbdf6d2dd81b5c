/** The prompts of `coord prompt`, worded for agents that call tools. Claude Code shows them as /mcp__coordination__worker. */
import type { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod/mini';
import { handoffPrompt, leaderPrompt, workerPrompt } from '../prompts.ts';
import type { Session } from './session.ts';
import { inputJson, shown } from './schemas.ts';

export function addPrompts(server: McpServer, session: Session): void {
  const add = (name: string, description: string, args: z.ZodMiniType, write: (given: Args) => string): void =>
    void server.registerPrompt(name, { description, argsSchema: shown(inputJson(args)) }, (given: unknown) => ({
      messages: [{ role: 'user', content: { type: 'text', text: write(given as Args) } }], // text values by the protocol
    }));
  add(
    'leader',
    'Terminal 1: plan, add tasks, watch, sum up.',
    z.strictObject({ goal: z.optional(z.string().check(z.describe('what all tasks together should reach'))) }),
    ({ goal }) => leaderPrompt(goal, 'mcp'),
  );
  add(
    'worker',
    'Terminals 2, 3 …: claim tasks and do them until all are settled.',
    z.strictObject({ name: z.optional(z.string().check(z.describe('such as terminal-2'))) }),
    ({ name }) => workerPrompt(name ?? session.worker, 'mcp'),
  );
  add(
    'handoff',
    'Leave a task so that the next worker loses nothing.',
    z.strictObject({ task_id: z.string().check(z.describe('such as task-001')) }),
    ({ task_id }) => handoffPrompt(task_id ?? '', 'mcp'),
  );
}

type Args = Partial<Record<'goal' | 'name' | 'task_id', string>>;
