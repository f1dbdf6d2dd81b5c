/** `coord worker run`: claim, run a command with the task, hand in what it printed, again, until the board is drained. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { CoordError } from '../model/errors.ts';
import { Claim, MAX_RESULT, parseInput } from '../model/inputs.ts';
import { DEFAULT_LEASE_SECONDS, MAX_TEXT } from '../model/limits.ts';
import type { Task } from '../model/task.ts';
import { clip, visible } from '../model/text.ts';
import type { Claimed } from '../model/worker-verbs.ts';
import { waitingText } from '../model/listing.ts';
import { allOf, MARK, processesMarked, signalAll, treeOf } from '../orchestrator/processes.ts';
import { briefFor } from '../store/brief-for.ts';
import type { Store } from '../store/store.ts';
import { keepLease, nextTask } from '../store/wait.ts';
import { type Context, leaseSeconds, type Reply, withStore } from './context.ts';
import { EXIT } from './output.ts';
import { idleText } from './render.ts';

/** Failures in a row after which the command itself is suspected, before it uses up the attempts of the whole board. */
const MAX_FAILURES_IN_A_ROW = 5;

/** How long a command has to end after SIGTERM before it is killed. */
const GRACE_MS = 5000;

/** How long the last lines of a command that ended may take to arrive. */
const STREAM_GRACE_MS = 500;
/** Linux starts no process with a longer variable (MAX_ARG_STRLEN, 128 KiB in bytes); the brief has it all. */
const MAX_VARIABLE = 30_000;

type Outcome =
  | { kind: 'done'; output: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'stopped'; why: 'interrupted' | 'lease-lost' };

export async function run(
  context: Context,
  worker: string,
  command: string[],
  options: { timeout?: number; stay?: boolean; lease?: string },
): Promise<Reply> {
  const claim = parseInput(Claim, { worker, lease_seconds: leaseSeconds(context, options.lease) });
  const counts = { done: 0, failed: 0 };
  let failuresInARow = 0;
  context.io.heedHangup();
  return withStore(context, async (store) => {
    for (;;) {
      if (context.io.signal.aborted) throw new CoordError('interrupted', `${worker} stopped between two tasks.`);
      const answer = await nextTask(store, claim, {
        signal: context.io.signal,
        timeoutMs: options.timeout,
        stay: options.stay,
        onIdle: (idle) => context.note(`${worker}: ${waitingText(idle)}`),
      });
      if (!answer.task) {
        const isDrained = answer.reason === 'drained';
        return {
          text: `${worker}: ${answer.reason}; ${counts.done} done, ${counts.failed} failed`,
          json: { worker, reason: answer.reason, ...counts },
          notes: isDrained ? [] : [idleText(answer, worker)],
          exitCode: isDrained ? (counts.failed > 0 ? EXIT.error : EXIT.done) : EXIT.nothing,
        };
      }
      if (answer.already)
        context.note(
          `${worker}: ${answer.task.id} was claimed under this name before; is it running in another terminal?`,
        );
      const ended = await runTask(context, store, answer, command, worker);
      if (ended === 'lost') continue;
      counts[ended]++;
      failuresInARow = ended === 'failed' ? failuresInARow + 1 : 0;
      if (failuresInARow >= MAX_FAILURES_IN_A_ROW) {
        return {
          text: `${worker}: stopped after ${failuresInARow} failures in a row; ${counts.done} done, ${counts.failed} failed`,
          json: { worker, reason: 'failing', ...counts },
          notes: [`Is the command right? What it said: coord log --agent ${worker}`],
          exitCode: EXIT.error,
        };
      }
    }
  });
}

async function runTask(
  context: Context,
  store: Store,
  { task }: Claimed,
  command: string[],
  worker: string,
): Promise<'done' | 'failed' | 'lost'> {
  context.note(`${worker}: ${task.id} claimed: ${visible(clip(task.description))}`);
  const { id: task_id, attempt } = task;
  const outcome = await runCommand(context, store, task, command, worker).catch(async (error: unknown) => {
    // The command could not even start: that is no attempt at the task.
    await store.release({ worker, task_id, attempt, reason: 'the command of coord worker run could not be started' });
    throw error;
  });
  try {
    switch (outcome.kind) {
      case 'done':
        await store.complete({ worker, task_id, attempt, output: outcome.output });
        context.note(`${worker}: ${task_id} done`);
        return 'done';
      case 'failed':
        await store.fail({ worker, task_id, attempt, error: outcome.reason });
        context.note(`${worker}: ${task_id} failed: ${visible(clip(outcome.reason, 200))}`);
        return 'failed';
      case 'stopped':
        if (outcome.why === 'lease-lost') {
          context.note(`${worker}: ${task_id} was taken over by somebody else; its command was stopped`);
          return 'lost';
        }
        await store.release({ worker, task_id, attempt, reason: 'interrupted' });
        throw new CoordError('interrupted', `Interrupted; ${task_id} is given back.`);
    }
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'claim-lost') throw error;
    context.note(`${worker}: ${visible(error.message)}`);
    return 'lost';
  }
}

/** Runs the command on one task, the brief on its stdin, renewing the lease meanwhile. */
async function runCommand(
  context: Context,
  store: Store,
  task: Task,
  command: string[],
  worker: string,
): Promise<Outcome> {
  const [file = '', ...args] = command;
  const brief = await briefFor(store, task);
  return new Promise((resolve, reject) => {
    const mark = randomUUID();
    const { COORD_MCP_TOKENS: _, ...env } = context.io.env;
    const child = spawn(file, args, {
      cwd: context.io.cwd,
      env: { ...env, ...taskVariables(task, worker, store.location), [MARK]: mark },
      stdio: 'pipe',
      detached: process.platform !== 'win32', // a group of its own: Ctrl-C in the terminal is for us to pass on
    });
    /** The command and all that it has started; what it started in the background too, which outlives it otherwise. */
    const signal = (name: NodeJS.Signals): void => {
      if (child.pid !== undefined) signalAll(allOf(treeOf(child.pid), processesMarked(mark)), name);
    };
    let stopped: 'interrupted' | 'lease-lost' | undefined;
    let killer: NodeJS.Timeout | undefined;
    const stop = (why: 'interrupted' | 'lease-lost'): void => {
      stopped ??= why;
      signal('SIGTERM');
      killer ??= setTimeout(() => signal('SIGKILL'), GRACE_MS);
    };
    const interrupted = (): void => {
      context.note(`${worker}: stopping ${task.id}; once more kills it`);
      stop('interrupted');
    };
    context.io.signal.addEventListener('abort', interrupted);
    if (context.io.signal.aborted) interrupted();
    const forgetKill = context.io.atSecondInterrupt(() => {
      context.note(`${worker}: killed; giving ${task.id} back`);
      signal('SIGKILL');
    });
    const lease = new AbortController();
    keepLease(
      store,
      { worker, taskId: task.id, leaseSeconds: task.lease_seconds ?? DEFAULT_LEASE_SECONDS },
      lease.signal,
      () => stop('lease-lost'),
    );

    const stdout = collect(child.stdout, MAX_RESULT);
    const stderr = collect(child.stderr, MAX_RESULT);
    const end = (): void => {
      clearTimeout(killer);
      forgetKill();
      lease.abort();
      context.io.signal.removeEventListener('abort', interrupted);
    };
    child.stdin.on('error', () => {}); // a command need not read its brief
    child.stdin.end(brief);
    child.on('error', (error) => {
      end();
      reject(
        new CoordError('command-not-found', `Cannot start ${file}: ${error.message}.`, {
          hint: 'coord worker run <worker> -- <command…>',
          cause: error,
        }),
      );
    });
    // What it left running in the background may hold its streams open for ever: the task ends with the command.
    child.on('exit', () => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, STREAM_GRACE_MS).unref();
    });
    child.on('close', (code, ended) => {
      end();
      // A command that was stopped or has failed leaves nothing running; one that is done may have meant to.
      if (stopped !== undefined || code !== 0) signalAll(processesMarked(mark), 'SIGKILL');
      if (stopped) resolve({ kind: 'stopped', why: stopped });
      else if (code === 0) resolve({ kind: 'done', output: stdout() });
      else {
        const said = stderr().trim();
        const how = ended === null ? `exit code ${code}` : `killed by ${ended}`;
        resolve({ kind: 'failed', reason: said === '' ? how : `${said.slice(-(MAX_TEXT - 100))} (${how})` });
      }
    });
  });
}

/** The task's fields for scripts. */
function taskVariables(task: Task, worker: string, location: string): Record<string, string> {
  const variables = {
    COORD_WORKER: worker,
    COORD_TASK_ID: task.id,
    COORD_TASK_DESCRIPTION: task.description,
    COORD_TASK_PRIORITY: String(task.priority),
    COORD_TASK_ATTEMPT: String(task.attempt),
    COORD_TASK_FILES: task.context.files.join('\n'),
    COORD_TASK_HINTS: task.context.hints,
    COORD_TASK_TAGS: task.tags.join(','),
    COORDINATION_DIR: location,
  };
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, value.replaceAll('\0', '').slice(0, MAX_VARIABLE)]),
  );
}

/** What a stream prints, as text, up to a limit; the rest is dropped and said so. */
function collect(stream: NodeJS.ReadableStream, limit: number): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < limit) chunks.push(chunk);
    size += chunk.length;
  });
  return () => {
    const text = Buffer.concat(chunks).toString();
    return size <= limit ? text.trimEnd() : `${text.slice(0, limit - 100)}\n… (cut after ${limit} characters)`;
  };
}
