/** A list of which only what is to be seen is on the page, however long it is: rows of one height, walked through by the arrow keys. */
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useScrollView } from './scroll-view.ts';

export interface VirtualListProps<T> {
  label: string;
  items: readonly T[];
  keyOf: (item: T) => string;
  /** Pixels. */
  rowHeight: number;
  /** Draws a row; what can have the focus in it takes `tabIndex`. */
  row: (item: T, tabIndex: 0 | -1) => ComponentChildren;
  /** Shown where there is nothing. */
  empty: string;
  /** Told where the arrows lead beyond the list. */
  onLeave?: (side: 'left' | 'right') => void;
}

/** Rows drawn beyond what is seen, on either side. */
const BEYOND = 4;

export function VirtualList<T>(props: VirtualListProps<T>): JSX.Element {
  const { label, items, keyOf, rowHeight, row, empty, onLeave } = props;
  const frame = useRef<HTMLDivElement>(null);
  const view = useScrollView(frame);
  /** The one that the Tab key leads to: by its key, since others may come before it. */
  const [chosen, setChosen] = useState<{ key: string; index: number } | undefined>();
  /** Set where the arrows have moved: the focus follows once the row is there. */
  const follows = useRef(false);

  const found = chosen ? items.findIndex((item) => keyOf(item) === chosen.key) : 0;
  const active = found === -1 ? Math.min(chosen?.index ?? 0, Math.max(0, items.length - 1)) : found;
  const first = Math.max(0, Math.floor(view.top / rowHeight) - BEYOND);
  const end = Math.min(items.length, Math.ceil((view.top + view.height) / rowHeight) + BEYOND);
  // The row that the Tab key leads to is there even where it is scrolled away.
  const indexes = Array.from({ length: Math.max(0, end - first) }, (_unused, i) => first + i);
  if (items.length > 0 && (active < first || active >= end)) indexes.push(active);

  // At once: a key that comes meanwhile must find it there.
  useLayoutEffect(() => {
    if (!follows.current) return;
    follows.current = false;
    frame.current?.querySelector<HTMLElement>(`[data-row="${active}"] [tabindex="0"]`)?.focus({ preventScroll: true });
  });

  const choose = (index: number): void => {
    const item = items[index];
    if (item !== undefined) setChosen({ key: keyOf(item), index });
  };
  const goTo = (target: number): void => {
    const index = Math.max(0, Math.min(items.length - 1, target));
    const { current } = frame;
    if (current) {
      const top = index * rowHeight;
      if (top < current.scrollTop) current.scrollTop = top;
      else if (top + rowHeight > current.scrollTop + current.clientHeight)
        current.scrollTop = top + rowHeight - current.clientHeight;
    }
    follows.current = true;
    choose(index);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.target instanceof HTMLAnchorElement)) return;
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    const step = steps[event.key];
    if (step !== undefined) goTo(active + step);
    else if (event.key === 'Home') goTo(0);
    else if (event.key === 'End') goTo(items.length - 1);
    else if ((event.key === 'ArrowLeft' || event.key === 'ArrowRight') && onLeave) {
      follows.current = false;
      onLeave(event.key === 'ArrowLeft' ? 'left' : 'right');
    } else return;
    event.preventDefault();
  };

  return (
    <div class="virtual" ref={frame} onKeyDown={onKeyDown}>
      {items.length === 0 ? (
        <p class="empty">{empty}</p>
      ) : (
        <ul aria-label={label} style={{ height: `${items.length * rowHeight}px` }}>
          {indexes.map((index) => {
            const item = items[index];
            return item === undefined ? null : (
              <li
                key={keyOf(item)}
                data-row={index}
                aria-setsize={items.length}
                aria-posinset={index + 1}
                style={{ transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }}
                onFocusIn={() => choose(index)}
              >
                {row(item, index === active ? 0 : -1)}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
