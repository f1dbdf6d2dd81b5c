/**
 * Markdown that agents have written. Markup in it is shown as the text that it is, links and pictures with their address: nothing
 * on this page leads elsewhere, and nothing is fetched. What is left is sanitised once more before it becomes elements.
 */
import DOMPurify from 'dompurify';
import { Marked, type Tokens } from 'marked';
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';

/**
 * Characters that are read as Markdown; longer texts stand as they are. Reading takes time that grows with the square of a paragraph
 * (120 kB of `_a` took a browser 11 s): an agent's text must not stop the page. The longest brief has 24 kB.
 */
const MOST = 30_000;

/** Headings in a text stay below the page's own, which end at the third. */
const BELOW = 3;

const TAGS = 'p br hr ul ol li blockquote pre code strong em del h4 h5 h6 table thead tbody tr th td'.split(' ');

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }: Tokens.HTML | Tokens.Tag) => escaped(text),
    link({ href, tokens }: Tokens.Link) {
      const text = this.parser.parseInline(tokens);
      return text === escaped(href) ? `<code>${text}</code>` : `${text} <code>${escaped(href)}</code>`;
    },
    image: ({ href, text }: Tokens.Image) => `${escaped(text)} <code>${escaped(href)}</code>`,
    checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '[x] ' : '[ ] '),
    heading({ tokens, depth }: Tokens.Heading) {
      const level = Math.min(6, depth + BELOW);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
  },
});

export function Markdown({ text }: { text: string }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const fragment = useMemo(() => (text.length <= MOST ? fragmentOf(text) : undefined), [text]);
  useLayoutEffect(() => {
    if (fragment) place.current?.replaceChildren(fragment.cloneNode(true));
  }, [fragment]);
  return fragment ? (
    <div class="markdown" ref={place} />
  ) : (
    <pre class="long" tabIndex={0}>
      {text}
    </pre>
  );
}

/** @returns undefined where it cannot be read after all: what stands in itself too deep ends the call stack */
function fragmentOf(text: string): DocumentFragment | undefined {
  try {
    return DOMPurify.sanitize(marked.parse(text, { async: false }), {
      ALLOWED_TAGS: TAGS,
      ALLOWED_ATTR: [],
      RETURN_DOM_FRAGMENT: true,
    });
  } catch {
    return undefined;
  }
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
