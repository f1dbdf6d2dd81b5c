/** Doing something by a click: one verb of the server, and what it refuses shown where the click was. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { VerbName } from '../api.ts';
import { Refused } from './connection.ts';
import { draftOf, keepDraft, say, server } from './state.ts';

export interface Doing {
  isBusy: boolean;
  refusal: Error | undefined;
  /** @returns what the work answers; undefined where it was refused, which is then shown */
  run: <T>(work: () => Promise<T>) => Promise<T | undefined>;
}

/** One thing at a time, and what came of it. */
export function useDoing(): Doing {
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Error | undefined>();
  const run = async <T,>(work: () => Promise<T>): Promise<T | undefined> => {
    setBusy(true);
    setRefusal(undefined);
    try {
      return await work();
    } catch (error) {
      setRefusal(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, refusal, run };
}

export function Refusal({ error }: { error: Error | undefined }): JSX.Element | null {
  if (!error) return null;
  const isRefused = error instanceof Refused;
  return (
    <p class="refusal" role="alert" ref={(element) => element?.scrollIntoView({ block: 'nearest' })}>
      <strong>{isRefused ? error.message : 'The server does not answer: is coord web still running?'}</strong>
      {isRefused && error.hint !== undefined && <span>{error.hint}</span>}
    </p>
  );
}

interface VerbButtonProps {
  name: VerbName;
  input: object;
  /** Asked before it is done. */
  confirm?: string;
  /** Another answer than yes or no. */
  also?: { label: string; input: object };
  isMain?: boolean;
  onDone?: () => void;
  children: ComponentChildren;
}

/** A button that runs a verb. */
export function VerbButton({ name, input, confirm, also, isMain, onDone, children }: VerbButtonProps): JSX.Element {
  const { isBusy, refusal, run } = useDoing();
  const [isAsking, setAsking] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const returns = useRef(false);
  useEffect(() => {
    if (isAsking || !returns.current) return;
    returns.current = false;
    button.current?.focus();
  }, [isAsking]);
  const answer = (): void => {
    returns.current = true;
    setAsking(false);
  };
  const act = async (given = input): Promise<void> => {
    if (isAsking) answer();
    if ((await run(() => server().verb(name, given))) !== undefined) onDone?.();
  };
  return (
    <span class="verb">
      {isAsking ? (
        <span class="confirm" role="group" aria-label={confirm}>
          <span>{confirm}</span>
          <button type="button" class="main" onClick={() => void act()} ref={focusOnce}>
            Yes
          </button>
          {also && (
            <button type="button" onClick={() => void act(also.input)}>
              {also.label}
            </button>
          )}
          <button type="button" onClick={answer}>
            No
          </button>
        </span>
      ) : (
        <button
          ref={button}
          type="button"
          aria-disabled={isBusy}
          class={isMain ? 'main' : ''}
          onClick={() => isBusy || (confirm === undefined ? void act() : setAsking(true))}
        >
          {children}
        </button>
      )}
      <Refusal error={refusal} />
    </span>
  );
}

function focusOnce(button: HTMLButtonElement | null): void {
  button?.focus();
}

interface TextVerbProps {
  label: string;
  name: VerbName;
  inputOf: (text: string) => object;
  button: string;
  /** What it is for: what was begun is there again. */
  draft: string;
  /** Said once it is done. */
  done: string;
  /** Whether it takes the focus. */
  isFirst?: boolean;
  onDone?: () => void;
}

/** A text, and a button that hands it to a verb. */
export function TextVerb({ label, name, inputOf, button, draft, done, isFirst, onDone }: TextVerbProps): JSX.Element {
  const text = draftOf(draft);
  const { isBusy, refusal, run } = useDoing();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (isFirst === true) field.current?.focus();
  }, []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (isBusy || (await run(() => server().verb(name, inputOf(text)))) === undefined) return;
    keepDraft(draft, '');
    say(done);
    onDone?.();
  };
  return (
    <form class="text-verb" onSubmit={(event) => void submit(event)}>
      <label>
        {label}
        <textarea
          ref={field}
          rows={2}
          required
          value={text}
          onInput={(event) => keepDraft(draft, event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="main" aria-disabled={isBusy}>
        {button}
      </button>
      <Refusal error={refusal} />
    </form>
  );
}
