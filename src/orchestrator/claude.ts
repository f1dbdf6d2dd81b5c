/**
 * The agent that is Claude Code: one `claude -p` process a job, its prompt a JSON line on stdin, its life told by the JSON
 * lines on stdout. The binary and not the Agent SDK, which starts the same binary: it uses the version and the login that the
 * user has, and adds nothing to install.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { CoordError } from '../model/errors.ts';
import { clip } from '../model/text.ts';
import type { ProcessId } from '../store/open.ts';
import type { Agent, FailureKind, Job, Outcome } from './agent.ts';
import { ClaudeStream } from './claude-stream.ts';
import { ORCHESTRATED_COMMANDS, shellRules } from '../model/agent-commands.ts';
import { allOf, identify, killAndWait, MARK, processesMarked, signalAll, signalOne, treeOf } from './processes.ts';

/** The first release with all the flags below that was tried. */
const OLDEST = [2, 1, 0] as const;
const INSTALL = 'npm install -g @anthropic-ai/claude-code, or COORD_CLAUDE_BIN=/path/to/claude';
/** Heartbeats come every 30 s while a tool runs: such a silence is the end. */
const SILENCE_MS = 600_000;
/** Between SIGINT, which still gives a result with its cost, SIGTERM, and SIGKILL. */
const GRACE_MS = 5000;
/** How long background shells may go on after the last result. */
const BACKGROUND_MS = 30_000;
/** How long the last lines of an ended process may take, if a descendant holds its streams open. */
const STREAM_GRACE_MS = 500;
const PREFLIGHT_MS = 60_000;

/** Variables of a surrounding Claude Code session, which would make the worker part of it; and secrets that are not its. */
const SURROUNDING =
  /^(CLAUDECODE|AI_AGENT|CLAUDE_PID|CLAUDE_EFFORT|CLAUDE_PROJECT_DIR|CLAUDE_ENV_FILE|CLAUDE_PLUGIN_.*|CLAUDE_CODE_(SESSION_|CHILD_|MESSAGING_|ENTRYPOINT|EXECPATH|LAUNCHED_BY_).*|COORD_MCP_TOKENS)$/;

export interface ClaudeOptions {
  /** The executable; default `claude` on PATH. */
  executable?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  /** Command and arguments that start `coord`, for the MCP server of the workers. */
  coord: readonly string[];
  /** The folder of the board, once there is one. */
  boardDir: () => string;
  model?: string | undefined;
  maxTurns?: number | undefined;
  permissionMode?: string | undefined;
  /** Rules besides those that every worker has. */
  allowedTools?: readonly string[] | undefined;
  /** For tests: the patience between the steps of stopping, and with silence and background shells. */
  graceMs?: number | undefined;
  silenceMs?: number | undefined;
  backgroundMs?: number | undefined;
}

export class Claude implements Agent {
  readonly #options: ClaudeOptions;
  readonly #running = new Set<Running>();

  constructor(options: ClaudeOptions) {
    this.#options = options;
  }

  get #executable(): string {
    return this.#options.executable ?? 'claude';
  }

  get #env(): Record<string, string> {
    const kept = Object.entries(this.#options.env).filter(
      ([name, value]) => value !== undefined && !SURROUNDING.test(name),
    );
    return Object.fromEntries(kept) as Record<string, string>; // undefined ones are filtered out
  }

  async check(): Promise<void> {
    const version = await this.#ask('--version');
    const [, ...numbers] = /(\d+)\.(\d+)\.(\d+)/.exec(version.stdout) ?? [];
    if (version.failed || numbers.length === 0) {
      throw new CoordError(
        'claude-not-found',
        `${this.#executable} does not answer as Claude Code: ${clip(version.said, 200)}.`,
        {
          hint: INSTALL,
        },
      );
    }
    if (isOlder(numbers.map(Number), OLDEST)) {
      throw new CoordError(
        'claude-too-old',
        `Claude Code ${numbers.join('.')} is too old; ${OLDEST.join('.')} or newer is needed.`,
        {
          hint: 'claude update',
        },
      );
    }
    const login = await this.#ask('auth', 'status');
    if (/"loggedIn"\s*:\s*false/.test(login.stdout)) {
      throw new CoordError('claude-not-authenticated', 'Nobody is logged in to Claude Code.', {
        hint: 'claude, then /login; or set ANTHROPIC_API_KEY',
      });
    }
  }

  #ask(...args: string[]): Promise<{ failed: boolean; stdout: string; said: string }> {
    return new Promise((resolve, reject) => {
      execFile(this.#executable, args, { env: this.#env, timeout: PREFLIGHT_MS }, (error, stdout, stderr) => {
        // EACCES comes too where a folder of the PATH cannot be read.
        if (error && (error.code === 'ENOENT' || error.code === 'EACCES')) {
          reject(
            new CoordError(
              'claude-not-found',
              `There is no Claude Code: ${this.#executable} cannot be started (${error.code}).`,
              {
                hint: INSTALL,
                cause: error,
              },
            ),
          );
        } else
          resolve({ failed: error !== null, stdout, said: stderr.trim() || stdout.trim() || (error?.message ?? '') });
      }).stdin?.end();
    });
  }

  async run(job: Job): Promise<Outcome> {
    const mark = randomUUID();
    const child = spawn(this.#executable, this.#arguments(job, mark), {
      cwd: job.cwd,
      // The hooks of `coord setup claude` leave claims and endings of such a session to us.
      env: {
        ...this.#env,
        COORDINATION_DIR: this.#options.boardDir(),
        COORD_WORKER: job.worker,
        COORD_ORCHESTRATED: '1',
        [MARK]: mark,
      },
      stdio: 'pipe',
      detached: process.platform !== 'win32', // a group of its own: Ctrl-C in the terminal is for us to pass on
    });
    const run = new Running(child, job, mark, this.#options);
    this.#running.add(run);
    try {
      const self = child.pid === undefined ? undefined : identify(child.pid);
      if (self) await job.onStart({ ...self, mark });
      return await run.end();
    } catch (error) {
      run.kill(); // it was never told what to do
      throw error;
    } finally {
      this.#running.delete(run);
    }
  }

  killAll(): void {
    for (const run of this.#running) run.kill();
  }

  #arguments(job: Job, mark: string): string[] {
    const { model, maxTurns, permissionMode, allowedTools, coord, boardDir } = this.#options;
    const [command = '', ...args] = coord;
    const server = { command, args: [...args, '--dir', boardDir(), 'mcp', '--worker', job.worker], alwaysLoad: true };
    const option = (name: string, value: string | number | undefined): string[] =>
      value === undefined ? [] : [name, String(value)];
    return [
      '-p',
      ...option('--input-format', 'stream-json'),
      ...option('--output-format', 'stream-json'),
      '--verbose', // without it there is no stream
      ...option('--session-id', mark),
      ...option('--name', job.worker),
      ...option('--permission-mode', job.isReadOnly ? 'dontAsk' : (permissionMode ?? 'acceptEdits')),
      ...option('--mcp-config', JSON.stringify({ mcpServers: { coordination: server } })),
      '--strict-mcp-config',
      ...option('--model', model),
      ...option('--max-turns', maxTurns),
      ...option('--max-budget-usd', job.budgetUsd),
      ...option('--json-schema', job.schema && JSON.stringify(job.schema)),
      // Lists, so they come last.
      ...(job.isReadOnly ? ['--disallowedTools', 'Write', 'Edit', 'NotebookEdit'] : []),
      '--allowedTools',
      ...(job.isReadOnly
        ? ['Read', 'Glob', 'Grep', 'Bash(git log *)', 'Bash(git status *)']
        : [...shellRules('worker', ORCHESTRATED_COMMANDS), ...WORKER_TOOLS, ...(allowedTools ?? [])]),
    ];
  }
}

/** Of the board a worker gets what it needs to know and to share; claiming and handing in is the orchestrator's. */
const WORKER_TOOLS = ['get_status', 'get_task', 'add_discovery'].map((name) => `mcp__coordination__${name}`);

function isOlder(version: readonly number[], oldest: readonly number[]): boolean {
  for (const [i, least] of oldest.entries()) {
    const part = version[i] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

/** One process from its start to its end. */
class Running {
  readonly #child: ChildProcess;
  readonly #job: Job;
  readonly #stream: ClaudeStream;
  readonly #patience: { grace: number; silence: number; background: number };
  /** Why it was stopped, by us. */
  #stopped: { kind: FailureKind; reason: string } | undefined;
  #isStopping = false;
  /** All that has been seen to descend from it. */
  #tree: ProcessId[] = [];
  #timers = new Set<NodeJS.Timeout>();
  #stderr = '';
  readonly #mark: string;
  /** How the process ended, in words. */
  readonly #ending: Promise<string>;

  constructor(child: ChildProcess, job: Job, mark: string, options: ClaudeOptions) {
    this.#child = child;
    this.#job = job;
    this.#mark = mark;
    this.#ending = this.#ended();
    child.stdin?.on('error', () => {}); // it ended before it read its prompt: the exit says why
    this.#stream = new ClaudeStream(job.cwd);
    this.#patience = {
      grace: options.graceMs ?? GRACE_MS,
      silence: options.silenceMs ?? SILENCE_MS,
      background: options.backgroundMs ?? BACKGROUND_MS,
    };
  }

  async end(): Promise<Outcome> {
    const { signal, timeoutMs } = this.#job;
    const interrupt = (): void => this.#stop('interrupted', 'it was interrupted');
    signal.addEventListener('abort', interrupt, { once: true });
    this.#after(timeoutMs, () => this.#stop('timeout', `it took longer than ${Math.round(timeoutMs / 1000)} s`));
    this.#read();
    this.#child.stdin?.write(
      `${JSON.stringify({ type: 'user', message: { role: 'user', content: this.#job.prompt } })}\n`,
    );
    if (signal.aborted) interrupt();
    try {
      const ending = await this.#ending;
      await killAndWait(allOf(this.#tree, processesMarked(this.#mark))); // what it left behind
      return this.#outcome(ending);
    } finally {
      signal.removeEventListener('abort', interrupt);
      for (const timer of this.#timers) clearTimeout(timer);
    }
  }

  #read(): void {
    const { stdout, stderr } = this.#child;
    let silence: NodeJS.Timeout | undefined;
    const hear = (): void => {
      if (silence) this.#forget(silence);
      silence = this.#after(this.#patience.silence, () =>
        this.#stop('stalled', `nothing was heard of it for ${Math.round(this.#patience.silence / 1000)} s`),
      );
    };
    hear();
    stderr?.on('data', (chunk: Buffer) => (this.#stderr = `${this.#stderr}${chunk.toString()}`.slice(-2000)));
    if (!stdout) return;
    createInterface({ input: stdout }).on('line', (line) => {
      hear();
      this.#job.onLine(line);
      const hadResult = this.#stream.hasResult;
      const action = this.#stream.take(line);
      if (action !== undefined) this.#job.onAction(action);
      for (const name of this.#stream.brokenServers.splice(0))
        this.#job.onWarning(`${this.#job.worker} works without the MCP server ${name}, which could not be started.`);
      if (this.#stream.isUnauthenticated) this.#stop('authentication', 'the API refused the login');
      if (this.#stream.hasResult && !hadResult) this.#wind();
    });
  }

  /** After the result nothing more is said to it; background shells may end, for a while. */
  #wind(): void {
    this.#look();
    this.#child.stdin?.end();
    this.#after(this.#patience.background, () => {
      this.#look();
      this.#signal('SIGTERM');
      this.#after(this.#patience.grace, () => signalAll(this.#tree, 'SIGKILL'));
    });
  }

  /** SIGINT first, which lets it say what it cost; then harder. */
  #stop(kind: FailureKind, reason: string): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    // A result that is in hand stands: all that is stopped then is what goes on behind it.
    if (!this.#stream.hasResult) this.#stopped = { kind, reason };
    this.#look();
    this.#signal('SIGINT');
    this.#after(this.#patience.grace, () => {
      this.#look();
      this.#signal('SIGTERM');
      this.#after(this.#patience.grace, () => {
        this.#look();
        signalAll(this.#tree, 'SIGKILL');
      });
    });
  }

  /** Takes the tree down while its root still lives; a later look would miss what has lost its parent. */
  #look(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    this.#tree = allOf(this.#tree, treeOf(pid), processesMarked(this.#mark));
  }

  /** At once, and all of it. */
  kill(): void {
    this.#look();
    signalAll(this.#tree, 'SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) signalOne(this.#child.pid, signal);
  }

  #ended(): Promise<string> {
    return new Promise((resolve) => {
      let how = '';
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) => {
        how = signal === null ? `exit code ${code}` : `killed by ${signal}`;
        this.#after(STREAM_GRACE_MS, () => {
          this.#child.stdout?.destroy();
          this.#child.stderr?.destroy();
        });
      });
      this.#child.once('close', () => resolve(how));
    });
  }

  #outcome(ending: string): Outcome {
    const report = this.#stream.report();
    const said = this.#stderr.trim() === '' ? ending : `${ending}: ${clip(this.#stderr, 500)}`;
    const failure = this.#stopped ?? this.#stream.failure(this.#job.schema !== undefined, said);
    if (failure) return { ok: false, ...failure, ...report };
    return { ok: true, structured: this.#stream.structured, ...report };
  }

  #after(ms: number, work: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #forget(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}
