/** What stands in a new board's plan. */
import type { InitBoard } from '../model/verbs/init-board.ts';

export function firstPlan({ goal, approach }: InitBoard): string {
  const text = approach?.trim() ?? '';
  return `# Master plan\n\n## Goal\n\n${goal}\n\n## Approach\n\n${text === '' ? 'Not written yet. Write it with: coord leader plan --append "<approach>"' : text}\n`;
}
