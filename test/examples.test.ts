/** The examples, the fixture board and the README run. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { BIN, Rig, scrubbedEnv } from './support/rig.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a script with `coord` on the PATH. */
function bash(rig: Rig, args: string[], env: Record<string, string> = {}): Promise<{ code: number; output: string }> {
  mkdirSync(rig.path('bin'), { recursive: true });
  if (!rig.exists('bin/coord')) symlinkSync(BIN, rig.path('bin/coord'));
  return new Promise((resolve) => {
    execFile(
      'bash',
      args,
      { cwd: rig.cwd, env: scrubbedEnv({ PATH: `${rig.path('bin')}:${process.env['PATH']}`, ...env }) },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    );
  });
}

test('quickstart.sh: three terminals as three processes', async () => {
  const { code, output } = await bash(new Rig(), [`${root}examples/quickstart.sh`]);
  expect(output).toContain('settled: 2/2 done');
  expect(output.match(/terminal-\d stops: drained/g)?.length).toBe(2);
  expect(code).toBe(0);
});

test('rest-api: three workers build it, and what they built passes its tests', async () => {
  const rig = new Rig();
  mkdirSync(rig.path('project'));
  const { code, output } = await bash(rig, [`${root}examples/rest-api/run.sh`, rig.path('project')], {
    TASK_SECONDS: '0',
  });
  expect(output).toContain('settled: 12/12 done');
  expect(code).toBe(0);
  const workers = new Set(
    readFileSync(rig.path('project/.coordination/tasks.json'), 'utf8').match(/"claimed_by": "[^"]+"/g),
  );
  expect(workers.size).toBeGreaterThan(1);
  const summary = rig.read('project/.coordination/summary.md');
  expect(summary).toContain('12 of 12 done');
  expect(summary).toContain('# pass 2');
  expect(summary).toContain('HttpError(status, message)');
});

test('the prompts are what coord prompt prints', async () => {
  const rig = new Rig();
  expect(await rig.ok(['prompt', 'leader'])).toBe(readFileSync(`${root}examples/prompts/leader.md`, 'utf8'));
  expect(await rig.ok(['prompt', 'worker', 'terminal-2'])).toBe(
    readFileSync(`${root}examples/prompts/worker.md`, 'utf8'),
  );
});

test('255 entries of a real changelog, worked through by 8 racing processes, each once', async () => {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Work through the changelog']);
  await rig.ok(['leader', 'import', `${root}test/fixtures/boards/commander.json`]);
  const env = { COORD_DURABLE: '0' };
  const workers = Array.from({ length: 8 }, (_, i) =>
    rig.start(
      ['worker', 'run', `w${i}`, '--', 'sh', '-c', 'echo "$COORD_TASK_ID" >> done.txt; echo "$COORD_TASK_DESCRIPTION"'],
      env,
    ),
  );
  const ends = await Promise.all(workers.map(({ ended }) => ended));
  expect(ends.map((end) => end.code)).toEqual(Array.from({ length: 8 }, () => 0));
  const { tasks } = rig.board();
  expect(tasks.length).toBeGreaterThanOrEqual(200);
  expect(tasks.every((task) => task.status === 'done' && task.attempt === 1)).toBe(true);
  const done = rig.read('done.txt').trim().split('\n');
  expect(done.toSorted()).toEqual(tasks.map((task) => task.id).toSorted());
  // Nobody began before what it needed was done: the order of the file is the order of the work.
  const place = new Map(done.map((id, i) => [id, i]));
  for (const task of tasks)
    for (const id of task.dependencies) expect(place.get(id)).toBeLessThan(place.get(task.id) ?? -1);
});

test('every command of the README that starts with coord is a command', async () => {
  const rig = new Rig();
  const readme = readFileSync(`${root}README.md`, 'utf8');
  await rig.ok(['leader', 'init', 'x']);
  await rig.ok(['leader', 'add-task', 'x']);
  const commands = new Set(
    [...readme.matchAll(/coord ((?:leader|worker) [a-z-]+|log|doctor|prompt|completion)/g)].map(
      (match) => match[1] ?? '',
    ),
  );
  expect(commands.size).toBeGreaterThan(25);
  for (const command of commands) expect((await rig.coord([...command.split(' '), '--help'])).code, command).toBe(0);
});

test("the README's quick start and prompts, line by line", async () => {
  const rig = new Rig();
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const [, section = ''] = /## Quick start\n([^]*?)\n## Commands/.exec(readme) ?? [];
  const lines = [...section.matchAll(/^coord .*$/gm)].map(([line]) => line);
  expect(lines.length).toBe(10);
  rig.write('all.sh', `set -e\n${lines.join('\n')}\n`);
  const { code, output } = await bash(rig, ['all.sh']);
  expect(output).toContain('task-002 claimed by terminal-3');
  expect(code).toBe(0);
  for (const [name] of section.matchAll(/[a-z0-9-]+\.(?:md|json|log)\b/g)) {
    if (name === 'settings.json') continue;
    const found = ['', 'context/', 'logs/', 'results/'].some((folder) => rig.exists(`.coordination/${folder}${name}`));
    expect(found, name).toBe(true);
  }
});

test('the scripts that the README names are those of the package', () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> };
  for (const [, name = ''] of readFileSync(`${root}README.md`, 'utf8').matchAll(/npm run ([a-z:]+)/g))
    expect(Object.keys(scripts)).toContain(name);
});
