/**
 * One worker of the torture: random verbs as fast as it can, each told to a file of its own, before (`try`) and after
 * (`ack`). It may be killed or paused at any moment; what it acknowledged must stand.
 */
import { appendFileSync } from 'node:fs';
import { CoordError } from '../../src/model/errors.ts';
import { openStore } from '../../src/store/open.ts';

const [dir = '', worker = '', run = '', log = '', lock = 'true', canLink = 'true'] = process.argv.slice(2);
const store = openStore({ dir, durable: false, lock: lock === 'true', canLink: canLink === 'true', env: process.env });
const tell = (line: object): void => appendFileSync(log, `${JSON.stringify(line)}\n`);
const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(Math.random() * list.length)];

/** What a worker among others must reckon with, and, where the disk is at fault, what that makes of it. */
const EXPECTED = [
  'claim-lost',
  'not-claimable',
  'worker-busy',
  'task-state',
  'outcome-unknown',
  'tasks-malformed',
  ...(process.env['FAULTS'] === undefined ? [] : ['store-unavailable']),
];
/** Enough tasks that everybody finds one, few enough that a commit stays small. */
const MAX_TASKS = 250;
const LEASE_SECONDS = 2;

for (let n = 0; ; n++) {
  const token = `${worker}-${run}-${n}`;
  try {
    await step(token);
  } catch (error) {
    if (!(error instanceof CoordError)) throw error;
    tell({ refused: error.code, token, why: error.message });
    if (!EXPECTED.includes(error.code)) throw error;
  }
}

async function step(token: string): Promise<void> {
  const board = await store.read();
  tell({ seen: board.revision });
  const mine = board.tasks.find((task) => task.status === 'claimed' && task.claimed_by === worker);
  const chance = Math.random();
  if (chance < 0.2 && board.tasks.length < MAX_TASKS) {
    tell({ try: 'add', token });
    const { tasks } = await store.addTasks({ tasks: [{ description: token }] });
    tell({ ack: 'add', token, task: tasks[0]?.id });
  } else if (!mine || chance < 0.3) {
    tell({ try: 'claim', token });
    const { task } = await store.claim({ worker, lease_seconds: LEASE_SECONDS });
    if (task) tell({ ack: 'claim', token, task: task.id, attempt: task.attempt });
  } else if (chance < 0.5) {
    tell({ try: 'renew', token });
    await store.renew({ worker });
    tell({ ack: 'renew', token });
  } else if (chance < 0.7 || board.tasks.length >= MAX_TASKS) {
    tell({ try: 'complete', token, task: mine.id });
    const { already } = await store.complete({ worker, task_id: mine.id, output: token, attempt: mine.attempt });
    tell({ ack: 'complete', token, task: mine.id, attempt: mine.attempt, already });
  } else if (chance < 0.85) {
    tell({ try: 'release', token });
    await store.release({ worker, task_id: mine.id, attempt: mine.attempt });
    tell({ ack: 'release', token });
  } else {
    const other = pick(board.tasks.filter((task) => task.status === 'available'));
    if (!other) return;
    tell({ try: 'edit', token });
    await store.editTask({ task_id: other.id, max_attempts: 100, priority: 1 + Math.floor(Math.random() * 10) });
    tell({ ack: 'edit', token });
  }
}
