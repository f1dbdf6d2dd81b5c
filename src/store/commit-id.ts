/** How revisions are told apart: by their names in a log, and by the ids that their documents carry. Pure. */

/** Bytes that surely hold the head of a document. */
export const HEAD_BYTES = 4096;
const NAME = /^(\d{8,13})\.json$/;

/** The commit id that a document carries, without reading all of it. */
export function commitOf(bytes: Buffer): string | undefined {
  return /"commit":\s*"([0-9a-z.]{1,100})"/.exec(bytes.toString('latin1', 0, HEAD_BYTES))?.[1];
}

/** The revision that a document carries, likewise. */
export function revisionOf(bytes: Buffer): number | undefined {
  const digits = /"revision":\s*(\d{1,15})\b/.exec(bytes.toString('latin1', 0, HEAD_BYTES))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Twelve letters and digits that nobody else draws. */
export function randomId(): string {
  const draw = (): string => Math.random().toString(36).slice(2, 8).padEnd(6, '0');
  return draw() + draw();
}

/** A commit id of its own for what is made from `base`: incarnation, the base's id, its own. */
export function nextCommit(base: string | undefined): string {
  const [incarnation = randomId(), , parent = '0'] = base?.split('.') ?? [];
  return `${incarnation}.${parent}.${randomId()}`;
}

/** Of the log that it belongs to. */
export function incarnationOf(commit: string | undefined): string | undefined {
  return commit?.split('.')[0];
}

/** Whether `commit` was made from `base`, by the ids alone. */
export function isChildOf(commit: string | undefined, base: string | undefined): boolean {
  const [incarnation, parent] = commit?.split('.') ?? [];
  const [sameIncarnation, , id] = base?.split('.') ?? [];
  return incarnation !== undefined && incarnation === sameIncarnation && parent !== undefined && parent === id;
}

/** The name of a revision in its log's folder. */
export function nameOf(revision: number): string {
  return `${String(revision).padStart(8, '0')}.json`;
}

/** Only the one spelling that {@link nameOf} gives. */
export function revisionOfName(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  const revision = Number(digits);
  return digits !== undefined && revision > 0 && nameOf(revision) === name ? revision : undefined;
}
