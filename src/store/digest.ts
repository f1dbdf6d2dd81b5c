/** In a file of its own, since node:crypto takes 2 ms to load and only completions need it. */
import { createHash } from 'node:crypto';

/** Sixteen hex digits of SHA-256: enough to recognise a repetition, not to keep a secret. */
export function digest(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
