/** Worktrees over MCP: the claim says where to work, handing in lands. */
import { beforeEach, expect, test } from 'vitest';
import { Agent } from '../../support/mcp.ts';
import { Repository } from '../../support/repository.ts';

let repo: Repository;
let agent: Agent;
beforeEach(async () => {
  repo = new Repository({ 's.txt': 'first\n', 'a.txt': 'a\n' });
  await repo.ok(['leader', 'init', 'goal', '--worktrees']);
  for (const n of [1, 2]) await repo.ok(['leader', 'add-task', `do ${n}`]);
  agent = await Agent.start(repo, { env: repo.env });
});

test('claim, refused, committed, landed; sent back with both sides, and again', async () => {
  const first = (await agent.call('claim_task', { worker: 'w1' })).data;
  expect(first).toMatchObject({
    branch: 'coord/task-001.1',
    worktree: repo.path(repo.worktree('task-001')),
    next: expect.stringContaining('commit in the worktree'),
  });
  const second = (await agent.call('claim_task', { worker: 'w2' })).data;
  expect(second).toMatchObject({ branch: 'coord/task-002.1' });
  const refused = await agent.call('complete_task', { worker: 'w1', task_id: 'task-001', output: 'x' });
  expect([refused.isError, refused.text]).toEqual([true, expect.stringContaining('no_changes')]);
  repo.commit('task-001', { 's.txt': 'one\n' });
  repo.commit('task-002', { 's.txt': 'two\n' });
  expect((await agent.call('complete_task', { worker: 'w1', task_id: 'task-001', output: 'x' })).data).toMatchObject({
    status: 'done',
    landing: expect.stringMatching(/^task-001 landed on coord\/main as [0-9a-f]{12}$/),
  });
  const back = (await agent.call('complete_task', { worker: 'w2', task_id: 'task-002', output: 'x' })).data;
  expect(back).toMatchObject({ status: 'available', landing: expect.stringContaining('by task-001') });
  expect((await agent.call('claim_task', { worker: 'w2' })).data).toMatchObject({
    branch: 'coord/task-002.2',
    task: { last_error: expect.stringContaining('conflicts with coord/main') },
  });
  expect(repo.gitSays(['merge', 'coord/main'], repo.worktree('task-002', 2))).toBe(false);
  repo.commit('task-002', { 's.txt': 'one\ntwo\n' }, 2);
  expect((await agent.call('complete_task', { worker: 'w2', task_id: 'task-002', output: 'x' })).data).toMatchObject({
    status: 'done',
  });
  expect(repo.landed('s.txt')).toBe('one\ntwo');
});

test('no_changes hands in what changed nothing', async () => {
  await agent.call('claim_task', { worker: 'w1' });
  const done = await agent.call('complete_task', {
    worker: 'w1',
    task_id: 'task-001',
    output: 'looked',
    no_changes: true,
  });
  expect([done.isError, done.data['status']]).toEqual([false, 'done']);
});

test('init_coordination, get_task and get_status say where things stand', async () => {
  await agent.call('claim_task', { worker: 'w1' });
  repo.commit('task-001', { 'b.txt': 'b\n' });
  await agent.call('complete_task', { worker: 'w1', task_id: 'task-001', output: 'x' });
  const { data } = await agent.call('get_task', { task_id: 'task-001' });
  expect(data).toMatchObject({
    task: { status: 'done', landed: { branch: 'coord/main', commit: repo.git(['rev-parse', 'coord/main']) } },
  });
});
