/** What people type, as the built binary takes it: lists, names from the environment, slips, undo, reopen, archive, the editor. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Ran, Rig } from '../../support/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = new Rig();
  await rig.ok(['leader', 'init', 'Goal']);
});

const ids = async (args: string[]): Promise<string[]> =>
  (await rig.json<{ tasks: { id: string }[] }>(args)).tasks.map(({ id }) => id);

describe('lists', () => {
  test('commas, repetition, brackets; never the word behind', async () => {
    await rig.ok([
      'leader',
      'add-task',
      '-f',
      'a.ts,b.ts',
      '-f',
      'app/(x,y)/c.ts',
      '-f',
      'src/{d,e}.ts',
      '-t',
      'x,y',
      'Create X',
    ]);
    expect(rig.board().tasks[0]).toMatchObject({
      description: 'Create X',
      tags: ['x', 'y'],
      context: { files: ['a.ts', 'b.ts', 'app/(x,y)/c.ts', 'src/{d,e}.ts'] },
    });
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'done', 'w', 'task-001', '-m', 'a.ts', '-c', 'n.ts,o.ts', 'Done']);
    expect(await rig.json(['leader', 'show', 'task-001'])).toMatchObject({
      result: { output: 'Done', files_modified: ['a.ts'], files_created: ['n.ts', 'o.ts'] },
    });
  });

  test('what used to be a list of words is refused, and says how', async () => {
    const ran = await rig.coord(['leader', 'add-task', 'X', '-f', 'a.ts', 'b.ts']);
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('lists take commas') as string });
    expect(rig.board().tasks).toEqual([]);
  });

  test('an exclusive task with a pattern keeps others off what it names', async () => {
    await rig.ok(['leader', 'add-task', 'A', '-f', 'web/**/*.ts', '--exclusive']);
    await rig.ok(['leader', 'add-task', 'B', '-f', 'web/x/y.ts']);
    await rig.ok(['leader', 'add-task', 'C', '-f', 'web/x/y.css']);
    await rig.ok(['worker', 'claim', 'w1']);
    expect(await rig.ok(['worker', 'claim', 'w2'])).toContain('task-003 claimed by w2');
    expect((await rig.coord(['worker', 'claim', 'w3'])).code).toBe(3);
  });
});

describe('COORD_WORKER', () => {
  const env = { COORD_WORKER: 'w7' };
  test('stands for the name wherever one is asked', async () => {
    await rig.ok(['leader', 'add-task', 'one']);
    await rig.ok(['leader', 'add-task', 'two']);
    expect(await rig.ok(['worker', 'claim'], { env })).toContain('task-001 claimed by w7');
    expect(await rig.ok(['worker', 'heartbeat'], { env })).toContain('task-001');
    await rig.ok(['worker', 'discover', 'found it', '-t', 'x'], { env });
    await rig.ok(['worker', 'done', 'task-001', 'did it', '-m', 'a.ts'], { env });
    expect(rig.board().tasks[0]).toMatchObject({ status: 'done', claimed_by: 'w7' });
    expect(await rig.ok(['worker', 'claim', 'task-002'], { env })).toContain('task-002 claimed by w7');
    expect(await rig.ok(['worker', 'fail', 'task-002', 'no', '--no-retry'], { env })).toContain('failed');
    expect(await rig.json(['leader', 'discoveries'])).toMatchObject({ discoveries: [{ worker: 'w7', tags: ['x'] }] });
  });

  test('a name that is given wins, and nothing is stored twice', async () => {
    await rig.ok(['leader', 'add-task', 'one']);
    expect(await rig.ok(['worker', 'claim', 'other'], { env })).toContain('claimed by other');
    await rig.ok(['worker', 'done', 'other', 'task-001', 'x', '-m', 'a.ts'], { env });
    expect(await rig.json(['leader', 'show', 'task-001'])).toMatchObject({ result: { files_modified: ['a.ts'] } });
  });

  test('worker run takes it too', async () => {
    await rig.ok(['leader', 'add-task', 'one']);
    await rig.ok(['worker', 'run', '--', process.execPath, '-e', 'console.log("did it")'], { env });
    expect(rig.board().tasks[0]).toMatchObject({ status: 'done', claimed_by: 'w7' });
  });
});

describe('slips', () => {
  test.each([
    [['claim'], 'Did you mean coord worker claim?'],
    [['add-task'], 'Did you mean coord leader add-task?'],
    [['stauts'], 'Did you mean coord status, or coord leader status'],
    [['leader', 'claim'], 'Did you mean coord worker claim?'],
    [['worker', 'hartbeat'], 'Did you mean coord worker heartbeat?'],
    [['zzzzzzzzzz'], 'coord --help'],
  ])('coord %j', async (args, hint) => {
    expect(await rig.coord(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(hint) as string });
  });

  test('alone, coord shows the board; without one, what there is', async () => {
    await rig.ok(['leader', 'add-task', 'only one']);
    expect(await rig.ok([])).toContain('only one');
    expect(await rig.ok(['status'])).toContain('only one');
    expect(await new Rig().ok([])).toContain('Usage: coord');
  });
});

describe('undo', () => {
  const add = (text: string, ...more: string[]): Promise<string> => rig.ok(['leader', 'add-task', text, ...more]);

  test('of an addition, an edit, a cancellation, a reopening; log names it; ids are not used again', async () => {
    await add('a');
    await add('b');
    expect((await rig.coord(['log'])).stderr).toContain('coord leader undo takes back: added task-002');
    expect(await rig.ok(['leader', 'undo'])).toBe('taken back: added task-002\n');
    await add('c');
    expect(await ids(['leader', 'list'])).toEqual(['task-001', 'task-003']);
    await rig.ok(['leader', 'edit', 'task-001', '-p', '1', '--hints', 'H']);
    await rig.ok(['leader', 'undo']);
    expect(rig.board().tasks[0]).toMatchObject({ priority: 5, context: { hints: '' } });
    await rig.ok(['leader', 'cancel', 'task-001', 'task-003']);
    await rig.ok(['leader', 'undo']);
    expect(rig.board().tasks.map(({ status }) => status)).toEqual(['available', 'available']);
    expect(await rig.coord(['leader', 'undo'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('nothing to take back') as string,
    });
  });

  test('refused, and nothing changed, where somebody has gone on from it', async () => {
    await add('a');
    await rig.ok(['worker', 'claim', 'w']);
    const before = rig.board();
    expect(await rig.coord(['leader', 'undo'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('task-001 has been claimed since') as string,
    });
    expect(rig.board()).toEqual(before);
    await rig.ok(['worker', 'done', 'w', 'task-001', 'x']);
    await rig.ok(['leader', 'reopen', 'task-001']);
    await rig.ok(['worker', 'claim', 'w']);
    expect((await rig.coord(['leader', 'undo'])).stderr).toContain('task-001 has changed since');
  });

  test('a claim that was taken away comes back to its worker', async () => {
    await add('a');
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['leader', 'release', 'task-001']);
    await rig.ok(['leader', 'undo']);
    expect(rig.board().tasks[0]).toMatchObject({ status: 'claimed', claimed_by: 'w' });
  });
});

test('reopen, retry --cascade, cancel --cascade of a failed one', async () => {
  await rig.ok(['leader', 'add-task', 'a', '--max-attempts', '1']);
  await rig.ok(['leader', 'add-task', 'b', '-d', 'task-001']);
  await rig.ok(['worker', 'claim', 'w']);
  await rig.ok(['worker', 'fail', 'w', 'task-001', 'no']);
  await rig.ok(['leader', 'cancel', 'task-001', '--cascade']);
  expect(rig.board().tasks.map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  await rig.ok(['leader', 'retry', 'task-001', '--cascade']);
  expect(rig.board().tasks.map(({ status }) => status)).toEqual(['available', 'available']);
  await rig.ok(['worker', 'claim', 'w']);
  await rig.ok(['worker', 'done', 'w', 'task-001', 'x']);
  await rig.ok(['worker', 'claim', 'w']);
  expect((await rig.coord(['leader', 'reopen', 'task-001'])).stderr).toContain('left as they are: task-002');
  expect(await rig.coord(['leader', 'reopen', 'task-002'])).toMatchObject({ code: 4 });
});

test('archive: off the board, and found by show, list, dependencies, results, aggregate, import', async () => {
  rig.write(
    't.json',
    '[{"key":"a","description":"A"},{"key":"b","description":"B","dependencies":["a"]},{"description":"C"}]',
  );
  await rig.ok(['leader', 'import', 't.json']);
  for (const id of ['task-001', 'task-003']) {
    await rig.ok(['worker', 'claim', 'w', id]);
    await rig.ok(['worker', 'done', 'w', id, `did ${id}`]);
  }
  await rig.ok(['leader', 'archive', '--dry-run']);
  expect(rig.board().tasks).toHaveLength(3);
  expect(await rig.ok(['leader', 'archive'])).toBe('2 tasks archived\n');
  expect(rig.board().tasks.map(({ id }) => id)).toEqual(['task-002']);
  expect(await ids(['leader', 'list', '--archived'])).toEqual(['task-001', 'task-003']);
  expect(await rig.ok(['leader', 'show', 'task-001'])).toContain('did task-001');
  expect(await rig.ok(['leader', 'results', 'task-003'])).toContain('did task-003');
  expect(await rig.ok(['worker', 'claim', 'v'])).toContain('Needs: task-001 done');
  await rig.ok(['leader', 'add-task', 'later', '-d', 'task-003']);
  expect(await rig.ok(['worker', 'claim', 'u'])).toContain('task-004 claimed by u');
  expect(await rig.ok(['leader', 'aggregate'])).toContain('2/4 done');
  expect(await rig.ok(['leader', 'import', 't.json'])).toContain('0 tasks added, 3 there already');
  expect(await rig.ok(['doctor'])).not.toContain('BAD');
  // A hand edit of a board whose tasks depend on archived ones is merged like any other.
  rig.write('.coordination/tasks.json', JSON.stringify(rig.board()).replace('"later"', '"much later"'));
  expect(await rig.ok(['leader', 'show', 'task-004'])).toContain('much later');
  await rig.ok(['worker', 'done', 'v', 'task-002', 'x']);
  await rig.ok(['leader', 'archive']);
  expect(rig.board()['archived']).toEqual({ count: 3, done: '1-3' });
});

test('list: several statuses, a worker, a search, an order, all of it, and what was cut', async () => {
  for (const [i, text] of ['alpha', 'beta', 'gamma'].entries())
    await rig.ok(['leader', 'add-task', text, '-p', String(9 - i)]);
  await rig.ok(['worker', 'claim', 'w', 'task-002']);
  expect(await ids(['leader', 'list', '--status', 'claimed,available'])).toHaveLength(3);
  expect(await ids(['leader', 'list', '--worker', 'w'])).toEqual(['task-002']);
  expect(await ids(['leader', 'list', '--search', 'AMM'])).toEqual(['task-003']);
  expect(await ids(['leader', 'list', '--sort', 'priority'])).toEqual(['task-003', 'task-002', 'task-001']);
  expect(await rig.json(['leader', 'list', '-n', '1'])).toMatchObject({
    total: 3,
    truncated: true,
    tasks: [{ state: 'available' }],
  });
  expect(await rig.json(['leader', 'list', '-n', '1', '--all'])).toMatchObject({ total: 3, truncated: false });
});

test('what is archived is not changed, and not taken for another', async () => {
  await rig.ok(['leader', 'add-task', 'one']);
  await rig.ok(['leader', 'add-task', 'two']);
  await rig.ok(['worker', 'claim', 'w', 'task-001']);
  await rig.ok(['worker', 'done', 'w', 'task-001', 'ok']);
  await rig.ok(['leader', 'cancel', 'task-002']);
  await rig.ok(['leader', 'archive']);
  expect(await rig.coord(['leader', 'reopen', 'task-001'])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('task-001 is done, and in the archive'),
  });
  expect((await rig.coord(['leader', 'retry', 'task-002'])).stderr).toContain('coord leader list --archived');
  expect((await rig.coord(['leader', 'retry', 'task-009'])).stderr).not.toContain('archive');
  expect((await rig.coord(['leader', 'add-task', 'three', '-d', 'task-002'])).stderr).toContain('not done, or gone');
  expect(await rig.coord(['leader', 'undo'])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('What was done last cannot be taken back: archived 2 tasks.'),
  });
  expect((await rig.coord(['log'])).stderr).not.toContain('undo');
  await rig.ok(['leader', 'add-task', 'three', '-d', 'task-001']);
  expect(await rig.ok(['leader', 'graph', '--format', 'mermaid'])).not.toContain('-->');
  expect(await rig.json(['leader', 'graph'])).toMatchObject({ edges: [] });
});

test('a file is written into a folder that is there', async () => {
  const ran = await rig.coord(['leader', 'aggregate', '-o', 'no/such/file.md']);
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no folder') });
});

describe('edit --editor', () => {
  test('changes what was changed, and nothing where the editor fails', async () => {
    await rig.ok(['leader', 'add-task', 'old text', '--hints', 'H', '-f', 'a.ts']);
    const script = join(rig.cwd, 'editor.sh');
    writeFileSync(script, `sed -i -e 's/old text/new text/' -e 's/priority: 5/priority: 2/' "$1"`, { mode: 0o755 });
    await rig.ok(['leader', 'edit', 'task-001', '--editor'], { env: { EDITOR: `sh ${script}`, VISUAL: '' } });
    expect(rig.board().tasks[0]).toMatchObject({
      description: 'new text',
      priority: 2,
      context: { files: ['a.ts'], hints: 'H' },
    });
    const failing = { env: { EDITOR: 'false', VISUAL: '' } };
    expect(await rig.coord(['leader', 'edit', 'task-001', '--editor'], failing)).toMatchObject({ code: 1 });
    expect(await rig.ok(['leader', 'edit', 'task-001', '--editor'], { env: { EDITOR: 'true', VISUAL: '' } })).toBe(
      'task-001 unchanged\n',
    );
    expect(
      await rig.coord(['leader', 'edit', 'task-001', '--editor'], { env: { EDITOR: 'no-such-editor', VISUAL: '' } }),
    ).toMatchObject({ code: 1 });
  });

  test('keeps what was typed where it is refused; commas and lines of dashes survive; takes no other option', async () => {
    await rig.ok(['leader', 'add-task', 'text\n--- hints ---\nmore', '-f', 'a\\,b.ts,c.ts']);
    const edit = (script: string): Promise<Ran> =>
      rig.coord(['leader', 'edit', 'task-001', '--editor'], {
        env: { EDITOR: `sed -i -e '${script}'`, VISUAL: '' },
      });
    expect(await edit('s/priority: 5/priority: 3/')).toMatchObject({ code: 0 });
    expect(rig.board().tasks[0]).toMatchObject({
      description: 'text\n--- hints ---\nmore',
      priority: 3,
      context: { files: ['a,b.ts', 'c.ts'], hints: '' },
    });
    const refused = await edit('s/priority: 3/priority: 99/');
    expect(refused.code).toBe(2);
    const file = /what you typed is kept in (\S+)/.exec(refused.stderr)?.[1] ?? '';
    expect(readFileSync(file, 'utf8')).toContain('priority: 99');
    rmSync(dirname(file), { recursive: true });
    expect(await rig.coord(['leader', 'edit', 'task-001', '--editor', '-p', '1'])).toMatchObject({ code: 2 });
  });
});

describe('completion of values', () => {
  const at = async (...words: string[]): Promise<string[]> =>
    (await rig.ok(['complete', '--', 'coord', ...words]))
      .split('\n')
      .map((line) => line.split('\t')[0] ?? '')
      .filter((word) => word !== '');

  test('commands, options, tasks by what is done to them, workers, values, files', async () => {
    await rig.ok(['leader', 'add-task', 'a', '-t', 'db']);
    await rig.ok(['leader', 'add-task', 'b']);
    await rig.ok(['worker', 'claim', 'w1', 'task-001']);
    expect(await at('lea')).toEqual(['leader']);
    expect(await at('leader', 'st')).toEqual(['status']);
    expect(await at('leader', 'show', '')).toEqual(['task-001', 'task-002']);
    expect(await at('worker', 'claim', '')).toEqual(['w1']);
    expect(await at('worker', 'claim', 'w1', '')).toEqual(['task-002']);
    expect(await at('worker', 'done', 'w1', '')).toEqual(['task-001']);
    expect(await at('leader', 'list', '--status', 'cl')).toEqual(['claimed', 'claimable']);
    expect(await at('leader', 'list', '--tag', '')).toEqual(['db']);
    expect(await at('leader', 'graph', '--format', '')).toEqual(['text', 'mermaid', 'dot']);
    expect(await at('leader', 'add-task', '-f', '')).toEqual([':files']);
    expect(await at('completion', '')).toEqual(['bash', 'zsh', 'fish', 'powershell']);
    expect(await at('leader', 'archive', '--ol')).toEqual(['--older-than']);
  });

  test('without a board: no error, just less', async () => {
    expect(await new Rig().coord(['complete', '--', 'coord', 'leader', 'show', ''])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });
});

test('leader wait tells a program what came of it', async () => {
  await rig.ok(['leader', 'add-task', 'a']);
  await rig.ok(['leader', 'cancel', 'task-001']);
  const command = `cat > seen.json; echo "$COORD_EVENT" > event.txt`;
  await rig.ok(['leader', 'wait', '--on-event', command]);
  expect(rig.read('event.txt')).toBe('settled\n');
  expect(JSON.parse(rig.read('seen.json'))).toMatchObject({ event: 'settled', counts: { cancelled: 1 } });
  expect((await rig.coord(['leader', 'wait', '--on-event', 'exit 3'])).stderr).toContain('ended with exit code 3');
  await rig.ok(['leader', 'add-task', 'b']);
  const patience = await rig.coord(['leader', 'wait', '--timeout', '1s', '--on-event', command]);
  expect([patience.code, rig.read('event.txt')]).toEqual([5, 'timed-out\n']);
  await rig.ok(['worker', 'claim', 'w']);
  await rig.ok(['worker', 'fail', 'w', 'task-002', 'no way', '--no-retry']);
  expect(await rig.coord(['leader', 'wait', '--on-event', command])).toMatchObject({ code: 1 });
  expect(rig.read('event.txt')).toBe('failed\n');
});

test('the timeline, in three forms and in the summary', async () => {
  await rig.ok(['leader', 'add-task', 'a']);
  expect(await rig.ok(['leader', 'timeline'])).toBe('Nobody has claimed a task yet.\n');
  await rig.ok(['worker', 'claim', 'w']);
  await rig.ok(['worker', 'release', 'w', 'task-001', 'later']);
  await rig.ok(['worker', 'claim', 'v']);
  await rig.ok(['worker', 'done', 'v', 'task-001', 'x']);
  expect(await rig.json(['leader', 'timeline'])).toMatchObject({
    lanes: [
      { worker: 'v', spans: [{ task_id: 'task-001', end: 'done' }] },
      { worker: 'w', spans: [{ task_id: 'task-001', end: 'given back' }] },
    ],
  });
  expect(await rig.ok(['leader', 'timeline'])).toMatch(/^v +\|.*=.*\|/);
  expect(await rig.ok(['leader', 'timeline', '--format', 'mermaid'])).toMatch(
    /gantt[^]*section v\n {2}task-001 done :done, /,
  );
  const svg = await rig.ok(['leader', 'timeline', '--format', 'svg']);
  expect(svg).toMatch(/^<svg [^]*<\/svg>\n$/);
  expect(svg).not.toMatch(/script|href/);
  expect(await rig.ok(['leader', 'aggregate', '-o', '-'])).toContain('```mermaid\ngantt');
});
