/** A board on a server, as people use it: two folders that share nothing else. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { HAS_POSTGRES, newDatabase } from '../../support/postgres.ts';
import { newDatabaseAt, PostgresServer, sql } from '../../support/postgres-server.ts';
import { openStore } from '../../../src/store/open.ts';
import { MAKE_SCHEMA, stepsFrom } from '../../../src/store/postgres/schema.ts';
import { type Ran, Rig } from '../../support/rig.ts';

let address = '';
let boards = 0;
/** As a person at a terminal without an agent has it, with records of their own. */
const records = mkdtempSync(join(tmpdir(), 'coord-state-'));
const env = { XDG_STATE_HOME: records };
afterAll(() => rmSync(records, { recursive: true, force: true }));

/** A folder that leads to a new board. */
class Machine extends Rig {
  readonly name = `board-${boards++}`;
  get url(): string {
    return `${address}?board=${this.name}`;
  }
  run(...args: string[]): Promise<Ran> {
    return this.coord(args, { env });
  }
  async says(...args: string[]): Promise<string> {
    return this.ok(args, { env });
  }
  async data<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    const { stdout, stderr } = await this.coord([...args, '--json'], { env });
    return JSON.parse(stdout === '' ? stderr : stdout) as T;
  }
  async init(...more: string[]): Promise<void> {
    await this.says('leader', 'init', 'A goal', '--store', address, '--board', this.name, ...more);
  }
  /** Another folder on the same board. */
  async joined(): Promise<Machine> {
    const other = new Machine();
    await other.says('store', 'connect', this.url);
    return other;
  }
}

describe.skipIf(!HAS_POSTGRES)('a board on a server', () => {
  let one: Machine;
  beforeAll(async () => {
    address = await newDatabase();
  });
  beforeEach(() => {
    one = new Machine();
  });

  test('is one for two folders: claimed once, done, and read in both', async () => {
    await one.init();
    const two = await one.joined();
    await one.says('leader', 'add-task', 'first', '-p', '1');
    await one.says('leader', 'add-task', 'second', '-d', 'task-001');
    expect(await two.says('worker', 'claim', 'w2')).toContain('task-001 claimed by w2');
    expect((await one.run('worker', 'claim', 'w1')).code).toBe(3);
    await two.says('worker', 'discover', 'w2', 'ids are UUIDs', '--tag', 'api');
    await two.says('worker', 'done', 'w2', 'task-001', 'made it', '--modified', 'a.ts');
    expect(await one.says('worker', 'claim', 'w1')).toContain('task-002 claimed by w1');
    expect(await one.says('worker', 'context', 'w1')).toContain('made it');
    expect(await one.says('leader', 'show', 'task-001')).toContain('made it');
    expect((await one.data<{ entries: { event: string }[] }>('log')).entries.map(({ event }) => event)).toEqual([
      'init',
      'add',
      'add',
      'claim',
      'discover',
      'complete',
      'claim',
    ]);
  });

  test('leaves copies to look at, which are read-only and say what they are, and no secret', async () => {
    await one.init();
    const two = await one.joined();
    await one.says('leader', 'plan', 'The plan.');
    await one.says('leader', 'add-task', 'first');
    await two.says('worker', 'claim', 'w2');
    await two.says('worker', 'discover', 'w2', 'a finding');
    await two.says('worker', 'done', 'w2', 'task-001', 'the result');
    await one.says('status');
    const tree = one.path('.coordination');
    expect(JSON.parse(readFileSync(join(tree, 'config.json'), 'utf8'))).toEqual({ store: address, board: one.name });
    const copies = ['tasks.json', 'master-plan.md', 'context/discoveries.md', 'results/task-001.md'];
    const texts = copies.map((name) => readFileSync(join(tree, name), 'utf8'));
    expect(texts[0]).toContain('"status": "done"');
    expect(texts[1]).toContain('The plan.');
    expect(texts[2]).toContain('a finding');
    expect(texts[3]).toContain('the result');
    for (const name of copies) expect(statSync(join(tree, name)).mode & 0o222, name).toBe(0);
    for (const text of texts.slice(0, 3)) expect(text).toContain('the board is kept by a server');
    expect(statSync(join(tree, '.cache/board.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(tree, '.cache')).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(tree, '.gitignore'), 'utf8')).toContain('.cache/');
    // Lost or damaged copies are made again, and a copy of another board is none.
    rmSync(join(tree, '.cache'), { recursive: true });
    expect(await one.says('status')).toContain('1/1 done');
    one.write('.coordination/.cache/board.json', '{"name":');
    expect(await one.says('status')).toContain('1/1 done');
    const other = new Machine();
    await other.init();
    await other.says('status');
    rmSync(one.path('.coordination/.cache'), { recursive: true });
    cpSync(other.path('.coordination/.cache'), one.path('.coordination/.cache'), { recursive: true });
    expect(await one.says('status')).toContain('1/1 done');
  });

  test('goes by COORD_STORE, before the file and without one', async () => {
    await one.init();
    await one.says('leader', 'add-task', 'first');
    const bare = new Machine();
    const there = { env: { ...env, COORD_STORE: one.url } };
    expect(await bare.ok(['worker', 'claim', 'w'], there)).toContain('task-001 claimed');
    expect(await bare.ok(['worker', 'done', 'w', 'task-001', 'x'], there)).toContain('done');
    expect(await bare.ok(['status'], there)).toContain('1/1 done');
    const other = new Machine();
    await other.init();
    expect(await other.ok(['status'], there)).toContain('1/1 done');
    expect(await other.says('status')).not.toContain('1/1 done');
    // A folder with a board of its own is not written over.
    const files = new Machine();
    await files.says('leader', 'init', 'In files');
    const refused = await files.coord(['status'], there);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('holds a board in files');
  });

  test('is not taken for one in files where config.json is gone, and what was saved over a copy is kept', async () => {
    await one.init();
    await one.says('leader', 'add-task', 'first');
    rmSync(one.path('.coordination/config.json'));
    for (const gone of ['', '.coordination/.cache']) {
      if (gone !== '') rmSync(one.path(gone), { recursive: true });
      const refused = await one.run('worker', 'claim', 'w');
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('holds copies of a board that a server keeps');
      expect(refused.stderr).toContain('coord store connect');
    }
    await one.says('store', 'connect', one.url);
    await one.says('status');
    const copy = one.path('.coordination/tasks.json');
    rmSync(copy);
    one.write('.coordination/tasks.json', 'edited by hand');
    const later = new Date(Date.now() + 5000);
    utimesSync(copy, later, later);
    const told = await one.run('leader', 'add-task', 'second');
    expect(told.stderr).toContain('tasks.json is a copy');
    const [kept] = readdirSync(one.path('.coordination/rejected'));
    expect(one.read(`.coordination/rejected/${kept}`)).toBe('edited by hand');
    expect(one.read('.coordination/tasks.json')).toContain('second');
  });

  test('begun anew stays on its server, and says where the earlier one is', async () => {
    await one.init();
    const two = await one.joined();
    await one.says('leader', 'add-task', 'old');
    await two.says('status');
    const again = await one.run('leader', 'init', 'Anew', '--force');
    expect(again.code).toBe(0);
    expect(again.stderr).toContain(`as ${one.name}.backup-`);
    expect(again.stderr).toContain('On every other machine');
    const seen = await two.run('status');
    expect(seen.stdout).toContain('Anew');
    expect(seen.stderr).toContain('it was replaced');
    expect((await two.run('status')).stderr).not.toContain('replaced');
  });

  test('is found by the name of the folder, or as the only one, and named where it is not', async () => {
    const database = await newDatabase();
    await one.says('leader', 'init', 'A goal', '--store', database);
    expect(JSON.parse(one.read('.coordination/config.json'))).toMatchObject({
      board: expect.stringMatching(/^coord-test-/) as string,
    });
    const bare = new Machine();
    expect(await bare.ok(['status'], { env: { ...env, COORD_STORE: database } })).toContain('A goal');
    const two = new Machine();
    await two.says('leader', 'init', 'Another', '--store', database, '--board', 'two');
    const unsure = await bare.coord(['leader', 'list'], { env: { ...env, COORD_STORE: database }, cwd: new Rig().cwd });
    expect(unsure.stderr).toContain('several boards in this database: ');
    expect(unsure.stderr).toContain('two');
    const none = await two.coord(['status'], { env: { ...env, COORD_STORE: `${database}?board=three` } });
    expect(none.stderr).toContain('There is no board three');
  });

  test('is made once, however many try, and put aside with --force', async () => {
    const machines = Array.from({ length: 4 }, () => new Machine());
    const name = `race-${boards++}`;
    const ran = await Promise.all(
      machines.map((each) => each.run('leader', 'init', 'A goal', '--store', address, '--board', name)),
    );
    expect(ran.filter(({ code }) => code === 0)).toHaveLength(1);
    expect(ran.filter(({ code }) => code === 4)).toHaveLength(3);
    const [first] = machines.filter((_, i) => ran[i]?.code === 0);
    await first?.says('leader', 'add-task', 'old');
    const again = await machines[0]!.run('leader', 'init', 'New', '--store', address, '--board', name, '--force');
    expect(again.code).toBe(0);
    expect(again.stderr).toContain(`${name}.backup-`);
    expect(await machines[0]!.says('leader', 'list')).not.toContain('old');
    const [kept] = await sql<{ name: string }>(
      address,
      `SELECT name FROM coord.boards WHERE name LIKE '${name}.backup-%'`,
    );
    const bare = new Machine();
    expect(
      await bare.ok(['leader', 'list'], { env: { ...env, COORD_STORE: `${address}?board=${kept?.name}` } }),
    ).toContain('old');
  });

  test.each([
    ['a password', 'postgres://ann:secret@127.0.0.1/db', 'holds a password'],
    ['a password among the parameters', 'postgres://ann@127.0.0.1/db?password=secret', 'holds a password'],
    ['another scheme', 'mysql://ann@127.0.0.1/db', 'must begin with postgres://'],
    ['no URL', 'postgres://[', 'is no URL'],
    ['a strange name', 'postgres://ann@127.0.0.1/db?board=a/b', 'names a board with other characters'],
    ['a mistyped parameter', 'postgres://ann@127.0.0.1/db?bord=a', 'has an unknown parameter, bord'],
    ['a mode of TLS that there is not', 'postgres://ann@127.0.0.1/db?sslmode=maybe', 'as sslmode'],
  ])('refuses an address with %s, and does not repeat it', async (_, given, why) => {
    const refused = await one.run('leader', 'init', 'A goal', '--store', given);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(why);
    expect(refused.stderr).not.toContain('secret');
    expect(existsSync(one.path('.coordination'))).toBe(false);
  });

  test.each([
    ['no JSON', '{', 'is not JSON'],
    ['a list', '[]', 'must be an object'],
    ['a number', '{"store": 5}', 'must name a store'],
    ['a password', '{"store": "postgres://a:b@127.0.0.1/c"}', 'holds a password'],
    ['a path', '{"store": "/etc/passwd"}', 'must begin with postgres://'],
  ])('refuses a config.json that holds %s', async (_, text, why) => {
    one.write('.coordination/config.json', text);
    const refused = await one.run('status');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(why);
  });

  test('keeps every character that agents write', async () => {
    await one.init();
    const nasty = "nul \u0000 half \ud800 quote ' back \\ line\nfeed $1 %s é 🎉 \u202e";
    one.write('tasks.json', JSON.stringify([{ description: nasty, hints: nasty }]));
    await one.says('leader', 'import', 'tasks.json');
    await one.says('worker', 'claim', 'w');
    const done = await one.coord(['worker', 'done', 'w', 'task-001', '-', '--json'], { env, input: nasty });
    expect(done.code).toBe(0);
    const { task } = await one.data<{ task: { description: string; context: { hints: string } } }>(
      'leader',
      'show',
      'task-001',
    );
    expect(task.description).toBe(nasty);
    expect(task.context.hints).toBe(nasty);
    const two = await one.joined();
    const [result] = (await two.data<{ results: { output: string }[] }>('leader', 'results')).results;
    expect(result?.output).toBe(Buffer.from(nasty).toString());
    await two.coord(['worker', 'discover', 'w', '-'], { env, input: nasty });
    expect(
      (await one.data<{ discoveries: { content: string }[] }>('leader', 'discoveries')).discoveries[0]?.content,
    ).toContain("quote ' back \\ line\nfeed $1");
  });

  test('is claimed by exactly one of many, from two folders', async () => {
    await one.init();
    const two = await one.joined();
    const count = 12;
    one.write('tasks.json', JSON.stringify(Array.from({ length: count }, (_, i) => ({ description: `t${i}` }))));
    await one.says('leader', 'import', 'tasks.json');
    const ran = await Promise.all(
      Array.from({ length: count + 4 }, (_, i) => (i % 2 ? one : two).run('worker', 'claim', `w${i}`)),
    );
    const won = ran.filter(({ code }) => code === 0).map(({ stdout }) => stdout.split(' ')[0]);
    expect(new Set(won).size).toBe(count);
    expect(won.length).toBe(count);
    expect(ran.filter(({ code }) => code === 3).length).toBe(4);
  });

  test('has its tables made by their owner, once, however many try; never when it is opened', async () => {
    const empty = await newDatabase({ migrate: false });
    const early = await one.run('leader', 'init', 'A goal', '--store', empty);
    expect(early.code).toBe(1);
    expect(early.stderr).toContain('coord store migrate');
    expect(existsSync(one.path('.coordination'))).toBe(false);
    const ran = await Promise.all(Array.from({ length: 4 }, () => one.run('store', 'migrate', empty)));
    expect(ran.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(ran.filter(({ stdout }) => stdout.startsWith('Made')).length).toBe(1);
    // The script that is printed makes the same.
    const { sql: script } = await one.data<{ sql: string }>('store', 'migrate', '--print');
    const printed = await newDatabase({ migrate: false });
    await sql(printed, script);
    const columns =
      "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'coord' ORDER BY 1, 2";
    expect(await sql(printed, columns)).toEqual(await sql(empty, columns));
  });

  test('says which coord is too old for its tables, also to one that is at work, and which tables are too old', async () => {
    const database = await newDatabase();
    await one.says('leader', 'init', 'A goal', '--store', database);
    // Newer tables that this coord may still use.
    await sql(database, 'UPDATE coord.meta SET version = 99');
    await one.says('leader', 'add-task', 'goes on');
    const waiting = one.start(['worker', 'claim', 'w', 'task-001', '--json'], env);
    expect((await waiting.ended).code).toBe(0);
    await sql(database, 'UPDATE coord.meta SET needs = 99');
    for (const args of [['status'], ['leader', 'add-task', 'no'], ['worker', 'done', 'w', 'task-001', 'x']]) {
      const refused = await one.run(...args);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('newer coord');
    }
    await sql(database, 'UPDATE coord.meta SET needs = 1, version = 0');
    expect((await one.run('status')).stderr).toContain('coord store migrate');
  });

  test('of version 1 is upgraded, and then has messages', async () => {
    const database = await newDatabase({ migrate: false });
    await sql(database, [MAKE_SCHEMA, stepsFrom(0)[0]].join('\n'));
    const old = await one.run('leader', 'init', 'A goal', '--store', database);
    expect([old.code, old.stderr]).toEqual([1, expect.stringContaining('coord store migrate')]);
    expect(await one.says('store', 'migrate', database)).toBe('Upgraded the tables from version 1, version 2.\n');
    await one.says('leader', 'init', 'A goal', '--store', database);
    await one.says('worker', 'discover', 'w', 'x');
    await one.says('leader', 'tell', 'w', 'hello');
    expect(await one.says('inbox', 'w')).toContain('> hello');
  });

  test('is shown by store status, with what is wrong', async () => {
    await one.init();
    const { store, reachable, notifications, schema_version, tasks } = await one.data('store', 'status');
    expect({ store, reachable, notifications, schema_version, tasks }).toEqual({
      store: 'postgres',
      reachable: true,
      notifications: true,
      schema_version: 2,
      tasks: 0,
    });
    const { healthy, findings } = await one.data<{ healthy: boolean; findings: { check: string }[] }>('doctor');
    expect([healthy, ...findings.map(({ check }) => check)]).toEqual([
      true,
      'server',
      'tables',
      'notifications',
      'board',
    ]);
    const away = await one.run('store', 'status', 'postgres://ann@127.0.0.1:1/db');
    expect(away).toMatchObject({ code: 1 });
    expect(away.stdout).toContain('no: ');
    const nowhere = await one.coord(['status'], {
      env: { ...env, COORD_STORE: 'postgres://ann@127.0.0.1:1/db?board=x' },
    });
    expect(nowhere.stderr).toContain('cannot be reached');
    const missing = await one.coord(['status'], {
      env: { ...env, COORD_STORE: `${inject('postgres')}nothing?board=x` },
    });
    expect(missing.stderr).toContain('database "nothing" does not exist');
    const files = new Machine();
    await files.says('leader', 'init', 'In files');
    expect(await files.data('store', 'status')).toMatchObject({ store: 'files', reachable: true });
  });

  test('is not moved, joined or made by an agent', async () => {
    const agent = { ...env, COORD_WORKER: 'w' };
    for (const args of [
      ['store', 'connect', one.url],
      ['store', 'copy', '.', one.url],
      ['store', 'migrate', address],
      ['leader', 'init', 'x', '--store', address],
    ]) {
      const refused = await one.coord(args, { env: agent });
      expect(refused.stderr).toContain('for a person to say');
    }
  });

  describe('moved', () => {
    /** A board in files with everything that a board may hold. */
    async function filled(): Promise<Machine> {
      const machine = new Machine();
      await machine.says('leader', 'init', 'A goal', '--approach', 'in steps', '--check', 'true');
      machine.typed(['trust', 'check', 'true'], env);
      const tasks = Array.from({ length: 8 }, (_, i) => ({
        description: `task ${i} é\u0000`,
        ...(i > 5 ? { dependencies: ['task-1'] } : {}),
      }));
      machine.write('tasks.jsonl', tasks.map((task) => JSON.stringify(task)).join('\n'));
      await machine.says('leader', 'import', 'tasks.jsonl');
      await machine.says('worker', 'claim', 'w');
      await machine.says('worker', 'discover', 'w', '## looks like a heading\n\\## kept', '--tag', 'x');
      await machine.says('worker', 'done', 'w', 'task-001', 'result 1\n', '--modified', 'a, b.ts');
      await machine.says('worker', 'claim', 'w', 'task-002');
      await machine.says('leader', 'release', 'task-002');
      await machine.says('worker', 'claim', 'v', 'task-002');
      await machine.run('worker', 'done', 'w', 'task-002', 'too late');
      await machine.says('leader', 'release', 'task-002');
      await machine.says('leader', 'cancel', 'task-003');
      await machine.says('leader', 'archive');
      await machine.says('leader', 'aggregate');
      await machine.says('mcp', 'token', 'w');
      return machine;
    }
    const texts = (machine: Machine): Record<string, string> =>
      Object.fromEntries(
        ['master-plan.md', 'summary.md', 'archive.jsonl', 'context', 'results', 'logs'].flatMap((name) =>
          filesIn(machine.path(`.coordination/${name}`)),
        ),
      );
    const boardOf = (machine: Machine): object => {
      const {
        revision: _,
        commit: __,
        ...board
      } = JSON.parse(machine.read('.coordination/tasks.json')) as Record<string, unknown>;
      return board;
    };

    test('there and back it is equal, and those who have it open are told', async () => {
      const machine = await filled();
      const before = { board: boardOf(machine), texts: texts(machine) };
      const names = Object.keys(before.texts).join(' ');
      expect(names).toMatch(/refused\.md/);
      expect(names).toMatch(/checks\.jsonl/);
      expect(names).toMatch(/archive\.jsonl/);
      const held = await machine.says('worker', 'claim', 'x');
      const refused = await machine.run('store', 'copy', '.', machine.url);
      expect(refused.code).toBe(4);
      expect(refused.stderr).toContain('a board moves when nobody works on it');
      await machine.says('leader', 'release', held.split(' ')[0] ?? '');
      await machine.says('leader', 'tell', 'x', 'before');
      await machine.says('inbox', 'x', '--ack');
      await machine.says('leader', 'tell', 'x', 'moves along');
      const ready = { board: boardOf(machine), texts: texts(machine) };

      const moved = await machine.says('store', 'copy', '.', machine.url);
      expect(moved).toContain('Moved the board');
      expect(await machine.data('store', 'status')).toMatchObject({ store: 'postgres', tasks: 8 - 2 });
      const other = await machine.joined();
      expect(await other.says('leader', 'results')).toContain('result 1');
      expect(await other.data('inbox', 'x')).toMatchObject({ seen: 1, messages: [{ id: 2, text: 'moves along' }] });
      await other.says('leader', 'tell', 'x', 'from there');

      const back = await machine.says('store', 'copy', machine.url, '.');
      expect(back).toContain('Moved the board');
      expect(boardOf(machine)).toEqual(ready.board);
      expect(texts(machine)).toEqual(ready.texts);
      expect(await machine.data('inbox', 'x', '--all')).toMatchObject({
        seen: 1,
        messages: [{ text: 'before' }, { text: 'moves along' }, { id: 3, text: 'from there' }],
      });
      // Who still goes to the old place is told where it is.
      const lost = await other.run('leader', 'add-task', 'lost?');
      expect(lost.code).toBe(4);
      expect(lost.stderr).toContain(`This board has moved to ${machine.path('.coordination')}`);
      expect((await other.run('worker', 'discover', 'w', 'lost?')).code).toBe(4);
      expect((await other.run('leader', 'plan', 'lost?')).code).toBe(4);
      // And there once more: what ended there before is put aside.
      expect(await machine.says('store', 'copy', '.', machine.url)).toContain('Moved the board');
      await machine.says('leader', 'add-task', 'goes on');
      const repeated = await machine.run('store', 'copy', '.', machine.url);
      expect(repeated.code).toBe(4);
      expect(await machine.says('leader', 'list')).toContain('goes on');
    });

    test('into a folder that never led there; and from a folder that holds another board, which it leaves alone', async () => {
      const machine = await filled();
      const there = boardOf(machine);
      await machine.says('store', 'copy', '.', machine.url);
      const [fresh, other] = [new Machine(), new Machine()];
      expect(await fresh.says('store', 'copy', machine.url, '.')).toContain('Moved the board');
      expect(boardOf(fresh)).toEqual(there);
      await other.says('leader', 'init', 'In files');
      const before = other.snapshot('.coordination');
      expect(await other.says('store', 'copy', fresh.cwd, machine.url)).toContain('Moved the board');
      await other.says('store', 'copy', machine.url, other.path('elsewhere'));
      expect(other.snapshot('.coordination')).toEqual(before);
      expect(await other.ok(['leader', 'list', '--dir', 'elsewhere'], { env })).toContain('task 4');
      const swapped = await other.run('store', 'copy', machine.url, '.');
      expect(swapped.code).toBe(4);
      expect(swapped.stderr).toContain('There is a board in files');
      expect(swapped.stderr).not.toContain('--force');
    });

    test('back into its folder, no copy is written over it by who had it open on the server', async () => {
      const machine = await filled();
      await machine.says('store', 'copy', '.', machine.url);
      const open = openStore({ cwd: machine.cwd, stateFolder: records });
      await open.read();
      await machine.says('store', 'copy', machine.url, '.');
      await machine.says('leader', 'add-task', 'of the files');
      const before = machine.read('.coordination/tasks.json');
      await open.read();
      await open.close();
      expect(machine.read('.coordination/tasks.json')).toBe(before);
      expect(existsSync(machine.path('.coordination/.cache'))).toBe(false);
    });

    test('by a move that was killed in the middle it goes on when it is begun again', async () => {
      const machine = await filled();
      const before = { board: boardOf(machine), texts: texts(machine) };
      // As after a crash: marked, led there, and nothing made yet.
      await sql(address, 'SELECT 1');
      const { moveAway } = await import('../../../src/model/moved.ts');
      const { FileBackend } = await import('../../../src/store/file/backend.ts');
      const { Tree } = await import('../../../src/store/file/tree.ts');
      const { withDefaults } = await import('../../../src/store/place.ts');
      const files = new FileBackend(new Tree(machine.path('.coordination')), withDefaults({ stateFolder: records }));
      await files.commit((board, now) => moveAway(board, machine.url, now));
      machine.write('.coordination/config.json', JSON.stringify({ store: address, board: machine.name }));
      expect((await machine.run('status')).code).toBe(1);
      expect(await machine.says('store', 'copy', '.', machine.url)).toContain('Moved the board');
      await machine.says('store', 'copy', machine.url, '.');
      expect(boardOf(machine)).toEqual(before.board);
      const { logs: _, ...rest } = { logs: '', ...texts(machine) };
      expect(rest).toEqual(before.texts);
    });

    test('by a move that failed it stays where it was', async () => {
      const machine = await filled();
      const before = { board: boardOf(machine), texts: texts(machine) };
      const nowhere = await machine.run('store', 'copy', '.', 'postgres://ann@127.0.0.1:1/db?board=x');
      expect(nowhere.code).toBe(1);
      const taken = new Machine();
      await taken.init();
      const refused = await machine.run('store', 'copy', '.', taken.url);
      expect(refused.code).toBe(4);
      expect(existsSync(machine.path('.coordination/config.json'))).toBe(false);
      expect(boardOf(machine)).toEqual(before.board);
      await machine.says('leader', 'add-task', 'goes on');
      expect(await taken.says('status')).toContain('A goal');
    });

    test('an MCP server or a process that has the files open is refused there', async () => {
      const machine = await filled();
      const open = openStore({ cwd: machine.cwd, stateFolder: records });
      await open.read();
      await machine.says('store', 'copy', '.', machine.url);
      await expect(open.addTasks({ tasks: [{ description: 'lost?' }] })).rejects.toMatchObject({ code: 'board-moved' });
      await expect(open.addDiscovery({ worker: 'w', content: 'lost?' })).rejects.toMatchObject({ code: 'board-moved' });
      await expect(open.writePlan({ text: 'lost?' })).rejects.toMatchObject({ code: 'board-moved' });
      await open.close();
    });
  });

  describe('with a password', () => {
    let server: PostgresServer;
    let database = '';
    beforeAll(async () => {
      server = await PostgresServer.start(['-c', 'fsync=off'], 'scram-sha-256');
      database = await newDatabaseAt(server.url(''));
    });
    afterAll(() => server.remove());

    test('it comes from PGPASSWORD or the password file, and is written nowhere', async () => {
      const known = { env: { ...env, PGPASSWORD: 'secret' } };
      await one.ok(['leader', 'init', 'A goal', '--store', database, '--board', 'b'], known);
      await one.ok(['leader', 'add-task', 'first'], known);
      const none = await one.coord(['status'], { env: { ...env, PGPASSFILE: '/nowhere' } });
      expect(none.code).toBe(1);
      expect(none.stderr).toMatch(/does not let you in|cannot be reached/);
      one.write('pass', `127.0.0.1:${server.port}:*:postgres:secret\n`);
      const { chmodSync } = await import('node:fs');
      chmodSync(one.path('pass'), 0o600);
      expect(await one.ok(['status'], { env: { ...env, PGPASSFILE: one.path('pass') } })).toContain('A goal');
      rmSync(one.path('pass'));
      const given = database.replace('postgres@', 'postgres:secret@');
      const bare = new Machine();
      expect(await bare.ok(['status'], { env: { ...env, COORD_STORE: `${given}?board=b` } })).toContain('A goal');
      expect(await bare.ok(['store', 'status'], { env: { ...env, COORD_STORE: `${given}?board=b` } })).not.toContain(
        'secret',
      );
      const [made, moved] = [new Machine(), new Machine()];
      await made.ok(['leader', 'init', 'A goal'], {
        env: { ...env, COORD_STORE: `${database}?board=c&password=secret` },
      });
      await moved.ok(['leader', 'init', 'A goal']);
      const COORD_STORE = `${given}?board=e`;
      await moved.coord(['store', 'copy', '.', COORD_STORE], { env: { ...env, COORD_STORE } });
      expect(JSON.parse(moved.read('.coordination/config.json'))).toEqual({ store: database, board: 'e' });
      for (const machine of [one, bare, made, moved])
        for (const [name, text] of Object.entries(machine.snapshot())) expect(text, name).not.toContain('secret');
    });

    test('it is not given to a server that a folder from elsewhere names', async () => {
      await one.ok(['leader', 'init', 'A goal', '--store', database, '--board', 'd'], {
        env: { ...env, PGPASSWORD: 'secret' },
      });
      const cloned = new Machine();
      mkdirSync(cloned.path('.coordination'));
      cpSync(one.path('.coordination/config.json'), cloned.path('.coordination/config.json'));
      const stranger = { XDG_STATE_HOME: cloned.path('state'), PGPASSWORD: 'secret' };
      for (const args of [
        ['store', 'migrate'],
        ['store', 'copy', '.', './away'],
        ['leader', 'init', 'x', '--force'],
      ])
        expect(await cloned.coord(args, { env: stranger })).toMatchObject({ code: 4 });
      const start = Date.now();
      const refused = await cloned.coord(['status'], { env: stranger });
      expect(Date.now() - start).toBeLessThan(20_000); // and not until the server gives up
      expect(refused.code).toBe(4);
      expect(refused.stderr).toContain('nobody on this machine has allowed it');
      expect(refused.stderr).toContain('coord store connect');
      await cloned.ok(['store', 'connect', `${database}?board=d`], { env: stranger });
      expect(await cloned.ok(['status'], { env: stranger })).toContain('A goal');
    });
  });
});

/** Every file there with its text. */
function filesIn(path: string): [string, string][] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [[path, readFileSync(path, 'utf8')]];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}
