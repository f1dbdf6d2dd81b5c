/** Tells what agents ask while a run goes on, and what they are answered. */
import { answerTo } from '../model/questions.ts';
import { CoordError } from '../model/errors.ts';
import { questionsOf, type OpenQuestion } from '../model/views/summary.ts';
import type { Store } from '../store/store.ts';
import { waitFor } from '../store/wait.ts';
import type { RunEvent } from './events.ts';

/** Until the signal ends it. What is open when it begins is told too: nobody has answered it yet. */
export async function tellQuestions(store: Store, tell: (event: RunEvent) => void, signal: AbortSignal): Promise<void> {
  let open = new Map<string, OpenQuestion>();
  const look = async (): Promise<{ wakeAt: string | null }> => {
    const [board, now] = [await store.read(), await store.now()];
    const found = new Map(questionsOf(board, now).map((asked) => [`${asked.task_id}?${asked.n}`, asked]));
    for (const [key, asked] of found) if (!open.has(key)) tell({ type: 'question', ...asked });
    for (const [key, { task_id, n, worker }] of open) {
      if (found.has(key)) continue;
      const question = board.tasks.find((task) => task.id === task_id)?.questions?.[n - 1];
      const answer = question && answerTo(question, now);
      tell({ type: 'answer', task_id, n, worker, answer: answer?.text ?? null, by: answer?.by ?? null });
    }
    open = found;
    const dues = [...found.values()].flatMap(({ due }) => due ?? []);
    return { wakeAt: dues.toSorted()[0] ?? null };
  };
  try {
    await waitFor<never>(store, look, { signal });
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'interrupted') throw error;
  }
}
