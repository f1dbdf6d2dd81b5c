/**
 * The same server over HTTP, for another machine or a container. Each worker has a token of its own, and its name comes
 * from the token alone. Only /mcp answers; the names under which clients may call, and the web pages that may, are checked,
 * since a browser on this machine could be made to call us (DNS rebinding). No CORS, no OAuth.
 *
 * Whatever comes in gets an answer and ends nothing but itself: sizes, times and the calls that one token has open are
 * bounded (bodies by the SDK, to 4 MiB), and a token that is revoked takes its open calls along.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostHeaderValidation, originValidation, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, localhostAllowedHostnames } from '@modelcontextprotocol/server';
import { bearerToken, type HttpServerOptions, pathOf, refuse, type Route, serveUntilEnd } from '../http-server.ts';
import { buildServer } from './server.ts';
import { Session, type SessionOptions } from './session.ts';
import { sleep } from '../../store/clock.ts';

/** Where the server answers, and nowhere else. */
const PATH = '/mcp';
/** Calls that one token may have open at a time: a wait for each of a few subagents, and what they do meanwhile. */
const MOST_OPEN = 16;
/** How often tokens are looked at where nothing reports a change. */
const LOOK_MS = 5000;

export interface RouteOptions extends Omit<SessionOptions, 'worker' | 'isBound' | 'renewsLeases'> {
  allowedHosts: readonly string[];
  /** The worker of a token; undefined for one that nobody has. */
  workerOf: (token: string) => Promise<string | undefined>;
  /** Yields once it stands, and then whenever a token may have been revoked. */
  tokenChanges: (signal: AbortSignal) => AsyncIterable<void>;
  signal: AbortSignal;
  onError: (error: Error) => void;
}

/** Over HTTP each worker has a session of its own, which ends with the route. */
export function mcpRoute(options: RouteOptions): Route {
  const sessions = new Map<string, Session>();
  const sessionOf = (worker: string): Session => {
    const known = sessions.get(worker);
    if (known) return known;
    const session = new Session({ ...options, claudeSessionId: undefined, worker, isBound: true, renewsLeases: false });
    sessions.set(worker, session);
    return session;
  };
  const handler = createMcpHandler(({ authInfo }) => buildServer(sessionOf(authInfo?.clientId ?? '')), {
    onerror: options.onError,
  });
  const serve = toNodeHandler(handler, { onerror: options.onError });
  const names = [...localhostAllowedHostnames(), ...options.allowedHosts];
  const isHostAllowed = hostHeaderValidation(names);
  const isOriginAllowed = originValidation(names);

  const open = new OpenCalls();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!isHostAllowed(request, response) || !isOriginAllowed(request, response)) return;
    const token = bearerToken(request.headers.authorization);
    const worker = await options.workerOf(token);
    if (worker === undefined) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="coord"');
      return refuse(response, 401, 'A token is needed: coord mcp token <worker>');
    }
    if (!open.begin(worker, token, response)) return refuse(response, 429, `At most ${MOST_OPEN} calls at a time.`);
    const session = sessionOf(worker);
    await session.showsLife(worker).catch(options.onError);
    const auth = { token: '', clientId: worker, scopes: [] };
    await serve(Object.assign(request, { method: request.method ?? '', url: request.url ?? '', auth }), response);
  };
  return {
    path: PATH,
    begin: () => void open.endRevoked(options),
    answer,
    close: async () => {
      await handler.close();
      await Promise.all([...sessions.values()].map((session) => session.close()));
    },
  };
}

/** Serves until the signal fires. @throws CoordError `store-unavailable` when it cannot listen */
export async function serveHttp(
  options: RouteOptions & Pick<HttpServerOptions, 'host' | 'port'> & { onListening: (url: string) => void },
): Promise<void> {
  const route = mcpRoute(options);
  await serveUntilEnd({
    ...options,
    answer: async (request, response) => {
      if (pathOf(request) === PATH) return route.answer(request, response);
      refuse(response, 404, 'Only /mcp answers.');
    },
    onListening: (origin) => {
      route.begin();
      options.onListening(`${origin}${PATH}`);
    },
    onEnd: route.close,
  });
}

/** The calls that are being answered, by worker. */
class OpenCalls {
  readonly #calls = new Map<ServerResponse, { worker: string; token: string }>();

  /** @returns false where the worker has too many already */
  begin(worker: string, token: string, response: ServerResponse): boolean {
    if ([...this.#calls.values()].filter((call) => call.worker === worker).length >= MOST_OPEN) return false;
    this.#calls.set(response, { worker, token });
    response.once('close', () => this.#calls.delete(response));
    return true;
  }

  /** After every change of the board or of its tokens, and every few seconds: who has no token any more is answered no further. */
  async endRevoked({ tokenChanges, workerOf, signal, onError }: RouteOptions): Promise<void> {
    const look = async (): Promise<void> => {
      for (const [response, { worker, token }] of this.#calls)
        if ((await workerOf(token)) !== worker) response.destroy();
    };
    const timer = setInterval(() => void look().catch(onError), LOOK_MS);
    try {
      while (!signal.aborted) {
        try {
          for await (const _ of tokenChanges(signal)) await look();
        } catch (error) {
          onError(error instanceof Error ? error : new Error(String(error)));
          await sleep(LOOK_MS, signal); // a board that is away may come back
        }
      }
    } finally {
      clearInterval(timer);
    }
  }
}
