/** `coord leader wait`: sleeps until there is something for whoever leads. */
import { quoted } from '../../model/text.ts';
import { summarise } from '../../model/views/summary.ts';
import { untilSettled } from '../../store/wait.ts';
import { type Context, type Reply, withStore } from '../io.ts';
import { inboxNote, knownQuestions, seen } from './leader-session.ts';
import { type NotifyOptions, tell, withNotice } from './notify.ts';
import { EXIT } from './output.ts';
import { countsText } from './tables.ts';

export async function wait(context: Context, options: { timeout?: number } & NotifyOptions): Promise<Reply> {
  return withStore(context, async (store) => {
    const known = await knownQuestions(context);
    const board = await withNotice(context, options, () =>
      untilSettled(store, {
        signal: context.io.signal,
        timeoutMs: options.timeout,
        known,
        isTold: async () => (await inboxNote(store)).length > 0,
      }),
    );
    const now = await store.now();
    const { counts, questions } = summarise(board, now);
    const asked = questions.find(({ task_id, n, due }) => due === null || !known.has(`${task_id}?${n}`));
    const told = await inboxNote(store);
    const isOpen = counts.available + counts.claimed > counts.stuck + counts.asking;
    const ends: [End, boolean][] = [
      ['question', asked !== undefined],
      ['message', told.length > 0 && isOpen],
      ['stuck', counts.stuck > 0],
      ['review', counts.submitted > 0],
    ];
    const [[how] = ['settled'] as const] = ends.filter(([, isSo]) => isSo);
    // A review can be done at once, whatever is stuck besides.
    const next: End = how === 'stuck' && counts.submitted > 0 ? 'review' : how;
    const lines = asked ? [`${asked.worker} asks about ${asked.task_id}:`, ...quoted(asked.question)] : [];
    const text = [`${how}: ${countsText(counts)}`, ...lines].join('\n');
    const event = next === 'settled' && counts.failed > 0 ? 'failed' : next;
    await seen(context, board, now);
    await tell(context, options, { event, message: text, counts });
    const isCalled = how === 'question' || how === 'message';
    return {
      text,
      json: { settled: how === 'settled', reason: how, counts, ...(asked ? { questions } : {}) },
      notes: [...told, asked ? `Next: coord leader answer ${asked.task_id} "<answer>", then wait again` : NEXT[next]],
      exitCode: !isCalled && (counts.stuck > 0 || counts.failed > 0) ? EXIT.error : EXIT.done,
    };
  });
}

/** What ends a wait. */
type End = 'question' | 'message' | 'stuck' | 'review' | 'settled';

const NEXT: Record<End, string> = {
  question: 'Next: coord leader status',
  message: 'Next: read them, then wait again',
  review: 'Only reviews are left: coord leader list --status submitted, then coord leader approve or send-back',
  stuck: 'Next: coord leader status shows what is stuck and why',
  settled: 'Next: coord leader aggregate',
};
