/** What sessions of Claude Code are told by their hooks: at least once, never a nag; and who is woken for what. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Agent } from '../../support/mcp.ts';
import { isWatching, type Ran, Rig, until } from '../../support/rig.ts';

const SILENT = { code: 0, stdout: '', stderr: '' };
const SESSION = '11111111-1111-4111-8111-111111111111';
const OTHER = '99999999-9999-4999-8999-999999999999';
const NAMES: Record<string, string> = {
  'session-start': 'SessionStart',
  'user-prompt-submit': 'UserPromptSubmit',
  'post-tool-batch': 'PostToolBatch',
  stop: 'Stop',
  wake: 'Stop',
  'session-end': 'SessionEnd',
};

let rig: Rig;
beforeEach(async () => {
  rig = new Rig();
  await rig.ok(['leader', 'init', 'Build a REST API']);
  await rig.ok(['worker', 'discover', 'terminal-2', 'hello']);
});

interface At {
  id?: string;
  worker?: string;
  pid?: string;
  fields?: Record<string, unknown>;
}
const input = (name: string, { id = SESSION, fields = {} }: At): string =>
  JSON.stringify({ session_id: id, cwd: rig.cwd, hook_event_name: NAMES[name], ...fields });
const envOf = ({ id = SESSION, worker = 'terminal-2', pid }: At): Record<string, string> => ({
  COORD_WORKER: worker,
  CLAUDE_CODE_SESSION_ID: id,
  CLAUDE_CODE_SESSION_ATTENDED: '1',
  ...(pid === undefined ? {} : { CLAUDE_PID: pid }),
});
const hook = (name: string, at: At = {}): Promise<Ran> =>
  rig.coord(['hook', name], { input: input(name, at), env: envOf(at) });
const tell = (text: string, to = 'terminal-2'): Promise<string> => rig.ok(['leader', 'tell', to, text]);
/** The messages in an answer, by their texts. */
const shown = ({ stdout, stderr }: Ran): string[] =>
  [...`${stdout}${stderr}`.replaceAll(String.raw`\n`, '\n').matchAll(/^> (m\d+)/gm)].map(([, text = '']) => text);
const unread = async (name = 'terminal-2'): Promise<number> =>
  (await rig.json<{ messages: unknown[] }>(['inbox', name])).messages.length;

describe('what is shown counts as seen with a later event that the model caused', () => {
  test('shown after a batch of tools, seen with the next one; then never again', async () => {
    await tell('m1');
    const first = await hook('post-tool-batch');
    expect(JSON.parse(first.stdout)).toMatchObject({
      hookSpecificOutput: { hookEventName: 'PostToolBatch', additionalContext: expect.stringContaining('> m1') },
    });
    expect(await unread()).toBe(1);
    // A prompt comes before any request: it shows nothing twice, and proves nothing.
    expect(await hook('user-prompt-submit')).toEqual(SILENT);
    expect(await unread()).toBe(1);
    expect(await hook('post-tool-batch')).toEqual(SILENT);
    expect(await unread()).toBe(0);
    expect(await hook('post-tool-batch')).toEqual(SILENT);
    expect(shown(await hook('session-start'))).toEqual([]);
  });

  test('killed between showing and answering it is shown again, by this session and by the next', async () => {
    await tell('m1');
    expect(shown(await hook('user-prompt-submit'))).toEqual(['m1']);
    expect(shown(await hook('session-start', { fields: { source: 'resume' } }))).toEqual(['m1']);
    expect(shown(await hook('session-start', { id: OTHER }))).toEqual(['m1']);
    expect(await hook('stop', { id: OTHER })).toEqual(SILENT);
    expect(await unread()).toBe(0);
    expect(shown(await hook('session-start', { id: OTHER }))).toEqual([]);
  });

  test('where hooks speak, commands and calls leave it to them: nobody may read their stderr', async () => {
    await hook('post-tool-batch');
    await tell('m1');
    const env = envOf({});
    expect((await rig.coord(['worker', 'heartbeat', 'terminal-2'], { env })).stderr).not.toContain('m1');
    const agent = await Agent.start(rig, { env });
    expect(await agent.ok('get_status')).not.toHaveProperty('messages');
    expect(shown(await hook('post-tool-batch'))).toEqual(['m1']);
    expect(await unread()).toBe(1);
    await hook('post-tool-batch');
    expect(await unread()).toBe(0);
  });

  test('without hooks it rides on the answers of calls, refused ones too, and is seen with the next', async () => {
    const agent = await Agent.start(rig, { env: envOf({}) });
    await tell('m1');
    const refused = await agent.call('get_task', { task_id: 'task-009' });
    expect(JSON.stringify(refused)).toContain('m1');
    expect(await unread()).toBe(1);
    expect(await agent.ok('get_status')).not.toHaveProperty('messages');
    expect(await unread()).toBe(0);
    await tell('m2');
    expect(await agent.ok('get_status')).toMatchObject({ messages: [{ from: 'leader', text: 'm2' }] });
  });

  test('three tools at once show it once', async () => {
    await tell('m1');
    const env = envOf({});
    const all = await Promise.all([1, 2, 3].map(() => rig.coord(['worker', 'heartbeat', 'terminal-2'], { env })));
    expect(all.flatMap(shown)).toEqual(['m1']);
  });

  test('what a subagent does shows nothing, and proves nothing', async () => {
    await tell('m1');
    expect(await hook('post-tool-batch', { fields: { agent_id: 'a1' } })).toEqual(SILENT);
    expect(shown(await hook('post-tool-batch'))).toEqual(['m1']);
    expect(await hook('post-tool-batch', { fields: { agent_id: 'a1' } })).toEqual(SILENT);
    expect(await hook('stop', { fields: { agent_id: 'a1' } })).toEqual(SILENT);
    expect(await unread()).toBe(1);
  });

  test('a message just before the stop holds it up once', async () => {
    await hook('session-start');
    await tell('m1');
    const held = await hook('stop');
    expect(JSON.parse(held.stdout)).toEqual({ decision: 'block', reason: expect.stringContaining('> m1') });
    await tell('m2');
    // Held up once: what has come since is for the next prompt, or wakes the idle terminal.
    expect(await hook('stop', { fields: { stop_hook_active: true } })).toEqual(SILENT);
    expect(await unread()).toBe(1);
    expect(shown(await hook('user-prompt-submit'))).toEqual(['m2']);
    expect(await hook('stop')).toEqual(SILENT);
    expect(await unread()).toBe(0);
  });

  test('a look into the inbox is a showing like any other, which counts one batch later', async () => {
    await hook('post-tool-batch');
    await tell('m1');
    await rig.ok(['inbox', 'terminal-2'], { env: envOf({}) });
    expect(await hook('post-tool-batch')).toEqual(SILENT);
    expect(await unread()).toBe(1);
    expect(await hook('post-tool-batch')).toEqual(SILENT);
    expect(await unread()).toBe(0);
  });
});

test('a quiet event costs no character, and a thousand messages no more than so many', async () => {
  for (const name of ['user-prompt-submit', 'post-tool-batch', 'stop']) expect(await hook(name)).toEqual(SILENT);
  // Of forty readers, since one alone gets no more than fifty.
  const store = (await import('../../../src/store/open.ts')).openStore({ cwd: rig.cwd, durable: false });
  for (let i = 0; i < 40; i++) await store.acknowledge({ reader: `w${i}`, up_to: 0 });
  for (let n = 0; n < 960; n++) await store.tell({ from: 'leader', to: `w${n % 40}`, text: 'x'.repeat(2000) });
  for (let n = 0; n < 40; n++)
    await store.tell({ from: 'leader', to: 'terminal-2', text: `m${n} ${'x'.repeat(1990)}` });
  const seen: string[] = [];
  for (let rounds = 0; rounds < 14; rounds++) {
    const told = await hook('post-tool-batch');
    const { additionalContext } = (JSON.parse(told.stdout) as { hookSpecificOutput: { additionalContext: string } })
      .hookSpecificOutput;
    expect(additionalContext.length).toBeLessThanOrEqual(1500);
    seen.push(...shown(told));
  }
  expect(seen).toEqual(Array.from({ length: 40 }, (_, n) => `m${n}`));
  expect(await hook('post-tool-batch')).toEqual(SILENT);
  expect(await unread()).toBe(0);
}, 300_000);

test('an answer reaches whoever went on, and the session that begins with the task in hand', async () => {
  await rig.ok(['leader', 'add-task', 'one']);
  const env = envOf({});
  await hook('session-start');
  await rig.ok(['worker', 'claim', 'terminal-2'], { env });
  await rig.ok(['worker', 'ask', 'terminal-2', 'task-001', 'm1?'], { env });
  expect(await hook('post-tool-batch')).toEqual(SILENT);
  await rig.ok(['leader', 'answer', 'task-001', 'yes']);
  expect((await hook('post-tool-batch')).stdout).toContain('Answer of leader: yes');
  expect(await hook('post-tool-batch')).toEqual(SILENT);
  expect((await hook('session-start', { fields: { source: 'resume' } })).stdout).toContain('Answer of leader: yes');
});

describe('an idle terminal', () => {
  const wait = (at: At = {}) => {
    const waiting = rig.start(['hook', 'wake'], envOf(at));
    waiting.child.stdin?.end(input('wake', at));
    return waiting;
  };
  const standing = async (at: At = {}) => {
    const waiting = wait(at);
    await until(() => isWatching(waiting.child.pid), 'the waiter');
    return waiting;
  };

  test('is woken by a message, with it, and not again', async () => {
    const waiting = await standing();
    await tell('m1');
    const woken = await waiting.ended;
    expect([woken.code, shown(woken)]).toEqual([2, ['m1']]);
    expect(await hook('stop')).toEqual(SILENT);
    expect(await unread()).toBe(0);
    const again = await standing();
    await tell('m2');
    expect(shown(await again.ended)).toEqual(['m2']);
  });

  test('also while it holds a task', async () => {
    await rig.ok(['leader', 'add-task', 'one']);
    await rig.ok(['worker', 'claim', 'terminal-2'], { env: envOf({}) });
    const waiting = await standing();
    await tell('m1');
    expect(shown(await waiting.ended)).toEqual(['m1']);
  });

  test('one of three is woken for one task, with the task in hand; the others sleep on', async () => {
    const all = ['terminal-2', 'terminal-3', 'terminal-4'].map((worker, i) => ({
      worker,
      id: `${i}${SESSION.slice(1)}`,
    }));
    for (const at of all) await hook('session-start', at);
    const terminals = await Promise.all(all.map(standing));
    await rig.ok(['leader', 'add-task', 'Create User model']);
    const woken = await Promise.race(terminals.map(({ ended }) => ended));
    expect(woken.code).toBe(2);
    const worker = rig.board().tasks[0]?.claimed_by ?? '';
    expect(woken.stderr).toContain(`task-001 claimed by ${worker}`);
    expect(woken.stderr).toContain('> Create User model');
    await rig.ok(['leader', 'tell', 'all', 'm1']);
    const ends = await Promise.all(terminals.map(({ ended }) => ended));
    expect(ends.filter(({ stderr }) => stderr.includes('Create User model'))).toHaveLength(1);
    expect(ends.filter(({ stderr }) => stderr.includes('m1'))).toHaveLength(2);
    expect(rig.board().tasks[0]).toMatchObject({ status: 'claimed', attempt: 1 });
  });

  test('what it gives back it is not woken for again; another task, and one that was answered, it is', async () => {
    const first = await standing();
    await rig.ok(['leader', 'add-task', 'one']);
    expect((await first.ended).code).toBe(2);
    await rig.ok(['worker', 'release', 'terminal-2', 'task-001'], { env: envOf({}) });
    const second = await standing();
    await rig.ok(['leader', 'add-task', 'two', '-p', '1']);
    expect((await second.ended).stderr).toContain('task-002 claimed by terminal-2');
    await rig.ok(['worker', 'ask', 'terminal-2', 'task-002', 'm1?', '--park'], { env: envOf({}) });
    const third = await standing();
    await rig.ok(['leader', 'answer', 'task-002', 'yes']);
    const woken = await third.ended;
    expect(woken.stderr).toContain('task-002 claimed by terminal-2');
    expect(woken.stderr).toContain('Answer of leader: yes');
  });

  test('two sessions of one name are not both woken for one task', async () => {
    const one = await standing();
    const two = await standing({ id: OTHER });
    await rig.ok(['leader', 'add-task', 'one']);
    const woken = await Promise.race([one.ended, two.ended]);
    expect(woken.stderr).toContain('task-001 claimed by terminal-2');
    await tell('m1');
    const all = await Promise.all([one.ended, two.ended]);
    expect(all.filter(({ stderr }) => stderr.includes('task-001'))).toHaveLength(1);
  });

  test('stands from the start of the session, and is not woken for what was there then', async () => {
    await rig.ok(['leader', 'add-task', 'one']);
    await tell('m1');
    expect(shown(await hook('session-start'))).toEqual(['m1']);
    const at = { fields: { hook_event_name: 'SessionStart', source: 'startup' } };
    const waiting = await standing(at);
    expect(rig.board().tasks[0]?.status).toBe('available');
    // Nor when it stops: that is for whoever is asked to work.
    const stopped = await standing();
    expect(await waiting.ended).toEqual(SILENT);
    expect(rig.board().tasks[0]?.status).toBe('available');
    await rig.ok(['leader', 'add-task', 'two']);
    expect((await stopped.ended).stderr).toContain('task-001 claimed by terminal-2');
    // In the midst of a turn there is none.
    expect(await wait({ fields: { hook_event_name: 'SessionStart', source: 'compact' } }).ended).toEqual(SILENT);
  });

  test('that somebody speaks to is idle no more', async () => {
    const waiting = await standing();
    await hook('user-prompt-submit');
    await rig.ok(['leader', 'add-task', 'one']);
    expect(await waiting.ended).toEqual(SILENT);
    expect(rig.board().tasks[0]?.status).toBe('available');
  });
});

describe("the leader's terminal", () => {
  const LEADER = { worker: 'leader' };
  const begin = () => {
    const waiting = rig.start(['hook', 'wake'], envOf(LEADER));
    waiting.child.stdin?.end(input('wake', LEADER));
    return waiting;
  };
  const wait = async () => {
    const waiting = begin();
    await until(() => isWatching(waiting.child.pid), 'the waiter');
    return waiting;
  };

  test('is woken once for each: a question, a failure, a review, the end; everything new in one text', async () => {
    for (const text of ['one', 'two']) await rig.ok(['leader', 'add-task', text, '--max-attempts', '1']);
    await rig.ok(['worker', 'claim', 'terminal-2']);
    await rig.ok(['worker', 'claim', 'terminal-3']);
    const first = await wait();
    await rig.ok(['worker', 'ask', 'terminal-2', 'task-001', 'm1?', '--park']);
    expect(await first.ended).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('terminal-2 asks about task-001'),
    });
    await rig.ok(['worker', 'fail', 'terminal-3', 'task-002', 'm2']);
    await rig.ok(['worker', 'tell', 'terminal-3', 'leader', 'm3']);
    const second = await begin().ended;
    expect(second.stderr).toContain('task-002 failed:\n> terminal-3: m2');
    expect(shown(second)).toEqual(['m3']);
    expect(second.stderr).not.toContain('m1');
    const third = await wait();
    await rig.ok(['leader', 'answer', 'task-001', 'yes']);
    await rig.ok(['worker', 'claim', 'terminal-2']);
    await rig.ok(['worker', 'done', 'terminal-2', 'task-001', 'x']);
    expect((await third.ended).stderr).toContain('All 2 tasks settled');
  });

  test('is the session that first adds to the board, where that is no worker', async () => {
    const { COORD_WORKER: _, ...nameless } = envOf({});
    await rig.ok(['leader', 'add-task', 'one'], { env: nameless });
    const run = (name: string) => rig.coord(['hook', name], { input: input(name, {}), env: nameless });
    expect((await run('session-start')).stdout).toMatch(/^You are leader/);
    await tell('m1', 'leader');
    expect(shown(await run('post-tool-batch'))).toEqual(['m1']);
    // Whoever then claims in it is a worker.
    await rig.ok(['worker', 'claim', 'terminal-5'], { env: nameless });
    expect((await run('session-start')).stdout).toMatch(/^You are terminal-5/);
    await rig.ok(['leader', 'add-task', 'two'], { env: nameless });
    expect((await run('session-start')).stdout).toMatch(/^You are terminal-5/);
  });

  test('is not woken for what it has just looked at', async () => {
    await hook('session-start', LEADER);
    await rig.ok(['leader', 'add-task', 'one', '--max-attempts', '1']);
    await rig.ok(['worker', 'claim', 'terminal-2']);
    await rig.ok(['worker', 'fail', 'terminal-2', 'task-001', 'm1']);
    await rig.ok(['leader', 'status'], { env: envOf(LEADER) });
    const waiting = await wait();
    await tell('m2', 'leader');
    expect(shown(await waiting.ended)).toEqual(['m2']);
  });
});

describe('two live sessions of one name', () => {
  const client = (): string => String(rig.start(['leader', 'status', '--watch']).child.pid);

  test('are both told, once', async () => {
    const first = { pid: client() };
    const second = { pid: client(), id: OTHER };
    const isTold = ({ stdout }: Ran): boolean => stdout.includes('Another live session works as terminal-2 too');
    expect(isTold(await hook('session-start', first))).toBe(false);
    expect(isTold(await hook('session-start', second))).toBe(true);
    expect(isTold(await hook('session-start', second))).toBe(false);
    expect(isTold(await hook('post-tool-batch', first))).toBe(true);
    expect(isTold(await hook('post-tool-batch', first))).toBe(false);
    expect(isTold(await hook('session-start', first))).toBe(false);
  });

  test('one inside the other is nobody: it is told nothing, and nothing of the task is touched', async () => {
    await rig.ok(['leader', 'add-task', 'one']);
    // This test runs inside its own process: that stands for the session around.
    const around = { pid: String(process.pid) };
    const nested = { pid: client(), id: OTHER };
    await hook('session-start', around);
    await rig.ok(['worker', 'claim', 'terminal-2'], { env: envOf(around) });
    await tell('m1');
    const before = rig.board();
    for (const name of ['session-start', 'user-prompt-submit', 'post-tool-batch', 'stop', 'session-end'])
      expect(await hook(name, nested)).toEqual(SILENT);
    expect(rig.board()).toEqual(before);
    expect(await unread()).toBe(1);
    expect(shown(await hook('post-tool-batch', around))).toEqual(['m1']);
  });
});
