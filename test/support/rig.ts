/** A temporary project and the built binary in it, as a user has them. */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Board } from '../../src/model/board.ts';

export const BIN = fileURLToPath(new URL('../../bin/coord.cjs', import.meta.url));

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The environment without anything that would change what coord does. */
export function scrubbedEnv(extra: Record<string, string> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^(COORD|NO_COLOR|FORCE_COLOR|NODE_|VITEST)/.test(name),
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), TZ: 'UTC', ...extra };
}

export class Rig {
  readonly cwd: string;

  constructor() {
    this.cwd = mkdtempSync(join(tmpdir(), 'coord-test-'));
    onTestFinished(() => rmSync(this.cwd, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  }

  /** Runs `coord <args>` to its end. */
  coord(args: string[], options: { input?: string; env?: Record<string, string>; cwd?: string } = {}): Promise<Ran> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [BIN, ...args],
        { cwd: options.cwd ?? this.cwd, env: scrubbedEnv(options.env), maxBuffer: 100_000_000 },
        (error, stdout, stderr) =>
          resolve({ code: error ? ((error.code as number | undefined) ?? null) : 0, stdout, stderr }),
      );
      child.stdin?.on('error', () => {});
      child.stdin?.end(options.input ?? '');
    });
  }

  /** Runs `coord <args>` and expects success. @returns stdout */
  async ok(
    args: string[],
    options: { input?: string; env?: Record<string, string>; cwd?: string } = {},
  ): Promise<string> {
    const ran = await this.coord(args, options);
    if (ran.code !== 0) throw new Error(`coord ${args.join(' ')} ended with ${ran.code}: ${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  }

  /** Runs `coord <args>` as somebody does who sits at a terminal: `script` gives it one. It must succeed. */
  typed(args: string[], env: Record<string, string> = {}): void {
    const words = [process.execPath, BIN, ...args].map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`);
    execFileSync('script', ['-qec', words.join(' '), '/dev/null'], {
      cwd: this.cwd,
      env: scrubbedEnv(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** The `--json` answer of a command, whatever its exit code. */
  async json<T = Record<string, unknown>>(args: string[]): Promise<T> {
    const ran = await this.coord([...args, '--json']);
    return JSON.parse(ran.stdout === '' ? ran.stderr : ran.stdout) as T;
  }

  /** Starts `coord <args>` and leaves it running; it is killed when the test ends. */
  start(
    args: string[],
    env: Record<string, string> = {},
  ): { child: ChildProcess; output: () => string; errors: () => string; ended: Promise<Ran> } {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: this.cwd,
      env: scrubbedEnv(env),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise<Ran>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
    onTestFinished(() => void child.kill('SIGKILL'));
    return { child, output: () => stdout, errors: () => stderr, ended };
  }

  path(name: string): string {
    return join(this.cwd, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  exists(name: string): boolean {
    return existsSync(this.path(name));
  }

  board(): Board {
    return JSON.parse(this.read('.coordination/tasks.json')) as Board;
  }

  /** Every file below the folder with its text: to show that nothing changed. */
  snapshot(folder = '.'): Record<string, string> {
    const files: Record<string, string> = {};
    const visit = (name: string): void => {
      for (const entry of readdirSync(this.path(name))) {
        const path = join(name, entry);
        if (statSync(this.path(path)).isDirectory()) visit(path);
        else files[path] = this.read(path);
      }
    };
    visit(folder);
    return files;
  }
}

/** Waits until it is true; the bound is only against hanging. */
export async function until(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const start = Date.now();
  while (!(await isTrue())) {
    if (Date.now() - start > 60_000) throw new Error(`still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a process sleeps on a watch of the kernel: there is no other sign of a waiter that stands. Linux. */
export function isWatching(pid: number | undefined): boolean {
  const folder = `/proc/${pid}/fdinfo`;
  try {
    return readdirSync(folder).some((fd) => readFileSync(`${folder}/${fd}`, 'latin1').includes('inotify wd:'));
  } catch {
    return false; // it ended, or a descriptor was closed while we looked
  }
}
