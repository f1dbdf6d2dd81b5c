/** Adds what agents have cost that did no task, such as planning. */
import * as z from 'zod/mini';
import type { Board, Change } from '../board.ts';
import { Cost, lazily } from '../fields.ts';

export const AddCost = lazily(() => z.strictObject({ cost_usd: Cost() }));
export type AddCost = z.infer<ReturnType<typeof AddCost>>;

export function addCost(board: Board, { cost_usd }: AddCost): Change<object> {
  if (cost_usd === 0) return { answer: {} };
  return { board: { ...board, cost_usd: (board.cost_usd ?? 0) + cost_usd }, answer: {} };
}

/** The task with what this attempt cost added to what the earlier ones did, in US dollars. */
export function withCost<T extends { cost_usd?: number | undefined }>(
  task: T,
  { cost_usd }: { cost_usd?: number | undefined },
): T {
  return cost_usd === undefined ? task : { ...task, cost_usd: (task.cost_usd ?? 0) + cost_usd };
}
