/** The same tools over HTTP: one token a worker, and nothing for anybody else. */
import { statSync } from 'node:fs';
import { request } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { Agent, ERAS } from '../../support/mcp.ts';
import { Rig, until } from '../../support/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = new Rig();
  await rig.ok(['leader', 'init', 'Remote']);
  for (const name of ['one', 'two', 'three']) await rig.ok(['leader', 'add-task', name]);
});

const token = async (worker: string): Promise<string> => (await rig.ok(['mcp', 'token', worker])).trim();

async function serve(
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<{ url: string; stop: () => Promise<number | null> }> {
  const server = rig.start(['mcp', '--http', '--port', '0', ...args], env);
  await until(() => /serving http/.test(server.errors()), 'the server to listen');
  const url = /serving (\S+),/.exec(server.errors())?.[1] ?? '';
  return {
    url,
    stop: async () => {
      server.child.kill('SIGINT');
      return (await server.ended).code;
    },
  };
}

/** A bare request: what a browser, a scanner or a wrong client would send. */
function post(
  url: string,
  headers: Record<string, string>,
  body: string | Buffer = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      },
    );
    // Refused before it was all sent: the answer may be lost with the connection.
    sent.on('error', (error: NodeJS.ErrnoException) =>
      ['EPIPE', 'ECONNRESET'].includes(error.code ?? '')
        ? resolve({ status: 0, headers: {}, body: '' })
        : reject(error),
    );
    sent.end(body);
  });
}

describe.each(ERAS)('%s era', (era) => {
  test('two workers with two tokens, and neither can act as the other', async () => {
    const [a, b] = [await token('alice'), await token('bob')];
    const { url, stop } = await serve();
    const alice = await Agent.overHttp(url, a, era);
    const bob = await Agent.overHttp(url, b, era);
    expect(await alice.ok('claim_task')).toMatchObject({ task: { id: 'task-001' } });
    expect(await bob.ok('claim_task')).toMatchObject({ task: { id: 'task-002' } });
    expect(await alice.ok('get_status')).toMatchObject({ you: 'alice' });
    expect((await bob.call('claim_task', { worker: 'alice' })).text).toMatch(
      /^invalid-input: This token works as bob, not as alice/,
    );
    expect((await bob.call('complete_task', { task_id: 'task-001', output: 'stolen' })).text).toMatch(/^claim-lost/);
    await alice.ok('complete_task', { task_id: 'task-001', output: 'mine' });
    expect(rig.board().tasks.map((task) => [task.status, task.claimed_by])).toEqual([
      ['done', 'alice'],
      ['claimed', 'bob'],
      ['available', null],
    ]);
    expect(await stop()).toBe(0);
  });

  test('a wait over HTTP tells its progress and wakes', async () => {
    const { url, stop } = await serve([], { COORD_MCP_TOKENS: 'carol=a-token-from-the-environment' });
    const carol = await Agent.overHttp(url, 'a-token-from-the-environment', era);
    for (const _ of [1, 2, 3]) {
      const { task } = (await carol.ok('claim_task')) as { task: { id: string } };
      await carol.ok('complete_task', { task_id: task.id, output: 'x' });
    }
    const { revision } = await carol.ok('get_status');
    const told: string[] = [];
    const waiting = carol.call(
      'wait_for_task',
      { after_revision: revision, timeout_seconds: 40 },
      { onprogress: ({ message }) => told.push(message ?? '') },
    );
    await until(() => told.length > 0, 'progress');
    await rig.ok(['leader', 'add-task', 'four']);
    expect((await waiting).data).toMatchObject({ changed: true, claimable: 1 });
    expect(await stop()).toBe(0);
  });
});

test('without a token, with a wrong one, elsewhere, too large, or from a web page: refused', async () => {
  const good = { authorization: `Bearer ${await token('alice')}` };
  const { url } = await serve();
  expect((await post(url, good)).status).toBe(200);
  expect(await post(url, {})).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': expect.anything() as string },
  });
  expect((await post(url, { authorization: 'Bearer coord_wrong' })).status).toBe(401);
  expect((await post(url.replace('/mcp', '/other'), good)).status).toBe(404);
  expect((await post(url, { ...good, host: 'evil.example' })).status).toBe(403);
  expect((await post(url, { ...good, origin: 'https://evil.example' })).status).toBe(403);
  expect([413, 0]).toContain((await post(url, good, Buffer.alloc(5_000_000, 0x20))).status);
  expect((await post(url, good)).headers).not.toHaveProperty('access-control-allow-origin');
});

test('a token is stored as a fingerprint that only its owner may read, and can be taken away', async () => {
  const made = await token('alice');
  expect(made).toMatch(/^coord_[\w-]{43}$/);
  const files = Object.entries(rig.snapshot('.coordination/.registry'));
  expect(files.length).toBeGreaterThan(0);
  for (const [file, text] of files) {
    expect(text).not.toContain(made);
    expect(statSync(rig.path(file)).mode & 0o777).toBe(0o600);
  }
  const { url } = await serve();
  const status = async (given: string): Promise<number> =>
    (await post(url, { authorization: `Bearer ${given}` })).status;
  expect(await status(made)).toBe(200);
  const second = await token('alice');
  expect([await status(made), await status(second)]).toEqual([401, 200]);
  await rig.ok(['mcp', 'token', 'alice', '--revoke']);
  expect(await status(second)).toBe(401);
});

test.each([
  [['mcp', '--http'], /No worker has a token yet.*\n.*coord mcp token/],
  [['mcp', '--http', '--host', '0.0.0.0'], /--allow-host/],
  [['mcp', '--http', '--worker', 'w'], /comes from its token/],
  [['mcp', '--port', '7000'], /--port goes with --http/],
  [['mcp', 'token', 'a/b'], /must be 1 to 64 letters/],
])('%j is refused', async (args, words) => {
  const ran = await rig.coord(args);
  expect(ran).toMatchObject({ code: 2, stdout: '' });
  expect(ran.stderr).toMatch(words);
});
