/** Shares a finding with everybody. Findings stand beside the board, so the store does it; this is what it takes. */
import * as z from 'zod/mini';
import { lazily, Reason, Tags, TaskId, Worker } from '../fields.ts';

export const AddDiscovery = lazily(() =>
  z.strictObject({
    worker: Worker(),
    content: Reason(),
    tags: z.optional(Tags()),
    task_id: z.optional(TaskId()),
  }),
);
export type AddDiscovery = z.infer<ReturnType<typeof AddDiscovery>>;
