/** The crash table of the commit protocol: killed at every point, the next command sees what the table says. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'vitest';
import type { Board } from '../../../src/model/board.ts';
import { examine, initStore, openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { CHILDREN } from '../../support/children.ts';

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

/** Whether the verb has happened, asked of the board. */
const happened: Record<string, (board: Board) => boolean> = {
  add: (board) => board.tasks.some((task) => task.description === 'added'),
  claim: (board) => board.tasks.some((task) => task.claimed_by === 'w'),
  complete: (board) => board.tasks.some((task) => task.status === 'done'),
};
const repeat: Record<string, (store: Store) => Promise<unknown>> = {
  add: (store) => store.addTasks({ tasks: [{ description: 'added', key: 'added' }] }),
  claim: (store) => store.claim({ worker: 'w' }),
  complete: (store) => store.complete({ worker: 'holder', task_id: 'task-001', output: 'the result' }),
};

function newestCommit(dir: string): string {
  const [newest = ''] = readdirSync(join(dir, '.commits')).toSorted().toReversed();
  return readFileSync(join(dir, '.commits', newest), 'utf8');
}

const cases = ['add', 'claim', 'complete'].flatMap((verb) =>
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

      // Repeating the command finds it done, or does it; either way it stands once.
      await repeat[verb]?.(store);
      const after = await store.read();
      expect(happened[verb]?.(after)).toBe(true);
      expect(after.tasks.filter((task) => task.description === 'added').length).toBe(verb === 'add' ? 1 : 0);
      if (verb === 'complete') expect((await store.results()).map((result) => result.output)).toEqual(['the result']);
      await store.renew({ worker: 'nobody' }); // the next command tidies what a killed attempt had staged
      expect(readdirSync(join(dir, '.pending'))).toEqual([]);
      expect(readFileSync(join(dir, 'tasks.json'), 'utf8')).toBe(newestCommit(dir));

      // Nothing is left that a doctor would not mend.
      await examine({ dir }, true);
      expect((await examine({ dir }, false)).filter((finding) => !finding.ok && finding.check !== 'lock')).toEqual([]);
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
