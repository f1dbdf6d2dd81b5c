/** The log, of which only what is new is asked for. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LogEntry } from '../../../model/views/timeline.ts';
import type { LogPart } from '../api.ts';
import { server } from './state.ts';

/** Changes that come close together are one. */
const PAUSE_MS = 200;

/** @returns undefined until it is there */
export function useLog(told: number): readonly LogEntry[] | undefined {
  const [entries, setEntries] = useState<readonly LogEntry[] | undefined>();
  const count = useRef(0);
  useEffect(() => {
    let isGone = false;
    const ask = async (): Promise<void> => {
      const { total, entries: news } = await server().get<LogPart>(`/api/log?after=${count.current}`);
      if (isGone) return;
      const isAnew = total === news.length;
      count.current = total;
      setEntries((before = []) => (isAnew ? news : [...before, ...news]));
    };
    // Where it fails, the next change asks again.
    const timer = setTimeout(() => void ask().catch(() => {}), count.current === 0 ? 0 : PAUSE_MS);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [told]);
  return entries;
}
