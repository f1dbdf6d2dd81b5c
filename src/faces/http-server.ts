/**
 * An HTTP server for whoever this machine lets in. Whatever comes in gets an answer and ends nothing but itself: sizes, times and
 * connections are bounded here, bodies by whoever reads them.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CoordError } from '../model/errors.ts';

/** Bytes of all headers together. */
const MOST_HEADERS = 16_384;
/** How long a request may take to arrive; answers may take as long as they want. */
const ARRIVAL_MS = 60_000;
/** Connections of all clients together. */
const MOST_CONNECTIONS = 256;

/** As RFC 1123 has it, section 2.1, or an address. */
const HOST_NAME = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/i;

/** Only this machine's own programs reach it. */
export const LOOPBACK = '127.0.0.1';

export interface HttpServerOptions {
  /** 0 is any that is free. */
  port: number;
  host: string;
  signal: AbortSignal;
  onError: (error: Error) => void;
  /** Told once the server answers: `http://127.0.0.1:7433`. */
  onListening: (origin: string, port: number) => void;
  /** May throw: then the client is told that something went wrong, and `onError` what. */
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Told that it ends, before connections are cut. */
  onEnd: () => Promise<void>;
}

/** What answers at one path, on whichever server. */
export interface Route {
  path: string;
  /** To be called once the server answers. */
  begin: () => void;
  answer: HttpServerOptions['answer'];
  close: () => Promise<void>;
}

/** Serves until the signal fires. @throws CoordError `store-unavailable` when it cannot listen */
export async function serveUntilEnd(options: HttpServerOptions): Promise<void> {
  const { answer, onError, signal } = options;
  const limits = { maxHeaderSize: MOST_HEADERS, requestTimeout: ARRIVAL_MS, headersTimeout: ARRIVAL_MS };
  const server = createServer(limits, (request, response) => {
    request.on('error', () => {}); // it was cut off: nobody is there to be told
    response.on('error', () => {});
    answer(request, response).catch((error: unknown) => {
      onError(error instanceof Error ? error : new Error(String(error)));
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
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await options.onEnd();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function listen(server: Server, { port, host, onListening }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new CoordError('store-unavailable', `Cannot listen on ${host} port ${port}: ${error.message}.`, {
          ...('code' in error && error.code === 'EADDRINUSE' ? { hint: '--port 0 takes any free port' } : {}),
          details: { why: 'code' in error && error.code === 'EADDRINUSE' ? 'port-taken' : 'port' },
          cause: error,
        }),
      ),
    );
    server.listen(port, host, () => {
      const { port: taken } = server.address() as AddressInfo; // a TCP server has one
      onListening(`http://${host.includes(':') ? `[${host}]` : host}:${taken}`, taken);
      resolve();
    });
  });
}

/** The path that is asked for; undefined for a target that is none. */
export function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  try {
    return new URL(url, 'http://localhost').pathname;
  } catch {
    return undefined;
  }
}

export function bearerToken(authorization: string | undefined): string {
  return /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
}

/** An error as JSON-RPC words it, which whoever speaks anything else reads as well. */
export function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }));
}

export function isLoopback(host: string): boolean {
  return host === LOOPBACK || host === 'localhost' || host === '::1';
}

/** Beyond this machine's own address it says under which names others may call. @throws CoordError `usage` */
export function refuseUnnamedHost(command: string, host: string, allowHost: readonly string[] | undefined): void {
  const wrong = allowHost?.find((name) => !HOST_NAME.test(name));
  if (wrong !== undefined) throw new CoordError('usage', `--allow-host: "${wrong}" is no name of a host.`);
  if (isLoopback(host) || (host !== '' && allowHost !== undefined && allowHost.length > 0)) return;
  if (host === '') throw new CoordError('usage', '--host: an address of this machine, such as 0.0.0.0 for all.');
  throw new CoordError('usage', `--host ${host} lets other machines in; say under which names they may call.`, {
    hint: `${command} --host ${host} --allow-host build-box.local`,
  });
}
