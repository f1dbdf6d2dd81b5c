/** Text in columns of a terminal, where a character may take two, or none. */
import cliTruncate from 'cli-truncate';
import { clip } from '../../model/text.ts';

/** Cutting a text takes as long as it is; nobody's screen is wider. */
const WIDEST = 1000;

/** A text on one line of at most so many columns. */
export function fit(text: string, columns: number): string {
  return cliTruncate(clip(text, WIDEST), columns);
}

/** The same for a line that is laid out, whose spaces count. */
export function fitLine(line: string, columns: number): string {
  return cliTruncate(line, columns);
}
