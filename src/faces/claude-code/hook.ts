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
import { remember, onBoard, onSeenBoard, type Call } from './hook-call.ts';
import { sessionStart } from './session-start.ts';
import type { Board } from '../../model/board.ts';
import { isRecord } from '../../model/values.ts';

/** A lease is renewed at most this often by the tools that a session uses. */
const LIFE_MS = 15_000;
/** Below the hook's own limit of an hour, after which Claude Code would end it. */
const LONGEST_WAKE_MS = 3_500_000;
/** Exit code by which a hook tells the session what stands on its stderr. */
const WAKE = 2;

const SILENT: Reply = { text: '', json: undefined };

type Hook = (call: Call) => Promise<Reply>;

const HOOKS: Record<string, Hook> = {
  'session-start': sessionStart,
  'post-tool-use': postToolUse,
  'pre-tool-use': preToolUse,
  stop,
  wake,
  'session-end': sessionEnd,
};

export async function hook(context: Context, event: string, options: { strict?: boolean } = {}): Promise<Reply> {
  try {
    const answer = HOOKS[event];
    const input = parseEvent(await context.io.readStdinAtOnce());
    // The orchestrator claims and hands in for its workers, and ends them itself.
    if (context.io.env['COORD_ORCHESTRATED'] && ['stop', 'wake', 'session-end'].includes(event)) return SILENT;
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
  const session = known?.worker === worker ? known : { worker };
  return { context, input, openOptions, sessionId, sessions, session, terminal, inherited };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Those that were made in this session: of its name others may work too, as a `claude -p` that it has started itself. */
const heldHere = (tasks: readonly Task[], { sessions, sessionId, session, terminal }: Call): Task[] => {
  const mine = sessions.claimsOf(sessionId, terminal);
  return heldBy(tasks, session.worker).filter((task) => mine.has(claimOf(task)));
};

/** A session that uses tools is alive. */
async function postToolUse(call: Call): Promise<Reply> {
  if (!call.sessions.isDue(call.sessionId, LIFE_MS)) return SILENT;
  const { worker } = call.session;
  await onBoard(call, async (store) => {
    if (heldHere((await store.read()).tasks, call).length > 0) await store.renew({ worker });
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
 * A task must not be left half done by mistake. Said once for each claim: who stops again knows. Also to a terminal that was
 * woken (`stop_hook_active` is set there all along): the memory of the claim bounds it.
 */
async function stop(call: Call): Promise<Reply> {
  const { input, session } = call;
  const isBusy = Array.isArray(input['background_tasks']) && input['background_tasks'].length > 0;
  if (isBusy) return SILENT;
  return onBoard(call, async (store) => {
    const [task] = heldHere((await store.read()).tasks, call);
    if (!task || session.held_up_for === claimOf(task)) return SILENT;
    remember(call, { held_up_for: claimOf(task) });
    // Where that could not be written down, it must not be said again and again.
    if (call.session.held_up_for !== claimOf(task) && input['stop_hook_active'] === true) return SILENT;
    const { worker } = session;
    const reason = `You still hold ${task.id} (${visible(clip(task.description, 100))}). Finish it and hand it in: coord worker done ${worker} ${task.id} "<what you did>". Cannot: coord worker fail ${worker} ${task.id} "<why>". Must stop: coord worker release ${worker} ${task.id} "<what is done, what is left>".`;
    return { text: JSON.stringify({ decision: 'block', reason }), json: undefined };
  });
}

/** Whether somebody sits before the session. Older releases tell only how it was started. */
function isAttended(env: Context['io']['env']): boolean {
  const attended = env['CLAUDE_CODE_SESSION_ATTENDED'];
  return attended === undefined ? env['CLAUDE_CODE_ENTRYPOINT'] === 'cli' : attended === '1';
}

/** A session that was killed tells nobody; its waiter notices within the tick of a wait. */
function isSessionAlive(env: Context['io']['env']): boolean {
  const pid = Number(env['CLAUDE_PID']);
  if (!Number.isInteger(pid) || pid < 2) return true; // not told: then the time limit ends it
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Sleeps until there is something for an idle terminal to do, and wakes it. Only where somebody sits before it. */
async function wake(call: Call): Promise<Reply> {
  const { context, sessions, sessionId, session } = call;
  if (!isAttended(context.io.env)) return SILENT;
  const { worker } = session;
  const isWaiter = sessions.wait(sessionId);
  const [{ claimableTasks, idleReason }, { waitFor }] = await Promise.all([
    import('../../model/views/summary.ts'),
    import('../../store/wait.ts'),
  ]);
  return onBoard(call, async (store) => {
    // What it was woken for and let lie is no news.
    const known = new Set(session.woken_for);
    const found = await waitFor<Task[]>(
      store,
      async () => {
        const board = await store.read();
        const isOver = !isWaiter() || !isSessionAlive(context.io.env);
        if (isOver || heldBy(board.tasks, worker).length > 0) return { answer: [] };
        const now = await store.now();
        const idle = idleReason(board, worker, now);
        const claimable = idle ? [] : claimableTasks(board, now);
        if (claimable.some((task) => !known.has(task.id))) return { answer: claimable };
        return { wakeAt: idle?.next_expiry ?? null };
      },
      { signal: context.io.signal, timeoutMs: LONGEST_WAKE_MS },
    ).catch((error: unknown) => {
      if (error instanceof CoordError) return []; // the time is up, or the session ends
      throw error;
    });
    const [first] = found;
    if (!first) return SILENT;
    remember(call, { woken_for: found.slice(0, 100).map((task) => task.id) });
    const more = found.length > 1 ? ` and ${found.length - 1} more` : '';
    context.io.stderr.write(
      `${first.id}${more} can be claimed now: ${visible(clip(first.description, 200))}. Claim it: coord worker claim ${worker}\n`,
    );
    return { ...SILENT, exitCode: WAKE };
  });
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
