// npm run bench: every figure is a ratio to `node -e 0` of the same run, or a ratio of sizes, so that a slow or shared
// machine changes none of them much. Commands run interleaved with their baseline; figures are medians.
import { fork, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allowCheck, initStore } from '../dist/index.js';
import { benchPostgres } from './postgres.mjs';
import { benchWeb } from './web.mjs';

const BIN = fileURLToPath(new URL('../bin/coord.cjs', import.meta.url));
const LIBRARY = new URL('../dist/index.js', import.meta.url).href;
const RUNS = Number(process.argv[2] ?? 21);
// NODE_EXTRA_CA_CERTS makes Node read certificates at every start, on both sides, and the ratios lie.
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
const folders = [];
process.on('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

let failed = 0;
function report(what, value, most, unit = '', aim) {
  const ok = value <= most;
  if (!ok) failed++;
  console.log(
    `${ok ? 'ok  ' : 'OVER'} ${what}: ${value.toFixed(unit === '' ? 2 : 0)}${unit} (at most ${most}${unit}${aim === undefined ? '' : `, aim ${aim}`})`,
  );
}

async function board(size) {
  const cwd = mkdtempSync(join(tmpdir(), 'coord-bench-'));
  folders.push(cwd);
  const { store } = await initStore({ goal: 'Build a REST API for user management' }, { cwd });
  const tasks = Array.from({ length: size }, (_unused, i) => ({
    description: `Implement the endpoint number ${i + 1} with its validation`,
    dependencies: i < size / 2 ? [] : [`#${i - Math.floor(size / 2) + 1}`],
    files: [`src/routes/endpoint-${i + 1}.ts`],
    hints: 'Use zod for validation',
  }));
  if (size > 0) await store.addTasks({ tasks });
  return { cwd, store };
}

/** Makes a repository of 1,000 files there, without the board. */
function commitFiles(cwd) {
  const git = (...args) =>
    spawnSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@example.org', ...args], { cwd, env });
  git('init', '-q');
  writeFileSync(join(cwd, '.gitignore'), '.coordination/\n');
  for (let i = 0; i < 1000; i++) writeFileSync(join(cwd, `file-${i}.txt`), `${i}\n`);
  git('add', '--all');
  git('commit', '-q', '-m', 'all');
}

/** A board that has settled so many tasks and put them into its archive, with so many still open. */
async function archivedBoard(settled, open) {
  const { cwd, store } = await board(settled);
  await store.cancelTasks({ task_ids: (await store.read()).tasks.map(({ id }) => id) });
  await store.archiveTasks({});
  const tasks = Array.from({ length: open }, (_unused, i) => ({ description: `Open task number ${i + 1}` }));
  await store.addTasks({ tasks });
  return { cwd, store };
}

function time(cwd, args, options = {}) {
  const start = performance.now();
  const ran = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8', ...options });
  const ms = performance.now() - start;
  if (ran.status !== 0) throw new Error(`${args.join(' ')}: ${ran.stderr}`);
  return { ms, ran };
}
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

/** Median wall time of each command, all interleaved. */
function compare(commands) {
  const times = commands.map(() => []);
  for (let run = -2; run < RUNS; run++) {
    commands.forEach(({ cwd, args, options }, i) => {
      const { ms } = time(cwd, args(`${run}-${i}`), options);
      if (run >= 0) times[i].push(ms); // the first two fill caches
    });
  }
  return times.map(median);
}

console.log(`Node ${process.version}, ${String(RUNS)} runs each\n`);

{
  const boards = {
    50: await board(50),
    1000: await board(1000),
    10000: await board(10_000),
    archived: await archivedBoard(10_000, 50),
  };
  const claim = (size) => ({ cwd: boards[size].cwd, args: (run) => [BIN, 'worker', 'claim', `w${run}`] });
  const add = (size) => ({
    cwd: boards[size].cwd,
    args: (run) => [BIN, 'leader', 'add-task', `one more ${run}`, '-p', '3'],
  });
  const [node, version, claim50, claim1000, claim10000, add50, add1000, add10000, uncached, library, archived] =
    compare([
      { args: () => ['-e', '0'] },
      { args: () => [BIN, '--version'] },
      claim(50),
      claim(1000),
      claim(10_000),
      add(50),
      add(1000),
      add(10_000),
      { ...claim(50), options: { env: { ...env, COORD_CODE_CACHE: '0' } } },
      { args: () => ['-e', `import(${JSON.stringify(LIBRARY)})`] },
      claim('archived'),
    ]);
  console.log(`start-up and board size (node -e 0 took ${node.toFixed(0)} ms)`);
  const step = (what, ms) => console.log(`     ${what}: ${(ms / node).toFixed(2)}`);
  step('step: importing the library as ES modules / node -e 0', library);
  step('step: claim on 50 tasks without the code cache / node -e 0', uncached);
  report('coord --version / node -e 0', version / node, 1.4);
  // Newer Nodes take longer to start by themselves.
  const most = Number(process.versions.node.split('.')[0]) >= 22 ? 1.5 : 1.75;
  report('claim on 50 tasks / node -e 0', claim50 / node, most, '', 1.5);
  report('add-task on 50 tasks / node -e 0', add50 / node, 2, '', 1.5);
  report('claim on 1,000 tasks / on 50', claim1000 / claim50, 1.25);
  report('add-task on 1,000 tasks / on 50', add1000 / add50, 1.25);
  report('claim on 10,000 tasks / on 50', claim10000 / claim50, 3, '', 2);
  report('add-task on 10,000 tasks / on 50', add10000 / add50, 3, '', 2);
  report('claim on 50 open and 10,000 archived tasks / on 50', archived / claim50, 1.3);
}

{
  console.log('\nproof of done, in a repository of 1,000 files');
  const { cwd, store } = await board(2 * (RUNS + 2));
  commitFiles(cwd);
  const state = mkdtempSync(join(tmpdir(), 'coord-bench-'));
  folders.push(state);
  const gated = { env: { ...env, XDG_STATE_HOME: state } };
  const { tasks } = await store.read();
  const ids = tasks.map(({ id }) => id);
  for (const id of ids) await store.editTask({ task_id: id, dependencies: [] });
  const plain = [];
  const checked = [];
  // By what a person would type at a terminal; a comment makes each another command, so that each is run.
  for (const [i, id] of ids.entries()) {
    const command = `true # ${i}`;
    const isChecked = i % 2 === 1;
    if (isChecked) {
      await store.editTask({ task_id: id, checks: [command] });
      await allowCheck(store, command, { stateFolder: join(state, 'coord') });
    }
    await store.claim({ worker: 'w', task_id: id });
    const { ms } = time(cwd, [BIN, 'worker', 'done', 'w', id, 'did it'], gated);
    if (i >= 4) (isChecked ? checked : plain).push(ms);
  }
  report('done with a check that does nothing, less done without', median(checked) - median(plain), 60, ' ms');
}

{
  console.log('\nworktrees, in a repository of 1,000 files');
  const repository = async () => {
    const { cwd, store } = await board(2 * (RUNS + 4));
    commitFiles(cwd);
    spawnSync('git', ['branch', '--no-track', 'coord/main'], { cwd, env });
    return { cwd, store };
  };
  const plain = await repository();
  const wooded = await repository();
  await wooded.store.setDefaults({ worktrees: { branch: 'coord/main' } });
  const alone = [];
  const claims = [];
  const both = [];
  for (let i = 0; i < RUNS + 2; i++) {
    const start = performance.now();
    const path = `.claude/worktrees/plain-${i}`;
    spawnSync('git', ['worktree', 'add', '-q', '--no-track', '-b', `plain-${i}`, path, 'coord/main'], {
      cwd: plain.cwd,
      env,
    });
    alone.push(performance.now() - start);
    claims.push(time(plain.cwd, [BIN, 'worker', 'claim', `w${i}`], { env }).ms);
    both.push(time(wooded.cwd, [BIN, 'worker', 'claim', `w${i}`], { env }).ms);
  }
  const [tree, claim, together] = [alone, claims, both].map((times) => median(times.slice(2)));
  report('claim with a worktree / git worktree add and a claim', together / (tree + claim), 1.5);
}

{
  console.log('\ncontention');
  const storm = async (cwd, args) => {
    const start = performance.now();
    await Promise.all(
      Array.from({ length: 32 }, async (_unused, p) => {
        for (let i = 0; i < 5; i++) {
          await new Promise((resolve, reject) =>
            spawn(process.execPath, [BIN, ...args(p, i)], { cwd, env, stdio: 'ignore' }).on('exit', (code) =>
              code === 0 ? resolve() : reject(new Error(`exit ${code}`)),
            ),
          );
        }
      }),
    );
    return performance.now() - start;
  };
  const ratios = [];
  for (let round = 0; round < 3; round++) {
    const { cwd, store } = await board(0);
    const starting = await storm(cwd, () => ['--version']);
    const adding = await storm(cwd, (p, i) => ['leader', 'add-task', `task ${p}.${i}`]);
    const { tasks } = await store.read();
    if (new Set(tasks.map((task) => task.description)).size !== 160)
      throw new Error(`${160 - tasks.length} of 160 adds are lost`);
    ratios.push(adding / starting);
  }
  report('32 processes, 5 adds each / 5 times --version each', median(ratios), 1.8, '', 1.3);
}

for (const waiters of [1, 50]) {
  console.log(`\nwaking, ${waiters} ${waiters === 1 ? 'waiter' : 'waiters'}`);
  const { cwd } = await board(0);
  const dir = join(cwd, '.coordination');
  const claims = new Map();
  const children = await Promise.all(
    Array.from(
      { length: waiters },
      (_unused, i) =>
        new Promise((resolve) => {
          const child = fork(fileURLToPath(new URL('waiter.mjs', import.meta.url)), [dir, `w${i}`], { env });
          child.on('message', (message) => {
            if (message.ready) resolve(child);
            else claims.set(message.task, [...(claims.get(message.task) ?? []), message.at]);
          });
        }),
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 500 + waiters * 40));
  const { openStore } = await import('../dist/index.js');
  let linked = 0;
  const adder = openStore({
    dir,
    at: (point) => point === 'linked' && (linked = performance.timeOrigin + performance.now()),
  });
  const wakes = [];
  for (let i = 0; i < RUNS; i++) {
    const { tasks } = await adder.addTasks({ tasks: [{ description: `wake up ${i}` }] });
    const added = linked;
    while (!claims.has(tasks[0].id)) await new Promise((resolve) => setTimeout(resolve, 5));
    wakes.push(claims.get(tasks[0].id)[0] - added);
    // Until every waiter sleeps again.
    await new Promise((resolve) => setTimeout(resolve, 250 + waiters * 20));
  }
  for (const child of children) child.disconnect();
  report('median from the commit of add-task to the commit of the claim', median(wakes), 30, ' ms');
  report('claims of the most claimed task', Math.max(...[...claims.values()].map((list) => list.length)), 1, ' ');
}

{
  console.log('\nwhat an agent reads (stdout and stderr)');
  for (const size of [10, 10_000]) {
    const { cwd } = await board(size);
    const bytes = (args) => {
      const { ran } = time(cwd, [BIN, ...args]);
      return Buffer.byteLength(ran.stdout + ran.stderr);
    };
    const claim = bytes(['worker', 'claim', 'terminal-2']);
    const complete = bytes(['worker', 'complete', 'terminal-2', 'task-001', 'Endpoint with validation and tests']);
    report(`one claim and one complete on ${size} tasks`, claim + complete, 900, ' bytes');
    for (const worker of ['terminal-2', 'terminal-3', 'terminal-4']) bytes(['worker', 'claim', worker]);
    report(`leader status on ${size} tasks`, bytes(['leader', 'status']), 900, ' bytes');
  }
}

{
  console.log('\na hook, at every tool call');
  const { cwd } = await board(50);
  const input = JSON.stringify({
    session_id: 'bench',
    cwd,
    hook_event_name: 'PostToolUse',
    tool_name: 'Bash',
    tool_input: {},
  });
  time(cwd, [BIN, 'worker', 'claim', 'terminal-2']);
  const options = { input, env: { ...env, COORD_WORKER: 'terminal-2' } };
  const [node, hook] = compare([
    { cwd, args: () => ['-e', '0'] },
    { cwd, args: () => [BIN, 'hook', 'post-tool-use'], options },
  ]);
  report('coord hook post-tool-use / node -e 0', hook / node, 1.6);
}

{
  console.log('\nthe MCP server');
  const { cwd } = await board(50);
  const first = async () => {
    const start = performance.now();
    const child = spawn(process.execPath, [BIN, 'mcp'], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } };
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return { ms: performance.now() - start, child };
  };
  const nodes = [];
  const answers = [];
  let idle;
  for (let run = -2; run < RUNS; run++) {
    const node = time(cwd, ['-e', '0']).ms;
    const { ms, child } = await first();
    if (run === RUNS - 1) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      idle = Number(spawnSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' }).stdout) / 1000;
    }
    child.stdin.end();
    await new Promise((resolve) => child.once('exit', resolve));
    if (run >= 0) {
      nodes.push(node);
      answers.push(ms);
    }
  }
  report('coord mcp, from start to the first answer / node -e 0', median(answers) / median(nodes), 5);
  report('resident memory of an idle server', idle, 80, ' MB');
}

{
  console.log('\nthe orchestrator, with a stand-in that answers at once');
  const standIn = fileURLToPath(new URL('../test/fixtures/claude', import.meta.url));
  const slots = 4;
  const orchestrate = (tasks) => {
    const cwd = mkdtempSync(join(tmpdir(), 'coord-bench-'));
    folders.push(cwd);
    const script = fileURLToPath(new URL('orchestrator.mjs', import.meta.url));
    const { stdout } = time(cwd, ['--expose-gc', script, cwd, String(tasks), String(slots)]).ran;
    return JSON.parse(stdout);
  };
  /** The same processes by themselves, as many at once: what is left when all of coord is taken away. */
  const bare = async (tasks) => {
    const start = performance.now();
    let left = tasks;
    const prompt = `${JSON.stringify({ message: { content: '# task-001\n\n> x' } })}\n`;
    await Promise.all(
      Array.from({ length: slots }, async () => {
        while (left-- > 0) {
          const child = spawn(standIn, ['-p', '--name', 'bare'], {
            cwd: tmpdir(),
            env,
            stdio: ['pipe', 'ignore', 'inherit'],
          });
          child.stdin.end(prompt);
          await new Promise((resolve) => child.once('exit', resolve));
        }
      }),
    );
    return performance.now() - start;
  };
  const ratios = [];
  for (let round = 0; round < 3; round++) ratios.push(orchestrate(100).durationMs / (await bare(100)));
  report(`100 tasks through ${slots} slots / the processes by themselves`, median(ratios), 1.5);
  const { early, late } = orchestrate(500);
  report('heap after 500 tasks / after 10', late / early, 1.3);
}

{
  console.log('\npeak memory');
  const { cwd } = await board(50);
  const peak = (args) => {
    const ran = spawnSync(
      process.execPath,
      ['--require', fileURLToPath(new URL('rss.cjs', import.meta.url)), ...args],
      { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
    );
    return Number(ran.output[3].toString());
  };
  const claims = [];
  const nodes = [];
  for (let run = 0; run < 7; run++) {
    nodes.push(peak(['-e', '0']));
    claims.push(peak([BIN, 'worker', 'claim', `m${run}`]));
  }
  report('claim on 50 tasks / node -e 0', median(claims) / median(nodes), 1.5);
}

await benchWeb({ board, time, median, report, env, folders, RUNS });
await benchPostgres({ compare, report, median, env, RUNS });

console.log(failed === 0 ? '\nall within bounds' : `\n${failed} over`);
process.exitCode = failed === 0 ? 0 : 1;
