/** Where a task list comes from: a file, a folder of files, or stdin; always as text. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CoordError } from '../model/errors.ts';

export interface SourceText {
  name: string;
  text: string;
}

/** A text, or the files of a folder. */
export type Source = SourceText & { files?: SourceText[] };

/** What somebody has read already. @throws CoordError `import-malformed` where it is no text */
export function sourceOf(name: string, bytes: Buffer): Source {
  return { name, text: decode(name, bytes) };
}

/** @throws CoordError `store-unavailable` where it cannot be read, `import-malformed` where it is no text */
export async function readSource(cwd: string, path: string, readStdin: () => Promise<Buffer>): Promise<Source> {
  if (path === '-') return sourceOf('stdin', await readStdin());
  const full = resolve(cwd, path);
  try {
    if (!statSync(full).isDirectory()) return sourceOf(path, readFileSync(full));
    const files = readdirSync(full, { withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(md|json)$/i.test(entry.name) && !entry.name.startsWith('.'))
      .map(({ name }) => ({ name, text: decode(join(path, name), readFileSync(join(full, name))) }))
      .toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    return { name: path, text: '', files };
  } catch (error) {
    if (error instanceof CoordError) throw error;
    throw new CoordError('store-unavailable', `${path} cannot be read: ${whyUnreadable(error)}.`, {
      details: { why: 'import' },
      cause: error,
    });
  }
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'you may not read it';
  return error instanceof Error ? error.message : String(error);
}

export function malformed(name: string, what: string, cause?: unknown): CoordError {
  return new CoordError('import-malformed', `${name} cannot be imported: ${what}. Nothing was added.`, {
    details: { why: 'tasks' },
    cause,
  });
}

/**
 * Bytes as text: in the encoding that a byte-order mark names, else UTF-8.
 *
 * @throws CoordError `import-malformed` for bytes that are not text in it: guessing would store them as other characters
 */
function decode(name: string, bytes: Buffer): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    const line = encoding === 'utf-8' ? `, line ${lineOfFault(bytes)}` : '';
    throw malformed(`${name}${line}`, `it holds bytes that are not ${encoding.toUpperCase()} text`, error);
  }
  const zero = text.indexOf('\0');
  if (zero !== -1) throw malformed(`${name}, line ${lineAt(text, zero)}`, 'it holds a NUL: it is no text');
  return text;
}

/** The line of the first byte that is not UTF-8. */
function lineOfFault(bytes: Buffer): number {
  const shown = bytes.toString('utf8');
  const fault = shown.indexOf('\uFFFD');
  return lineAt(shown, fault === -1 ? 0 : fault);
}

/** The number of the line that a character stands in, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i !== -1 && i < offset; i = text.indexOf('\n', i + 1)) line++;
  return line;
}
