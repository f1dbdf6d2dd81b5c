/** Done is what has been checked: the gate as the built binary has it, with real commands, trees, and people at a terminal. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BIN, type Ran, Rig, scrubbedEnv, until } from '../../support/rig.ts';

let rig: Rig;
let state: string;
beforeEach(() => {
  rig = new Rig();
  state = mkdtempSync(join(tmpdir(), 'coord-state-'));
  onTestFinished(() => rmSync(state, { recursive: true, force: true }));
});

const env = (more: Record<string, string> = {}): Record<string, string> => ({ XDG_STATE_HOME: state, ...more });
const coord = (args: string[], more: Record<string, string> = {}): Promise<Ran> => rig.coord(args, { env: env(more) });
const ok = (args: string[], more: Record<string, string> = {}): Promise<string> => rig.ok(args, { env: env(more) });
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    cwd: rig.cwd,
    encoding: 'utf8',
  });
const repository = (): void => {
  git('init', '-q');
  rig.write('.gitignore', '.coordination/\nran.txt\n');
  rig.write('a.txt', 'one\n');
  git('add', '--all');
  git('commit', '-q', '-m', 'first');
};
const typed = (...args: string[]): void => rig.typed(args, env());
const claimed = async (...options: string[]): Promise<void> => {
  await ok(['leader', 'add-task', 'do it', ...options]);
  await ok(['worker', 'claim', 'w']);
};
const done = (output = 'did it', ...more: string[]): Promise<Ran> =>
  coord(['worker', 'done', 'w', 'task-001', output, ...more]);
const runs = (): number => (rig.exists('ran.txt') ? rig.read('ran.txt').trim().split('\n').length : 0);

describe('what may run', () => {
  test('nothing of a board that nobody has allowed, whatever is typed', async () => {
    await ok(['leader', 'init', 'g', '--check', 'touch ran.txt']);
    await claimed('--check', 'echo x >> ran.txt; true');
    const refused = await done();
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('coord trust check') });
    expect(await coord(['check', 'task-001'])).toMatchObject({
      code: 4,
      stdout: expect.stringContaining('not allowed'),
    });
    expect((await coord(['check'])).code).toBe(4);
    for (const args of [
      ['status'],
      ['leader', 'show', 'task-001'],
      ['leader', 'aggregate'],
      ['doctor'],
      ['leader', 'graph'],
    ])
      await coord(args);
    expect(rig.exists('ran.txt')).toBe(false);
    expect(rig.board().tasks[0]).toMatchObject({ status: 'claimed', attempt: 1 });
  });

  test('what a person types at a terminal, for this board alone; not what an agent types, nor a copy of the board', async () => {
    typed('leader', 'init', 'g', '--check', 'echo x >> ran.txt');
    expect(await ok(['trust', 'list'])).toContain('check echo x >> ran.txt');
    await claimed();
    expect(await done()).toMatchObject({ code: 0 });
    expect(runs()).toBe(1);
    expect((await coord(['trust', 'check', 'rm -rf /'])).code).toBe(4);
    expect((await coord(['trust', 'check', 'true'], { CLAUDECODE: '1' })).code).toBe(4);
    // The very same files elsewhere, as a clone would have them.
    const copy = mkdtempSync(join(tmpdir(), 'coord-test-'));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    execFileSync('cp', ['-r', join(rig.cwd, '.coordination'), copy]);
    const there = { cwd: copy, env: env() };
    await rig.ok(['leader', 'add-task', 'two'], there);
    await rig.ok(['worker', 'claim', 'w'], there);
    expect(await rig.coord(['worker', 'done', 'w', 'task-002', 'x'], there)).toMatchObject({ code: 4 });
    expect(existsSync(join(copy, 'ran.txt'))).toBe(false);
    await ok(['trust', 'revoke', 'echo x >> ran.txt']);
    await ok(['leader', 'add-task', 'three']);
    await ok(['worker', 'claim', 'w']);
    expect((await coord(['worker', 'done', 'w', 'task-002', 'x'])).stderr).toContain('Nobody has allowed');
  });

  test('a worker changes no check, and approves nothing as the leader', async () => {
    await ok(['leader', 'init', 'g']);
    await claimed('--check', 'false');
    const worker = { COORD_WORKER: 'w' };
    for (const args of [
      ['edit', 'task-001', '--clear', 'check'],
      ['edit', 'task-001', '--check', 'true'],
      ['edit', 'task-001', '--no-review'],
      ['defaults', '--clear', 'check'],
      ['approve', 'task-001'],
      ['accept', 'task-001', 'x'],
    ])
      expect((await coord(['leader', ...args], worker)).code, args.join(' ')).toBe(4);
    expect(rig.board().tasks[0]?.checks).toEqual(['false']);
  });
});

describe('the gate', () => {
  beforeEach(async () => {
    repository();
    await ok(['leader', 'init', 'g']);
  });

  test('red, mended, green, in the same attempt; the evidence is kept with the result', async () => {
    await claimed('--check', 'grep -q two a.txt || { echo "two is missing"; exit 3; }');
    typed('trust', 'check', 'grep -q two a.txt || { echo "two is missing"; exit 3; }');
    const red = await done();
    expect(red.code).toBe(4);
    expect(red.stderr).toContain('exit 3');
    expect(red.stderr).toContain('> two is missing');
    expect(Buffer.byteLength(red.stderr)).toBeLessThan(1200);
    expect(rig.board().tasks[0]).toMatchObject({
      status: 'claimed',
      attempt: 1,
      evidence: { verdict: 'red', times: 1 },
    });
    await done();
    expect((await done()).stderr).toContain('coord worker fail w task-001');
    expect(await ok(['worker', 'context', 'w'])).toContain('two is missing');
    rig.write('a.txt', 'one\ntwo\n');
    expect(await done()).toMatchObject({ code: 0, stdout: 'task-001 done\n' });
    const [task] = rig.board().tasks;
    expect(task).toMatchObject({
      status: 'done',
      attempt: 1,
      evidence: { verdict: 'green', checks: [{ exit_code: 0 }] },
    });
    expect(rig.read('.coordination/results/task-001.md')).toContain('- Checked: grep -q two');
    const lines = rig.read('.coordination/results/task-001.checks.jsonl').trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ exit_code: 0, tree: task?.evidence?.tree, attempt: 1 });
    await ok(['leader', 'aggregate']);
    expect(rig.read('.coordination/summary.md')).toContain('Checked: green on tree');
    await ok(['leader', 'add-task', 'next', '-d', 'task-001']);
    await ok(['worker', 'claim', 'w']);
    expect(await ok(['worker', 'context', 'w'])).toContain('Checked: green');
    expect(await ok(['doctor'])).not.toContain('BAD');
  });

  test('the same command on the same tree is not run again; another tree is', async () => {
    typed('leader', 'defaults', '--check', 'echo x >> ran.txt');
    await claimed();
    await done();
    await ok(['leader', 'add-task', 'two']);
    await ok(['worker', 'claim', 'w']);
    expect(await coord(['worker', 'done', 'w', 'task-002', 'x'])).toMatchObject({ code: 0 });
    expect(runs()).toBe(1);
    rig.write('new.txt', 'untracked counts');
    expect(await ok(['check'])).toContain('green: echo x');
    expect(runs()).toBe(2);
    expect(await ok(['check'])).toContain('known from before');
    expect(runs()).toBe(2);
  });

  test('done twice at once is one run, and both are told', async () => {
    typed('leader', 'defaults', '--check', 'echo x >> ran.txt; sleep 1');
    await claimed();
    const both = await Promise.all([done(), done()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(runs()).toBe(1);
  });

  test('done twice at once and red: one run, and both are told so', async () => {
    typed('leader', 'defaults', '--check', 'echo x >> ran.txt; sleep 1; exit 1');
    await claimed();
    const both = await Promise.all([done(), done()]);
    expect(both.map(({ code }) => code)).toEqual([4, 4]);
    expect(runs()).toBe(1);
  });

  test('what is not there, cannot be run, or takes too long is a broken gate: said to the leader, no attempt used', async () => {
    typed('leader', 'defaults', '--check', 'no-such-tool --x');
    await claimed();
    expect((await done()).stderr).toContain('The check cannot be run');
    expect(rig.board().tasks[0]).toMatchObject({ status: 'claimed', attempt: 1, evidence: { verdict: 'broken' } });
    expect(await ok(['status'])).toContain('Checks that cannot be run');
    typed('leader', 'edit', 'task-001', '--check', 'sleep 60', '--check-timeout', '1s');
    expect((await done()).stderr).toContain('longer than 1 s');
    typed('leader', 'edit', 'task-001', '--check', './a.txt');
    expect((await done()).stderr).toContain('cannot be run');
  });

  test('a tree that changes while it is checked proves nothing; but what others work on is their affair', async () => {
    typed('leader', 'defaults', '--check', 'sleep 1; date +%N >> b.txt');
    await claimed();
    expect((await done()).stderr).toContain('changed meanwhile: b.txt');
    await ok(['leader', 'add-task', 'other', '-f', 'b.txt']);
    await ok(['worker', 'claim', 'v', 'task-002']);
    expect(await done()).toMatchObject({ code: 0 });
  });

  test('a check longer than the lease keeps the claim', async () => {
    typed('leader', 'defaults', '--check', 'sleep 4');
    await ok(['leader', 'add-task', 'do it']);
    await ok(['worker', 'claim', 'w', '--lease', '2s']);
    const [mine, theirs] = await Promise.all([done(), coord(['worker', 'claim', 'v', '--wait', '--timeout', '3s'])]);
    expect([mine.code, theirs.code]).toEqual([0, 5]);
  });

  test('the lease begins anew with the check where little of it is left', async () => {
    typed('leader', 'defaults', '--check', 'sleep 3');
    await ok(['leader', 'add-task', 'do it']);
    await ok(['worker', 'claim', 'w', '--lease', '60s']);
    const before = rig.board().tasks[0]?.lease_expires_at ?? '';
    // As after fifty of the sixty seconds.
    const soon = new Date(Date.parse(before) - 50_000).toISOString();
    rig.write('.coordination/tasks.json', rig.read('.coordination/tasks.json').replace(before, soon));
    const handing = done();
    await until(() => (rig.board().tasks[0]?.lease_expires_at ?? '') >= before, 'the lease to be renewed');
    expect((await handing).code).toBe(0);
  });

  test('200 MB of output: the last of it, and flat memory', async () => {
    const loud = `node -e "const line = 'x'.repeat(1023) + '\\n'; for (let i = 0; i < 200000; i++) require('fs').writeSync(1, line); console.log('the end'); process.exit(1)"`;
    typed('leader', 'defaults', '--check', loud);
    await claimed();
    const red = await rig.coord(['worker', 'done', 'w', 'task-001', 'x'], {
      env: env({ NODE_OPTIONS: '--max-old-space-size=60' }),
    });
    expect(red.code).toBe(4);
    expect(red.stderr).toContain('the end');
  });

  test('a claim that is lost meanwhile ends the check, and keeps the text', async () => {
    typed('leader', 'defaults', '--check', 'sleep 2');
    await claimed();
    const handing = done('long work');
    await until(() => existsSync(join(state, 'coord/checks')), 'the check begins');
    await ok(['leader', 'release', 'task-001']);
    await ok(['worker', 'claim', 'v']);
    expect(await handing).toMatchObject({ code: 4, stderr: expect.stringContaining('Your result is kept') });
    expect(rig.board().tasks[0]).toMatchObject({ status: 'claimed', claimed_by: 'v' });
  });

  test('kill -9 while it is checked: not done; afterwards it can be handed in again', async () => {
    typed('leader', 'defaults', '--check', 'echo x >> ran.txt; sleep 30');
    await claimed();
    const child = spawn(process.execPath, [BIN, 'worker', 'done', 'w', 'task-001', 'x'], {
      cwd: rig.cwd,
      env: scrubbedEnv(env()),
    });
    await until(() => runs() === 1, 'the check runs');
    child.kill('SIGKILL');
    typed('leader', 'edit', 'task-001', '--check', 'true');
    expect(rig.board().tasks[0]?.status).toBe('claimed');
    expect(await done()).toMatchObject({ code: 0 });
  });

  test('who stands in a linked worktree is checked there, wherever it lies', async () => {
    git('worktree', 'add', '-q', '--detach', 'inside/wt');
    typed('leader', 'defaults', '--check', 'test -f only-here.txt');
    await claimed();
    rig.write('inside/wt/only-here.txt', '');
    expect((await done()).code).toBe(4);
    const there = { cwd: rig.path('inside/wt'), env: env() };
    expect(await rig.coord(['worker', 'done', 'w', 'task-001', 'did it'], there)).toMatchObject({ code: 0 });
  });

  test('the result from a file; either, not both', async () => {
    await claimed();
    rig.write('result.md', 'from a file\n');
    expect((await coord(['worker', 'done', 'w', 'task-001', 'x', '-F', 'result.md'])).code).toBe(2);
    expect(await ok(['worker', 'done', 'w', 'task-001', '-F', 'result.md', '--no-changes'])).toBe('task-001 done\n');
    expect(rig.read('.coordination/results/task-001.md')).toContain('from a file');
  });
});

describe('review', () => {
  beforeEach(async () => {
    repository();
    await ok(['leader', 'init', 'g', '--review']);
    await claimed('-f', 'a.txt');
    await ok(['leader', 'add-task', 'after', '-d', 'task-001']);
  });

  test('handed in is not done: who waits goes on waiting, its author does not approve it, another does', async () => {
    rig.write('a.txt', 'one\ntwo\n');
    expect(await done('did it', '-m', 'a.txt')).toMatchObject({
      stdout: expect.stringContaining('task-001 submitted'),
    });
    expect(await done('did it', '-m', 'a.txt')).toMatchObject({ stdout: expect.stringContaining('already submitted') });
    expect(await ok(['status'])).toContain('Needs review');
    expect(await coord(['worker', 'claim', 'v'])).toMatchObject({ code: 3, stdout: expect.stringContaining('review') });
    const waited = await coord(['leader', 'wait']);
    expect(waited).toMatchObject({ code: 0, stderr: expect.stringContaining('Only reviews are left') });
    expect(waited.stdout).toMatch(/^review: /);
    expect(await coord(['worker', 'approve', 'w', 'task-001'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('w has worked on task-001'),
    });
    expect((await coord(['worker', 'review', 'w'])).code).toBe(3);
    const seen = await ok(['worker', 'review', 'v']);
    for (const part of ['> do it', 'did it', '> +two', 'coord worker approve v task-001']) expect(seen).toContain(part);
    expect(await ok(['worker', 'approve', 'v', 'task-001'])).toBe('task-001 done\n');
    expect(rig.board().tasks[0]).toMatchObject({ status: 'done', claimed_by: 'w', reviewed: { by: 'v' } });
    expect(await ok(['worker', 'claim', 'v'])).toContain('task-002 claimed');
    expect(await ok(['leader', 'timeline'])).toContain('+ approved');
  });

  test('an approval is bound to what was seen', async () => {
    await done('did it', '-m', 'a.txt');
    rig.write('a.txt', 'something else\n');
    expect(await coord(['leader', 'approve', 'task-001'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('has changed since it was handed in'),
    });
    rig.write('a.txt', 'one\n');
    expect(await ok(['leader', 'approve', 'task-001'])).toBe('task-001 done\n');
  });

  test('sent back: the reason stands in the next brief, its author comes first, five times is failed', async () => {
    for (let n = 1; n <= 5; n++) {
      await done(`try ${n}`);
      const back = await ok(['worker', 'send-back', 'v', 'task-001', `wrong ${n}`]);
      expect(back).toContain(n < 5 ? 'sent back to w' : 'task-001 failed');
      if (n === 5) break;
      if (n === 1) {
        await ok(['leader', 'add-task', 'other', '-p', '9']);
        expect(await ok(['worker', 'claim', 'v'])).toContain('task-003 claimed by v');
      }
      expect(await ok(['worker', 'claim', 'w'])).toContain(`wrong ${n}`);
      expect(await ok(['worker', 'context', 'w'])).toContain(`It was sent back ${n === 1 ? '1 time' : `${n} times`}`);
    }
    expect(rig.board().tasks[0]).toMatchObject({ status: 'failed', bounces: 5 });
  });

  test('a check that is asked for after it was handed in holds all the same', async () => {
    await done('did it', '-m', 'a.txt');
    typed('leader', 'edit', 'task-001', '--check', 'test -f later.txt');
    expect(await coord(['leader', 'approve', 'task-001'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('exit 1'),
    });
    expect(rig.board().tasks[0]?.status).toBe('submitted');
    rig.write('later.txt', '');
    expect(await ok(['leader', 'approve', 'task-001'])).toBe('task-001 done\n');
    expect(rig.read('.coordination/results/task-001.checks.jsonl')).toContain('later.txt');
  });

  test('who looked at something else does not approve this', async () => {
    await done('did it', '-m', 'a.txt');
    const head = /--head (\w+)/.exec(await ok(['worker', 'review', 'v']))?.[1] ?? '';
    expect(await coord(['worker', 'approve', 'v', 'task-001', '--head', 'other'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('handed in again'),
    });
    expect(await ok(['worker', 'approve', 'v', 'task-001', '--head', head])).toBe('task-001 done\n');
  });

  test('a protected change stays one through every attempt, committed or not', async () => {
    await ok(['leader', 'defaults', '--no-review', '--protect', 'package.json']);
    await ok(['leader', 'add-task', 'package']);
    await ok(['worker', 'claim', 'v', 'task-003']);
    const start = Date.now();
    await until(() => Date.now() > start + 1100, 'the clock of git, which counts in seconds, to go on');
    rig.write('package.json', '{}');
    git('add', '--all');
    git('commit', '-q', '-m', 'package');
    expect(await ok(['worker', 'done', 'v', 'task-003', 'did it', '-m', 'a.txt'])).toContain('submitted');
    expect(await ok(['worker', 'review', 'u', 'task-003'])).toContain('package.json');
    await ok(['worker', 'send-back', 'u', 'task-003', 'no']);
    await ok(['worker', 'claim', 'v', 'task-003']);
    expect(await ok(['worker', 'done', 'v', 'task-003', 'as it was'])).toContain('submitted');
  });

  test('a protected file forces a review, whoever says what about it', async () => {
    await ok(['leader', 'defaults', '--no-review', '--protect', 'package.json,.github/**']);
    rig.write('a.txt', 'harmless\n');
    expect((await done()).stdout).toBe('task-001 done\n'.replace('done\n', 'done, now claimable: task-002\n'));
    await ok(['worker', 'claim', 'w']);
    rig.write('package.json', '{}');
    expect(await ok(['worker', 'done', 'w', 'task-002', 'nothing to see'])).toContain('task-002 submitted');
  });
});

describe('late results', () => {
  beforeEach(async () => {
    await ok(['leader', 'init', 'g']);
    await claimed();
  });

  test('taken where nobody holds the task, through the gate', async () => {
    await ok(['leader', 'release', 'task-001']);
    // Whoever never held it is not late.
    expect((await coord(['worker', 'done', 'u', 'task-001', 'x'])).code).toBe(4);
    expect(await done('late, and good')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('task-001 done, late'),
    });
    expect(rig.board().tasks[0]).toMatchObject({ status: 'done', claimed_by: 'w' });
    expect(await ok(['log'])).toContain('attempt 1, late');
  });

  test('where somebody holds it: kept, named to both, and taken if the leader says so', async () => {
    await ok(['leader', 'release', 'task-001']);
    await ok(['worker', 'claim', 'v']);
    expect(await done('late work')).toMatchObject({ code: 4, stderr: expect.stringContaining('kept') });
    expect(await ok(['log'])).toContain('w late task-001: its result is kept');
    expect(await ok(['worker', 'context', 'v'])).toContain('Late result of w, task-001.w.2: late work');
    expect((await coord(['leader', 'show', 'task-001'])).stderr).toContain('coord leader accept task-001 task-001.w.2');
    expect(await ok(['leader', 'accept', 'task-001', 'task-001.w.2'])).toBe('task-001 done\n');
    expect(rig.board().tasks[0]).toMatchObject({ status: 'done', claimed_by: 'w' });
    expect(rig.read('.coordination/results/task-001.md')).toContain('late work');
    expect(await coord(['worker', 'done', 'v', 'task-001', 'mine'])).toMatchObject({ code: 4 });
    expect(readFileSync(rig.path('.coordination/results/task-001.v.2.refused.md'), 'utf8')).toBe('mine\n');
  });

  test('taken too where it was failed only because its last lease ran out', async () => {
    await ok(['leader', 'add-task', 'last chance', '--max-attempts', '1']);
    await ok(['worker', 'claim', 'v', 'task-002', '--lease', '1s']);
    await until(
      async () => !(await ok(['leader', 'list', '--status', 'failed'])).includes('No such'),
      'the lease runs out',
    );
    await ok(['worker', 'claim', 'u', 'task-001']).catch(() => {}); // whatever: it is what writes the failure down
    await ok(['worker', 'heartbeat', 'w']);
    expect(await coord(['worker', 'done', 'v', 'task-002', 'late'])).toMatchObject({ code: 0 });
    expect(rig.board().tasks[1]).toMatchObject({ status: 'done', claimed_by: 'v' });
  });

  test('one that gave the task back itself is not late', async () => {
    await ok(['worker', 'release', 'w', 'task-001', 'half']);
    expect((await done()).code).toBe(4);
  });
});

test('done by hand is taken, and logged as unchecked', async () => {
  await ok(['leader', 'init', 'g']);
  await ok(['leader', 'add-task', 'a', '--check', 'false']);
  rig.write('.coordination/tasks.json', rig.read('.coordination/tasks.json').replace('"available"', '"done"'));
  expect(await ok(['status'])).toContain('1/1 done');
  expect(await ok(['log'])).toContain('complete task-001: by hand, unchecked');
});

test('checks come with imports, exports and defaults; a board without them is as it was', async () => {
  await ok(['leader', 'init', 'g']);
  writeFileSync(
    rig.path('t.json'),
    JSON.stringify([{ description: 'a', checks: ['npm test, or so'], review: true, check_timeout: 5 }]),
  );
  await ok(['leader', 'import', 't.json']);
  expect(rig.board().tasks[0]).toMatchObject({ checks: ['npm test, or so'], review: true, check_timeout: 5 });
  for (const format of ['json', 'csv', 'markdown'])
    expect(await ok(['leader', 'export', '--format', format]), format).toContain('npm test, or so');
  expect(await ok(['leader', 'defaults'])).toBe('No defaults.\n');
  await ok(['leader', 'defaults', '--check', 'a', '--check', 'b', '--check-timeout', '2m', '--protect', 'x']);
  expect(rig.board().defaults).toEqual({ checks: ['a', 'b'], check_timeout: 120, protect: ['x'] });
  await ok(['leader', 'defaults', '--clear', 'check,protect,check-timeout']);
  expect(rig.board().defaults).toBeUndefined();
});
