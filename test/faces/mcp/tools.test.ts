/** What a client sees of `coord mcp`, and that every answer says the same in both of its forms. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Agent, ERAS } from '../../support/mcp.ts';
import { BIN, Rig, scrubbedEnv, until } from '../../support/rig.ts';

const NAMES = [
  'init_coordination',
  'create_task',
  'claim_task',
  'complete_task',
  'get_status',
  'add_discovery',
  'wait_for_task',
  'ask_leader',
  'send_message',
  'get_task',
  'fail_task',
  'release_task',
];

async function board(...tasks: string[]): Promise<Rig> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Build a REST API']);
  for (const task of tasks) await rig.ok(['leader', 'add-task', task]);
  return rig;
}

describe.each(ERAS)('the %s era', (era) => {
  test('lists twelve tools in their order, strict, small, and each with the shape of its answer', async () => {
    const agent = await Agent.start(new Rig(), { era });
    const { tools } = await agent.client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(NAMES);
    expect(JSON.stringify(tools).length / 4).toBeLessThanOrEqual(1800);
    for (const tool of tools) {
      expect(tool.inputSchema, tool.name).toMatchObject({ type: 'object', additionalProperties: false });
      expect(tool.outputSchema, tool.name).toMatchObject({ type: 'object', properties: { revision: {} } });
      expect(tool.annotations, tool.name).toMatchObject({ openWorldHint: false });
    }
    const loaded = tools.filter((tool) => tool._meta?.['anthropic/alwaysLoad'] === true).map((tool) => tool.name);
    expect(loaded).toEqual(['claim_task', 'complete_task']);
    expect(agent.client.getInstructions()?.length).toBeLessThan(350);
    const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(agent.client.getServerVersion()).toMatchObject({ name: 'coordination', version: manifest.version });
  });

  test('from an empty folder to a result, over this protocol alone', async () => {
    const rig = new Rig();
    const leader = await Agent.start(rig, { era, args: ['--worker', 'lead'] });
    expect((await leader.call('get_status')).text).toMatch(/^not-initialised: .*Next: init_coordination/);
    expect(await leader.ok('init_coordination', { goal: 'Build it', master_plan: 'Step by step' })).toMatchObject({
      created: true,
      you: 'lead',
    });
    expect(rig.read('.coordination/master-plan.md')).toContain('Step by step');
    expect(await leader.ok('init_coordination', { goal: 'Another' })).toMatchObject({
      created: false,
      goal: 'Build it',
    });
    expect(
      await leader.ok('create_task', {
        tasks: [
          { key: 'model', description: 'Create User model', priority: 1, files: ['src/user.ts'], hints: 'zod' },
          { description: 'Create login', dependencies: ['model'] },
        ],
      }),
    ).toMatchObject({ ids: ['task-001', 'task-002'], status: { available: 1, blocked: 1 } });

    const worker = await Agent.start(rig, { era, args: ['--worker', 'terminal-2'] });
    expect(await worker.ok('claim_task')).toMatchObject({
      claimed: true,
      task: { id: 'task-001', description: 'Create User model', files: ['src/user.ts'], hints: 'zod' },
      attempt: 1,
    });
    expect(await worker.ok('claim_task')).toMatchObject({ claimed: true, already: true, task: { id: 'task-001' } });
    expect(await leader.ok('claim_task')).toMatchObject({
      claimed: false,
      reason: 'blocked',
      waiting_for: [{ task_id: 'task-001', worker: 'terminal-2' }],
      next: 'wait_for_task',
    });
    await worker.ok('add_discovery', { content: 'Ids are UUIDs', tags: ['db'], task_id: 'task-001' });
    expect(
      await worker.ok('complete_task', {
        task_id: 'task-001',
        output: 'User in src/user.ts',
        files_created: ['src/user.ts'],
      }),
    ).toMatchObject({ id: 'task-001', status: 'done', now_claimable: ['task-002'] });
    expect(
      await worker.ok('complete_task', {
        task_id: 'task-001',
        output: 'User in src/user.ts',
        files_created: ['src/user.ts'],
      }),
    ).toMatchObject({ already: true });
    expect(await worker.ok('claim_task')).toMatchObject({ task: { id: 'task-002', builds_on: ['task-001'] } });
    expect(await worker.ok('get_task', { task_id: 'task-002' })).toMatchObject({
      task: { id: 'task-002', claimed_by: 'terminal-2' },
      builds_on: [{ id: 'task-001', output: 'User in src/user.ts', files: ['src/user.ts'] }],
    });
    expect(await worker.ok('get_task', { task_id: 'task-001' })).toMatchObject({
      result: { output: 'User in src/user.ts', files_created: ['src/user.ts'] },
      discoveries: [{ content: 'Ids are UUIDs', tags: ['db'] }],
    });
    expect(await worker.ok('release_task', { task_id: 'task-002', reason: 'half done' })).toMatchObject({
      status: 'available',
    });
    expect(await worker.ok('claim_task')).toMatchObject({ task: { note: 'terminal-2: half done' } });
    expect(await worker.ok('fail_task', { task_id: 'task-002', error: 'no schema', retry: false })).toMatchObject({
      status: 'failed',
      attempts_left: 0,
    });
    expect(await worker.ok('claim_task')).toMatchObject({ claimed: false, reason: 'drained' });
    expect(await leader.ok('get_status')).toMatchObject({
      you: 'lead',
      goal: 'Build it',
      counts: { total: 2, done: 1, failed: 1 },
      failed: [{ id: 'task-002', last_error: 'terminal-2: no schema' }],
    });
    expect(await leader.ok('get_status', { view: 'workers' })).toMatchObject({
      workers: [{ worker: 'terminal-2', done: 1 }],
    });
    expect(await leader.ok('get_status', { view: 'discoveries' })).toMatchObject({
      discoveries: [{ content: 'Ids are UUIDs', worker: 'terminal-2' }],
    });
  });

  test('a success says the same as text and as data, and an error says what to do', async () => {
    const rig = await board('one', 'two');
    const agent = await Agent.start(rig, { era, args: ['--worker', 'w'] });
    const calls: [string, Record<string, unknown>][] = [
      ['get_status', {}],
      ['get_status', { view: 'tasks', limit: 1 }],
      ['create_task', { description: 'three' }],
      ['claim_task', {}],
      ['get_task', { task_id: 'task-001' }],
      ['add_discovery', { content: 'x' }],
      ['wait_for_task', { timeout_seconds: 1 }],
      ['complete_task', { task_id: 'task-001', output: 'done' }],
    ];
    for (const [name, args] of calls) {
      const answer = await agent.call(name, args); // the client itself checks the data against the output schema
      expect(answer.isError, answer.text).toBe(false);
      expect(JSON.parse(answer.text), name).toEqual(answer.data);
      expect(answer.data['revision'], name).toEqual(expect.any(Number));
    }
  });
});

test.each([
  ['claim_task', { taskId: 'task-002' }, /^invalid-input: .*unknown field "taskId".* Next: correct/],
  ['claim_task', { task_id: 'task-009' }, /^task-not-found: No task task-009.* Next: get_status/],
  ['claim_task', { task_id: 'task-1' }, /^task-not-found: .*Did you mean task-001\?/],
  ['claim_task', { lease_seconds: 0 }, /^invalid-input: lease_seconds/],
  ['create_task', {}, /^invalid-input: .*description/],
  ['create_task', { description: 'x', tasks: [{ description: 'y' }] }, /^invalid-input: Either tasks/],
  ['create_task', { description: 'x', dependencies: ['task-099'] }, /^dependency-unknown: .* Next: get_status/],
  ['create_task', { tasks: [{ description: 'a', priority: 11 }] }, /^invalid-input: tasks\[0\]\.priority/],
  ['complete_task', { task_id: 'task-001', output: 'x' }, /^claim-lost: .* Next: claim_task/],
  ['complete_task', { task_id: 'task-001' }, /^invalid-input: output/],
  ['fail_task', { task_id: 'task-001', error: 'x' }, /^claim-lost/],
  ['release_task', { task_id: 'task-001' }, /^claim-lost/],
  ['get_task', { task_id: 'nope' }, /^task-not-found/],
  ['get_status', { view: 'everything' }, /^invalid-input: view/],
  ['get_status', { cursor: 'x' }, /^invalid-input: cursor/],
  ['add_discovery', { content: 'x', task_id: 'task-099' }, /^task-not-found/],
  ['wait_for_task', { timeout: 5 }, /^invalid-input: .*unknown field "timeout"/],
])('%s with %j is refused in words that help, and nothing changes', async (name, args, words) => {
  const rig = await board('one', 'two');
  const agent = await Agent.start(rig, { args: ['--worker', 'w'] });
  const before = rig.read('.coordination/tasks.json');
  const answer = await agent.call(name, args);
  expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(words) as string });
  expect(rig.read('.coordination/tasks.json')).toBe(before);
});

test('a broken tasks.json is an error for every tool, not the end of the server', async () => {
  const rig = await board('one');
  const agent = await Agent.start(rig);
  rig.write('.coordination/tasks.json', '{ "tasks": [');
  expect((await agent.call('claim_task')).text).toMatch(/^tasks-malformed: .*coord doctor/);
  await rig.ok(['doctor', '--fix']);
  expect(await agent.ok('claim_task')).toMatchObject({ claimed: true });
});

test('an answer stays small, and a list has a cursor, on a board of a thousand tasks', async () => {
  const rig = await board();
  const tasks = Array.from({ length: 1000 }, (_, i) => ({
    description: `Implement the endpoint number ${i + 1} with its validation`,
    files: [`src/routes/endpoint-${i + 1}.ts`],
    hints: 'Use zod for validation',
  }));
  const agent = await Agent.start(rig, { args: ['--worker', 'terminal-2'] });
  await agent.ok('create_task', { tasks });
  expect((await agent.call('claim_task')).text.length).toBeLessThanOrEqual(600);
  expect((await agent.call('get_status')).text.length).toBeLessThanOrEqual(1500);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const answer = await agent.ok('get_status', {
      view: 'tasks',
      limit: 100,
      ...(cursor === undefined ? {} : { cursor }),
    });
    seen.push(...(answer['tasks'] as { id: string }[]).map((task) => task.id));
    cursor = answer['next_cursor'] as string | undefined;
  } while (cursor !== undefined);
  expect(seen).toEqual(rig.board().tasks.map((task) => task.id));
});

test('who calls without a name is who the session is', async () => {
  const rig = await board('one', 'two', 'three');
  const byFlag = await Agent.start(rig, { args: ['--worker', 'flag'], env: { COORD_WORKER: 'env' } });
  const byEnv = await Agent.start(rig, { env: { COORD_WORKER: 'env' } });
  const bySession = await Agent.start(rig, { env: { CLAUDE_CODE_SESSION_ID: '12345678-aaaa-bbbb' } });
  for (const agent of [byFlag, byEnv, bySession]) await agent.ok('claim_task');
  expect(rig.board().tasks.map((task) => task.claimed_by)).toEqual(['flag', 'env', 'claude-12345678']);
  // A subagent shares the process, and says who it is.
  await rig.ok(['leader', 'add-task', 'four']);
  expect(await byFlag.ok('claim_task', { worker: 'helper' })).toMatchObject({ task: { id: 'task-004' } });
});

test('resources and prompts', async () => {
  const rig = await board('Create User model', 'Create login');
  const { client } = await Agent.start(rig, { args: ['--worker', 'terminal-2'] });
  const { resources } = await client.listResources();
  expect(resources.map((resource) => resource.uri)).toEqual([
    'coord://status',
    'coord://plan',
    'coord://discoveries',
    'coord://task/task-001',
    'coord://task/task-002',
  ]);
  const read = async (uri: string): Promise<string> => {
    const [content] = (await client.readResource({ uri })).contents as { text: string }[];
    return content?.text ?? '';
  };
  expect(JSON.parse(await read('coord://status'))).toMatchObject({ counts: { total: 2 } });
  expect(await read('coord://plan')).toContain('Build a REST API');
  expect(JSON.parse(await read('coord://task/task-002'))).toMatchObject({ task: { description: 'Create login' } });
  await expect(read('coord://task/task-009')).rejects.toThrow(/task-not-found/);
  const completed = await client.complete({
    ref: { type: 'ref/resource', uri: 'coord://task/{id}' },
    argument: { name: 'id', value: 'task-00' },
  });
  expect(completed.completion.values).toEqual(['task-001', 'task-002']);

  const { prompts } = await client.listPrompts();
  expect(prompts.map((prompt) => prompt.name)).toEqual(['leader', 'worker', 'handoff']);
  const prompt = async (name: string, args: Record<string, string>): Promise<string> => {
    const [message] = (await client.getPrompt({ name, arguments: args })).messages;
    return (message!.content as { text: string }).text;
  };
  expect(await prompt('leader', { goal: 'Ship 2.0' })).toContain('Goal: Ship 2.0');
  expect(await prompt('worker', {})).toContain('You are terminal-2');
  expect(await prompt('handoff', { task_id: 'task-001' })).toContain('release_task {"task_id": "task-001"');
  // Whoever reads these calls tools: no command of the worker's loop is left in them.
  expect(await prompt('worker', { name: 'w' })).not.toContain('coord worker');
});

test('every byte on stdout is JSON-RPC, whatever comes in', async () => {
  const rig = await board('one');
  const child = spawn(process.execPath, [BIN, 'mcp', '--json'], { cwd: rig.cwd, env: scrubbedEnv() });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const send = (message: unknown): boolean =>
    child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  send({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  });
  send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  send('not json');
  send({ jsonrpc: '2.0', id: 2, method: 'no/such' });
  send({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'no_such_tool', arguments: {} } });
  send({ jsonrpc: '2.0', id: 4, method: 'tools/call', params: { name: 'claim_task', arguments: {} } });
  await until(() => /"id":4/.test(stdout), 'the last answer');
  child.stdin.end();
  expect(await ended).toBe(0);
  const messages = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { jsonrpc: string; id?: number });
  expect(messages.every((message) => message.jsonrpc === '2.0')).toBe(true);
  expect(messages.map((message) => message.id)).toEqual(expect.arrayContaining([1, 2, 3, 4]));
});

/** Claude Code asks in the new protocol first, and goes on in the old one when the answer comes too late for it. */
test('a probe of the new protocol, then the old handshake on the same connection', async () => {
  const rig = await board('one');
  const child = spawn(process.execPath, [BIN, 'mcp'], { cwd: rig.cwd, env: scrubbedEnv() });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  const send = (message: unknown): boolean => child.stdin.write(`${JSON.stringify(message)}\n`);
  const answer = async (id: number): Promise<unknown> => {
    await until(() => stdout.split('\n').some((line) => line.includes(`"id":${id}`)), `answer ${id}`);
    const line = stdout.split('\n').find((text) => text.includes(`"id":${id}`)) ?? '';
    return (JSON.parse(line) as { result: unknown }).result;
  };
  send({
    jsonrpc: '2.0',
    id: 1,
    method: 'server/discover',
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'claude-code', version: '2' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  });
  expect(await answer(1)).toMatchObject({ supportedVersions: expect.arrayContaining(['2026-07-28']) as string[] });
  send({
    jsonrpc: '2.0',
    id: 2,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'claude-code', version: '2' } },
  });
  expect(await answer(2)).toMatchObject({ protocolVersion: '2025-11-25' });
  send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  send({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'claim_task', arguments: {} } });
  expect(await answer(3)).toMatchObject({ structuredContent: { claimed: true } });
});

test('a server in a linked worktree works on the board of the main one', async () => {
  const rig = await board('one');
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: rig.cwd, stdio: 'pipe' });
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'x');
  git('worktree', 'add', '-q', '.claude/worktrees/w1');
  const agent = await Agent.start(rig, {
    env: { CLAUDE_PROJECT_DIR: rig.path('.claude/worktrees/w1'), COORD_WORKER: 'w' },
  });
  expect(await agent.ok('claim_task')).toMatchObject({ task: { id: 'task-001' } });
  expect(rig.board().tasks[0]?.claimed_by).toBe('w');
});

test('options may stand before the command, as in what the orchestrator starts', async () => {
  const rig = await board('one');
  const child = rig.start(['--dir', rig.path('.coordination'), 'mcp', '--worker', 'w']);
  child.child.stdin?.end();
  expect(await child.ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

test('coord mcp config prints an entry that starts from anywhere', async () => {
  const rig = await board('one');
  const { mcpServers } = JSON.parse(await rig.ok(['mcp', 'config', '--worker', 'terminal-7'])) as {
    mcpServers: { coordination: { command: string; args: string[] } };
  };
  const { command, args } = mcpServers.coordination;
  expect(args.slice(1)).toEqual(['mcp', '--worker', 'terminal-7']);
  const child = spawn(command, args, { cwd: rig.cwd, env: scrubbedEnv(), stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.stdin.end();
  expect(await ended).toBe(0);
});
