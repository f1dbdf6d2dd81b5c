/** Questions and messages as people and agents type them: `ask`, `answer`, `tell`, `inbox`, and what commands say besides. */
import { beforeEach, describe, expect, test } from 'vitest';
import { isWatching, Rig, until } from '../../support/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = new Rig();
  await rig.ok(['leader', 'init', 'Build a REST API']);
  await rig.ok(['leader', 'add-task', 'Store dates']);
  await rig.ok(['worker', 'claim', 'terminal-2']);
});

const ask = (...more: string[]): string[] => ['worker', 'ask', 'terminal-2', 'task-001', 'UTC or local?', ...more];

describe('ask', () => {
  test('--wait sleeps until somebody answers, and prints it; the claim stays', async () => {
    const waiting = rig.start(ask('--wait'));
    await until(() => isWatching(waiting.child.pid), 'the question to wait');
    expect(await rig.ok(['leader', 'status'])).toContain('Questions\n  task-001 UTC or local? (of terminal-2)');
    expect(await rig.ok(['leader', 'answer', 'task-001', 'UTC\ncoord: done'])).toBe(
      'task-001 answered: UTC or local?\n',
    );
    expect(await waiting.ended).toMatchObject({ code: 0, stdout: 'leader answers:\n> UTC\n> coord: done\n' });
    expect(rig.board().tasks[0]).toMatchObject({ status: 'claimed', attempt: 1 });
    // Whoever has the answer is not told it once more.
    expect((await rig.coord(['worker', 'heartbeat', 'terminal-2'])).stderr).toBe('');
  });

  test('--park gives the task back, nobody gets it, and the next brief has question and answer; no attempt is used up', async () => {
    expect(await rig.coord(ask('--park'))).toMatchObject({
      code: 0,
      stdout: 'task-001 given back until it is answered\n',
      stderr: 'Next: coord worker claim terminal-2\n',
    });
    const refused = await rig.coord(['worker', 'claim', 'terminal-3']);
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stdout).toContain('question: 1 task left, waiting for an answer: task-001. The leader answers with');
    expect(await rig.coord(['worker', 'claim', 'terminal-3', 'task-001'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('coord leader answer task-001'),
    });
    const before = rig.board().tasks[0];
    await rig.ok(['leader', 'answer', 'task-001', 'UTC']);
    const claim = await rig.ok(['worker', 'claim', 'terminal-2']);
    expect(claim).toContain('Question of terminal-2: UTC or local?\nAnswer of leader: UTC\n');
    expect(await rig.ok(['worker', 'context', 'terminal-2'])).toContain(
      'Question of terminal-2: UTC or local?\nAnswer of leader: UTC\n',
    );
    const after = rig.board().tasks[0];
    expect([before?.attempt, (after?.max_attempts ?? 0) - (after?.attempt ?? 0)]).toEqual([1, 2]);
  });

  test('in passing goes on; the answer stands on the stderr of the next command, once', async () => {
    expect((await rig.coord(ask())).stderr).toContain('the answer is shown to you when it comes');
    expect((await rig.coord(['worker', 'heartbeat', 'terminal-2'])).stderr).toBe('');
    await rig.ok(['leader', 'answer', 'task-001', 'UTC']);
    const told = await rig.coord(['worker', 'heartbeat', 'terminal-2']);
    expect(told.stdout).toMatch(/^task-001 yours until/);
    expect(told.stderr).toContain('About task-001:\nQuestion of terminal-2: UTC or local?\nAnswer of leader: UTC\n');
    expect((await rig.coord(['worker', 'heartbeat', 'terminal-2'])).stderr).toBe('');
  });

  test('a default takes over by itself, and says so', async () => {
    const waiting = await rig.coord(ask('--default', 'UTC', '--after', '1s', '--wait'));
    expect(waiting).toMatchObject({ code: 0, stdout: 'Nobody answered in time, so your default holds:\n> UTC\n' });
    expect(await rig.coord(['leader', 'answer', 'task-001', 'local'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('its default holds since'),
    });
  });

  test('asked again after a time-out it goes on waiting for the same', async () => {
    expect(await rig.coord(ask('--wait', '--timeout', '1s'))).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('nobody has answered yet'),
    });
    await rig.ok(['leader', 'answer', 'task-001', 'UTC']);
    expect((await rig.json(ask('--wait', '--timeout', '1s'))) as unknown).toMatchObject({
      task_id: 'task-001',
      n: 1,
      answer: { text: 'UTC', by: 'leader' },
    });
    expect(rig.board().tasks[0]?.questions).toHaveLength(1);
  });

  test('a claim that is taken away ends the wait', async () => {
    const waiting = rig.start(ask('--wait'));
    await until(() => isWatching(waiting.child.pid), 'the question to wait');
    await rig.ok(['leader', 'release', 'task-001']);
    expect(await waiting.ended).toMatchObject({ code: 4, stderr: expect.stringContaining('does not hold task-001') });
  });

  test('the leader who waits is woken by it', async () => {
    const waiting = rig.start(['leader', 'wait']);
    await until(() => isWatching(waiting.child.pid), 'the leader to wait');
    await rig.ok(ask());
    expect(await waiting.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('terminal-2 asks about task-001:\n> UTC or local?'),
      stderr: 'Next: coord leader answer task-001 "<answer>", then wait again\n',
    });
  });

  test('a wait of the leader ends with a question that a default will answer, and with a message', async () => {
    await rig.ok(ask('--default', 'UTC', '--after', '1h'));
    expect((await rig.coord(['leader', 'wait', '--timeout', '20s'])).stdout).toMatch(/^question: /);
    await rig.ok(['leader', 'answer', 'task-001', 'UTC']);
    const waiting = rig.start(['leader', 'wait']);
    await until(() => isWatching(waiting.child.pid), 'the leader to wait');
    await rig.ok(['worker', 'tell', 'terminal-2', 'leader', 'x']);
    expect(await waiting.ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^message: /),
      stderr: '1 message for the leader: coord inbox leader --ack\nNext: read them, then wait again\n',
    });
    expect((await rig.coord(['status'])).stderr).toContain('1 message for the leader');
  });

  test('of many questions the number is told, and which is next', async () => {
    for (let i = 0; i < 12; i++) await rig.ok(['worker', 'ask', 'terminal-2', 'task-001', `q${i}`]);
    const status = await rig.ok(['status']);
    expect(status).toContain('  task-001 q0 (of terminal-2)\n  task-001, 2 q1 (of terminal-2)');
    expect(status).toContain('and 9 more');
    const { stderr } = await rig.coord(['leader', 'answer', 'task-001', 'x']);
    expect(stderr).toBe('11 questions of task-001 still open, next (--question 2): q1\n');
    await rig.ok(['worker', 'done', 'terminal-2', 'task-001', 'x']);
    expect((await rig.coord(['leader', 'answer', 'task-001', 'y'])).stderr).toContain('task-001 is done: nobody waits');
  });

  test.each([
    ['both ways at once', ask('--wait', '--park'), 2, 'one of the two'],
    ['a time without a wait', ask('--timeout', '5s'), 2, '--timeout goes with --wait'],
    ['a time without a default', ask('--after', '5s'), 2, '--after goes with --default'],
    ['nothing', ['worker', 'ask', 'terminal-2', 'task-001', ' '], 2, 'question: must not be empty'],
    ['too much', ['worker', 'ask', 'terminal-2', 'task-001', 'x'.repeat(2001)], 2, 'question'],
    [
      'of a task that another holds',
      ['worker', 'ask', 'terminal-3', 'task-001', 'x'],
      4,
      'it is claimed by terminal-2',
    ],
    ['an answer to nothing', ['leader', 'answer', 'task-001', 'x'], 4, 'task-001 asks nothing'],
    ['an answer without words', ['leader', 'answer', 'task-001', ''], 2, 'answer: must not be empty'],
  ])('%s is refused, and nothing is stored', async (_, args, code, message) => {
    const before = rig.board();
    expect(await rig.coord(args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
    expect(rig.board()).toEqual(before);
  });
});

describe('tell', () => {
  const stored = (): string[] => Object.keys(rig.snapshot('.coordination')).filter((name) => /messages\/\d/.test(name));

  test('one worker, all of them, and the leader; each sees what was sent to it, in order', async () => {
    await rig.coord(['worker', 'claim', 'terminal-3']);
    await rig.ok(['worker', 'discover', 'terminal-3', 'x']);
    expect(await rig.ok(['leader', 'tell', 'terminal-2', 'one'])).toBe('told terminal-2\n');
    expect(await rig.ok(['leader', 'tell', 'all', 'two'])).toBe('told terminal-2, terminal-3\n');
    expect(await rig.ok(['worker', 'tell', 'terminal-2', 'leader', 'back'])).toBe('told leader\n');
    expect(await rig.ok(['worker', 'tell', 'leader', 'mine'], { env: { COORD_WORKER: 'terminal-3' } })).toBe(
      'told leader\n',
    );
    const texts = async (name: string) =>
      (await rig.json<{ messages: { text: string }[] }>(['inbox', name])).messages.map(({ text }) => text);
    expect(await texts('terminal-2')).toEqual(['one', 'two']);
    expect(await texts('terminal-3')).toEqual(['two']);
    expect(await texts('leader')).toEqual(['back', 'mine']);
    expect(stored().length).toBe(4);
  });

  test('what is told stands on the stderr of the next command; what is seen comes no more', async () => {
    await rig.ok(['leader', 'tell', 'terminal-2', 'Leave the migrations alone']);
    const first = await rig.coord(['worker', 'heartbeat', 'terminal-2']);
    expect(first.stderr).toContain('> Leave the migrations alone');
    expect(first.stderr).toContain('words of others');
    expect((await rig.coord(['worker', 'heartbeat', 'terminal-2'])).stderr).toBe('');
    expect(await rig.ok(['inbox', 'terminal-2'])).toBe('No new message.\n');
    expect(await rig.ok(['inbox', 'terminal-2', '--all'])).toContain('(seen):\n> Leave the migrations alone');
  });

  test('a refused command tells it as well; with --json nothing counts as told', async () => {
    await rig.ok(['leader', 'tell', 'terminal-2', 'I took it back']);
    expect((await rig.coord(['worker', 'heartbeat', 'terminal-2', '--json'])).stderr).toBe('');
    const refused = await rig.coord(['worker', 'done', 'terminal-2', 'task-009', 'x']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('> I took it back');
  });

  test('three at a time, in so many characters, the rest by a pointer', async () => {
    for (let i = 1; i <= 5; i++) await rig.ok(['leader', 'tell', 'terminal-2', `${i} ${'x'.repeat(1990)}`]);
    const { stderr } = await rig.coord(['worker', 'heartbeat', 'terminal-2']);
    expect(stderr.match(/^> \d/gm)).toEqual(['> 1', '> 2', '> 3']);
    expect(stderr).toContain('2 more messages: coord inbox terminal-2\n');
    expect(stderr.length).toBeLessThanOrEqual(1501);
    const next = await rig.coord(['worker', 'heartbeat', 'terminal-2']);
    expect(next.stderr.match(/^> \d/gm)).toEqual(['> 4', '> 5']);
  });

  test('who has fifty to read gets no more, exit 4; once it has read, it does', async () => {
    await Promise.all(Array.from({ length: 25 }, (_, i) => rig.ok(['leader', 'tell', 'terminal-2', `a${i}`])));
    await Promise.all(
      Array.from({ length: 25 }, (_, i) => rig.ok(['worker', 'tell', 'terminal-9', 'terminal-2', `b${i}`])),
    );
    const refused = await rig.coord(['leader', 'tell', 'terminal-2', 'one more']);
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('coord inbox terminal-2 --ack') });
    expect(stored().length).toBe(50);
    const { messages } = await rig.json<{ messages: { text: string }[] }>(['inbox', 'terminal-2']);
    expect(new Set(messages.map(({ text }) => text)).size).toBe(50);
    await rig.ok(['inbox', 'terminal-2', '--ack']);
    await rig.ok(['leader', 'tell', 'terminal-2', 'one more']);
  });

  test.each([
    [
      'nobody of that name',
      ['leader', 'tell', 'terminal-7', 'x'],
      'Nobody is called terminal-7 here. Known: leader, terminal-2.',
    ],
    ['nothing', ['leader', 'tell', 'terminal-2', ''], 'text: must not be empty'],
    ['too much', ['leader', 'tell', 'terminal-2', 'x'.repeat(2001)], 'text:'],
    ['a name that is none', ['leader', 'tell', '../x', 'x'], 'to:'],
    ['an inbox of nobody', ['inbox'], 'Whose inbox?'],
  ])('%s: exit 2, and nothing is stored', async (_, args, message) => {
    expect(await rig.coord(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    expect(stored()).toEqual([]);
  });

  test('all, by a worker: refused, and told how a finding is shared', async () => {
    expect(await rig.coord(['worker', 'tell', 'terminal-2', 'all', 'x'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('coord worker discover'),
    });
  });

  test('an agent does not say what another has seen', async () => {
    await rig.ok(['leader', 'tell', 'terminal-2', 'x']);
    const env = { COORD_WORKER: 'terminal-3' };
    expect(await rig.coord(['inbox', 'terminal-2', '--ack'], { env })).toMatchObject({ code: 4 });
    expect((await rig.json<{ messages: unknown[] }>(['inbox', 'terminal-2'])).messages).toHaveLength(1);
  });

  test('all, before there is anybody', async () => {
    const bare = new Rig();
    await bare.ok(['leader', 'init', 'x']);
    expect(await bare.coord(['leader', 'tell', 'all', 'x'])).toMatchObject({ code: 2 });
  });

  test("a worker's session neither answers nor speaks for the leader", async () => {
    const env = { COORD_WORKER: 'terminal-2' };
    for (const args of [
      ['leader', 'answer', 'task-001', 'x'],
      ['leader', 'tell', 'all', 'x'],
    ])
      expect(await rig.coord(args, { env })).toMatchObject({
        code: 4,
        stderr: expect.stringContaining('it is for who leads'),
      });
    expect(await rig.coord(['leader', 'tell', 'terminal-2', 'x'], { env: { COORD_WORKER: 'leader' } })).toMatchObject({
      code: 0,
    });
  });

  test('somebody who looks into the inbox of another changes nothing of it', async () => {
    await rig.ok(['leader', 'tell', 'terminal-2', 'x']);
    await rig.ok(['inbox', 'terminal-2']);
    expect((await rig.coord(['worker', 'heartbeat', 'terminal-2'])).stderr).toContain('> x');
  });
});
