/** A shape for each standing, so that no meaning rests on colour alone. The word for it always stands beside. */
import type { JSX } from 'preact';
import type { Standing } from './derived.ts';

const HALF = 'M8 2a6 6 0 0 1 0 12z';
/** In a square of 16; what is `line` is drawn, the rest filled. */
const SHAPES: Readonly<Record<Standing, { d: string; line?: true; ring?: true }>> = {
  available: { d: '', ring: true },
  blocked: { d: 'M4 2h3v12H4zM9 2h3v12H9z' },
  stuck: { d: 'M8 1.5 15 14H1z' },
  asking: { d: 'M5 5.5a3 3 0 1 1 4.5 2.6C8.3 8.9 8 9.3 8 10.500M8 13v.6', line: true },
  claimed: { d: HALF, ring: true },
  submitted: { d: 'M8 1.5 14.5 8 8 14.5 1.5 8z' },
  review: { d: 'M8 1.5 14.5 8 8 14.5 1.5 8z' },
  queued: { d: 'M2 4h12M2 8h12M2 12h7', line: true },
  landing: { d: 'M8 2v9M4 7.5 8 12l4-4.500M3 14.500h10', line: true },
  done: { d: 'M2.5 8.5 6.5 12.5 13.5 4', line: true },
  failed: { d: 'M3.5 3.500l9 9M12.5 3.500l-9 9', line: true },
  cancelled: { d: 'M4 12 12 4', line: true, ring: true },
};

/** The drawing alone, to be put into another; 16 by 16. */
export function ShapeMarks({ of }: { of: Standing }): JSX.Element {
  const { d, line, ring } = SHAPES[of];
  return (
    <>
      {ring && <circle cx="8" cy="8" r="6" class="mark-line" />}
      {d !== '' && <path d={d} class={line ? 'mark-line' : 'mark-fill'} />}
    </>
  );
}

export function Shape({ of }: { of: Standing }): JSX.Element {
  return (
    <svg class={`shape is-${of}`} viewBox="0 0 16 16" aria-hidden="true">
      <ShapeMarks of={of} />
    </svg>
  );
}
