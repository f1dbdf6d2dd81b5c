/** The agent that is any command: the brief on its stdin, the task in its environment, its stdout the result. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { CoordError } from '../../model/errors.ts';
import { MAX_RESULT } from '../../model/inputs.ts';
import { MAX_TEXT } from '../../model/limits.ts';
import type { Task } from '../../model/task.ts';
import type { Agent, FailureKind, Job, Outcome } from '../agent.ts';
import { allOf, identify, MARK, processesMarked, signalAll, treeOf } from '../../work/processes.ts';

/** How long a command has to end after SIGTERM before it is killed. */
const GRACE_MS = 5000;
/** How long the last lines of a command that ended may take to arrive. */
const STREAM_GRACE_MS = 500;
/** Linux starts no process with a longer variable (MAX_ARG_STRLEN, 128 KiB in bytes); the brief has it all. */
const MAX_VARIABLE = 30_000;
/** Room for the exit code behind what a failed command said. */
const EXIT_ROOM = 100;

export interface CommandOptions {
  /** The command and its arguments. */
  command: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** The folder of the board. */
  boardDir: string;
}

export class Command implements Agent {
  readonly #options: CommandOptions;
  readonly #running = new Set<Running>();

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  /** Whether it can be started shows when it is. */
  async check(): Promise<void> {}

  async run(job: Job): Promise<Outcome> {
    const [file = '', ...args] = this.#options.command;
    const { COORD_MCP_TOKENS: _, ...env } = this.#options.env;
    const mark = randomUUID();
    const child = spawn(file, args, {
      cwd: job.cwd,
      env: { ...env, ...taskVariables(job, this.#options.boardDir), [MARK]: mark },
      stdio: 'pipe',
      detached: process.platform !== 'win32', // a group of its own: Ctrl-C in the terminal is for us to pass on
    });
    const running = new Running(child, job, mark, file);
    this.#running.add(running);
    try {
      const self = child.pid === undefined ? undefined : identify(child.pid);
      if (self) await job.onStart({ ...self, mark });
      return await running.end();
    } finally {
      this.#running.delete(running);
    }
  }

  killAll(): void {
    for (const running of this.#running) running.signal('SIGKILL');
  }
}

/** One process, from its start to its end. */
class Running {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #job: Job;
  readonly #mark: string;
  readonly #stdout: () => string;
  readonly #stderr: () => string;
  /** How the process ended, in words; empty where all was well. */
  readonly #ending: Promise<string>;
  #stopped: { kind: FailureKind; reason: string } | undefined;
  #killer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcessWithoutNullStreams, job: Job, mark: string, file: string) {
    this.#child = child;
    this.#job = job;
    this.#mark = mark;
    this.#stdout = collect(child.stdout, MAX_RESULT);
    this.#stderr = collect(child.stderr, MAX_RESULT);
    this.#ending = this.#ended(file);
    this.#ending.catch(() => {}); // told by end()
  }

  async end(): Promise<Outcome> {
    const { signal, timeoutMs, prompt } = this.#job;
    const interrupt = (): void => this.#stop('interrupted', 'interrupted');
    signal.addEventListener('abort', interrupt, { once: true });
    if (signal.aborted) interrupt();
    const late = (): void => this.#stop('timeout', `it took longer than ${Math.round((timeoutMs ?? 0) / 1000)} s`);
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    this.#child.stdin.on('error', () => {}); // a command need not read its brief
    this.#child.stdin.end(prompt);
    try {
      return this.#outcome(await this.#ending);
    } finally {
      clearTimeout(timer);
      clearTimeout(this.#killer);
      signal.removeEventListener('abort', interrupt);
    }
  }

  /** The command and all that it has started; what it started in the background too, which outlives it otherwise. */
  signal(name: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid !== undefined) signalAll(allOf(treeOf(pid), processesMarked(this.#mark)), name);
  }

  #stop(kind: FailureKind, reason: string): void {
    this.#stopped ??= { kind, reason };
    this.signal('SIGTERM');
    this.#killer ??= setTimeout(() => this.signal('SIGKILL'), GRACE_MS);
  }

  #ended(file: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#child.once('error', (error) => {
        const message = `Cannot start ${file}: ${error.message}.`;
        reject(new CoordError('command-not-found', message, { details: {}, cause: error }));
      });
      // What it left running in the background may hold its streams open for ever: the task ends with the command.
      this.#child.once('exit', () => {
        setTimeout(() => {
          this.#child.stdout.destroy();
          this.#child.stderr.destroy();
        }, STREAM_GRACE_MS).unref();
      });
      this.#child.once('close', (code, signal) =>
        resolve(signal !== null ? `killed by ${signal}` : code === 0 ? '' : `exit code ${code}`),
      );
    });
  }

  #outcome(how: string): Outcome {
    // A command that was stopped or has failed leaves nothing running; one that is done may have meant to.
    if (this.#stopped !== undefined || how !== '') signalAll(processesMarked(this.#mark), 'SIGKILL');
    const report = { text: '', filesCreated: [], filesModified: [], denied: [] };
    if (this.#stopped) return { ...report, ok: false, ...this.#stopped };
    if (how === '') return { ...report, ok: true, structured: undefined, text: this.#stdout() };
    const said = this.#stderr().trim();
    const reason = said === '' ? how : `${said.slice(-(MAX_TEXT - EXIT_ROOM))} (${how})`;
    return { ...report, ok: false, kind: 'crashed', reason };
  }
}

/** The task's fields for scripts. */
function taskVariables({ task, worker }: Job, location: string): Record<string, string> {
  const ofTask = task === null ? {} : variablesOf(task);
  const variables = { COORD_WORKER: worker, ...ofTask, COORDINATION_DIR: location };
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, value.replaceAll('\0', '').slice(0, MAX_VARIABLE)]),
  );
}

function variablesOf(task: Task): Record<string, string> {
  return {
    COORD_TASK_ID: task.id,
    COORD_TASK_DESCRIPTION: task.description,
    COORD_TASK_PRIORITY: String(task.priority),
    COORD_TASK_ATTEMPT: String(task.attempt),
    COORD_TASK_FILES: task.context.files.join('\n'),
    COORD_TASK_HINTS: task.context.hints,
    COORD_TASK_TAGS: task.tags.join(','),
  };
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
