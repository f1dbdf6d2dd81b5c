/** Paths that tasks name, compared as text: the same file, or a folder and what lies in it. */

/** `./src//a.ts`, `src\a.ts` and `src/a.ts/` all name src/a.ts. */
function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.replaceAll('\\', '/').split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return (path.startsWith('/') ? '/' : '') + parts.join('/');
}

/** Those of `files` that are, contain or lie in one of `others`, in their own spelling. */
export function overlappingFiles(files: readonly string[], others: readonly string[]): string[] {
  if (others.length === 0) return [];
  const theirs = others.map(normalise);
  return files.filter((file) => {
    const mine = normalise(file);
    return theirs.some((other) => other === mine || other.startsWith(`${mine}/`) || mine.startsWith(`${other}/`));
  });
}
