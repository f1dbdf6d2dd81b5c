/** What is asked of the server when somebody looks at it, and again whenever something has changed. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { server } from './state.ts';

export interface Loaded<T> {
  value: T | undefined;
  error: Error | undefined;
}

/** After an answer it is asked again this much later at the earliest, however much changes. */
const PAUSE_MS = 200;

/** @param told  what the server has told so far, as the state counts it */
export function useDocument<T>(path: string | undefined, told: number): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { path?: string }>({ value: undefined, error: undefined });
  useAsking(path, told, async (isGone) => {
    if (path === undefined) return;
    try {
      const value = await server().get<T>(path);
      if (!isGone()) setLoaded({ path, value, error: undefined });
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      // What was there is still to be seen.
      if (!isGone()) setLoaded((before) => ({ path, value: before.path === path ? before.value : undefined, error }));
    }
  });
  return loaded.path === path ? loaded : { value: undefined, error: undefined };
}

/** One question: whether it is still wanted, under way, and to be asked again after that. */
interface Asking {
  isGone: boolean;
  isBusy: boolean;
  isAgain: boolean;
  told: number;
}

/**
 * Asks at once, and again whenever the server has told something: one question at a time.
 *
 * @param key  what is asked for: another one is asked at once; undefined asks nothing
 * @param ask  must not throw
 */
export function useAsking(key: string | undefined, told: number, ask: (isGone: () => boolean) => Promise<void>): void {
  const current = useRef<Asking | undefined>();
  const run = async (own: Asking): Promise<void> => {
    own.isBusy = true;
    do {
      own.isAgain = false;
      await ask(() => own.isGone);
      await new Promise((later) => setTimeout(later, PAUSE_MS));
    } while (own.isAgain && !own.isGone);
    own.isBusy = false;
  };
  useEffect(() => {
    const own = { isGone: key === undefined, isBusy: false, isAgain: false, told };
    current.current = own;
    if (key !== undefined) void run(own);
    return () => {
      own.isGone = true;
    };
  }, [key]);
  useEffect(() => {
    const own = current.current;
    if (!own || own.isGone || own.told === told) return;
    own.told = told;
    own.isAgain = true;
    if (!own.isBusy) void run(own);
  }, [told]);
}
