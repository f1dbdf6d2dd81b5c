/**
 * The links to the page of a board, while it is served: so that after a crash the pages that are still open find the same server
 * again. One small file a server, outside of every board, for this user's eyes only; who ends the server takes it away.
 */
import { join } from 'node:path';
import { digest } from '../digest.ts';
import { namesIn, removeIfThere } from './atomic.ts';
import { readOwn, recordsOf, writeOwn } from './own-records.ts';

export interface WebLink {
  port: number;
  token: string;
  /** Who may come by it, and what they may do: another server's link is not taken up where that differs. */
  kind: string;
}

/** How long after it was kept last a link that was left behind is still taken up. */
const KEPT_MS = 86_400_000;
/** As {@link WebLinks} is given them: 32 bytes in base64url. */
const TOKEN = /^[\w-]{43}$/;

export class WebLinks {
  readonly #location: string;
  readonly #folder: string;
  readonly #prefix: string;

  /** @param location  of the board */
  constructor(stateFolder: string | undefined, location: string) {
    this.#location = location;
    this.#folder = recordsOf(stateFolder, 'web');
    this.#prefix = digest(location);
  }

  /** What servers of this board have kept, the newest first; some of them may still be there. */
  left(): WebLink[] {
    const found = namesIn(this.#folder)
      .filter((name) => name.startsWith(`${this.#prefix}-`) && name.endsWith('.json'))
      .flatMap((name) => this.#read(join(this.#folder, name)) ?? []);
    return found.toSorted((a, b) => b.at - a.at).map(({ port, token, kind }) => ({ port, token, kind }));
  }

  /** Again from time to time, since it is taken up for a day only. @throws CoordError `store-unavailable` */
  keep({ port, token, kind }: WebLink): void {
    const record = { board: this.#location, port, token, kind, at: new Date().toISOString() };
    this.#write(this.#file(port, 'json'), `${JSON.stringify(record)}\n`);
  }

  /**
   * A file that leads a browser there: on a command line everybody on this machine could read the token.
   *
   * @returns its path
   */
  pageTo({ port }: WebLink, url: string): string {
    const path = this.#file(port, 'html');
    this.#write(path, `<!doctype html><meta http-equiv="refresh" content="0; url=${encodeURI(url)}">\n`);
    return path;
  }

  end({ port }: WebLink): void {
    removeIfThere(this.#file(port, 'json'));
    removeIfThere(this.#file(port, 'html'));
  }

  #file(port: number, ending: string): string {
    return join(this.#folder, `${this.#prefix}-${port}.${ending}`);
  }

  /** Only what this user wrote, of this very board, and not too long ago; else it is removed. */
  #read(file: string): (WebLink & { at: number }) | undefined {
    const { board, port, token, kind, at: kept } = readOwn(file) ?? {};
    const at = Date.parse(String(kept));
    const isOurs = board === this.#location && Date.now() - at < KEPT_MS;
    if (
      isOurs &&
      typeof port === 'number' &&
      typeof kind === 'string' &&
      typeof token === 'string' &&
      TOKEN.test(token)
    )
      return { port, token, kind, at };
    removeIfThere(file);
    return undefined;
  }

  #write(path: string, text: string): void {
    writeOwn(this.#folder, path, text, false);
  }
}
