/** What new users and reviewers ran into, so that nobody does again. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BIN, Rig, scrubbedEnv, until } from '../../support/rig.ts';

async function board(...tasks: string[][]): Promise<Rig> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Goal']);
  for (const task of tasks) await rig.ok(['leader', 'add-task', ...task]);
  return rig;
}

test('a tasks.json that is only a list is malformed, not a board without the rest', async () => {
  const rig = await board(['a']);
  rig.write('.coordination/tasks.json', '[]');
  expect(await rig.coord(['leader', 'list'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('line 1, column 1') as string,
  });
  expect(rig.read('.coordination/tasks.json')).toBe('[]');
});

test('a task that somebody works on is not deleted by hand; the edit is kept', async () => {
  const rig = await board(['a'], ['b']);
  await rig.ok(['worker', 'claim', 'w']);
  rig.write('.coordination/tasks.json', '{"tasks":[]}');
  const ran = await rig.coord(['leader', 'list']);
  expect(ran.stderr).toMatch(/task-001 was deleted by hand, but w works on it/);
  expect(ran.stdout).toContain('task-002');
  expect(rig.board()).toMatchObject({ goal: 'Goal', tasks: [{ claimed_by: 'w' }, {}] });
});

test('the result of a task that is gone is kept', async () => {
  const rig = await board(['a']);
  expect(await rig.coord(['worker', 'complete', 'w', 'task-009', 'my work'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('task-009.w.0.refused.md') as string,
  });
  expect(rig.read('.coordination/results/task-009.w.0.refused.md')).toBe('my work\n');
});

test('--json without a command answers with an error document', async () => {
  const rig = new Rig();
  for (const args of [['--json'], ['leader', '--json'], ['worker', '--json']]) {
    const ran = await rig.coord(args);
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stderr)).toMatchObject({ error: { code: 'usage' } });
  }
});

test('giving a task back uses up no attempt', async () => {
  const rig = await board(['a', '--max-attempts', '1']);
  for (let i = 0; i < 3; i++) {
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'release', 'w', 'task-001']);
  }
  await rig.ok(['worker', 'claim', 'w']);
  expect(await rig.ok(['worker', 'fail', 'w', 'task-001', 'no'])).toContain('failed for good');
});

test('a command that always fails stops its worker before it has used up the board', async () => {
  const rig = await board(...Array.from({ length: 6 }, (_, i) => [`t${i}`]));
  expect(await rig.coord(['worker', 'run', 'w', '--', 'false'])).toMatchObject({
    code: 1,
    stdout: 'w: stopped after 5 failures in a row; 0 done, 5 failed\n',
  });
  expect(rig.board().tasks.filter((task) => task.status === 'failed').length).toBeLessThan(3);
});

test('a command that leaves something running in the background does not hold its task', async () => {
  const rig = await board(['a']);
  expect(await rig.ok(['worker', 'run', 'w', '--', 'bash', '-c', 'sleep 100 & echo ok'])).toBe(
    'w: drained; 1 done, 0 failed\n',
  );
  expect(rig.read('.coordination/results/task-001.md')).toMatch(/\nok\n$/);
});

test('a task asked for by name is waited for', async () => {
  const rig = await board(['a'], ['b', '-d', 'task-001']);
  await rig.ok(['worker', 'claim', 'v']);
  const waiting = rig.start(['worker', 'claim', 'w', 'task-002', '--wait']);
  await rig.ok(['worker', 'complete', 'v', 'task-001', 'x']);
  expect(await waiting.ended).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^task-002 claimed by w/) as string,
  });
});

test('a waiter does not spin on a task that an exclusive one holds back', async () => {
  const rig = await board(['held', '-f', 'x.ts', '-p', '1'], ['lock', '-f', 'x.ts', '--exclusive', '-p', '2']);
  await rig.ok(['worker', 'claim', 'a', 'task-001', '--lease', '1s']);
  await until(
    async () => (await rig.json<{ counts: { claimable: number } }>(['leader', 'status'])).counts.claimable === 2,
    'the lease has expired',
  );
  await rig.ok(['worker', 'claim', 'b', 'task-002']);
  const cpu = await new Promise<string>((resolve) => {
    const script = `process.argv=[process.argv[0],${JSON.stringify(BIN)},'worker','claim','c','--wait','--timeout','2s'];process.on('exit',()=>console.log('cpu',process.cpuUsage().user+process.cpuUsage().system));require(${JSON.stringify(BIN)})`;
    execFile(process.execPath, ['-e', script], { cwd: rig.cwd, env: scrubbedEnv() }, (_, stdout) => resolve(stdout));
  });
  // Microseconds, of two seconds: starting takes a tenth of this, spinning took most of it.
  expect(Number(/cpu (\d+)/.exec(cpu)?.[1])).toBeLessThan(1_000_000);
});

test('the leader can retry what status shows as failed, although nobody has claimed since', async () => {
  const rig = await board(['a', '--max-attempts', '1']);
  await rig.ok(['worker', 'claim', 'dead', '--lease', '1s']);
  await until(
    async () => (await rig.json<{ counts: { failed: number } }>(['leader', 'status'])).counts.failed === 1,
    'the lease has expired',
  );
  expect(await rig.ok(['leader', 'retry', 'task-001'])).toBe('available again: task-001\n');
});

test('a reader that goes away ends log --follow', async () => {
  const rig = await board(['a']);
  const following = rig.start(['log', '--follow']);
  await until(() => following.output() !== '', 'it follows');
  following.child.stdout?.destroy();
  await rig.ok(['leader', 'add-task', 'b']);
  expect((await following.ended).code).toBe(130);
});

test('a folder in the place of a file is one clear message', async () => {
  const rig = await board(['a']);
  mkdirSync(rig.path('folder'));
  writeFileSync(rig.path('file'), '');
  for (const args of [
    ['leader', 'aggregate', '-o', 'folder'],
    ['leader', 'init', 'x', '--dir', 'file'],
  ]) {
    const ran = await rig.coord(args);
    expect(ran.code, ran.stderr).toBe(1);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
  }
});

test('a restored tasks.json with a high revision goes on beside commits, and neither is lost', async () => {
  const rig = await board(['a']);
  rig.write('.coordination/tasks.json', JSON.stringify({ ...rig.board(), revision: 500 }));
  await Promise.all(Array.from({ length: 8 }, (_, i) => rig.ok(['leader', 'add-task', `t${i}`])));
  expect(rig.board().tasks.length).toBe(9);
});

test('a NUL in a description does not poison the workers', async () => {
  const rig = await board();
  await rig.ok(['leader', 'import', '-'], { input: '[{"description":"a\\u0000b"}]' });
  expect(await rig.ok(['worker', 'run', 'w', '--', 'sh', '-c', 'echo "$COORD_TASK_DESCRIPTION"'])).toContain('1 done');
});
