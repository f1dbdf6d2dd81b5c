/** What a list would add, before it does. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { plural } from '../../../model/text.ts';
import type { ImportAnswer } from '../api.ts';
import { say, server } from './state.ts';
import { Refusal, useDoing } from './verb.tsx';

/** Tasks that are shown of it. */
const SHOWN = 30;

export function ImportPreview({ file, onDone }: { file: File; onDone: () => void }): JSX.Element {
  const [found, setFound] = useState<ImportAnswer | undefined>();
  const { isBusy, refusal, run } = useDoing();
  useEffect(() => {
    void run(() => server().import(file, true)).then(setFound);
  }, [file]);
  const add = async (): Promise<void> => {
    const done = await run(() => server().import(file, false));
    if (!done) return;
    say(`${plural(done.added, 'task')} added`);
    onDone();
  };
  const skipped = Object.entries(found?.skipped ?? {}).map(([reason, count]) => `${count} ${reason}`);
  return (
    <div class="import">
      <Refusal error={refusal} />
      {found && (
        <>
          <p>
            {plural(found.added, 'task')} would be added
            {found.known > 0 && `, ${found.known} there already`}
            {skipped.length > 0 && `; skipped: ${skipped.join(', ')}`}
          </p>
          {found.notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
          <ol>
            {found.tasks.slice(0, SHOWN).map(({ id, description, priority, dependencies }) => (
              <li key={id}>
                <span class="id">{id}</span> p{priority} {description}
                {dependencies.length > 0 && <span class="label"> needs {dependencies.join(', ')}</span>}
              </li>
            ))}
          </ol>
          {found.tasks.length > SHOWN && <p>… and {found.tasks.length - SHOWN} more</p>}
          <button type="button" class="main" disabled={isBusy || found.added === 0} onClick={() => void add()}>
            Add {plural(found.added, 'task')}
          </button>
        </>
      )}
    </div>
  );
}
