/** What a store promises that keeps its board in files, beside the common contract: people may edit tasks.json. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Board } from '../model/board.ts';
import type { Store } from '../store/store.ts';

/** Makes a board for a goal in this folder, or opens the one that is there. It lies in `.coordination/`. */
export type OpenFiles = (cwd: string, options: { goal?: string; notice?: (message: string) => void }) => Promise<Store>;

export function fileContract(name: string, open: OpenFiles): void {
  describe(`${name} store, edited by hand`, () => {
    let dir: string;
    let file: string;
    let store: Store;
    let notices: string[];

    beforeEach(async () => {
      const cwd = mkdtempSync(join(tmpdir(), 'coord-edit-'));
      onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
      notices = [];
      store = await open(cwd, { goal: 'edit', notice: (message) => notices.push(message) });
      await store.addTasks({ tasks: [{ description: 'one' }, { description: 'two' }, { description: 'three' }] });
      dir = join(cwd, '.coordination');
      file = join(dir, 'tasks.json');
    });

    const read = (): Board => JSON.parse(readFileSync(file, 'utf8')) as Board;
    function save(change: (board: Board) => void, from = read()): void {
      change(from);
      writeFileSync(`${file}~`, JSON.stringify(from));
      renameSync(`${file}~`, file);
    }
    const rejected = (): string[] => {
      try {
        return readdirSync(join(dir, 'rejected'));
      } catch {
        return [];
      }
    };
    const task = (board: Board, n: number) => board.tasks[n - 1];

    describe('a hand edit', () => {
      test('is seen by the next read, and committed', async () => {
        save((board) => (board.tasks[0]!.priority = 1));
        expect(task(await store.read(), 1)?.priority).toBe(1);
        expect(read()).toMatchObject({ revision: 3 });
        expect((await store.log()).at(-1)).toMatchObject({
          agent: 'leader',
          event: 'edit',
          message: expect.stringContaining('by hand') as string,
        });
      });

      test('is merged with what happened since, task by task and field by field', async () => {
        const old = read();
        await store.claim({ worker: 'w' });
        await store.editTask({ task_id: 'task-002', priority: 2 });
        save((board) => {
          board.tasks[0]!.context.hints = 'by hand';
          board.tasks[1]!.context.files.push('by-hand.ts');
          board.tasks.push({ ...board.tasks[2]!, id: 'mine', description: 'four' });
          (board.tasks[2] as Record<string, unknown>)['note_of_mine'] = { kept: true };
        }, old);
        const board = await store.read();
        expect(board.tasks).toMatchObject([
          { claimed_by: 'w', context: { hints: 'by hand' } },
          { priority: 2, context: { files: ['by-hand.ts'] } },
          { note_of_mine: { kept: true } },
          { id: 'mine', description: 'four' },
        ]);
        expect(rejected()).toEqual([]);
      });

      test('that contradicts what happened since is kept in rejected/, and said so', async () => {
        const old = read();
        await store.claim({ worker: 'w' });
        save((board) => Object.assign(board.tasks[0]!, { status: 'claimed', claimed_by: 'me' }), old);
        expect(task(await store.read(), 1)).toMatchObject({ claimed_by: 'w' });
        expect(rejected().length).toBe(1);
        expect(readFileSync(join(dir, 'rejected', rejected()[0]!), 'utf8')).toContain('"me"');
        expect(notices.join()).toMatch(/task-001: status or claim was changed on both sides/);
        expect(task(read(), 1)).toMatchObject({ claimed_by: 'w' });
      });

      test('whose base is long gone is kept in rejected/', async () => {
        const old = read();
        for (let i = 0; i < 60; i++) await store.editTask({ task_id: 'task-002', priority: (i % 10) + 1 });
        save((board) => (board.tasks[0]!.description = 'too late'), old);
        await store.read();
        expect(rejected().length).toBe(1);
      });

      test('that claims by hand counts as an attempt and gets a lease', async () => {
        save((board) => Object.assign(board.tasks[0]!, { status: 'claimed', claimed_by: 'agent' }));
        const board = await store.read();
        expect(task(board, 1)).toMatchObject({
          claimed_by: 'agent',
          attempt: 1,
          claimed_at: expect.any(String) as string,
          lease_expires_at: expect.any(String) as string,
        });
        expect((await store.complete({ worker: 'agent', task_id: 'task-001', output: 'x' })).task.status).toBe('done');
      });

      test('that deletes the last task does not free its id', async () => {
        save((board) => board.tasks.pop());
        const { tasks } = await store.addTasks({ tasks: [{ description: 'next' }] });
        expect(tasks[0]?.id).toBe('task-004');
      });

      test('that only changes the layout is put back without a new revision', async () => {
        const before = readFileSync(file, 'utf8');
        save(() => {});
        await store.claim({ worker: 'w' });
        await store.release({ worker: 'w', task_id: 'task-001' });
        expect(read().revision).toBe((JSON.parse(before) as Board).revision + 2);
        expect(readFileSync(file, 'utf8')).toContain('\n    {\n      "id": "task-001",');
      });

      test('a file with nothing but the plain fields loads, with defaults', async () => {
        writeFileSync(
          file,
          '{"tasks":[{"id":"a","description":"A"},{"id":"b","description":"B","dependencies":["a"],"status":"available","claimed_by":null,"priority":1}]}',
        );
        rmSync(join(dir, '.commits'), { recursive: true });
        const board = await (await open(dirname(dir), {})).read();
        expect(board.tasks).toMatchObject([
          { id: 'a', priority: 5, status: 'available', attempt: 0, max_attempts: 3, context: { files: [], hints: '' } },
          { id: 'b', priority: 1, dependencies: ['a'] },
        ]);
        expect((await (await open(dirname(dir), {})).claim({ worker: 'w' })).task?.id).toBe('a');
      });
    });

    describe('a damaged tasks.json', () => {
      test.each([
        ['missing', () => undefined],
        ['empty', () => ''],
        ['only NULs, as after a power cut', () => '\0\0\0\0'],
        ['cut short, as after a power cut', (whole: string) => whole.slice(0, 200)],
        ['cut short and filled with NULs', (whole: string) => `${whole.slice(0, 300)}${'\0'.repeat(100)}`],
      ])('%s: the newest commit is put back', async (_, damage) => {
        const before = readFileSync(file, 'utf8');
        const text = damage(before);
        if (text === undefined) rmSync(file);
        else writeFileSync(file, text);
        expect((await store.read()).tasks.length).toBe(3);
        expect(readFileSync(file, 'utf8')).toBe(before);
      });

      test.each([
        [
          'an edit cut short',
          (text: string) => text.replace('"one"', '"another"').slice(0, 400),
          /tasks\.json, line \d+, column \d+: .*expected/,
        ],
        [
          'git conflict',
          (text: string) => text.replace('  "tasks"', '<<<<<<< HEAD\n  "tasks"'),
          /git left conflict markers/,
        ],
        [
          'a wrong field',
          (text: string) => text.replace('"priority": 5', '"priority": "high"'),
          /line \d+, column 19, tasks\[0\]\.priority \(task-001\): expected (number|int)/,
        ],
        [
          'an unknown dependency',
          (text: string) => text.replace('"dependencies": []', '"dependencies": ["nope"]'),
          /tasks\[0\]\.dependencies\[0\] \(task-001\): there is no task "nope"/,
        ],
        [
          'two tasks of one id',
          (text: string) => text.replaceAll('"task-002"', '"task-001"'),
          /two tasks have the id "task-001"/,
        ],
        [
          'claimed by nobody',
          (text: string) => text.replace('"available"', '"claimed"'),
          /a claimed task must name its worker/,
        ],
        ['no tasks', () => '{"version":1}', /tasks: expected array/],
      ])('%s: read and write refuse, and touch nothing', async (_, damage, message) => {
        writeFileSync(file, damage(readFileSync(file, 'utf8')));
        const before = readFileSync(file, 'utf8');
        const commits = readdirSync(join(dir, '.commits'));
        const refused = expect.objectContaining({
          code: 'tasks-malformed',
          message: expect.stringMatching(message) as string,
        });
        await expect(store.read()).rejects.toEqual(refused);
        await expect(store.claim({ worker: 'w' })).rejects.toEqual(refused);
        expect(readFileSync(file, 'utf8')).toBe(before);
        expect(readdirSync(join(dir, '.commits'))).toEqual(commits);
      });

      test('an editor half-way through a save is waited for', async () => {
        const text = readFileSync(file, 'utf8').replace('"one"', '"saved slowly"');
        writeFileSync(file, text.slice(0, 100));
        const reading = store.read();
        setTimeout(() => writeFileSync(file, text), 60);
        expect(task(await reading, 1)?.description).toBe('saved slowly');
      });

      test('a newer version of the format is refused, not misread', async () => {
        writeFileSync(file, readFileSync(file, 'utf8').replace('"version": 1', '"version": 2'));
        await expect(store.read()).rejects.toEqual(expect.objectContaining({ code: 'version-unsupported' }));
      });

      test('a restored backup with a higher revision is the newer truth', async () => {
        await store.addTasks({ tasks: [{ description: 'later' }] });
        const newest = readFileSync(file, 'utf8');
        rmSync(join(dir, '.commits'), { recursive: true });
        writeFileSync(file, newest);
        expect((await store.read()).tasks.length).toBe(4);
        expect((await store.addTasks({ tasks: [{ description: 'x' }] })).tasks[0]?.id).toBe('task-005');
      });
    });
  });
}
