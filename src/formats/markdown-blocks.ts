/** Markdown as blocks: headings, lists, code. What stands inside a line is left as it is. */
import { Lexer, type Token } from 'marked';

/**
 * Only the blocks: taking lines apart for emphasis and links is nothing that a list of tasks needs, and a line of 100 kB of
 * stars would take seconds. So would a hundred thousand blank lines, of which one says as much.
 */
export function blocksOf(text: string): Token[] {
  const lines = text.split('\n').map((line) => (line.trim() === '' ? '' : line));
  return new Lexer().blockTokens(lines.join('\n').replace(/\n{3,}/g, '\n\n'), []);
}
