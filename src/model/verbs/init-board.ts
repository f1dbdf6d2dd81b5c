/** Makes a board for a goal; where it is kept is the store's affair, this is what it takes. */
import * as z from 'zod/mini';
import { lazily, Reason } from '../fields.ts';
import { DefaultFields } from './set-defaults.ts';

export const InitBoard = lazily(() =>
  z.extend(DefaultFields(), {
    goal: Reason(),
    approach: z.optional(z.string().check(z.maxLength(1_000_000))),
  }),
);
export type InitBoard = z.infer<ReturnType<typeof InitBoard>>;
