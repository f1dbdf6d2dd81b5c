/** What has the focus may go away, as a button does once it has done its work: then what it stood in takes it over. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** @returns for the element that takes it over; it must be able to */
export function useKeptFocus<E extends HTMLElement>(): RefObject<E> {
  const place = useRef<E>(null);
  const isWithin = useRef(false);
  useEffect(() => {
    const look = (): void => {
      isWithin.current = place.current?.contains(document.activeElement) === true;
    };
    document.addEventListener('focusin', look);
    return () => document.removeEventListener('focusin', look);
  }, []);
  useEffect(() => {
    if (isWithin.current && document.activeElement === document.body) place.current?.focus({ preventScroll: true });
  });
  return place;
}
