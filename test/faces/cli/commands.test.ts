/** Every command once with its options, its --json document, and its exit code. */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { Rig } from '../../support/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = new Rig();
  await rig.ok(['leader', 'init', 'Goal']);
});
const add = (...args: string[]): Promise<string> => rig.ok(['leader', 'add-task', ...args]);

describe('leader', () => {
  test('init refuses a second board, here and below, and --force keeps a backup', async () => {
    await add('kept');
    for (const cwd of [rig.cwd, rig.path('.coordination/logs')]) {
      expect(await rig.coord(['leader', 'init', 'Other'], { cwd })).toMatchObject({
        code: 4,
        stdout: '',
        stderr: expect.stringContaining('already') as string,
      });
    }
    const { backup } = await rig.json<{ backup: string }>(['leader', 'init', 'Other', '--force']);
    expect(rig.read(`${backup.slice(rig.cwd.length + 1)}/tasks.json`)).toContain('kept');
    expect(rig.board()).toMatchObject({ goal: 'Other', tasks: [] });
  });

  test('of many inits at once exactly one succeeds', async () => {
    const fresh = new Rig();
    const runs = await Promise.all(Array.from({ length: 6 }, (_, i) => fresh.coord(['leader', 'init', `goal ${i}`])));
    expect(runs.map((run) => String(run.code)).toSorted()).toEqual(['0', '4', '4', '4', '4', '4']);
    const winner = runs.findIndex((run) => run.code === 0);
    expect(fresh.board()['goal']).toBe(`goal ${winner}`);
    expect(fresh.read('.coordination/master-plan.md')).toContain(`goal ${winner}`);
  });

  test('plan prints, replaces, extends, and reads stdin', async () => {
    expect(await rig.ok(['leader', 'plan'])).toContain('## Goal\n\nGoal');
    await rig.ok(['leader', 'plan', '-'], { input: '# New\n' });
    await rig.ok(['leader', 'plan', 'More', '--append']);
    expect(rig.read('.coordination/master-plan.md')).toBe('# New\n\nMore\n');
  });

  test('add-task takes every field', async () => {
    await add('first');
    const { task } = await rig.json<{ task: object }>(
      'leader add-task second -p 2 -d task-001 -f a.ts,b.ts --hints H -t x,y --max-attempts 5 --exclusive --key k'.split(
        ' ',
      ),
    );
    expect(task).toMatchObject({
      id: 'task-002',
      priority: 2,
      dependencies: ['task-001'],
      context: { files: ['a.ts', 'b.ts'], hints: 'H' },
      tags: ['x', 'y'],
      max_attempts: 5,
      exclusive: true,
      key: 'k',
      status: 'available',
      attempt: 0,
    });
    expect(await add('second', '--key', 'k')).toContain('task-002 was there already');
  });

  test('import is all or none, and keyed imports can be repeated', async () => {
    const tasks = [
      { key: 'a', description: 'A' },
      { description: 'B', dependencies: ['a'] },
      { description: 'C', dependencies: ['task-2'] },
    ];
    rig.write('tasks.json', JSON.stringify(tasks));
    expect(await rig.ok(['leader', 'import', 'tasks.json'])).toBe('3 tasks added: task-001 … task-003\n');
    expect(rig.board().tasks.map((task) => task.dependencies)).toEqual([[], ['task-001'], ['task-002']]);
    const bad = await rig.coord(['leader', 'import', '-'], {
      input: JSON.stringify([{ description: 'D' }, { description: 'E', priority: 11 }]),
    });
    expect(bad).toMatchObject({ code: 1, stderr: expect.stringMatching(/stdin, task 2, line 1 .*priority/) as string });
    expect(rig.board().tasks.length).toBe(3);
    expect(await rig.ok(['leader', 'import', '-'], { input: '[{"key":"a","description":"A"}]' })).toContain(
      '0 tasks added, 1 there already: task-001',
    );
  });

  test.each([
    [
      'JSON object',
      '{"tasks":[{"description":"one","context":{"files":["f"],"hints":"h"}},{"description":"two","dependencies":["task-1"]}]}',
    ],
    [
      'JSON Lines',
      '{"id":"x","description":"one","context_files":["f"],"hints":"h"}\n{"description":"two","dependencies":["x"]}\n',
    ],
    [
      'YAML',
      'tasks:\n  - id: x\n    description: one\n    files: [f]\n    hints: h\n  - description: two\n    dependencies: [x]\n',
    ],
    ['YAML list', '- description: one\n  files: [f]\n  hints: h\n- description: two\n  dependencies: [task-1]\n'],
  ])('import reads %s', async (_, text) => {
    await rig.ok(['leader', 'import', '-'], { input: text });
    expect(rig.board().tasks).toMatchObject([
      { description: 'one', context: { files: ['f'], hints: 'h' } },
      { description: 'two', dependencies: ['task-001'] },
    ]);
  });

  test('import reads a Markdown list: open items only, indented lines as hints', async () => {
    await rig.ok(['leader', 'import', '-'], {
      input: '# To do\n\n- [x] was done\n- [ ] open one\n  look at a.ts\n* [ ] another\n1. [ ] numbered\n\n- a note\n',
    });
    expect(rig.board().tasks).toMatchObject([
      { description: 'open one', context: { hints: 'look at a.ts' } },
      { description: 'another' },
      { description: 'numbered' },
    ]);
  });

  test('list filters, counts what it leaves out, and show tells everything', async () => {
    for (let i = 1; i <= 25; i++) await add(`t${i}`, ...(i > 20 ? ['-t', 'late', '-d', 'task-001'] : []));
    const all = await rig.coord(['leader', 'list']);
    expect(all.stdout.trimEnd().split('\n').length).toBe(20);
    expect(all.stderr).toContain('5 more');
    expect(await rig.json(['leader', 'list', '--tag', 'late'])).toMatchObject({ total: 5 });
    expect(await rig.json(['leader', 'list', '--status', 'blocked', '-n', '2'])).toMatchObject({
      total: 5,
      tasks: [{ id: 'task-021' }, { id: 'task-022' }],
    });
    expect(await rig.coord(['leader', 'list', '--status', 'nope'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('available') as string,
    });
    expect(await rig.ok(['leader', 'show', 'task-021'])).toMatch(/task-021 blocked[^]*Needs: +task-001[^]*Tags: +late/);
    expect(await rig.json(['leader', 'show', 'task-001'])).toMatchObject({
      task: { id: 'task-001' },
      dependants: ['task-021', 'task-022', 'task-023', 'task-024', 'task-025'],
      result: null,
    });
  });

  test('edit changes and clears', async () => {
    await add('a', '--hints', 'old', '-t', 'x');
    await rig.ok(['leader', 'edit', 'task-001', '--description', 'b', '-p', '1', '--clear', 'hints,tag']);
    expect(rig.board().tasks[0]).toMatchObject({ description: 'b', priority: 1, tags: [], context: { hints: '' } });
    expect((await rig.coord(['leader', 'edit', 'task-001'])).code).toBe(2);
  });

  test('fail, stuck, retry, cancel --cascade, release', async () => {
    await add('a', '--max-attempts', '1');
    await add('b', '-d', 'task-001');
    await rig.ok(['worker', 'claim', 'w']);
    expect(await rig.ok(['worker', 'fail', 'w', 'task-001', 'no way'])).toContain('failed for good');
    expect(await rig.coord(['worker', 'claim', 'w'])).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('stuck: 1 task left, behind task-001 (failed)') as string,
    });
    expect(await rig.ok(['leader', 'status'])).toMatch(
      /Stuck\n {2}task-002 b, behind task-001\nFailed\n {2}task-001 w: no way/,
    );
    expect(await rig.coord(['leader', 'wait'])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('stuck:') as string,
    });
    await rig.ok(['leader', 'retry', 'task-001']);
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['leader', 'release', 'task-001']);
    await rig.ok(['worker', 'claim', 'v']);
    const late = await rig.coord(['worker', 'complete', 'w', 'task-001', 'my work']);
    expect(late).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('.coordination/results/task-001.w.3.refused.md') as string,
    });
    expect(rig.read('.coordination/results/task-001.w.3.refused.md')).toBe('my work\n');
    expect(await rig.ok(['leader', 'cancel', 'task-001', '--cascade'])).toContain('task-001, task-002');
    expect(await rig.coord(['worker', 'claim', 'w'])).toMatchObject({
      code: 3,
      stdout: 'drained: every task is settled, stop working.\n',
    });
  });

  test('graph in three formats, with the critical path', async () => {
    await add('a "quoted"');
    await add('b', '-d', 'task-001');
    await add('c');
    expect(await rig.ok(['leader', 'graph'])).toBe(
      '* ○ task-001 a "quoted" (available)\n  │ ○ task-003 c (available)\n* · task-002 b (blocked) <- task-001\n\n○ available  ▶ claimed  ✓ done  ✗ failed  – cancelled  · blocked  ! stuck\n* critical path: 2 tasks, one after the other\n',
    );
    expect(await rig.ok(['leader', 'graph', '--format', 'mermaid'])).toContain('task-001 ==> task-002');
    expect(await rig.ok(['leader', 'graph', '--format', 'dot'])).toContain('"task-001" -> "task-002" [penwidth=3]');
    expect(await rig.json(['leader', 'graph'])).toMatchObject({ edges: [{ from: 'task-001', to: 'task-002' }] });
  });

  test('aggregate writes results and discoveries', async () => {
    await add('a');
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'discover', 'w', 'UTC everywhere', '-t', 'db', '--task', 'task-001']);
    await rig.ok(['worker', 'complete', 'w', 'task-001', '# Big heading\ntext', '-c', 'new.ts', '-m', 'old.ts']);
    expect(await rig.ok(['leader', 'aggregate'])).toBe('.coordination/summary.md written: 1/1 done\n');
    const summary = rig.read('.coordination/summary.md');
    for (const text of [
      '**Goal:** Goal',
      '### task-001: a',
      '> # Big heading\n> text',
      'Created: new.ts',
      '- w, task-001, #db\n\n  > UTC everywhere',
      '- old.ts',
    ])
      expect(summary).toContain(text);
    expect(await rig.ok(['leader', 'aggregate', '-o', '-'])).toContain('### task-001');
    await rig.ok(['leader', 'aggregate', '-o', 'out.md']);
    expect(rig.exists('out.md')).toBe(true);
  });
});

describe('worker', () => {
  test('claiming again gives the same task; another by name is refused', async () => {
    await add('a');
    await add('b');
    await rig.ok(['worker', 'claim', 'w']);
    expect(await rig.ok(['worker', 'claim', 'w'])).toContain('task-001 already claimed by w');
    expect(await rig.coord(['worker', 'claim', 'w', 'task-002'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('w still holds task-001') as string,
    });
    expect(await rig.coord(['worker', 'claim', 'v', 'task-001'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('claimed by w') as string,
    });
  });

  test('a claim has a lease of its own length, from --lease or COORD_LEASE', async () => {
    await add('a');
    const claim = await rig.json<{ task: { claimed_at: string; lease_expires_at: string } }>([
      'worker',
      'claim',
      'w',
      '--lease',
      '90s',
    ]);
    expect(Date.parse(claim.task.lease_expires_at) - Date.parse(claim.task.claimed_at)).toBe(90_000);
    await rig.ok(['worker', 'release', 'w', 'task-001', 'notes']);
    const ran = await rig.coord(['worker', 'claim', 'v', '--json'], { env: { COORD_LEASE: '1h' } });
    expect(JSON.parse(ran.stdout)).toMatchObject({ task: { lease_seconds: 3600, note: 'w: notes', attempt: 2 } });
    expect((await rig.coord(['worker', 'claim', 'v', '--lease', 'soon'])).code).toBe(2);
  });

  test('heartbeat renews, list shows what can be claimed, context prints the brief', async () => {
    await add('a');
    await add('b', '-d', 'task-001', '--hints', 'look');
    await rig.ok(['worker', 'claim', 'w']);
    expect(await rig.ok(['worker', 'heartbeat', 'w'])).toMatch(/^task-001 yours until/);
    expect(await rig.ok(['worker', 'heartbeat', 'v'])).toBe('v holds no task\n');
    expect(await rig.ok(['worker', 'list'])).toBe('Nothing can be claimed now.\n');
    await rig.ok(['worker', 'complete', 'w', 'task-001', 'a is done, mind the gap']);
    await rig.ok(['worker', 'discover', 'w', '-'], { input: 'from stdin' });
    await rig.ok(['worker', 'claim', 'v']);
    expect(await rig.ok(['worker', 'context', 'v'])).toMatch(
      /# task-002\n[^]*> b\n[^]*Hints: look[^]*w: from stdin[^]*mind the gap[^]*> ## Goal/,
    );
  });

  test('output and reason can come from stdin', async () => {
    await add('a');
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'complete', 'w', 'task-001', '-'], { input: 'long\ntext' });
    expect(rig.read('.coordination/results/task-001.md')).toContain('long\ntext');
  });
});

describe('log, doctor, prompt, completion', () => {
  test('log shows the newest, filtered', async () => {
    await add('a');
    await rig.ok(['worker', 'claim', 'w']);
    expect(await rig.ok(['log', '--agent', 'w'])).toMatch(/w claim task-001: attempt 1/);
    expect(await rig.json(['log', '--task', 'task-001'])).toMatchObject({
      total: 2,
      entries: [{ event: 'add' }, { event: 'claim', agent: 'w' }],
    });
  });

  test('doctor says what --fix would do, does it, and then is content', async () => {
    await add('a');
    const good = rig.read('.coordination/tasks.json');
    expect((await rig.coord(['doctor'])).code).toBe(0);
    rig.write('.coordination/tasks.json', '{ half');
    const sick = await rig.coord(['doctor']);
    expect(sick).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /BAD {2}tasks.json: .*line 1[^]*--fix would: move it to rejected\/ and write revision 2/,
      ) as string,
    });
    expect(rig.read('.coordination/tasks.json')).toBe('{ half');
    expect(await rig.ok(['doctor', '--fix'])).toContain('fixed:');
    expect(rig.read('.coordination/tasks.json')).toBe(good);
    expect(await rig.json(['doctor'])).toMatchObject({ healthy: true });
    expect(rig.snapshot('.coordination/rejected')).toEqual({
      [Object.keys(rig.snapshot('.coordination/rejected'))[0] ?? '']: '{ half',
    });
  });

  test('prompts name the goal and the worker', async () => {
    expect(await rig.ok(['prompt', 'leader'])).toContain('Goal: Goal');
    expect(await rig.ok(['prompt', 'worker', 'terminal-2'])).toContain('coord worker claim terminal-2 --wait');
    expect((await rig.coord(['prompt', 'worker'])).code).toBe(2);
  });

  test.each(['bash', 'zsh', 'fish', 'powershell'])('the %s completion asks coord itself', async (shell) => {
    expect(await rig.ok(['completion', shell])).toMatch(/complete -- /);
  });

  test('the bash completion completes', async () => {
    const { execFileSync } = await import('node:child_process');
    const bin = fileURLToPath(new URL('../../../bin/coord.cjs', import.meta.url));
    rig.write('bin/coord', `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
    rig.write('some file.txt', '');
    const script = `${await rig.ok(['completion', 'bash'])}
chmod +x bin/coord; PATH="$PWD/bin:$PATH"
COMP_WORDS=(coord worker cl); COMP_CWORD=2; _coord; echo "\${COMPREPLY[@]}"
COMP_WORDS=(coord worker claim w --w); COMP_CWORD=4; _coord; echo "\${COMPREPLY[@]}"
COMP_WORDS=(coord leader show ''); COMP_CWORD=3; _coord; echo "\${COMPREPLY[@]}"
COMP_WORDS=(coord leader import some); COMP_CWORD=3; _coord; echo "\${COMPREPLY[@]}"`;
    await rig.ok(['leader', 'add-task', 'x']);
    const shown = execFileSync('bash', { input: script, cwd: rig.cwd }).toString();
    expect(shown).toBe('claim\n--wait\ntask-001\nsome file.txt\n');
  });
});

describe('where the board is found', () => {
  test('upwards, with --dir, with COORDINATION_DIR', async () => {
    await add('a');
    rig.write('deep/er/x', '');
    const elsewhere = new Rig();
    expect(await rig.ok(['leader', 'list'], { cwd: rig.path('deep/er') })).toContain('task-001');
    expect(await elsewhere.ok(['leader', 'list', '--dir', rig.cwd])).toContain('task-001');
    expect(await elsewhere.ok(['leader', 'list', '--dir', rig.path('.coordination')])).toContain('task-001');
    expect(await elsewhere.ok(['leader', 'list'], { env: { COORDINATION_DIR: rig.cwd } })).toContain('task-001');
    expect(await elsewhere.coord(['leader', 'list'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no \.coordination\/[^]*coord leader init/) as string,
    });
  });

  test("in a linked git worktree, the main worktree's", async () => {
    const { execFileSync } = await import('node:child_process');
    const outside = new Rig();
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
        cwd: rig.cwd,
        stdio: 'pipe',
      });
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'x');
    git('worktree', 'add', '-q', outside.path('linked'));
    await add('a');
    expect(await rig.ok(['leader', 'list'], { cwd: outside.path('linked') })).toContain('task-001');
  });
});
