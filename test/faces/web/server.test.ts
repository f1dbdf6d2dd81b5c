/** What the page's server lets in, tells and does: as the page calls it, and as others would. */
import { connect } from 'node:net';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { BoardChange, ImportAnswer, LogPart, TaskDocument } from '../../../src/faces/web/api.ts';
import { VERB_NAMES } from '../../../src/faces/web/api.ts';
import { Rig, until } from '../../support/rig.ts';
import { bare, Events, serveWeb, type Served } from '../../support/web.ts';

let rig: Rig;
beforeEach(async () => {
  rig = new Rig();
  await rig.ok(['leader', 'init', 'Show it']);
  await rig.ok(['leader', 'add-task', 'one', '--hints', 'a hint']);
});

const listen = (web: Served, after: string, isResumed = false): Events => {
  const events = new Events(web, after, isResumed);
  onTestFinished(() => events.close());
  return events;
};
/** The error of an answer. */
const refused = async (answer: ReturnType<Served['call']>) => {
  const { status, text } = await answer;
  return { status, ...(JSON.parse(text) as { error: { code: string; message: string; hint?: string } }).error };
};

describe('who is let in', () => {
  test('the page is given to anybody here, the board to who has the token', async () => {
    const web = await serveWeb(rig);
    const page = await web.call('GET', '/', undefined, {});
    expect(page.status).toBe(200);
    expect(page.text).toContain('/page.js');
    for (const path of ['/page.js', '/page.css', '/icon.svg'])
      expect((await web.call('GET', path, undefined, {})).status, path).toBe(200);
    for (const path of [
      '/api/board',
      '/api/events',
      '/api/task/task-001',
      '/api/log',
      '/api/discoveries',
      '/api/inbox',
    ])
      for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${web.token}` }])
        expect((await web.call('GET', path, undefined, headers as Record<string, string>)).status, path).toBe(401);
    for (const verb of [...VERB_NAMES, 'import'])
      expect((await web.call('POST', `/api/${verb}`, '{}', {})).status, verb).toBe(401);
    expect((await web.board()).board.tasks).toHaveLength(1);
    expect(page.text + JSON.stringify(page.headers)).not.toContain(web.token);
  });

  test('a page of somebody else, or another name, reaches nothing', async () => {
    const web = await serveWeb(rig);
    const own = { authorization: `Bearer ${web.token}` };
    const port = new URL(web.origin).port;
    const foreign: Record<string, string>[] = [
      { ...own, origin: 'http://evil.example' },
      { ...own, origin: 'null' },
      { ...own, origin: `http://localhost:${Number(port) + 1}` },
      { ...own, origin: web.origin.replace('http', 'https') },
      { ...own, host: 'evil.example' },
      { ...own, host: `127.0.0.1.evil.example:${port}` },
      { ...own, host: 'localhost@evil.example' },
    ];
    for (const headers of foreign)
      for (const path of ['/', '/api/board'])
        expect((await web.call('GET', path, undefined, headers)).status, JSON.stringify(headers)).toBeOneOf([403, 400]);
    expect((await web.call('GET', '/api/board', undefined, { ...own, origin: web.origin })).status).toBe(200);
    const named = { ...own, host: `localhost:${port}`, origin: `http://localhost:${port}` };
    expect((await web.call('GET', '/api/board', undefined, named)).status).toBe(200);
  });

  test('scripts and styles come from here alone, and no frame shows it', async () => {
    const web = await serveWeb(rig);
    for (const path of ['/', '/api/board', '/nowhere']) {
      const { headers } = await web.call('GET', path);
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['cache-control']).toBe('no-store');
    }
  });

  test('any bytes get an answer, and end nothing', async () => {
    const web = await serveWeb(rig);
    const { port, hostname } = new URL(web.origin);
    for (const bytes of [
      '\0\x01\x02\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      `GET http:// HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`,
    ]) {
      const answer = await new Promise<string>((resolve) => {
        let text = '';
        const socket = connect(Number(port), hostname, () => socket.end(bytes));
        socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
        socket.on('close', () => resolve(text));
        socket.on('error', () => {});
      });
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/);
    }
    const wrong: [string, string | Buffer][] = [
      ['/api/add-task', '{'],
      ['/api/add-task', 'null'],
      ['/api/add-task', '[]'],
      ['/api/add-task', '{"description":"x","nonsense":1}'],
      ['/api/retry', '{"task_ids":[]}'],
      ['/api/seen', '{"up_to":-1}'],
      ['/api/import', Buffer.from([0xff, 0x00, 0x81])],
    ];
    for (const [path, body] of wrong) expect((await web.call('POST', path, body)).status, path).toBe(400);
    const large = Buffer.alloc(9 * 1024 * 1024, 0x61);
    expect([413, 0]).toContain((await web.call('POST', '/api/add-task', large)).status);
    expect([413, 0]).toContain((await web.call('POST', '/api/import', large)).status);
    for (const path of ['/api/nothing', '/nothing', '/../package.json', '/api/task/%2e%2e', '/api/task/a%2fb'])
      expect((await web.call('GET', path)).status, path).toBe(404);
    expect((await web.call('PUT', '/api/board')).status).toBe(404);
    expect((await web.board()).board.tasks).toHaveLength(1);
    expect(web.errors()).not.toContain('    at '); // no stack: none of it is a bug
  });

  test('beyond this machine it says what that means, and under which names', async () => {
    for (const wrong of [[], ['--allow-host', ''], ['--allow-host', 'a b']])
      expect(await rig.coord(['web', '--host', '0.0.0.0', ...wrong]), wrong.join()).toMatchObject({ code: 2 });
    expect(await rig.coord(['web', '--host', ''])).toMatchObject({ code: 2 });
    const web = await serveWeb(rig, ['--host', '0.0.0.0', '--allow-host', 'Build-Box.local']);
    await until(() => web.errors().includes('nothing on the way is encrypted'), 'what it means to be said');
    expect(web.origin).toContain('build-box.local');
    const { port } = new URL(web.origin);
    const ask = (host: string) =>
      bare(`http://127.0.0.1:${port}/api/board`, 'GET', { host, authorization: `Bearer ${web.token}` });
    expect((await ask(`build-box.local:${port}`)).status).toBe(200);
    expect((await ask(`127.0.0.1:${port}`)).status).toBe(200);
    expect((await ask(`other.local:${port}`)).status).toBe(403);
  });

  test('with --read-only it shows all, and changes nothing', async () => {
    const web = await serveWeb(rig, ['--read-only']);
    expect(await web.board()).toMatchObject({ read_only: true });
    const before = rig.read('.coordination/tasks.json');
    for (const verb of [...VERB_NAMES, 'import'])
      expect(
        await refused(web.call('POST', `/api/${verb}`, '{"description":"x","task_ids":["task-001"]}')),
        verb,
      ).toMatchObject({ status: 403, code: 'not-allowed' });
    expect(rig.read('.coordination/tasks.json')).toBe(before);
  });

  test('agents do not start it', async () => {
    expect(await rig.coord(['web'], { env: { COORD_ORCHESTRATED: '1' } })).toMatchObject({ code: 4 });
    expect(await rig.coord(['web'], { env: { CLAUDECODE: '1', COORD_WORKER: 'w' } })).toMatchObject({ code: 4 });
  });

  test('without a board it says so', async () => {
    const { code, stderr } = await rig.coord(['web', '--dir', rig.path('elsewhere')]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('coord leader init');
  });
});

describe('the link', () => {
  const records = (): string[] => {
    try {
      return readdirSync(rig.path('state/coord/web'));
    } catch {
      return [];
    }
  };

  test('it ends with Ctrl-C, and the next one is another', async () => {
    const first = await serveWeb(rig);
    const [record = ''] = records();
    expect(record).toMatch(/\.json$/);
    expect(statSync(rig.path(`state/coord/web/${record}`)).mode & 0o077).toBe(0);
    expect(await first.stop()).toBe(0);
    expect(records()).toEqual([]);
    const second = await serveWeb(rig, ['--port', new URL(first.origin).port]);
    expect(second.token).not.toBe(first.token);
  });

  test('it goes on after a crash, at the same port', async () => {
    const first = await serveWeb(rig);
    await first.kill();
    const second = await serveWeb(rig);
    expect(second.url).toBe(first.url);
    await second.kill();
    const elsewhere = await serveWeb(rig, ['--port', '0', '--dir', rig.cwd]);
    expect(elsewhere.url).toBe(first.url);
    await elsewhere.kill();
    // Whoever was only shown it does not lead by the same link.
    const reads = await serveWeb(rig, ['--read-only']);
    expect(reads.token).not.toBe(first.token);
    await reads.kill();
    const leads = await serveWeb(rig);
    expect(leads.token).not.toBe(reads.token);
  });

  test('a second server beside the first has one of its own, and takes nothing from it', async () => {
    const first = await serveWeb(rig);
    const second = await serveWeb(rig);
    expect(second.origin).not.toBe(first.origin);
    expect(second.token).not.toBe(first.token);
    await second.stop();
    expect((await first.board()).board.tasks).toHaveLength(1);
    expect(records()).toHaveLength(1);
    const third = await serveWeb(rig);
    await first.kill();
    await third.kill();
    expect([first.url, third.url]).toContain((await serveWeb(rig)).url);
    const taken = new URL((await serveWeb(rig)).origin).port;
    expect(await rig.coord(['web', '--port', taken])).toMatchObject({ code: 1 });
  });

  test('a record that is damaged, or another one’s, is not taken up', async () => {
    const first = await serveWeb(rig);
    await first.kill();
    const [record = ''] = records();
    const path = `state/coord/web/${record}`;
    const kept = JSON.parse(rig.read(path)) as object;
    const other = new Rig();
    await other.ok(['leader', 'init', 'Another']);
    const elsewhere = await serveWeb(other, [], { XDG_STATE_HOME: rig.path('state') });
    expect(elsewhere.token).not.toBe(first.token);
    await elsewhere.stop();
    const damaged = [
      JSON.stringify({ ...kept, board: '/another/.coordination' }),
      '{',
      '[]',
      JSON.stringify({ ...kept, token: 'short' }),
      JSON.stringify({ ...kept, at: '2020-01-01T00:00:00.000Z' }),
    ];
    for (const text of damaged) {
      rig.write(path, text);
      const next = await serveWeb(rig);
      expect(next.token).not.toBe(first.token);
      await next.stop();
    }
  });

  test('--open leads a browser there by a file, since others can read command lines', async () => {
    rig.write('browser', '#!/bin/sh\ncp "$1" "$PWD/opened.html"; echo "$1" > "$PWD/opened"\n');
    const { chmodSync } = await import('node:fs');
    chmodSync(rig.path('browser'), 0o755);
    const web = await serveWeb(rig, ['--open'], { BROWSER: rig.path('browser') });
    await until(() => rig.exists('opened') && rig.read('opened').endsWith('\n'), 'the browser to be opened');
    const page = rig.read('opened').trim();
    expect(page).not.toContain(web.token);
    expect(statSync(page).mode & 0o077).toBe(0);
    expect(readFileSync(page, 'utf8')).toContain(web.url);
    await web.stop();
    expect(records()).toEqual([]);
  });

  test('who knows the token can show it without saying it', async () => {
    const web = await serveWeb(rig);
    const hello = async (nonce: string): Promise<string> =>
      (JSON.parse((await web.call('GET', `/api/hello?nonce=${nonce}`, undefined, {})).text) as { proof: string }).proof;
    const { createHmac } = await import('node:crypto');
    const host = new URL(web.origin).host;
    expect(await hello('n1')).toBe(createHmac('sha256', web.token).update(`coord web ${host} n1`).digest('hex'));
    expect(await hello('n2')).not.toBe(await hello('n1'));
  });
});

describe('what it tells', () => {
  test('each change, as what has changed; and all that was missed', async () => {
    const web = await serveWeb(rig);
    const { id, board } = await web.board();
    expect(board.tasks.map((task) => task.id)).toEqual(['task-001']);
    const events = listen(web, id);
    await rig.ok(['leader', 'add-task', 'two']);
    await until(() => events.all.length > 0, 'the change to be told');
    const [first] = events.all;
    const change = JSON.parse(first?.data ?? '') as BoardChange;
    expect(first?.event).toBe('change');
    expect(change.tasks.map((task) => task.description)).toEqual(['two']);
    expect(change.head).toMatchObject({ goal: 'Show it', last_change: { what: 'added task-002', final: false } });

    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['leader', 'add-task', 'three']);
    await until(() => events.all.some(({ data }) => data.includes('"three"')), 'it to be seen before it goes');
    const third = events.all.find(({ data }) => data.includes('"three"'));
    await rig.ok(['leader', 'undo']);
    await until(
      () => events.all.some(({ data }) => (JSON.parse(data) as BoardChange).removed.includes('task-003')),
      'that it is gone to be told',
    );
    // The clock goes on where nothing changes.
    const now = ({ data = '{}' }: { data?: string } = {}): number => Date.parse((JSON.parse(data) as BoardChange).now);
    await until(() => Date.now() > now(events.all.at(-1)) + 2000, 'a while to pass');
    const later = listen(web, third?.id ?? '', true);
    await until(() => later.all.length > 0, 'what came after it');
    expect(now(later.all[0]) - now(events.all.at(-1))).toBeGreaterThan(1000);
    // As it is after a cut: from the first change on.
    const resumed = listen(web, first?.id ?? '', true);
    const state = new Map(board.tasks.map((task) => [task.id, task]));
    await until(() => {
      for (const { tasks, removed } of [change, ...resumed.all.map(({ data }) => JSON.parse(data) as BoardChange)]) {
        for (const task of tasks) state.set(task.id, task);
        for (const gone of removed) state.delete(gone);
      }
      return state.get('task-001')?.status === 'claimed';
    }, 'what was missed to be told');
    expect([...state.keys()]).toEqual(['task-001', 'task-002']);
  });

  test('what another server has counted is stale', async () => {
    const web = await serveWeb(rig);
    for (const id of ['', 'other.1', '0', `${(await web.board()).id}9`]) {
      const events = listen(web, id);
      await until(() => events.all.length > 0, 'an answer');
      expect(events.all[0], id).toMatchObject({ event: 'stale' });
    }
  });

  test('discoveries, messages and hand edits are told as well', async () => {
    const web = await serveWeb(rig);
    await rig.ok(['worker', 'claim', 'w']);
    const { id } = await web.board();
    const events = listen(web, id);
    /** How often it had told something when the document was first seen with that text: as a page asks, only once it is told. */
    const askedWhenTold = async (path: string, text: string): Promise<void> => {
      for (let heard = events.all.length; ;) {
        await until(() => events.all.length > heard, `it to be told of ${text}`);
        heard = events.all.length;
        if ((await web.call('GET', path)).text.includes(text)) return;
      }
    };
    await rig.ok(['worker', 'tell', 'w', 'leader', 'hello']);
    await askedWhenTold('/api/inbox', 'hello');
    await rig.ok(['worker', 'discover', 'w', 'found it']);
    await askedWhenTold('/api/discoveries', 'found it');
    const edited = rig.read('.coordination/tasks.json').replace('"one"', '"one, edited"');
    rig.write('.coordination/tasks.json', edited);
    await rig.ok(['worker', 'heartbeat', 'w']);
    await until(() => events.all.some(({ data }) => data.includes('one, edited')), 'the edit to be told');
  });

  test('a task with all that belongs to it; the log from where one was', async () => {
    await rig.ok(['leader', 'add-task', 'two', '-d', 'task-001']);
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'done', 'w', 'task-001', 'It works', '-m', 'a.ts']);
    const web = await serveWeb(rig);
    const task = JSON.parse((await web.call('GET', '/api/task/task-001')).text) as TaskDocument;
    expect(task).toMatchObject({
      task: { id: 'task-001', context: { hints: 'a hint' }, status: 'done' },
      dependants: ['task-002'],
      result: { output: 'It works', files_modified: ['a.ts'] },
      late: [],
    });
    expect(task.brief).toContain('a hint');
    expect(task.log.map(({ event }) => event)).toEqual(['add', 'claim', 'complete']);
    const log = JSON.parse((await web.call('GET', '/api/log?after=0')).text) as LogPart;
    const rest = JSON.parse((await web.call('GET', `/api/log?after=${log.total - 1}`)).text) as LogPart;
    expect(rest.entries).toEqual(log.entries.slice(-1));
    const none = JSON.parse((await web.call('GET', `/api/log?after=${log.total + 5}`)).text) as LogPart;
    expect(none.entries).toEqual(log.entries);
    expect(await refused(web.call('GET', '/api/task/task-9'))).toMatchObject({ status: 404, code: 'task-not-found' });
    await rig.ok(['leader', 'cancel', 'task-002']);
    await rig.ok(['leader', 'archive']);
    expect((await web.call('GET', '/api/task/task-001')).text).toContain('It works');
  });

  test('texts are made visible, and long ones cut in the list', async () => {
    await rig.ok(['leader', 'add-task', 'x\u001b[31mred\u202e', '--hints', `h\u0007${'y'.repeat(3000)}`]);
    const web = await serveWeb(rig);
    const list = (await web.call('GET', '/api/board')).text;
    expect(list).not.toMatch(/\\u001b|\u202e/);
    expect(list).not.toContain('yyyy');
    const { task } = JSON.parse((await web.call('GET', '/api/task/task-002')).text) as TaskDocument;
    expect(task.description).toContain('\\x1b');
    expect(task.context.hints).toContain('\\x07');
    expect(task.context.hints.length).toBeGreaterThan(3000);
  });

  test('no more than so many listen at a time, and who leaves makes room', async () => {
    const web = await serveWeb(rig);
    const { id } = await web.board();
    const listening = Array.from({ length: 64 }, () => listen(web, id));
    const status = async (): Promise<number> => {
      const gone = new AbortController();
      const { status: code } = await fetch(`${web.origin}/api/events?after=${id}`, {
        headers: { authorization: `Bearer ${web.token}` },
        signal: gone.signal,
      });
      gone.abort();
      return code;
    };
    await until(async () => (await status()) === 429, 'all places to be taken');
    for (const events of listening.slice(0, 8)) events.close();
    await until(async () => (await status()) === 200, 'a place to be free');
  });
});

describe('what it does', () => {
  test('each verb of the leader, with the inputs and the refusals of the store', async () => {
    const web = await serveWeb(rig);
    const task = (id: string) => rig.board().tasks.find((one) => one.id === id);
    await web.verb('add-task', { description: 'two', priority: 1, dependencies: ['task-001'], files: ['a.ts'] });
    expect(task('task-002')).toMatchObject({ description: 'two', priority: 1, dependencies: ['task-001'] });
    await web.verb('edit', { task_id: 'task-002', description: 'two, better' });
    expect(task('task-002')).toMatchObject({ description: 'two, better', priority: 1 });
    await web.verb('undo');
    expect(task('task-002')?.description).toBe('two');
    await web.verb('cancel', { task_ids: ['task-002'] });
    expect(task('task-002')?.status).toBe('cancelled');
    await web.verb('retry', { task_ids: ['task-002'] });
    expect(task('task-002')?.status).toBe('available');
    await rig.ok(['worker', 'claim', 'w']);
    await web.verb('release', { task_ids: ['task-001'] });
    expect(task('task-001')?.status).toBe('available');
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'ask', 'w', 'task-001', 'which?', '--park']);
    await web.verb('answer', { task_id: 'task-001', answer: 'this one' });
    expect(task('task-001')?.questions).toMatchObject([{ answer: { text: 'this one', by: 'leader' } }]);
    await web.verb('tell', { to: 'w', text: 'hurry' });
    expect(await rig.ok(['inbox', 'w'])).toContain('hurry');
    await web.verb('edit', { task_id: 'task-001', review: true });
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'done', 'w', 'task-001', 'handed in']);
    expect(task('task-001')?.status).toBe('submitted');
    await web.verb('send-back', { task_id: 'task-001', reason: 'not yet' });
    expect(task('task-001')).toMatchObject({ status: 'available', returned_to: 'w' });
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'done', 'w', 'task-001', 'again']);
    expect(
      await refused(web.call('POST', '/api/approve', JSON.stringify({ task_id: 'task-001', head: 'another' }))),
    ).toMatchObject({ status: 409, code: 'task-state' });
    await web.verb('approve', { task_id: 'task-001', head: task('task-001')?.head ?? '', by: 'w' });
    expect(task('task-001')).toMatchObject({ status: 'done', reviewed: { by: 'leader' } });
    await web.verb('reopen', { task_ids: ['task-001'] });
    expect(task('task-001')?.status).toBe('available');
    await rig.ok(['worker', 'tell', 'w', 'leader', 'a word']);
    await web.verb('seen', { up_to: 2 });
    expect(await rig.ok(['inbox', 'leader'])).toContain('No new message');
    const refusals: [string, object, number, string][] = [
      ['add-task', { description: '  ' }, 400, 'invalid-input'],
      ['add-task', { description: 'x', dependencies: ['nobody'] }, 400, 'dependency-unknown'],
      ['edit', { task_id: 'task-001', dependencies: ['task-002'] }, 400, 'dependency-cycle'],
      ['retry', { task_ids: ['task-001'] }, 409, 'task-state'],
      ['cancel', { task_ids: ['task-099'] }, 404, 'task-not-found'],
      ['answer', { task_id: 'task-002', answer: 'x' }, 409, 'task-state'],
      ['tell', { to: 'stranger', text: 'x' }, 404, 'reader-unknown'],
      ['accept', { task_id: 'task-001', kept: 'task-001.w.9' }, 400, 'invalid-input'],
    ];
    for (const [verb, input, status, code] of refusals)
      expect(await refused(web.call('POST', `/api/${verb}`, JSON.stringify(input))), verb).toMatchObject({
        status,
        code,
      });
  });

  test('a late result is taken', async () => {
    const web = await serveWeb(rig);
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['leader', 'release', 'task-001']);
    await rig.ok(['worker', 'claim', 'v']);
    await rig.coord(['worker', 'done', 'w', 'task-001', 'late work']);
    const { late } = JSON.parse((await web.call('GET', '/api/task/task-001')).text) as TaskDocument;
    expect(late).toMatchObject([{ worker: 'w', output: 'late work' }]);
    await web.verb('accept', { task_id: 'task-001', kept: late[0]?.name });
    expect(rig.board().tasks[0]).toMatchObject({ status: 'done', claimed_by: 'w' });
  });

  test('a list is previewed, then imported, and is there already the second time', async () => {
    const web = await serveWeb(rig);
    const list = '- [ ] First\n- [x] Over\n- [ ] Second\n';
    const send = async (isDry: boolean): Promise<ImportAnswer> =>
      JSON.parse((await web.call('POST', `/api/import?name=TODO.md&dry=${isDry}`, list)).text) as ImportAnswer;
    expect(await send(true)).toMatchObject({ added: 2, tasks: [{ description: 'First' }, { description: 'Second' }] });
    expect(rig.board().tasks).toHaveLength(1);
    expect(await send(false)).toMatchObject({ added: 2, known: 0 });
    expect(await send(false)).toMatchObject({ added: 0, known: 2 });
    expect(rig.board().tasks).toHaveLength(3);
    expect(await refused(web.call('POST', '/api/import?name=TODO.md', ''))).toMatchObject({
      status: 400,
      code: 'import-malformed',
      message: expect.stringContaining('TODO.md') as unknown,
    });
  });

  test('MCP answers beside it where both are asked for, each with its own token', async () => {
    const token = (await rig.ok(['mcp', 'token', 'w'])).trim();
    const web = await serveWeb(rig, ['--mcp']);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const ask = (given: string) =>
      web.call('POST', '/mcp', body, {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${given}`,
      });
    expect((await ask(token)).text).toContain('claim_task');
    expect((await ask(web.token)).status).toBe(401);
    expect((await web.call('GET', '/api/board', undefined, { authorization: `Bearer ${token}` })).status).toBe(401);
    expect(await web.stop()).toBe(0);
    const without = await serveWeb(rig);
    expect((await without.call('POST', '/mcp', body)).status).toBe(404);
  });
});
