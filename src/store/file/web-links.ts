/**
 * The link to the page of a board, while it is served: so that after a crash the pages that are still open find the same server
 * again. One small file a board, outside of every board, for this user's eyes only; who ends the server takes it away.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../../model/values.ts';
import { removeIfThere, replaceFile } from './atomic.ts';
import { readIfThere } from './open-file.ts';
import { scratchName, shortHash } from './scratch.ts';
import { recordsOf } from './trusted.ts';

export interface WebLink {
  port: number;
  token: string;
  /** Who may come by it, and what they may do: another server's link is not taken up where that differs. */
  kind: string;
}

/** How long after its beginning a link that was left behind is still taken up. */
const KEPT_MS = 86_400_000;
/** As {@link WebLinks} is given them: 32 bytes in base64url. */
const TOKEN = /^[\w-]{43}$/;

export class WebLinks {
  readonly #folder: string;
  readonly #file: string;
  readonly #page: string;

  /** @param location  of the board */
  constructor(stateFolder: string | undefined, location: string) {
    this.#folder = recordsOf(stateFolder, 'web');
    this.#file = join(this.#folder, `${shortHash(location)}.json`);
    this.#page = join(this.#folder, `${shortHash(location)}.html`);
  }

  /** What a server left behind that has not ended by itself. */
  left(): WebLink | undefined {
    try {
      const value: unknown = JSON.parse(readIfThere(this.#file)?.toString() ?? 'null');
      if (!isRecord(value)) return undefined;
      const { port, token, kind, at } = value;
      const isOurs = typeof token === 'string' && TOKEN.test(token) && typeof kind === 'string';
      const isDated = typeof port === 'number' && typeof at === 'string' && Date.now() - Date.parse(at) < KEPT_MS;
      return isOurs && isDated ? { port, token, kind } : undefined;
    } catch {
      return undefined;
    }
  }

  /** @throws CoordError `store-unavailable` */
  keep(link: WebLink): void {
    this.#write(this.#file, `${JSON.stringify({ ...link, at: new Date().toISOString() })}\n`);
  }

  /**
   * A file that leads a browser there: on a command line everybody on this machine could read the token.
   *
   * @returns its path
   */
  pageTo(url: string): string {
    this.#write(this.#page, `<!doctype html><meta http-equiv="refresh" content="0; url=${encodeURI(url)}">\n`);
    return this.#page;
  }

  /** Takes the link away, unless another server has taken its place. */
  end({ token }: WebLink): void {
    if (this.left()?.token === token) removeIfThere(this.#file);
    removeIfThere(this.#page);
  }

  #write(path: string, text: string): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    replaceFile(path, text, { scratch: scratchName(this.#folder), durable: false, mode: 0o600 });
  }
}
