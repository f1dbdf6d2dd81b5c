/** Messages in files: racing senders, crashes at each step, and folders that somebody has tampered with. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { initStore, openStore, type OpenOptions } from '../../../src/store/open.ts';
import { CHILDREN } from '../../support/children.ts';
import { Rig } from '../../support/rig.ts';

const CHILD = join(CHILDREN, 'tell-child.mjs');

async function boardIn(rig: Rig, options: OpenOptions = {}): Promise<Store> {
  const { store } = await initStore({ goal: 'G' }, { cwd: rig.cwd, ...options });
  for (const worker of ['a', 'b']) await store.addDiscovery({ worker, content: 'hello' });
  return store;
}

/** Tells `count` messages from a process of its own. @returns what it acknowledged, and whether it was killed */
function tell(
  dir: string,
  from: string,
  count: number,
  point = '',
  canLink = true,
): Promise<{ told: string[]; killed: boolean }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CHILD, dir, from, String(count), point, String(canLink)], (error, stdout) =>
      resolve({ told: stdout.split('\n').filter((line) => line !== ''), killed: error?.signal === 'SIGKILL' }),
    );
  });
}

describe.each([true, false])('with hard links: %s', (canLink) => {
  test('of many senders at once none is lost, no number is used twice, and each sender keeps its order', async () => {
    const rig = new Rig();
    const store = await boardIn(rig, { canLink });
    const senders = ['leader', 'b', 'c', 'd', 'e'];
    const told = await Promise.all(senders.map((from) => tell(rig.cwd, from, 9, '', canLink)));
    expect(told.every(({ told: each }) => each.length === 9)).toBe(true);
    const { messages } = await store.inbox({ reader: 'a' });
    expect(messages.map(({ id }) => id)).toEqual(Array.from({ length: 45 }, (_, i) => i + 1));
    for (const from of senders)
      expect(messages.filter((one) => one.from === from).map(({ text }) => text)).toEqual(
        Array.from({ length: 9 }, (_, i) => `${from} ${i}`),
      );
  });

  test.each([
    ['message-written', 0],
    ['message-linked', 1],
  ])('killed at %s: it was sent, or it was not, and the next one is', async (point, sent) => {
    const rig = new Rig();
    const store = await boardIn(rig, { canLink });
    const { told, killed } = await tell(rig.cwd, 'leader', 1, point, canLink);
    expect([told, killed]).toEqual([[], true]);
    expect((await store.inbox({ reader: 'a' })).messages).toHaveLength(sent);
    await store.tell({ from: 'leader', to: 'a', text: 'next' });
    const { messages } = await store.inbox({ reader: 'a' });
    expect(messages.map(({ id, text }) => [id, text]).at(-1)).toEqual([sent + 1, 'next']);
  });
});

test('after a week it is gone, and its number is not used again', async () => {
  const rig = new Rig();
  let now = Date.parse('2026-01-01T00:00:00.000Z');
  const store = await boardIn(rig, { now: () => new Date(now).toISOString() });
  for (const text of ['one', 'two']) await store.tell({ from: 'leader', to: 'a', text });
  now += 7 * 86_400_000;
  expect((await store.inbox({ reader: 'a', all: true })).messages).toEqual([]);
  const { message } = await store.tell({ from: 'leader', to: 'a', text: 'three' });
  expect(message.id).toBe(3);
  expect(readdirSync(rig.path('.coordination/messages')).filter((name) => name.endsWith('.json'))).toEqual([
    '00000003.json',
  ]);
});

test('how far a reader has read never goes back, and is remembered by its name alone', async () => {
  const rig = new Rig();
  const store = await boardIn(rig);
  for (const text of ['one', 'two']) await store.tell({ from: 'leader', to: 'a', text });
  await store.acknowledge({ reader: 'a', up_to: 2 });
  await store.acknowledge({ reader: 'a', up_to: 1 });
  expect(await store.inbox({ reader: 'a' })).toEqual({ messages: [], seen: 2, newest: 2 });
  expect((await openStore({ cwd: rig.cwd }).inbox({ reader: 'a', all: true })).messages).toHaveLength(2);
  expect(rig.read('.coordination/messages/seen/a')).toBe('2\n');
});

test('what is for others only is stepped over, so that nobody reads it again and again', async () => {
  const rig = new Rig();
  const store = await boardIn(rig);
  await store.acknowledge({ reader: 'b', up_to: 0 });
  for (let i = 0; i < 33; i++) await store.tell({ from: 'leader', to: 'a', text: `${i}` });
  expect(await store.inbox({ reader: 'b' })).toEqual({ messages: [], seen: 0, newest: 33 });
  expect(rig.read('.coordination/messages/seen/b')).toBe('33\n');
});

test('a look alone makes nobody known; a session that begins does', async () => {
  const rig = new Rig();
  const store = await boardIn(rig);
  await store.inbox({ reader: 'z' });
  await expect(store.tell({ from: 'leader', to: 'z', text: 'x' })).rejects.toMatchObject({ code: 'reader-unknown' });
  await store.acknowledge({ reader: 'z', up_to: 0 });
  expect((await store.tell({ from: 'leader', to: 'z', text: 'x' })).message.to).toEqual(['z']);
});

describe('a folder that somebody has tampered with', () => {
  const tampered: [string, (rig: Rig) => void][] = [
    ['no JSON', (rig) => rig.write('.coordination/messages/00000001.json', 'x')],
    [
      'another number',
      (rig) =>
        rig.write(
          '.coordination/messages/00000001.json',
          '{"id":2,"from":"leader","to":["a"],"text":"x","at":"2026-01-01T00:00:00.000Z"}',
        ),
    ],
    [
      'a name that is a path',
      (rig) =>
        rig.write(
          '.coordination/messages/00000001.json',
          '{"id":1,"from":"../../x","to":["a"],"text":"x","at":"2026-01-01T00:00:00.000Z"}',
        ),
    ],
    [
      'a link',
      (rig) => {
        rig.write('secret', '{"id":1,"from":"leader","to":["a"],"text":"secret","at":"2099-01-01T00:00:00.000Z"}');
        mkdirSync(rig.path('.coordination/messages'), { recursive: true });
        symlinkSync(rig.path('secret'), rig.path('.coordination/messages/00000001.json'));
      },
    ],
    ['a folder', (rig) => mkdirSync(rig.path('.coordination/messages/00000001.json/x'), { recursive: true })],
  ];
  test.each(tampered)('%s is put aside and said once; all goes on', async (_, tamper) => {
    const rig = new Rig();
    const said: string[] = [];
    const store = await boardIn(rig, { notice: (message) => said.push(message) });
    tamper(rig);
    expect((await store.inbox({ reader: 'a' })).messages).toEqual([]);
    expect(said).toEqual([expect.stringContaining('messages/00000001.json is no message')]);
    expect((await store.inbox({ reader: 'a' })).messages).toEqual([]);
    expect(said).toHaveLength(1);
    await store.tell({ from: 'leader', to: 'a', text: 'x' });
    expect((await store.inbox({ reader: 'a' })).messages).toHaveLength(1);
  });

  test('a linked folder is refused, and nothing is written behind it', async () => {
    const rig = new Rig();
    const store = await boardIn(rig);
    mkdirSync(rig.path('elsewhere'));
    symlinkSync(rig.path('elsewhere'), rig.path('.coordination/messages'));
    await expect(store.tell({ from: 'leader', to: 'a', text: 'x' })).rejects.toMatchObject({ code: 'board-unsafe' });
    await expect(store.acknowledge({ reader: 'a', up_to: 1 })).rejects.toMatchObject({ code: 'board-unsafe' });
    expect(readdirSync(rig.path('elsewhere'))).toEqual([]);
  });

  test('a note of how far somebody has read that is none counts as nothing', async () => {
    const rig = new Rig();
    const store = await boardIn(rig);
    await store.tell({ from: 'leader', to: 'a', text: 'x' });
    mkdirSync(rig.path('.coordination/messages/seen'));
    writeFileSync(rig.path('.coordination/messages/seen/a'), 'a lot');
    symlinkSync('/dev/zero', rig.path('.coordination/messages/seen/b'));
    expect((await store.inbox({ reader: 'a' })).messages).toHaveLength(1);
  });
});
