/**
 * A real repository, workers that claim, commit and hand in with the built binary, forced conflicts, a dirty user checkout, and
 * landers that may be killed at random. At the end what stands on the branch is compared with what was handed in.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Board } from '../../src/model/board.ts';

export interface LandingRunOptions {
  /** An empty folder. */
  dir: string;
  bin: string;
  env: Record<string, string>;
  tasks: number;
  workers: number;
  /** Files that the tasks append to: the fewer, the more conflicts. */
  shared: number;
  /** Milliseconds that the check takes. */
  checkMs: number;
  /** `coord land --loop` beside the workers, which land what they hand in too. */
  landers?: number;
  /** A lander, or a worker's `done`, is killed about this often. */
  killEveryMs?: number;
  /** A second clone works on the same board, through a bare remote. */
  clones?: boolean;
}

export interface LandingRun {
  violations: string[];
  figures: Record<'seconds' | 'ofChecks' | 'bounces' | 'kills' | 'landed', number>;
}

/** Exits with 1 on a marker of a conflict, and takes its time. */
const CHECK = `import { readdirSync, readFileSync } from 'node:fs';
for (const name of readdirSync('.')) if (name.endsWith('.txt') && /^[<=>]{7}/m.test(readFileSync(name, 'utf8'))) process.exit(1);
setTimeout(() => {}, Number(process.argv[2]));
`;

export async function landingRun(options: LandingRunOptions): Promise<LandingRun> {
  const { dir, bin, tasks, workers, shared, checkMs, landers = 0, killEveryMs, clones = false } = options;
  const env = { ...options.env };
  const main = join(dir, 'main');
  mkdirSync(main);
  const git = (folder: string, ...args: string[]): string =>
    execFileSync('git', args, { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trimEnd();
  git(main, 'init', '--quiet', '--initial-branch=main');
  for (let n = 0; n < shared; n++) writeFileSync(join(main, `shared-${n}.txt`), 'first line\n');
  writeFileSync(join(main, 'check.mjs'), CHECK);
  git(main, 'add', '--all');
  git(main, 'commit', '--quiet', '-m', 'Begin');
  const places = [main];
  if (clones) {
    git(dir, 'clone', '--quiet', '--bare', 'main', 'remote.git');
    git(main, 'remote', 'add', 'origin', join(dir, 'remote.git'));
    git(dir, 'clone', '--quiet', 'remote.git', 'other');
    places.push(join(dir, 'other'));
  }
  // What its user was at when the run began.
  writeFileSync(join(main, 'shared-0.txt'), 'first line\nnot committed\n');
  writeFileSync(join(main, 'untracked.txt'), 'mine\n');

  const running = new Set<ChildProcess>();
  const coord = (cwd: string, args: string[]): Promise<{ code: number | null; text: string }> =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [bin, '--dir', main, ...args], { cwd, env }, (error, stdout, stderr) => {
        running.delete(child);
        resolve({ code: error ? (typeof error.code === 'number' ? error.code : null) : 0, text: stdout + stderr });
      });
      if (args[1] === 'done') running.add(child);
    });
  const ok = async (...args: string[]): Promise<string> => {
    const { code, text } = await coord(main, args);
    if (code !== 0) throw new Error(`coord ${args.join(' ')}: ${code} ${text}`);
    return text;
  };
  const check = `node check.mjs ${checkMs}`;
  await ok('leader', 'init', 'run', '--worktrees', '--check', check, ...(clones ? ['--remote', 'origin'] : []));
  allow(main, bin, env, check);
  const list = Array.from({ length: tasks }, (_, n) => ({
    description: `append ${n + 1}`,
    key: `t${n + 1}`,
    // As a hint, not as files: claims would keep clear of each other by those.
    hints: `shared-${Math.floor(n / 2) % shared}.txt`,
    max_attempts: 100,
  }));
  writeFileSync(join(dir, 'tasks.json'), JSON.stringify(list));
  await ok('leader', 'import', join(dir, 'tasks.json'));
  const before = filesOf(main);

  const start = Date.now();
  const over = new AbortController();
  let kills = 0;
  const loops = Array.from({ length: landers }, async (_, n) => {
    while (!over.signal.aborted) {
      const child = spawn(process.execPath, [bin, '--dir', main, 'land', '--loop'], {
        cwd: places[n % places.length],
        env,
        stdio: 'ignore',
      });
      running.add(child);
      await new Promise((resolve) => child.once('exit', resolve));
      running.delete(child);
    }
  });
  const killer =
    killEveryMs === undefined
      ? undefined
      : setInterval(() => {
          const all = [...running];
          const one = all[Math.floor(Math.random() * all.length)];
          if (one?.kill('SIGKILL') === true) kills++;
        }, killEveryMs);
  const work = async (n: number): Promise<void> => {
    const place = places[n % places.length] ?? main;
    for (;;) {
      const claim = await coord(place, ['worker', 'claim', `w${n}`, '--wait', '--timeout', '60s', '--json']);
      if (claim.code === 5) continue;
      if (claim.code !== 0) return;
      const { task, worktree } = JSON.parse(claim.text.slice(0, claim.text.lastIndexOf('}') + 1)) as {
        task: { id: string; context: { hints: string } };
        worktree: string;
      };
      const path = join(worktree, task.context.hints);
      // What was sent back is merged first, both sides kept.
      try {
        git(worktree, 'merge', '--quiet', '-m', 'Merge', clones ? 'origin/coord/main' : 'coord/main');
      } catch {
        writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/^(?:<<<<<<<|=======|>>>>>>>).*\n/gm, ''));
        git(worktree, 'commit', '--quiet', '-am', `Merge for ${task.id}`);
      }
      if (!readFileSync(path, 'utf8').includes(`${task.id}\n`)) {
        appendFileSync(path, `${task.id}\n`);
        writeFileSync(join(worktree, `${task.id}.txt`), 'own\n');
        git(worktree, 'add', '--all');
        git(worktree, 'commit', '--quiet', '-m', `Do ${task.id}`);
      }
      const done = await coord(place, ['worker', 'done', `w${n}`, task.id, 'appended']);
      if (done.code !== 0 && done.code !== null && done.code !== 4) throw new Error(`done: ${done.code} ${done.text}`);
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, n) => work(n)));
  clearInterval(killer);
  await ok('land').catch(() => {});
  const seconds = (Date.now() - start) / 1000;
  over.abort();
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(loops);

  const violations: string[] = [];
  const board = JSON.parse(readFileSync(join(main, '.coordination/tasks.json'), 'utf8')) as Board;
  const branch = clones ? 'origin/coord/main' : 'coord/main';
  if (clones) git(main, 'fetch', '--quiet', 'origin');
  const landed = git(
    main,
    'log',
    '--first-parent',
    '--format=%(trailers:key=Coord-Task,valueonly,separator=%x20)',
    branch,
  )
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const texts = Array.from({ length: shared }, (_, n) => git(main, 'show', `${branch}:shared-${n}.txt`)).join('\n');
  for (const task of board.tasks) {
    const times = landed.filter((id) => id === task.id).length;
    if (times !== 1) violations.push(`${task.id} landed ${times} times`);
    if (task.status !== 'done') violations.push(`${task.id} is ${task.status}: ${task.last_error}`);
    const lines = texts.split('\n').filter((line) => line === task.id).length;
    if (lines !== 1) violations.push(`the line of ${task.id} stands ${lines} times on the branch`);
  }
  for (const folder of clones ? [...places, join(dir, 'remote.git')] : places) {
    const fsck = git(folder, 'fsck', '--no-dangling', '--strict');
    if (fsck !== '') violations.push(`fsck in ${folder}: ${fsck}`);
    const fences = git(folder, 'for-each-ref', 'refs/coord/landing/');
    if (fences !== '') violations.push(`fences left: ${fences}`);
  }
  const after = filesOf(main);
  if (JSON.stringify(before) !== JSON.stringify(after)) violations.push("the user's checkout was touched");
  if (git(main, 'rev-parse', 'main') !== git(main, 'rev-list', '--max-parents=0', 'main'))
    violations.push("the user's branch moved");
  const bounces = readdirSync(join(main, '.coordination/logs'))
    .filter((name) => name.endsWith('.jsonl') || name.endsWith('.log'))
    .flatMap((name) => readFileSync(join(main, '.coordination/logs', name), 'utf8').split('\n'))
    .filter((line) => line.includes('send-back')).length;
  return {
    violations,
    figures: { seconds, ofChecks: seconds / ((tasks * checkMs) / 1000), bounces, kills, landed: landed.length },
  };
}

/** As a person does at a terminal. */
function allow(cwd: string, bin: string, env: Record<string, string>, check: string): void {
  execFileSync('script', ['-qec', `'${process.execPath}' '${bin}' trust check '${check}'`, '/dev/null'], {
    cwd,
    env,
    stdio: 'pipe',
  });
}

/** The user's files, with what they hold and when they were written. */
function filesOf(folder: string): [string, string, number][] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.') && existsSync(join(folder, name)))
    .map((name) => [name, readFileSync(join(folder, name), 'utf8'), statSync(join(folder, name)).mtimeMs]);
}
