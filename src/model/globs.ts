/**
 * Patterns of paths, as in `src/*.ts`, with `**` for any folders: which paths they name, and whether two can name the same. Brackets stand for
 * themselves, since frameworks have folders such as `[id]` and `(auth)`.
 *
 * Matched here and not by a package that makes regular expressions of them: those take as good as for ever on `*a*a*a*a*`, and a
 * board may hold what strangers wrote. This takes the product of both lengths at the most.
 */
/** Whether a path, with forward slashes, is a pattern. */
export function isGlob(path: string): boolean {
  return /[*?]|\{[^{}]*,[^{}]*\}/.test(path);
}

/** A pattern, compared with paths and with other patterns. */
export class Glob {
  /** Its alternatives without braces, each as segments. */
  readonly #alternatives: string[][];

  constructor(pattern: string) {
    this.#alternatives = expandBraces(pattern).map((one) =>
      one.split('/').filter((part, i, all) => part !== '**' || all[i - 1] !== '**'),
    );
  }

  /** Whether this names a path, a folder around it, or something in it. */
  meets(path: string): boolean {
    return this.#alternatives.some((segments) => mayMeet(segments, path.split('/')));
  }

  /** Whether some path may be named by both. Says yes where that takes more than looking at names. */
  meetsGlob(other: Glob): boolean {
    return this.#alternatives.some((a) => other.#alternatives.some((b) => mayMeet(a, b)));
  }
}

/** Most alternatives of one pattern; braces that would make more stand for themselves. */
const MOST_ALTERNATIVES = 16;

/** `{a,b}/c` as `a/c` and `b/c`; the innermost first. */
function expandBraces(pattern: string): string[] {
  let open = [pattern];
  for (;;) {
    const next = open.flatMap((one) => {
      const found = /\{([^{}]*,[^{}]*)\}/.exec(one);
      if (!found) return [one];
      const [whole, inner = ''] = found;
      return inner.split(',').map((part) => one.slice(0, found.index) + part + one.slice(found.index + whole.length));
    });
    if (next.length === open.length || next.length > MOST_ALTERNATIVES) return open;
    open = next;
  }
}

/**
 * Whether two paths, each of segments that may be patterns, can name the same thing, or one something inside the other: so
 * it is enough that one of them ends while they agree. A last segment with an extension is a file, and nothing is inside it.
 */
function mayMeet(a: readonly string[], b: readonly string[]): boolean {
  /** Pairs of places that have been tried: many `**` lead to the same again and again. */
  const tried = new Set<number>();
  const open: [i: number, j: number][] = [[0, 0]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [i, j] = next;
    const key = i * (b.length + 1) + j;
    if (tried.has(key)) continue;
    tried.add(key);
    if (i === a.length || j === b.length) return true;
    const [first, other] = [a[i] ?? '', b[j] ?? ''];
    if (first === '**' || other === '**') {
      // It stands for no folder, or for one more; at the end for whatever there is. What is a file ends the other.
      if (first === '**' && (i === a.length - 1 || (j === b.length - 1 && !isFile(other)))) return true;
      if (other === '**' && (j === b.length - 1 || (i === a.length - 1 && !isFile(first)))) return true;
      if (first === '**') open.push([i + 1, j], ...(j < b.length - 1 ? [[i, j + 1] as [number, number]] : []));
      if (other === '**') open.push([i, j + 1], ...(i < a.length - 1 ? [[i + 1, j] as [number, number]] : []));
    } else if (segmentsMeet(first, other)) {
      const [endsA, endsB] = [i === a.length - 1, j === b.length - 1];
      if (endsA && !endsB && isFile(first) && !isFile(other)) continue;
      if (endsB && !endsA && isFile(other) && !isFile(first)) continue;
      open.push([i + 1, j + 1]);
    }
  }
  return false;
}

function isFile(segment: string): boolean {
  return /[^.*?]\.[A-Za-z0-9]+$|^\*\.[A-Za-z0-9]+$/.test(segment);
}

function segmentsMeet(a: string, b: string): boolean {
  if (a === b) return true;
  const [isA, isB] = [/[*?]/.test(a), /[*?]/.test(b)];
  if (isA && isB) {
    // Two patterns: what stands before the first wildcard, and behind the last, must agree.
    const [startA, startB] = [a.slice(0, a.search(/[*?]/)), b.slice(0, b.search(/[*?]/))];
    const [endA, endB] = [/[^*?]*$/.exec(a)?.[0] ?? '', /[^*?]*$/.exec(b)?.[0] ?? ''];
    return (startA.startsWith(startB) || startB.startsWith(startA)) && (endA.endsWith(endB) || endB.endsWith(endA));
  }
  if (!isA && !isB) return false;
  return isA ? isNamed(b, a) : isNamed(a, b);
}

/** Whether a pattern with `*` and `?` names all of a segment: as far as it goes, and back to the last `*` where it does not. */
function isNamed(segment: string, pattern: string): boolean {
  let [i, j] = [0, 0];
  let star = -1;
  let from = 0;
  while (i < segment.length) {
    if (pattern[j] === '*') {
      star = j++;
      from = i;
    } else if (pattern[j] === '?' || pattern[j] === segment[i]) {
      i++;
      j++;
    } else if (star !== -1) {
      j = star + 1;
      i = ++from;
    } else return false;
  }
  while (pattern[j] === '*') j++;
  return j === pattern.length;
}
