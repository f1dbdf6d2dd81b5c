/**
 * The same server over HTTP, for another machine or a container. Each worker has a token of its own, and its name comes
 * from the token alone. Only /mcp answers; the names under which clients may call, and the web pages that may, are checked,
 * since a browser on this machine could be made to call us (DNS rebinding). No CORS, no OAuth.
 *
 * Whatever comes in gets an answer and ends nothing but itself: sizes, times and the calls that one token has open are
 * bounded (bodies by the SDK, to 4 MiB), and a token that is revoked takes its open calls along.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostHeaderValidation, originValidation, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, localhostAllowedHostnames } from '@modelcontextprotocol/server';
import { CoordError } from '../../model/errors.ts';
import { buildServer } from './server.ts';
import { Session, type SessionOptions } from './session.ts';
import { sleep } from '../../store/clock.ts';

/** Where the server answers, and nowhere else. */
const PATH = '/mcp';
/** Bytes of all headers together. */
const MOST_HEADERS = 16_384;
/** Calls that one token may have open at a time: a wait for each of a few subagents, and what they do meanwhile. */
const MOST_OPEN = 16;
/** How long a request may take to arrive; answers may take as long as they want. */
const ARRIVAL_MS = 60_000;
/** How often tokens are looked at where nothing reports a change. */
const LOOK_MS = 5000;
/** Connections of all clients together. */
const MOST_CONNECTIONS = 256;

export interface HttpOptions extends Omit<SessionOptions, 'worker' | 'isBound' | 'renewsLeases'> {
  port: number;
  host: string;
  allowedHosts: readonly string[];
  /** The worker of a token; undefined for one that nobody has. */
  workerOf: (token: string) => Promise<string | undefined>;
  /** Yields once it stands, and then whenever a token may have been revoked. */
  tokenChanges: (signal: AbortSignal) => AsyncIterable<void>;
  signal: AbortSignal;
  onError: (error: Error) => void;
  /** Told once the server answers. */
  onListening: (url: string) => void;
}

/** Serves until the signal fires. @throws CoordError `store-unavailable` when it cannot listen */
export async function serveHttp(options: HttpOptions): Promise<void> {
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
    if (pathOf(request) !== PATH) return refuse(response, 404, 'Only /mcp answers.');
    const token = bearerToken(request);
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
  const limits = { maxHeaderSize: MOST_HEADERS, requestTimeout: ARRIVAL_MS, headersTimeout: ARRIVAL_MS };
  const server = createServer(limits, (request, response) => {
    request.on('error', () => {}); // it was cut off: nobody is there to be told
    response.on('error', () => {});
    answer(request, response).catch((error: unknown) => {
      options.onError(error instanceof Error ? error : new Error(String(error)));
      if (!response.headersSent) refuse(response, 500, 'It could not be answered; the server says why.');
      else response.destroy();
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  // Bytes that are no HTTP.
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  await listen(server, options);
  void open.endRevoked(options);
  await new Promise<void>((resolve) => {
    if (options.signal.aborted) resolve();
    options.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await handler.close();
  await Promise.all([...sessions.values()].map((session) => session.close()));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
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
  async endRevoked({ tokenChanges, workerOf, signal, onError }: HttpOptions): Promise<void> {
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

/** Undefined for a target that is no path. */
function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  try {
    return new URL(url, 'http://localhost').pathname;
  } catch {
    return undefined;
  }
}

function listen(server: Server, { port, host, onListening }: HttpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new CoordError('store-unavailable', `Cannot listen on ${host} port ${port}: ${error.message}.`, {
          hint: 'coord mcp --http --port 0 takes any free port',
          cause: error,
        }),
      ),
    );
    server.listen(port, host, () => {
      const { port: taken } = server.address() as AddressInfo; // a TCP server has one
      onListening(`http://${host.includes(':') ? `[${host}]` : host}:${taken}${PATH}`);
      resolve();
    });
  });
}

function bearerToken(request: IncomingMessage): string {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }));
}
