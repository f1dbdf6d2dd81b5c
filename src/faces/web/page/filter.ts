/** What holds the words that somebody looks for. */
import type { Task } from '../../../model/task.ts';

/** The words of a filter, in small letters. */
export function wordsIn(filter: string): string[] {
  return filter.toLowerCase().split(/\s+/).filter(Boolean);
}

/** Whether a text holds all of these words, in letters of either case. */
export function holds(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

/** Whether a task holds these words. */
export function fits(
  { id, key = '', description, tags, claimed_by, context }: Task,
  words: readonly string[],
): boolean {
  return (
    words.length === 0 || holds([id, key, description, claimed_by ?? '', ...tags, ...context.files].join('\n'), words)
  );
}
