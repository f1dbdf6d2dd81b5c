/** The twelve tools: a table from name to input, answer and the store's verb. Rules live in the model; these are words. */
import {
  type CallToolResult,
  CLIENT_INFO_META_KEY,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod/mini';
import { CoordError } from '../../model/errors.ts';
import { AddTasks, Answer, Ask, Claim, Complete, Tell } from '../../model/inputs.ts';
import { heldBy } from '../../model/lifecycle.ts';
import { answerTo, type Question } from '../../model/questions.ts';
import { parseInput } from '../../model/parse-input.ts';
import { DEFAULT_LEASE_SECONDS, isName, LEADER } from '../../model/limits.ts';
import { bytesOf, clip, startOf, visible } from '../../model/text.ts';
import { refusal } from './errors.ts';
import * as inputs from './inputs.ts';
import { answer, inputJson, type JsonSchema, list, record, shown, text, whole, yesNo } from './schemas.ts';
import type { Session } from './session.ts';
import { statusView, taskView } from './views.ts';
import { NEXT, waitForAnswer, waitForTask } from './wait-for-task.ts';

/** Ids and names shown of a list that may be long. */
const SHOWN = 20;
/** Bytes of what a claim shows of each text, from the 4 kB that it may have in all; get_task has the rest. */
const IN_CLAIM = { description: 1200, files: 300, hints: 500, last: 200 };

function cutText(long: string, most: number): string {
  return startOf(long, most, 'get_task has the rest');
}

/** The first entries that take so many characters together. */
function cutList(entries: readonly string[], most: number): string[] {
  let left = most;
  const kept = entries.map(shortPath).filter((entry) => (left -= bytesOf(entry) + 3) >= 0);
  return kept.length < entries.length ? [...kept, `… ${entries.length - kept.length} more: get_task`] : kept;
}

function shortPath(path: string): string {
  return visible(clip(path, 100));
}

interface Tool<S extends z.ZodMiniType> {
  description: string;
  input: () => S;
  /** What is advertised, where it is not just the input's schema. */
  inputJson?: () => JsonSchema;
  output: JsonSchema;
  isReadOnly?: boolean;
  isIdempotent?: boolean;
  /** The model sees it without searching for it. */
  isAlwaysLoaded?: boolean;
  run: (session: Session, input: z.infer<S>, context: ServerContext) => Promise<Record<string, unknown>>;
}

/** Registers every tool, in the order of a worker's need. */
export function addTools(server: McpServer, session: Session): void {
  const add = <S extends z.ZodMiniType>(name: string, tool: Tool<S>): void => {
    let known: JsonSchema | undefined;
    const fields = (): JsonSchema => (known ??= inputJson(tool.input()));
    server.registerTool(
      name,
      {
        description: tool.description,
        inputSchema: shown((tool.inputJson ?? (() => inputJson(tool.input())))()),
        outputSchema: shown(tool.output),
        annotations: {
          // The others are left at what the protocol takes for granted: every word here costs each client tokens.
          ...(tool.isReadOnly === true ? { readOnlyHint: true } : { destructiveHint: false }),
          ...(tool.isIdempotent === true ? { idempotentHint: true } : {}),
          openWorldHint: false,
        },
        ...(tool.isAlwaysLoaded === true ? { _meta: { 'anthropic/alwaysLoad': true } } : {}),
      },
      async (given: unknown, context: ServerContext): Promise<CallToolResult> => {
        try {
          const input = parseInput(tool.input, inputs.asSent(given, fields()));
          const answered = await tool.run(session, input, context);
          const result = { ...answered, ...(await session.news(callerIn(session, input))) };
          return { content: [{ type: 'text', text: JSON.stringify(result) }], structuredContent: result };
        } catch (error) {
          return refusal(session.explain(error), await session.news(callerIn(session, given)));
        }
      },
    );
  };

  add('init_coordination', {
    description: 'Make the board for a goal, unless there is one.',
    input: inputs.Init,
    inputJson: inputs.initJson,
    output: answer({ created: yesNo, you: text }),
    isIdempotent: true,
    run: async (_session, { goal, approach, master_plan }) => {
      const created = await session.init({ goal, approach: approach ?? master_plan });
      await session.leads();
      const board = await session.store.read();
      return {
        revision: board.revision,
        created,
        dir: session.store.location,
        you: session.worker,
        goal: board.goal ?? '',
        next: created ? 'create_task' : 'get_status',
      };
    },
  });

  add('create_task', {
    description: 'Add one task, or a batch.',
    input: inputs.CreateTask,
    inputJson: inputs.createTaskJson,
    output: answer({ ids: list, status: record }),
    run: async (_session, { tasks, ...one }) => {
      const isBatch = tasks !== undefined;
      if (isBatch && Object.keys(one).length > 0)
        throw new CoordError(
          'invalid-input',
          `Either tasks, or the fields of one task: ${Object.keys(one).join(', ')}.`,
        );
      const added = await session.store.addTasks(parseInput(AddTasks, { tasks: isBatch ? tasks : [one] }));
      await session.leads();
      const status: Record<string, number> = {};
      for (const shownAs of added.shown) status[shownAs] = (status[shownAs] ?? 0) + 1;
      return { revision: added.revision, ids: added.tasks.map((task) => task.id), added: added.added, status };
    },
  });

  add('claim_task', {
    description: 'Take the next task, or the one you hold.',
    input: inputs.ClaimTask,
    inputJson: inputs.claimJson,
    output: answer({ claimed: yesNo, task: record, reason: text }),
    isIdempotent: true,
    isAlwaysLoaded: true,
    run: async (_session, input) => {
      const worker = session.callerOf(input);
      const claimed = await session.store.claim(
        parseInput(Claim, { ...input, worker, session: session.tagOf(worker) }),
      );
      if (!claimed.task) {
        return {
          claimed: false,
          revision: claimed.revision,
          reason: claimed.reason,
          ...(claimed.waiting_for.length > 0 ? { waiting_for: claimed.waiting_for } : {}),
          next: NEXT[claimed.reason],
        };
      }
      const { task, already, taken_over_from, overlaps, checks = [] } = claimed;
      session.holds(worker, task.id, task.lease_seconds ?? DEFAULT_LEASE_SECONDS);
      const told = await session.bind(worker, claimed);
      const worktree = await session.prepare(claimed);
      const notes = [...told, ...(worktree?.notes ?? [])];
      const { files, hints } = task.context;
      return {
        claimed: true,
        revision: claimed.revision,
        task: {
          id: task.id,
          description: cutText(task.description, IN_CLAIM.description),
          priority: task.priority,
          ...(files.length > 0 ? { files: cutList(files, IN_CLAIM.files) } : {}),
          ...(hints === '' ? {} : { hints: cutText(hints, IN_CLAIM.hints) }),
          ...(task.tags.length > 0 ? { tags: cutList(task.tags, IN_CLAIM.files) } : {}),
          ...(task.dependencies.length > 0 ? { builds_on: cutList(task.dependencies, IN_CLAIM.files) } : {}),
          ...(checks.length > 0 ? { checks: cutList(checks, IN_CLAIM.files) } : {}),
          ...(task.last_error === null ? {} : { last_error: cutText(task.last_error, IN_CLAIM.last) }),
          ...(task.note === undefined ? {} : { note: cutText(task.note, IN_CLAIM.last) }),
          ...(task.questions === undefined ? {} : { asked: lastAsked(task.questions, claimed.at) }),
        },
        attempt: task.attempt,
        lease_expires_at: task.lease_expires_at,
        ...(task.branch === undefined ? {} : { branch: task.branch }),
        ...(worktree ? { worktree: worktree.path } : {}),
        ...(notes.length > 0 ? { notes } : {}),
        ...(already ? { already } : {}),
        ...(taken_over_from === undefined ? {} : { taken_over_from }),
        ...(overlaps.length > 0
          ? { overlaps: overlaps.slice(0, 3).map((one) => ({ ...one, files: one.files.slice(0, 3).map(shortPath) })) }
          : {}),
        next: `${worktree ? 'work and commit in the worktree' : 'do it'}, then complete_task${task.dependencies.length > 0 ? '; get_task shows what it builds on' : ''}`,
      };
    },
  });

  add('complete_task', {
    description: 'Hand in the result of your task.',
    input: inputs.CompleteTask,
    inputJson: inputs.completeJson,
    output: answer({ id: text, status: text }),
    isIdempotent: true,
    isAlwaysLoaded: true,
    run: async (_session, input, context) => {
      const worker = session.callerOf(input);
      const tell = progressOf(context);
      const seconds = session.longestWait(clientName(server, context), tell !== undefined);
      const end = await session.handIn(
        parseInput(Complete, { ...input, worker }),
        seconds,
        tell && ((command, ran) => tell(ran, `${clip(visible(command))} runs`)),
      );
      if (end === 'checking')
        return { id: input.task_id, status: 'checking', next: 'complete_task again, with the same arguments' };
      const { already, now_claimable, revision } = end;
      session.drops(end.task.id);
      const isToLand = end.task.status === 'submitted' && end.task.branch !== undefined;
      const landed = isToLand ? await session.land(end.task.id, seconds) : undefined;
      const task = landed?.task ?? end.task;
      return {
        revision,
        id: task.id,
        status: task.status,
        ...(landed?.said === undefined ? {} : { landing: landed.said }),
        ...(already ? { already } : {}),
        now_claimable: now_claimable.slice(0, SHOWN),
        next: 'claim_task',
      };
    },
  });

  add('get_status', {
    description: 'How the board stands; lists by view.',
    input: inputs.GetStatus,
    inputJson: inputs.statusJson,
    output: answer({ you: text, counts: record }),
    isReadOnly: true,
    run: async (_session, input) => statusView(session.store, session.worker, input),
  });

  add('add_discovery', {
    description: 'Share a finding that others need.',
    input: inputs.AddDiscovery,
    output: answer({ id: text }),
    run: async (_session, input) => {
      const { discovery, revision } = await session.store.addDiscovery({ ...input, worker: session.callerOf(input) });
      return { revision, id: discovery.id };
    },
  });

  add('wait_for_task', {
    description: 'Sleep until there is a task or all is settled.',
    input: inputs.WaitForTask,
    output: answer({ changed: yesNo, claimable: whole, reason: text }),
    isReadOnly: true,
    run: async (_session, input, context) => {
      const onProgress = progressOf(context);
      const longest = session.longestWait(clientName(server, context), onProgress !== undefined);
      return {
        ...(await waitForTask({
          store: session.store,
          worker: session.callerOf(input),
          seconds: Math.min(input.timeout_seconds ?? longest, longest),
          afterRevision: input.after_revision,
          signal: AbortSignal.any([context.mcpReq.signal, session.signal]),
          onProgress,
          hasNews: () => session.hasNews(session.callerOf(input)),
        })),
      };
    },
  });

  add('ask_leader', {
    description: 'Ask about your task; waits for the answer.',
    input: inputs.AskLeader,
    inputJson: inputs.askJson,
    output: answer({ answered: yesNo, answer: text }),
    isIdempotent: true,
    run: async (_session, input, context) => {
      const { timeout_seconds, ...asking } = input;
      const worker = session.callerOf(input);
      const task_id = input.task_id ?? (await heldTaskOf(session, worker));
      const asked = await session.store.ask(parseInput(Ask, { ...asking, worker, task_id }));
      const { n, question, revision } = asked;
      const base = { revision, id: task_id };
      if (!asked.answer && question.parked === true)
        return { ...base, answered: false, parked: true, next: 'claim_task: another task, until it is answered' };
      if (!asked.answer) await session.asks(worker, task_id, n);
      const onProgress = progressOf(context);
      const longest = session.longestWait(clientName(server, context), onProgress !== undefined);
      const found =
        asked.answer ??
        (await waitForAnswer({
          store: session.store,
          asked: { worker, taskId: task_id, n },
          seconds: Math.min(timeout_seconds ?? longest, longest),
          signal: AbortSignal.any([context.mcpReq.signal, session.signal]),
          onProgress,
        }));
      if (!found)
        return {
          ...base,
          answered: false,
          next: 'ask_leader again with the same arguments waits on; park: true gives the task back until it is answered',
        };
      await session.hasAnswer(worker, task_id, n);
      return { ...base, answered: true, answer: found.text, by: found.by ?? 'the default: nobody answered in time' };
    },
  });

  add('send_message', {
    description: 'Tell an agent something, or answer its question.',
    input: inputs.SendMessage,
    output: answer({ told: list }),
    run: async (_session, { to, text: given, answers, worker }) => {
      const from = await session.speaker(worker);
      if (answers === undefined && to === undefined)
        throw new CoordError('invalid-input', 'to: say who is told, or answers: which task asks.');
      if (answers === undefined) {
        const { message, full } = await session.store.tell(parseInput(Tell, { from, to, text: given }));
        return { told: message.to.slice(0, SHOWN), ...(full.length > 0 ? { full } : {}) };
      }
      if (from !== LEADER) throw new CoordError('not-allowed', 'Whoever leads answers; a worker does not.');
      const { task, question, open, revision } = await session.store.answer(
        parseInput(Answer, { by: from, task_id: answers, answer: given }),
      );
      return { revision, id: task.id, told: [question.by], open };
    },
  });

  add('get_task', {
    description: 'One task whole, and the results it builds on.',
    input: inputs.GetTask,
    output: answer({ task: record }),
    isReadOnly: true,
    run: async (_session, { task_id }) => taskView(session.store, task_id),
  });

  add('fail_task', {
    description: 'Give up: tried again while attempts are left.',
    input: inputs.FailTask,
    output: answer({ id: text, status: text }),
    run: async (_session, input) => {
      const { task, revision } = await session.store.fail({ ...input, worker: session.callerOf(input) });
      session.drops(task.id);
      return {
        revision,
        id: task.id,
        status: task.status,
        attempts_left: task.status === 'failed' ? 0 : task.max_attempts - task.attempt,
        next: 'claim_task',
      };
    },
  });

  add('release_task', {
    description: 'Give your task back unfinished, with notes.',
    input: inputs.ReleaseTask,
    inputJson: inputs.releaseJson,
    output: answer({ id: text, status: text }),
    isIdempotent: true,
    run: async (_session, input) => {
      const { task, revision } = await session.store.release({ ...input, worker: session.callerOf(input) });
      session.drops(task.id);
      session.letsLie(session.callerOf(input), task.id);
      return { revision, id: task.id, status: task.status };
    },
  });
}

/** Who has called, as far as the arguments say so. */
function callerIn(session: Session, given: unknown): string {
  const worker = typeof given === 'object' && given !== null && 'worker' in given ? given.worker : undefined;
  return isName(worker) && session.mayBe(worker) ? worker : session.worker;
}

/** The one task that a worker holds, where it does not say which. @throws CoordError `claim-lost` */
async function heldTaskOf(session: Session, worker: string): Promise<string> {
  const [task] = heldBy((await session.store.read()).tasks, worker);
  if (task) return task.id;
  throw new CoordError('claim-lost', `${worker} holds no task to ask about.`, { details: { worker } });
}

/** What was asked last, cut to what a claim may show. */
function lastAsked(questions: readonly Question[], now: string): Record<string, unknown> {
  const last = questions.at(-1);
  const found = last && answerTo(last, now);
  return {
    question: cutText(last?.text ?? '', IN_CLAIM.last),
    ...(found ? { answer: cutText(found.text, IN_CLAIM.last), by: found.by ?? 'default' } : {}),
    ...(questions.length > 1 ? { earlier: questions.length - 1 } : {}),
  };
}

/** How a client that wants to hear of it is told how far a call is. */
function progressOf({ mcpReq }: ServerContext): ((progress: number, message: string) => void) | undefined {
  const token = mcpReq._meta?.progressToken;
  if (token === undefined) return undefined;
  return (progress, message) =>
    // A client that has gone is told by its signal, not by this.
    void mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken: token, progress, message } })
      .catch(() => {});
}

/** Told in the handshake of 2025, and with every request since 2026. */
function clientName(server: McpServer, context: ServerContext): string | undefined {
  const envelope: Record<string, unknown> = context.mcpReq.envelope ?? {};
  const info = envelope[CLIENT_INFO_META_KEY] ?? server.server.getClientVersion();
  return typeof info === 'object' && info !== null && 'name' in info && typeof info.name === 'string'
    ? info.name
    : undefined;
}
