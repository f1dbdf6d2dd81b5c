/** The log, of which only what is new is asked for. */
import { useRef, useState } from 'preact/hooks';
import type { LogEntry } from '../../../model/views/timeline.ts';
import type { LogPart } from '../api.ts';
import { useAsking } from './document.ts';
import { server } from './state.ts';

/** @returns undefined until it is there */
export function useLog(told: number): readonly LogEntry[] | undefined {
  const [entries, setEntries] = useState<readonly LogEntry[] | undefined>();
  const count = useRef(0);
  useAsking('log', told, async (isGone) => {
    try {
      const { total, entries: news } = await server().get<LogPart>(`/api/log?after=${count.current}`);
      if (isGone()) return;
      const isAnew = total === news.length;
      count.current = total;
      if (isAnew || news.length > 0) setEntries((before = []) => (isAnew ? news : [...before, ...news]));
    } catch {
      // The next change asks again.
    }
  });
  return entries;
}
