/** Where the board is found, and where a command stands: worktrees, folders that are gone, outputs that cannot be written, caches. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { BIN, Rig, scrubbedEnv } from '../../support/rig.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function git(cwd: string, ...args: string[]): void {
  execFileSync(
    'git',
    ['-c', 'user.name=t', '-c', 'user.email=t@example.test', '-c', 'init.defaultBranch=main', ...args],
    {
      cwd,
      stdio: 'pipe',
    },
  );
}

/** A repository with a linked worktree `side` beside it. */
function repository(): Rig {
  const rig = new Rig();
  mkdirSync(rig.path('main'));
  git(rig.path('main'), 'init', '-q');
  git(rig.path('main'), 'commit', '-q', '--allow-empty', '-m', 'x');
  return rig;
}

describe('the worktrees of a repository share one board', () => {
  test('one that git has put into a linked worktree is passed over, and that is said once', async () => {
    const rig = repository();
    const [main, side] = [rig.path('main'), rig.path('side')];
    await rig.ok(['leader', 'init', 'Goal'], { cwd: main });
    await rig.ok(['leader', 'add-task', 'the only task'], { cwd: main });
    git(main, 'add', '-A');
    git(main, 'commit', '-q', '-m', 'board');
    git(main, 'worktree', 'add', '-q', side, '-b', 'side');
    expect(existsSync(join(side, '.coordination/tasks.json'))).toBe(true);
    await rig.ok(['worker', 'claim', 'w1'], { cwd: main });
    mkdirSync(join(side, 'deep'));
    const first = await rig.coord(['worker', 'claim', 'w2'], { cwd: join(side, 'deep') });
    expect(first).toMatchObject({ code: 3, stderr: expect.stringMatching(/is a copy that git has made/) as string });
    expect((await rig.coord(['leader', 'status'], { cwd: side })).stderr).toBe('');
  });

  test('init in a linked worktree makes that of the main one', async () => {
    const rig = repository();
    git(rig.path('main'), 'worktree', 'add', '-q', '.claude/worktrees/lead', '-b', 'lead');
    git(rig.path('main'), 'worktree', 'add', '-q', '.claude/worktrees/work', '-b', 'work');
    const lead = rig.path('main/.claude/worktrees/lead');
    mkdirSync(join(lead, 'src'));
    expect(await rig.ok(['leader', 'init', 'Goal'], { cwd: join(lead, 'src') })).toContain(
      '../../../../.coordination/',
    );
    expect(rig.exists('main/.coordination/tasks.json')).toBe(true);
    await rig.ok(['leader', 'status'], { cwd: rig.path('main/.claude/worktrees/work') });
    await rig.ok(['leader', 'init', 'Own', '--dir', '.'], { cwd: rig.path('main/.claude/worktrees/work') });
  });

  test('beside a bare repository in a folder of its own', async () => {
    const rig = repository();
    mkdirSync(rig.path('p'));
    git(rig.cwd, 'clone', '-q', '--bare', 'main', 'p/.bare');
    rig.write('p/.git', 'gitdir: ./.bare\n');
    git(rig.path('p'), 'worktree', 'add', '-q', 'one', 'main');
    git(rig.path('p'), 'worktree', 'add', '-q', '-b', 'feat', 'two');
    await rig.ok(['leader', 'init', 'Goal'], { cwd: rig.path('p/one') });
    expect(rig.exists('p/.coordination/tasks.json')).toBe(true);
    await rig.ok(['leader', 'status'], { cwd: rig.path('p/two') });
  });

  test('of a bare repository among others: in the first worktree that has one', async () => {
    const rig = repository();
    mkdirSync(rig.path('trees'));
    git(rig.cwd, 'clone', '-q', '--bare', 'main', 'shared.git');
    git(rig.path('shared.git'), 'worktree', 'add', '-q', rig.path('trees/one'), 'main');
    git(rig.path('shared.git'), 'worktree', 'add', '-q', '-b', 'feat', rig.path('trees/two'));
    await rig.ok(['leader', 'init', 'Goal'], { cwd: rig.path('trees/one') });
    expect(rig.exists('trees/one/.coordination/tasks.json')).toBe(true);
    expect(await rig.ok(['leader', 'status'], { cwd: rig.path('trees/two') })).toContain('Goal');
  });

  test('a worktree of a submodule finds the board of that submodule', async () => {
    const rig = repository();
    mkdirSync(rig.path('super'));
    git(rig.path('super'), 'init', '-q');
    git(rig.path('super'), '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '../main', 'sub');
    git(rig.path('super/sub'), 'worktree', 'add', '-q', rig.path('linked'), '-b', 'linked');
    await rig.ok(['leader', 'init', 'Goal'], { cwd: rig.path('super/sub') });
    expect(await rig.ok(['leader', 'status'], { cwd: rig.path('linked') })).toContain('Goal');
  });

  test('a file .git that git did not make chooses no folder for us', async () => {
    const rig = repository();
    await rig.ok(['leader', 'init', 'Victim'], { cwd: rig.path('main') });
    git(rig.path('main'), 'worktree', 'add', '-q', rig.path('side'), '-b', 'side');
    mkdirSync(rig.path('plain'));
    const forged: [name: string, gitDir: string][] = [
      ['its-worktree', rig.path('main/.git/worktrees/side')],
      ['its-folder', './own'],
      ['no-repository', './own'],
      ['configured', './bare/worktrees/w'],
    ];
    for (const [name, gitDir] of forged) rig.write(`evil/${name}/.git`, `gitdir: ${gitDir}\n`);
    rig.write('evil/its-folder/own/commondir', `${rig.path('main/.git')}\n`);
    rig.write('evil/no-repository/own/commondir', `${rig.path('plain/.git')}\n`);
    rig.write('evil/configured/bare/worktrees/w/commondir', '../..\n');
    rig.write('evil/configured/bare/worktrees/w/gitdir', `${rig.path('evil/configured/.git')}\n`);
    rig.write('evil/configured/bare/config', `[core]\n\tworktree = ${rig.path('main')}\n`);
    for (const [name] of forged) {
      const cwd = rig.path(`evil/${name}`);
      expect(await rig.coord(['leader', 'status'], { cwd }), name).toMatchObject({ code: 1 });
      await rig.ok(['leader', 'init', 'Own'], { cwd });
      expect(rig.exists(`evil/${name}/.coordination/tasks.json`), name).toBe(true);
    }
    expect(rig.exists('plain/.coordination')).toBe(false);
  });

  test.skipIf(process.platform === 'win32')('a pipe behind .git keeps nobody waiting', async () => {
    const rig = new Rig();
    mkdirSync(rig.path('x'));
    execFileSync('mkfifo', [rig.path('x/commondir')]);
    rig.write('proj/.git', 'gitdir: ../x\n');
    expect(await rig.coord(['leader', 'status'], { cwd: rig.path('proj') })).toMatchObject({ code: 1 });
  });
});

describe('a working directory that is gone', () => {
  test('no stack; the board is found all the same, from where it was and with --dir', async () => {
    const rig = new Rig();
    await rig.ok(['leader', 'init', 'Goal']);
    await rig.ok(['leader', 'add-task', 'T']);
    await rig.ok(['worker', 'claim', 'w']);
    const inGone = (...args: string[]): string => {
      mkdirSync(rig.path('gone'), { recursive: true });
      const script = `cd ${rig.path('gone')} && rmdir ${rig.path('gone')} && ${process.execPath} ${BIN} "$@" 2>&1; echo "exit $?"`;
      return execFileSync('bash', ['-c', script, 'bash', ...args], { env: scrubbedEnv(), encoding: 'utf8' });
    };
    expect(inGone('leader', 'status')).toMatch(/Goal[^]*exit 0/);
    expect(inGone('worker', 'done', 'w', 'task-001', 'done', '--dir', rig.cwd)).toMatch(/task-001 done[^]*exit 0/);
    expect(inGone('--version')).toMatch(/exit 0/);
  });
});

describe.runIf(existsSync('/dev/full'))('an answer that cannot be written', () => {
  test.each([['leader', 'list', '--json'], ['leader', 'status'], ['--help'], ['--version']])(
    '%s %s: exit code 1, and said',
    async (...args) => {
      const rig = new Rig();
      await rig.ok(['leader', 'init', 'Goal']);
      const full = openSync('/dev/full', 'w');
      const ran = spawnSync(process.execPath, [BIN, ...args], {
        cwd: rig.cwd,
        env: scrubbedEnv(),
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      expect(ran.status).toBe(1);
      expect(ran.stderr).toMatch(/answer could not be written \(ENOSPC\)/);
    },
  );
});

describe('the compiled-code cache', () => {
  /** The package by itself, with a cache of its own. */
  function packed(): {
    rig: Rig;
    run: (env?: Record<string, string>) => ReturnType<typeof spawnSync>;
    cache: () => string[];
  } {
    const rig = new Rig();
    for (const part of ['bin', 'dist', 'package.json'])
      cpSync(join(ROOT, part), rig.path(`pkg/${part}`), {
        recursive: true,
        filter: (path) => !path.includes('.cache'),
      });
    mkdirSync(rig.path('home'));
    const home = rig.path('pkg/dist/.cache');
    return {
      rig,
      run: (env = {}) =>
        spawnSync(process.execPath, [rig.path('pkg/bin/coord.cjs'), '--version'], {
          env: scrubbedEnv({ HOME: rig.path('home'), ...env }),
          encoding: 'utf8',
        }),
      cache: () =>
        (existsSync(home) ? readdirSync(home, { recursive: true, encoding: 'utf8' }) : []).map((name) =>
          join(home, name),
        ),
    };
  }
  const bins = (names: string[]): string[] => names.filter((name) => name.endsWith('.bin'));

  test('damage anywhere in it, or half of it missing: ignored, and made anew', () => {
    const { run, cache } = packed();
    expect(run().status).toBe(0);
    for (const damage of [
      (bytes: Buffer) => ((bytes[bytes.length - 100] = 1 ^ (bytes.at(-100) ?? 0)), bytes),
      (bytes: Buffer) => ((bytes[4000] = 1 ^ (bytes[4000] ?? 0)), bytes),
      (bytes: Buffer) => bytes.subarray(0, bytes.length / 2),
      (bytes: Buffer) => bytes.subarray(0, bytes.length - 1),
      () => Buffer.alloc(0),
      () => Buffer.alloc(5000, 7),
    ]) {
      const [file = ''] = bins(cache());
      writeFileSync(file, damage(readFileSync(file)));
      for (let i = 0; i < 2; i++) expect(run()).toMatchObject({ status: 0, stderr: '' });
      // Whole again: two copies that agree. V8 does not make the same number of bytes of it each time.
      const mended = readFileSync(file);
      expect(mended.length).toBeGreaterThan(5000);
      expect(mended.subarray(0, mended.length / 2).equals(mended.subarray(mended.length / 2))).toBe(true);
    }
  });

  test('a file, or a folder, that others can write is not read, nor is a link', () => {
    const { rig, run, cache } = packed();
    run();
    const [file = ''] = bins(cache());
    const poison = (): void => writeFileSync(file, Buffer.alloc(statSync(file).size, 1));
    poison();
    chmodSync(file, 0o666);
    expect(run()).toMatchObject({ status: 0, stderr: '' });
    const folder = join(file, '..');
    chmodSync(folder, 0o777);
    poison();
    expect(run()).toMatchObject({ status: 0, stderr: '' });
    chmodSync(folder, 0o700);
    rmSync(file);
    rig.write('elsewhere.bin', 'x'.repeat(1000));
    symlinkSync(rig.path('elsewhere.bin'), file);
    expect(run()).toMatchObject({ status: 0, stderr: '' });
    expect(rig.read('elsewhere.bin')).toBe('x'.repeat(1000));
  });

  test.runIf(process.getuid?.() === 0)('nor what another user has put there', () => {
    const { run, cache } = packed();
    run();
    const [file = ''] = bins(cache());
    writeFileSync(file, Buffer.alloc(statSync(file).size, 1));
    chownSync(file, 65_534, 65_534);
    expect(run()).toMatchObject({ status: 0, stderr: '' });
  });

  test('builds that nobody uses any more go, and nothing else', () => {
    const { rig, run, cache } = packed();
    const longAgo = Date.now() / 1000 - 60 * 86_400;
    const old = 'pkg/dist/.cache/0123456789abcdef-11.3.244.8-node.38-x64';
    rig.write(`${old}/help-coord.cjs.bin`, 'x');
    rig.write('pkg/dist/.cache/mine/notes.txt', 'x');
    for (const name of [old, 'pkg/dist/.cache/mine']) utimesSync(rig.path(name), longAgo, longAgo);
    chmodSync(rig.path('pkg/dist/.cache'), 0o700);
    run();
    expect(bins(cache()).length).toBeGreaterThan(0);
    expect(rig.exists(old)).toBe(false);
    expect(rig.exists('pkg/dist/.cache/mine/notes.txt')).toBe(true);
  });
});

test('a file of a hundred thousand blank lines, of spaces, or of one long line is read at once', async () => {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Goal']);
  const times: number[] = [];
  for (const text of [
    '- a\n',
    `${'\n'.repeat(100_000)}- a\n`,
    `${' '.repeat(100_000)}\n- a\n`,
    `${'\t \n'.repeat(50_000)}- a\n`,
    `- ${'x '.repeat(4000)}\n`,
  ]) {
    rig.write('t.md', text);
    const start = Date.now();
    await rig.ok(['leader', 'import', 't.md']);
    times.push(Date.now() - start);
  }
  // Quadratic took minutes; starting a process is what the first one takes.
  for (const time of times) expect(time).toBeLessThan(Math.max((times[0] ?? 0) * 20, 5000));
});

test('a settings file that is nested too deeply is a message', async () => {
  const rig = new Rig();
  rig.write('.mcp.json', `{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
  const ran = await rig.coord(['setup', 'claude'], { env: { HOME: rig.path('home') } });
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/nested too deeply/) as string });
});

test('a tasks.json that is nested too deeply is a message, and doctor puts it right', async () => {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Goal']);
  rig.write(
    '.coordination/tasks.json',
    `{"tasks":[{"id":"a","description":"a","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}]}`,
  );
  expect(await rig.coord(['leader', 'status'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/nested (too deeply|more than)/) as string,
  });
  await rig.ok(['doctor', '--fix']);
  await rig.ok(['leader', 'status']);
});

test('a board whose folder cannot be made is a message', async () => {
  const rig = new Rig();
  mkdirSync(rig.path('gone'));
  rmdirSync(rig.path('gone'));
  symlinkSync(rig.path('gone'), rig.path('link'));
  const ran = await rig.coord(['leader', 'init', 'x', '--dir', 'link/deeper']);
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/^coord: /) as string });
  expect(ran.stderr).not.toMatch(/\n\s+at /);
});
