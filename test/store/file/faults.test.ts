/** Disks, mounts and clocks that do what they do in the field: nothing acknowledged is lost, nothing refused has happened. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Board } from '../../../src/model/board.ts';
import { examineTree } from '../../../src/store/file/doctor.ts';
import { Tree } from '../../../src/store/file/tree.ts';
import { task as newTask } from '../../support/boards.ts';
import { commitFiles, logFolder } from '../../support/commits.ts';
import { BIN, type Ran, Rig, scrubbedEnv, until, isWatching } from '../../support/rig.ts';

const SHIM = fileURLToPath(new URL('../../support/faults.cjs', import.meta.url));

interface Fault {
  call: string;
  on: string;
  error?: string;
  after?: boolean;
  stop?: boolean;
  short?: boolean;
  times?: number;
}

/** A coord whose disk or clock is at fault. */
class Faulty extends Rig {
  begin(args: string[], faults: Fault[], env: Record<string, string> = {}) {
    const child = spawn(process.execPath, ['--require', SHIM, BIN, ...args], {
      cwd: this.cwd,
      env: scrubbedEnv({ FAULTS: JSON.stringify(faults), COORD_CODE_CACHE: '0', ...env }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise<Ran>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
    return { child, ended };
  }

  with(faults: Fault[], args: string[], env: Record<string, string> = {}): Promise<Ran> {
    return this.begin(args, faults, env).ended;
  }

  /** Starts one that pauses at the fault, and waits until it does. */
  async sleeper(args: string[], fault: Omit<Fault, 'stop'>) {
    const begun = this.begin(args, [{ ...fault, stop: true, times: 1 }]);
    const stat = `/proc/${begun.child.pid}/stat`;
    await until(() => readFileSync(stat, 'latin1').includes(') T '), 'the process to pause');
    return {
      wake: (): Promise<Ran> => {
        begun.child.kill('SIGCONT');
        return begun.ended;
      },
    };
  }

  static async board(...tasks: string[]): Promise<Faulty> {
    const rig = new Faulty();
    await rig.ok(['leader', 'init', 'Goal']);
    for (const task of tasks) await rig.ok(['leader', 'add-task', task]);
    return rig;
  }

  rejected(): string[] {
    return this.exists('.coordination/rejected') ? readdirSync(this.path('.coordination/rejected')) : [];
  }
}

describe.each(['EEXIST', 'EIO', 'ETIMEDOUT', 'ESTALE', 'ENOENT', 'EPERM'])(
  'a commit that was carried out and answered with %s',
  (error) => {
    const lie: Fault[] = [{ call: 'linkSync', on: '.commits/', error, after: true, times: 1 }];

    test('stands once, whatever the verb, and its result is there', async () => {
      const rig = await Faulty.board('one');
      expect(await rig.with(lie, ['leader', 'add-task', 'two'])).toMatchObject({ code: 0 });
      expect(await rig.with(lie, ['worker', 'claim', 'w'])).toMatchObject({ code: 0 });
      expect(await rig.with(lie, ['worker', 'done', 'w', 'task-001', 'three days of work'])).toMatchObject({ code: 0 });
      expect(await rig.with(lie, ['worker', 'claim', 'w'])).toMatchObject({ code: 0 });
      expect(await rig.with(lie, ['worker', 'fail', 'w', 'task-002', 'no'])).toMatchObject({ code: 0 });
      expect(rig.board().tasks).toMatchObject([
        { description: 'one', status: 'done', attempt: 1 },
        { description: 'two', status: 'available', attempt: 1, last_error: 'w: no' },
      ]);
      expect(rig.board().tasks).toHaveLength(2);
      expect(rig.read('.coordination/results/task-001.md')).toContain('three days of work');
    });
  },
);

test.each(['ETIMEDOUT', 'EIO', 'ESTALE'])(
  'a commit that was answered with %s and is not there may still come: it is no failure and no success, and its text is kept',
  async (error) => {
    const rig = await Faulty.board('one');
    await rig.ok(['worker', 'claim', 'w']);
    const fault = { call: 'linkSync', on: '.commits/', error, times: 1 };
    const ran = await rig.with([fault], ['worker', 'done', 'w', 'task-001', 'my work']);
    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/did not say whether/) as string });
    expect(Object.values(rig.snapshot('.coordination/.pending')).join('')).toContain('my work');
    expect(await rig.ok(['worker', 'done', 'w', 'task-001', 'my work'])).toContain('done');
    expect(rig.read('.coordination/results/task-001.md')).toContain('my work');
  },
);

test.each(['renameSync', 'openSync', 'mkdirSync', 'unlinkSync', 'fsyncSync', 'linkSync', 'writevSync', 'writeSync'])(
  'whatever %s says, at any place: a message and never a stack, and what was acknowledged stands',
  async (call) => {
    const rig = await Faulty.board('one', 'two', 'three');
    for (const error of ['EIO', 'EACCES', 'ENOSPC', 'ENOENT', 'EEXIST', 'EMFILE']) {
      for (const after of [false, true]) {
        const faults = [{ call, on: '.coordination', error, after, times: 1 }];
        const name = `${error} ${after}`;
        const ran = await rig.with(faults, ['leader', 'add-task', name]);
        expect(ran.code, `${name}: ${ran.stderr}`).not.toBe(70);
        expect(ran.stderr, name).not.toMatch(/\n\s+at /);
        const count = (
          await rig.json<{ tasks: { description: string }[] }>(['leader', 'list', '-n', '100'])
        ).tasks.filter((task) => task.description === name).length;
        expect(count, `${name}: ${ran.code} ${ran.stderr}`).toBe(ran.code === 0 ? 1 : 0);
      }
    }
  },
);

describe('a disk that takes a part of what it is given', () => {
  test('a discovery and an addition to the plan are there wholly, or refused and not at all', async () => {
    const rig = await Faulty.board('one');
    const text = 'x'.repeat(5000);
    for (const [on, args, file] of [
      ['discoveries.md', ['worker', 'discover', 'w', `${text} END`], '.coordination/context/discoveries.md'],
      ['master-plan.md', ['leader', 'plan', '--append', `${text} END`], '.coordination/master-plan.md'],
    ] as const) {
      const before = rig.read(file);
      const ran = await rig.with([{ call: 'writeSync', on, short: true }], [...args]);
      expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/disk is full/) as string });
      expect(rig.read(file)).toBe(before);
      await rig.ok([...args]);
      expect(rig.read(file)).toContain(' END');
    }
  });

  test('a commit is written to its end', async () => {
    const rig = await Faulty.board('one');
    const ran = await rig.with([{ call: 'writevSync', on: '.tmp', short: true }], ['leader', 'add-task', 'two']);
    expect(ran.code).toBe(0);
    expect(rig.board().tasks).toHaveLength(2);
  });
});

test('a full disk: what coord left behind itself goes first, whoever made it must be dead', async () => {
  const rig = await Faulty.board('one');
  const tmp = rig.path('.coordination/.tmp');
  for (let i = 0; i < 6; i++) await rig.ok(['leader', 'add-task', `t${i}`]);
  expect(readdirSync(tmp).length).toBeGreaterThan(1);
  // Of a process that lives (this one), and of nobody that coord knows.
  const [sample = ''] = readdirSync(tmp);
  const alive = sample.replace(/-\d+-(\d+)-(\w+)$/, `-${process.pid}-$1-$2`).replace(/^displaced-.*?-.*?-/, '');
  writeFileSync(`${tmp}/${alive}`, 'in use');
  writeFileSync(`${tmp}/notes.txt`, 'mine');
  const ran = await rig.with(
    [{ call: 'writevSync', on: '.tmp', error: 'ENOSPC', times: 1 }],
    ['leader', 'add-task', 'x'],
  );
  expect(ran.code).toBe(0);
  expect(readdirSync(tmp).filter((name) => name.startsWith('displaced-')).length).toBeLessThanOrEqual(1);
  expect(readdirSync(tmp)).toEqual(expect.arrayContaining([alive, 'notes.txt']));
});

test('copies of tasks.json do not pile up: four, and those of the last moment', async () => {
  const rig = await Faulty.board();
  for (let i = 0; i < 15; i++) await rig.ok(['leader', 'add-task', `t${i}`]);
  expect(readdirSync(rig.path('.coordination/.tmp')).length).toBeLessThanOrEqual(6);
});

test('the copy that a commit leaves is no crash to doctor', async () => {
  const rig = await Faulty.board('one');
  const tmp = rig.path('.coordination/.tmp');
  expect(readdirSync(tmp)).not.toHaveLength(0);
  const tree = new Tree(rig.path('.coordination'));
  const later = {
    durable: false,
    poll: false,
    stateFolder: undefined,
    now: () => new Date(Date.now() + 300_000).toISOString(),
    notice: () => {},
    at: () => {},
    lock: true,
    evenIfMoved: false,
    canLink: true,
  };
  const scratch = async () => (await examineTree(tree, later, false)).find(({ check }) => check === 'scratch files');
  expect(await scratch()).toMatchObject({ ok: true });
  const [name = ''] = readdirSync(tmp);
  writeFileSync(`${tmp}/${name}`, 'saved by an editor that was late');
  expect(await scratch()).toMatchObject({ ok: false });
});

describe('a process that slept', () => {
  test('while its board was put aside works on the new one, and brings nothing of the old', async () => {
    for (const on of ['.tmp', '.commits/']) {
      const rig = await Faulty.board('old 1', 'old 2', 'old 3');
      const call = on === '.tmp' ? 'openSync' : 'linkSync';
      const claim = await rig.sleeper(['worker', 'claim', 'w1'], { call, on });
      await rig.ok(['leader', 'init', '--force', 'New goal']);
      await rig.ok(['leader', 'add-task', 'new A']);
      await rig.ok(['worker', 'claim', 'w2']);
      expect(await claim.wake()).toMatchObject({ code: 3, stdout: expect.stringMatching(/^blocked/) as string });
      expect(rig.board()).toMatchObject({ goal: 'New goal', tasks: [{ description: 'new A', claimed_by: 'w2' }] });
      expect(rig.board().tasks).toHaveLength(1);
    }
  });

  test('while the log was deleted, or put back from a copy, is not told that its commit stands where it does not', async () => {
    for (const how of ['deleted', 'put back']) {
      const rig = await Faulty.board('one');
      const commits = rig.path('.coordination/.commits');
      const backup = rig.path('backup');
      cpSync(commits, backup, { recursive: true });
      const copy = rig.read('.coordination/tasks.json');
      for (let i = 0; i < 5; i++) await rig.ok(['leader', 'add-task', `t${i}`]);
      const add = await rig.sleeper(['leader', 'add-task', 'late'], { call: 'linkSync', on: '.commits/' });
      rmSync(commits, { recursive: true });
      if (how === 'put back') {
        cpSync(backup, commits, { recursive: true });
        writeFileSync(rig.path('.coordination/tasks.json'), copy);
      }
      const ran = await add.wake();
      const { tasks } = await rig.json<{ tasks: { description: string }[] }>(['leader', 'list', '-n', '99']);
      // On the log that was made anew it is done again; on the old one that was put back nobody can know what it was made from.
      expect(ran.code, how).toBe(how === 'deleted' ? 0 : 1);
      if (how === 'put back') expect(ran.stderr).toMatch(/may or may not have been made/);
      expect(
        tasks.map((task) => task.description),
        how,
      ).toEqual(how === 'deleted' ? ['one', 't0', 't1', 't2', 't3', 't4', 'late'] : ['one']);
    }
  });

  test('while it staged its result finds it still there: nobody sweeps what the living use', async () => {
    const rig = await Faulty.board('one');
    await rig.ok(['worker', 'claim', 'w']);
    const done = await rig.sleeper(['worker', 'done', 'w', 'task-001', 'my long report'], {
      call: 'renameSync',
      on: '.pending',
    });
    expect((await rig.with([], ['leader', 'add-task', 'b'], { CLOCK_AHEAD: '7200' })).code).toBe(0);
    expect(await done.wake()).toMatchObject({ code: 0 });
    expect(rig.read('.coordination/results/task-001.md')).toContain('my long report');
  });

  test('while it published: its old copy is known as one of coord, not taken for an edit', async () => {
    const rig = await Faulty.board('one');
    const claim = await rig.sleeper(['worker', 'claim', 'w'], { call: 'renameSync', on: 'displaced-' });
    const adder = `import { openStore } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
      const store = openStore({ cwd: ${JSON.stringify(rig.cwd)}, durable: false });
      for (let i = 0; i < 70; i++) await store.addTasks({ tasks: [{ description: 'other ' + i }] });`;
    await new Promise((resolve) =>
      spawn(process.execPath, ['--input-type=module', '-e', adder], { stdio: 'ignore' }).on('close', resolve),
    );
    expect((await claim.wake()).code).toBe(0);
    await rig.ok(['leader', 'list']);
    expect(rig.rejected()).toEqual([]);
    expect(rig.board().tasks).toHaveLength(71);
  });
});

test('init --force beside workers: each addition that was acknowledged stands on one board, once', async () => {
  const rig = await Faulty.board();
  const acknowledged: string[] = [];
  let isOver = false;
  const adders = Array.from({ length: 3 }, async (_, worker) => {
    // oxlint-disable-next-line no-unmodified-loop-condition -- set below, between two awaits
    for (let n = 0; !isOver; n++) {
      const ran = await rig.coord(['leader', 'add-task', `${worker}.${n}`]);
      if (ran.code === 0) acknowledged.push(`${worker}.${n}`);
      else expect(ran.stderr).not.toMatch(/\n\s+at /);
    }
  });
  for (let i = 0; i < 4; i++) {
    const wanted = acknowledged.length + 4;
    await until(() => acknowledged.length >= wanted, 'some additions');
    await rig.ok(['leader', 'init', '--force', `Goal ${i}`]);
  }
  isOver = true;
  await Promise.all(adders);
  const boards = readdirSync(rig.cwd).filter((name) => name.startsWith('.coordination'));
  expect(boards).toHaveLength(5);
  const found: string[] = [];
  for (const name of boards) {
    const text = readFileSync(commitFiles(rig.path(name)).at(-1) ?? '', 'utf8');
    found.push(...(JSON.parse(text) as Board).tasks.map((task) => task.description));
  }
  expect(new Set(found).size).toBe(found.length);
  expect(found).toEqual(expect.arrayContaining(acknowledged));
  expect(rig.board().goal).toBe('Goal 3');
});

describe('clocks', () => {
  test('a machine an hour ahead takes no live claim, one behind loses none, and both are told', async () => {
    const rig = await Faulty.board('a', 'b', 'c');
    await rig.ok(['worker', 'claim', 'w1']);
    const ahead = await rig.with([], ['worker', 'claim', 'w2'], { CLOCK_AHEAD: '3600' });
    expect(ahead).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^task-002 claimed by w2/) as string,
      stderr: expect.stringMatching(/clock is 60 min ahead of/) as string,
    });
    const behind = await rig.with([], ['worker', 'claim', 'w3'], { CLOCK_AHEAD: '-3600' });
    expect(behind.stdout).toMatch(/^task-003 claimed by w3/);
    expect(behind.stderr).toMatch(/60 min behind/);
    const ran = await rig.coord(['worker', 'claim', 'w4']);
    expect(ran).toMatchObject({ code: 3, stderr: '' });
    // Editing with a wrong clock fails no claim on its last attempt either.
    await rig.with([], ['leader', 'edit', 'task-003', '--hints', 'x'], { CLOCK_AHEAD: '3600' });
    expect(rig.board().tasks.map((task) => task.claimed_by)).toEqual(['w1', 'w2', 'w3']);
    expect((await rig.with([], ['doctor'], { CLOCK_AHEAD: '3600' })).stdout).toMatch(/BAD {2}clock: .*60 min ahead/);
  });

  test('an expired lease is taken over for all that', async () => {
    const rig = await Faulty.board('a');
    await rig.ok(['worker', 'claim', 'w1', '--lease', '1s']);
    const waiting = await rig.with([], ['worker', 'claim', 'w2', '--wait'], { CLOCK_AHEAD: '-3600' });
    expect(waiting.stdout).toMatch(/^task-001 claimed by w2/);
  });
});

describe('what stands in the log and was not made by coord', () => {
  test.each([
    ['a folder', (path: string) => mkdirSync(path)],
    ['a link', (path: string) => symlinkSync('/etc/passwd', path)],
    ['another document', (path: string) => writeFileSync(path, '{"version":1}')],
    [
      'an id that leads outside',
      (path: string) => writeFileSync(path, JSON.stringify({ version: 1, revision: 9, tasks: [{ id: '../x' }] })),
    ],
    ['tasks that wait for each other', (path: string) => writeFileSync(path, cyclic())],
    ['a list', (path: string) => writeFileSync(path, '[]')],
    [
      'what is nested too deeply',
      (path: string) =>
        writeFileSync(path, `{"version":1,"revision":9,"tasks":[],"x":${'['.repeat(5000)}${']'.repeat(5000)}}`),
    ],
  ])('%s under the name of a revision is set aside, said once, and the board goes on', async (_what, plant) => {
    const rig = await Faulty.board('one');
    plant(`${logFolder(rig.path('.coordination'))}/00000009.json`);
    const first = await rig.coord(['leader', 'list']);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('task-001') as string });
    expect(first.stderr).toMatch(/Revision 9 is none/);
    expect((await rig.coord(['leader', 'list'])).stderr).toBe('');
    expect(rig.rejected()).toHaveLength(1);
    await rig.ok(['leader', 'add-task', 'two']);
    expect(rig.board()).toMatchObject({ revision: 3 });
  });

  test('names that are no revisions are ignored, and named by doctor', async () => {
    const rig = await Faulty.board('one');
    const folder = logFolder(rig.path('.coordination'));
    for (const name of [
      '000000009.json',
      '99999999999999999999.json',
      '00000000.json',
      '.DS_Store',
      '00000007.json.bak',
    ])
      writeFileSync(`${folder}/${name}`, 'x');
    expect(await rig.ok(['leader', 'add-task', 'two'])).toContain('task-002');
    expect((await rig.coord(['doctor'])).stdout).toMatch(/not of coord, and ignored: .*DS_Store/);
  });

  test.runIf(process.getuid?.() !== 0)('a revision that may not be read is an error that names it', async () => {
    const rig = await Faulty.board('one');
    writeFileSync(`${logFolder(rig.path('.coordination'))}/00000009.json`, 'x', { mode: 0 });
    expect(await rig.coord(['leader', 'list'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/00000009/) as string,
    });
  });

  test('a newer version of the format is refused by every verb', async () => {
    const rig = await Faulty.board('one');
    const [path = ''] = commitFiles(rig.path('.coordination')).toReversed();
    const newer = readFileSync(path, 'utf8').replace('"version": 1', '"version": 2');
    writeFileSync(path, newer);
    writeFileSync(rig.path('.coordination/tasks.json'), newer);
    for (const args of [['leader', 'list'], ['leader', 'add-task', 'x'], ['worker', 'claim', 'w'], ['doctor']]) {
      const ran = await rig.coord(args);
      expect(ran.code, args.join(' ')).toBe(1);
      expect(ran.stdout + ran.stderr, args.join(' ')).toMatch(/has version 2; this coord knows versions up to 1/);
    }
    expect(rig.read('.coordination/tasks.json')).toBe(newer);
  });
});

function cyclic(): string {
  const waiting = (id: string, other: string) => newTask(id, { dependencies: [other] });
  return JSON.stringify({ version: 1, revision: 9, tasks: [waiting('a', 'b'), waiting('b', 'a')] });
}

describe('whatever stands in the place of the lock', () => {
  test.each([
    ['a file', (path: string) => writeFileSync(path, '')],
    ['a folder with something in it', (path: string) => (mkdirSync(path), writeFileSync(`${path}/.DS_Store`, ''))],
    ['a link to a folder', (path: string) => symlinkSync('/tmp', path)],
    ['a link to nowhere', (path: string) => symlinkSync('/nonexistent', path)],
  ])('%s: writers do without it, and doctor mends it', async (_what, plant) => {
    const rig = await Faulty.board('one');
    plant(rig.path('.coordination/.lock'));
    await rig.ok(['worker', 'claim', 'w']);
    expect((await rig.coord(['doctor', '--fix'])).code).toBe(0);
    expect((await rig.coord(['doctor'])).stdout).toMatch(/ok {3}lock: free/);
  });
});

test('an edit that counts the revision up is merged by what it was made from', async () => {
  const rig = await Faulty.board('one', 'two');
  const board = rig.board();
  await rig.ok(['worker', 'claim', 'w']);
  board.tasks[1]!.priority = 1;
  rig.write('.coordination/tasks.json', JSON.stringify({ ...board, revision: board.revision + 7 }));
  await rig.ok(['leader', 'list']);
  expect(rig.board().tasks).toMatchObject([{ claimed_by: 'w' }, { priority: 1 }]);
  expect(rig.rejected()).toEqual([]);
});

test('the tasks.json of another copy of the board, however high its revision, replaces nothing', async () => {
  const rig = await Faulty.board('one');
  const other = new Faulty();
  mkdirSync(other.path('.coordination'));
  other.write('.coordination/tasks.json', rig.read('.coordination/tasks.json'));
  for (let i = 0; i < 6; i++) await other.ok(['leader', 'add-task', `other ${i}`]);
  await rig.ok(['leader', 'add-task', 'mine']);
  await rig.ok(['worker', 'claim', 'w']);
  rig.write('.coordination/tasks.json', other.read('.coordination/tasks.json'));
  expect((await rig.coord(['leader', 'list'])).stderr).toMatch(/another branch, copy or backup/);
  expect(rig.board().tasks).toMatchObject([{ claimed_by: 'w' }, { description: 'mine' }]);
  expect(rig.rejected()).toHaveLength(1);
});

test('a head that the log has lost comes back from tasks.json', async () => {
  const rig = await Faulty.board('one', 'two');
  rmSync(commitFiles(rig.path('.coordination')).at(-1) ?? '');
  await rig.ok(['worker', 'claim', 'w']);
  expect(rig.board().tasks).toMatchObject([{ claimed_by: 'w' }, { description: 'two' }]);
  expect(rig.rejected()).toEqual([]);
});

test('a board of 0.1, whose revisions lie in .commits itself, goes on there', async () => {
  const rig = await Faulty.board('one', 'two');
  const dir = rig.path('.coordination');
  const plain = (path: string): string => readFileSync(path, 'utf8').replace(/ {2}"commit": .*\n/, '');
  const files = commitFiles(dir).map((path) => [path.split('/').at(-1) ?? '', plain(path)] as const);
  rmSync(`${dir}/.commits`, { recursive: true });
  mkdirSync(`${dir}/.commits`);
  for (const [name, text] of files) writeFileSync(`${dir}/.commits/${name}`, text);
  writeFileSync(`${dir}/tasks.json`, files.at(-1)?.[1] ?? '');
  await rig.ok(['worker', 'claim', 'w']);
  await rig.ok(['worker', 'done', 'w', 'task-001', 'x']);
  expect(readdirSync(`${dir}/.commits`).toSorted()).toEqual([1, 2, 3, 4, 5].map((n) => `0000000${n}.json`));
  expect(rig.board().tasks).toMatchObject([{ status: 'done' }, { status: 'available' }]);
});

test('a waiter outlives a folder that is away for a moment, and wakes when it is back', async () => {
  const rig = await Faulty.board('one');
  await rig.ok(['worker', 'claim', 'hold']);
  const waiting = rig.start(['worker', 'claim', 'w', '--wait']);
  await until(() => isWatching(waiting.child.pid), 'the waiter to watch');
  renameSync(rig.path('.coordination'), rig.path('away'));
  await until(() => !isWatching(waiting.child.pid), 'the waiter to notice');
  renameSync(rig.path('away'), rig.path('.coordination'));
  await rig.ok(['leader', 'add-task', 'two']);
  expect(await waiting.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^task-002/) as string });
});
