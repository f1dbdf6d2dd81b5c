/** Text that other people wrote, made fit for one line or for a terminal. */

/** `1 task`, `2 tasks`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** One line of at most `length` characters, for logs and messages. */
export function clip(text: string, length = 60): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

/**
 * Control characters made visible (`\x1b` and the like), so that no task text can move the cursor, change colours or
 * reorder what a terminal shows, nor hold words that only a model sees. Tabs and line feeds stay. C0, DEL, C1, the
 * line separators and bidirectional controls of Unicode TR 36, section 3.1, and what has no width: spaces, tags, selectors.
 */
export function visible(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- finding them is the point
    /\r(?=\n)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u200b\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e01ef}]/gu,
    (character, at: number) =>
      character === '\r' && text[at + 1] === '\n'
        ? ''
        : `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );
}

/**
 * Text that somebody else wrote, fenced: every line of it begins with `> `, so that none can pass for a line of ours, and
 * nothing is left that a terminal would obey or a reader could not see.
 *
 * @param most  bytes of it that are shown; UTF-8
 * @param rest  where all of it is, for what is cut off
 */
export function quoted(text: string, most = Infinity, rest = ''): string[] {
  const { shown, isCut } = cutTo(visible(text.trim()), most);
  // The only line end that `visible` leaves.
  const lines = shown.split('\n').map((line) => (line === '' ? '>' : `> ${line}`));
  return isCut ? [...lines, `… (the rest: ${rest})`] : lines;
}

/** A labelled value: on the label's line where it is one line, else fenced below it. */
export function labelled(label: string, text: string, most = Infinity, rest = ''): string[] {
  const lines = quoted(text, most, rest);
  const [only = ''] = lines;
  return lines.length === 1 ? [`${label}: ${only.slice(2)}`] : [`${label}:`, ...lines];
}

/** The beginning of a text that takes at most so many bytes, controls made visible. */
export function startOf(text: string, most: number, rest: string): string {
  const { shown, isCut } = cutTo(visible(text), most);
  return isCut ? `${shown}… (${rest})` : shown;
}

/** How many bytes a text takes in UTF-8. */
export function bytesOf(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += bytesOfOne(character);
  return bytes;
}

function bytesOfOne(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** The beginning of a text, in so many bytes of UTF-8. */
function cutTo(text: string, most: number): { shown: string; isCut: boolean } {
  if (text.length <= most / 5) return { shown: text, isCut: false }; // no character takes more, its fence included
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += bytesOfOne(character);
    if (character === '\n') bytes += 2; // for the fence of the next line
    if (bytes > most) return { shown: text.slice(0, end), isCut: true };
    end += character.length;
  }
  return { shown: text, isCut: false };
}

/** The same data with every string in it made {@link visible}. */
export function visibleDeep<T>(value: T): T {
  // Strings stay strings and shapes stay shapes, which the compiler cannot see.
  if (typeof value === 'string') return visible(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => visibleDeep(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visibleDeep(item)])) as T;
}
