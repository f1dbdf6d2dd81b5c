/** Runs whose tasks must be proven: the same session is told once what was red; another agent, or a person, looks at the rest. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { RunEvent } from '../../src/runner/events.ts';
import { Project } from '../support/claude.ts';
import { until } from '../support/rig.ts';

let project: Project;
let env: Record<string, string>;
beforeEach(() => {
  project = new Project();
  const state = mkdtempSync(join(tmpdir(), 'coord-state-'));
  onTestFinished(() => rmSync(state, { recursive: true, force: true }));
  env = { ...project.env, XDG_STATE_HOME: state };
});

const resume = (more: string[], extra: Record<string, string> = {}) =>
  project.coord(['orchestrate', 'resume', '-w', '1', '--json', ...more], { env: { ...env, ...extra } });
const events = (stdout: string): RunEvent[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);

test('a red check resumes the same session once, and what it mends is done in the same attempt', async () => {
  await project.tasks('do it');
  const ran = await resume(['--check', 'test -f mended.txt || { echo "mended.txt is missing"; exit 1; }'], {
    FAKE_CLAUDE_MENDS: 'mended.txt',
  });
  expect(ran.code).toBe(0);
  const [first, second] = project.starts();
  const session = first?.args?.[first.args.indexOf('--session-id') + 1];
  expect(second?.args).toEqual(expect.arrayContaining(['--resume', session]));
  expect(second?.prompt).toContain('mended.txt is missing');
  expect(project.board().tasks[0]).toMatchObject({
    status: 'done',
    attempt: 1,
    cost_usd: 0.02,
    evidence: { verdict: 'green' },
  });
  expect(events(ran.stdout).map(({ type }) => type)).toContain('check');
  expect(project.read('.coordination/summary.md')).toContain('Checked: green');
});

test('red again, the attempt has failed with the evidence', async () => {
  await project.tasks({ description: 'do it', max_attempts: 1 });
  const ran = await resume(['--check', 'echo "still wrong"; exit 1']);
  expect(ran.code).toBe(1);
  expect(project.starts()).toHaveLength(2);
  expect(project.board().tasks[0]).toMatchObject({
    status: 'failed',
    last_error: expect.stringContaining('still wrong'),
    evidence: { verdict: 'red', times: 2 },
  });
});

test('what cannot be checked is handed in all the same, and waits for a person', async () => {
  await project.tasks('do it');
  const ran = await resume(['--check', 'no-such-tool']);
  expect([ran.code, project.starts().length]).toEqual([1, 1]);
  expect(events(ran.stdout).at(-1)).toMatchObject({ type: 'settled', outcome: 'review' });
  expect(project.board().tasks[0]).toMatchObject({
    status: 'submitted',
    attempt: 1,
    evidence: { verdict: 'unchecked' },
  });
  // What an agent asks for is not allowed by that.
  await project.coord(['leader', 'retry', 'task-001'], { env });
  const agents = await project.coord(['orchestrate', 'resume', '--check', 'touch ran.txt'], {
    env: { ...env, CLAUDECODE: '1' },
  });
  expect(agents.code).not.toBe(0);
  expect(project.exists('ran.txt')).toBe(false);
});

test('one more agent reviews: read-only, sends back with reasons, approves', async () => {
  await project.tasks('do it');
  const ran = await resume(['--review', 'agent'], { FAKE_CLAUDE_REVIEW: 'send back once' });
  expect(ran.code).toBe(0);
  const workers = project.starts().map(({ worker }) => worker);
  expect(workers).toEqual(['worker-1', 'reviewer-of-worker-1', 'worker-1', 'reviewer-of-worker-1']);
  const [, review, again] = project.starts();
  expect(review?.args).toEqual(expect.arrayContaining(['--disallowedTools', 'Write', 'Edit']));
  expect(again?.prompt).toContain('The empty list is not handled');
  expect(project.board().tasks[0]).toMatchObject({
    status: 'done',
    claimed_by: 'worker-1',
    bounces: 1,
    reviewed: { by: 'reviewer-of-worker-1' },
  });
});

test('stopped while it is checked: what was done is handed in, and the next run goes on from there', async () => {
  await project.tasks('do it');
  const check = ['--check', 'test -f go.txt || sleep 60'];
  const run = project.start(['orchestrate', 'resume', '-w', '1', ...check], env);
  await until(() => project.noted().some(({ event }) => event === 'end'), 'the agent to end');
  run.child.kill('SIGINT');
  expect((await run.ended).code).toBe(130);
  expect(project.board().tasks[0]).toMatchObject({
    status: 'submitted',
    attempt: 1,
    evidence: { verdict: 'unchecked' },
  });
  project.write('go.txt', '');
  expect((await resume(check)).code).toBe(0);
  expect(project.board().tasks[0]).toMatchObject({ status: 'done', attempt: 1, evidence: { verdict: 'green' } });
  expect(project.starts()).toHaveLength(1);
});

test('a review of the leader is waited for', async () => {
  await project.tasks('do it', { description: 'then this', dependencies: ['#1'] });
  const run = project.start(['orchestrate', 'resume', '-w', '1', '--review', 'leader'], env);
  await until(() => project.board().tasks[0]?.status === 'submitted', 'the first to be handed in');
  await project.ok(['leader', 'approve', 'task-001'], { env });
  await until(() => project.board().tasks[1]?.status === 'submitted', 'the second to be handed in');
  await project.ok(['leader', 'approve', 'task-002'], { env });
  expect((await run.ended).code).toBe(0);
});

test('worker run hands in through the gate too', async () => {
  await project.ok(['leader', 'init', 'A goal', '--check', 'test -f made.txt'], { env });
  await project.ok(['leader', 'add-task', 'do it'], { env });
  const typed = await project.coord(['worker', 'run', 'w', '--', 'sh', '-c', 'touch made.txt'], { env });
  // Nobody has allowed the check: it is handed in, and waits for somebody who may.
  expect([typed.code, project.board().tasks[0]?.status]).toEqual([3, 'submitted']);
});
