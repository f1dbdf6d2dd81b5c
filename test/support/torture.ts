/**
 * The torture: many processes on one board, killed and paused at random, with somebody editing tasks.json by hand; then
 * an oracle that knows nothing but what was acknowledged and what is on disk.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Board } from '../../src/model/board.ts';
import { examine, initStore, openStore } from '../../src/store/open.ts';

export interface TortureOptions {
  processes: number;
  /** Stops at so many acknowledged changes, or after so many seconds. */
  operations: number;
  seconds: number;
  /** The folder of the bundled children. */
  children: string;
  lock: boolean;
  canLink: boolean;
  /** Whether disks and clocks are at fault too: calls that are answered wrongly, short writes, no space, an hour ahead. */
  faults: boolean;
  /** `in place` tears tasks.json by itself, so no raw reader looks for torn files then. */
  editor: 'rename' | 'in place' | 'none';
  /** Milliseconds between two kills, and between two pauses of up to 2.5 s, which is longer than the lock's `stale`; on average. */
  killEveryMs: number;
  pauseEveryMs: number;
}

export interface TortureReport {
  violations: string[];
  figures: Record<string, number>;
}

interface Line {
  ack?: string;
  try?: string;
  token?: string;
  task?: string;
  attempt?: number;
  already?: boolean;
  seen?: number;
  refused?: string;
  why?: string;
}

/** Of a disk that is nearly full, and of a network mount that repeats calls whose answer was lost. */
const FAULTS = [
  { call: 'linkSync', on: '.commits/', error: 'EEXIST', after: true, chance: 0.05 },
  { call: 'linkSync', on: '.commits/', error: 'EIO', after: false, chance: 0.01 },
  { call: 'renameSync', on: '.commits/', error: 'EIO', after: true, chance: 0.03 },
  { call: 'renameSync', on: '.pending', error: 'EIO', after: true, chance: 0.02 },
  { call: 'renameSync', on: 'results', error: 'ETIMEDOUT', after: true, chance: 0.02 },
  { call: 'openSync', on: '.tmp', error: 'ENOSPC', chance: 0.01 },
  { call: 'writevSync', on: '.tmp', short: true, chance: 0.05 },
  { call: 'writevSync', on: '.tmp', error: 'ENOSPC', chance: 0.02 },
  { call: 'writeSync', on: 'logs', short: true, chance: 0.02 },
  { call: 'unlinkSync', on: '.tmp', error: 'EIO', after: true, chance: 0.01 },
  { call: 'mkdirSync', on: '.lock', error: 'EIO', chance: 0.01 },
];

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function torture(options: TortureOptions): Promise<TortureReport> {
  const cwd = mkdtempSync(join(tmpdir(), 'coord-torture-'));
  try {
    return await tortureIn(cwd, options);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

async function tortureIn(cwd: string, options: TortureOptions): Promise<TortureReport> {
  await initStore({ goal: 'torture' }, { cwd });
  const dir = join(cwd, '.coordination');
  const logs = join(cwd, 'acks');
  mkdirSync(logs);
  const figures = {
    processes: options.processes,
    acknowledged: 0,
    kills: 0,
    pauses: 0,
    edits: 0,
    rejected: 0,
    reads: 0,
    missing: 0,
    revisions: 0,
    seconds: 0,
  };
  const violations: string[] = [];
  const alive = new Map<string, ChildProcess>();
  let isOver = false;
  let runs = 0;

  const begin = (worker: string): void => {
    const run = String(runs++);
    const args = [
      join(options.children, 'torture-child.mjs'),
      dir,
      worker,
      run,
      join(logs, `${worker}.${run}`),
      String(options.lock),
      String(options.canLink),
    ];
    const isOff = options.faults && alive.size % 4 === 0; // every fourth machine's clock
    const preload = options.faults ? ['--require', join(options.children, 'faults.cjs')] : [];
    const child = spawn(process.execPath, [...preload, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        ...(options.faults ? { FAULTS: JSON.stringify(FAULTS), CLOCK_AHEAD: isOff ? '3600' : '0' } : {}),
      },
    });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    child.on('exit', (code) => {
      if (code !== null && code !== 0) violations.push(`${worker} ended with ${code}: ${complaint.slice(0, 500)}`);
      if (isOver || code !== null) alive.delete(worker);
      else begin(worker);
    });
    alive.set(worker, child);
  };
  const workers = Array.from({ length: options.processes }, (_, i) => `w${i}`);
  for (const worker of workers) begin(worker);

  const start = Date.now();
  const someone = (): ChildProcess | undefined => alive.get(workers[Math.floor(Math.random() * workers.length)] ?? '');
  const tormentors: Promise<void>[] = [];
  const torment = (isOn: boolean, every: number, act: () => void | Promise<void>): void => {
    if (!isOn) return;
    tormentors.push(
      (async () => {
        // oxlint-disable-next-line no-unmodified-loop-condition -- set below, between two awaits
        while (!isOver) {
          await sleep(every * (0.5 + Math.random()));
          if (!isOver) await act();
        }
      })(),
    );
  };
  torment(true, options.killEveryMs, () => {
    if (someone()?.kill('SIGKILL')) figures.kills++;
  });
  torment(true, options.pauseEveryMs, async () => {
    const child = someone();
    if (!child?.kill('SIGSTOP')) return;
    figures.pauses++;
    await sleep(2300 * Math.random() + 200);
    child.kill('SIGCONT');
  });
  const tokens: string[] = [];
  torment(options.editor !== 'none', 120, () => {
    const token = `x${figures.edits}`;
    if (!editByHand(join(dir, 'tasks.json'), token, options.editor === 'rename')) return;
    tokens.push(token);
    figures.edits++;
  });
  torment(options.editor !== 'in place', 15, () => {
    figures.reads++;
    try {
      JSON.parse(readFileSync(join(dir, 'tasks.json'), 'utf8'));
    } catch (error) {
      // Between two steps of a publisher it is missing for an instant; torn it must never be.
      if (String(error).includes('ENOENT')) figures.missing++;
      else violations.push(`a reader saw a torn tasks.json: ${String(error)}`);
    }
  });

  const acknowledged = (): Line[] => readLogs(logs).filter((line) => line.ack !== undefined);
  while (Date.now() - start < options.seconds * 1000 && acknowledged().length < options.operations && alive.size > 0)
    await sleep(500);
  isOver = true;
  await Promise.all(tormentors);
  for (const child of alive.values()) {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
  }
  while (alive.size > 0) await sleep(20);
  figures.seconds = Math.round((Date.now() - start) / 1000);

  // The lock may be left behind; the protocol must not mind, and the oracle does not either.
  const notices: string[] = [];
  const store = openStore({ dir, canLink: options.canLink, notice: (message) => notices.push(message) });
  await sleep(2500); // older than this, what a dead publisher moved aside counts as left behind
  await store.addTasks({ tasks: [{ description: 'the last', key: 'the-last' }] });
  await store.claim({ worker: 'the-last' });
  const board = await store.read();
  const results = new Map((await store.results()).map((result) => [result.task_id, result]));
  const lines = readLogs(logs);
  figures.acknowledged = acknowledged().length;
  figures.revisions = board.revision;
  const rejected = namesIn(join(dir, 'rejected')).map((name) => readFileSync(join(dir, 'rejected', name), 'utf8'));
  figures.rejected = rejected.length;
  violations.push(...judge(board, lines, results, tokens, rejected), ...checkReads(logs));
  for (const finding of await examine({ dir }, false)) {
    if (
      !finding.ok &&
      !['lock', 'scratch files', 'results'].includes(finding.check) &&
      !finding.message.includes('never acknowledged')
    )
      violations.push(`doctor: ${finding.check}: ${finding.message}`);
  }
  return { violations, figures };
}

/** Adds a field of its own to a task, as an agent with an editor would. @returns false when there was nothing to edit */
function editByHand(file: string, token: string, byRename: boolean): boolean {
  let board: Board;
  try {
    board = JSON.parse(readFileSync(file, 'utf8')) as Board;
  } catch {
    return false;
  }
  const task = board.tasks[Math.floor(Math.random() * board.tasks.length)];
  if (!task) return false;
  (task as Record<string, unknown>)[token] = true;
  if (byRename) {
    writeFileSync(`${file}.edit`, JSON.stringify(board));
    renameSync(`${file}.edit`, file);
  } else writeFileSync(file, JSON.stringify(board));
  return true;
}

/** What must hold, from the acknowledgements and the disk alone. */
export function judge(
  board: Board,
  lines: Line[],
  results: Map<string, { output: string; worker: string }>,
  tokens: string[],
  rejected: string[],
): string[] {
  const violations: string[] = [];
  const byId = new Map(board.tasks.map((task) => [task.id, task]));
  if (byId.size !== board.tasks.length) violations.push('two tasks have one id');

  const added = new Map<string, number>();
  for (const task of board.tasks) added.set(task.description, (added.get(task.description) ?? 0) + 1);
  const tried = new Set(lines.filter((line) => line.try === 'add').map((line) => line.token));
  for (const [description, count] of added) {
    if (count > 1) violations.push(`${description} was added ${count} times`);
    if (!tried.has(description) && description !== 'the last') violations.push(`${description} was never asked for`);
  }
  // What was refused has not happened; of `outcome-unknown` nobody says so.
  for (const { refused, token = '', why } of lines)
    if (
      refused === 'store-unavailable' &&
      (added.has(token) || [...results.values()].some(({ output }) => output === token))
    )
      violations.push(`refused, and done all the same: ${token}: ${why}`);
  const holders = new Map<string, string>();
  let changes = 0;
  for (const line of lines) {
    const { ack, token = '', task = '', attempt = 0 } = line;
    const worker = token.split('-')[0] ?? '';
    if (ack === undefined) continue;
    changes++;
    if (ack === 'add' && byId.get(task)?.description !== token)
      violations.push(`lost: ${token} was acknowledged as ${task}`);
    if (ack === 'claim') {
      const key = `${task} attempt ${attempt}`;
      const holder = holders.get(key) ?? worker;
      if (holder !== worker) violations.push(`held by two: ${key} by ${holder} and ${worker}`);
      holders.set(key, worker);
    }
    if (ack === 'complete') {
      const stored = byId.get(task);
      if (stored?.status !== 'done' || stored.claimed_by !== worker || stored.attempt !== attempt)
        violations.push(`lost: completion of ${task} by ${token}`);
      if (results.get(task)?.output !== token)
        violations.push(`lost: the result of ${task} by ${token}, there is ${results.get(task)?.output}`);
    }
  }
  for (const task of board.tasks) {
    if (task.status === 'done' && !results.has(task.id)) violations.push(`${task.id} is done without a result`);
    const holder = holders.get(`${task.id} attempt ${task.attempt}`);
    const byAnother = task.status === 'claimed' && holder !== undefined && holder !== task.claimed_by;
    if (byAnother)
      violations.push(`${task.id} attempt ${task.attempt} was acknowledged to ${holder} but is ${task.claimed_by}'s`);
  }
  // Each acknowledged change made a revision of its own; a claim or renewal that changed nothing says so by no answer.
  const silent = lines.filter((line) => line.ack === 'renew' || line.already === true).length;
  if (board.revision < changes - silent)
    violations.push(`${changes} changes but only ${board.revision} revisions: one was used twice`);
  const text = JSON.stringify(board);
  for (const token of tokens) {
    if (!text.includes(`"${token}":`) && !rejected.some((edit) => edit.includes(`"${token}":`)))
      violations.push(`lost: the hand edit ${token}`);
  }
  return violations;
}

/** No process ever saw the board go back in revision. */
export function checkReads(logs: string): string[] {
  const violations: string[] = [];
  for (const name of namesIn(logs)) {
    let last = 0;
    for (const line of parseLines(readFileSync(join(logs, name), 'utf8'))) {
      if (line.seen === undefined) continue;
      if (line.seen < last) violations.push(`${name} read revision ${line.seen} after ${last}`);
      last = line.seen;
    }
  }
  return violations;
}

export function readLogs(logs: string): Line[] {
  return namesIn(logs).flatMap((name) => parseLines(readFileSync(join(logs, name), 'utf8')));
}

/** The last line may be cut short by a kill. */
function parseLines(text: string): Line[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
