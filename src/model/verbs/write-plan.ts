/** Writes the plan, which stands beside the board; this is what it takes. */
import * as z from 'zod/mini';
import { lazily } from '../fields.ts';

export const WritePlan = lazily(() =>
  z.strictObject({
    text: z.string().check(z.maxLength(1_000_000)),
    append: z.optional(z.boolean()),
  }),
);
export type WritePlan = z.infer<ReturnType<typeof WritePlan>>;
