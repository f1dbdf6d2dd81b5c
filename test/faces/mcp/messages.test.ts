/** Questions and messages over MCP. */
import { beforeEach, expect, test } from 'vitest';
import { Agent } from '../../support/mcp.ts';
import { isWatching, Rig, until } from '../../support/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = new Rig();
  await rig.ok(['leader', 'init', 'G']);
  await rig.ok(['leader', 'add-task', 'Store dates']);
});
const worker = { COORD_WORKER: 'terminal-2' };

test('ask_leader waits like wait_for_task, and has the answer of whoever leads, typed or called', async () => {
  const agent = await Agent.start(rig, { env: worker });
  const leader = await Agent.start(rig, { env: { COORD_WORKER: 'leader' } });
  await agent.ok('claim_task');
  for (const [question, answer] of [
    ['UTC?', () => rig.ok(['leader', 'answer', 'task-001', 'yes'])],
    ['Tabs?', () => leader.ok('send_message', { answers: 'task-001', text: 'no' })],
  ] as const) {
    const asked = agent.ok('ask_leader', { question });
    await until(
      async () => (await rig.json<{ questions: unknown[] }>(['leader', 'status'])).questions.length === 1,
      question,
    );
    await answer();
    expect(await asked).toMatchObject({
      id: 'task-001',
      answered: true,
      by: 'leader',
      answer: question === 'UTC?' ? 'yes' : 'no',
    });
  }
  expect(await leader.ok('get_status')).not.toHaveProperty('questions');
  // Whoever had the answer is not told it again.
  expect(await agent.ok('get_status')).not.toHaveProperty('messages');
});

test('not answered in time it says how to go on, parks, and takes a default', async () => {
  const agent = await Agent.start(rig, { env: worker });
  await agent.ok('claim_task');
  expect(await agent.ok('ask_leader', { question: 'UTC?', timeout_seconds: 1 })).toMatchObject({
    answered: false,
    next: expect.stringContaining('park: true'),
  });
  // The answer that came while nobody waited rides on the next call, whatever that is.
  await rig.ok(['leader', 'answer', 'task-001', 'yes']);
  expect(await agent.ok('get_status')).toMatchObject({
    messages: [{ from: 'leader', task_id: 'task-001', answer: 'yes' }],
  });
  expect(await agent.ok('ask_leader', { question: 'Tabs?', default: 'no', after_seconds: 1 })).toMatchObject({
    answered: true,
    answer: 'no',
    by: 'the default: nobody answered in time',
  });
  expect(await agent.ok('ask_leader', { question: 'May I?', park: true })).toMatchObject({
    answered: false,
    parked: true,
  });
  expect(rig.board().tasks[0]).toMatchObject({ status: 'available', attempt: 1, max_attempts: 4 });
  expect(await agent.ok('claim_task')).toMatchObject({ claimed: false, reason: 'question' });
  await rig.ok(['leader', 'answer', 'task-001', 'you may']);
  expect(await agent.ok('claim_task')).toMatchObject({
    claimed: true,
    task: { asked: { question: 'May I?', answer: 'you may', by: 'leader', earlier: 2 } },
  });
  expect((await agent.call('ask_leader', { question: '' })).text).toContain('invalid-input');
});

test('what is told rides on the next answer, once; whoever waits for a task is woken by it', async () => {
  const agent = await Agent.start(rig, { env: worker });
  await agent.ok('claim_task');
  await rig.ok(['worker', 'discover', 'terminal-3', 'x']);
  await rig.ok(['leader', 'tell', 'terminal-2', 'Leave the migrations alone']);
  expect(await agent.ok('add_discovery', { content: 'y' })).toMatchObject({
    messages: [{ from: 'leader', text: 'Leave the migrations alone' }],
  });
  expect(await agent.ok('add_discovery', { content: 'z' })).not.toHaveProperty('messages');
  const waiting = agent.ok('wait_for_task', { worker: 'terminal-3', timeout_seconds: 30 });
  await until(() => isWatching(agent.pid), 'the wait');
  await rig.ok(['leader', 'tell', 'terminal-3', 'Go home']);
  expect(await waiting).toMatchObject({ reason: 'message', messages: [{ text: 'Go home' }] });
  expect(await agent.ok('get_status', { view: 'messages' })).toMatchObject({
    total: 1,
    messages: [{ text: 'Leave the migrations alone' }],
  });
});

test('send_message reaches one, all, and the leader; what cannot be sent is refused', async () => {
  const agent = await Agent.start(rig, { env: worker });
  const leader = await Agent.start(rig, { env: { COORD_WORKER: 'leader' } });
  await agent.ok('claim_task');
  expect(await agent.ok('send_message', { to: 'leader', text: 'hello' })).toMatchObject({ told: ['leader'] });
  expect(await leader.ok('send_message', { to: 'all', text: 'hi' })).toMatchObject({
    told: ['terminal-2'],
    messages: [{ from: 'terminal-2', text: 'hello' }],
  });
  for (const [args, code] of [
    [{ to: 'nobody', text: 'x' }, 'reader-unknown'],
    [{ to: 'leader', text: '' }, 'invalid-input'],
    [{ text: 'x' }, 'invalid-input'],
    [{ answers: 'task-001', text: 'x' }, 'not-allowed'],
    [{ to: 'all', text: 'x' }, 'not-allowed'],
  ] as const)
    expect((await agent.call('send_message', args)).text).toMatch(new RegExp(`^${code}: `));
});

test('over HTTP a worker does not answer in the name of the leader; a token of the leader does', async () => {
  await rig.ok(['worker', 'claim', 'w']);
  await rig.ok(['worker', 'ask', 'w', 'task-001', 'UTC?']);
  const tokens = Object.fromEntries(
    await Promise.all(['w', 'leader'].map(async (name) => [name, (await rig.ok(['mcp', 'token', name])).trim()])),
  ) as Record<string, string>;
  const server = rig.start(['mcp', '--http', '--port', '0']);
  await until(() => /serving http/.test(server.errors()), 'the server');
  const url = /(http:\S+\/mcp)/.exec(server.errors())?.[1] ?? '';
  const answer = { answers: 'task-001', text: 'yes' };
  expect((await (await Agent.overHttp(url, tokens['w'] ?? '')).call('send_message', answer)).text).toMatch(
    /^not-allowed/,
  );
  expect(await (await Agent.overHttp(url, tokens['leader'] ?? '')).ok('send_message', answer)).toMatchObject({
    told: ['w'],
    open: 0,
  });
});
