/** Lists of other tools: what each becomes, what is skipped and why, and where what is wrong is said to be. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ImportOptions, readTaskFile } from '../../src/formats/task-file.ts';
import type { TaskFile } from '../../src/formats/new-tasks.ts';
import { emptyBoard } from '../../src/model/board.ts';
import { addTasks } from '../../src/model/verbs/add-tasks.ts';
import { board as boardOf, task } from '../support/boards.ts';

const FIXTURES = fileURLToPath(new URL('fixtures/', import.meta.url));
const NOW = '2026-01-01T00:00:00.000Z';

async function readText(bytes: string | Buffer, options: ImportOptions = {}, board = emptyBoard()): Promise<TaskFile> {
  const readStdin = (): Promise<Buffer> => Promise.resolve(Buffer.from(bytes as string));
  return readTaskFile({ cwd: FIXTURES, file: '-', readStdin }, board, options);
}

async function read(file: string, options: ImportOptions = {}, board = emptyBoard()): Promise<TaskFile> {
  return readTaskFile({ cwd: FIXTURES, file, readStdin: () => Promise.resolve(Buffer.alloc(0)) }, board, options);
}

/** Tasks as one sees them: `key: description <- keys it waits for`. */
function told({ tasks }: TaskFile): string[] {
  const keyOf = (name: string): string => (name.startsWith('#') ? (tasks[Number(name.slice(1)) - 1]?.key ?? '') : name);
  return tasks.map(
    ({ key, description, dependencies }) =>
      `${key ?? ''}: ${description}${dependencies ? ` <- ${dependencies.map(keyOf).join(' ')}` : ''}`,
  );
}

describe('checklists', () => {
  test('a plan of Kiro: nested boxes are what their item waits for, bullets explain, optional ones hold up nobody', async () => {
    const file = await read('kiro.md');
    expect(told(file)).toEqual([
      '1: Set up the project and its core interfaces',
      '2: Implement the data models <- 2.2',
      '2.2: Implement the User model in src/models/user.ts',
      '2.3: Write unit tests <- 2.2',
      '3: Wire it together',
    ]);
    expect(file.skipped).toEqual({ done: 1 });
    expect(file.tasks[0]?.hints).toBe('- Create folders for models and services\n- _Requirements: 1.1_');
    expect(file.tasks[2]?.files).toEqual(['src/models/user.ts']);
    expect(file.tasks[3]?.tags).toEqual(['optional']);
  });

  test('everything ticked: no task, and how many were done', async () => {
    expect(await read('kiro-done.md')).toMatchObject({ tasks: [], skipped: { done: 4 } });
  });

  test('the tasks of spec-kit: ids, marks, stories, paths, headings; prose and examples are none', async () => {
    const file = await read('spec-kit.md');
    expect(told(file)).toEqual([
      'T002: Configure the linter in `package.json`',
      'T012: Create the Rate model in src/models/rate.py',
      'T013: Add the endpoint in src/api/rates.py <- T012',
    ]);
    expect(file.tasks.map(({ tags }) => tags)).toEqual([
      ['phase-1-setup', 'P'],
      ['phase-2-user-story-1', 'P', 'US1'],
      ['phase-2-user-story-1', 'US1'],
    ]);
    expect(file.tasks.map(({ files }) => files)).toEqual([
      ['package.json'],
      ['src/models/rate.py'],
      ['src/api/rates.py'],
    ]);
    expect(file.skipped).toEqual({ done: 1 });
  });

  test('a byte-order mark, CRLF, front matter, fences, quotes, nesting and every kind of box', async () => {
    const file = await read('crlf.md');
    expect(file.tasks.map(({ description }) => description)).toEqual([
      'Write the docs',
      'the README',
      'quoted',
      'numbered',
      'begun',
      'half',
      'bare',
    ]);
    expect(file.tasks[0]).toMatchObject({ hints: 'for the install\n- mention Windows', dependencies: ['#2'] });
    expect(file.skipped).toEqual({ done: 4 });
    expect(new Set(file.tasks.map(({ key }) => key)).size).toBe(7);
  });

  test('without any box every item is a task; numbers that begin anew under a heading are no ids', async () => {
    const file = await readText('# A\n- one\n- two\n\n# B\n- [ ] 1. three\n');
    expect(file.tasks.map(({ description }) => description)).toEqual(['three']);
    const plain = await readText('# A\n- one\n  more\n- two\n\n# B\n- three\n');
    expect(plain.tasks.map(({ description, hints, tags }) => [description, hints, tags])).toEqual([
      ['one', 'more', ['a']],
      ['two', undefined, ['a']],
      ['three', undefined, ['b']],
    ]);
    const twice = await readText('## A\n- [ ] 1. one\n## B\n- [ ] 1. two\n');
    expect(twice.tasks[0]?.key).toBe('1');
    expect(twice.tasks[1]?.key).toMatch(/^two-[0-9a-f]{8}$/);
  });

  test('what is open inside a done item is open; other marks are open; places count every box', async () => {
    const file = await readText(
      '- [x] Done parent\n  - [ ] Open child\n- [>] moved\n- [ ] last (depends on #2, task-1)\n',
    );
    expect(file.tasks.map(({ description, dependencies }) => [description, dependencies])).toEqual([
      ['Open child', undefined],
      ['moved', undefined],
      ['last', ['#1']],
    ]);
    expect(file.skipped).toEqual({ done: 1 });
  });

  test('wrapped lines are one text, whatever else stands in the brackets is kept, rows of ids are all of them', async () => {
    const file = await readText(
      [
        '- [ ] T001 [Setup] Extend `TemplateVersion` in',
        '      `src/features/template-detail/types.ts` with the variables and the variants of it (depends on',
        '      T003)',
        '- [ ] T002 short',
        '  and why it is',
        '- [ ] T003 three',
        '- [ ] T004 four (depends on T002, same file)',
        '- [ ] T005 five (depends on T001-T003; T004)',
        '- [ ] T006 six',
        '  - Depends on: T005',
        '- [ ] T007 [README](README.md) for it (blocked by: T001 to T002)',
        '',
      ].join('\n'),
    );
    expect(file.tasks.map(({ description, dependencies }) => [description, dependencies])).toEqual([
      [
        'Extend `TemplateVersion` in `src/features/template-detail/types.ts` with the variables and the variants of it',
        ['#3'],
      ],
      ['short', undefined],
      ['three', undefined],
      ['four (depends on T002, same file)', ['#2']],
      ['five', ['#1', '#2', '#3', '#4']],
      ['six', ['#5']],
      ['[README](README.md) for it', ['#1', '#2']],
    ]);
    expect(file.tasks[0]).toMatchObject({ tags: ['Setup'], files: ['src/features/template-detail/types.ts'] });
    expect(file.tasks[1]?.hints).toBe('and why it is');
  });

  test('a number that begins anew under a heading means the one of that heading', async () => {
    const file = await readText(
      '# A\n- [ ] 1. a\n- [ ] 2. b (depends on 1)\n# B\n- [ ] 1. c\n- [ ] 2. d (depends on 1)\n# C\n- [x] 1. e\n- [ ] 2. f (depends on 1)\n',
    );
    expect(file.tasks.map(({ dependencies }) => dependencies)).toEqual([
      undefined,
      ['#1'],
      undefined,
      ['#3'],
      undefined,
    ]);
  });

  test('a dependency that is nowhere is named with its line', async () => {
    await expect(readText('# T\n\n- [ ] T001 one\n- [ ] T002 two (depends on T009)\n')).rejects.toThrow(
      'stdin, line 4 cannot be imported: "two" depends on T009, which is neither in it nor on the board. Nothing was added.',
    );
  });

  test('two that wait for each other are named with their lines', async () => {
    await expect(readText('- [ ] T001 one (depends on T002)\n- [ ] T002 two (depends on T001)\n')).rejects.toThrow(
      /"one" \(line 1\) -> "two" \(line 2\)/,
    );
  });

  test.each([
    ['blank lines', '- [ ] a\n', '\n'],
    ['blanks', '- [ ] a\n', ' '],
    ['lines of blanks', '- [ ] a\n', '   \n'],
    ['one long line', '- [ ] ', 'x'],
    ['one long line of words', '- [ ] ', 'word '],
    ['boxes', '', '- [ ] a\n'],
    ['brackets', '- [ ] ', '['],
    ['stars', '- [ ] ', '*a'],
    ['backticks', '- [ ] ', '`a'],
    ['slashes', '- [ ] ', 'a/'],
    ['dots', '- [ ] ', 'a.'],
  ])('%s: twice as much takes no more than a few times as long', async (_name, start, part) => {
    const timed = async (bytes: number): Promise<number> => {
      const text = `${start}${part.repeat(bytes / part.length)}\n- [ ] z\n`;
      const begin = performance.now();
      await readText(text);
      return performance.now() - begin;
    };
    await timed(1000);
    const small = await timed(25_000);
    // Linear is 4 times; a square would be 16 times and more.
    expect(await timed(100_000)).toBeLessThan(Math.max(small, 40) * 12);
  });
});

describe('trackers', () => {
  test('task-master: subtasks are what their task waits for, ids are numbers or text', async () => {
    const file = await read('task-master.json');
    expect(told(file)).toEqual([
      '2.2: Handlers',
      '2.3: Errors <- 2.2',
      '2: Build the API <- 2.2 2.3',
      '3: Deploy <- 2 2.3',
    ]);
    expect(file.skipped).toEqual({ done: 2, cancelled: 1 });
    expect(file.tasks[2]).toMatchObject({ priority: 2, hints: 'REST\n\nDetails: Express\n\nTest strategy: supertest' });
    expect(file.tasks[3]?.priority).toBe(8);
  });

  test('task-master with several tags: which is meant must be said', async () => {
    const text = JSON.stringify({
      master: { tasks: [{ id: 1, title: 'a' }], metadata: {} },
      auth: { tasks: [{ id: 1, title: 'b' }], metadata: {} },
    });
    await expect(readText(text)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching('master, auth') as string,
    });
    await expect(readText(text, { tagOf: 'no' })).rejects.toThrow('no tag "no", but master, auth');
    expect(told(await readText(text, { tagOf: 'auth' }))).toEqual(['1: b']);
    expect(told(await readText(text, { tagOf: 'auth', prefix: 'auth-' }))).toEqual(['auth-1: b']);
  });

  test('beads: only what blocks is waited for; what is closed or no issue is skipped', async () => {
    const file = await read('beads.jsonl');
    expect(told(file)).toEqual(['shop-a1b: Cart total <- shop-c3d', 'shop-c3d: Price model', 'shop-epic: Shop']);
    expect(file.tasks.map(({ priority }) => priority)).toEqual([1, 9, 5]);
    expect(file.tasks[0]?.tags).toEqual(['cart', 'good-first', 'bug']);
    expect(file.tasks[0]?.hints).toBe(
      'Sum of lines\n\nAcceptance criteria: tests pass\n\nDesign: a fold\n\nNotes: see shop-x',
    );
    expect(file.skipped).toEqual({ closed: 1, 'without a title': 1 });
    expect(file.notes).toEqual(['1 dependency is neither in beads.jsonl nor on the board, and left out.']);
  });

  test('issues of GitHub', async () => {
    const file = await read('gh.json');
    expect(told(file)).toEqual(['gh-12: Login fails', 'gh-13: Add logout']);
    expect(file.tasks[0]).toMatchObject({
      hints: 'It fails with 500\n\nhttps://example.test/12',
      tags: ['good-first-issue', 'area-ui'],
    });
    expect(file.skipped).toEqual({ closed: 1 });
  });

  test('an issue under another title is the same issue', async () => {
    const { board = emptyBoard() } = addTasks(emptyBoard(), { tasks: (await read('gh.json')).tasks }, NOW);
    const renamed = readFileSync(join(FIXTURES, 'gh.json'), 'utf8').replace('Login fails', 'Login is broken');
    const { tasks } = await readText(renamed, {}, board);
    expect(addTasks(board, { tasks }, NOW).answer.added).toBe(0);
  });

  test('Backlog.md, a folder and one file of it', async () => {
    const file = await read('backlog');
    expect(told(file)).toEqual(['task-6: Session store', 'task-7: Add a logout button <- task-6']);
    expect(file.tasks[1]).toMatchObject({ priority: 2, tags: ['ui'], files: ['src/header.ts'] });
    expect(file.tasks[1]?.hints).toMatch(/A button in the header\.[^]*#1 clicking it/);
    expect(file.skipped).toEqual({ done: 1 });
    const one = await read('backlog/task-7 - Add-logout.md');
    expect(told(one)).toEqual(['task-7: Add a logout button']);
    expect(one.notes).toHaveLength(1);
  });

  test('the task list of Claude Code', async () => {
    const file = await read('claude');
    expect(told(file)).toEqual(['2: Write the fix', '10: Release <- 2']);
    expect(file.skipped).toEqual({ done: 1 });
  });

  test('what tools leave behind: a log line in an id, a former prefix, a word that every object has, nothing found', async () => {
    const beads = await readText(
      [
        { id: 'bd-1', title: 'one', priority: 1, issue_type: 'task', labels: ['epic:bd-9', 'sprint:2'] },
        {
          id: 'bd-2',
          title: 'two',
          priority: 1,
          issue_type: 'task',
          dependencies: [{ issue_id: 'bd-2', depends_on_id: 'bd-1\n2026-02-16 INFO sync', type: 'blocks' }],
        },
      ]
        .map((issue) => JSON.stringify(issue))
        .join('\n'),
    );
    expect(beads.tasks.map(({ dependencies }) => dependencies)).toEqual([undefined, ['#1']]);
    expect(beads.tasks[0]?.tags).toEqual(['epic-bd-9', 'sprint-2', 'task']);
    const page = (id: string, status: string, needs: string): { name: string; text: string } => ({
      name: `${id}.md`,
      text: `---\nid: ${id}\ntitle: 'CLI: ${id}'\nstatus: ${status}\ndependencies:${needs}\npriority: medium\n---\n\n## Description\n\n<!-- SECTION:DESCRIPTION:BEGIN -->\nText\n<!-- SECTION:DESCRIPTION:END -->\n`,
    });
    const folder = mkdtempSync(join(tmpdir(), 'coord-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const { name, text } of [
      page('BACK-355.01', 'To Do', ' []'),
      page('BACK-355.02', 'In Progress', '\n  - task-355.01\n  - task-7'),
      page('BACK-7', 'Done', ' []'),
    ])
      writeFileSync(join(folder, name), text);
    const backlog = await readTaskFile(
      { cwd: folder, file: '.', readStdin: () => Promise.resolve(Buffer.alloc(0)) },
      boardOf(),
    );
    expect(backlog.tasks.map(({ key, dependencies }) => [key, dependencies])).toEqual([
      ['back-355.01', undefined],
      ['back-355.02', ['#1']],
    ]);
    expect(backlog.notes).toEqual([]);
    const claude = await readText('{"id":"1","subject":"one","status":"constructor","blockedBy":[]}');
    expect(claude.tasks).toHaveLength(1);
    expect(await readText('[]\n', { from: 'github' })).toMatchObject({ tasks: [], skipped: {} });
  });

  test('a key of the archive names its own text; that of a tracker the issue, whatever its title', async () => {
    const archived = [task('task-001', { status: 'done', key: '1', description: 'one' })];
    const given = (text: string) =>
      readTaskFile({ cwd: '/', file: '-', readStdin: () => Promise.resolve(Buffer.from(text)) }, boardOf(), {
        archived,
      });
    expect(await given('- [ ] 1. one\n')).toMatchObject({ tasks: [], there: ['task-001'] });
    await expect(given('- [ ] 1. another\n')).rejects.toThrow('key "1" is taken by task-001 of the archive (one)');
  });

  test('a folder of anything else is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coord-'));
    mkdirSync(join(folder, 'x'));
    await expect(read(folder)).rejects.toThrow('neither tasks of Backlog.md nor of Claude Code');
  });
});

describe("coord's own", () => {
  test.each([
    ['a list', '[{"description":"a"},{"description":"b","dependencies":["#1"]}]'],
    ['texts', '["a","b"]'],
    ['an object', '{"tasks":[{"id":10,"description":"a"},{"id":20,"description":"b","dependencies":[10]}]}'],
    ['lines', '{"description":"a"}\n{"description":"b"}\n'],
    ['YAML', '# mine\n- description: a\n- description: b\n  dependencies: task-1\n'],
    ['YAML of tasks', 'tasks:\n  - id: x\n    description: a\n  - description: b\n    dependencies: [x]\n'],
    ['a table', 'description,priority,files\na,2,src/a.ts;src/b.ts\n"b",,\n'],
  ])('%s', async (_name, text) => {
    const { tasks } = await readText(text);
    expect(tasks.map(({ description }) => description)).toEqual(['a', 'b']);
    if (/dependencies/.test(text)) expect(tasks[1]?.dependencies).toEqual(['#1']);
    if (/priority/.test(text)) expect(tasks[0]).toMatchObject({ priority: 2, files: ['src/a.ts', 'src/b.ts'] });
    const { board = emptyBoard() } = addTasks(emptyBoard(), { tasks }, NOW);
    const again = await readText(text, {}, board);
    expect(addTasks(board, { tasks: again.tasks }, NOW).answer.added).toBe(0);
  });

  test('words of a title are no ids, prose no dependency, a badge no JSON, a null no issue', async () => {
    const file = await readText(
      '[![CI](x)](y)\n\n- [ ] S3 upload\n- [ ] UTF-8 decoding\n- [ ] 404 page, retry after 3 attempts\n',
    );
    expect(file.tasks.map(({ description }) => description)).toEqual([
      'S3 upload',
      'UTF-8 decoding',
      '404 page, retry after 3 attempts',
    ]);
    expect(await readText('[null]', { from: 'github' })).toMatchObject({
      tasks: [],
      skipped: { 'without a title': 1 },
    });
  });

  test('a place in the list goes before a key on the board', async () => {
    const { board = emptyBoard() } = addTasks(emptyBoard(), { tasks: [{ description: 'other', key: 'task-1' }] }, NOW);
    const { tasks } = await readText('["a", {"description":"b","dependencies":["task-1"]}]', {}, board);
    expect(tasks[1]?.dependencies).toEqual(['#1']);
  });

  test('one key for two texts is refused with both places', async () => {
    await expect(readText('[{"key":"z","description":"a"},{"key":"z","description":"b"}]')).rejects.toThrow(
      /task 2, line 1 .*its key z stands in task 1, line 1 already/,
    );
  });

  test('a table takes commas in a cell too', async () => {
    const { tasks } = await readText('description,files,tags\na,"x.ts,y.ts","p,q"\n');
    expect(tasks[0]).toMatchObject({ files: ['x.ts', 'y.ts'], tags: ['p', 'q'] });
  });

  test('a row of a table is named by its line', async () => {
    await expect(readText('description,priority\n"one\ntwo",1\n\nthree,99\n')).rejects.toThrow('stdin, line 5 cannot');
    await expect(readText('description,priority\n\none,1,2,3\n')).rejects.toThrow('stdin, line 3 cannot');
  });

  test('places count what is skipped too', async () => {
    const { tasks } = await readText(
      '[{"description":"a","status":"done"},{"description":"b"},{"description":"c","dependencies":["#2","#1"]}]',
    );
    expect(tasks[1]?.dependencies).toEqual(['#1']);
  });

  test('the same text twice is two tasks, and the same two when read again', async () => {
    const { tasks } = await readText('- [ ] test\n- [ ] test\n');
    expect(new Set(tasks.map(({ key }) => key)).size).toBe(2);
  });

  test.each([
    [
      'not JSON',
      '[{"description": "a"},\n {"description": "b" "c"}]',
      /stdin, line 2 cannot be imported: it is not JSON .*: "\{"description": "b" "c"\}\]"/,
    ],
    [
      'a line that is not JSON',
      '{"description":"a"}\n{"description":}\n',
      /stdin, line 2 .*it is not JSON: "\{"description":\}"/,
    ],
    [
      'a wrong field',
      '[{"description":"a"},\n{"description":"b","priority":11}]',
      /stdin, task 2, line 2 .*"b": priority: /,
    ],
    ['a misspelt field', '- description: a\n  prioriti: 1\n', /stdin, task 1, line 1 .*unknown field "prioriti"/],
    ['no text', '[1]', /task 1, line 1 .*neither an object nor a text/],
    ['an unknown dependency', '[{"description":"a","dependencies":["x"]}]', /task 1, line 1 .*"a" depends on x/],
    [
      'the same id twice',
      '[{"id":1,"description":"a"},{"id":1,"description":"b"}]',
      /task 2, line 1 .*its id 1 stands in task 1, line 1 already/,
    ],
    ['neither', '{"x":1}', /neither a list of tasks nor an object with "tasks"/],
    ['nothing', ' \n', /it is empty/],
    ['prose', 'Just a text.\n', /neither a list of tasks/],
    ['bad YAML', 'tasks:\n  - description: "a\n', /line \d+ .*it is not YAML/],
  ])('%s: the place, and what stands there', async (_name, text, message) => {
    await expect(readText(text)).rejects.toMatchObject({
      code: 'import-malformed',
      message: expect.stringMatching(message) as string,
    });
  });

  test('what is too long is cut or moved, and said so', async () => {
    const { tasks, notes } = await readText(
      JSON.stringify([{ description: 'x'.repeat(20_000) }, { description: 'b', hints: 'y'.repeat(70_000) }]),
    );
    expect(tasks[0]?.description).toHaveLength(200);
    expect(tasks[0]?.hints).toHaveLength(10_000);
    expect(tasks[1]?.hints).toHaveLength(10_000);
    expect(notes).toHaveLength(3);
  });
});

describe('encodings', () => {
  const text = '- [ ] café menu\n';
  test.each([
    ['UTF-8 with a mark', Buffer.from(`\uFEFF${text}`)],
    ['UTF-16, little end first', Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16, big end first', Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  ])('%s', async (_name, bytes) => {
    expect((await readText(bytes)).tasks[0]?.description).toBe('café menu');
  });

  test('bytes of another one are refused, with the line', async () => {
    await expect(readText(Buffer.from('- [ ] a\n- [ ] caf\xe9\n', 'latin1'))).rejects.toThrow(
      'stdin, line 2 cannot be imported: it holds bytes that are not UTF-8 text',
    );
    await expect(readText(Buffer.from('- [ ] a\0\n'))).rejects.toThrow('it holds a NUL');
    const folder = mkdtempSync(join(tmpdir(), 'coord-'));
    writeFileSync(join(folder, 'x.md'), Buffer.from('- [ ] caf\xe9\n', 'latin1'));
    await expect(read(join(folder, 'x.md'))).rejects.toThrow(/x\.md, line 1/);
  });
});
