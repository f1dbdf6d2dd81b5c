/** What is to be seen of a frame that scrolls, for those who draw just that. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

/** Pixels. */
export interface ScrollView {
  left: number;
  top: number;
  width: number;
  height: number;
}

export function useScrollView(frame: RefObject<HTMLElement>): ScrollView {
  const [view, setView] = useState<ScrollView>({ left: 0, top: 0, width: 800, height: 600 });
  useLayoutEffect(() => {
    const { current } = frame;
    if (!current) return undefined;
    const look = (): void => {
      const { scrollLeft: left, scrollTop: top, clientWidth: width, clientHeight: height } = current;
      setView({ left, top, width, height });
    };
    look();
    const sizes = new ResizeObserver(look);
    sizes.observe(current);
    current.addEventListener('scroll', look, { passive: true });
    return () => {
      sizes.disconnect();
      current.removeEventListener('scroll', look);
    };
  }, []);
  return view;
}
