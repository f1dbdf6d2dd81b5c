/**
 * `coord hook <event>`: what a Claude Code session asks at its turning points. Rule one is never to break a session: whatever
 * is missing or wrong, the answer is silence and exit code 0. Facts of the events: https://code.claude.com/docs/en/hooks
 */
import { homedir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { claimOf, heldBy } from '../../model/lifecycle.ts';
import type { Task } from '../../model/task.ts';
import { clip, visible } from '../../model/text.ts';
import { isName } from '../../model/limits.ts';
import { isWithin, openSessions, terminalOf, worktreeAbove } from '../../store/sessions.ts';
import type { Context, Reply } from '../io.ts';
import { remember, onBoard, onSeenBoard, SILENT, tellHere, type Call } from './hook-call.ts';
import { sessionStart } from './session-start.ts';
import type { Occasion } from '../news.ts';
import { sessionTag } from '../../model/session-tag.ts';
import type { Board } from '../../model/board.ts';
import { isRecord } from '../../model/values.ts';

/** A lease is renewed at most this often by the tools that a session uses. */
const LIFE_MS = 15_000;
/** Bytes, beside what is said of the task in hand. */
const LONGEST_NEWS_AT_STOP = 1050;
/** A server is asked at most this often by the tools that a session uses, whether there is a message. */
const LOOK_MS = 3000;

type Hook = (call: Call) => Promise<Reply>;

const HOOKS: Record<string, Hook> = {
  'session-start': sessionStart,
  'user-prompt-submit': userPromptSubmit,
  'post-tool-use': postToolUse,
  'post-tool-batch': postToolBatch,
  'pre-tool-use': preToolUse,
  stop,
  wake: async (call) => (await import('./wake.ts')).wake(call),
  'session-end': sessionEnd,
};

export async function hook(context: Context, event: string, options: { strict?: boolean } = {}): Promise<Reply> {
  try {
    const answer = HOOKS[event];
    const input = parseEvent(await context.io.readStdinAtOnce());
    // The orchestrator claims and hands in for its workers, and ends them itself.
    if (context.io.env['COORD_ORCHESTRATED'] && ['wake', 'session-end'].includes(event)) return SILENT;
    const call = input && answer && identify(context, input);
    return call ? await answer(call) : SILENT;
  } catch (error) {
    if (context.io.env['COORD_HOOK_DEBUG']) context.io.stderr.write(`coord hook ${event}: ${String(error)}\n`);
    const isNoBoard = error instanceof CoordError && error.code === 'not-initialised';
    return options.strict === true && event === 'pre-tool-use' && !isNoBoard ? closed(error) : SILENT;
  }
}

/** A guard that cannot say whether a file is free says no, where that was asked for. */
function closed(error: unknown): Reply {
  const why = error instanceof Error ? error.message : String(error);
  return hookAnswer('PreToolUse', {
    permissionDecision: 'deny',
    permissionDecisionReason: visible(
      `coord cannot tell whose file this is: ${clip(why, 300)} Ask the user; COORD_GUARD=off in the environment of claude turns this guard off.`,
    ),
  });
}

function parseEvent(text: string): Record<string, unknown> | undefined {
  const event: unknown = JSON.parse(text);
  return isRecord(event) ? event : undefined;
}

/** The session's worker: COORD_WORKER, or who it was before. Without one, or without a board, there is nothing to do. */
function identify(context: Context, input: Record<string, unknown>): Call | undefined {
  const { env, cwd } = context.io;
  const sessionId = textOf(input['session_id']) ?? env['CLAUDE_CODE_SESSION_ID'];
  if (sessionId === undefined) return undefined;
  const openOptions = { ...context.openOptions, cwd: textOf(input['cwd']) ?? env['CLAUDE_PROJECT_DIR'] ?? cwd };
  const sessions = openSessions(openOptions);
  const terminal = terminalOf(env['CLAUDE_PID']);
  const own = sessions.get(sessionId);
  const inherited = own ? undefined : sessions.before(sessionId, terminal);
  const known = own ?? inherited;
  const worker = isName(env['COORD_WORKER']) ? env['COORD_WORKER'] : known?.worker;
  if (worker === undefined) return undefined;
  // What a worker has started in its own shell is nobody, whatever its environment says.
  if (own === undefined && sessions.isNested(worker, terminal)) return undefined;
  const session = known?.worker === worker ? known : { worker };
  return { context, input, openOptions, sessionId, sessions, session, terminal, inherited };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Those that were made in this session: of its name others may work too. */
const heldHere = (tasks: readonly Task[], { sessionId, session }: Call): Task[] => {
  const own = sessionTag(sessionId);
  return heldBy(tasks, session.worker).filter((task) => task.claimed_session === own);
};

/** What a subagent does is no sign that the model has read what was said to its session. */
function isSubagent({ input }: Call): boolean {
  return textOf(input['agent_id']) !== undefined;
}

/** Somebody has spoken to the session, which is idle no more. */
async function userPromptSubmit(call: Call): Promise<Reply> {
  call.sessions.wait(call.sessionId); // the waiter sees that it is replaced
  return tellAs(call, 'UserPromptSubmit', 'prompt');
}

/** After all tools of one request: where words reach the model without holding anything up. */
async function postToolBatch(call: Call): Promise<Reply> {
  await postToolUse(call);
  if (isSubagent(call)) return SILENT;
  if (call.session.hooked !== true) remember(call, { hooked: true });
  if (isQuiet(call)) return SILENT;
  const { isOnServer } = await import('../../store/open.ts'); // a quiet event of a board in files does not load it
  const isSlow = isOnServer({ ...call.openOptions, dir: call.sessions.location });
  if (isSlow && !call.sessions.isDue(`${call.sessionId}-look`, LOOK_MS)) return SILENT;
  return tellAs(call, 'PostToolBatch', 'batch');
}

/** Whether it shows without opening the board that there is nothing to tell. */
function isQuiet({ context, sessions, sessionId, session }: Call): boolean {
  return !context.io.env['COORD_STORE'] && sessions.isQuiet(sessionId, session.worker);
}

async function tellAs(call: Call, event: string, occasion: Occasion): Promise<Reply> {
  if (isQuiet(call)) return SILENT;
  const news = await onBoard(call, (store) => tellHere(call, store, occasion));
  return news === undefined ? SILENT : hookAnswer(event, { additionalContext: news });
}

/** A session that uses tools is alive. */
async function postToolUse(call: Call): Promise<Reply> {
  if (!call.sessions.isDue(call.sessionId, LIFE_MS)) return SILENT;
  const { worker } = call.session;
  await onBoard(call, async (store) => {
    if (heldHere((await store.read()).tasks, call).length > 0)
      await store.renew({ worker, session: sessionTag(call.sessionId) });
  });
  return SILENT;
}

/** Keeps one worker's hands off the files that another has to itself. */
async function preToolUse(call: Call): Promise<Reply> {
  const given = call.input['tool_input'];
  const fields: Record<string, unknown> = typeof given === 'object' && given !== null ? { ...given } : {};
  const path = textOf(fields['file_path'] ?? fields['notebook_path']);
  if (path === undefined || !/^(Edit|MultiEdit|Write|NotebookEdit)$/.test(textOf(call.input['tool_name']) ?? ''))
    return SILENT;
  const { worker } = call.session;
  const { location } = call.sessions;
  return onSeenBoard(call, async (store) => {
    const board = await store.read();
    const outside = await outsideWorktree(call, board, location, path);
    if (outside) return outside;
    const { claimsOn } = await import('../../model/overlaps.ts');
    const { withoutLinks } = await import('../../store/open.ts');
    // Tasks name files from the project's root; in a linked worktree the session has a root of its own.
    const roots = new Set([
      dirname(location),
      textOf(call.input['cwd']) ?? '',
      call.context.io.env['CLAUDE_PROJECT_DIR'] ?? '',
    ]);
    const root = dirname(location);
    const real = withoutLinks(path);
    const names = [
      path,
      ...[...roots]
        .filter((one) => one !== '')
        .flatMap((one) => [relative(one, path), relative(withoutLinks(one), real)]),
    ];
    // A link on either side is another name of the same file.
    const whereLinksLead = (file: string): string[] => [
      relative(withoutLinks(root), withoutLinks(resolve(root, file))),
    ];
    const claims = claimsOn(board, names, worker, await store.now(), whereLinksLead);
    const [exclusive] = claims.filter((task) => task.exclusive === true);
    const name = relative(dirname(location), path);
    if (exclusive) {
      return hookAnswer('PreToolUse', {
        permissionDecision: 'deny',
        permissionDecisionReason: `${name} belongs to ${exclusive.id} of ${exclusive.claimed_by} alone until it is settled. Leave it, and say in your result what should change there.`,
      });
    }
    const [shared] = claims;
    if (!shared) return SILENT;
    return hookAnswer('PreToolUse', {
      additionalContext: `${shared.claimed_by} works on ${name} too (${shared.id}): read it again before you write, and keep the change small.`,
    });
  });
}

/** Who has a worktree writes there, into the board's folder, and into what the client keeps for itself: nowhere else. */
async function outsideWorktree(
  call: Call,
  { tasks }: Board,
  location: string,
  given: string,
): Promise<Reply | undefined> {
  const { withoutLinks } = await import('../../store/open.ts');
  const cwd = textOf(call.input['cwd']) ?? call.context.io.cwd;
  const held = heldBy(tasks, call.session.worker).flatMap((one) => {
    const root = one.branch === undefined ? undefined : worktreeAbove([dirname(location), cwd], one.branch);
    return root === undefined ? [] : [{ task: one, root }]; // made elsewhere: nobody here knows where
  });
  const [first] = held;
  if (!first) return undefined;
  const { task, root } = first;
  const { env } = call.context.io;
  const path = withoutLinks(resolve(cwd, given));
  const own = env['CLAUDE_CONFIG_DIR'] || join(homedir(), '.claude');
  const free = [...held.map((one) => one.root), location, own];
  if (free.some((folder) => isWithin(withoutLinks(folder), path))) return undefined;
  return hookAnswer('PreToolUse', {
    permissionDecision: 'deny',
    permissionDecisionReason: visible(
      `You hold ${task.id}, whose worktree is ${root}: write there, and commit there. ${path} is outside of it.`,
    ),
  });
}

function hookAnswer(hookEventName: string, fields: Record<string, string>): Reply {
  return { text: JSON.stringify({ hookSpecificOutput: { hookEventName, ...fields } }), json: undefined };
}

/**
 * A task must not be left half done by mistake, and what was said to the worker must not be missed. Said once for each claim, and
 * each message once: who stops again knows. Also to a terminal that was woken (`stop_hook_active` is set there all along): the
 * memory of the session bounds it.
 */
async function stop(call: Call): Promise<Reply> {
  const { input, session, context } = call;
  const isBusy = Array.isArray(input['background_tasks']) && input['background_tasks'].length > 0;
  if (isBusy || isSubagent(call)) return SILENT;
  return onBoard(call, async (store) => {
    // What comes after that is told to the idle terminal, or to whoever speaks to it next.
    const wasHeld = session.held_for_news === true;
    const news = await tellHere(call, store, wasHeld ? 'over' : 'stop', LONGEST_NEWS_AT_STOP);
    if (wasHeld !== (news !== undefined)) remember(call, { held_for_news: news !== undefined });
    // Orchestrated claims are the orchestrator's to hand in.
    const [task] = context.io.env['COORD_ORCHESTRATED'] ? [] : heldHere((await store.read()).tasks, call);
    const isHeldUp = task !== undefined && session.held_up_for !== claimOf(task);
    if (isHeldUp) remember(call, { held_up_for: claimOf(task) });
    // Where that could not be written down, it must not be said again and again.
    const isKept = task !== undefined && call.session.held_up_for === claimOf(task);
    const mayHoldUp = isHeldUp && (isKept || input['stop_hook_active'] !== true);
    const parts = [...(news === undefined ? [] : [news]), ...(mayHoldUp ? [unfinished(task, session.worker)] : [])];
    if (parts.length === 0) return SILENT;
    return { text: JSON.stringify({ decision: 'block', reason: parts.join('\n\n') }), json: undefined };
  });
}

function unfinished(task: Task, worker: string): string {
  return `You still hold ${task.id} (${visible(clip(task.description, 100))}). Finish it and hand it in: coord worker done ${worker} ${task.id} "<what you did>". Cannot: coord worker fail ${worker} ${task.id} "<why>". Must stop: coord worker release ${worker} ${task.id} "<what is done, what is left>".`;
}

/** Gives back what the session holds, for others to take at once. A cleared session goes on in the same terminal. */
async function sessionEnd(call: Call): Promise<Reply> {
  if (call.input['reason'] === 'clear') return SILENT;
  call.sessions.wait(call.sessionId); // nobody is there to be woken any more: its waiter sees that it is replaced
  const { worker } = call.session;
  return onBoard(call, async (store) => {
    for (const task of heldHere((await store.read()).tasks, call)) {
      const reason = task.note === undefined ? 'its session ended' : `its session ended. Before: ${task.note}`;
      await store.release({ worker, task_id: task.id, attempt: task.attempt, reason: clip(reason, 2000) });
    }
    return SILENT;
  });
}
