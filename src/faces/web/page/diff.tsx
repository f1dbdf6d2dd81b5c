/** A patch: what came and what went told apart by its sign, and by colour besides. */
import type { JSX } from 'preact';

/** Lines that are drawn; browsers get slow far beyond. */
const MOST_LINES = 3000;

export function Diff({ text }: { text: string }): JSX.Element {
  if (text.trim() === '') return <p class="empty">No change is to be seen.</p>;
  const lines = text.trimEnd().split('\n');
  const more = lines.length - MOST_LINES;
  return (
    <pre class="diff" tabIndex={0} aria-label="Diff">
      {lines.slice(0, MOST_LINES).map((line, i) => (
        <span key={i} class={kindOf(line)}>
          {line}
          {'\n'}
        </span>
      ))}
      {more > 0 && `… ${more} more lines: git diff`}
    </pre>
  );
}

function kindOf(line: string): string {
  if (/^(diff |index |--- |\+\+\+ |new file|deleted file|similarity|rename )/.test(line)) return 'diff-file';
  if (line.startsWith('@@')) return 'diff-place';
  return line.startsWith('+') ? 'diff-added' : line.startsWith('-') ? 'diff-removed' : '';
}
