/** Runs with the stand-in for Claude Code, and what it wrote down about them. */
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Rig } from './rig.ts';

export const STAND_IN = fileURLToPath(new URL('../fixtures/claude', import.meta.url));

export interface Noted {
  event: 'start' | 'end' | 'child';
  time: number;
  pid: number;
  worker: string;
  task: string;
  args?: string[];
  env?: string[];
  prompt?: string;
  child?: number;
}

/** A project with `claude` on the PATH. */
export class Project extends Rig {
  readonly env: Record<string, string>;

  constructor() {
    super();
    chmodSync(STAND_IN, 0o755); // an archive may have lost it
    mkdirSync(this.path('bin'));
    symlinkSync(STAND_IN, this.path('bin/claude'));
    this.env = {
      PATH: `${this.path('bin')}:${process.env['PATH']}`,
      FAKE_CLAUDE_LOG: this.path('claude.log'),
    };
  }

  /** Adds tasks to a board of its own. A dependency names the n-th: `#1`. */
  async tasks(
    ...tasks: (string | { description: string; dependencies?: string[]; max_attempts?: number })[]
  ): Promise<void> {
    if (!this.exists('.coordination')) await this.ok(['leader', 'init', 'A goal']);
    const list = tasks.map((task) => (typeof task === 'string' ? { description: task } : task));
    this.write('tasks.json', JSON.stringify(list));
    await this.ok(['leader', 'import', 'tasks.json']);
  }

  noted(): Noted[] {
    const file = this.path('claude.log');
    if (!existsSync(file)) return [];
    // The last line may be on its way.
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Noted);
  }
  starts(task?: string): Noted[] {
    return this.noted().filter((one) => one.event === 'start' && (task === undefined || one.task === task));
  }
  /** Every process that the stand-in was or started. */
  pids(): number[] {
    return this.noted().flatMap((one) => [one.pid, ...(one.child === undefined ? [] : [one.child])]);
  }
  alive(): number[] {
    return [...new Set(this.pids())].filter(isRunning);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
