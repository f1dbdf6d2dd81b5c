/** Text that other people wrote, made fit for one line or for a terminal. */

/** One line of at most `length` characters, for logs and messages. */
export function clip(text: string, length = 60): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

/**
 * Control characters made visible (`\x1b` and the like), so that no task text can move the cursor, change colours or
 * reorder what a terminal shows. Tabs and line feeds stay. C0, DEL, C1 and the bidirectional controls of
 * Unicode TR 36, section 3.1.
 */
export function visible(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- finding them is the point
    /\r(?=\n)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => (character === '\r' ? '' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`),
  );
}

/** The same data with every string in it made {@link visible}. */
export function visibleDeep<T>(value: T): T {
  // Strings stay strings and shapes stay shapes, which the compiler cannot see.
  if (typeof value === 'string') return visible(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => visibleDeep(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visibleDeep(item)])) as T;
}
