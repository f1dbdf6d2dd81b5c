/** What docs/postgres.md and the README say, done: roles, rows, and the words of setting up. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HAS_POSTGRES, newDatabase } from '../../support/postgres.ts';
import { newDatabaseAt, PostgresServer, sql } from '../../support/postgres-server.ts';
import { Rig } from '../../support/rig.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const docs = readFileSync(join(root, 'docs/postgres.md'), 'utf8');
/** The script that begins with this comment. */
const script = (name: string): string => new RegExp(`\`\`\`sql\n-- ${name}\n([^]*?)\`\`\``).exec(docs)?.[1] ?? '';
/** Roles are the server's, which all tests share. */
const role = `r${process.pid}_${Date.now()}`;

describe.skipIf(!HAS_POSTGRES)('the documentation', () => {
  test('gives a role all that coord needs, and no more; rows belong to their members', async () => {
    const database = await newDatabase();
    const as = (name: string): string => database.replace('postgres@', `${name}@`);
    const [ann, bob] = [`${role}_ann`, `${role}_bob`];
    for (const name of [ann, bob]) {
      await sql(database, `CREATE ROLE ${name} LOGIN`);
      await sql(database, script('grants').replaceAll('ann', name));
    }
    const [rig, other] = [new Rig(), new Rig()];
    await rig.ok(['leader', 'init', 'A goal', '--store', as(ann), '--board', 'anns']);
    await other.ok(['leader', 'init', 'Another', '--store', as(bob), '--board', 'bobs']);
    const work = async (): Promise<void> => {
      const line = (text: string): Promise<string> => rig.ok(text.split(' '));
      await line('leader add-task one');
      const id = (await line('worker claim w')).split(' ')[0] ?? '';
      await line('worker discover w found');
      await line(`worker done w ${id} result`);
      await line('leader plan new');
      await line('leader add-task two -f a.ts');
      await line('leader archive');
      await line('leader aggregate');
      await line('mcp token w');
      await line('log');
      await line('store status');
      await line('leader undo').catch(() => '');
    };
    await work();
    // Not so the tables themselves.
    await expect(sql(as(ann), 'DROP TABLE coord.tasks')).rejects.toThrow(/must be owner/);
    await expect(sql(as(ann), 'UPDATE coord.meta SET version = 2')).rejects.toThrow(/permission denied/);
    await expect(sql(as(ann), 'DELETE FROM coord.log')).rejects.toThrow(/permission denied/);

    await sql(database, script('row-level security'));
    const away = await rig.coord(['status']);
    expect(away.stderr).toContain('There is no board anns');
    const admit = /`(INSERT INTO coord\.board_members [^`]*)`/.exec(docs)?.[1] ?? '';
    await sql(database, admit.replace("'ann'", `'${ann}'`).replace("'shop'", "'anns'"));
    await work();
    expect(await sql(as(ann), 'SELECT name FROM coord.boards')).toEqual([{ name: 'anns' }]);
    expect(await sql(as(bob), 'SELECT * FROM coord.tasks')).toEqual([]);
    const stranger = await other.coord(['status'], { env: { COORD_STORE: `${as(bob)}?board=anns` } });
    expect(stranger.stderr).toContain('There is no board anns');
  });

  test('says how a board is set up and joined, word for word', async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const section = readme.slice(readme.indexOf('## Several machines'), readme.indexOf('## How it stays safe'));
    const address = await newDatabase({ migrate: false });
    const [here, there] = [new Rig(), new Rig()];
    const written = 'postgres://ann@db.example.com/coord';
    const lines = [...section.matchAll(/^\$ coord (.*)\n(.*)$/gm)].map(([, command = '', answer = '']) => ({
      command,
      answer,
    }));
    expect(lines).toHaveLength(3);
    for (const { command, answer } of lines) {
      const words = (command.match(/"[^"]*"|\S+/g) ?? []).map((word) =>
        word.replaceAll('"', '').replace(written, address),
      );
      const rig = command.startsWith('store connect') ? there : here;
      expect((await rig.ok(words)).trim()).toBe(answer.replace(written, address));
    }
    expect(await there.ok(['status'])).toContain('Build a shop');
  });

  test('says what sslmode means', async () => {
    const certified = new Rig();
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        certified.path('key'),
        '-out',
        certified.path('crt'),
      ],
      { stdio: 'ignore' },
    );
    const server = await PostgresServer.start(['-c', 'fsync=off']);
    onTestFinished(() => server.remove());
    const { uid, gid } = statSync(server.folder);
    chownSync(certified.path('key'), uid, gid);
    chmodSync(certified.path('key'), 0o600);
    execFileSync('chmod', ['a+rx', certified.cwd]);
    await server.restart('fast', [
      '-c',
      'ssl=on',
      '-c',
      `ssl_cert_file=${certified.path('crt')}`,
      '-c',
      `ssl_key_file=${certified.path('key')}`,
    ]);
    const database = await newDatabaseAt(server.url(''));
    const rig = new Rig();
    await rig.ok(['leader', 'init', 'A goal', '--store', database, '--board', 'b']);
    const status = (mode: string, host = 'localhost') =>
      rig.coord(['status'], { env: { COORD_STORE: `${database.replace('127.0.0.1', host)}?board=b&sslmode=${mode}` } });
    expect((await status('disable')).code).toBe(0);
    expect((await status('require')).code).toBe(0);
    expect(
      (await sql<{ ssl: boolean }>(database, 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'))[0]?.ssl,
    ).toBe(false);
    expect((await status('verify-full')).stderr).toContain('cannot be reached');
    const known = `verify-full&sslrootcert=${certified.path('crt')}`;
    expect((await status(known)).stderr).toBe('Next: coord leader add-task "<description>"\n');
    expect((await status(known, '127.0.0.1')).stderr).toContain('cannot be reached');
  });
});
