/** What workers have found out and shared, newest first. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Discoveries } from '../api.ts';
import { useDocument } from './document.ts';
import { holds, wordsIn } from './filter.ts';
import { Markdown } from './markdown.tsx';
import { addressOf } from './route.ts';
import type { State } from './state.ts';
import { Refusal } from './verb.tsx';
import { clock } from './words.ts';

/** Shown at first, and more with each click. */
const SHOWN = 50;

export function DiscoveriesView({ state }: { state: State }): JSX.Element {
  const { value, error } = useDocument<Discoveries>('/api/discoveries', state.told);
  const [most, setMost] = useState(SHOWN);
  if (error) return <Refusal error={error} />;
  if (!value) return <p class="empty">Reading the discoveries …</p>;
  const words = wordsIn(state.filter);
  const found = value.discoveries
    .filter(({ worker, content, tags, task_id }) =>
      holds(`${worker} ${content} ${tags.join(' ')} ${task_id ?? ''}`, words),
    )
    .toReversed();
  const more = found.length - most;
  return (
    <section class="discoveries" aria-label="Discoveries" tabIndex={0}>
      <h2>
        Discoveries <span class="count">{found.length}</span>
      </h2>
      {found.length === 0 && (
        <p class="empty">{words.length > 0 ? 'None that fits' : 'Nobody has shared a finding yet.'}</p>
      )}
      {found.slice(0, most).map(({ id, worker, created_at, content, tags, task_id }) => (
        <article key={id} class="discovery">
          <p class="about">
            <span class="worker">{worker}</span> <time dateTime={created_at}>{clock(created_at)}</time>{' '}
            {task_id !== null && <a href={addressOf({ view: 'discoveries', task: task_id })}>{task_id}</a>}{' '}
            {tags.map((tag) => (
              <span key={tag} class="tag">
                #{tag}
              </span>
            ))}
          </p>
          <Markdown text={content} />
        </article>
      ))}
      {more > 0 && (
        <button type="button" onClick={() => setMost(most + SHOWN)}>
          {more} more
        </button>
      )}
    </section>
  );
}
