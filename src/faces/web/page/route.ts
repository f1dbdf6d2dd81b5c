/** Where one is on the page, as its address says: `#/graph/task-001` is the graph, with that task open. */
import { isName } from '../../../model/limits.ts';

const VIEWS = ['asks', 'board', 'graph', 'timeline', 'log', 'discoveries'] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  view: View;
  task: string | undefined;
}

export function routeIn(hash: string): Route {
  const [, view, task] = hash.split('/');
  return { view: VIEWS.find((one) => one === view) ?? 'board', task: isName(task) ? task : undefined };
}

export function addressOf({ view, task }: Route): string {
  return `#/${view}${task === undefined ? '' : `/${task}`}`;
}

/**
 * Takes the token of a link out of the address at once, since an address is seen, copied and kept; this tab remembers it, so that it
 * can be loaded again.
 *
 * @returns whether there was one
 */
export function takeToken(): boolean {
  const [, token] = /^#([\w-]{20,})$/.exec(location.hash) ?? [];
  if (token === undefined) return false;
  sessionStorage.setItem('token', token);
  history.replaceState(null, '', addressOf({ view: 'board', task: undefined }));
  return true;
}

/** Of the link that this tab was opened by; empty where it was not. */
export function tokenOfTab(): string {
  return sessionStorage.getItem('token') ?? '';
}

/** Lets tabs of this very page ask each other for the token. @param mayTell  whether the line to the server is proven just now */
export function answerOtherTabs(mayTell: () => boolean): void {
  const tabs = new BroadcastChannel('token');
  tabs.addEventListener('message', ({ data }) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none: it is this origin's alone
    if (data === ASKED && mayTell()) tabs.postMessage({ token: tokenOfTab() });
  });
}

/** Asks other tabs, as for one that was opened from a link of the page. @returns whether one has answered */
export function askOtherTabs(): Promise<boolean> {
  return new Promise((resolve) => {
    const tabs = new BroadcastChannel('token');
    const timer = setTimeout(() => resolve(false), ANSWER_MS);
    tabs.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (typeof data !== 'object' || data === null || !('token' in data)) return;
      clearTimeout(timer);
      tabs.close();
      sessionStorage.setItem('token', String(data.token));
      resolve(true);
    });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- as above
    tabs.postMessage(ASKED);
  });
}

const ASKED = 'token?';
/** Tabs in the background are slow. */
const ANSWER_MS = 1500;
