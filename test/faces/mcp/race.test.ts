/** Ten servers, both eras, beside the command line, with kill -9: nothing is lost, and no task has two workers. */
import { expect, test } from 'vitest';
import { Agent } from '../../support/mcp.ts';
import { Rig, until } from '../../support/rig.ts';

test('a task added on the command line is claimed over MCP, the next on the command line, each once', async () => {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Mixed']);
  await rig.ok(['leader', 'add-task', 'one']);
  await rig.ok(['leader', 'add-task', 'two']);
  const agent = await Agent.start(rig, { args: ['--worker', 'terminal-2'] });
  expect(await agent.ok('claim_task')).toMatchObject({ task: { id: 'task-001' } });
  expect(await rig.ok(['worker', 'claim', 'terminal-3'])).toMatch(/^task-002 claimed by terminal-3/);
  await agent.ok('complete_task', { task_id: 'task-001', output: 'over MCP' });
  await rig.ok(['worker', 'complete', 'terminal-3', 'task-002', 'by command']);
  expect(await rig.ok(['leader', 'aggregate', '-o', '-'])).toMatch(/over MCP[\s\S]*by command/);
});

test('ten servers and the command line race, and some are killed', async () => {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Race']);
  const agents = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      Agent.start(rig, { era: i % 2 === 0 ? 'legacy' : 'modern', args: ['--worker', `mcp-${i}`] }),
    ),
  );
  const added: string[] = [];
  const claimed: { id: string; worker: string }[] = [];
  const done: { id: string; worker: string }[] = [];

  // Everybody adds.
  await Promise.all([
    ...agents.map(async (agent, i) => {
      for (let n = 0; n < 5; n++)
        added.push(...((await agent.ok('create_task', { description: `m${i}.${n}` }))['ids'] as string[]));
    }),
    ...Array.from({ length: 5 }, async (_, i) => {
      for (let n = 0; n < 2; n++)
        added.push((await rig.json<{ task: { id: string } }>(['leader', 'add-task', `c${i}.${n}`])).task.id);
    }),
  ]);
  expect(new Set(added).size).toBe(60);
  expect(rig.board().tasks).toHaveLength(60);

  // Everybody works; two servers are killed in the middle of it.
  const work = async (agent: Agent, worker: string): Promise<void> => {
    for (;;) {
      const { data } = await agent.call('claim_task', { lease_seconds: 6 });
      if (data['claimed'] !== true) {
        if (data['reason'] === 'drained') return;
        await agent.call('wait_for_task', { timeout_seconds: 2 });
        continue;
      }
      const { id } = data['task'] as { id: string };
      claimed.push({ id, worker });
      const answer = await agent.call('complete_task', { task_id: id, output: `by ${worker}` });
      if (!answer.isError) done.push({ id, worker });
    }
  };
  const command = async (worker: string): Promise<void> => {
    for (;;) {
      const answer = await rig.json<{ task: { id: string } | null; reason?: string }>([
        'worker',
        'claim',
        worker,
        '--wait',
      ]);
      if (!answer.task) return;
      claimed.push({ id: answer.task.id, worker });
      await rig.ok(['worker', 'complete', worker, answer.task.id, `by ${worker}`]);
      done.push({ id: answer.task.id, worker });
    }
  };
  const working = [
    ...agents.map((agent, i) => work(agent, `mcp-${i}`).catch(() => {})), // the killed ones end in an error
    command('cli-1'),
    command('cli-2'),
  ];
  for (const victim of [3, 6]) {
    await until(() => done.length >= victim, 'the work to be under way');
    process.kill(agents[victim]!.pid, 'SIGKILL');
  }
  await Promise.all(working);

  const { tasks } = rig.board();
  expect(tasks.filter((task) => task.status !== 'done')).toEqual([]);
  // Acknowledged once each, by the worker whose result is stored.
  expect(new Set(done.map(({ id }) => id)).size).toBe(done.length);
  for (const { id, worker } of done) {
    expect(tasks.find((task) => task.id === id)?.claimed_by).toBe(worker);
    expect(rig.read(`.coordination/results/${id}.md`)).toContain(`by ${worker}`);
  }
  // Claimed twice only where a killed server's lease had to run out.
  const again = claimed.filter(({ id, worker }) => claimed.some((other) => other.id === id && other.worker !== worker));
  expect(new Set(again.map(({ id }) => id)).size).toBeLessThanOrEqual(2);
});
