/** A board is data from strangers: nothing in it makes coord run, signal, read, write, move or delete anything outside it. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../../src/store/open.ts';
import { Project } from '../../support/claude.ts';
import { logFolder } from '../../support/commits.ts';
import { Rig } from '../../support/rig.ts';

let rig: Rig;
let outside: string;
beforeEach(async () => {
  rig = new Rig();
  await rig.ok(['leader', 'init', 'Goal', '--dir', 'project']);
  await rig.ok(['leader', 'add-task', 'one', '--dir', 'project']);
  outside = rig.path('outside');
  mkdirSync(outside);
  for (const name of ['notes.txt', 'task-001.md', 'w.log', 'leader.log', '00000009.json', 'discoveries.md'])
    writeFileSync(`${outside}/${name}`, 'mine\n');
  const longAgo = Date.now() / 1000 - 90 * 86_400;
  for (const name of readdirSync(outside)) utimesSync(`${outside}/${name}`, longAgo, longAgo);
});

const inBoard = (name: string): string => rig.path(`project/.coordination/${name}`);
const EVENT = { session_id: '11111111-1111-1111-1111-111111111111', cwd: '' };

/** Every way into a board. */
async function everything(): Promise<{ args: string; code: number | null; stderr: string }[]> {
  const cwd = rig.path('project');
  const ran = [];
  for (const args of [
    ['leader', 'status'],
    ['leader', 'add-task', 'two'],
    ['worker', 'claim', 'w'],
    ['worker', 'discover', 'w', 'found'],
    ['leader', 'plan', '--append', 'more'],
    ['leader', 'plan', 'new'],
    ['worker', 'context', 'w'],
    ['worker', 'done', 'w', 'task-001', 'done'],
    ['worker', 'done', 'x', 'task-001', 'too late'],
    ['leader', 'show', 'task-001'],
    ['leader', 'aggregate'],
    ['log'],
    ['doctor', '--fix'],
    ['mcp', 'token', 'w'],
    ['worker', 'run', 'w2', '--timeout', '1s', '--', 'true'],
    ['leader', 'init', 'again'],
  ])
    ran.push({ args: args.join(' '), ...(await rig.coord(args, { cwd })) });
  for (const name of ['session-start', 'post-tool-use', 'pre-tool-use', 'stop', 'session-end'])
    ran.push({
      args: `hook ${name}`,
      ...(await rig.coord(['hook', name], {
        cwd,
        input: JSON.stringify({ ...EVENT, cwd }),
        env: { COORD_WORKER: 'w' },
      })),
    });
  return ran;
}

const FOLDERS = ['.tmp', '.pending', '.commits', '.sessions', '.registry', 'results', 'logs', 'context', 'rejected'];
const FILES = [
  'tasks.json',
  'master-plan.md',
  'context/discoveries.md',
  'logs/w.log',
  'logs/leader.log',
  'results/task-001.md',
  'summary.md',
  '.bell',
  '.told',
];

describe.each(FOLDERS)('a link in the place of %s/', (folder) => {
  test('is refused by name, by every command and hook, before anything outside is touched', async () => {
    const before = rig.snapshot('outside');
    rmSync(inBoard(folder), { recursive: true, force: true });
    symlinkSync(outside, inBoard(folder));
    for (const { args, code, stderr } of await everything()) {
      if (args.startsWith('hook')) expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      else if (args !== 'leader init again') {
        expect(code, args).toBe(1);
        expect(stderr, args).toMatch(/is a link to .*outside: nothing on this board was touched/);
      }
    }
    expect(rig.snapshot('outside')).toEqual(before);
    await expect(openStoreRead()).rejects.toMatchObject({ code: 'board-unsafe' });
  });
});

const openStoreRead = async () => openStore({ dir: rig.path('project') }).read();

describe.each(FILES)('a link in the place of %s', (file) => {
  test('is neither read nor written', async () => {
    const secret = `${outside}/notes.txt`;
    rmSync(inBoard(file), { force: true });
    mkdirSync(inBoard('rejected'), { recursive: true });
    symlinkSync(secret, inBoard(file));
    const ran = await everything();
    expect(readFileSync(secret, 'utf8')).toBe('mine\n');
    expect(readdirSync(outside)).toHaveLength(6);
    for (const { args, code, stderr } of ran) {
      expect(code, args).not.toBe(70);
      expect(stderr, args).not.toMatch(/\n\s+at /);
    }
  });
});

describe('something that is no file', () => {
  test.each(['tasks.json', 'master-plan.md', 'context/discoveries.md', 'logs/leader.log', '.bell'])(
    'a pipe in the place of %s is an error or passed over, never a wait',
    async (file) => {
      rmSync(inBoard(file), { force: true });
      execFileSync('mkfifo', [inBoard(file)]);
      for (const { args, code } of await everything()) expect(code, args).not.toBe(70);
    },
  );

  test.each(['tasks.json', 'master-plan.md', 'context/discoveries.md'])(
    'a %s of three gigabytes is an error, never a bug; a finding is kept before it',
    async (file) => {
      truncateSync(inBoard(file), 3 * 2 ** 30);
      const ran = await everything();
      for (const { args, code, stderr } of ran) expect({ args, code, stderr }).not.toMatchObject({ code: 70 });
      expect(ran.filter(({ stderr }) => /is larger than 256 MiB/.test(stderr))).not.toHaveLength(0);
      const discovered = await rig.coord(['worker', 'discover', 'w', 'found', '--dir', 'project']);
      if (file === 'context/discoveries.md') expect(discovered).toMatchObject({ code: 0 });
    },
  );

  test.each(['file', 'dangling link'])('a %s in the place of the board: one message', async (what) => {
    const bare = new Rig();
    if (what === 'file') bare.write('.coordination', '');
    else symlinkSync('/nonexistent/board', bare.path('.coordination'));
    for (const args of [
      ['leader', 'init', 'x'],
      ['leader', 'status'],
      ['leader', 'init', 'x', '--force'],
      ['doctor'],
    ]) {
      const ran = await bare.coord(args);
      expect(ran.code, args.join(' ')).toBe(1);
      expect(ran.stderr, args.join(' ')).toMatch(/^coord: /);
    }
  });
});

test('a file of the board that has a second name elsewhere is written under its own alone', async () => {
  rmSync(inBoard('context/discoveries.md'));
  linkSync(`${outside}/notes.txt`, inBoard('context/discoveries.md'));
  await rig.ok(['worker', 'discover', 'w', 'found', '--dir', 'project']);
  expect(readFileSync(`${outside}/notes.txt`, 'utf8')).toBe('mine\n');
  expect(readFileSync(inBoard('context/discoveries.md'), 'utf8')).toMatch(/^mine\n[^]*found/);
});

test('scratch of a name that coord does not make is left alone, however old', async () => {
  const longAgo = Date.now() / 1000 - 90 * 86_400;
  for (const name of ['notes.txt', 'mwabcd12', 'displaced-x', '..hidden']) {
    writeFileSync(inBoard(`.tmp/${name}`), 'mine');
    utimesSync(inBoard(`.tmp/${name}`), longAgo, longAgo);
  }
  writeFileSync(inBoard('.pending/notes.txt'), 'mine');
  await everything();
  expect(readdirSync(inBoard('.tmp'))).toEqual(
    expect.arrayContaining(['notes.txt', 'mwabcd12', 'displaced-x', '..hidden']),
  );
  expect(existsSync(inBoard('.pending/notes.txt'))).toBe(true);
});

describe('names that lead outside', () => {
  const EVIL = '../../../outside/evil';
  test.each([
    ['claim', (store: ReturnType<typeof openStore>) => store.claim({ worker: '../../evil' })],
    ['complete', (store: ReturnType<typeof openStore>) => store.complete({ worker: 'w', task_id: EVIL, output: 'x' })],
    ['fail', (store: ReturnType<typeof openStore>) => store.fail({ worker: EVIL, task_id: 'task-001', error: 'x' })],
    ['release', (store: ReturnType<typeof openStore>) => store.release({ worker: EVIL, task_id: 'task-001' })],
    ['renew', (store: ReturnType<typeof openStore>) => store.renew({ worker: EVIL })],
    ['addDiscovery', (store: ReturnType<typeof openStore>) => store.addDiscovery({ worker: EVIL, content: 'x' })],
    ['addTasks', (store: ReturnType<typeof openStore>) => store.addTasks({ tasks: [{ description: 'x', key: EVIL }] })],
    ['editTask', (store: ReturnType<typeof openStore>) => store.editTask({ task_id: EVIL, priority: 1 })],
    ['addCost', (store: ReturnType<typeof openStore>) => store.addCost({ cost_usd: -1 })],
  ])('the store itself refuses them: %s', async (_verb, call) => {
    const store = openStore({ dir: rig.path('project') });
    await expect(call(store)).rejects.toMatchObject({ code: 'invalid-input' });
    expect(existsSync(`${outside}/evil`)).toBe(false);
    expect(existsSync(`${outside}/evil.md`)).toBe(false);
  });

  test.each(['id', 'claimed_by', 'dependencies'])('in the log itself: %s', async (field) => {
    const board = JSON.parse(readFileSync(inBoard('tasks.json'), 'utf8')) as {
      revision: number;
      tasks: Record<string, unknown>[];
    };
    board.revision++;
    Object.assign(board.tasks[0] ?? {}, { status: 'done', claimed_by: 'w', completed_at: '2026-01-01T00:00:00.000Z' });
    Object.assign(board.tasks[0] ?? {}, { [field]: field === 'dependencies' ? [EVIL] : EVIL });
    const text = JSON.stringify(board);
    writeFileSync(`${logFolder(rig.path('project/.coordination'))}/0000000${board.revision}.json`, text);
    writeFileSync(inBoard('tasks.json'), text);
    await everything();
    expect(readdirSync(outside)).toHaveLength(6);
  });
});

test('a process that a board names is not signalled: number, start time and mark must all be right', async () => {
  const project = new Project();
  await project.tasks('one');
  const victim = spawn('sleep', ['100'], { detached: true, stdio: 'ignore' });
  onTestFinished(() => void victim.kill('SIGKILL'));
  const pid = victim.pid ?? 0;
  const started = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19] ?? '';
  await project.ok(['mcp', 'token', 'w']); // makes a registry to be forged
  const [folder = ''] = readdirSync(project.path('.coordination/.registry'));
  const { commit } = JSON.parse(project.read(`.coordination/.registry/${folder}/00000001.json`)) as { commit: string };
  const agent = {
    mark: '11111111-1111-1111-1111-111111111111',
    host: 'x',
    worker: 'worker-1',
    task_id: 'task-001',
    attempt: 1,
  };
  const tag = project.path('.coordination/.tmp');
  await project.ok(['leader', 'add-task', 'two']);
  const host = readdirSync(tag).map((name) => name.split('-').at(-4))[0] ?? 'x';
  let revision = 1;
  for (const forged of [
    { ...agent, host, pid, started },
    { ...agent, host, pid: -pid, started },
    { ...agent, host, pid: 1, started: '' },
    { ...agent, host, pid: 0, started: '' },
    { ...agent, host, pid, started: '' },
    { ...agent, host, pid },
  ]) {
    revision =
      Math.max(
        ...readdirSync(project.path(`.coordination/.registry/${folder}`)).map((name) => Number.parseInt(name, 10) || 0),
      ) + 1;
    const document = { version: 1, revision, commit, tokens: [], orchestrator: null, fence: 3, agents: [forged] };
    const path = project.path(`.coordination/.registry/${folder}/${String(revision).padStart(8, '0')}.json`);
    writeFileSync(path, JSON.stringify(document), { mode: 0o600 });
    await project.coord(['orchestrate', 'resume', '-w', '1'], { env: project.env });
    expect(victim.exitCode ?? victim.signalCode, JSON.stringify(forged)).toBeNull();
    expect(() => process.kill(pid, 0)).not.toThrow();
  }
});

test('tokens that came with a clone, open to all, count for nothing', async () => {
  await rig.ok(['mcp', 'token', 'w', '--dir', 'project']);
  const registry = inBoard('.registry');
  const [folder = ''] = readdirSync(registry);
  chmodSync(`${registry}/${folder}/00000001.json`, 0o644);
  const ran = await rig.coord(['mcp', '--http', '--port', '0', '--dir', 'project']);
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/can be read by others/) as string });
});

describe("a session's record", () => {
  test('is used only where every field of it fits', async () => {
    const cwd = rig.path('project');
    const file = rig.path('env.sh');
    mkdirSync(inBoard('.sessions'));
    for (const worker of ['w;touch pwned', '../../outside/x', 5, 'w\nexport X=1', '$(id)']) {
      writeFileSync(inBoard(`.sessions/${EVENT.session_id}.json`), JSON.stringify({ worker }));
      const ran = await rig.coord(['hook', 'session-start'], {
        cwd,
        input: JSON.stringify({ ...EVENT, cwd }),
        env: { CLAUDE_ENV_FILE: file },
      });
      expect(ran).toEqual({ code: 0, stdout: '', stderr: '' });
    }
    expect(existsSync(file)).toBe(false);
  });
});

describe.runIf(process.getuid?.() === 0)('a board of another user', () => {
  const OTHER = 65_534;
  const theirs = (): void => {
    for (const path of [
      rig.path('project/.coordination'),
      ...readdirSync(rig.path('project/.coordination'), { recursive: true, encoding: 'utf8' }).map(inBoard),
    ])
      chownSync(path, OTHER, OTHER);
  };

  test('is refused wherever the search upwards finds it, and used once it is allowed', async () => {
    theirs();
    const state = { XDG_STATE_HOME: rig.path('state') };
    mkdirSync(rig.path('project/deep/er'), { recursive: true });
    const status = (env = state) => rig.coord(['leader', 'status'], { cwd: rig.path('project/deep/er'), env });
    expect(await status()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is not yours: user 65534[^]*coord trust board/) as string,
    });
    expect((await rig.coord(['trust', 'board', 'project'], { env: { ...state, CLAUDECODE: '1' } })).code).toBe(4);
    await rig.ok(['trust', 'board', 'project'], { env: state });
    expect((await status()).code).toBe(0);
    expect(await rig.ok(['trust', 'list'], { env: state })).toBe(`${rig.path('project/.coordination')} (user 65534)\n`);
    // Allowed is this board of this user: a link in it is no better than before, nor is another's board in its place.
    renameSync(inBoard('.tmp'), rig.path('moved'));
    symlinkSync(outside, inBoard('.tmp'));
    expect((await status()).stderr).toMatch(/is a link/);
    rmSync(inBoard('.tmp'));
    renameSync(rig.path('moved'), inBoard('.tmp'));
    chownSync(rig.path('project/.coordination'), OTHER - 1, OTHER);
    expect((await status()).code).toBe(1);
    chownSync(rig.path('project/.coordination'), OTHER, OTHER);
    await rig.ok(['trust', 'revoke', 'project'], { env: state });
    expect((await status()).code).toBe(1);
  });

  test("above a folder does not keep one from beginning a board of one's own there", async () => {
    theirs();
    mkdirSync(rig.path('project/mine'));
    await rig.ok(['leader', 'init', 'Mine'], { cwd: rig.path('project/mine') });
    expect(existsSync(rig.path('project/mine/.coordination/tasks.json'))).toBe(true);
  });
});
