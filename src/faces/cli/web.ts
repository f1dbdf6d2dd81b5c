/** The handler of `coord web`: a page of the board, for the person who leads. */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { visible } from '../../model/text.ts';
import { openStore, openWebLinks, type WebLink, type WebLinks } from '../../store/open.ts';
import { isLoopback, LOOPBACK, refuseUnnamedHost } from '../http-server.ts';
import type { Context, Reply } from '../io.ts';
import { surroundings } from './surroundings.ts';

/** How often a link is kept anew while it is served. */
const KEEP_MS = 3_600_000;

export interface PageOptions {
  port?: number;
  host?: string;
  allowHost?: string[];
  open?: boolean;
  readOnly?: boolean;
  mcp?: boolean;
}

export async function web(context: Context, options: PageOptions): Promise<Reply> {
  const { io, openOptions } = context;
  const { host = LOOPBACK, readOnly: isReadOnly = false } = options;
  const allowedHosts = (options.allowHost ?? []).map((name) => name.toLowerCase());
  refuseUnnamedHost('coord web', host, options.allowHost);
  io.heedHangup();
  const store = openStore(openOptions);
  try {
    await store.read(); // no board, or none that can be read: that is said at once
    const links = await openWebLinks(store, openOptions);
    const { serveWeb } = await import('../web/server.ts');
    const route =
      options.mcp === true ? await (await import('../mcp/commands.ts')).openRoute(context, allowedHosts) : undefined;
    const kind = `${isReadOnly ? 'reads' : 'leads'} by ${[host, ...allowedHosts].join(' ')}`;
    const told = (link: WebLink, url: string): void => {
      context.print({ text: url, json: { url } });
      for (const line of notes(host, isReadOnly, route?.path)) context.note(line);
      if (options.open === true) void opened(context, () => links.pageTo(link, url));
    };
    const serve = (port: number, token: string): Promise<void> =>
      withLink(context, links, (keep) =>
        serveWeb({
          store,
          surroundings: { ...surroundings(context), onProgress: undefined },
          assets: join(dirname(io.program.script), '../dist/web'),
          host,
          port,
          token,
          allowedHosts,
          isReadOnly,
          version: context.version,
          route,
          signal: io.signal,
          onError: (error) => io.stderr.write(`coord web: ${faultText(error, context.version)}\n`),
          onLanded: (text) => context.note(text),
          onListening: (_origin, taken) => {
            const link = { port: taken, token, kind };
            keep(link);
            told(link, `http://${nameOf(host, allowedHosts)}:${taken}/#${token}`);
          },
        }),
      );
    // What a crash left behind is taken up, so that open pages go on; who ends the server ends the link.
    const wanted = options.port ?? 0;
    const left = links.left().filter((link) => link.kind === kind && (wanted === 0 || link.port === wanted));
    if (!(await servedAsLeft(left, wanted, serve))) await serve(wanted, randomBytes(32).toString('base64url'));
  } finally {
    await store.close();
  }
  return { text: '', json: undefined };
}

/** Serves by the first of these links whose own server is gone. @returns false where there is none */
async function servedAsLeft(
  left: readonly WebLink[],
  wanted: number,
  serve: (port: number, token: string) => Promise<void>,
): Promise<boolean> {
  for (const { port, token } of left) {
    try {
      await serve(port, token);
      return true;
    } catch (error) {
      // Its server is still there, and this is one more.
      if (wanted !== 0 || !(error instanceof CoordError) || error.details?.why !== 'port-taken') throw error;
    }
  }
  return false;
}

/** Keeps a link while something is served by it. */
async function withLink(
  context: Context,
  links: WebLinks,
  serve: (keep: (link: WebLink) => void) => Promise<void>,
): Promise<void> {
  let kept: WebLink | undefined;
  const keep = (link: WebLink): void => {
    kept = link;
    try {
      links.keep(link);
    } catch (error) {
      // It is served all the same; after a crash its link will be another.
      context.note(error instanceof Error ? error.message : String(error));
    }
  };
  const timer = setInterval(() => kept && keep(kept), KEEP_MS);
  try {
    await serve(keep);
  } finally {
    clearInterval(timer);
    if (kept) links.end(kept);
  }
}

/** What went wrong; of our own mistakes all that helps to find them. */
function faultText(error: unknown, version: string): string {
  if (error instanceof CoordError) return visible(error.message);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `a bug in coord ${version} (Node ${process.version}); please report it, with these lines:\n${visible(stack)}`;
}

/** The name to call it by. */
function nameOf(host: string, allowedHosts: readonly string[]): string {
  if (host === '::1') return '[::1]';
  return isLoopback(host) ? host : (allowedHosts[0] ?? host);
}

function notes(host: string, isReadOnly: boolean, mcpPath: string | undefined): string[] {
  const may = isReadOnly ? 'sees all of this board' : 'leads this board';
  return [
    `Open it in a browser: whoever has this link ${may}, until Ctrl-C.`,
    ...(isLoopback(host)
      ? []
      : [
          `It answers on ${host}, to other machines too, and nothing on the way is encrypted: who can read the network has the link as well.`,
          `Safer: without --host, and on the other machine ssh -L 7434:127.0.0.1:<port> <this machine>`,
        ]),
    ...(mcpPath === undefined ? [] : [`MCP answers at ${mcpPath}, to workers with a token: coord mcp token <worker>`]),
  ];
}

/** @param page  makes the file that leads there */
async function opened(context: Context, page: () => string): Promise<void> {
  try {
    const { openInBrowser } = await import('./browser.ts');
    await openInBrowser(context.io, page());
  } catch (error) {
    context.note(error instanceof Error ? error.message : String(error));
  }
}
