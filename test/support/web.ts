/** `coord web` as a test has it: started, called as the page calls it, ended. */
import { request } from 'node:http';
import type { Snapshot } from '../../src/faces/web/api.ts';
import { type Rig, until } from './rig.ts';

export interface Called {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface Served {
  /** With the token. */
  url: string;
  origin: string;
  token: string;
  pid: number;
  errors: () => string;
  /** As Ctrl-C does. @returns the exit code */
  stop: () => Promise<number | null>;
  /** As a crash does. */
  kill: () => Promise<void>;
  /** With the token, unless other headers are given. */
  call: (method: string, path: string, body?: string | Buffer, headers?: Record<string, string>) => Promise<Called>;
  /** A verb, which must be carried out. */
  verb: <T = Record<string, unknown>>(name: string, input?: object) => Promise<T>;
  board: () => Promise<Snapshot>;
}

export async function serveWeb(rig: Rig, args: string[] = [], env: Record<string, string> = {}): Promise<Served> {
  const server = rig.start(['web', ...args], { XDG_STATE_HOME: rig.path('state'), ...env });
  await until(() => /^http\S+\n/.test(server.output()) || server.child.exitCode !== null, 'the page to be served');
  const url = server.output().trim();
  if (!url.startsWith('http')) throw new Error(`coord web ended: ${server.errors()}`);
  const [origin = '', token = ''] = url.split('/#');
  const own = { authorization: `Bearer ${token}` };
  const call: Served['call'] = (method, path, body, headers = own) => bare(`${origin}${path}`, method, headers, body);
  const parsed = async <T>(answer: Promise<Called>): Promise<T> => {
    const { status, text } = await answer;
    if (status !== 200) throw new Error(`${status}: ${text}`);
    return JSON.parse(text) as T;
  };
  return {
    url,
    origin,
    token,
    pid: server.child.pid ?? 0,
    errors: server.errors,
    stop: async () => {
      server.child.kill('SIGINT');
      return (await server.ended).code;
    },
    kill: async () => {
      server.child.kill('SIGKILL');
      await server.ended;
    },
    call,
    verb: (name, input = {}) => parsed(call('POST', `/api/${name}`, JSON.stringify(input))),
    board: () => parsed(call('GET', '/api/board')),
  };
}

/** A request as a scanner or another page would send it: whatever headers, also those that fetch refuses. */
export function bare(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: string | Buffer,
): Promise<Called> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    // Refused before it was all sent: the answer may be lost with the connection.
    sent.on('error', (error: NodeJS.ErrnoException) =>
      ['EPIPE', 'ECONNRESET'].includes(error.code ?? '')
        ? resolve({ status: 0, headers: {}, text: '' })
        : reject(error),
    );
    sent.end(body);
  });
}

/** The events of a page that listens, as they come. */
export class Events {
  #text = '';
  readonly #gone = new AbortController();

  constructor({ origin, token }: Pick<Served, 'origin' | 'token'>, after: string, isResumed = false) {
    const headers = { authorization: `Bearer ${token}`, ...(isResumed ? { 'last-event-id': after } : {}) };
    const path = isResumed ? '/api/events' : `/api/events?after=${after}`;
    void this.#read(`${origin}${path}`, headers).catch(() => {}); // it is cut off
  }

  async #read(url: string, headers: Record<string, string>): Promise<void> {
    const response = await fetch(url, { headers, signal: this.#gone.signal });
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) this.#text += decoder.decode(bytes, { stream: true });
  }

  /** Those that are told in full. */
  get all(): { id: string; event: string; data: string }[] {
    return this.#text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => !block.startsWith(':'))
      .map((block) => {
        const field = (name: string): string => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1] ?? '';
        return { id: field('id'), event: field('event'), data: field('data') };
      });
  }

  close(): void {
    this.#gone.abort();
  }
}
