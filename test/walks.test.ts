/** The walks of docs/architecture.md stay as short as it says: counted by what a command does with files. */
import { onTestFinished, expect, test } from 'vitest';
import { Orchestrator } from '../src/runner/orchestrator.ts';
import { initStore } from '../src/store/open.ts';
import { Agent } from './support/mcp.ts';
import { Calls } from './support/calls.ts';
import { Rig, scrubbedEnv } from './support/rig.ts';

const count = (lines: readonly string[], pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;

/** How often the board was looked for, a revision read, and one made. */
function walk(lines: readonly string[]): { looks: number; reads: number; commits: number } {
  return {
    looks: count(lines, /^lstat .*\/\.git$/),
    reads: count(lines, /^read .*\.commits\/\w+\/\d+\.json$/),
    commits: count(lines, /^link .*\.commits\/\w+\/\d+\.json$/),
  };
}

async function board(): Promise<{ rig: Rig; calls: Calls }> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'walks']);
  for (const task of ['a', 'b', 'c']) await rig.ok(['leader', 'add-task', task]);
  return { rig, calls: new Calls(rig) };
}

test.each([
  ['worker claim', ['worker', 'claim', 'w']],
  ['worker done', ['worker', 'done', 'w', 'task-001', 'x']],
  ['worker fail', ['worker', 'fail', 'w', 'task-001', 'x']],
  ['worker release', ['worker', 'release', 'w', 'task-001']],
  ['worker heartbeat', ['worker', 'heartbeat', 'w']],
  ['leader add-task', ['leader', 'add-task', 'd']],
  ['leader edit', ['leader', 'edit', 'task-002', '-p', '1']],
])('%s: one look for the board, one read, one commit', async (name, args) => {
  const { rig, calls } = await board();
  if (name !== 'worker claim') await rig.ok(['worker', 'claim', 'w']);
  await rig.ok(args, { env: calls.env });
  expect(walk(calls.since())).toEqual({ looks: 1, reads: 1, commits: 1 });
});

test.each([
  ['leader', 'status'],
  ['leader', 'list'],
  ['worker', 'list'],
])('%s %s: one look, one read, no commit', async (...args) => {
  const { rig, calls } = await board();
  await rig.ok(args, { env: calls.env });
  expect(walk(calls.since())).toEqual({ looks: 1, reads: 1, commits: 0 });
});

test('a worker that holds two tasks renews the other with the same commit', async () => {
  const { rig, calls } = await board();
  await rig.ok(['worker', 'claim', 'w']);
  const other = rig.board().tasks[0];
  rig.write(
    '.coordination/tasks.json',
    JSON.stringify({
      ...rig.board(),
      tasks: rig
        .board()
        .tasks.map((task) => (task.id === 'task-002' ? { ...task, status: 'claimed', claimed_by: 'w' } : task)),
    }),
  );
  await rig.ok(['leader', 'status']);
  await rig.ok(['worker', 'done', 'w', 'task-002', 'x'], { env: calls.env });
  expect(walk(calls.since())).toEqual({ looks: 1, reads: 1, commits: 1 });
  expect(rig.board().tasks[0]?.lease_expires_at?.localeCompare(other?.lease_expires_at ?? '')).toBe(1);
});

test('claim_task, complete_task and create_task over MCP: one read and one commit each, however they are answered', async () => {
  const { rig, calls } = await board();
  const agent = await Agent.start(rig, { env: calls.env });
  await agent.call('get_status');
  for (const [tool, input] of [
    ['create_task', { description: 'd' }],
    ['claim_task', {}],
    ['complete_task', { task_id: 'task-001', output: 'x' }],
  ] as const) {
    calls.since();
    await agent.call(tool, input);
    const { reads, commits } = walk(calls.since());
    expect([tool, reads <= 1, commits]).toEqual([tool, true, 1]);
  }
});

test.each(['session-start', 'stop', 'pre-tool-use', 'post-tool-use'])(
  'the hook %s: one look, at most one read',
  async (event) => {
    const { rig, calls } = await board();
    const input = JSON.stringify({
      session_id: 's',
      cwd: rig.cwd,
      tool_name: 'Edit',
      tool_input: { file_path: rig.path('a.ts') },
    });
    await rig.coord(['hook', event], { input, env: { ...calls.env, COORD_WORKER: 'w' } });
    const { looks, reads, commits } = walk(calls.since());
    expect([looks, reads <= 1, commits]).toEqual([1, true, 0]);
  },
);

test('an attempt is two commits: its claim, and what came of it', async () => {
  const rig = new Rig();
  const { store } = await initStore({ goal: 'walks' }, { cwd: rig.cwd });
  await store.addTasks({ tasks: [{ description: 'a' }, { description: 'b' }] });
  const { revision } = await store.read();
  const done = {
    ok: true,
    structured: undefined,
    costUsd: 0,
    text: 'x',
    filesCreated: [],
    filesModified: [],
    denied: [],
  } as const;
  await using orchestrator = new Orchestrator({
    workingDirectory: rig.cwd,
    maxWorkers: 1,
    coord: [],
    env: scrubbedEnv(),
    agent: {
      check: async () => {},
      run: async () => ({ ...done, filesCreated: [], filesModified: [], denied: [] }),
      killAll: () => {},
    },
  });
  onTestFinished(() => store.close());
  await orchestrator.runWithPredefinedTasks();
  expect((await store.read()).revision).toBe(revision + 4);
});
