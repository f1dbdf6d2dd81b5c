/** What waits for the person who leads: questions, reviews, messages, and what went wrong. */
import type { JSX } from 'preact';
import type { OpenQuestion } from '../../../model/views/summary.ts';
import type { LeaderInbox } from '../api.ts';
import type { Derived } from './derived.ts';
import { useKeptFocus } from './focus.ts';
import { addressOf } from './route.ts';
import { Shape } from './shape.tsx';
import { showDialog, type State } from './state.ts';
import { TextVerb, VerbButton } from './verb.tsx';
import { clock, since } from './words.ts';

/** Of what went wrong, so much is shown. */
const SHOWN = 50;

/** How many things somebody waits for, or are for the leader to see to. What is stuck is so because of another. */
export function askedOf({ questions, reviews, failed }: Derived, inbox: LeaderInbox | undefined): number {
  return questions.length + reviews.length + failed.length + (inbox?.messages.length ?? 0);
}

export interface AsksViewProps {
  state: State;
  derived: Derived;
  inbox: LeaderInbox | undefined;
}

export function AsksView({ state, derived, inbox }: AsksViewProps): JSX.Element {
  const { questions, reviews, failed, stuck, summary } = derived;
  const view = useKeptFocus<HTMLElement>();
  const messages = inbox?.messages ?? [];
  const isQuiet = askedOf(derived, inbox) + stuck.length === 0;
  const link = (id: string): JSX.Element => <a href={addressOf({ view: 'asks', task: id })}>{id}</a>;
  return (
    <section class="asks-view" aria-label="For you" tabIndex={0} ref={view}>
      {isQuiet && <p class="empty">Nobody waits for you.</p>}
      {questions.length > 0 && <h2>Questions</h2>}
      {questions.map((question) => (
        <article key={`${question.task_id}?${question.n}`} class="ask">
          <p class="about">
            <Shape of="asking" /> <span class="worker">{question.worker}</span> asks about {link(question.task_id)},{' '}
            {since(question.at, state.now)} ago
            {question.parked && '; the task is parked until you answer'}
          </p>
          <QuestionText question={question} now={state.now} />
          {!state.isReadOnly && <AnswerForm question={question} />}
        </article>
      ))}
      {reviews.length > 0 && <h2>To review</h2>}
      {reviews.map(({ id, description, claimed_by, completed_at }) => (
        <article key={id} class="ask">
          <p class="about">
            <Shape of="review" /> {link(id)} of <span class="worker">{claimed_by}</span>
            {completed_at !== null && `, ${since(completed_at, state.now)} ago`}
          </p>
          <p>{description}</p>
          <p>
            <a class="button" href={addressOf({ view: 'asks', task: id })}>
              Look at it
            </a>
          </p>
        </article>
      ))}
      {messages.length > 0 && <h2>Messages</h2>}
      {messages.map(({ id, from, at, text }) => (
        <article key={id} class="ask">
          <p class="about">
            <span class="worker">{from}</span>, <time dateTime={at}>{clock(at)}</time>
          </p>
          <p class="said">{text}</p>
          {!state.isReadOnly && (
            <p class="actions">
              <VerbButton name="seen" input={{ up_to: id }}>
                Seen, up to here
              </VerbButton>
              <button type="button" onClick={() => showDialog({ kind: 'tell', to: from })}>
                Reply
              </button>
            </p>
          )}
        </article>
      ))}
      {failed.length > 0 && <h2>Failed</h2>}
      {failed.slice(0, SHOWN).map(({ id, description, last_error }) => (
        <article key={id} class="ask">
          <p class="about">
            <Shape of="failed" /> {link(id)} {description}
          </p>
          {last_error !== null && <p class="said">{last_error}</p>}
          {!state.isReadOnly && (
            <VerbButton name="retry" input={{ task_ids: [id] }}>
              Retry
            </VerbButton>
          )}
        </article>
      ))}
      <More of={failed.length} column="Failed, cancelled" />
      {stuck.length > 0 && <h2>Stuck</h2>}
      {stuck.slice(0, SHOWN).map(({ task: { id, description }, because }) => (
        <article key={id} class="ask">
          <p class="about">
            <Shape of="stuck" /> {link(id)} {description}
          </p>
          <p>
            Waits for{' '}
            {because.map((cause, i) => (
              <span key={cause.id}>
                {i > 0 && ', '}
                {link(cause.id)}
              </span>
            ))}
            , itself or by way of others: retry that, or edit what this one needs.
          </p>
        </article>
      ))}
      <More of={summary.counts.stuck} column="Waiting" />
    </section>
  );
}

/** What there is besides those that are shown, and where. */
function More({ of, column }: { of: number; column: string }): JSX.Element | null {
  if (of <= SHOWN) return null;
  return (
    <p class="empty">
      {of - SHOWN} more: the column “{column}” of the board has them all.
    </p>
  );
}

/** What is asked, and what holds if nobody answers. */
export function QuestionText({ question, now }: { question: OpenQuestion; now: string }): JSX.Element {
  const { question: text, default: fallback, due } = question;
  return (
    <>
      <p class="said">{text}</p>
      {fallback !== null && due !== null && (
        <p>
          In {since(due, now)}, if nobody answers: <q>{fallback}</q>
        </p>
      )}
    </>
  );
}

export function AnswerForm({ question: { task_id, n, worker } }: { question: OpenQuestion }): JSX.Element {
  return (
    <TextVerb
      label={`Your answer to ${worker}`}
      draft={`answer ${task_id} ${n}`}
      done={`Answered: ${worker} goes on`}
      name="answer"
      inputOf={(answer) => ({ task_id, n, answer })}
      button="Answer"
    />
  );
}
