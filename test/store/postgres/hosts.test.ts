/** Machines that share nothing but the server: each a folder of its own, at work at the same time by every face. */
import { beforeAll, describe, expect, test } from 'vitest';
import { Project } from '../../support/claude.ts';
import { Agent } from '../../support/mcp.ts';
import { HAS_POSTGRES, newDatabase } from '../../support/postgres.ts';
import { sql } from '../../support/postgres-server.ts';
import { Rig, until } from '../../support/rig.ts';

describe.skipIf(!HAS_POSTGRES)('several machines on one board', () => {
  let store = '';
  let database = '';
  beforeAll(async () => {
    database = await newDatabase();
    store = `${database}?board=shared`;
  });

  test('a leader, an orchestrator, an MCP client and a worker of another program do each task once', async () => {
    const env = { COORD_STORE: store };
    const leader = new Rig();
    await leader.ok(['leader', 'init', 'A goal'], { env });
    const count = 24;
    leader.write(
      'tasks.json',
      JSON.stringify(Array.from({ length: count }, (_, i) => ({ description: `[slow 150] task ${i}`, key: `k${i}` }))),
    );
    await leader.ok(['leader', 'import', 'tasks.json'], { env });

    const orchestrated = new Project();
    const run = orchestrated.start(['orchestrate', 'resume', '-w', '2', '--json'], { ...orchestrated.env, ...env });
    const programs = new Rig();
    const program = programs.start(
      ['worker', 'run', 'program', '--', 'sh', '-c', 'sleep 0.2; echo done by a program'],
      env,
    );
    const agent = await Agent.start(new Rig(), { env: { ...env, COORD_WORKER: 'agent' } });
    const holders = async (): Promise<string[]> =>
      (await sql<{ worker: string }>(database, 'SELECT DISTINCT worker FROM coord.tasks WHERE worker IS NOT NULL')).map(
        ({ worker }) => worker,
      );
    await until(async () => (await holders()).length > 2, 'the others are at work');
    for (let i = 0; i < 4; i++) {
      const { task } = (await agent.ok('claim_task')) as { task?: { id: string } | null };
      if (!task) break;
      await agent.ok('complete_task', { task_id: task.id, output: 'done by an agent' });
    }
    expect((await program.ended).code).toBe(0);
    expect((await run.ended).code).toBe(0);

    const board = JSON.parse(await leader.ok(['leader', 'list', '--all', '--json'], { env })) as {
      tasks: { id: string; status: string; claimed_by: string; attempt: number }[];
    };
    expect(board.tasks).toHaveLength(count);
    expect(board.tasks.every(({ status, attempt }) => status === 'done' && attempt === 1)).toBe(true);
    const workers = new Set(board.tasks.map(({ claimed_by }) => claimed_by));
    expect(workers).toEqual(new Set(['agent', 'program', 'worker-1', 'worker-2']));
    const { results } = JSON.parse(await leader.ok(['leader', 'results', '--json', '--limit', '100'], { env })) as {
      results: { worker: string; output: string }[];
    };
    expect(results).toHaveLength(count);
    for (const { worker, output } of results)
      expect(output).toContain(worker === 'agent' ? 'an agent' : worker === 'program' ? 'a program' : 'Did task-');
    // Process ids of one machine mean nothing on another, and are not told.
    const [registry] = await sql<{ doc: object }>(database, 'SELECT doc FROM coord.registry');
    expect(JSON.stringify(registry?.doc)).not.toContain('"mark"');
  });

  test('who waits is woken by the server, and not by looking', async () => {
    const env = { COORD_STORE: `${database}?board=woken` };
    const [leader, rig] = [new Rig(), new Rig()];
    await leader.ok(['leader', 'init', 'A goal'], { env });
    await leader.ok(['leader', 'add-task', 'held'], { env });
    await leader.ok(['worker', 'claim', 'busy'], { env });
    const times: number[] = [];
    for (let n = 0; n < 4; n++) {
      const waiter = rig.start(['worker', 'claim', `w${n}`, '--wait'], env);
      const listens =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'coord' AND query LIKE 'COMMIT%' AND state = 'idle'";
      await until(async () => (await sql(database, listens)).length > 0, 'it waits');
      await leader.ok(['leader', 'add-task', `new ${n}`], { env });
      const start = Date.now();
      expect((await waiter.ended).code).toBe(0);
      times.push(Date.now() - start);
    }
    // Whoever looks every five seconds is not there within two, four times in a row.
    expect(Math.max(...times)).toBeLessThan(2000);
  });

  test('an orchestrator owns the board, from whichever machine; a token made on one holds on another', async () => {
    const env = { COORD_STORE: `${database}?board=owned` };
    const leader = new Rig();
    await leader.ok(['leader', 'init', 'A goal'], { env });
    await leader.ok(['leader', 'add-task', '[slow 8000] long'], { env });
    const here = new Project();
    const run = here.start(['orchestrate', 'resume', '-w', '1'], { ...here.env, ...env });
    await until(() => here.starts().length > 0, 'it works');
    const there = new Project();
    const refused = await there.coord(['orchestrate', 'resume', '-w', '1'], { env: { ...there.env, ...env } });
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('orchestrator');
    const copied = await leader.coord(['store', 'copy', env.COORD_STORE, leader.path('elsewhere')]);
    expect(copied.code).toBe(4);
    run.child.kill('SIGINT');
    await run.ended;

    const token = /coord_[\w-]+/.exec(await leader.ok(['mcp', 'token', 'far'], { env }))?.[0] ?? '';
    const host = new Rig();
    await host.ok(['status'], { env });
    const http = host.start(['mcp', '--http', '--port', '0'], env);
    await until(() => http.errors().includes('serving'), 'it serves');
    const url = /http:\S+/.exec(http.errors())?.[0]?.replace(/,$/, '') ?? '';
    const far = await Agent.overHttp(url, token);
    expect((await far.call('get_status', {})).isError).toBe(false);
    await leader.ok(['mcp', 'token', 'far', '--revoke'], { env });
    await until(
      async () =>
        far.call('get_status', {}).then(
          (answer) => answer.isError,
          () => true,
        ),
      'it is revoked there too',
    );
  });
});
