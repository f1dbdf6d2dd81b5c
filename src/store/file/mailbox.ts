/**
 * Messages in a folder: `messages/00000042.json`, a name that can be created only once, as that of a commit; and
 * `messages/seen/terminal-2`, up to which of them a reader has seen everything.
 *
 * A message is checked against those before it (who is there, how much they have to read), so it may only take the number that
 * comes next: whoever finds that taken looks again. As in commit-log.ts old ones go oldest first and the newest never, so that
 * no number is used twice; and whoever made a name looks whether the one before it is still there.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { isKept, isMessage, type Mail, type Message } from '../../model/messages.ts';
import { isName } from '../../model/limits.ts';
import { isRecord } from '../../model/values.ts';
import { nameOf, nextCommit, revisionOfName } from '../commit-id.ts';
import type { Mailbox } from '../store.ts';
import type { Draft } from '../../model/messages.ts';
import { moveIfThere, namesIn, replaceFile, syncFolder, touch, writeNew } from './atomic.ts';
import { CommitNames } from './commit-name.ts';
import { explainErrno } from './errno.ts';
import { checkTree } from './guard.ts';
import { readIfThere } from './open-file.ts';
import { removeScratch, scratchName } from './scratch.ts';
import type { Tree } from './tree.ts';

export interface MailboxOptions {
  durable: boolean;
  canLink: boolean;
  stateFolder: string | undefined;
  /** The board's clock, ISO 8601 UTC. */
  now: () => string;
  notice: (message: string) => void;
  /** For tests: called at every point of it. @internal */
  at: (point: 'message-written' | 'message-linked') => void;
}

export class FileMailbox implements Mailbox {
  readonly #tree: Tree;
  readonly #options: MailboxOptions;
  readonly #names: CommitNames;

  constructor(tree: Tree, options: MailboxOptions) {
    this.#tree = tree;
    this.#options = options;
    const { durable, canLink } = options;
    this.#names = new CommitNames(tree.messages, { tmp: tree.tmp, durable, canLink });
  }

  async newest(): Promise<number> {
    return this.#safely(() => this.#ids().at(-1) ?? 0);
  }

  async read(after = 0): Promise<Mail> {
    return this.#safely(() => this.#mail(this.#ids().filter((id) => id > after)));
  }

  async post(make: (mail: Mail, now: string) => Draft): Promise<Message> {
    for (;;) {
      const made = this.#safely(() => {
        const ids = this.#ids();
        const at = this.#options.now();
        const { message } = make(this.#mail(ids), at);
        return this.#append({ id: (ids.at(-1) ?? 0) + 1, ...message, at }, ids);
      });
      if (made) return made;
    }
  }

  /** @returns undefined where somebody else has taken the number */
  #append(message: Message, ids: readonly number[]): Message | undefined {
    const last = ids.at(-1);
    const commit = nextCommit(undefined);
    const temp = scratchName(this.#tree.tmp);
    const folder = this.#tree.messages;
    mkdirSync(folder, { recursive: true });
    try {
      this.#write(temp, message, commit);
      this.#options.at('message-written');
      if (!this.#names.create(folder, temp, { revision: message.id, commit })) return undefined;
      this.#options.at('message-linked');
      if (last !== undefined && !existsSync(join(folder, nameOf(last)))) {
        this.#names.remove(folder, message.id); // asleep while the numbers went on
        return undefined;
      }
      if (this.#options.durable) syncFolder(folder);
    } finally {
      removeScratch(temp);
    }
    this.#forget(ids, message.at);
    this.#ring();
    return message;
  }

  async see(reader: string, id: number): Promise<void> {
    this.#safely(() => {
      const before = seenIn(readIfThere(join(this.#tree.seen, reader)));
      if (before !== undefined && before >= id) return;
      this.#writeSeen(reader, id);
    });
  }

  /** @param commit  tells whose file has got the number */
  #write(path: string, message: Message, commit: string): void {
    writeNew(path, [Buffer.from(`${JSON.stringify({ commit, ...message })}\n`)], this.#options.durable);
  }

  #writeSeen(reader: string, id: number): void {
    mkdirSync(this.#tree.seen, { recursive: true });
    // Where it is lost they are shown once more, so nobody waits for the disk.
    replaceFile(join(this.#tree.seen, reader), `${id}\n`, { scratch: scratchName(this.#tree.tmp), durable: false });
  }

  /** For a board that is moved here. */
  restore({ messages, seen }: Mail): void {
    if (messages.length > 0) mkdirSync(this.#tree.messages, { recursive: true });
    for (const message of messages) {
      const temp = scratchName(this.#tree.tmp);
      const commit = nextCommit(undefined);
      this.#write(temp, message, commit);
      this.#names.create(this.#tree.messages, temp, { revision: message.id, commit });
      removeScratch(temp);
    }
    for (const [reader, id] of seen) this.#writeSeen(reader, id);
  }

  #safely<T>(work: () => T): T {
    try {
      checkTree(this.#tree, this.#options.stateFolder, [this.#tree.messages, this.#tree.seen, this.#tree.tmp]);
      return work();
    } catch (error) {
      throw explainErrno(error);
    }
  }

  #ids(): number[] {
    return namesIn(this.#tree.messages)
      .flatMap((name) => revisionOfName(name) ?? [])
      .toSorted((a, b) => a - b);
  }

  /** What is none is put aside, and said once: it may have come with a clone. */
  #message(id: number): Message | undefined {
    const folder = this.#tree.messages;
    const bytes = orStrange(() => readIfThere(this.#names.path(folder, id)));
    if (bytes === undefined && !existsSync(join(folder, nameOf(id)))) return undefined; // removed meanwhile
    const value = Buffer.isBuffer(bytes) ? parsed(bytes) : undefined;
    if (value?.id === id) return value;
    mkdirSync(this.#tree.rejected, { recursive: true });
    const aside = scratchName(this.#tree.rejected, `message-${id}-`);
    if (moveIfThere(join(folder, nameOf(id)), aside))
      this.#options.notice(`messages/${nameOf(id)} is no message. It was put into ${aside}.`);
    return undefined;
  }

  #mail(ids: readonly number[]): Mail {
    return { messages: ids.flatMap((id) => this.#message(id) ?? []), seen: this.#seen() };
  }

  #seen(): Map<string, number> {
    const seen = new Map<string, number>();
    for (const reader of namesIn(this.#tree.seen)) {
      const bytes = isName(reader) ? orStrange(() => readIfThere(join(this.#tree.seen, reader))) : undefined;
      const id = Buffer.isBuffer(bytes) ? seenIn(bytes) : undefined;
      if (id !== undefined) seen.set(reader, id);
    }
    return seen;
  }

  /** Oldest first, so that a number that is there was never free again. */
  #forget(ids: readonly number[], now: string): void {
    for (const id of ids) {
      const message = this.#message(id);
      if (message && isKept(message, now)) return;
      if (message) this.#names.remove(this.#tree.messages, id);
    }
  }

  #ring(): void {
    try {
      touch(this.#tree.bell);
    } catch {
      // It is there; waiters look by themselves every few seconds.
    }
  }
}

/** A link, pipe or folder where a file should be: somebody else's. */
function orStrange<T>(read: () => T): T | 'strange' {
  try {
    return read();
  } catch (error) {
    if (error instanceof CoordError && error.code === 'board-unsafe') return 'strange';
    throw error;
  }
}

function parsed(bytes: Buffer): Message | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (!isRecord(value) || !isMessage(value)) return undefined;
    const { id, from, to, text, at } = value;
    return { id, from, to, text, at };
  } catch {
    return undefined;
  }
}

function seenIn(bytes: Buffer | undefined): number | undefined {
  const digits = /^(\d{1,15})\n?$/.exec(bytes?.toString() ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
