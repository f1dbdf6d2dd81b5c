/** What a person sees in a terminal of several sizes, kept as files: the built binary in tmux, which every CI has. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BIN, Rig, scrubbedEnv, until } from '../../support/rig.ts';

const hasTmux = spawnSync('tmux', ['-V']).status === 0;

let rig: Rig;
beforeEach(async () => {
  rig = new Rig();
  await rig.ok(['leader', 'init', 'Build a REST API for user management, with a front end in two languages']);
  rig.write(
    'tasks.json',
    JSON.stringify([
      { description: 'Create the User model', files: ['src/user.ts'] },
      {
        description: 'ユーザーの一覧を表示する画面を作り、検索と並べ替えを付けて、長い名前でも崩れないようにする',
        dependencies: ['#1'],
      },
      { description: 'Write the docs 📚 with a family 👨‍👩‍👧 and a flag 🇪🇺 in them, at some length', priority: 2 },
      { description: `One ${'very '.repeat(60)}long line`, dependencies: ['#3'] },
      ...Array.from({ length: 12 }, (_, i) => ({ description: `Part ${i + 1}`, dependencies: [`#${i + 4}`] })),
    ]),
  );
  await rig.ok(['leader', 'import', 'tasks.json']);
  await rig.ok(['worker', 'claim', 'terminal-2', 'task-003']);
  await rig.ok(['worker', 'done', 'terminal-2', 'task-003', 'written']);
  await rig.ok(['worker', 'claim', 'terminal-3', 'task-001']);
});

/** A terminal of its own, with a shell in it. */
class Terminal {
  readonly #socket = join(rig.cwd, 'tmux');

  constructor(columns: number, rows: number) {
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), `PS1='$ ' exec sh`);
    onTestFinished(() => void spawnSync('tmux', ['-S', this.#socket, 'kill-server']));
  }

  type(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** What stands there, without what changes from run to run. */
  seen(): string {
    const text = this.#tmux('capture-pane', '-p');
    return text
      .replace(/\(\d+\w+, lease [\dhms ]+\)/g, '(0s, lease 30m)')
      .replace(/\d\d:\d\d:\d\d/g, 'HH:MM:SS')
      .replace(/HH:MM:SS\s+HH:MM:SS/g, 'HH:MM:SS … HH:MM:SS')
      .replace(/[|].*[|] +\d+%/g, '|bar|')
      .replace(/; \d+\w+ in all/g, '; 0s in all');
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-u', '-S', this.#socket, ...args], {
      cwd: rig.cwd,
      encoding: 'utf8',
      env: scrubbedEnv({ TERM: 'xterm-256color', LANG: 'C.UTF-8', NO_COLOR: '1' }),
    });
  }
}

const coord = `${process.execPath} ${BIN}`;

describe.skipIf(!hasTmux).each([
  [80, 24],
  [80, 10],
  [200, 50],
])('a terminal of %i by %i', (columns, rows) => {
  test.each(['status', 'leader list', 'leader graph', 'leader timeline'])('coord %s', async (command) => {
    const terminal = new Terminal(columns, rows);
    terminal.type(`clear; ${coord} ${command}; touch ended`, 'Enter');
    await until(() => existsSync(join(rig.cwd, 'ended')), 'the command ends');
    await until(() => /\n\$ *\n*$/.test(terminal.seen()), 'the shell is back');
    const file = `golden/tmux/${columns}x${rows}-${command.replace('leader ', '')}.txt`;
    // The line that was typed has scrolled away, or begins the screen with a path.
    const screen = terminal.seen().replace(/^.*touch ended\n(?:.*ended\n)?/, '');
    await expect(screen).toMatchFileSnapshot(file);
  });

  test('coord status --watch fills the window, follows its size, and gives back what stood there', async () => {
    const terminal = new Terminal(columns, rows);
    terminal.type('clear; echo before', 'Enter');
    await until(() => /^before$/m.test(terminal.seen()), 'the shell answers');
    terminal.type(`${coord} status --watch`, 'Enter');
    await until(() => terminal.seen().includes('Ctrl-C to end'), 'it draws');
    await expect(terminal.seen()).toMatchFileSnapshot(`golden/tmux/${columns}x${rows}-watch.txt`);
    await rig.ok(['worker', 'done', 'terminal-3', 'task-001', 'made']);
    await until(() => terminal.seen().includes('2/16 done'), 'it draws again');
    terminal.type('C-c');
    await until(() => /^before$/m.test(terminal.seen()) && !terminal.seen().includes('2/16'), 'the screen is back');
  });
});
