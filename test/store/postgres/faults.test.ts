/** What happens to servers, connections, clients and clocks, and what must hold all the same. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CHILDREN } from '../../support/children.ts';
import { HAS_POSTGRES } from '../../support/postgres.ts';
import { freePort, newDatabaseAt, PostgresServer, sql } from '../../support/postgres-server.ts';
import { runOnServer, Way } from '../../support/postgres-run.ts';
import { BIN, type Ran, Rig, scrubbedEnv, until } from '../../support/rig.ts';

const FREEZE = fileURLToPath(new URL('../../support/freeze.cjs', import.meta.url));
const CLOCK = fileURLToPath(new URL('../../support/faults.cjs', import.meta.url));
/** The statement that makes a revision. */
const COMMITTING = 'UPDATE coord.boards SET revision';

describe.skipIf(!HAS_POSTGRES)('a server', () => {
  let server: PostgresServer;
  let database = '';
  let rig: Rig;
  beforeAll(async () => {
    server = await PostgresServer.start(); // its own: it is stopped and restarted
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    database = await newDatabaseAt(server.url(''));
    rig = new Rig();
    await rig.ok(['leader', 'init', 'A goal', '--store', database, '--board', 'b']);
  });

  const add = (...tasks: string[]): Promise<string> => {
    rig.write('tasks.json', JSON.stringify(tasks.map((description) => ({ description }))));
    return rig.ok(['leader', 'import', 'tasks.json']);
  };
  const tasks = async (): Promise<Record<string, unknown>[]> =>
    (await rig.json<{ tasks: Record<string, unknown>[] }>(['leader', 'list', '--all'])).tasks;
  const claimed = async (): Promise<unknown[]> =>
    (await tasks()).filter(({ status }) => status === 'claimed').map(({ claimed_by }) => claimed_by);

  /** A command that stops itself at a statement. */
  function frozen(
    args: string[],
    when: 'before' | 'after',
    env: Record<string, string> = {},
  ): { child: ChildProcess; ended: Promise<Ran> } {
    const child = spawn(process.execPath, ['--require', FREEZE, BIN, ...args], {
      cwd: rig.cwd,
      env: { ...scrubbedEnv(env), FREEZE: COMMITTING, FREEZE_WHEN: when },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    onTestFinished(() => void child.kill('SIGKILL'));
    return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr }))) };
  }
  const isStopped = (pid: number | undefined): boolean => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') T ');

  test('that restarts, crashes, ends sessions and is cut off loses and doubles nothing', async () => {
    const { violations, figures } = await runOnServer({
      server,
      processes: 8,
      operations: 400,
      seconds: 60,
      faultEveryMs: 500,
      children: CHILDREN,
    });
    expect(violations).toEqual([]);
    expect(figures['acknowledged']).toBeGreaterThan(200);
    for (const fault of ['kills', 'terminated', 'cuts', 'restarts', 'crashes', 'pauses'])
      expect(figures[fault], fault).toBeGreaterThan(0);
  });

  test('ends the transaction of a client that froze with the lock; it finds that out, and begins again', async () => {
    await add('one', 'two');
    const sleeper = frozen(['worker', 'claim', 'sleeper'], 'before');
    await until(() => isStopped(sleeper.child.pid), 'it is frozen in its transaction');
    const start = Date.now();
    expect(await rig.ok(['worker', 'claim', 'next'])).toContain('task-001 claimed by next');
    // Five seconds by design; without that it would be as long as it is frozen.
    expect(Date.now() - start).toBeLessThan(20_000);
    sleeper.child.kill('SIGCONT');
    expect((await sleeper.ended).stdout).toContain('task-002 claimed by sleeper');
    expect(await claimed()).toEqual(['next', 'sleeper']);
  });

  test('makes no change of a revision that it has left, whoever else wrote there without the lock', async () => {
    await add('one', 'two');
    const sleeper = frozen(['worker', 'claim', 'w'], 'before');
    await until(() => isStopped(sleeper.child.pid), 'it has looked, and is about to commit');
    await sql(
      database,
      `WITH b AS (UPDATE coord.boards SET revision = revision + 1, commit = 'x.y.z' RETURNING id, revision),
c AS (INSERT INTO coord.commits SELECT id, 'x.y.z', revision FROM b)
UPDATE coord.tasks t SET revision = b.revision, status = 'claimed', worker = 'thief', doc = (t.doc::jsonb || jsonb_build_object(
  'status', 'claimed', 'claimed_by', 'thief', 'attempt', 1, 'claimed_at', '2026-01-01T00:00:00.000Z',
  'lease_expires_at', '2999-01-01T00:00:00.000Z'))::json FROM b WHERE t.id = 'task-001'`,
    );
    sleeper.child.kill('SIGCONT');
    expect((await sleeper.ended).stdout).toContain('task-002 claimed by w');
    expect(await claimed()).toEqual(['thief', 'w']);
  });

  test('that has committed for a client without telling it is asked, and nothing is done twice', async () => {
    await add('one');
    const way = await Way.to(server.port);
    onTestFinished(() => way.close());
    const url = new URL(database);
    url.port = String(way.port);
    const adding = frozen(['leader', 'add-task', 'two'], 'before', { COORD_STORE: `${url.href}?board=b` });
    await until(() => isStopped(adding.child.pid), 'it is frozen before it sends its commit');
    way.mute();
    adding.child.kill('SIGCONT');
    await until(async () => (await tasks()).length === 2, 'the server has committed');
    way.cut();
    const { code, stdout } = await adding.ended;
    expect([code, stdout.split(' ')[0]]).toEqual([0, 'task-002']);
    expect(await tasks()).toHaveLength(2);
  });

  test('that stays away after a commit was sent: nobody knows what became of it, and that is said', async () => {
    await add('one');
    const way = await Way.to(server.port);
    const url = new URL(database);
    url.port = String(way.port);
    const sleeper = frozen(['worker', 'claim', 'w', '--json'], 'before', { COORD_STORE: `${url.href}?board=b` });
    await until(() => isStopped(sleeper.child.pid), 'it is frozen before it sends its commit');
    way.mute();
    sleeper.child.kill('SIGCONT');
    await until(async () => (await claimed()).length === 1, 'the server has committed');
    await way.close();
    const { code, stderr, stdout } = await sleeper.ended;
    expect(code).toBe(1);
    expect(stderr + stdout).toContain('outcome-unknown');
  });

  test('is waited for by who waits, and wakes who waits after its restart', async () => {
    await add('held');
    await rig.ok(['worker', 'claim', 'busy']);
    const waiter = rig.start(['worker', 'claim', 'w', '--wait']);
    const isThere = async (): Promise<boolean> =>
      (await sql(database, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'coord' AND state = 'idle'"))
        .length > 0;
    await until(isThere, 'it waits');
    await server.stop('immediate');
    await server.run();
    await add('new');
    expect(await waiter.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('task-002 claimed by w') as string,
    });
  });

  test('whose clock is right, whatever a client believes', async () => {
    await add('one', 'two');
    const early = { env: { NODE_OPTIONS: `--require ${CLOCK}`, CLOCK_AHEAD: '3600' } };
    await rig.ok(['worker', 'claim', 'w', '--lease', '10m']);
    // An hour ahead: its lease would have run out long ago.
    const ahead = spawn(process.execPath, ['--require', CLOCK, BIN, 'worker', 'claim', 'v'], {
      cwd: rig.cwd,
      env: { ...scrubbedEnv(), ...early.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    ahead.stdout.on('data', (data: Buffer) => (said += data.toString()));
    await new Promise((resolve) => ahead.on('close', resolve));
    expect(said).toContain('task-002 claimed by v');
    const [, second] = await tasks();
    const lease = Date.parse(String(second?.['lease_expires_at'])) - Date.now();
    expect(Math.abs(lease - 1_800_000)).toBeLessThan(300_000);
    expect(await rig.ok(['worker', 'done', 'w', 'task-001', 'in time'])).toContain('task-001 done');
  });

  test('restored from a backup is noticed, and goes on from there', async () => {
    await add('one', 'two');
    const name = new URL(database).pathname.slice(1);
    const backup = `${name}_backup`;
    await sql(server.url('postgres'), `CREATE DATABASE ${backup} TEMPLATE ${name}`);
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['leader', 'add-task', 'forgotten']);
    await sql(server.url('postgres'), `DROP DATABASE ${name}`);
    await sql(server.url('postgres'), `ALTER DATABASE ${backup} RENAME TO ${name}`);
    const seen = await rig.coord(['leader', 'list', '--all']);
    expect(seen.stderr).toContain('was it restored from a backup?');
    expect(seen.stdout).not.toContain('forgotten');
    // As many revisions as before the backup, and yet others.
    await rig.ok(['leader', 'add-task', 'other']);
    await rig.ok(['leader', 'add-task', 'another']);
    expect(await rig.ok(['leader', 'list', '--all'])).toContain('another');
    const late = await rig.coord(['worker', 'done', 'w', 'task-001', 'my work']);
    expect(late.code).toBe(4);
    expect(late.stderr).toContain('Your result is kept in');
    expect(rig.read('.coordination/results/task-001.w.0.refused.md')).toContain('my work');
  });

  test('answers a hook that guards files from what was seen last', async () => {
    await rig.ok(['leader', 'add-task', 'mine', '-f', 'a.ts', '--exclusive']);
    await rig.ok(['worker', 'claim', 'other']);
    await server.stop();
    const event = { session_id: 's', cwd: rig.cwd, tool_name: 'Write', tool_input: { file_path: rig.path('a.ts') } };
    const guarded = await rig.coord(['hook', 'pre-tool-use'], {
      input: JSON.stringify(event),
      env: { COORD_WORKER: 'me' },
    });
    await server.run();
    expect(guarded.stdout).toContain('belongs to task-001 of other alone');
  });

  const bouncer = ['/usr/sbin/pgbouncer', '/opt/homebrew/bin/pgbouncer'].find((path) => existsSync(path));
  test.skipIf(bouncer === undefined && !process.env['CI'])(
    'behind a pooler in transaction mode: it works, waits by looking, and says so',
    async () => {
      const port = await freePort();
      const name = new URL(database).pathname.slice(1);
      rig.write(
        'bouncer.ini',
        `[databases]\n${name} = host=127.0.0.1 port=${server.port} dbname=${name} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n`,
      );
      const root = process.getuid?.() === 0;
      execFileSync('chmod', ['-R', 'a+rX', rig.cwd]);
      const pooler = spawn(bouncer ?? '', ['-q', ...(root ? ['-u', 'postgres'] : []), rig.path('bouncer.ini')], {
        stdio: 'ignore',
      });
      onTestFinished(() => void pooler.kill('SIGKILL'));
      const pooled = `postgres://postgres@127.0.0.1:${port}/${name}?board=b`;
      const env = { COORD_STORE: pooled };
      await until(async () => (await rig.coord(['status'], { env })).code === 0, 'the pooler is there');
      await rig.ok(['leader', 'add-task', 'one'], { env });
      await rig.ok(['worker', 'claim', 'busy'], { env });
      expect(JSON.parse((await rig.coord(['store', 'status', '--json'], { env })).stdout)).toMatchObject({
        reachable: true,
        notifications: false,
      });
      const waiter = rig.start(['worker', 'claim', 'w', '--wait'], env);
      await until(() => waiter.errors().includes('Notifications of the database do not arrive'), 'it says so');
      await rig.ok(['leader', 'add-task', 'two'], { env });
      expect((await waiter.ended).stdout).toContain('task-002 claimed by w');
      const ran = await Promise.all(
        Array.from({ length: 6 }, (_, i) => rig.coord(['leader', 'add-task', `many ${i}`], { env })),
      );
      expect(ran.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
      expect(await tasks()).toHaveLength(8);
    },
  );
});
