/** The user's own quick start, word for word, and the tree that it leaves. */
import { expect, test } from 'vitest';
import { Rig } from '../../support/rig.ts';

test('the quick start works word for word', async () => {
  const rig = new Rig();
  expect(await rig.ok(['leader', 'init', 'Build a REST API'])).toBe('Created .coordination/ for: Build a REST API\n');
  expect(await rig.ok(['leader', 'add-task', 'Create User model', '-p', '1'])).toBe('task-001 added (priority 1)\n');
  expect(await rig.ok(['leader', 'add-task', 'Create login endpoint', '-p', '2'])).toBe(
    'task-002 added (priority 2)\n',
  );
  expect(await rig.ok(['leader', 'status'])).toMatch(
    /^Build a REST API\n\[\.{20}\] 0\/2 done, 2 claimable\nNext\n {2}task-001 p1 Create User model\n/,
  );
  expect(await rig.ok(['worker', 'claim', 'terminal-2'])).toMatch(
    /^task-001 claimed by terminal-2 until (\d\d:\d\d:\d\d|\d{4}-)/,
  );
  expect(await rig.ok(['worker', 'complete', 'terminal-2', 'task-001', 'Done!'])).toBe('task-001 done\n');
  expect(await rig.ok(['worker', 'claim', 'terminal-3'])).toMatch(/^task-002 claimed by terminal-3/);

  for (const name of [
    'master-plan.md',
    'tasks.json',
    'context/discoveries.md',
    'logs/leader.log',
    'logs/terminal-2.log',
    'results/task-001.md',
    '.gitignore',
  ]) {
    expect(rig.exists(`.coordination/${name}`), name).toBe(true);
  }
  expect(rig.read('.coordination/results/task-001.md')).toMatch(/^# task-001: Create User model\n[^]*\nDone!\n$/);
  expect(rig.read('.coordination/master-plan.md')).toContain('Build a REST API');
  expect(rig.board().tasks[0]).toMatchObject({ id: 'task-001', status: 'done', claimed_by: 'terminal-2', priority: 1 });
});

test('the text of a claim is all that an agent needs, and nothing more', async () => {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'x']);
  await rig.ok(['leader', 'add-task', 'Create User model', '-p', '1']);
  await rig.ok([
    'leader',
    'add-task',
    'Create login endpoint',
    '-p',
    '1',
    '-d',
    'task-001',
    '-f',
    'src/auth/login.ts',
    '--hints',
    'Use JWT',
  ]);
  await rig.ok(['worker', 'claim', 'terminal-2']);
  expect(await rig.ok(['worker', 'complete', 'terminal-2', 'task-001', 'Done!'])).toBe(
    'task-001 done, now claimable: task-002\n',
  );
  const claim = await rig.coord(['worker', 'claim', 'terminal-2']);
  expect(claim.stderr).toBe('');
  expect(claim.stdout.replace(/until [\d:. -]+ \(/, 'until 14:35:10 ('))
    .toBe(`task-002 claimed by terminal-2 until 14:35:10 (priority 1, attempt 1)

> Create login endpoint

Files: src/auth/login.ts
Hints: Use JWT
Needs: task-001 done, see .coordination/results/task-001.md

Done:  coord worker done terminal-2 task-002 "what you did"
Stuck: coord worker fail terminal-2 task-002 "why"
`);
});

test.each([10, 3000])('a claim, a completion and a status stay short on a board of %i tasks', async (size) => {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Build a REST API for user management']);
  const tasks = Array.from({ length: size }, (_, i) => ({
    description: `Implement the endpoint number ${i + 1} with its validation`,
    dependencies: i < 5 ? [] : [`#${i - 3}`],
    files: [`src/routes/endpoint-${i + 1}.ts`],
    hints: 'Use zod for validation',
  }));
  await rig.ok(['leader', 'import', '-'], { input: JSON.stringify(tasks) });
  for (const worker of ['a', 'b', 'c']) await rig.ok(['worker', 'claim', `terminal-${worker}`]);
  const claim = await rig.coord(['worker', 'claim', 'terminal-2']);
  const complete = await rig.coord([
    'worker',
    'complete',
    'terminal-2',
    'task-004',
    'Endpoint with validation and tests; see src/routes',
  ]);
  const bytes = (...answers: { stdout: string; stderr: string }[]): number =>
    answers.reduce((sum, a) => sum + Buffer.byteLength(a.stdout + a.stderr), 0);
  expect(claim.stdout).toContain('task-004 claimed');
  expect(bytes(claim, complete)).toBeLessThanOrEqual(900);
  expect(bytes(await rig.coord(['leader', 'status']))).toBeLessThanOrEqual(900);
});
