/** One thing that the doctor looks at, and the means to mend it. */
import { mkdirSync } from 'node:fs';
import type { Finding } from '../store.ts';
import { moveIfThere } from './atomic.ts';
import type { FileOptions } from './backend.ts';
import { scratchName } from './scratch.ts';
import type { TasksFile } from './tasks-file.ts';
import type { Tree } from './tree.ts';

/** What a check may need. */
export interface Patient {
  tree: Tree;
  options: FileOptions & { now: () => string };
  tasks: TasksFile;
}

/** A finding with the means to mend it. */
export type Check = Finding & { mend?: () => Promise<void> | void };

/** What is none of ours, or no use to anybody, is kept in rejected/. */
export function setAside(tree: Tree, path: string, prefix = 'commit-'): void {
  mkdirSync(tree.rejected, { recursive: true });
  moveIfThere(path, scratchName(tree.rejected, prefix));
}
