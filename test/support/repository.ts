/** A temporary project in a git repository of its own, with a board whose claims have worktrees. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { GIT_ENV } from './git-env.ts';
import { type Ran, Rig, scrubbedEnv } from './rig.ts';

export class Repository extends Rig {
  readonly env: Record<string, string>;

  constructor(files: Record<string, string> = { 'a.txt': 'a\n' }) {
    super();
    const state = mkdtempSync(join(tmpdir(), 'coord-state-'));
    onTestFinished(() => rmSync(state, { recursive: true, force: true }));
    this.env = { ...GIT_ENV, XDG_STATE_HOME: state };
    this.git(['init', '--quiet', '--initial-branch=main']);
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    this.git(['add', '--all']);
    this.git(['commit', '--quiet', '--allow-empty', '-m', 'Begin']);
  }

  override coord(
    args: string[],
    options: { input?: string; env?: Record<string, string>; cwd?: string } = {},
  ): Promise<Ran> {
    return super.coord(args, { ...options, env: { ...this.env, ...options.env } });
  }

  override typed(args: string[], env: Record<string, string> = {}): void {
    super.typed(args, { ...this.env, ...env });
  }

  override start(args: string[], env: Record<string, string> = {}): ReturnType<Rig['start']> {
    return super.start(args, { ...this.env, ...env });
  }

  /** Runs git here, or in a folder of this project. @returns what it says, without the last line feed */
  git(args: string[], folder = '.'): string {
    const env = scrubbedEnv(this.env ?? GIT_ENV);
    return execFileSync('git', args, { cwd: join(this.cwd, folder), env, encoding: 'utf8', stdio: 'pipe' }).trimEnd();
  }

  /** Whether git says yes. */
  gitSays(args: string[], folder = '.'): boolean {
    try {
      this.git(args, folder);
      return true;
    } catch {
      return false;
    }
  }

  /** Of the n-th attempt at a task, from the project. */
  worktree(task: string, attempt = 1): string {
    return `.claude/worktrees/coord-${task}.${attempt}`;
  }

  /** Writes a file in a worktree and commits it there, as a worker does. */
  commit(task: string, files: Record<string, string>, attempt = 1): void {
    const folder = this.worktree(task, attempt);
    for (const [name, text] of Object.entries(files)) this.write(join(folder, name), text);
    this.git(['add', '--all'], folder);
    this.git(['commit', '--quiet', '-m', `Work on ${task}`], folder);
  }

  /** A board with worktrees and these tasks, each claimed by `w1`, `w2` … */
  async begin(tasks: number, more: string[] = []): Promise<void> {
    await this.ok(['leader', 'init', 'goal', '--worktrees', ...more]);
    for (let n = 1; n <= tasks; n++) await this.ok(['leader', 'add-task', `do ${n}`]);
    for (let n = 1; n <= tasks; n++) await this.ok(['worker', 'claim', `w${n}`]);
  }

  task(id: string) {
    const task = this.board().tasks.find((one) => one.id === id);
    if (!task) throw new Error(`there is no ${id}`);
    return task;
  }

  /** What the board's branch holds of a file. */
  landed(file: string, branch = 'coord/main'): string {
    return this.git(['show', `${branch}:${file}`]);
  }

  /** An executable script on a PATH of its own, in front of all others. */
  tool(name: string, script: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'coord-tool-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, name), script, { mode: 0o755 });
    return `${folder}:${process.env['PATH']}`;
  }
}
