/** One message to a worker, to the leader, or to all workers. Messages stand beside the board, so the store does it; this is what it takes. */
import * as z from 'zod/mini';
import { lazily, Name, ShortText, Worker } from '../fields.ts';

export const Tell = lazily(() =>
  z.strictObject({
    from: Worker(),
    /** A reader, or `all`: every worker. */
    to: Name(),
    text: ShortText(),
  }),
);
export type Tell = z.infer<ReturnType<typeof Tell>>;

export const Acknowledge = lazily(() =>
  z.strictObject({
    reader: Worker(),
    /** Id of the last message that was seen; 0 makes the reader known. */
    up_to: z.int().check(z.minimum(0)),
  }),
);
export type Acknowledge = z.infer<ReturnType<typeof Acknowledge>>;

export const Inbox = lazily(() =>
  z.strictObject({
    reader: Worker(),
    /** Also what was seen already. */
    all: z.optional(z.boolean()),
  }),
);
export type Inbox = z.infer<ReturnType<typeof Inbox>>;
