/** Any bytes at the socket give an answer, or an end of that connection, and never an end of the server. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { Agent } from '../../support/mcp.ts';
import { Rig, until } from '../../support/rig.ts';

async function serve(): Promise<{
  rig: Rig;
  port: number;
  token: string;
  pid: number;
  errors: () => string;
  isAlive: () => boolean;
}> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Remote']);
  for (let i = 0; i < 5; i++) await rig.ok(['leader', 'add-task', `t${i}`]);
  const token = (await rig.ok(['mcp', 'token', 'w'])).trim();
  // A small heap: what is kept of requests ends the server soon, however late an idle process collects its garbage.
  const server = rig.start(['mcp', '--http', '--port', '0'], { NODE_OPTIONS: '--max-old-space-size=64' });
  await until(() => /serving http/.test(server.errors()), 'the server to listen');
  const port = Number(/:(\d+)\/mcp/.exec(server.errors())?.[1]);
  return {
    rig,
    port,
    token,
    pid: server.child.pid ?? 0,
    errors: server.errors,
    isAlive: () => server.child.exitCode === null,
  };
}

/** Sends bytes, and reads what comes back until the connection ends or nothing comes for a while. */
function send(port: number, bytes: Buffer | string, patienceMs = 400): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

const memory = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** The same dice every time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % sides;
  };
}

const CALLS = [
  {
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  },
  { method: 'tools/list' },
  { method: 'tools/call', params: { name: 'claim_task', arguments: {} } },
  { method: 'tools/call', params: { name: 'get_status', arguments: { limit: 5 } } },
  { method: 'tools/call', params: { name: 'create_task', arguments: { description: 'x'.repeat(100) } } },
  { method: 'resources/subscribe', params: { uri: 'coord://status' } },
  { method: 'resources/read', params: { uri: 'coord://task/task-001' } },
  { method: 'prompts/get', params: { name: 'worker' } },
];

test('two thousand mutated requests: the server lives, answers as before, and keeps no memory of them', async () => {
  const { rig, port, token, pid, errors, isAlive } = await serve();
  const roll = dice(20_261_126);
  const request = (): Buffer => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: roll(1000), ...CALLS[roll(CALLS.length)] });
    const head = [
      `${['POST', 'POST', 'POST', 'GET', 'DELETE', 'PUT', 'OPTIONS'][roll(7)]} ${['/mcp', '/mcp', '/mcp', '//', '/mcp?x', '/\\', 'http://[', '*', '/%', '/mcp/../x'][roll(10)]} HTTP/1.1`,
      `Host: ${['localhost', 'localhost', 'localhost', '127.0.0.1', 'evil.example', '[', ''][roll(7)]}`,
      ...(roll(5) > 0 ? [`Authorization: Bearer ${token}`] : ['Authorization: Bearer x', '']),
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
      `Content-Length: ${roll(6) > 0 ? body.length : [0, -1, 99_999_999, 3, 'x'][roll(5)]}`,
      ...(roll(4) === 0 ? ['Connection: close'] : []),
    ];
    const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
    for (let flips = roll(4); flips > 0; flips--) bytes[roll(bytes.length)] = roll(256);
    return roll(5) === 0 ? bytes.subarray(0, roll(bytes.length)) : bytes;
  };
  const round = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 20) await Promise.all(Array.from({ length: 20 }, () => send(port, request(), 150)));
  };
  await round(300); // what is loaded and compiled once
  const before = memory(pid);
  await round(2000);
  expect(isAlive(), errors()).toBe(true);
  const url = `http://127.0.0.1:${port}/mcp`;
  const agent = await Agent.overHttp(url, token);
  expect(await agent.ok('get_status')).toMatchObject({ you: 'w' });
  await until(() => memory(pid) <= before * 1.3, `memory to return: ${memory(pid)} of ${before} kB`);
  expect(rig.board().tasks.length).toBeGreaterThanOrEqual(5);
}, 300_000);

test.each([
  ['a target that is no URL', 'GET // HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 404/],
  ['no HTTP at all', '\0\x16\x03\x01\r\n\r\n', /^HTTP\/1\.1 400/],
  ['headers without end', `GET /mcp HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, /^HTTP\/1\.1 4/],
  [
    'a chunked body that is cut off',
    'POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    /^HTTP\/1\.1 4/,
  ],
])('%s is answered', async (_what, bytes, answer) => {
  const { port, isAlive } = await serve();
  expect(await send(port, bytes, 5000)).toMatch(answer);
  expect(isAlive()).toBe(true);
});

const call = (port: number, token: string, name: string, args: object): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: args, _meta: { progressToken: 1 } },
    }),
  });

test('a revoked token ends the wait that is open under it at once; another one goes on', async () => {
  const { rig, port, token } = await serve();
  for (let i = 0; i < 5; i++) {
    await rig.ok(['worker', 'claim', `h${i}`]);
  }
  const other = (await rig.ok(['mcp', 'token', 'other'])).trim();
  const start = async (given: string) => {
    const response = await call(port, given, 'wait_for_task', { timeout_seconds: 40 });
    expect(response.status).toBe(200);
    let isOver = false;
    const ended = response.text().then(
      () => (isOver = true),
      () => (isOver = true),
    );
    return { ended, isOver: () => isOver };
  };
  const mine = await start(token);
  const theirs = await start(other);
  await rig.ok(['mcp', 'token', 'w', '--revoke']);
  await mine.ended;
  expect(theirs.isOver()).toBe(false);
  expect((await call(port, token, 'get_status', {})).status).toBe(401);
  await rig.ok(['leader', 'add-task', 'for the other']);
  await theirs.ended;
}, 120_000);

test('one token has so many calls open and no more, and nothing is kept of its subscriptions', async () => {
  const { rig, port, token, errors, isAlive } = await serve();
  for (let i = 0; i < 5; i++) await rig.ok(['worker', 'claim', `h${i}`]);
  const waits = await Promise.all(
    Array.from({ length: 20 }, () => call(port, token, 'wait_for_task', { timeout_seconds: 40 })),
  );
  expect(waits.map(({ status }) => status).filter((status) => status === 429).length).toBe(4);
  await rig.ok(['mcp', 'token', 'w', '--revoke']);
  await Promise.all(waits.map((wait) => wait.text().catch(() => '')));
  const second = (await rig.ok(['mcp', 'token', 'w'])).trim();
  const padding = 'u'.repeat(500_000);
  for (let i = 0; i < 200; i++) {
    const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${second}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'resources/subscribe',
        params: { uri: `coord://${i}${padding}` },
      }),
    });
    await response.text();
  }
  expect(isAlive(), errors()).toBe(true);
  expect((await call(port, second, 'get_status', {})).status).toBe(200);
}, 120_000);
