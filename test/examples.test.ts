/** The examples, the fixture board and the README run. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { expect, test } from 'vitest';
import { Project } from './support/claude.ts';
import { Repository } from './support/repository.ts';
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
    XDG_STATE_HOME: rig.path('state'),
  });
  expect(output).toContain('settled: 12/12 done');
  expect(code).toBe(0);
  const workers = new Set(
    readFileSync(rig.path('project/.coordination/tasks.json'), 'utf8').match(/"claimed_by": "[^"]+"/g),
  );
  expect(workers.size).toBeGreaterThan(1);
  const summary = rig.read('project/.coordination/summary.md');
  expect(summary).toContain('12 of 12 done');
  // Red at first, so that it was not done, and green when another had mended it.
  expect(output).toContain('task-012 failed: node --test: exit 1');
  expect(summary).toContain('Checked: green');
  expect(summary).toContain('node --test: exit 0');
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
    [
      ...readme.matchAll(/coord ((?:leader|worker) [a-z-]+|orchestrate [a-z-]+|log|doctor|prompt|completion|inbox)/g),
    ].map((match) => match[1] ?? ''),
  );
  expect(commands.size).toBeGreaterThan(25);
  for (const command of commands) expect((await rig.coord([...command.split(' '), '--help'])).code, command).toBe(0);
});

test('every command of the README does its work', async () => {
  const rig = new Rig();
  rig.write('tasks.yaml', '- description: three\n- description: four\n- description: five\n');
  rig.write('do.sh', 'cat > /dev/null; echo "$COORD_TASK_DESCRIPTION"\n');
  const script = `
    leader init x; leader init --force "Build it"; leader plan; leader plan --append "Model first"
    leader add-task one -p 1 -f a.ts --hints zod -t db --max-attempts 2 --exclusive --key one
    leader add-task two -d task-001; leader import tasks.yaml
    leader status; leader list; leader list --status blocked; leader show task-001; leader edit task-002 -p 2
    worker list; worker claim a; worker heartbeat a; worker context a; worker discover a finding -t db
    worker release a task-001 half; worker claim a task-001; leader release task-001
    worker claim a; worker fail a task-001 wrong --no-retry; leader retry task-001; worker claim a task-001
    worker ask a task-001 why; leader answer task-001 because; leader tell a hello; worker tell a leader hello; inbox a --ack
    worker done a task-001 done -m a.ts -c b.ts; leader cancel task-003 --cascade; leader retry task-003
    leader graph --format mermaid; leader edit task-003 -p 3; leader undo; leader export --format csv; status
    worker run b -- sh do.sh; leader wait; leader timeline; leader results; leader discoveries; leader aggregate
    leader archive --dry-run; leader reopen task-005; leader undo
    log; doctor; doctor --fix; prompt leader; prompt worker a; prompt handoff task-001
    completion bash; mcp config; mcp token a; mcp token a --revoke; setup claude --hooks; setup claude --remove`;
  const used = script
    .split(/[;\n]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const words = (line: string): string[] => (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
  for (const line of used) await rig.ok(words(line));
  expect(rig.board().tasks.map((task) => task.status)).toEqual(['done', 'done', 'done', 'done', 'done']);
  expect(rig.read('.coordination/summary.md')).toMatch(/5 of 5 done[^]*finding/);
  const reviews = [
    'leader defaults --review',
    'leader add-task six',
    'worker claim a task-006',
    'worker done a task-006 six',
    'worker review b',
    'worker send-back b task-006 again',
    'worker claim a task-006',
    'worker done a task-006 sixth',
    'worker approve b task-006',
    'leader add-task seven',
    'worker claim a task-007',
    'worker done a task-007 seven',
    'leader send-back task-007 again',
    'worker claim a task-007',
    'worker done a task-007 seventh',
    'leader approve task-007',
    'leader add-task eight',
    'worker claim a task-008',
    'leader release task-008',
    'worker claim b task-008',
  ];
  for (const line of reviews) await rig.ok(words(line));
  expect((await rig.coord(words('worker done a task-008 late'))).code).toBe(4);
  await rig.ok(words('leader accept task-008 task-008.a.2'));
  used.push(...reviews, 'leader accept');
  expect(rig.board().tasks.every(({ status }) => status === 'done')).toBe(true);
  const repo = new Repository();
  await repo.begin(1);
  repo.commit('task-001', { 'b.txt': 'b\n' });
  const landing = ['worker done w1 task-001 x', 'leader publish', 'worktree list', 'worktree clean'];
  for (const line of landing) await repo.ok(words(line));
  expect([(await repo.coord(['land'])).code, repo.read('b.txt')]).toEqual([3, 'b\n']);
  used.push(...landing, 'land');
  const readme = readFileSync(`${root}README.md`, 'utf8');
  for (const [, command = ''] of readme.matchAll(
    /coord ((?:leader|worker|worktree) [a-z-]+|log|land|doctor|prompt [a-z]+|completion|mcp [a-z]+)/g,
  ))
    expect(
      used.some((line) => line.startsWith(command)),
      command,
    ).toBe(true);
});

test("the README's quick start and prompts, line by line", async () => {
  const rig = new Rig();
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const [, section = ''] = /## Quick start\n([^]*?)\n## /.exec(readme) ?? [];
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

test('a scripted team of one leader and two workers does everything over MCP', async () => {
  const rig = new Rig();
  const ran = await new Promise<{ error: unknown; stdout: string; stderr: string }>((resolve) =>
    execFile(
      process.execPath,
      [`${root}examples/mcp/team.mjs`],
      { cwd: rig.cwd, env: scrubbedEnv({ COORD: `${process.execPath} ${BIN}` }) },
      (error, stdout, stderr) => resolve({ error, stdout, stderr }),
    ),
  );
  expect(ran).toMatchObject({ error: null, stderr: '' });
  expect(ran.stdout).toMatch(/4 of 4 tasks done\n$/);
  const { tasks } = rig.board();
  expect(tasks.map((task) => task.status)).toEqual(['done', 'done', 'done', 'done']);
  expect(tasks.every((task) => /^terminal-[23]$/.test(task.claimed_by ?? ''))).toBe(true);
});

test("the README's commands of the orchestrator, line by line", async () => {
  const project = new Project();
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const [, section = ''] = /## Orchestrate\n([^]*?)\n## Best practices/.exec(readme) ?? [];
  const lines = [...section.matchAll(/^coord orchestrate .*$/gm)].map(([line]) => line);
  expect(lines).toHaveLength(6);
  project.write('my-tasks.json', '[{"description": "one"}]');
  for (const line of lines) {
    const words = (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
    if (line.includes(' run ') || line.includes('from-config'))
      rmSync(project.path('.coordination'), { recursive: true, force: true }); // each a first run
    expect(await project.coord(words.slice(1), { env: project.env }), line).toMatchObject({ code: 0 });
  }
  expect(project.board().tasks.map((task) => task.status)).toEqual(['done', 'done']);
});

test('orchestrate: a config, a tasks file, and a program, with the stand-in for Claude Code', async () => {
  const byConfig = new Project();
  const config = `${root}examples/orchestrate/orchestration.json`;
  expect(await byConfig.coord(['orchestrate', 'from-config', config], { env: byConfig.env })).toMatchObject({
    code: 0,
  });
  expect(byConfig.board().tasks.map((task) => [task.status, task.dependencies.length])).toEqual([
    ['done', 0],
    ['done', 1],
    ['done', 1],
    ['done', 2],
  ]);

  const byTasks = new Project();
  const tasks = `${root}examples/orchestrate/my-tasks.json`;
  const ran = await byTasks.coord(['orchestrate', 'run', 'Build API', '--no-plan', '--tasks', tasks], {
    env: byTasks.env,
  });
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('done: 3 done') as string });

  // As a user has it: the package in node_modules. Types away, since Node 20 runs no TypeScript.
  const byProgram = new Project();
  mkdirSync(byProgram.path('node_modules'));
  symlinkSync(root, byProgram.path('node_modules/claude-coord'));
  const source = readFileSync(`${root}examples/programmatic.ts`, 'utf8');
  const { outputText } = transpileModule(source, {
    compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 },
  });
  byProgram.write('program.mjs', outputText);
  const program = await new Promise<{ error: unknown; stdout: string }>((resolve) =>
    execFile(
      process.execPath,
      [byProgram.path('program.mjs'), byProgram.cwd],
      { cwd: byProgram.cwd, env: scrubbedEnv(byProgram.env) },
      (error, stdout) => resolve({ error, stdout }),
    ),
  );
  expect(program).toMatchObject({
    error: null,
    stdout: expect.stringMatching(
      /^worker-\d completed task-001\nworker-\d completed task-002\ncompleted: 2, failed: 0\n/,
    ) as string,
  });
});

test('worktrees: three workers, one file, one branch with every word', async () => {
  const rig = new Rig();
  mkdirSync(rig.path('project'));
  const { code, output } = await bash(rig, [`${root}examples/worktrees/run.sh`, rig.path('project')], {
    XDG_STATE_HOME: rig.path('state'),
  });
  expect([code, output]).toEqual([0, expect.stringContaining('landed on coord/main')]);
  expect(rig.read('project/words.md').trim().split('\n').toSorted()).toEqual(['# Words', 'alpha', 'beta', 'gamma']);
  expect(output.match(/Land task-00\d/g)?.length).toBe(3);
});
