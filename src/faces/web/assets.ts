/** The page's own files, as the build made them. */
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** @param name  one of a fixed list: whatever a client asks for is no part of it */
export async function readAsset(
  folder: string,
  name: string,
): Promise<{ type: string; bytes: Uint8Array<ArrayBuffer> }> {
  const bytes = new Uint8Array(await readFile(join(folder, name)));
  return { type: TYPES[extname(name)] ?? 'application/octet-stream', bytes };
}
