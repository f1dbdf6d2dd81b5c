/** The real Claude Code, against a scripted model: one `claude -p`, or a terminal in tmux that somebody types into. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { shellRules, WORKER_COMMANDS } from '../../src/runner/agent-commands.ts';
import { type ModelRequest, type ModelServer, type Move, startModel } from './model-server.ts';
import { BIN, Rig, scrubbedEnv, until } from './rig.ts';

export const CLAUDE = process.env['COORD_TEST_CLAUDE'] ?? '';

/** What set-up allows. */
export const RULES = shellRules('worker', WORKER_COMMANDS);
export const bash = (command: string): Move => ({ tool: 'Bash', input: { command, description: 'a step' } });

export interface Session {
  code: number;
  output: string;
  requests: ModelRequest[];
}

/** A home, a key and a model of its own, and coord on the PATH. */
export function surroundings(rig: Rig, url: string): Record<string, string> {
  return scrubbedEnv({
    PATH: `${rig.path('bin')}:${process.env['PATH']}`,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'sk-made-up',
    HOME: rig.path('home'),
    CLAUDE_CONFIG_DIR: rig.path('home/.claude'),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_ERROR_REPORTING: '1',
    IS_SANDBOX: '1',
    COORD_WORKER: 'terminal-2',
  });
}

/** One `claude -p` in a project with coord on the PATH, against a scripted model. */
export async function claude(
  rig: Rig,
  prompt: string,
  act: (request: ModelRequest) => Move,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Session> {
  const model = await startModel(act);
  onTestFinished(model.close);
  mkdirSync(rig.path('home'), { recursive: true });
  mkdirSync(rig.path('bin'), { recursive: true });
  if (!rig.exists('bin/coord')) symlinkSync(BIN, rig.path('bin/coord'));
  return new Promise((resolve) => {
    const child = execFile(
      CLAUDE,
      ['-p', prompt, '--output-format', 'stream-json', '--verbose', '--model', 'claude-sonnet-4-5', ...args],
      {
        cwd: rig.cwd,
        maxBuffer: 100_000_000,
        timeout: 120_000,
        env: { ...surroundings(rig, model.url), ...env },
      },
      (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, output: `${stdout}${stderr}`, requests: model.requests }),
    );
    child.stdin?.end();
  });
}

export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

let terminals = 0;

/** A terminal with Claude Code in it, as a person starts it. */
export class Terminal {
  readonly model: ModelServer;
  readonly #socket = `coord-${process.pid}-${terminals++}`;

  private constructor(model: ModelServer) {
    this.model = model;
  }

  static async open(
    rig: Rig,
    act: (request: ModelRequest) => Move,
    env: Record<string, string> = {},
  ): Promise<Terminal> {
    const model = await startModel(act);
    onTestFinished(model.close);
    // The questions that a person answers once.
    rig.write(
      'home/.claude/.claude.json',
      JSON.stringify({
        hasCompletedOnboarding: true,
        theme: 'dark',
        projects: { [rig.cwd]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
        customApiKeyResponses: { approved: ['sk-made-up'], rejected: [] },
      }),
    );
    mkdirSync(rig.path('bin'), { recursive: true });
    if (!existsSync(rig.path('bin/coord'))) symlinkSync(BIN, rig.path('bin/coord'));
    const terminal = new Terminal(model);
    const variables = Object.entries({ ...surroundings(rig, model.url), ...env }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const size = ['-x', '120', '-y', '40'];
    terminal.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      '-c',
      rig.cwd,
      'env',
      '-i',
      'TERM=xterm-256color',
      ...variables,
      CLAUDE,
    );
    onTestFinished(() => void spawnSync('tmux', ['-L', terminal.#socket, 'kill-server']));
    // The line to type in, whatever a release writes around it.
    await until(() => /^\s*[│|]?\s*[❯>]/m.test(terminal.screen()), 'the prompt of Claude Code');
    return terminal;
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
  }

  screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  type(text: string): void {
    this.#tmux('send-keys', text);
    this.#tmux('send-keys', 'Enter');
  }
}

/** Until so many waiters stand beside idle terminals. */
export async function untilWaiting(rig: Rig, count: number): Promise<void> {
  const waiters = (): number =>
    rig.exists('.coordination/.sessions')
      ? readdirSync(rig.path('.coordination/.sessions')).filter((name) => name.endsWith('.waiter')).length
      : 0;
  await until(() => waiters() >= count, `${count} waiters`);
}
