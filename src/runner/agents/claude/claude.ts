/**
 * The agent that is Claude Code: one `claude -p` process a job, its prompt a JSON line on stdin, its life told by the JSON
 * lines on stdout. The binary and not the Agent SDK, which starts the same binary: it uses the version and the login that the
 * user has, and adds nothing to install.
 */
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { CoordError } from '../../../model/errors.ts';
import { clip } from '../../../model/text.ts';
import type { Agent, Job, Outcome } from '../../agent.ts';
import { type Patience, Running } from './running.ts';
import { ORCHESTRATED_COMMANDS, shellRules } from '../../agent-commands.ts';
import { identify, MARK } from '../../../work/processes.ts';

/** The first release with all the flags below that was tried. */
const OLDEST = [2, 1, 0] as const;
const PREFLIGHT_MS = 60_000;

/** Variables of a surrounding Claude Code session, which would make the worker part of it; and secrets that are not its. */
const SURROUNDING =
  /^(CLAUDECODE|AI_AGENT|CLAUDE_PID|CLAUDE_EFFORT|CLAUDE_PROJECT_DIR|CLAUDE_ENV_FILE|CLAUDE_PLUGIN_.*|CLAUDE_CODE_(SESSION_|CHILD_|MESSAGING_|ENTRYPOINT|EXECPATH|LAUNCHED_BY_).*|COORD_MCP_TOKENS)$/;

export interface ClaudeOptions extends Patience {
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
          details: {},
        },
      );
    }
    if (isOlder(numbers.map(Number), OLDEST)) {
      throw new CoordError(
        'claude-too-old',
        `Claude Code ${numbers.join('.')} is too old; ${OLDEST.join('.')} or newer is needed.`,
        {
          details: {},
        },
      );
    }
    const login = await this.#ask('auth', 'status');
    if (/"loggedIn"\s*:\s*false/.test(login.stdout)) {
      throw new CoordError('claude-not-authenticated', 'Nobody is logged in to Claude Code.', {
        details: {},
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
                details: {},
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
      return { ...(await run.end()), session: job.resume ?? mark };
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
      ...(job.resume === undefined ? option('--session-id', mark) : option('--resume', job.resume)),
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
        : [
            ...shellRules('worker', ORCHESTRATED_COMMANDS),
            ...WORKER_TOOLS,
            ...(job.task?.branch === undefined ? [] : COMMITTING),
            ...(allowedTools ?? []),
          ]),
    ];
  }
}

/** What a worker needs to commit in its worktree, and to bring in what has landed. None of it writes elsewhere, as `git diff --output` would. */
const COMMITTING = ['add', 'commit', 'merge', 'mv', 'restore', 'rm', 'status'].map((verb) => `Bash(git ${verb} *)`);

/** Of the board a worker gets what it needs to know and to share; claiming and handing in is the orchestrator's. */
const WORKER_TOOLS = ['get_status', 'get_task', 'add_discovery', 'ask_leader', 'send_message'].map(
  (name) => `mcp__coordination__${name}`,
);

function isOlder(version: readonly number[], oldest: readonly number[]): boolean {
  for (const [i, least] of oldest.entries()) {
    const part = version[i] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
