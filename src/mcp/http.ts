/**
 * The same server over HTTP, for another machine or a container. Each worker has a token of its own, and its name comes
 * from the token alone. Only /mcp answers; the names under which clients may call, and the web pages that may, are checked,
 * since a browser on this machine could be made to call us (DNS rebinding). No CORS, no OAuth.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostHeaderValidation, originValidation, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, localhostAllowedHostnames } from '@modelcontextprotocol/server';
import { CoordError } from '../model/errors.ts';
import { buildServer } from './server.ts';
import { Session, type SessionOptions } from './session.ts';

/** Where the server answers, and nowhere else. */
const PATH = '/mcp';

export interface HttpOptions extends Omit<SessionOptions, 'worker' | 'isBound' | 'renewsLeases'> {
  port: number;
  host: string;
  allowedHosts: readonly string[];
  /** The worker of a token; undefined for one that nobody has. */
  workerOf: (token: string) => string | undefined;
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

  const server = createServer((request, response) => {
    if (!isHostAllowed(request, response) || !isOriginAllowed(request, response)) return;
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== PATH)
      return refuse(response, 404, 'Only /mcp answers.');
    let worker: string | undefined;
    try {
      worker = options.workerOf(bearerToken(request));
    } catch (error) {
      options.onError(error instanceof Error ? error : new Error(String(error)));
      return refuse(response, 500, 'The tokens cannot be read; the server says why.');
    }
    if (worker === undefined) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="coord"');
      return refuse(response, 401, 'A token is needed: coord mcp token <worker>');
    }
    const auth = { token: '', clientId: worker, scopes: [] };
    sessionOf(worker)
      .showsLife(worker)
      .catch(options.onError)
      .then(() =>
        serve(Object.assign(request, { method: request.method ?? '', url: request.url ?? '', auth }), response),
      )
      .catch(options.onError);
  });
  await listen(server, options);
  await new Promise<void>((resolve) => {
    if (options.signal.aborted) resolve();
    options.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await handler.close();
  await Promise.all([...sessions.values()].map((session) => session.close()));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
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
