/**
 * Markdown checklists as people and planners keep them: TODO.md, the tasks.md of spec-kit and of Kiro.
 *
 * Where any item has a box, the boxes are the tasks and every other bullet explains; without boxes every item is a task. A box
 * inside another one's item is a part of it, so the outer one waits for the inner. What only looks like a list, as in a block
 * of code, a comment or the front matter, is none.
 */
import type { Token, Tokens } from 'marked';
import { blocksOf } from './markdown-blocks.ts';
import { given, Listing, tagFrom } from './listing.ts';

/** A box, and `*` behind it for what is optional. Ticks of several kinds, other marks for what is open, a blank that slipped in. */
const BOX = /^\[[ \t]*([xX]|[^\s\w\]])?[ \t]*\](\*)?(?:[ \t]+|$)/u;
const DONE = /[xX✓✔✅]/;
/** `T003`, `2.1`, `2.`: what the list itself calls an item. */
const ID =
  /^(?:\*\*)?([A-Z]{1,4}-?\d{3,6}|\d{1,4}(?:\.\d{1,4}){1,5}|\d{1,4}(?=(?:\*\*)?[.):]))(?:\*\*)?[.):]?[ \t]+(?=\S)/;
/** `[US1]`, `[P]`: marks of spec-kit. */
const MARK = /^\[([A-Z][A-Za-z0-9-]{0,20})\](?![([:])[ \t]*/;
/** One name of an item, or a row of them: `T012-T015`. */
const NAME = String.raw`(?:(?:[A-Z]{1,4}|task)-?\d{1,6}|#?\d{1,6}(?:\.\d{1,4}){0,5})`;
const NAMES = String.raw`${NAME}(?:[ \t]*(?:,|;|&|\+|-|–|\band\b|\bto\b|\bthrough\b)+[ \t]*${NAME})*`;
/** `(depends on T003, T004)`; what else stands in the brackets is kept: `(depends on T003, same file)`. */
const NEEDS = new RegExp(
  String.raw`([([])[ \t]*(?:depends(?: on)?|blocked by|after|requires):?[ \t]+(${NAMES})[ \t]*(?:([)\]])|(?![\w.]))`,
  'i',
);
/** A line below an item that says the same: `- Depends on: T003`. */
const NEEDS_BELOW = new RegExp(
  String.raw`^(?:[-*+][ \t]+)?[*_]*(?:depends(?: on)?|dependenc(?:y|ies)|blocked by)[*_]*:[*_]*[ \t]*(${NAMES})[ \t]*[*_.]*$`,
  'i',
);
/** A path with a folder and an extension, or a file name between backticks. */
const PATH = /(?<![\w:/.@-])(?:\.{0,2}\/)?[\w@.-]+(?:\/[\w@.[\]-]+)*\/[\w@.[\]-]*\.[A-Za-z][A-Za-z0-9]{0,7}(?![\w/])/g;
const QUOTED =
  /`([\w@-][\w@./-]{0,200}\.(?:[cm]?[jt]sx?|json|md|py|go|rs|java|kt|rb|php|cs|c|h|cc|cpp|css|scss|html|vue|svelte|sql|sh|ya?ml|toml|txt))`/g;
/** Between two lines of dashes, and it begins with a field: a rule at the top of a page is none. */
const FRONT_MATTER =
  /^---[ \t]*\n(?=[ \t]*(?:#[^\n]*\n)*[\w-]+[ \t]*:)(?:[^\n]*\n){0,500}?(?:---|\.\.\.)[ \t]*(?:\n|$)/;
/** How far below the last item the next one is looked for. */
const LOOKED_AHEAD = 2000;
/** The longest line that is looked through for names: a line of 100 kB has none that matter. */
const LONGEST_LOOKED_THROUGH = 4000;

interface Item {
  title: string;
  /** Lines under the title that are no tasks. */
  notes: string[];
  line: number;
  tags: string[];
  box: { isDone: boolean; isOptional: boolean } | undefined;
  parts: Item[];
}

/** The open items. Done ones are skipped; so is what they contain. */
export function readChecklist(text: string): Listing {
  const reader = new Reader(text);
  const items = reader.items();
  const hasBoxes = someItem(items, ({ box }) => box !== undefined);
  const listing = new Listing();
  const kind = { hasBoxes, known: new Set<string>(), latest: new Map<string, string>(), count: 0 };
  for (const item of items) add(listing, item, kind);
  return listing;
}

function someItem(items: readonly Item[], is: (item: Item) => boolean): boolean {
  return items.some((item) => is(item) || someItem(item.parts, is));
}

/** What is known of a list while it is read. */
interface Kind {
  hasBoxes: boolean;
  /** Ids that were given. */
  known: Set<string>;
  /** What a number means that began anew under a heading: the last item of it. */
  latest: Map<string, string>;
  /** Items so far, done ones too. */
  count: number;
}

/** Adds an item and what is inside it. @returns the ids that whoever contains it waits for */
function add(listing: Listing, item: Item, kind: Kind): string[] {
  if (kind.hasBoxes && !item.box) return item.parts.flatMap((part) => add(listing, part, kind));
  const named = nameOf(item.title);
  const isTask = named.title !== '';
  const nth = isTask ? ++kind.count : 0;
  const aliases = [`#${nth}`, `task-${nth}`];
  if (item.box?.isDone === true) {
    listing.skip('done', named.id, aliases);
    if (named.id !== undefined && kind.known.has(named.id)) kind.latest.set(named.id, `#${nth}`);
    // What is open inside it is open all the same.
    return item.parts.flatMap((part) => add(listing, part, kind));
  }
  if (!isTask) return item.parts.flatMap((part) => add(listing, part, kind));
  // Numbers that begin anew under each heading name nothing: the text is the key then.
  const id = named.id !== undefined && !kind.known.has(named.id) ? named.id : undefined;
  const own = id ?? `item ${kind.known.size}`;
  kind.known.add(own);
  if (named.id !== undefined && id === undefined) kind.latest.set(named.id, own);
  const needs = [...named.needs, ...item.notes.flatMap(neededBelow)].map((name) => kind.latest.get(name) ?? name);
  const place = listing.entries.length;
  const parts = item.parts.flatMap((part) => add(listing, part, kind));
  listing.entries.splice(place, 0, {
    where: () => `line ${item.line}`,
    id: own,
    aliases,
    needs: [...parts, ...needs],
    task: given({
      description: named.title,
      key: id,
      files: filesIn([item.title, ...item.notes]),
      hints: item.notes.length > 0 ? item.notes.join('\n') : undefined,
      tags: [...new Set([...item.tags, ...named.marks, ...(item.box?.isOptional === true ? ['optional'] : [])])],
    }),
  });
  // What is optional keeps nobody waiting.
  return item.box?.isOptional === true ? [] : [own];
}

/** What an item is called, marked with and waits for; what is left is its title. */
function nameOf(text: string): { id: string | undefined; marks: string[]; needs: string[]; title: string } {
  let rest = text;
  const take = (pattern: RegExp): string | undefined => {
    const found = pattern.exec(rest);
    if (found) rest = rest.slice(found[0].length);
    return found?.[1];
  };
  const id = take(ID);
  const marks: string[] = [];
  for (let mark = take(MARK); mark !== undefined; mark = take(MARK)) marks.push(mark);
  if (rest.length > LONGEST_LOOKED_THROUGH) return { id, marks, needs: [], title: rest.trim() };
  const needed = NEEDS.exec(rest);
  // Where it is all that the brackets say, it is no part of what is to be done.
  if (needed?.[3] !== undefined) rest = rest.replace(needed[0], '');
  const needs = namesIn(needed?.[2] ?? '');
  return { id, marks, needs, title: rest.replace(/[ \t]{2,}/g, ' ').trim() };
}

function neededBelow(note: string): string[] {
  return note.length > LONGEST_LOOKED_THROUGH ? [] : namesIn(NEEDS_BELOW.exec(note)?.[1] ?? '');
}

/** More is no row of tasks. */
const LONGEST_ROW = 100;

/** The names of a row: `T001, T003-T005` are four. */
function namesIn(text: string): string[] {
  const found = [...text.matchAll(new RegExp(`(-|–|\\bto\\b|\\bthrough\\b)?[ \\t]*(${NAME})`, 'gi'))];
  return found.flatMap(([, row, name = ''], i) => {
    const [, before = '', from] = /^(.*?)(\d+)$/.exec(found[i - 1]?.[2] ?? '') ?? [];
    const [, after, to] = /^(.*?)(\d+)$/.exec(name) ?? [];
    const between = Number(to) - Number(from) - 1;
    if (row === undefined || before !== after || !(between > 0 && between <= LONGEST_ROW)) return [name];
    const width = from?.startsWith('0') === true ? from.length : 0;
    const missing = Array.from({ length: between }, (_, n) => String(Number(from) + n + 1).padStart(width, '0'));
    return [...missing.map((number) => before + number), name];
  });
}

function filesIn(lines: readonly string[]): string[] {
  const found = new Set<string>();
  for (const line of lines) {
    if (line.length > LONGEST_LOOKED_THROUGH) continue;
    for (const [path] of line.matchAll(PATH)) if (!/^\d+(\.\d+)*$/.test(path)) found.add(path);
    for (const [, path = ''] of line.matchAll(QUOTED)) found.add(path);
  }
  return [...found].slice(0, 100);
}

/** Walks the tokens of a document in their order, and keeps count of the lines. */
class Reader {
  /** Those that are not blank. */
  readonly #lines: { text: string; number: number }[];
  readonly #tokens: Token[];
  /** The line that was found last: what comes later stands below it. */
  #line = 0;
  readonly #headings: { depth: number; tag: string | undefined }[] = [];
  readonly #hasTitle: boolean;

  constructor(text: string) {
    const lines = withoutFrontMatter(text.replace(/\r\n?/g, '\n')).split('\n');
    this.#lines = lines.flatMap((line, i) => (line.trim() === '' ? [] : [{ text: line, number: i + 1 }]));
    this.#tokens = blocksOf(lines.join('\n'));
    // One heading of the first order is the title of the whole.
    this.#hasTitle = this.#tokens.filter((token) => token.type === 'heading' && token['depth'] === 1).length === 1;
  }

  items(): Item[] {
    return this.#inside(this.#tokens);
  }

  #inside(tokens: readonly Token[]): Item[] {
    return tokens.flatMap((token) => {
      if (token.type === 'heading') this.#enter(token as Tokens.Heading);
      if (token.type === 'blockquote') return this.#inside((token as Tokens.Blockquote).tokens);
      return token.type === 'list' ? (token as Tokens.List).items.map((item) => this.#item(item)) : [];
    });
  }

  #enter({ depth, text }: Tokens.Heading): void {
    while ((this.#headings.at(-1)?.depth ?? 0) >= depth) this.#headings.pop();
    if (depth > 1 || !this.#hasTitle) this.#headings.push({ depth, tag: tagFrom(text.replace(/[*_`]/g, '')) });
  }

  #item(item: Tokens.ListItem): Item {
    // The lexer takes some boxes away and leaves others: the item's own text has them all.
    const [first = '', ...more] = ownText(item).split('\n');
    const line = this.#find(first);
    const { head, below } = unwrapped(first, more);
    const box = BOX.exec(head);
    const parts = item.tokens.flatMap((token) =>
      token.type === 'list' ? (token as Tokens.List).items.map((part) => this.#item(part)) : [],
    );
    const notes = below.map((note) => note.trim()).filter((note) => note !== '');
    const kept: Item[] = [];
    // A bullet without a box, and none inside it, explains the item above it.
    for (const part of parts)
      if (box && !someItem([part], (one) => one.box !== undefined)) notes.push(...explained(part));
      else kept.push(part);
    return {
      title: (box ? head.slice(box[0].length) : head).trim(),
      notes,
      line,
      tags: this.#headings.flatMap(({ tag }) => tag ?? []),
      box: box ? { isDone: DONE.test(box[1] ?? ''), isOptional: box[2] !== undefined } : undefined,
      parts: kept,
    };
  }

  /** The number of the line that begins an item, from 1. */
  #find(head: string): number {
    const wanted = head.trim();
    for (let i = this.#line; i < Math.min(this.#lines.length, this.#line + LOOKED_AHEAD); i++) {
      if (!this.#lines[i]?.text.includes(wanted)) continue;
      this.#line = i + 1;
      break;
    }
    return this.#lines[this.#line - 1]?.number ?? 1;
  }
}

/** Columns to which texts are wrapped at the least: a word that would have fitted before them begins a line of its own. */
const WRAPPED_AT = 72;
const INDENT = '- '.length;

/** A text that was wrapped at the end of its lines is one line; what begins a line on purpose stays below. */
function unwrapped(first: string, more: readonly string[]): { head: string; below: string[] } {
  let last = first;
  let count = 0;
  for (const next of more) {
    const [word = ''] = next.trim().split(/\s/, 1);
    if (word === '' || /^(?:[-*+>#|]|\d+[.)])/.test(word)) break;
    if (INDENT + last.trim().length + 1 + word.length < WRAPPED_AT) break;
    last = next;
    count++;
  }
  return { head: [first, ...more.slice(0, count).map((line) => line.trim())].join(' '), below: more.slice(count) };
}

function explained(item: Item, indent = ''): string[] {
  return [
    `${indent}- ${item.title}`,
    ...item.notes.map((note) => `${indent}  ${note}`),
    ...item.parts.flatMap((part) => explained(part, `${indent}  `)),
  ];
}

/** What stands in an item besides its lists, with the box. */
function ownText(item: Tokens.ListItem): string {
  const own = item.tokens
    .filter((token) => token.type !== 'list' && token.type !== 'checkbox')
    .map((token) => token.raw)
    .join('')
    .trim();
  const box = item.task && !BOX.test(own) ? `[${item.checked === true ? 'x' : ' '}] ` : '';
  return box + own;
}

/** The text behind the front matter, with as many lines before it. */
function withoutFrontMatter(text: string): string {
  const found = FRONT_MATTER.exec(text);
  return found ? '\n'.repeat(found[0].split('\n').length - 1) + text.slice(found[0].length) : text;
}
