/**
 * The port to what a machine keeps of a board that a server holds: the board as it was seen last, from which the next command
 * goes on, and copies of its texts for eyes and editors. All of it can be lost, and is made again.
 */
import type { Board, ResultToStore } from '../model/board.ts';
import type { Ref } from '../model/refs.ts';
import type { Task } from '../model/task.ts';
import type { Discovery } from '../model/views/report.ts';

/** A board as it was seen last. */
export interface Copied {
  /** Its number on the server. */
  id: number;
  board: Board;
  /** The position of each task, in their order; ascending. */
  positions: readonly number[];
  /** How many texts had been written. */
  texts: number;
}

/** What a result says of its task. */
export type ResultOf = Omit<ResultToStore, 'task'> & {
  task: Pick<Task, 'id' | 'description' | 'claimed_by' | 'attempt' | 'completed_at'>;
};

/** Texts that were written since; what did not change is absent or empty. */
export interface ChangedTexts {
  plan?: string;
  summary?: string;
  /** All of them. */
  discoveries?: Discovery[];
  results: ResultOf[];
  /** Results that came too late, by name. */
  refused: { name: string; output: string }[];
}

export interface CopiedMore {
  /** How far the server's clock is before this machine's. */
  skewMs: number;
  /** Absent where none has changed. */
  texts: ChangedTexts | undefined;
  /** Whether what was copied before is of another board, or of another history of it. */
  isReplaced: boolean;
}

export interface LocalCopy {
  /** The path of `.coordination/`. */
  readonly location: string;
  where(ref: Ref): string;
  /** @param name  of the board; a copy of another is none */
  read(name: string): Copied | undefined;
  /** What {@link write} has kept last, by any process: the revision, how many texts there were, and how long ago. */
  state(name: string): { revision: number; texts: number; ageMs: number };
  /** Unless the folder leads elsewhere by now, or somebody else has written newer ones. @throws an error of the file system */
  write(name: string, copied: Copied, more: CopiedMore): void;
}
