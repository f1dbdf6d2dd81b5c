/** Places of a board in words, for whoever has to name one. */
import { dirname, relative } from 'node:path';
import { CoordError } from '../model/errors.ts';
import type { Ref } from '../model/refs.ts';
import type { Store } from './store.ts';

/** A place as people find it from the project's root; its bare name where it is in no file. */
function placeText(store: Store, ref: Ref): string {
  const path = store.where(ref);
  if (path !== undefined) return relative(dirname(store.location), path);
  return ref.ref === 'refused' ? ref.name : ref.ref;
}

/** An error that kept what was handed in, saying where; any other as it is. */
export function sayWhereKept(error: unknown, store: Store): unknown {
  if (!(error instanceof CoordError) || error.details?.kept === undefined) return error;
  const message = `${error.message} Your result is kept in ${placeText(store, error.details.kept)}.`;
  return new CoordError(error.code, message, { details: error.details, cause: error });
}
