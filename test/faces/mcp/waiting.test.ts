/** Standing by: a wait costs nothing, misses nothing, and ends when it should. */
import { describe, expect, test } from 'vitest';
import { Agent, ERAS } from '../../support/mcp.ts';
import { Rig, until } from '../../support/rig.ts';

async function idleBoard(): Promise<Rig> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Wait']);
  return rig;
}

describe.each(ERAS)('wait_for_task, %s era', (era) => {
  test('wakes when another process adds a task, having told at once what it waits for', async () => {
    const rig = await idleBoard();
    await rig.ok(['leader', 'add-task', 'one']);
    await rig.ok(['worker', 'claim', 'terminal-3']);
    const agent = await Agent.start(rig, { era, name: 'claude-code', args: ['--worker', 'w'] });
    const told: string[] = [];
    const start = Date.now();
    const waiting = agent.call('wait_for_task', {}, { onprogress: ({ message }) => told.push(message ?? '') });
    await until(() => told.length > 0, 'the first progress');
    expect(told[0]).toBe('waiting: 1 task left, waiting for task-001 (claimed by terminal-3)');
    await rig.ok(['leader', 'add-task', 'two']);
    const added = Date.now();
    expect((await waiting).data).toMatchObject({
      changed: true,
      claimable: 1,
      reason: 'claimable',
      next: 'claim_task',
    });
    // Twenty times what it needs, as the machine may be busy: it is woken, not polled, after some milliseconds.
    expect(Date.now() - added).toBeLessThan(2000);
    expect(Date.now() - start).toBeLessThan(30_000);
  });

  test('misses no write between looking and waiting', async () => {
    const rig = await idleBoard();
    const agent = await Agent.start(rig, { era, args: ['--worker', 'w'] });
    const { revision } = await agent.ok('get_status');
    await rig.ok(['leader', 'add-task', 'one']);
    await rig.ok(['worker', 'claim', 'other']);
    expect(await agent.ok('wait_for_task', { after_revision: revision })).toMatchObject({
      changed: true,
      reason: 'changed',
      waited_seconds: 0,
      next: 'wait_for_task',
    });
  });

  test('says at once that all is settled, and stands by for whoever knows that', async () => {
    const rig = await idleBoard();
    await rig.ok(['leader', 'add-task', 'one']);
    await rig.ok(['leader', 'cancel', 'task-001']);
    const agent = await Agent.start(rig, { era, args: ['--worker', 'w'] });
    const drained = await agent.ok('wait_for_task');
    expect(drained).toMatchObject({ reason: 'drained', next: expect.stringContaining('stop') as string });
    const waiting = agent.call('wait_for_task', { after_revision: drained['revision'] });
    await rig.ok(['leader', 'add-task', 'two']);
    expect((await waiting).data).toMatchObject({ changed: true, reason: 'claimable' });
  });

  test('is cut to what the client allows, and a time-out is a success', async () => {
    const rig = await idleBoard();
    const agent = await Agent.start(rig, { era, env: { COORD_MCP_WAIT_MAX: '1' } });
    expect(await agent.ok('wait_for_task', { timeout_seconds: 3000 })).toMatchObject({
      changed: false,
      reason: 'empty',
      waited_seconds: 1,
      next: 'wait_for_task',
    });
  });

  test('ends when it is cancelled, and nothing has changed', async () => {
    const rig = await idleBoard();
    const agent = await Agent.start(rig, { era });
    const before = rig.snapshot('.coordination');
    const cancel = new AbortController();
    const told: string[] = [];
    const waiting = agent.call('wait_for_task', {}, { signal: cancel.signal, onprogress: () => told.push('') });
    await until(() => told.length > 0, 'the wait to begin');
    cancel.abort();
    await expect(waiting).rejects.toThrow();
    // The connection goes on.
    expect(await agent.ok('get_status')).toMatchObject({ counts: { total: 0 } });
    expect(rig.snapshot('.coordination')).toEqual(before);
  });

  test('does not keep the process when the client goes', async () => {
    const rig = await idleBoard();
    const agent = await Agent.start(rig, { era });
    const { pid } = agent;
    const told: string[] = [];
    const waiting = agent.call('wait_for_task', {}, { onprogress: () => told.push('') }).catch(() => {});
    await until(() => told.length > 0, 'the wait to begin');
    await Promise.all([agent.client.close(), waiting]);
    const closed = Date.now();
    await until(() => !isAlive(pid), 'the process to end');
    expect(Date.now() - closed).toBeLessThan(20_000);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('the server renews the leases of its claims, and only while it lives', async () => {
  const rig = await idleBoard();
  await rig.ok(['leader', 'add-task', 'one']);
  const agent = await Agent.start(rig, { args: ['--worker', 'w'] });
  const { lease_expires_at } = await agent.ok('claim_task', { lease_seconds: 3 });
  const leaseEnd = (): string => rig.board().tasks[0]?.lease_expires_at ?? '';
  await until(() => leaseEnd() > (lease_expires_at as string), 'the lease to be renewed');
  // Another worker cannot have it, well past its first three seconds.
  await until(() => Date.now() > Date.parse(lease_expires_at as string) + 500, 'the first lease to be over');
  expect((await rig.coord(['worker', 'claim', 'other'])).code).toBe(3);
  await agent.client.close();
  const taken = await rig.json(['worker', 'claim', 'other', '--wait', '--timeout', '60s']);
  expect(taken).toMatchObject({ taken_over_from: 'w', task: { id: 'task-001' } });
});

test('a task that was handed in is renewed no longer', async () => {
  const rig = await idleBoard();
  await rig.ok(['leader', 'add-task', 'one']);
  const agent = await Agent.start(rig, { args: ['--worker', 'w'] });
  const { lease_expires_at } = await agent.ok('claim_task', { lease_seconds: 1 });
  await agent.ok('complete_task', { task_id: 'task-001', output: 'done' });
  const { revision } = rig.board();
  // Several renewals of a lease of a second would have come.
  await until(() => Date.now() > Date.parse(lease_expires_at as string) + 500, 'the lease to be long over');
  expect(rig.board().revision).toBe(revision);
});

test('clients are told when the list of tasks has changed', async () => {
  const rig = await idleBoard();
  const agent = await Agent.start(rig);
  let changes = 0;
  agent.client.setNotificationHandler('notifications/resources/list_changed', () => void changes++);
  await agent.client.listResources();
  await rig.ok(['leader', 'add-task', 'one']);
  await until(() => changes > 0, 'a notification');
  expect((await agent.client.listResources()).resources.map((resource) => resource.name)).toContain('task-001');
});
