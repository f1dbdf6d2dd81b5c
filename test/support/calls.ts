/** What a command did with files, as calls.cjs writes it down. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Rig } from './rig.ts';

const PRELOAD = fileURLToPath(new URL('calls.cjs', import.meta.url));

export class Calls {
  readonly #file: string;
  readonly env: Record<string, string>;
  #seen = 0;

  constructor(rig: Rig) {
    this.#file = rig.path('.calls');
    this.env = { NODE_OPTIONS: `--require ${PRELOAD}`, COORD_CALLS: this.#file };
  }

  /** What was done since this was asked last, a line each: `read /path`, `link /path`. */
  since(): string[] {
    const lines = existsSync(this.#file) ? readFileSync(this.#file, 'utf8').split('\n').filter(Boolean) : [];
    return lines.slice(this.#seen, (this.#seen = lines.length));
  }
}
