/** Keeps the copies of a board on this machine up to date: for eyes and editors, for hooks, and for the next command. */
import type { ChangedTexts, LocalCopy } from '../local-copy.ts';
import type { Known } from './board-rows.ts';

/** How old they may be while somebody works on the board: the longer it takes to write them, the older. */
const REFRESH_MS = 300;
const REFRESH_MS_A_TASK = 0.5;

export interface CopyingOptions {
  copy: LocalCopy;
  /** The board's name, and what is known of it by now. */
  newest: () => { name: string; known: Known } | undefined;
  /** How far the server's clock is before this machine's, milliseconds. */
  skewMs: () => number;
  changedSince: (board: number, texts: number) => Promise<ChangedTexts>;
}

export class Copying {
  readonly #options: CopyingOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Whether they are of another board, or of another history of it. */
  #isReplaced = false;

  constructor(options: CopyingOptions) {
    this.#options = options;
  }

  replaced(): void {
    this.#isReplaced = true;
  }

  /** For who runs long. Of several on this machine one writes, and the others find that it is done. */
  soon(): void {
    const newest = this.#options.newest();
    if (this.#timer || !newest) return;
    const pause = REFRESH_MS + newest.known.board.tasks.length * REFRESH_MS_A_TASK;
    const refresh = async (): Promise<void> => {
      this.#timer = undefined;
      const { ageMs } = this.#options.copy.state(newest.name);
      if (ageMs >= 0 && ageMs < pause) this.soon();
      else await this.now();
    };
    this.#timer = setTimeout(() => void refresh().catch(() => {}), pause * (1 + Math.random())); // the next one does it
    this.#timer.unref();
  }

  async now(): Promise<void> {
    const newest = this.#options.newest();
    if (!newest) return;
    const { name, known } = newest;
    const { copy, changedSince, skewMs } = this.#options;
    const { revision, texts } = copy.state(name);
    const isReplaced = this.#isReplaced;
    if (revision >= known.board.revision && texts >= known.texts && !isReplaced) return;
    const since = isReplaced || texts > known.texts ? -1 : texts;
    const changed = since === known.texts ? undefined : await changedSince(known.id, since);
    copy.write(name, known, { skewMs: skewMs(), texts: changed, isReplaced });
    this.#isReplaced = false;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.now().catch(() => {}); // the next command does it
  }
}
