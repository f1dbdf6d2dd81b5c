/** The gate over MCP: answers before the client's limit, one run for several calls, nothing that an agent could forge. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { Agent } from '../../support/mcp.ts';
import { Rig, until } from '../../support/rig.ts';

let rig: Rig;
let env: Record<string, string>;
beforeEach(async () => {
  rig = new Rig();
  const state = mkdtempSync(join(tmpdir(), 'coord-state-'));
  onTestFinished(() => rmSync(state, { recursive: true, force: true }));
  env = { XDG_STATE_HOME: state };
  await rig.ok(['leader', 'init', 'g'], { env });
});

const allow = (command: string): void => rig.typed(['trust', 'check', command], env);

test('checks come with create_task, are shown by claim_task, and hold complete_task until they are green', async () => {
  const agent = await Agent.start(rig, { args: ['--worker', 'w'], env });
  await agent.ok('create_task', { description: 'do it', checks: ['test -f ok.txt'] });
  expect(await agent.ok('claim_task')).toMatchObject({ task: { checks: ['test -f ok.txt'] } });
  const hand = { task_id: 'task-001', output: 'did it' };
  expect((await agent.call('complete_task', hand)).text).toMatch(/^check-not-allowed: .*coord trust check/);
  allow('test -f ok.txt');
  const red = await agent.call('complete_task', hand);
  expect(red.text).toMatch(/^check-failed: .*exit 1/);
  expect(Buffer.byteLength(red.text)).toBeLessThan(1200);
  rig.write('ok.txt', '');
  expect(await agent.ok('complete_task', hand)).toMatchObject({ status: 'done' });
  const forged = { ...hand, proof: { runs: [{ command: 'test -f ok.txt', exit_code: 0, duration_ms: 1, tail: '' }] } };
  expect((await agent.call('complete_task', forged)).text).toMatch(/^invalid-input/);
});

test('a long check: the answer is checking, and the next call attaches to the same run', async () => {
  const agent = await Agent.start(rig, { args: ['--worker', 'w'], env: { ...env, COORD_MCP_WAIT_MAX: '1' } });
  const check = 'echo x >> ran.txt; sleep 4';
  await agent.ok('create_task', { description: 'do it', checks: [check] });
  allow(check);
  await agent.ok('claim_task');
  const hand = { task_id: 'task-001', output: 'did it' };
  expect(await agent.ok('complete_task', hand)).toMatchObject({
    status: 'checking',
    next: expect.stringContaining('again'),
  });
  let answer: Record<string, unknown> = {};
  await until(async () => {
    answer = await agent.ok('complete_task', hand);
    return answer['status'] !== 'checking';
  }, 'the check ends');
  expect(answer).toMatchObject({ status: 'done' });
  expect(rig.read('ran.txt')).toBe('x\n');
});

test('over HTTP there is no tree: it is submitted, and checked where the tree is', async () => {
  await rig.ok(['leader', 'add-task', 'do it', '--check', 'test -f ok.txt'], { env });
  const token = (await rig.ok(['mcp', 'token', 'far'], { env })).trim();
  const server = rig.start(['mcp', '--http', '--port', '0'], env);
  await until(() => /serving http/.test(server.errors()), 'the server to listen');
  const agent = await Agent.overHttp(/serving (\S+),/.exec(server.errors())?.[1] ?? '', token);
  await agent.ok('claim_task');
  expect(await agent.ok('complete_task', { task_id: 'task-001', output: 'did it' })).toMatchObject({
    status: 'submitted',
  });
  expect(rig.board().tasks[0]).toMatchObject({ evidence: { verdict: 'unchecked' } });
  allow('test -f ok.txt');
  expect((await rig.coord(['leader', 'approve', 'task-001'], { env })).code).toBe(4);
  rig.write('ok.txt', '');
  expect(await rig.ok(['check', 'task-001'], { env })).toBe('task-001 done\n');
  expect(rig.board().tasks[0]).toMatchObject({ status: 'done', claimed_by: 'far', evidence: { verdict: 'green' } });
  // Nor is a change of a protected file done unseen, whoever names it or not.
  await rig.ok(['leader', 'defaults', '--protect', 'package.json'], { env });
  await rig.ok(['leader', 'add-task', 'two'], { env });
  await agent.ok('claim_task');
  expect(await agent.ok('complete_task', { task_id: 'task-002', output: 'x' })).toMatchObject({ status: 'submitted' });
  server.child.kill('SIGINT');
});
