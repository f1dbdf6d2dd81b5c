/** The handlers of questions and messages: words to input, one store verb, answer to words. */
import { LEADER } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { Acknowledge, Answer, Ask, Inbox, Tell } from '../../model/inputs.ts';
import { parseInput } from '../../model/parse-input.ts';
import { type Answered, unanswered } from '../../model/questions.ts';
import { clip, plural, quoted, visible } from '../../model/text.ts';
import type { AskAnswer } from '../../model/verbs/ask.ts';
import type { Store } from '../../store/store.ts';
import { formatTime } from '../durations.ts';
import { type Context, isAgent, type Reply, textOrStdin, withStore } from '../io.ts';
import { forgetAsking, rememberAsking } from '../news.ts';
import { isOwnInbox, listenerOf, rememberShown } from './news.ts';
import { withWorker } from './worker.ts';

export interface AskOptions {
  wait?: boolean;
  park?: boolean;
  default?: string;
  /** Milliseconds. */
  after?: number;
  timeout?: number;
  attempt?: number;
}

export async function ask(
  context: Context,
  worker: string,
  taskId: string,
  question: string,
  options: AskOptions,
): Promise<Reply> {
  if (options.wait === true && options.park === true)
    throw new CoordError('usage', '--wait keeps the task while it waits, --park gives it back: one of the two.');
  if (options.after !== undefined && options.default === undefined)
    throw new CoordError('usage', '--after goes with --default.');
  if (options.timeout !== undefined && options.wait !== true)
    throw new CoordError('usage', '--timeout goes with --wait.');
  const input = parseInput(Ask, {
    worker,
    task_id: taskId,
    question: await textOrStdin(context, question),
    park: options.park,
    default: options.default,
    after_seconds: options.after === undefined ? undefined : Math.max(1, Math.round(options.after / 1000)),
    attempt: options.attempt,
  });
  return withWorker(context, worker, async (store) => {
    const asked = await store.ask(input);
    const { task, question: stored, n } = asked;
    const json = { task_id: task.id, n, question: stored };
    if (asked.answer) return answered(context, store, asked, asked.answer);
    if (stored.parked === true)
      return {
        text: `${task.id} given back until it is answered`,
        json: { ...json, answer: null },
        notes: [`Next: coord worker claim ${worker}`],
      };
    await rememberAsking(listenerOf(context, store, worker), task.id, n);
    if (options.wait === true)
      return answered(context, store, asked, await waitForAnswer(context, store, worker, asked, options));
    return {
      text: `asked: ${task.id}`,
      json: { ...json, answer: null },
      notes: [
        'Go on with what does not hang on it: the answer is shown to you when it comes.',
        `Or wait for it without cost: the same command with --wait; or --park, which gives the task back until then`,
      ],
    };
  });
}

async function waitForAnswer(
  context: Context,
  store: Store,
  worker: string,
  { task, n }: AskAnswer,
  { timeout }: AskOptions,
): Promise<Answered> {
  const { keepLease, untilAnswered } = await import('../../store/wait.ts');
  const over = new AbortController();
  const leaseSeconds = task.lease_seconds ?? (await import('../../model/limits.ts')).DEFAULT_LEASE_SECONDS;
  keepLease(store, { worker, taskId: task.id, leaseSeconds }, over.signal, () => {});
  if (context.io.stderr.isTTY)
    context.note(`Waiting for an answer: coord leader answer ${task.id} "<answer>". Ctrl-C to end.`);
  try {
    return await untilAnswered(
      store,
      { worker, taskId: task.id, n },
      { signal: context.io.signal, timeoutMs: timeout },
    );
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'timed-out') throw error;
    throw new CoordError('timed-out', `${error.message.replace(/\.$/, '')}; nobody has answered yet.`, {
      hint: 'Run the same command again to go on waiting, or with --park to give the task back until there is an answer.',
      cause: error,
    });
  } finally {
    over.abort();
  }
}

async function answered(
  context: Context,
  store: Store,
  { task, question, n }: AskAnswer,
  found: Answered,
): Promise<Reply> {
  await forgetAsking(listenerOf(context, store, question.by), task.id, n);
  const who = found.by === null ? 'Nobody answered in time, so your default holds:' : `${found.by} answers:`;
  return {
    text: [who, ...quoted(found.text)].join('\n'),
    json: { task_id: task.id, n, question, answer: found },
  };
}

export async function answer(
  context: Context,
  taskId: string,
  text: string,
  options: { question?: number },
): Promise<Reply> {
  const input = parseInput(Answer, {
    by: LEADER,
    task_id: taskId,
    answer: await textOrStdin(context, text),
    n: options.question,
  });
  return withStore(context, async (store) => {
    const { task, question, n, open, already, at } = await store.answer(input);
    const [next] = unanswered(task, at);
    return {
      text: `${task.id} ${already ? 'was answered so already' : 'answered'}: ${visible(clip(question.text, 100))}`,
      json: { task_id: task.id, n, question, open },
      notes: next
        ? [
            `${plural(open, 'question')} of ${task.id} still open, next (--question ${next.n}): ${clip(next.question.text, 100)}`,
          ]
        : [],
    };
  });
}

export function tell(context: Context, to: string, text: string): Promise<Reply> {
  return withStore(context, (store) => send(context, store, LEADER, to, text));
}

export function tellBy(context: Context, worker: string, to: string, text: string): Promise<Reply> {
  return withWorker(context, worker, (store) => send(context, store, worker, to, text));
}

async function send(context: Context, store: Store, from: string, to: string, text: string): Promise<Reply> {
  const { message, full } = await store.tell(parseInput(Tell, { from, to, text: await textOrStdin(context, text) }));
  return {
    text: `told ${message.to.slice(0, 10).join(', ')}${message.to.length > 10 ? ` and ${message.to.length - 10} more` : ''}`,
    json: { message, full },
    notes: full.length > 0 ? [`Not told, since they have too much to read: ${full.join(', ')}`] : [],
  };
}

export async function inbox(
  context: Context,
  name: string | undefined,
  options: { all?: boolean; ack?: boolean },
): Promise<Reply> {
  const reader = name ?? context.io.env['COORD_WORKER'];
  if (reader === undefined || reader === '')
    throw new CoordError('usage', 'Whose inbox?', { hint: 'coord inbox terminal-2, or coord inbox leader' });
  const input = parseInput(Inbox, { reader, all: options.all });
  return withStore(context, async (store) => {
    const { messages, seen } = await store.inbox(input);
    const isOwn = isOwnInbox(context, store, reader);
    if (options.ack === true && !isOwn && isAgent(context.io))
      throw new CoordError('not-allowed', `Only ${reader} says what ${reader} has seen.`);
    const last = messages.at(-1)?.id ?? 0;
    if (options.ack === true && last > seen) await store.acknowledge(parseInput(Acknowledge, { reader, up_to: last }));
    else if (options.ack !== true && isOwn) rememberShown(context, store, reader, last);
    const lines = messages.flatMap(({ id, from, at, text }) => [
      context.paint.bold(`${from}, ${formatTime(at)}${id <= seen ? ' (seen)' : ''}:`),
      ...quoted(text),
    ]);
    return {
      text: lines.length > 0 ? lines.join('\n') : options.all === true ? 'No message.' : 'No new message.',
      json: { reader, seen: options.ack === true ? Math.max(last, seen) : seen, messages },
    };
  });
}
