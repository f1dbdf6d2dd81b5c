/** A frame in which something large is moved and seen closer or from farther: by wheel, drag, two fingers and keys. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Where the drawing's own corner is in the frame, and how large one of its pixels is. */
interface Place {
  x: number;
  y: number;
  scale: number;
}

/** The whole is shown at first, unless its texts could not be read then: they are 14 pixels high, 12 at the least. */
const LEAST_READABLE = 0.85;
/** From here on smaller words are left out, and the others made larger. */
const FAR = 0.5;
const SCALES = { least: 0.05, most: 2.5 };
const MARGIN = 24;
/** Pixels that an arrow key moves it by. */
const STEP = 80;

export interface Canvas {
  frame: RefObject<HTMLDivElement>;
  /** Of the group that is drawn. */
  transform: string;
  /** Whether it is so small that only large words can be read. */
  isFar: boolean;
  zoom: (by: number) => void;
  fit: () => void;
  /** Brings what has this middle and this size in the drawing into the frame. */
  show: (middle: { x: number; y: number }, size: { width: number; height: number }) => void;
  onKeyDown: (event: KeyboardEvent) => void;
  handlers: {
    onWheel: (event: WheelEvent) => void;
    onPointerDown: (event: PointerEvent) => void;
    onPointerMove: (event: PointerEvent) => void;
    onPointerUp: (event: PointerEvent) => void;
    onPointerCancel: (event: PointerEvent) => void;
  };
}

/**
 * @param width  of the drawing, in its own pixels, as `height`
 * @param scope  where that changes, another thing is drawn, and shown from its beginning
 */
export function useCanvas(width: number, height: number, scope: string): Canvas {
  const frame = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<Place>({ x: MARGIN, y: MARGIN, scale: 1 });
  const pointers = useRef(new Map<number, { x: number; y: number }>());

  const fitted = (least: number): Place => {
    const { clientWidth = 800, clientHeight = 600 } = frame.current ?? {};
    const whole = Math.min((clientWidth - 2 * MARGIN) / width, (clientHeight - 2 * MARGIN) / height, 1);
    const scale = Math.max(whole, least, SCALES.least);
    return { scale, x: MARGIN, y: Math.max(MARGIN, (clientHeight - height * scale) / 2) };
  };
  useLayoutEffect(() => setPlace(fitted(LEAST_READABLE)), [scope]);

  /** So that the point of the frame stays where it is. */
  const zoomAt = (by: number, x: number, y: number): void =>
    setPlace((before) => {
      const scale = Math.min(SCALES.most, Math.max(SCALES.least, before.scale * by));
      const ratio = scale / before.scale;
      return { scale, x: x - (x - before.x) * ratio, y: y - (y - before.y) * ratio };
    });
  const zoom = (by: number): void => {
    const { clientWidth = 800, clientHeight = 600 } = frame.current ?? {};
    zoomAt(by, clientWidth / 2, clientHeight / 2);
  };
  const moveBy = (dx: number, dy: number): void =>
    setPlace((before) => ({ ...before, x: before.x + dx, y: before.y + dy }));
  const inFrame = ({ clientX, clientY }: MouseEvent): { x: number; y: number } => {
    const { left = 0, top = 0 } = frame.current?.getBoundingClientRect() ?? {};
    return { x: clientX - left, y: clientY - top };
  };
  const letGo = ({ pointerId }: PointerEvent): void => void pointers.current.delete(pointerId);

  return {
    frame,
    transform: `translate(${place.x} ${place.y}) scale(${place.scale})`,
    isFar: place.scale < FAR,
    zoom,
    fit: () => setPlace(fitted(SCALES.least)),
    show: ({ x, y }, size) =>
      setPlace((before) => {
        const { clientWidth = 800, clientHeight = 600 } = frame.current ?? {};
        const { scale } = before;
        const [atX, atY] = [before.x + x * scale, before.y + y * scale];
        const [besideX, besideY] = [(size.width / 2) * scale + MARGIN, (size.height / 2) * scale + MARGIN];
        const isSeen =
          atX >= besideX && atX <= clientWidth - besideX && atY >= besideY && atY <= clientHeight - besideY;
        return isSeen ? before : { scale, x: clientWidth / 2 - x * scale, y: clientHeight / 2 - y * scale };
      }),
    onKeyDown: (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const acts: Readonly<Record<string, () => void>> = {
        '+': () => zoom(1.25),
        '=': () => zoom(1.25),
        '-': () => zoom(0.8),
        '0': () => setPlace(fitted(SCALES.least)),
        ArrowLeft: () => moveBy(STEP, 0),
        ArrowRight: () => moveBy(-STEP, 0),
        ArrowUp: () => moveBy(0, STEP),
        ArrowDown: () => moveBy(0, -STEP),
      };
      const act = acts[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    },
    handlers: {
      onWheel: (event) => {
        event.preventDefault();
        const { x, y } = inFrame(event);
        zoomAt(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), x, y);
      },
      onPointerDown: (event) => {
        pointers.current.set(event.pointerId, inFrame(event));
      },
      onPointerMove: (event) => {
        const before = pointers.current.get(event.pointerId);
        if (!before) return;
        const at = inFrame(event);
        const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
        pointers.current.set(event.pointerId, at);
        if (other) {
          const [was, is] = [before, at].map(({ x, y }) => Math.hypot(x - other.x, y - other.y));
          if (was && is) zoomAt(is / was, other.x, other.y);
        } else {
          // From here on it is a drag, and no click on what lies beneath.
          if (
            frame.current?.hasPointerCapture(event.pointerId) === false &&
            Math.hypot(at.x - before.x, at.y - before.y) > 2
          )
            frame.current.setPointerCapture(event.pointerId);
          moveBy(at.x - before.x, at.y - before.y);
        }
      },
      onPointerUp: letGo,
      onPointerCancel: letGo,
    },
  };
}
