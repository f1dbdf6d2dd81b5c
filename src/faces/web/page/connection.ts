/** The page's line to its server: the board at first, then what changes; verbs and documents over the same token. */
import { EventSource, type ErrorEvent } from 'eventsource';
import {
  type BoardChange,
  challenge,
  HEARTBEAT_MS,
  type ImportAnswer,
  type Refusal,
  type Snapshot,
  type VerbName,
} from '../api.ts';

/** What the server has refused, in its words. */
export class Refused extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor({ error: { code, message, hint } }: Refusal) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** `lost`: it tries again by itself. `ended`: this link holds no longer. */
export type Line = 'connecting' | 'live' | 'lost' | 'ended';

export interface Listener {
  onBoard: (snapshot: Snapshot) => void;
  onChange: (change: BoardChange) => void;
  /** @param trouble  what the server says, where it answers and yet cannot tell */
  onLine: (line: Line, trouble?: string) => void;
}

/** A server that has said nothing for so long is gone. */
const DEAD_MS = 2.7 * HEARTBEAT_MS;
/** How long to wait before the board is asked for again. */
const AGAIN_MS = 1000;

export class Connection {
  readonly #token: string;
  readonly #listener: Listener;
  #isProven = false;

  constructor(token: string, listener: Listener) {
    this.#token = token;
    this.#listener = listener;
  }

  /** Asks for the board, and listens from there on, again and again until this link holds no longer. */
  async follow(): Promise<void> {
    for (;;) {
      try {
        const snapshot = await this.get<Snapshot>('/api/board');
        this.#listener.onBoard(snapshot);
        await this.#listen(snapshot.id);
      } catch (error) {
        if (error instanceof Ended) return this.#listener.onLine('ended');
        this.#isProven = false;
        this.#listener.onLine('lost', error instanceof Refused ? error.message : undefined);
        await new Promise((again) => setTimeout(again, AGAIN_MS));
      }
    }
  }

  /** @throws Refused; TypeError where nobody answers */
  async get<T>(path: string): Promise<T> {
    return read<T>(await this.#ask(path));
  }

  /** @throws Refused; TypeError where nobody answers */
  async verb<T>(name: VerbName, input: object): Promise<T> {
    return read<T>(await this.#ask(`/api/${name}`, { method: 'POST', body: JSON.stringify(input) }));
  }

  /** @param isDry  says what would be added */
  async import(file: File, isDry: boolean): Promise<ImportAnswer> {
    const query = new URLSearchParams({ name: file.name, dry: String(isDry) });
    return read(await this.#ask(`/api/import?${query}`, { method: 'POST', body: file }));
  }

  /** Where the line was lost, whoever answers shows first that it is the same server. */
  async #ask(path: string, request: RequestInit = {}): Promise<Response> {
    if (!this.#isProven) await this.#prove();
    return fetch(path, { ...request, headers: this.#headers() });
  }

  #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}` };
  }

  /** Hears what changes. @returns where that is not enough: the board is to be asked for anew */
  #listen(id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let hasEnded = false;
      const source = new EventSource(`/api/events?after=${id}`, {
        // It tries again by itself, and says what it has heard last: to the same server, or not at all.
        fetch: async (url, init) => {
          if (!this.#isProven)
            await this.#prove().catch((error: unknown) => {
              hasEnded = error instanceof Ended;
              throw error;
            });
          return fetch(url, { ...init, headers: { ...init.headers, ...this.#headers() } });
        },
      });
      const end = (then: () => void): void => {
        clearInterval(watching);
        source.close();
        then();
      };
      // A line that was cut without a word, as by a network that is gone, looks as if nothing happened.
      let heard = Date.now();
      const watching = setInterval(() => {
        if (Date.now() - heard > DEAD_MS) end(() => reject(new Error('silent')));
      }, HEARTBEAT_MS / 3);
      const hear = (): void => void (heard = Date.now());
      source.addEventListener('here', hear);
      source.addEventListener('open', () => {
        hear();
        this.#listener.onLine('live');
      });
      // The server says so itself: its data is of that shape.
      source.addEventListener('change', ({ data }) => {
        hear();
        this.#listener.onChange(JSON.parse(data) as BoardChange);
      });
      source.addEventListener('stale', () => end(resolve));
      source.addEventListener('end', () => end(() => reject(new Ended())));
      source.addEventListener('error', (error: ErrorEvent) => {
        hear(); // it tries again by itself
        this.#isProven = false;
        this.#listener.onLine('lost');
        if (hasEnded || error.code === 401) end(() => reject(new Ended()));
        else if (source.readyState === source.CLOSED) end(() => reject(new Error(error.message)));
      });
    });
  }

  /**
   * Lets the server show that it knows the token, before it is told it: where ours has ended, another program may have taken its
   * port. Without cryptography, which browsers have on this machine's own addresses alone, it is told as it is.
   *
   * @throws Ended where it does not
   */
  async #prove(): Promise<void> {
    // Not there on other addresses, whatever its type says.
    const subtle = crypto.subtle as SubtleCrypto | undefined;
    this.#isProven = !subtle;
    if (!subtle) return;
    const nonce = crypto.randomUUID();
    const { proof } = await read<{ proof?: string }>(await fetch(`/api/hello?nonce=${nonce}`));
    const text = new TextEncoder();
    const key = await subtle.importKey('raw', text.encode(this.#token), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'verify',
    ]);
    const given = Uint8Array.from((proof ?? '').match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
    const isOurs = await subtle.verify('HMAC', key, given, text.encode(challenge(nonce, location.host)));
    if (!isOurs) throw new Ended();
    this.#isProven = true;
  }
}

/** This link holds no longer: somebody else answers here now. */
class Ended extends Error {}

/** @throws Refused */
async function read<T>(response: Response): Promise<T> {
  if (response.status === 401) throw new Ended();
  const answer: unknown = await response.json();
  // What our own server says has the shape that api.ts gives it.
  if (!response.ok) throw new Refused(answer as Refusal);
  return answer as T;
}
