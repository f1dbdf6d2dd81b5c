/** The crash table of the commit protocol: killed at every point, the next command sees what the table says. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'vitest';
import type { Board } from '../../../src/model/board.ts';
import { examine, initStore, openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { CHILDREN } from '../../support/children.ts';
import { logFolder, newestCommit } from '../../support/commits.ts';

const BEFORE_COMMIT = ['locked', 'written'];
const AFTER_COMMIT = ['linked', 'synced', 'aside', 'moved', 'renamed', 'published', 'trimmed'];

/** Without link(2) publishing is a single rename. */
const ONLY_WITH_LINKS = ['moved', 'renamed', 'published'];

async function prepare(atEnd: TestContext['onTestFinished']): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'coord-crash-'));
  atEnd(() => rmSync(cwd, { recursive: true, force: true }));
  const { store } = await initStore({ goal: 'crash' }, { cwd });
  await store.addTasks({ tasks: [{ description: 'one' }, { description: 'two' }] });
  await store.claim({ worker: 'holder' });
  return join(cwd, '.coordination');
}

function runChild(dir: string, point: string, verb: string, canLink: boolean): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(CHILDREN, 'crash-child.mjs'), dir, point, verb, String(canLink)],
      (error, stdout) => resolve(`${stdout}${error?.signal ?? ''}`),
    );
  });
}

const PROOF = { runs: [{ command: 'npm test', exit_code: 0, duration_ms: 1, tail: 'ok' }], tree: 'abc' };

/** Whether the verb has happened, asked of the board. */
const happened: Record<string, (board: Board) => boolean> = {
  add: (board) => board.tasks.some((task) => task.description === 'added'),
  claim: (board) => board.tasks.some((task) => task.claimed_by === 'w'),
  complete: (board) => board.tasks.some((task) => task.status === 'done'),
  prove: (board) => board.tasks.some((task) => task.status === 'done'),
};
const repeat: Record<string, (store: Store) => Promise<unknown>> = {
  add: (store) => store.addTasks({ tasks: [{ description: 'added', key: 'added' }] }),
  claim: (store) => store.claim({ worker: 'w' }),
  complete: (store) => store.complete({ worker: 'holder', task_id: 'task-001', output: 'the result' }),
  prove: (store) => store.complete({ worker: 'holder', task_id: 'task-001', output: 'the result', proof: PROOF }),
};

const cases = ['add', 'claim', 'complete', 'prove'].flatMap((verb) =>
  [...BEFORE_COMMIT, ...AFTER_COMMIT].flatMap((point) =>
    [true, false]
      .filter((canLink) => canLink || !ONLY_WITH_LINKS.includes(point))
      .map((canLink) => ({ verb, point, canLink })),
  ),
);

describe('killed with SIGKILL', () => {
  test.concurrent.for(cases)(
    'at "$point" of $verb, with links: $canLink',
    async ({ verb, point, canLink }, { expect, onTestFinished }) => {
      const dir = await prepare(onTestFinished);
      const before = readFileSync(join(dir, 'tasks.json'), 'utf8');
      expect(await runChild(dir, point, verb, canLink)).toBe('SIGKILL');

      // tasks.json is the old state or the new one, never torn, whatever the point; between two steps it may be missing.
      if (point === 'moved' && canLink) expect(existsSync(join(dir, 'tasks.json'))).toBe(false);
      else expect([before, newestCommit(dir)]).toContain(readFileSync(join(dir, 'tasks.json'), 'utf8'));

      const store = openStore({ dir, canLink });
      const board = await store.read();
      expect(happened[verb]?.(board)).toBe(AFTER_COMMIT.includes(point));
      expect(board.revision).toBe(JSON.parse(before).revision + (AFTER_COMMIT.includes(point) ? 1 : 0));

      // Done exactly when its evidence is stored.
      if (verb === 'prove' && AFTER_COMMIT.includes(point)) {
        expect(board.tasks[0]?.evidence).toMatchObject({ verdict: 'green', tree: 'abc' });
        expect(readFileSync(join(dir, 'results/task-001.checks.jsonl'), 'utf8')).toContain('"exit_code":0');
      }

      // Repeating the command finds it done, or does it; either way it stands once.
      await repeat[verb]?.(store);
      const after = await store.read();
      expect(happened[verb]?.(after)).toBe(true);
      expect(after.tasks.filter((task) => task.description === 'added').length).toBe(verb === 'add' ? 1 : 0);
      if (verb === 'complete' || verb === 'prove')
        expect((await store.results()).map((result) => result.output)).toEqual(['the result']);
      await store.renew({ worker: 'nobody' }); // the next command tidies what a killed attempt had staged
      expect(readdirSync(join(dir, '.pending'))).toEqual([]);
      expect(readFileSync(join(dir, 'tasks.json'), 'utf8')).toBe(newestCommit(dir));

      // Nothing is left that a doctor would not mend.
      await examine({ dir }, true);
      expect((await examine({ dir }, false)).filter((finding) => !finding.ok && finding.check !== 'lock')).toEqual([]);
    },
  );

  // The first commit of these runs is the merge of the edit, so that is where they die.
  test.concurrent.for([...BEFORE_COMMIT, ...AFTER_COMMIT])(
    'at "%s" while an edit of tasks.json is taken over',
    async (point, { expect, onTestFinished }) => {
      const dir = await prepare(onTestFinished);
      const edited = JSON.parse(readFileSync(join(dir, 'tasks.json'), 'utf8')) as Board;
      edited.tasks[1]!.priority = 1;
      edited.tasks.push({ ...edited.tasks[1]!, id: 'by-hand' });
      writeFileSync(join(dir, 'tasks.json'), JSON.stringify(edited));
      expect(await runChild(dir, point, 'add', true)).toBe('SIGKILL');

      const store = openStore({ dir });
      await store.addTasks({ tasks: [{ description: 'added', key: 'added' }] });
      const { tasks } = await store.read();
      expect(tasks.map((task) => [task.id, task.priority])).toEqual([
        ['task-001', 5],
        ['task-002', 1],
        ['by-hand', 1],
        ['task-003', 5],
      ]);
      expect(existsSync(join(dir, 'rejected'))).toBe(false);
      expect(readFileSync(join(dir, 'tasks.json'), 'utf8')).toBe(newestCommit(dir));
    },
  );

  test('without a kill the child acknowledges: the points above are really passed', async ({
    expect,
    onTestFinished,
  }) => {
    const dir = await prepare(onTestFinished);
    expect(await runChild(dir, 'none', 'complete', true)).toBe('acknowledged');
  });
});

describe('a process that slept while the log moved on', () => {
  /** A store whose next commit pauses at this point, until others have made so many that its base is gone. */
  function openSleeper(dir: string, where: 'written' | 'linked'): Store {
    let isFirst = true;
    return openStore({
      dir,
      lock: false,
      at: (point) => {
        if (point !== where || !isFirst) return;
        isFirst = false;
        const others = `import { openStore } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
          const store = openStore({ dir: ${JSON.stringify(dir)}, durable: false });
          for (let i = 0; i < 60; i++) await store.addTasks({ tasks: [{ description: 'other ' + i }] });`;
        execFileSync(process.execPath, ['--input-type=module', '-e', others]);
      },
    });
  }

  test('before its name was made: its add has lost the race, and is made once, on the newest board', async ({
    expect,
    onTestFinished,
  }) => {
    const dir = await prepare(onTestFinished);
    await openSleeper(dir, 'written').addTasks({ tasks: [{ description: 'late' }] });
    const { tasks } = await openStore({ dir }).read();
    expect(tasks.filter((task) => task.description === 'late')).toHaveLength(1);
    expect(tasks).toHaveLength(63);
    expect(readFileSync(join(dir, 'tasks.json'), 'utf8')).toBe(newestCommit(dir));
  });

  test('after that: it cannot know whether its add stands, and says so', async ({ expect, onTestFinished }) => {
    const dir = await prepare(onTestFinished);
    await expect(openSleeper(dir, 'linked').addTasks({ tasks: [{ description: 'late' }] })).rejects.toMatchObject({
      code: 'outcome-unknown',
    });
    const { tasks } = await openStore({ dir }).read();
    expect(tasks).toHaveLength(63); // others went on from it
    expect(readFileSync(join(dir, 'tasks.json'), 'utf8')).toBe(newestCommit(dir));
  });

  test.for(['written', 'linked'] as const)(
    'at "%s": it simply claims again, since claiming twice is claiming once',
    async (where, { expect, onTestFinished }) => {
      const dir = await prepare(onTestFinished);
      expect(await openSleeper(dir, where).claim({ worker: 'w' })).toMatchObject({ task: { id: 'task-002' } });
      const { tasks } = await openStore({ dir }).read();
      expect(tasks.filter((task) => task.claimed_by === 'w')).toHaveLength(1);
      expect(tasks).toHaveLength(62);
    },
  );
});

test.for([true, false])(
  'a revision that was cut short is read again for a while and then set aside, whatever its time says; links: %s',
  async (canLink, { expect, onTestFinished }) => {
    const dir = await prepare(onTestFinished);
    const before = newestCommit(dir);
    const torn = join(logFolder(dir), '00000004.json');
    writeFileSync(torn, before.slice(0, before.length / 2));
    const inTwoHours = Date.now() / 1000 + 7200;
    utimesSync(torn, inTwoHours, inTwoHours);
    const notices: string[] = [];
    const store = openStore({ dir, canLink, notice: (message) => notices.push(message) });
    expect(await store.read()).toEqual(JSON.parse(before));
    await store.addTasks({ tasks: [{ description: 'added' }] });
    expect(await store.read()).toMatchObject({ revision: 4, tasks: [{}, {}, { description: 'added' }] });
    expect(readdirSync(join(dir, 'rejected'))).toEqual([expect.stringMatching(/^commit-4-/)]);
    expect(notices).toEqual([expect.stringMatching(/^Revision 4 is none \(it is cut short\)/)]);
  },
);

test('a revision that is still being written is waited for', async ({ expect, onTestFinished }) => {
  const dir = await prepare(onTestFinished);
  const board = JSON.parse(newestCommit(dir)) as Board;
  const next = JSON.stringify({ ...board, revision: 4, commit: 'another.0.commit', goal: 'slow' });
  const path = join(logFolder(dir), '00000004.json');
  writeFileSync(path, next.slice(0, 100));
  const reading = openStore({ dir }).read();
  setTimeout(() => writeFileSync(path, next), 100);
  expect((await reading).goal).toBe('slow');
  expect(existsSync(join(dir, 'rejected'))).toBe(false);
});
