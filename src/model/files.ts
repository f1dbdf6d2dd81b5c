/** Paths that tasks name, compared as text: the same file, a folder and what lies in it, or a pattern and what it names. */
import { Glob, isGlob } from './globs.ts';

/** `./src//a.ts`, `src\a.ts` and `src/a.ts/` all name src/a.ts. */
function normalise(path: string): string {
  const parts: string[] = [];
  const slashed = path.replaceAll('\\', '/');
  for (const part of slashed.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return (slashed.startsWith('/') ? '/' : '') + parts.join('/');
}

/** Who names which path, so that ten thousand tasks can be compared with it one by one. */
export class PathIndex<T> {
  readonly #named = new Map<string, Set<T>>();
  /** The folders around every named path. */
  readonly #around = new Map<string, Set<T>>();
  /** Patterns, which have no place in a map. */
  readonly #globs: { glob: Glob; owner: T }[] = [];

  add(path: string, owner: T): void {
    const normal = normalise(path);
    if (isGlob(normal)) this.#globs.push({ glob: new Glob(normal), owner });
    put(this.#named, normal, owner);
    for (const folder of foldersAround(normal)) put(this.#around, folder, owner);
  }

  /** Whoever names this path, a folder around it, or something in it. */
  find(path: string): Set<T> {
    const found = new Set<T>();
    if (this.#named.size === 0) return found;
    const normal = normalise(path);
    if (isGlob(normal)) return this.#meeting(new Glob(normal));
    for (const { glob, owner } of this.#globs) if (glob.meets(normal)) found.add(owner);
    for (const name of [normal, ...foldersAround(normal)])
      for (const owner of this.#named.get(name) ?? []) found.add(owner);
    for (const owner of this.#around.get(normal) ?? []) found.add(owner);
    return found;
  }

  /** Whoever names something that a pattern may name too. */
  #meeting(asked: Glob): Set<T> {
    const found = new Set<T>();
    for (const { glob, owner } of this.#globs) if (asked.meetsGlob(glob)) found.add(owner);
    for (const [path, owners] of this.#named)
      if (!isGlob(path) && asked.meets(path)) for (const owner of owners) found.add(owner);
    return found;
  }
}

function foldersAround(path: string): string[] {
  const folders: string[] = [];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) folders.push(path.slice(0, end));
  return folders;
}

function put<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}
