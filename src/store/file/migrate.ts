/** Brings a tasks.json of an older version to the present one, step by step; refuses one from the future. */
import { CoordError } from '../../model/errors.ts';

const VERSION = 1;
/** Step n turns version n into n + 1. None yet: version 1 is the first. */
const STEPS: ((document: Record<string, unknown>) => Record<string, unknown>)[] = [];

export function migrate(document: unknown, path: string): unknown {
  if (typeof document !== 'object' || document === null || !('version' in document)) return document;
  const { version } = document;
  refuseNewer(version, path);
  // A version that is no number is reported by the schema, with its place in the file.
  return STEPS.slice(Math.max(Number(version) - 1, 0)).reduce<unknown>(
    (older, step) => step(older as Record<string, unknown>),
    document,
  );
}

/** @throws CoordError `version-unsupported` for what a newer coord wrote */
export function refuseNewer(version: unknown, path: string): void {
  if (typeof version !== 'number' || version <= VERSION) return;
  throw new CoordError(
    'version-unsupported',
    `${path} has version ${version}; this coord knows versions up to ${VERSION}.`,
    { details: {} },
  );
}
