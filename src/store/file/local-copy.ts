/**
 * What this machine keeps of a board that a server holds: `.cache/board.json` for coord itself, and beside it the files that a
 * board in a folder has, read-only, for eyes and editors. Written anew whole, without waiting for the disk or for a lock: the
 * server knows it all.
 */
import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Board } from '../../model/board.ts';
import type { Ref } from '../../model/refs.ts';
import { isName } from '../../model/limits.ts';
import { faultOf } from '../../model/stored-board.ts';
import { isRecord } from '../../model/values.ts';
import { HEAD_BYTES } from '../commit-id.ts';
import type { ChangedTexts, Copied, CopiedMore, LocalCopy } from '../local-copy.ts';
import { replaceFile } from './atomic.ts';
import { boardToBytes, COPY_MARK } from './board-text.ts';
import { discoveryText } from './discovery-text.ts';
import { placeIn } from './documents.ts';
import { checkTree } from './guard.ts';
import { readIfThere, readStart } from './open-file.ts';
import { resultText } from './result-text.ts';
import { REFUSED } from './result-files.ts';
import { scratchName } from './scratch.ts';
import type { Tree } from './tree.ts';

const READ_ONLY = 0o444;
const PRIVATE = 0o600;
/** `.cache/board.json` is written a moment after tasks.json: one that is so much newer was saved by somebody else. */
const EDITED_MS = 1000;
const SAYS_SO =
  'A copy, made by coord: the board is kept by a server. Change it with coord leader edit, import and plan.';

export interface CopyOptions {
  stateFolder: string | undefined;
  /** Whether the folder leads to the board that is copied, as it stands now: boards move. */
  isLedHere: () => boolean;
  notice: (message: string) => void;
}

export class LocalCopyFiles implements LocalCopy {
  readonly #tree: Tree;
  readonly #options: CopyOptions;

  constructor(tree: Tree, options: CopyOptions) {
    this.#tree = tree;
    this.#options = options;
  }

  get location(): string {
    return this.#tree.root;
  }

  where(ref: Ref): string {
    return placeIn(this.#tree, ref);
  }

  read(name: string): Copied | undefined {
    const kept = this.#kept();
    return kept?.name === name ? kept.copied : undefined;
  }

  /** The board as it was seen last, and how far the server's clock is before this machine's. @param name  of it, if that is known */
  last(name: string | undefined): { board: Board; skewMs: number } | undefined {
    const kept = this.#kept();
    return kept && (name === undefined || kept.name === name)
      ? { board: kept.copied.board, skewMs: kept.skewMs }
      : undefined;
  }

  #kept(): { name: string; skewMs: number; copied: Copied } | undefined {
    try {
      checkTree(this.#tree, this.#options.stateFolder, [this.#tree.cache]);
      // Git gives files to everybody to read: one that came with a clone is none of ours.
      const stat = lstatSync(this.#tree.copied, { throwIfNoEntry: false });
      if (!stat || (process.platform !== 'win32' && (stat.mode & 0o077) !== 0)) return undefined;
      const kept: unknown = JSON.parse(readIfThere(this.#tree.copied)?.toString() ?? 'null');
      if (!isRecord(kept)) return undefined;
      const { name, texts, id, skew_ms, board, positions } = kept;
      const isOne =
        isName(name) &&
        Number.isSafeInteger(texts) &&
        Number.isSafeInteger(id) &&
        Number.isSafeInteger(skew_ms) &&
        faultOf(board) === undefined &&
        Array.isArray(positions) &&
        positions.length === (board as Board).tasks.length && // as just found
        positions.every((one, i) => typeof one === 'number' && (i === 0 || one > positions[i - 1]));
      if (!isOne) return undefined;
      return {
        name,
        skewMs: skew_ms as number,
        copied: { id: id as number, board: board as Board, positions: positions as number[], texts: texts as number },
      };
    } catch {
      return undefined; // it is made again
    }
  }

  state(name: string): { revision: number; texts: number; ageMs: number } {
    const head = readStart(this.#tree.copied, HEAD_BYTES)?.toString('latin1') ?? '';
    const found = /^\{"name":"([^"]*)","revision":(\d+),"texts":(\d+),/.exec(head);
    const stat = lstatSync(this.#tree.copied, { throwIfNoEntry: false });
    if (found?.[1] !== name || !stat) return { revision: -1, texts: -1, ageMs: Infinity };
    return { revision: Number(found[2]), texts: Number(found[3]), ageMs: Date.now() - stat.mtimeMs };
  }

  write(name: string, copied: Copied, { skewMs, texts, isReplaced }: CopiedMore): void {
    if (!this.#options.isLedHere()) return;
    const there = this.state(name);
    if (!isReplaced && there.revision >= copied.board.revision && there.texts >= copied.texts) return;
    mkdirSync(this.#tree.root, { recursive: true });
    checkTree(this.#tree, this.#options.stateFolder);
    this.#tree.create();
    mkdirSync(this.#tree.cache, { recursive: true, mode: 0o700 });
    this.#keepEdit();
    if (texts) this.#writeTexts(texts);
    const { board, positions, id } = copied;
    const { version, ...rest } = board;
    this.#replace(this.#tree.tasks, boardToBytes({ version, [COPY_MARK]: SAYS_SO, ...rest }), READ_ONLY);
    const kept = {
      name,
      revision: board.revision,
      texts: copied.texts,
      id,
      skew_ms: skewMs,
      positions,
      board,
    };
    this.#replace(this.#tree.copied, JSON.stringify(kept), PRIVATE);
  }

  /** Whoever saved the copy all the same finds what they wrote. */
  #keepEdit(): void {
    const [edited, kept] = [this.#tree.tasks, this.#tree.copied].map((path) =>
      lstatSync(path, { throwIfNoEntry: false }),
    );
    if (!edited || !kept || edited.mtimeMs - kept.mtimeMs < EDITED_MS) return;
    mkdirSync(this.#tree.rejected, { recursive: true });
    const aside = scratchName(this.#tree.rejected, 'tasks-copy-');
    renameSync(this.#tree.tasks, aside);
    this.#options.notice(
      `tasks.json is a copy, and was changed all the same: what was written is kept in ${aside}. Use coord leader edit.`,
    );
  }

  #writeTexts({ plan, summary, discoveries, results, refused }: ChangedTexts): void {
    if (plan !== undefined) this.#replace(this.#tree.plan, `<!-- ${SAYS_SO} -->\n${plan}`, READ_ONLY);
    if (summary !== undefined) this.#replace(this.#tree.summary, summary, READ_ONLY);
    if (discoveries)
      this.#replace(
        this.#tree.discoveries,
        `# Discoveries\n\n<!-- ${SAYS_SO} -->\n${discoveries.map(discoveryText).join('')}`,
        READ_ONLY,
      );
    for (const result of results)
      if (isName(result.task.id)) this.#replace(this.#tree.result(result.task.id), resultText(result), READ_ONLY);
    for (const late of refused)
      if (/^[A-Za-z0-9._-]{1,200}$/.test(late.name))
        this.#replace(join(this.#tree.results, `${late.name}${REFUSED}`), `${late.output}\n`, READ_ONLY);
  }

  #replace(path: string, content: string | Buffer, mode: number): void {
    mkdirSync(dirname(path), { recursive: true });
    replaceFile(path, content, { scratch: scratchName(this.#tree.tmp), durable: false, mode });
  }
}
