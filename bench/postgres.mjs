// The part of `npm run bench` about boards on PostgreSQL: a server of its own, without waiting for the disk. Nothing where there
// is no PostgreSQL.
import { fork, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { rolldown } from 'rolldown';
import { initStore, openStore } from '../dist/index.js';

const BIN = fileURLToPath(new URL('../bin/coord.cjs', import.meta.url));

/** @param tools  of bench.mjs: { compare, report, median, env, RUNS } */
export async function benchPostgres({ compare, report, median, env, RUNS }) {
  const cache = 'node_modules/.cache/coord-bench';
  const bundle = await rolldown({
    input: { server: 'test/support/postgres-server.ts', run: 'test/support/postgres-run.ts' },
    platform: 'node',
    external: /^(pg|vitest|chokidar|proper-lockfile|zod)/,
  });
  await bundle.write({ dir: cache, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' });
  const { newDatabaseAt, postgresBin, PostgresServer } = await import(pathToFileURL(`${cache}/server.mjs`).href);
  const { Way } = await import(pathToFileURL(`${cache}/run.mjs`).href);
  console.log('\na board on PostgreSQL');
  if (postgresBin() === undefined) {
    console.log('     no PostgreSQL here: skipped');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'coord-bench-'));
  const server = await PostgresServer.start();
  try {
    const database = await newDatabaseAt(server.url(''));
    const options = (name, way) => ({
      cwd: mkdtempSync(join(folder, 'at-')),
      stateFolder: folder,
      env: { COORD_STORE: `${way ?? database}?board=${name}` },
    });
    const board = async (name, size) => {
      const { store } = await initStore({ goal: 'bench' }, options(name));
      const tasks = Array.from({ length: size }, (_, i) => ({
        description: `Implement the endpoint number ${i + 1}`,
        files: [`src/${i}.ts`],
      }));
      for (let i = 0; i < tasks.length; i += 5000) await store.addTasks({ tasks: tasks.slice(i, i + 5000) });
      return store;
    };

    // From the start of a process to its claim, over TCP.
    const store = await board('start', 50 + 2 * RUNS);
    const { cwd, env: where } = options('start');
    const state = { ...env, ...where, XDG_STATE_HOME: folder };
    const claim = (run) => [BIN, 'worker', 'claim', `w${run}`];
    const [node, claimed] = compare([
      { cwd, args: () => ['-e', '0'] },
      { cwd, args: claim, options: { env: state } },
    ]);
    report('claim on 50 tasks over TCP / node -e 0', claimed / node, 3.2, '', 2.6);
    const way = await Way.to(server.port);
    const through = new URL(database);
    through.port = String(way.port);
    spawnSync(process.execPath, [BIN, 'worker', 'claim', 'first'], {
      cwd,
      env: { ...state, COORD_STORE: `${through.href}?board=start` },
    });
    way.trips = 0;
    await new Promise((resolve, reject) =>
      fork(BIN, ['worker', 'claim', 'counted'], {
        cwd,
        silent: true,
        env: { ...state, COORD_STORE: `${through.href}?board=start` },
      }).on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`claim: ${code}`)))),
    );
    report('round trips of a claim from a fresh process, the connection and its end among them', way.trips, 6, ' ');
    await way.close();
    await store.close();

    // Pairs of claim and release a second, and what a bare UPDATE and COMMIT of one row comes to.
    const client = new pg.Client({ connectionString: database });
    await client.connect();
    await client.query('CREATE TABLE bare (n integer); INSERT INTO bare VALUES (0)');
    const bareMs = [];
    for (let i = 0; i < 200; i++) {
      const start = performance.now();
      await client.query('BEGIN');
      await client.query('UPDATE bare SET n = n + 1');
      await client.query('COMMIT');
      bareMs.push(performance.now() - start);
    }
    await client.end();
    const bare = 1000 / median(bareMs);
    console.log(`     UPDATE and COMMIT by themselves: ${bare.toFixed(0)} a second`);
    console.log('     pairs of claim and release a second, with 1, 8 and 32 clients:');
    /** What a trial of the same design measured; a pair is two commits. */
    const AIMS = { 100: [429, 221, 167], 10_000: [161, 110, 113] };
    for (const [size, aims] of Object.entries(AIMS)) {
      const rates = [];
      for (const clients of [1, 8, 32]) {
        const name = `pairs-${size}-${clients}`;
        await (await board(name, Number(size))).close();
        rates.push(await pairs(options(name), clients, env));
      }
      console.log(
        `     ${size} tasks: ${rates.map((rate) => rate.toFixed(0)).join(' / ')} (a trial: ${aims.join(' / ')})`,
      );
      report(`a commit on ${size} tasks / a bare UPDATE and COMMIT`, bare / (2 * rates[0]), size === '100' ? 12 : 30);
    }

    // Waking.
    await (await board('wake', 0)).close();
    const { cwd: dir } = options('wake');
    const wakes = await wake({
      dir,
      store: options('wake').env.COORD_STORE,
      waiters: 50,
      env,
      runs: Math.min(RUNS, 11),
    });
    const late = wakes.toSorted((a, b) => a - b)[Math.floor(wakes.length * 0.95)];
    console.log(`     50 waiters: the median one has seen a new task after ${median(wakes).toFixed(0)} ms`);
    report('50 waiters: 95 of 100 have seen a new task after', late, 50, ' ms');
  } finally {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Claims and gives back in so many processes. @returns pairs a second */
async function pairs(options, clients, env) {
  const script = fileURLToPath(new URL('pairs.mjs', import.meta.url));
  const done = [];
  const children = await Promise.all(
    Array.from(
      { length: clients },
      (_, i) =>
        new Promise((resolve) => {
          const child = fork(script, [options.cwd, `c${i}`, options.env.COORD_STORE], { env });
          child.on('message', (message) => (message.ready ? resolve(child) : done.push(message)));
        }),
    ),
  );
  const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of children) child.send('go');
  await Promise.all(ended);
  const seconds = (Math.max(...done.map(({ to }) => to)) - Math.min(...done.map(({ from }) => from))) / 1000;
  return done.reduce((sum, { count }) => sum + count, 0) / seconds;
}

/** Milliseconds from the commit of a new task until each waiter was woken. */
async function wake({ dir, store: address, waiters, env, runs }) {
  writeFileSync(join(dir, 'waiters'), '');
  const script = fileURLToPath(new URL('listener.mjs', import.meta.url));
  const seen = [];
  const children = await Promise.all(
    Array.from(
      { length: waiters },
      () =>
        new Promise((resolve) => {
          const child = fork(script, [dir, address], { env });
          child.on('message', (message) => (message.ready ? resolve(child) : seen.push(message.at)));
        }),
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 4000)); // they look whether notifications arrive
  const store = openStore({ cwd: dir, stateFolder: dir, env: { COORD_STORE: address } });
  const times = [];
  for (let run = 0; run < runs; run++) {
    seen.length = 0;
    await store.addTasks({ tasks: [{ description: `wake ${run}` }] });
    const added = performance.timeOrigin + performance.now();
    while (seen.length < waiters) await new Promise((resolve) => setTimeout(resolve, 5));
    times.push(...seen.map((at) => Math.max(at - added, 0)));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  for (const child of children) child.disconnect();
  await store.close();
  return times;
}
