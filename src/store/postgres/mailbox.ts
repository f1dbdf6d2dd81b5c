/** Messages as rows. Who writes one holds the board's lock, so that each is checked against all before it. */
import { isMessage, KEPT_MS, type Draft, type Mail, type Message } from '../../model/messages.ts';
import { randomId } from '../commit-id.ts';
import type { Mailbox } from '../store.ts';
import type { Row, Statement } from './database.ts';
import type { DocumentWays } from './documents.ts';
import { notifying } from './statements.ts';

export interface MailboxWays extends Pick<DocumentWays, 'read' | 'board' | 'write'> {
  newest(): Promise<number>;
}

export class PostgresMailbox implements Mailbox {
  readonly #ways: MailboxWays;

  constructor(ways: MailboxWays) {
    this.#ways = ways;
  }

  newest(): Promise<number> {
    return this.#ways.newest();
  }

  async read(after = 0): Promise<Mail> {
    const id = await this.#ways.board();
    const [messages, readers] = await this.#ways.read((trip) => trip(...reading(id, after)));
    return mailOf(messages, readers);
  }

  post(make: (mail: Mail, now: string) => Draft): Promise<Message> {
    return this.#ways.write(async (known, now, trip) => {
      const [messages, readers] = await trip(...reading(known.id, 0));
      const message = { id: known.messages + 1, ...make(mailOf(messages, readers), now).message, at: now };
      return {
        answer: message,
        id: randomId(),
        statements: [
          { text: 'UPDATE coord.boards SET messages = $2 WHERE id = $1', values: [known.id, message.id] },
          {
            text: 'INSERT INTO coord.messages (board_id, n, at, doc) VALUES ($1, $2, $3, $4)',
            values: [known.id, message.id, now, JSON.stringify(message)],
          },
          {
            text: 'DELETE FROM coord.messages WHERE board_id = $1 AND at < $2',
            values: [known.id, new Date(Date.parse(now) - KEPT_MS).toISOString()],
          },
          notifying(known.id, 'message'),
        ],
        after: { ...known, messages: message.id },
      };
    });
  }

  async see(reader: string, id: number): Promise<void> {
    const board = await this.#ways.board();
    const text = `INSERT INTO coord.readers (board_id, reader, seen) VALUES ($1, $2, $3)
ON CONFLICT (board_id, reader) DO UPDATE SET seen = greatest(readers.seen, excluded.seen)`;
    await this.#ways.read((trip) => trip({ text, values: [board, reader, id] })); // twice is harmless
  }
}

function reading(board: number, after: number): [Statement, Statement] {
  return [
    { text: 'SELECT doc FROM coord.messages WHERE board_id = $1 AND n > $2 ORDER BY n', values: [board, after] },
    { text: 'SELECT reader, seen::float8 AS seen FROM coord.readers WHERE board_id = $1', values: [board] },
  ];
}

function mailOf(messages: readonly Row[] = [], readers: readonly Row[] = []): Mail {
  return {
    messages: messages.map(({ doc }) => doc).filter(isMessage),
    seen: new Map(readers.map((row) => [String(row['reader']), Number(row['seen'])])),
  };
}
