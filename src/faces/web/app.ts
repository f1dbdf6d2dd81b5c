/**
 * What answers a page: its own files to anybody who calls it by its name, and the board to whoever has the token.
 *
 * A browser on this machine could be made to call us by any page: so the names by which we may be called, and the page that calls,
 * are checked; the token comes in a header, which no form or link can send; and the page that we give out runs no script but ours.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Hono, type Context, type Next } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { CoordError } from '../../model/errors.ts';
import type { Store } from '../../store/store.ts';
import { bearerToken } from '../http-server.ts';
import type { GateSurroundings } from '../hand-in.ts';
import { importInto } from '../import-tasks.ts';
import {
  challenge,
  HEARTBEAT_MS,
  type ImportAnswer,
  MOST_IMPORTED,
  type Refusal,
  type Snapshot,
  VERB_NAMES,
} from './api.ts';
import { readAsset } from './assets.ts';
import { diffOf, discoveries, leaderInbox, logAfter, taskDocument } from './documents.ts';
import { refusalOf } from './errors.ts';
import type { Live } from './live.ts';
import type { Verbs } from './verbs.ts';

/** Bytes of the input of a verb: far above the longest text that a task takes. */
const MOST_INPUT = 1024 * 1024;
/** Pages that listen at a time; each holds a connection. */
const MOST_LISTENERS = 64;

/** @see https://www.w3.org/TR/CSP3/ */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types dompurify',
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

export interface AppOptions {
  store: Store;
  live: Live;
  verbs: Verbs;
  surroundings: GateSurroundings;
  /** The folder of the page's files. */
  assets: string;
  /** Names by which it may be called, without a port. */
  names: readonly string[];
  token: string;
  isReadOnly: boolean;
  version: string;
  signal: AbortSignal;
  onError: (error: unknown) => void;
}

/** @returns `ended` waits until every page has been told that the server ends */
export function webApp(options: AppOptions): { app: Hono; ended: () => Promise<unknown> } {
  const { store, live, verbs, surroundings, token, isReadOnly, version, signal, onError } = options;
  const app = new Hono();
  app.onError((thrown, c) => {
    const { status, refusal, bug } = refusalOf(thrown);
    if (bug) onError(bug);
    return c.json(refusal, status);
  });
  app.notFound((c) => c.json({ error: { code: 'usage', message: 'There is nothing here.' } } satisfies Refusal, 404));
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
    if (isForeign(c, options.names))
      throw new CoordError('not-allowed', 'Only the page of this very server may call it.');
    await next();
  });

  for (const path of ['/', '/page.js', '/page.css', '/icon.svg'])
    app.get(path, async (c) => {
      const { type, bytes } = await readAsset(options.assets, path === '/' ? '/index.html' : path);
      return c.body(bytes, 200, { 'content-type': type });
    });

  // So that a page that lost us tells its token to nobody who has taken our place.
  app.get('/api/hello', (c) => {
    const text = challenge((c.req.query('nonce') ?? '').slice(0, 200), c.req.header('host') ?? '');
    return c.json({ proof: createHmac('sha256', token).update(text).digest('hex') });
  });

  app.use('/api/*', async (c, next) => {
    if (isToken(c, token)) return next();
    const error = { code: 'not-allowed', message: 'Open the link that coord web prints: it holds the token.' };
    return c.json({ error } satisfies Refusal, 401);
  });

  app.get('/api/board', async (c) => {
    const shown = { place: store.location, version, read_only: isReadOnly };
    return c.json({ ...(await live.board()), ...shown } satisfies Snapshot);
  });
  app.get('/api/task/:id', async (c) =>
    c.json(await taskDocument(store, { live, verbs, surroundings }, c.req.param('id'))),
  );
  app.get('/api/task/:id/diff', async (c) => c.json(await diffOf(store, surroundings, c.req.param('id'))));
  app.get('/api/log', async (c) => c.json(await logAfter(live, Number(c.req.query('after') ?? 0) || 0)));
  app.get('/api/discoveries', async (c) => c.json(await discoveries(store)));
  app.get('/api/inbox', async (c) => c.json(await leaderInbox(store)));

  const listeners = new Set<Promise<void>>();
  app.get('/api/events', (c) => {
    if (listeners.size >= MOST_LISTENERS) {
      const error = { code: 'not-allowed', message: `At most ${MOST_LISTENERS} pages at a time.` };
      return c.json({ error } satisfies Refusal, 429);
    }
    const after = c.req.header('last-event-id') ?? c.req.query('after') ?? '';
    return streamSSE(c, (stream) => {
      const telling = tell(stream, after).finally(() => listeners.delete(telling));
      listeners.add(telling);
      return telling;
    });
  });
  /** Tells a page what changes, until it goes or the server ends. */
  const tell = async (stream: SSEStreamingApi, after: string): Promise<void> => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    const ending = AbortSignal.any([gone.signal, signal]);
    for (let id = after; !ending.aborted;) {
      const told = live.since(id);
      // Another server's, or none: the page asks for the whole board.
      if (!told) return stream.writeSSE({ event: 'stale', data: '' });
      if (told.id !== id) {
        id = told.id;
        await stream.writeSSE({ id, event: 'change', data: JSON.stringify(told.change) });
      }
      if (!(await live.next(id, HEARTBEAT_MS, ending)) && !ending.aborted)
        await stream.writeSSE({ event: 'here', data: '' });
    }
    // Its link ends with it.
    if (!gone.signal.aborted) await stream.writeSSE({ event: 'end', data: '' });
  };

  const mayChange = async (_c: Context, next: Next): Promise<void> => {
    if (isReadOnly)
      throw new CoordError('not-allowed', 'This page only looks: coord web was started with --read-only.');
    await next();
  };
  const tooLarge = (c: Context): Response =>
    c.json(
      {
        error: { code: 'invalid-input', message: `That is too large: at most ${MOST_IMPORTED >> 20} MB.` },
      } satisfies Refusal,
      413,
    );
  for (const name of VERB_NAMES)
    app.post(`/api/${name}`, mayChange, bodyLimit({ maxSize: MOST_INPUT, onError: tooLarge }), async (c) =>
      c.json(await verbs.run(name, jsonOf(await c.req.text()))),
    );
  app.post('/api/import', mayChange, bodyLimit({ maxSize: MOST_IMPORTED, onError: tooLarge }), async (c) => {
    const place = { name: c.req.query('name') ?? 'The list', bytes: Buffer.from(await c.req.arrayBuffer()) };
    const found = await importInto(store, place, { isDry: c.req.query('dry') === 'true' });
    const { added, known, skipped, notes, fresh } = found;
    const tasks = fresh.map(({ id, description, priority, dependencies }) => ({
      id,
      description,
      priority,
      dependencies,
    }));
    return c.json({ added, known, skipped, notes, tasks } satisfies ImportAnswer);
  });
  return { app, ended: () => Promise.allSettled(listeners) };
}

/** @throws CoordError `invalid-input` */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CoordError('invalid-input', 'input: is not JSON', { cause: error });
  }
}

/** Called by another name than ours, or by another page than ours. @see https://owasp.org/www-community/attacks/DNS_Rebinding */
function isForeign(c: Context, names: readonly string[]): boolean {
  const host = c.req.header('host') ?? '';
  const origin = c.req.header('origin');
  return !names.includes(nameIn(host)) || (origin !== undefined && origin !== `http://${host}`);
}

/** `localhost` of `localhost:7433`; empty where it is no host. */
function nameIn(host: string): string {
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return '';
  }
}

function isToken(c: Context, token: string): boolean {
  const [given, own] = [Buffer.from(bearerToken(c.req.header('authorization'))), Buffer.from(token)];
  return given.length === own.length && timingSafeEqual(given, own);
}
