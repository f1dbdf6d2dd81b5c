/** Bad input: one clear message, the right exit code, and not one byte changed. */
import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Rig } from '../../support/rig.ts';

const long = 'x'.repeat(10_001);
const cases: [string[], number, RegExp][] = [
  [['leader', 'statsu'], 2, /Unknown command 'statsu'[^]*Did you mean coord status/],
  [['laeder', 'status'], 2, /Unknown command 'laeder'[^]*leader/],
  [['leader', 'add-task'], 2, /Missing required argument 'description'/],
  [['leader', 'add-task', '  '], 2, /description: must not be empty/],
  [['leader', 'add-task', long], 2, /at most 10000 characters/],
  [['leader', 'add-task', 'x', '-p', '0'], 2, /whole number from 1 to 10/],
  [['leader', 'add-task', 'x', '-p', '1.5'], 2, /whole number/],
  [['leader', 'add-task', 'x', '--priorty', '1'], 2, /Unknown option '--priorty'[^]*--priority/],
  [['leader', 'add-task', 'x', '-d', 'task-999'], 1, /depends on task-999/],
  [['leader', 'add-task', 'x', '-t', '../etc'], 2, /tags\[0\]: must be 1 to 64 letters/],
  [['leader', 'show', 'task-1'], 1, /No task task-1[^]*Did you mean task-001/],
  [['leader', 'list', '-n', '0'], 2, /whole number of 1 or more/],
  [['leader', 'wait', '--timeout', 'soon'], 2, /90s, 10m/],
  [['leader', 'edit', 'task-001', '-d', 'task-001'], 1, /wait for each other/],
  [['leader', 'retry', 'task-001'], 4, /only failed and cancelled/],
  [['leader', 'graph', '--format', 'svg'], 2, /Allowed choices are text, mermaid, dot/],
  [['leader', 'import', 'nowhere.json'], 1, /nowhere.json cannot be read/],
  [['leader', 'plan', ''], 2, /must not be empty/],
  [['worker', 'claim', '.hidden'], 2, /worker: must be 1 to 64 letters/],
  [['worker', 'claim', 'a/b'], 2, /worker: must be/],
  [['worker', 'claim', 'w', 'nope'], 1, /No task nope/],
  [['worker', 'complete', 'w', 'task-001', 'x'], 4, /not claimed by anybody/],
  [['worker', 'complete', 'w', 'task-001', 'x', '--attempt', 'two'], 2, /whole number/],
  [['worker', 'fail', 'w', 'task-001'], 2, /Missing required argument 'reason'/],
  [['worker', 'discover', 'w', 'x', '--task', 'task-9'], 1, /No task task-9/],
  [['worker', 'run', 'w'], 2, /Missing required argument 'command'/],
  [['prompt', 'boss'], 2, /Allowed choices are leader, worker/],
  [['log', '--task', 'zzz'], 1, /No task zzz/],
];

async function prepared(): Promise<Rig> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Goal']);
  await rig.ok(['leader', 'add-task', 'one']);
  return rig;
}

describe('bad input', () => {
  test.each(cases)('coord %j', async (args, code, message) => {
    const rig = await prepared();
    const before = rig.snapshot();
    const ran = await rig.coord(args);
    expect(ran.stderr).toMatch(message);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
    expect(ran).toMatchObject({ code, stdout: '' });
    const kept = Object.fromEntries(Object.entries(rig.snapshot()).filter(([name]) => !name.endsWith('.refused.md')));
    expect(kept).toEqual(before);
    const json = await rig.coord([...args, '--json']);
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code: expect.any(String) as string, message: expect.any(String) as string },
    });
  });

  test.each([
    ['empty', '', /it is empty/],
    ['not JSON', '[{"description": "x",}]', /not JSON/],
    ['no list', '{"todo": []}', /neither a list of tasks nor/],
    ['no task', '[]', /lists no task/],
    ['a number', '[1]', /task 1, line 1 .*neither an object nor a text/],
    ['a misspelt field', '[{"description":"x","priorty":1}]', /stdin, task 1, line 1 .*unknown field "priorty"/],
    ['a broken line of JSON Lines', '{"description":"a"}\n{"description":\n', /line 2/],
    ['broken YAML', 'tasks:\n  - description: "a\n', /not YAML/],
    [
      'a cycle',
      '[{"description":"a","dependencies":["task-2"]},{"description":"b","dependencies":["task-1"]}]',
      /wait for each other/,
    ],
  ])('import of %s', async (_, input, message) => {
    const rig = await prepared();
    const before = rig.snapshot();
    const ran = await rig.coord(['leader', 'import', '-'], { input });
    expect(ran.stderr).toMatch(message);
    expect([1, 2]).toContain(ran.code);
    expect(rig.snapshot()).toEqual(before);
  });

  test('control characters never reach the terminal raw', async () => {
    const rig = await prepared();
    const evil = 'red \u001b[31m bell \u0007 back \u202e end';
    await rig.ok(['leader', 'add-task', evil, '-p', '1', '--hints', evil]);
    for (const args of [
      ['worker', 'claim', 'w'],
      ['leader', 'status'],
      ['leader', 'list'],
      ['leader', 'show', 'task-002'],
      ['log'],
      ['leader', 'graph'],
      ['worker', 'context', 'w'],
      ['leader', 'list', '--json'],
    ]) {
      const ran = await rig.coord(args);
      // oxlint-disable-next-line no-control-regex -- these must not be there
      expect(ran.stdout + ran.stderr, args.join(' ')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u202e]/);
    }
    expect(rig.board().tasks[1]?.description).toBe(evil);
  });

  test('colour only where it is asked for', async () => {
    const rig = await prepared();
    expect((await rig.coord(['leader', 'list'])).stdout).not.toContain('\u001b');
    expect((await rig.coord(['leader', 'list'], { env: { FORCE_COLOR: '1' } })).stdout).toContain('\u001b[');
    expect((await rig.coord(['leader', 'list', '--no-color'], { env: { FORCE_COLOR: '1' } })).stdout).not.toContain(
      '\u001b',
    );
    expect((await rig.coord(['leader', 'list'], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).stdout).not.toContain(
      '\u001b',
    );
  });

  test.skipIf(process.getuid?.() === 0)('a read-only board can be read, and says so when written', async () => {
    const rig = await prepared();
    const folders = ['.coordination', '.coordination/.tmp', '.coordination/.commits', '.coordination/logs'];
    for (const folder of folders) chmodSync(rig.path(folder), 0o555);
    try {
      expect(await rig.ok(['leader', 'list'])).toContain('task-001');
      expect(await rig.coord(['leader', 'add-task', 'x'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/No permission/) as string,
      });
    } finally {
      for (const folder of folders) chmodSync(rig.path(folder), 0o755);
    }
  });

  test('coord alone shows help; a group alone shows its own and exits 2', async () => {
    const rig = new Rig();
    expect(await rig.coord([])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Exit codes: 0 done') as string,
    });
    expect((await rig.coord(['worker'])).code).toBe(2);
    expect((await rig.coord(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('a reader that goes away is no error', async () => {
    const rig = await prepared();
    const { execSync } = await import('node:child_process');
    const { BIN } = await import('../../support/rig.ts');
    expect(
      execSync(`for i in 1 2 3; do "${process.execPath}" "${BIN}" --help; done | head -n 1`, {
        cwd: rig.cwd,
      }).toString(),
    ).toContain('Usage: coord');
  });
});
