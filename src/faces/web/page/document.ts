/** What is asked of the server when somebody looks at it, and again whenever something has changed. */
import { useEffect, useState } from 'preact/hooks';
import { server } from './state.ts';

export interface Loaded<T> {
  value: T | undefined;
  error: Error | undefined;
}

/** Changes that come close together are one. */
const PAUSE_MS = 200;

/**
 * @param path  undefined: nothing yet
 * @param told  what the server has told so far, as the state counts it
 */
export function useDocument<T>(path: string | undefined, told: number): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { path?: string | undefined }>({
    value: undefined,
    error: undefined,
  });
  useEffect(() => {
    if (path === undefined) return undefined;
    let isGone = false;
    const isFirst = loaded.path !== path;
    const timer = setTimeout(
      () => {
        server()
          .get<T>(path)
          .then(
            (value) => isGone || setLoaded({ path, value, error: undefined }),
            (error: unknown) =>
              isGone ||
              setLoaded((before) => ({
                path,
                value: before.path === path ? before.value : undefined,
                error: error instanceof Error ? error : new Error(String(error)),
              })),
          );
      },
      isFirst ? 0 : PAUSE_MS,
    );
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [path, told]);
  return loaded.path === path ? loaded : { value: undefined, error: undefined };
}
