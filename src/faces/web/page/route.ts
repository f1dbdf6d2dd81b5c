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
