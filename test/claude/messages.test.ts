/** The real Claude Code is told, woken and asked: at least once, never a nag. */
import { execFile, execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import type { ModelRequest, Move } from '../support/model-server.ts';
import { startModel } from '../support/model-server.ts';
import { bash, claude, CLAUDE, hasTmux, RULES, surroundings, Terminal, untilWaiting } from '../support/real-claude.ts';
import { BIN, Rig, scrubbedEnv, until } from '../support/rig.ts';

async function project(...tasks: string[]): Promise<Rig> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Say hello']);
  await rig.ok(['worker', 'discover', 'terminal-2', 'hello']);
  for (const task of tasks) await rig.ok(['leader', 'add-task', task]);
  await rig.ok(['setup', 'claude', '--hooks']);
  return rig;
}

/** While the model thinks: between what it was asked and what it answers. */
const meanwhile = (rig: Rig, ...args: string[]): void =>
  void execFileSync(process.execPath, [BIN, ...args], { cwd: rig.cwd, env: scrubbedEnv(), stdio: 'pipe' });
const times = ({ said }: ModelRequest, text: string): number => said.split(`> ${text}`).length - 1;
const unread = async (rig: Rig, name = 'terminal-2'): Promise<number> =>
  (await rig.json<{ messages: unknown[] }>(['inbox', name])).messages.length;

test('killed between showing and answering a message is shown again, and then never', async () => {
  const rig = await project();
  await rig.ok(['leader', 'tell', 'terminal-2', 'm1']);
  const model = await startModel(() => ({ silence: true }));
  onTestFinished(model.close);
  await claude(rig, 'warm up', () => ({ text: 'x' }), [], { COORD_WORKER: 'terminal-9' }); // makes home and PATH
  const child = execFile(CLAUDE, ['-p', 'Work', '--model', 'claude-sonnet-4-5'], {
    cwd: rig.cwd,
    env: surroundings(rig, model.url),
  });
  child.stdin?.end();
  await until(() => model.requests.some((request) => times(request, 'm1') === 1), 'the message in a request');
  child.kill('SIGKILL');
  expect(await unread(rig)).toBe(1);
  const steps: Move[] = [bash('coord worker list'), { text: 'Done.' }];
  const act = ({ toolResults }: ModelRequest): Move => steps[toolResults] ?? { text: 'Done.' };
  const second = await claude(rig, 'Work', act, ['--allowedTools', ...RULES]);
  expect(
    second.requests.map((request) => times(request, 'm1')),
    second.output,
  ).toEqual([1, 1]);
  expect(await unread(rig)).toBe(0);
  const third = await claude(rig, 'Work', act, ['--allowedTools', ...RULES]);
  expect(third.requests.every((request) => times(request, 'm1') === 0)).toBe(true);
});

test('three tools at once bring one delivery', async () => {
  const rig = await project();
  let told = false;
  const session = await claude(
    rig,
    'Work',
    ({ toolResults }) => {
      if (toolResults > 0) return { text: 'Done.' };
      if (!told) meanwhile(rig, 'leader', 'tell', 'terminal-2', 'm1');
      told = true;
      return { tools: ['a', 'b', 'c'].map((name) => bash(`coord worker heartbeat terminal-2 # ${name}`) as never) };
    },
    ['--allowedTools', ...RULES],
  );
  expect(
    session.requests.map((request) => times(request, 'm1')),
    session.output,
  ).toEqual([0, 1]);
  expect(await unread(rig)).toBe(0);
});

test('a message just before the stop holds it up once', async () => {
  const rig = await project();
  let requests = 0;
  const session = await claude(rig, 'Work', () => {
    if (requests++ === 0) meanwhile(rig, 'leader', 'tell', 'terminal-2', 'm1');
    return { text: 'I stop.' };
  });
  // The client shows what holds a stop up as an error, and once more as what the hook said.
  expect(
    session.requests.map((request) => times(request, 'm1') > 0),
    session.output,
  ).toEqual([false, true]);
  expect(await unread(rig)).toBe(0);
});

test('a worker asks over MCP, sleeps, and goes on with the answer', async () => {
  const rig = await project('Store dates');
  const steps: Move[] = [
    { tool: 'mcp__coordination__claim_task', input: {} },
    { tool: 'mcp__coordination__ask_leader', input: { question: 'UTC or local?' } },
    { tool: 'mcp__coordination__complete_task', input: { task_id: 'task-001', output: 'In UTC' } },
    { text: 'Done.' },
  ];
  const answering = (async () => {
    await until(() => (rig.board().tasks[0]?.questions?.length ?? 0) > 0, 'the question');
    await rig.ok(['leader', 'answer', 'task-001', 'UTC']);
  })();
  const session = await claude(rig, 'Work', ({ toolResults }) => steps[toolResults] ?? { text: 'Done.' }, [
    '--allowedTools',
    'mcp__coordination',
  ]);
  await answering;
  expect(rig.board().tasks[0], session.output).toMatchObject({ status: 'done', attempt: 1 });
  expect(session.requests.some(({ said }) => said.includes('"answer":"UTC"') || said.includes('answer":"UTC'))).toBe(
    true,
  );
});

test('what coord adds to a session at its start is little, and to a quiet event nothing', async () => {
  const more = Array.from({ length: 4 }, (_, i) => `Another thing ${i}, in many words ${'x'.repeat(300)}`);
  const rig = await project('Write hello.txt', ...more);
  const first = async (args: string[]): Promise<ModelRequest> => {
    const { requests, output } = await claude(rig, 'Hello', () => ({ text: 'Hello.' }), args);
    if (!requests[0]) throw new Error(output);
    return requests[0];
  };
  const set = await first([]);
  await rig.ok(['setup', 'claude', '--remove']);
  const without = await first([]);
  expect(set.said).toContain('You are terminal-2');
  expect(without.said).not.toContain('terminal-2');
  console.log(`coord adds ${set.characters - without.characters} characters at the start of a session`);
  expect(set.characters - without.characters).toBeLessThanOrEqual(2400);
  // Also with a task in hand.
  await rig.ok(['setup', 'claude', '--hooks']);
  await rig.ok(['leader', 'add-task', 'y'.repeat(2000), '-p', '1', '--hints', 'z'.repeat(2000), '-f', 'src/a.ts']);
  await rig.ok(['worker', 'claim', 'terminal-2']);
  const held = await first([]);
  expect(held.said).toContain('You hold task-006');
  console.log(`coord adds ${held.characters - without.characters} characters where a task is held`);
  expect(held.characters - without.characters).toBeLessThanOrEqual(2400);
});

test.skipIf(!hasTmux)('an idle leader is woken once, with everything new in one text (needs tmux)', async () => {
  const rig = await project('one', 'two');
  for (const worker of ['terminal-2', 'terminal-3']) await rig.ok(['worker', 'claim', worker]);
  const terminal = await Terminal.open(rig, () => ({ text: 'Idle now.' }), { COORD_WORKER: 'leader' });
  const { requests } = terminal.model;
  terminal.type('hello');
  await until(() => requests.length > 0, 'the first request');
  await untilWaiting(rig, 1);
  const asked = requests.length;
  await rig.ok(['worker', 'ask', 'terminal-2', 'task-001', 'q1?']);
  await until(() => requests.slice(asked).some((request) => times(request, 'q1?') > 0), 'the wake');
  const woken = requests.length;
  await rig.ok(['worker', 'fail', 'terminal-3', 'task-002', 'no', '--no-retry']);
  await until(() => requests.slice(woken).some(({ said }) => said.includes('task-002 failed')), 'the second wake');
  // Neither is told again.
  expect(times(requests.at(-1) as ModelRequest, 'q1?')).toBe(1);
  expect(requests.length - asked).toBe(2);
});

test.skipIf(!hasTmux)('three idle terminals and one task: one request (needs tmux)', async () => {
  const rig = await project();
  const terminals: Terminal[] = [];
  for (const worker of ['terminal-2', 'terminal-3', 'terminal-4'])
    terminals.push(await Terminal.open(rig, () => ({ text: 'Idle now.' }), { COORD_WORKER: worker }));
  await untilWaiting(rig, 3); // from the start of their sessions
  expect(terminals.map(({ model }) => model.requests.length)).toEqual([0, 0, 0]);
  await rig.ok(['leader', 'add-task', 'A new thing']);
  const woken = (): number => terminals.filter(({ model }) => model.requests.length > 0).length;
  await until(() => woken() > 0, 'one of them');
  const { claimed_by } = rig.board().tasks[0] ?? {};
  await until(
    () => terminals.some(({ model }) => model.requests.some(({ said }) => said.includes('You still hold task-001'))),
    'its stop to be held up',
  );
  expect(woken()).toBe(1);
  const first = terminals.find(({ model }) => model.requests.length > 0)?.model.requests[0];
  expect(first?.said).toContain(`task-001 claimed by ${claimed_by}`);
});

test.skipIf(!hasTmux)(
  'two live sessions of one name are both told, once; a nested one is nobody (needs tmux)',
  async () => {
    const rig = await project('Say hello');
    const terminal = await Terminal.open(rig, () => ({ text: 'Idle now.' }));
    const { requests } = terminal.model;
    await untilWaiting(rig, 1);
    const isTold = ({ said }: ModelRequest): boolean => said.includes('Another live session works as terminal-2 too');
    const second = await claude(rig, 'Hello', () => ({ text: 'Hello.' }));
    expect(second.requests.filter(isTold), second.output).toHaveLength(1);
    terminal.type('hello');
    await until(() => requests.length > 0, 'the first request');
    expect(requests.filter(isTold)).toHaveLength(1);
    expect(requests[0]?.said.split('Another live session').length).toBe(2);
  },
);
