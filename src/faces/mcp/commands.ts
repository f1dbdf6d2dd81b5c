/** The handlers of `coord mcp`. */
import { CoordError } from '../../model/errors.ts';
import { Claim } from '../../model/inputs.ts';
import { parseInput } from '../../model/parse-input.ts';
import { openStore, openTokens } from '../../store/open.ts';
import { LOOPBACK, refuseUnnamedHost, type Route } from '../http-server.ts';
import type { Context, Reply } from '../io.ts';
import type { RouteOptions } from './http.ts';

/** Nothing on the list of registered ports that developers run; anything free does as well. */
const DEFAULT_PORT = 7433;

export interface ServeOptions {
  worker?: string;
  http?: boolean;
  port?: number;
  host?: string;
  allowHost?: string[];
}

export async function serve(context: Context, options: ServeOptions): Promise<Reply> {
  const { io } = context;
  const base = baseOf(context, projectOf(context));
  if (options.http === true) {
    await serveOverHttp(context, options);
  } else {
    const wrong = (['port', 'host', 'allowHost'] as const).find((name) => options[name] !== undefined);
    if (wrong !== undefined)
      throw new CoordError('usage', `--${wrong === 'allowHost' ? 'allow-host' : wrong} goes with --http.`);
    const { serveStdio } = await import('./server.ts');
    const worker = parseInput(Claim, { worker: options.worker ?? ownName(io.env) }).worker;
    await serveStdio(io.openStreams(), { ...base, worker, isBound: false, renewsLeases: true });
  }
  return { text: '', json: undefined };
}

/** Claude Code starts its servers in the folder of the session and names the project's. */
function projectOf({ io }: Context): string {
  return io.env['CLAUDE_PROJECT_DIR'] ?? io.cwd;
}

/** What every server is given. */
function baseOf({ io, openOptions, version }: Context, cwd: string) {
  return {
    openOptions: { ...openOptions, cwd },
    version,
    env: io.env,
    claudeSessionId: io.env['CLAUDE_CODE_SESSION_ID'],
    claudePid: io.env['CLAUDE_PID'],
    longestWaitSeconds: longestWait(io.env['COORD_MCP_WAIT_MAX']),
    signal: io.signal,
    onError: (error: Error): void => io.stderr.write(`coord mcp: ${error.message}\n`),
  };
}

async function serveOverHttp(context: Context, options: ServeOptions): Promise<void> {
  const host = options.host ?? LOOPBACK;
  refuseUnnamedHost('coord mcp --http', host, options.allowHost);
  if (options.worker !== undefined)
    throw new CoordError('usage', 'With --http the name of a worker comes from its token.', {
      hint: `coord mcp token ${options.worker}`,
    });
  const route = await routeOptions(context, projectOf(context), options.allowHost ?? []);
  const { serveHttp } = await import('./http.ts');
  await serveHttp({
    ...route,
    port: options.port ?? DEFAULT_PORT,
    host,
    onListening: (url) => context.io.stderr.write(`coord mcp: serving ${url}, until Ctrl-C\n`),
  });
}

/** MCP on a server of somebody else's, for the board of that. @throws CoordError `usage` where no worker has a token */
export async function openRoute(context: Context, allowedHosts: readonly string[]): Promise<Route> {
  const options = await routeOptions(context, context.io.cwd, allowedHosts);
  const { mcpRoute } = await import('./http.ts');
  return mcpRoute(options);
}

async function routeOptions(context: Context, cwd: string, allowedHosts: readonly string[]): Promise<RouteOptions> {
  const base = baseOf(context, cwd);
  const tokens = await openTokens(base.openOptions, tokensOf(context.io.env['COORD_MCP_TOKENS']));
  if ((await tokens.workers()).length === 0)
    throw new CoordError('usage', 'No worker has a token yet.', { hint: 'coord mcp token terminal-2' });
  return {
    ...base,
    allowedHosts,
    workerOf: (given) => tokens.workerOf(given),
    tokenChanges: (signal) => openStore(base.openOptions).changes(signal),
  };
}

/** `worker=token,worker=token`, from the environment: tokens by worker. */
function tokensOf(text: string | undefined): Map<string, string> {
  const tokens = new Map<string, string>();
  for (const pair of (text ?? '').split(',').filter((part) => part.trim() !== '')) {
    const [worker = '', secret = ''] = pair.trim().split('=');
    if (secret.length < 16)
      throw new CoordError('invalid-input', `COORD_MCP_TOKENS: "${worker}" needs a token of 16 characters or more.`, {
        hint: 'COORD_MCP_TOKENS="terminal-2=<token>"; coord mcp token terminal-2 makes one',
      });
    tokens.set(parseInput(Claim, { worker }).worker, secret);
  }
  return tokens;
}

/** COORD_WORKER, or a name from the session that stays the same while it lives. */
function ownName(env: Context['io']['env']): string {
  if (env['COORD_WORKER']) return env['COORD_WORKER'];
  const session = env['CLAUDE_CODE_SESSION_ID']?.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 8);
  return session ? `claude-${session}` : `agent-${Math.random().toString(36).slice(2, 8)}`;
}

function longestWait(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds > 0 && seconds <= 86_400) return seconds;
  throw new CoordError('invalid-input', `COORD_MCP_WAIT_MAX: "${text}" is not a number of seconds from 1 to 86400.`);
}

export async function token(context: Context, name: string, options: { revoke?: boolean }): Promise<Reply> {
  const { worker } = parseInput(Claim, { worker: name });
  const tokens = await openTokens(context.openOptions);
  if (options.revoke === true) {
    const had = await tokens.revoke(worker);
    return { text: had ? `${worker} has no token any more` : `${worker} had no token`, json: { worker, revoked: had } };
  }
  const made = await tokens.make(worker);
  return {
    text: made,
    json: { worker, token: made },
    notes: [
      `This token is shown once: who has it works as ${worker}.`,
      'Next: coord mcp --http, and on the other machine:',
      `claude mcp add --transport http coordination http://127.0.0.1:${DEFAULT_PORT}/mcp --header "Authorization: Bearer <token>"`,
    ],
  };
}

export async function config(context: Context, options: { worker?: string }): Promise<Reply> {
  const { node, script } = context.io.program;
  const worker = options.worker === undefined ? [] : ['--worker', parseInput(Claim, { worker: options.worker }).worker];
  const entry = { mcpServers: { coordination: { type: 'stdio', command: node, args: [script, 'mcp', ...worker] } } };
  return { text: JSON.stringify(entry, null, 2), json: entry };
}
