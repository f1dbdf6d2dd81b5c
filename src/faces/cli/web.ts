/** The handler of `coord web`: a page of the board, for the person who leads. */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { visible } from '../../model/text.ts';
import { openStore, openWebLinks } from '../../store/open.ts';
import { LOOPBACK, refuseUnnamedHost } from '../http-server.ts';
import type { Context, Reply } from '../io.ts';
import { surroundings } from './surroundings.ts';

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
  const host = options.host ?? LOOPBACK;
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
    const isReadOnly = options.readOnly === true;
    const kind = `${isReadOnly ? 'reads' : 'leads'} by ${[host, ...allowedHosts].join(' ')}`;
    const base = {
      store,
      surroundings: { ...surroundings(context), onProgress: undefined },
      assets: join(dirname(io.program.script), '../dist/web'),
      host,
      allowedHosts,
      isReadOnly,
      version: context.version,
      route,
      signal: io.signal,
      onError: (error: Error): void => io.stderr.write(`coord web: ${visible(error.message)}\n`),
      onLanded: (text: string): void => context.note(text),
    };
    const serve = async (port: number, token: string): Promise<void> => {
      let link: Parameters<typeof links.keep>[0] | undefined;
      const onListening = (_origin: string, taken: number): void => {
        const url = `http://${nameOf(host, allowedHosts)}:${taken}/#${token}`;
        let page: string | undefined;
        let trouble: string[] = [];
        try {
          link = { port: taken, token, kind };
          links.keep(link);
          page = options.open === true ? links.pageTo(url) : undefined;
        } catch (error) {
          // It serves all the same; after a crash its link will be another.
          trouble = [error instanceof Error ? error.message : String(error)];
        }
        context.print({ text: url, json: { url } });
        for (const line of [...notes(host, isReadOnly, route?.path), ...trouble]) context.note(line);
        if (page !== undefined) void opened(context, page);
      };
      try {
        await serveWeb({ ...base, port, token, onListening });
      } finally {
        if (link) links.end(link);
      }
    };
    // What a crash left behind is taken up, so that open pages go on; who ends the server ends the link.
    const left = links.left();
    const isSamePort = options.port === undefined || options.port === 0 || options.port === left?.port;
    const fresh = (): Promise<void> => serve(options.port ?? 0, randomBytes(32).toString('base64url'));
    if (!left || !isSamePort || left.kind !== kind) await fresh();
    else
      await serve(left.port, left.token).catch((error: unknown) => {
        // Its server is still there, and this is one more.
        if (options.port === left.port || !isPortTaken(error)) throw error;
        return fresh();
      });
  } finally {
    await store.close();
  }
  return { text: '', json: undefined };
}

/** The name to call it by. */
function nameOf(host: string, allowedHosts: readonly string[]): string {
  if (host === LOOPBACK || host === 'localhost') return host;
  return host === '::1' ? '[::1]' : (allowedHosts[0] ?? host);
}

function notes(host: string, isReadOnly: boolean, mcpPath: string | undefined): string[] {
  const may = isReadOnly ? 'sees all of this board' : 'leads this board';
  const isOpen = host !== LOOPBACK && host !== 'localhost' && host !== '::1';
  return [
    `Open it in a browser: whoever has this link ${may}, until Ctrl-C.`,
    ...(isOpen
      ? [
          `It answers on ${host}, to other machines too, and nothing on the way is encrypted: who can read the network has the link as well.`,
          `Safer: without --host, and on the other machine ssh -L 7434:127.0.0.1:<port> <this machine>`,
        ]
      : []),
    ...(mcpPath === undefined ? [] : [`MCP answers at ${mcpPath}, to workers with a token: coord mcp token <worker>`]),
  ];
}

async function opened(context: Context, path: string): Promise<void> {
  const { openInBrowser } = await import('./browser.ts');
  await openInBrowser(context.io, path).catch((error: unknown) =>
    context.note(error instanceof Error ? error.message : String(error)),
  );
}

function isPortTaken(error: unknown): boolean {
  return error instanceof CoordError && error.details?.why === 'port-taken';
}
