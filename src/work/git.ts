/** Git, run in a folder. What a repository has brought along from elsewhere, such as its hooks, is not run by these calls. */
import { execFile } from 'node:child_process';
import { devNull } from 'node:os';
import { CoordError } from '../model/errors.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Characters of an answer at most: a diff of more is cut. */
const MOST_BYTES = 20_000_000;
/** What git itself sets for its hooks: there it names another repository than the folder's. @see git rev-parse --local-env-vars */
const OF_ONE_REPOSITORY =
  /^GIT_(ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|CONFIG|CONFIG_PARAMETERS|CONFIG_COUNT|DIR|GRAFT_FILE|IMPLICIT_WORK_TREE|INDEX_FILE|INTERNAL_SUPER_PREFIX|NO_REPLACE_OBJECTS|OBJECT_DIRECTORY|PREFIX|REPLACE_REF_BASE|SHALLOW_FILE|WORK_TREE)$/;

export interface Answer {
  /** Exit code; null where git could not be started, or was ended. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs it, whatever it answers. @param options.input  for its stdin */
export function runGit(
  cwd: string,
  args: readonly string[],
  env: Env,
  options: { input?: string; signal?: AbortSignal } = {},
): Promise<Answer> {
  return new Promise((done) => {
    const child = execFile(
      'git',
      ['-c', 'core.fsmonitor=false', '-c', `core.hooksPath=${devNull}`, ...args],
      {
        cwd,
        env: { ...env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' },
        maxBuffer: MOST_BYTES,
        ...(options.signal ? { signal: options.signal } : {}),
      },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : null) : 0;
        done({ code, stdout, stderr: stderr === '' && error ? error.message : stderr });
      },
    );
    child.stdin?.on('error', () => {}); // it ended before it had read all: its exit code tells
    child.stdin?.end(options.input ?? '');
  });
}

/** @returns undefined where it says no, or is not there */
export async function git(cwd: string, args: readonly string[], env: Env): Promise<string | undefined> {
  const { code, stdout } = await runGit(cwd, args, env);
  return code === 0 ? stdout : undefined;
}

/** An environment in which git finds the repository of the folder that it is run in. */
export function withoutRepository(env: Env): Env {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !OF_ONE_REPOSITORY.test(name) && !/^GIT_CONFIG_(KEY|VALUE)_/.test(name)),
  );
}

/** @throws CoordError `git-failed` with what git has said */
export async function gitOrThrow(
  cwd: string,
  args: readonly string[],
  env: Env,
  options: { input?: string; signal?: AbortSignal } = {},
): Promise<string> {
  const answer = await runGit(cwd, args, env, options);
  if (answer.code === 0) return answer.stdout;
  throw failed(args, answer);
}

export function failed(args: readonly string[], { code, stderr, stdout }: Answer): CoordError {
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n');
  const command = args
    .filter((arg) => !arg.startsWith('-'))
    .slice(0, 2)
    .join(' ');
  return new CoordError(
    'git-failed',
    `git ${command} ${code === null ? 'could not be run' : `says no (${code})`}: ${said}`,
  );
}

/** Names in an answer of `-z`. */
export function namesOf(list: string | undefined): string[] {
  return (list ?? '').split('\0').filter((name) => name !== '');
}
