/** What a source lists, before anybody has checked it: every format is read into this, and from here on they are all alike. */

/** One task of a source. */
export interface Entry {
  /** Where it stands, for whoever must mend it: `line 12`, `task 3, line 40`, `7.json`. Asked only where something is wrong. */
  where: () => string;
  /** What the source calls it; others of the source name it so. Where there is none, its text is its key. */
  id?: string | undefined;
  /** Fields of a new task, but for what it needs. */
  task: Record<string, unknown>;
  /** Ids of the source, or of the board. */
  needs: readonly string[];
  /** Other names of it, for whoever calls it by its place in the list, where nothing else bears that name. */
  aliases?: readonly string[];
}

export class Listing {
  readonly entries: Entry[] = [];
  /** How many were left out, by reason: `done`, `without a title`. */
  readonly skipped = new Map<string, number>();
  /** Ids of what the source calls settled: nobody waits for these. */
  readonly settled = new Set<string>();
  /** What a person should know, one line each. */
  readonly notes: string[] = [];
  /**
   * Whether the source's ids mean the same in every file of it, as those of a tracker do; what it calls the same is then the
   * same task, whatever its title has become. `1` of a checklist is another `1` in another checklist.
   */
  readonly hasGlobalIds: boolean;
  /** Whether ids are keys of the tasks; those of coord itself hold in their file only, since a board gives its own. */
  readonly hasForeignIds: boolean;
  /** What to do about a need that is nowhere: a tracker's export may be a part of it. */
  readonly needsMayBeElsewhere: boolean;

  constructor(kind: { hasGlobalIds?: boolean; hasForeignIds?: boolean; needsMayBeElsewhere?: boolean } = {}) {
    this.hasGlobalIds = kind.hasGlobalIds === true;
    this.hasForeignIds = kind.hasForeignIds ?? this.hasGlobalIds;
    this.needsMayBeElsewhere = kind.needsMayBeElsewhere === true;
  }

  skip(reason: string, id?: string, aliases: readonly string[] = []): void {
    this.skipped.set(reason, (this.skipped.get(reason) ?? 0) + 1);
    for (const name of [...(id === undefined ? [] : [id]), ...aliases]) this.settled.add(name);
  }
}

/** Longest name, as in NAME_PATTERN of the model. */
const MAX_NAME = 64;

/** A text as a name: letters, digits, `.`, `_` and `-`; undefined where nothing of that is in it. */
export function fitName(text: string): string | undefined {
  const name = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, MAX_NAME)
    .replace(/^[-.]+|-+$/g, '');
  return name === '' ? undefined : name;
}

/** A tag: a name in small letters, since headings and labels are written as it suits. */
export function tagFrom(text: string): string | undefined {
  return fitName(text.toLowerCase());
}

/** Names of a list or of a text with commas, whatever stands in it. */
export function textsOf(value: unknown): string[] {
  const list = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [];
  return list.flatMap((one: unknown) => {
    const text = typeof one === 'string' ? one.trim() : typeof one === 'number' ? String(one) : '';
    return text === '' ? [] : [text];
  });
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

const PRIORITIES = new Map([
  ['critical', 1],
  ['high', 2],
  ['medium', 5],
  ['low', 8],
]);

/** A priority of ours for the word that several tools have; undefined for any other. */
export function priorityOf(word: string): number | undefined {
  return PRIORITIES.get(word);
}

/** An id that is text or a number. */
export function idOf(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : textOf(value);
}

/** Several texts under each other, each with its name where it has one; undefined where all are missing. */
export function hintsFrom(parts: readonly (readonly [name: string, text: unknown])[]): string | undefined {
  const filled = parts.flatMap(([name, value]) => {
    const text = textOf(value);
    if (text === undefined) return [];
    return [name === '' ? text : `${name}: ${text}`];
  });
  return filled.length > 0 ? filled.join('\n\n') : undefined;
}

/** Fields that are there. */
export function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0),
    ),
  );
}
