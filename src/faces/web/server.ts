/** Serves the page of one board until the signal fires. */
import { getRequestListener } from '@hono/node-server';
import type { Store } from '../../store/store.ts';
import type { GateSurroundings } from '../hand-in.ts';
import { type HttpServerOptions, pathOf, type Route, serveUntilEnd } from '../http-server.ts';
import { webApp } from './app.ts';
import { Live } from './live.ts';
import { Verbs } from './verbs.ts';

export interface WebOptions extends Pick<HttpServerOptions, 'host' | 'port' | 'signal' | 'onListening'> {
  store: Store;
  /** Of the checks and landings that an approval starts. */
  surroundings: GateSurroundings;
  /** The folder of the page's files. */
  assets: string;
  token: string;
  /** Names by which it may be called besides this machine's own. */
  allowedHosts: readonly string[];
  isReadOnly: boolean;
  version: string;
  route: Route | undefined;
  onError: (error: unknown) => void;
  /** Told in words what came of a landing. */
  onLanded: (text: string) => void;
}

/** @throws CoordError `store-unavailable` when it cannot listen */
export async function serveWeb(options: WebOptions): Promise<void> {
  const { store, surroundings, route, signal, onError } = options;
  const live = new Live(store, onError);
  const touch = (): void => live.touch();
  const landed = (text: string): void => {
    options.onLanded(text);
    touch();
  };
  const verbs = new Verbs(store, surroundings, landed, touch);
  const names = ['localhost', '127.0.0.1', '[::1]', ...options.allowedHosts];
  const { app, ended } = webApp({ ...options, live, verbs, names });
  const answerPage = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  let following: Promise<void> | undefined;
  await serveUntilEnd({
    ...options,
    answer: async (request, response) => {
      if (route && pathOf(request) === route.path) await route.answer(request, response);
      else await answerPage(request, response);
    },
    onListening: (origin, port) => {
      following = live.follow(signal);
      route?.begin();
      options.onListening(origin, port);
    },
    onEnd: async () => {
      await Promise.all([following, verbs.close(), route?.close(), ended()]);
    },
  });
}
