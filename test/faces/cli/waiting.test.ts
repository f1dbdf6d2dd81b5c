/** Waiting workers, racing workers, and `worker run`, as real processes. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Rig, until, isWatching } from '../../support/rig.ts';

async function board(...tasks: string[]): Promise<Rig> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Goal']);
  for (const task of tasks) await rig.ok(['leader', 'add-task', task]);
  return rig;
}

test('of 16 claims at once every task goes to exactly one worker', async () => {
  const rig = await board('a', 'b', 'c', 'd', 'e');
  const claims = await Promise.all(Array.from({ length: 16 }, (_, i) => rig.coord(['worker', 'claim', `w${i}`])));
  const won = claims.filter((claim) => claim.code === 0).map((claim) => claim.stdout.slice(0, 8));
  expect(won.toSorted()).toEqual(['task-001', 'task-002', 'task-003', 'task-004', 'task-005']);
  expect(claims.filter((claim) => claim.code === 3).length).toBe(11);
});

test('of 16 adds at once none is lost', async () => {
  const rig = await board();
  await Promise.all(Array.from({ length: 16 }, (_, i) => rig.ok(['leader', 'add-task', `t${i}`])));
  expect(new Set(rig.board().tasks.map((task) => task.description)).size).toBe(16);
});

test('waiting workers wake for a new task, one of them gets it, and all stop when drained', async () => {
  const rig = await board('held');
  await rig.ok(['worker', 'claim', 'holder']);
  const waiters = ['a', 'b', 'c'].map((name) => rig.start(['worker', 'claim', name, '--wait']));
  await rig.ok(['leader', 'add-task', 'wanted']);
  const winner = await Promise.race(waiters.map(({ ended }) => ended));
  expect(winner.stdout).toMatch(/^task-002 claimed/);
  const name = /claimed by (\w)/.exec(winner.stdout)?.[1] ?? '';
  await rig.ok(['worker', 'complete', name, 'task-002', 'x']);
  await rig.ok(['worker', 'complete', 'holder', 'task-001', 'x']);
  const ends = await Promise.all(waiters.map(({ ended }) => ended));
  expect(ends.map((end) => String(end.code)).toSorted()).toEqual(['0', '3', '3']);
});

test('a waiter takes over an expired lease, and a time-out ends a wait with 5', async () => {
  const rig = await board('a');
  await rig.ok(['worker', 'claim', 'dead', '--lease', '2s']);
  expect(await rig.coord(['worker', 'claim', 'w', '--wait', '--timeout', '100ms'])).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('task-001 (claimed by dead)') as string,
  });
  expect(await rig.ok(['worker', 'claim', 'w', '--wait'])).toMatch(/task-001 claimed by w[^]*Taken over from dead/);
});

test('Ctrl-C ends a wait with 130', async () => {
  const rig = await board('a');
  await rig.ok(['worker', 'claim', 'holder']);
  const waiting = rig.start(['worker', 'claim', 'w', '--wait', '--json']);
  const watching = rig.start(['leader', 'status', '--watch', '--json']);
  await until(() => watching.output() !== '', 'the watch has begun');
  await until(() => isWatching(waiting.child.pid), 'the waiter');
  waiting.child.kill('SIGINT');
  watching.child.kill('SIGINT');
  expect(await waiting.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('"interrupted"') as string });
  expect((await watching.ended).code).toBe(130);
});

test('status --watch and log --follow show changes as they come', async () => {
  const rig = await board();
  const watching = rig.start(['leader', 'status', '--watch', '--json']);
  const following = rig.start(['log', '--follow', '--json']);
  await until(() => watching.output() !== '' && following.output() !== '', 'both have begun');
  await rig.ok(['leader', 'add-task', 'new']);
  await until(() => watching.output().includes('"available":1'), 'the status shows the task');
  await until(() => following.output().includes('"event":"add"'), 'the log shows the task');
  for (const line of `${watching.output()}${following.output()}`.trim().split('\n')) JSON.parse(line);
});

test('leader wait sleeps until everything is settled', async () => {
  const rig = await board('a');
  const waiting = rig.start(['leader', 'wait']);
  await rig.ok(['worker', 'claim', 'w']);
  await rig.ok(['worker', 'complete', 'w', 'task-001', 'x']);
  expect(await waiting.ended).toMatchObject({ code: 0, stdout: 'settled: 1/1 done\n' });
});

test('worker run hands brief and fields to the command, stores its stdout, fails with its stderr', async () => {
  const rig = await board();
  await rig.ok(['leader', 'add-task', 'good', '-f', 'a.ts,b.ts', '--hints', 'H']);
  await rig.ok(['leader', 'add-task', 'bad', '--max-attempts', '1']);
  const script =
    'if [ "$COORD_TASK_DESCRIPTION" = bad ]; then echo broken >&2; exit 3; fi; cat; echo "$COORD_WORKER $COORD_TASK_ID $COORD_TASK_HINTS" $COORD_TASK_FILES';
  const ran = await rig.coord(['worker', 'run', 'w', '--', 'bash', '-c', script]);
  expect(ran).toMatchObject({ code: 1, stdout: 'w: drained; 1 done, 1 failed\n' });
  expect(rig.read('.coordination/results/task-001.md')).toMatch(/# task-001: good[^]*w task-001 H a\.ts b\.ts\n$/);
  expect(rig.board().tasks[1]).toMatchObject({ status: 'failed', last_error: 'w: broken (exit code 3)' });
});

test('worker run keeps a short lease alive, and gives the task back on Ctrl-C with everything it started', async () => {
  const rig = await board('slow');
  const running = rig.start([
    'worker',
    'run',
    'w',
    '--lease',
    '2s',
    '--',
    'bash',
    '-c',
    'sleep 1000 & echo $! > pid; wait',
  ]);
  await until(
    () => existsSync(rig.path('pid')) && readFileSync(rig.path('pid'), 'utf8').trim() !== '',
    'the command runs',
  );
  const first = rig.board().tasks[0]?.lease_expires_at ?? '';
  await until(() => (rig.board().tasks[0]?.lease_expires_at ?? '') > first, 'the lease is renewed');
  expect((await rig.coord(['worker', 'claim', 'thief'])).code).toBe(3);
  running.child.kill('SIGINT');
  expect((await running.ended).code).toBe(130);
  expect(rig.board().tasks[0]).toMatchObject({ status: 'available', note: 'w: interrupted' });
  const pid = Number(rig.read('pid'));
  await until(() => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  }, 'the grandchild has ended');
});

test('worker run stops a command whose task was taken away', async () => {
  const rig = await board('slow');
  const running = rig.start(['worker', 'run', 'w', '--lease', '2s', '--', 'bash', '-c', 'echo x > began; sleep 1000']);
  await until(() => rig.exists('began'), 'the command runs');
  await rig.ok(['leader', 'cancel', 'task-001']);
  expect(await running.ended).toMatchObject({ code: 0, stdout: 'w: drained; 0 done, 0 failed\n' });
});

test('a command that cannot be started costs no attempt at the work', async () => {
  const rig = await board('a');
  expect(await rig.coord(['worker', 'run', 'w', '--', './not-there'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Cannot start ./not-there') as string,
  });
  expect(rig.board().tasks[0]?.status).toBe('available');
});
