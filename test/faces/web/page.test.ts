/** The page in a real browser: what it shows, what a click does, and what it leaves undone. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { HAS_BROWSER, launch, open, show } from '../../support/browser.ts';
import { HAS_POSTGRES, newDatabase } from '../../support/postgres.ts';
import { renameSync } from 'node:fs';
import { Repository } from '../../support/repository.ts';
import { Rig, until } from '../../support/rig.ts';
import { serveWeb } from '../../support/web.ts';

let browser: Browser;
beforeAll(async () => {
  if (HAS_BROWSER) browser = await launch();
});
afterAll(() => browser?.close());

async function begun(...tasks: string[][]): Promise<Rig> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Show it']);
  for (const task of tasks) await rig.ok(['leader', 'add-task', ...task]);
  return rig;
}

/** Ids of the cards, by column, in their order. */
function columnsOf(page: Page): Promise<Record<string, string[]>> {
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('.column')].map((column) => [
        column.getAttribute('aria-label') ?? '',
        [...column.querySelectorAll('.card')]
          .toSorted((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
          .map((card) => card.querySelector('.id')?.textContent ?? ''),
      ]),
    ),
  );
}

/** A way to a server that can be cut, as a sleeping laptop does it. */
async function lineTo(origin: string): Promise<{ origin: string; cut: () => void; mend: () => void }> {
  const { port, hostname } = new URL(origin);
  const sockets = new Set<Socket>();
  let isCut = false;
  const proxy = createServer((socket) => {
    if (isCut) return void socket.destroy();
    const onwards = connect(Number(port), hostname);
    for (const [one, other] of [
      [socket, onwards],
      [onwards, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
    socket.pipe(onwards).pipe(socket);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const end = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    end();
    proxy.close();
  });
  return {
    origin: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true;
      end();
    },
    mend: () => (isCut = false),
  };
}

const column = (page: Page, title: string) => page.locator(`.column[aria-label="${title}"]`);

describe.skipIf(!HAS_BROWSER)('the board', () => {
  const stores = [
    { where: 'files', isSkipped: false },
    { where: 'PostgreSQL', isSkipped: !HAS_POSTGRES },
  ];
  for (const { where, isSkipped } of stores)
    test.skipIf(isSkipped)(`three workers race: two pages show what comes of it, kept in ${where}`, async () => {
      const rig = new Rig();
      const env: Record<string, string> =
        where === 'files' ? {} : { COORD_STORE: `${await newDatabase()}?board=raced` };
      await rig.ok(['leader', 'init', 'Race'], { env });
      const tasks = Array.from({ length: 18 }, (_unused, i) => ({
        description: `task number ${i}`,
        key: `k${i}`,
        dependencies: i < 6 ? [] : [`k${i - 6}`],
        max_attempts: 1,
      }));
      rig.write('tasks.json', JSON.stringify(tasks));
      await rig.ok(['leader', 'import', 'tasks.json'], { env });
      const web = await serveWeb(rig, [], env);
      const tall = { viewport: { width: 1280, height: 3000 } };
      const pages = [await open(browser, web, tall), await open(browser, web, tall)];
      const work = async (worker: string): Promise<void> => {
        for (let i = 0; ; i++) {
          const { stdout } = await rig.coord(['worker', 'claim', worker, '--json'], { env });
          const { task } = JSON.parse(stdout === '' ? '{}' : stdout) as { task?: { id: string } | null };
          if (!task) return;
          // The first one fails each second task: what waits for it is stuck.
          const end =
            worker === 'w1' && i % 2 === 1 ? ['fail', worker, task.id, 'no way'] : ['done', worker, task.id, 'ok'];
          await rig.coord(['worker', ...end], { env });
        }
      };
      await Promise.all(['w1', 'w2', 'w3'].map(work));
      await rig.coord(['worker', 'claim', 'w1'], { env });
      const { tasks: listed } = JSON.parse(await rig.ok(['leader', 'list', '--all', '--json'], { env })) as {
        tasks: { id: string; state: string; priority: number; completed_at: string | null }[];
      };
      const byState = (...states: string[]) => listed.filter(({ state }) => states.includes(state)).map(({ id }) => id);
      const wanted = {
        Waiting: [...byState('stuck'), ...byState('blocked')],
        Claimable: byState('available'),
        Claimed: byState('claimed'),
        'Handed in': byState('submitted'),
        Done: listed
          .filter(({ state }) => state === 'done')
          .toSorted((a, b) => ((a.completed_at ?? '') < (b.completed_at ?? '') ? 1 : -1))
          .map(({ id }) => id),
        'Failed, cancelled': byState('failed'),
      };
      expect(wanted.Done.length).toBeGreaterThan(5);
      expect(wanted['Failed, cancelled'].length).toBeGreaterThan(0);
      for (const { page, faults } of pages) {
        await until(async () => (await columnsOf(page))['Done']?.length === wanted.Done.length, 'the last change');
        const shown = await columnsOf(page);
        expect({ ...shown, 'Failed, cancelled': shown['Failed, cancelled']?.toSorted() }).toEqual(wanted);
        expect(await page.locator('.bar').getAttribute('aria-label')).toContain(
          `${wanted.Done.length} of ${listed.length} tasks done, `,
        );
        expect(faults).toEqual([]);
      }
      // What was claimed again and again: a stream that never stopped telling.
      await rig.ok(['leader', 'add-task', 'the last one'], { env });
      for (const { page } of pages) await column(page, 'Claimable').getByText('the last one').waitFor();
    });

  test('the link leaves the address, and the tab can be loaded again', async () => {
    const rig = await begun(['one']);
    const web = await serveWeb(rig);
    const { page, faults } = await open(browser, web);
    expect(page.url()).toBe(`${web.origin}/#/board`);
    await page.reload();
    await page.waitForSelector('.card');
    const other = await page.context().newPage();
    await other.goto(`${web.origin}/`);
    // Another tab of the same board knows it.
    await other.waitForSelector('.card');
    const alone = await (await browser.newContext()).newPage();
    await alone.goto(`${web.origin}/`);
    await alone.getByText('The link is missing').waitFor();
    await alone.context().close();
    expect(faults).toEqual([]);
  });

  test('what is taken away goes, and comes back in its place', async () => {
    const rig = await begun(['one'], ['two'], ['three']);
    const { page } = await open(browser, await serveWeb(rig));
    await rig.ok(['leader', 'add-task', 'gone soon']);
    await column(page, 'Claimable').getByText('gone soon').waitFor();
    await rig.ok(['leader', 'undo']);
    await column(page, 'Claimable').getByText('gone soon').waitFor({ state: 'detached' });
    expect((await columnsOf(page))['Claimable']).toEqual(['task-001', 'task-002', 'task-003']);
  });

  test('a filter leaves what holds its words', async () => {
    const rig = await begun(['paint the door', '-f', 'src/door.ts'], ['paint the wall'], ['mend the door']);
    const { page } = await open(browser, await serveWeb(rig));
    await page.getByLabel('Filter').fill('door paint');
    await until(async () => (await columnsOf(page))['Claimable']?.length === 1, 'one card');
    await page.getByLabel('Filter').fill('src/door');
    await until(async () => (await columnsOf(page))['Claimable']?.join() === 'task-001', 'that of the file');
  });
});

describe.skipIf(!HAS_BROWSER)('what a click does', () => {
  test('add, edit, and a refusal where it was made', async () => {
    const rig = await begun(['one']);
    const { page, faults } = await open(browser, await serveWeb(rig));
    await page.getByRole('button', { name: 'Add a task' }).click();
    await page.getByLabel('What is to be done').fill('two, from the page');
    await page.getByLabel('Priority').fill('2');
    await page.getByLabel('Needs').fill('task-9');
    await page.getByLabel('Files, one').fill('src/a.ts\nsrc/b.ts');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const refusal = page.locator('dialog [role="alert"]');
    await refusal.waitFor();
    expect(await refusal.textContent()).toContain('task-9');
    expect(rig.board().tasks).toHaveLength(1);
    await page.getByLabel('Needs').fill('task-001');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(rig.board().tasks[1]).toMatchObject({
      description: 'two, from the page',
      priority: 2,
      dependencies: ['task-001'],
      context: { files: ['src/a.ts', 'src/b.ts'], hints: '' },
    });
    await column(page, 'Waiting').getByText('two, from the page').click();
    await page.locator('.pane').getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Hints').fill('look at one first');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.pane').getByText('look at one first').first().waitFor();
    const [, edited] = rig.board().tasks;
    expect(edited).toMatchObject({ context: { hints: 'look at one first' }, priority: 2 });
    expect(edited).not.toHaveProperty('review');
    expect(faults).toEqual([]);
  });

  test('approve, send back, retry, cancel, release, reopen', async () => {
    const rig = await begun(['one', '--review'], ['two', '--max-attempts', '1'], ['three']);
    const { page, faults } = await open(browser, await serveWeb(rig));
    const pane = page.locator('.pane');
    const task = (id: string) => rig.board().tasks.find((one) => one.id === id);
    const button = (name: string) => pane.getByRole('button', { name, exact: true });
    await rig.ok(['worker', 'claim', 'w', 'task-001']);
    await rig.ok(['worker', 'done', 'w', 'task-001', '# Result\n\nLook at `this`.']);
    await page.getByRole('link', { name: 'For you 1' }).click();
    await page.getByRole('link', { name: 'Look at it' }).click();
    await pane.getByText('this', { exact: true }).waitFor();
    await button('Send back …').click();
    await pane.getByLabel('What is wrong').fill('not yet');
    await button('Send back').click();
    await until(() => task('task-001')?.status === 'available', 'it to be sent back');
    await rig.ok(['worker', 'claim', 'w', 'task-001']);
    await rig.ok(['worker', 'done', 'w', 'task-001', 'better']);
    await button('Approve').click();
    await until(() => task('task-001')?.status === 'done', 'it to be approved');
    expect(task('task-001')?.reviewed?.by).toBe('leader');
    await button('Reopen').click();
    await pane.getByRole('button', { name: 'No' }).click();
    expect(task('task-001')?.status).toBe('done');
    await button('Reopen').click();
    await pane.getByRole('button', { name: 'Yes' }).click();
    await until(() => task('task-001')?.status === 'available', 'it to be reopened');

    await rig.ok(['worker', 'claim', 'w', 'task-002']);
    await show(page, 'board/task-002');
    await button('Release').click();
    await pane.getByRole('button', { name: 'Yes' }).click();
    await until(() => task('task-002')?.status === 'available', 'it to be released');
    await rig.ok(['worker', 'claim', 'v', 'task-002']);
    await rig.ok(['worker', 'fail', 'v', 'task-002', 'no way', '--no-retry']);
    await button('Retry').click();
    await until(() => task('task-002')?.status === 'available', 'it to be retried');

    await show(page, 'board/task-003');
    await button('Cancel the task').click();
    await pane.getByRole('button', { name: 'Yes' }).click();
    await until(() => task('task-003')?.status === 'cancelled', 'it to be cancelled');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Take it back' }).click();
    await until(() => task('task-003')?.status === 'available', 'it to be taken back');
    expect(faults).toEqual([]);
  });

  test('what was handed in again is not approved unseen', async () => {
    const rig = new Repository({ 'a.txt': 'before\n' });
    await rig.begin(1, ['--review']);
    rig.commit('task-001', { 'a.txt': 'seen\n' });
    await rig.ok(['worker', 'done', 'w1', 'task-001', 'first']);
    const web = await serveWeb(rig, [], rig.env);
    const first = (await web.call('GET', '/api/task/task-001')).text;
    const { page } = await open(browser, web);
    // What it shows of the task stays what it was.
    await page.route('**/api/task/task-001', (route) =>
      route.fulfill({ contentType: 'application/json', body: first }),
    );
    await show(page, 'board/task-001');
    await page.locator('.pane').getByText('first', { exact: true }).waitFor();
    await web.verb('send-back', { task_id: 'task-001', reason: 'once more' });
    await rig.ok(['worker', 'claim', 'w1', 'task-001']);
    rig.commit('task-001', { 'a.txt': 'unseen\n' }, 2);
    await rig.ok(['worker', 'done', 'w1', 'task-001', 'second']);
    await page.locator('.pane').getByRole('button', { name: 'Approve' }).click();
    await page.locator('.verb [role="alert"]').getByText('was handed in again since you looked at it').waitFor();
    expect(rig.task('task-001').status).toBe('submitted');
  });

  test('an approved branch lands, its diff having been seen', async () => {
    const rig = new Repository({ 'a.txt': 'before\n' });
    await rig.begin(1, ['--review']);
    rig.commit('task-001', { 'a.txt': 'after <b>all</b>\n' });
    await rig.ok(['worker', 'done', 'w1', 'task-001', 'changed it']);
    const { page, faults } = await open(browser, await serveWeb(rig, [], rig.env));
    await show(page, 'board/task-001');
    const pane = page.locator('.pane');
    await pane.getByText('Diff', { exact: true }).click();
    await pane.locator('.diff-added', { hasText: '+after <b>all</b>' }).waitFor();
    await pane.locator('.diff-removed', { hasText: '-before' }).waitFor();
    await pane.getByRole('button', { name: 'Approve' }).click();
    await pane.getByText(/on coord\/main as/).waitFor();
    expect(rig.task('task-001')).toMatchObject({ status: 'done', reviewed: { by: 'leader' } });
    expect(rig.git(['show', 'coord/main:a.txt'])).toBe('after <b>all</b>');
    await show(page, 'timeline');
    await page.locator('.span.is-moment').nth(1).waitFor(); // approved, and landed
    expect(faults).toEqual([]);
  });

  test('why what was approved cannot land is said where it was approved', async () => {
    const rig = new Repository({ 'a.txt': 'before\n' });
    await rig.begin(1, ['--review']);
    rig.commit('task-001', { 'a.txt': 'after\n' });
    await rig.ok(['worker', 'done', 'w1', 'task-001', 'changed it']);
    const { page } = await open(browser, await serveWeb(rig, [], rig.env));
    // Whoever has the board's own branch checked out stands in the way of every landing.
    rig.git(['switch', '--quiet', 'coord/main']);
    await show(page, 'board/task-001');
    await page.locator('.pane').getByRole('button', { name: 'Approve' }).click();
    await page.locator('.pane .refusal', { hasText: 'coord/main' }).waitFor();
    expect(rig.task('task-001')).toMatchObject({ status: 'submitted', reviewed: { by: 'leader' } });
  });

  test('cancelled and retried, with all that wait for it', async () => {
    const rig = await begun(['one'], ['two', '-d', 'task-001'], ['three', '-d', 'task-002']);
    const { page } = await open(browser, await serveWeb(rig));
    await show(page, 'graph/task-001');
    const pane = page.locator('.pane');
    const statuses = (): string =>
      rig
        .board()
        .tasks.map(({ status }) => status)
        .join();
    await pane.getByRole('button', { name: 'Cancel the task' }).click();
    await pane.getByRole('button', { name: 'Yes, and all that wait for it' }).click();
    await until(() => statuses() === 'cancelled,cancelled,cancelled', 'all to be cancelled');
    await pane.getByRole('button', { name: 'Retry' }).click();
    await pane.getByRole('button', { name: 'Yes', exact: true }).click();
    await until(() => statuses() === 'available,cancelled,cancelled', 'one to be retried');
  });

  test('log and discoveries come by themselves, and a filter leaves what fits', async () => {
    const rig = await begun(['one']);
    const { page, faults } = await open(browser, await serveWeb(rig));
    await show(page, 'log');
    await page.getByText('priority 5: one').waitFor();
    await rig.ok(['worker', 'claim', 'w']);
    await page.locator('.log-line', { hasText: 'claim' }).waitFor();
    await page.getByLabel('Filter').fill('w claim');
    await until(async () => (await page.locator('.log-line').count()) === 1, 'one line');
    await page.getByLabel('Filter').fill('');
    await show(page, 'discoveries');
    await page.getByText('Nobody has shared a finding yet.').waitFor();
    await rig.ok(['worker', 'discover', 'w', 'the *first*']);
    await rig.ok(['worker', 'discover', 'w', 'the second']);
    await until(async () => (await page.locator('.discovery').count()) === 2, 'both');
    expect(await page.locator('.discovery').first().textContent()).toContain('the second');
    expect(await page.locator('.discovery em').textContent()).toBe('first');
    await page.getByLabel('Filter').fill('first');
    await until(async () => (await page.locator('.discovery').count()) === 1, 'one of them');
    expect(faults).toEqual([]);
  });

  test('answer, tell, and messages that were seen', async () => {
    const rig = await begun(['one']);
    const { page, faults } = await open(browser, await serveWeb(rig));
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'ask', 'w', 'task-001', 'Which time zone?']);
    await rig.ok(['worker', 'tell', 'w', 'leader', 'I am nearly done']);
    await page.getByRole('link', { name: 'For you 2' }).click();
    expect(await page.title()).toMatch(/^\(2\) Show it/);
    await page.getByLabel('Your answer to w').fill('UTC');
    await page.getByRole('button', { name: 'Answer' }).click();
    await until(() => rig.board().tasks[0]?.questions?.[0]?.answer?.text === 'UTC', 'the answer');
    await page.getByRole('button', { name: 'Seen, up to here' }).click();
    await page.getByText('Nobody waits for you.').waitFor(); // by itself
    expect(await page.title()).toMatch(/^Show it/);
    await page.getByRole('button', { name: 'Tell workers' }).click();
    await page.getByLabel('Message').fill('Ship it today');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await rig.ok(['inbox', 'w'])).toContain('Ship it today');
    expect(faults).toEqual([]);
  });

  test('what was begun is not lost: a draft stays, a form asks first, and another’s change is not written over', async () => {
    const rig = await begun(['one']);
    const web = await serveWeb(rig);
    const { page } = await open(browser, web);
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'ask', 'w', 'task-001', 'Which?']);
    await show(page, 'asks');
    await page.getByLabel('Your answer to w').fill('half an ans');
    await show(page, 'board');
    await page.waitForSelector('.card');
    await show(page, 'asks');
    expect(await page.getByLabel('Your answer to w').inputValue()).toBe('half an ans');
    await page.getByRole('button', { name: 'Add a task' }).click();
    await page.getByLabel('What is to be done').fill('a long text');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Go on' }).click();
    expect(await page.getByLabel('What is to be done').inputValue()).toBe('a long text');
    await page.getByRole('button', { name: 'Close the window' }).click();
    await page.getByRole('button', { name: 'Throw away' }).click();
    await page.locator('dialog').waitFor({ state: 'detached' });

    await show(page, 'board/task-001');
    await page.locator('.pane').getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Hints').fill('mine');
    await rig.ok(['leader', 'edit', 'task-001', '--hints', 'theirs', '-p', '7']);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('dialog [role="alert"]').getByText('Somebody else has changed hints').waitFor();
    expect(rig.board().tasks[0]).toMatchObject({ context: { hints: 'theirs' } });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('task-001 is changed').waitFor();
    expect(rig.board().tasks[0]).toMatchObject({ context: { hints: 'mine' }, priority: 7 });

    await page.getByRole('button', { name: 'Undo' }).click();
    await rig.ok(['leader', 'add-task', 'by another']);
    await page.getByRole('button', { name: 'Take it back' }).click();
    await page.locator('dialog [role="alert"]').getByText('Something else was done meanwhile').waitFor();
    expect(rig.board().tasks).toHaveLength(2);
  });

  test('a check that nobody has allowed here is said on the task', async () => {
    const rig = await begun(['one', '--check', 'npm test']);
    const { page } = await open(browser, await serveWeb(rig));
    await show(page, 'board/task-001');
    await page.locator('.pane').getByText('coord trust check "npm test"').waitFor();
  });

  test('a list is dropped, looked at, and added', async () => {
    const rig = await begun(['one']);
    const { page, faults } = await open(browser, await serveWeb(rig));
    const drop = (name: string, text: string): Promise<void> =>
      page.evaluate(
        ([fileName = '', content = '']) => {
          const data = new DataTransfer();
          data.items.add(new File([content], fileName));
          for (const kind of ['dragover', 'drop'])
            document
              .querySelector('.page')
              ?.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
        },
        [name, text],
      );
    await drop('bad.json', '{"tasks": [{"nothing": 1}]}');
    await page.locator('dialog [role="alert"]').waitFor();
    expect(await page.locator('dialog [role="alert"]').textContent()).toContain('bad.json');
    await page.getByRole('button', { name: 'Close the window' }).click();
    await drop('TODO.md', '- [ ] From a list\n- [ ] And another\n');
    await page.getByRole('button', { name: 'Add 2 tasks' }).click();
    await column(page, 'Claimable').getByText('And another').waitFor();
    expect(rig.board().tasks).toHaveLength(3);
    expect(faults).toEqual([]);
  });

  test('with --read-only there is nothing to click that would change something', async () => {
    const rig = await begun(['one']);
    const { page } = await open(browser, await serveWeb(rig, ['--read-only']));
    await show(page, 'board/task-001');
    await page.locator('.pane .facts-list').waitFor();
    expect(await page.getByRole('button').allTextContents()).toEqual([]);
    expect(await page.locator('.place').textContent()).toContain('only to look at');
  });
});

describe.skipIf(!HAS_BROWSER)('what it does not do', () => {
  const HOSTILE = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(2)>',
    '<img src="http://evil.example/x.png">',
    '![pixel](http://evil.example/pixel.png)',
    '[click](javascript:alert(3))',
    '[elsewhere](http://evil.example/)',
    '<a href="javascript:alert(4)">x</a>',
    '<iframe src="http://evil.example/"></iframe>',
    '<style>body { display: none }</style>',
    '<form action="http://evil.example/"><input name=a></form>',
    '<svg onload=alert(5)><use href="http://evil.example/#a"/></svg>',
    '<h1 id="main">fake</h1>',
    '\u001b[31mred\u001b]0;title\u0007',
    'a \u202egnol eman\u202c b',
    'http://evil.example/bare',
    '```html\n<script>alert(6)</script>\n```',
  ].join('\n\n');

  test('a hostile task is shown as the text that it is', async () => {
    const rig = await begun();
    await rig.ok(['leader', 'add-task', '-', '--hints', HOSTILE, '-f', '<img src=x onerror=alert(7)>'], {
      input: HOSTILE,
    });
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'ask', 'w', 'task-001', HOSTILE]);
    await rig.ok(['worker', 'discover', 'w', HOSTILE]);
    await rig.ok(['worker', 'tell', 'w', 'leader', HOSTILE]);
    await rig.ok(['worker', 'done', 'w', 'task-001', HOSTILE]);
    await rig.ok(['leader', 'add-task', HOSTILE.slice(0, 300), '--max-attempts', '1']);
    await rig.ok(['worker', 'claim', 'w']);
    await rig.ok(['worker', 'fail', 'w', 'task-002', HOSTILE]);
    const web = await serveWeb(rig);
    const { page, faults } = await open(browser, web);
    const ready: Record<string, string> = {
      board: '.card',
      asks: '.ask',
      graph: '.node',
      timeline: '.span',
      log: '.log-line',
      discoveries: '.discovery .markdown',
      'board/task-001': '.pane .part .markdown',
      'board/task-002': '.pane .said',
    };
    for (const [view, element] of Object.entries(ready)) {
      await show(page, view);
      await page.waitForSelector(element);
      for (const details of await page.locator('.pane details').all())
        await details.evaluate((one) => void ((one as HTMLDetailsElement).open = true));
      const found = await page.evaluate(() => ({
        scripts: document.scripts.length,
        foreign: document.querySelectorAll('img, iframe, style, form[action], use, object, embed').length,
        // Whatever leads somewhere leads to a place on this page.
        links: [...document.querySelectorAll('a')]
          .map((link) => link.getAttribute('href') ?? '')
          .filter((href) => !/^#(\/|main$)/.test(href)),
        handlers: [...document.querySelectorAll('*')].filter((one) =>
          one.getAttributeNames().some((name) => name.startsWith('on')),
        ).length,
        mains: document.querySelectorAll('#main').length,
        hidden: getComputedStyle(document.body).display,
        control: ['\u001b', '\u0007', '\u202e'].some((one) => document.body.textContent.includes(one)),
      }));
      expect(found, view).toEqual({
        scripts: 1,
        foreign: 0,
        links: [],
        handlers: 0,
        mains: 1,
        hidden: 'block',
        control: false,
      });
    }
    await show(page, 'board/task-001');
    await page.waitForSelector('.pane .part .markdown');
    const text = (await page.locator('.pane').textContent()) ?? '';
    for (const shown of [
      '<script>alert(1)</script>',
      'http://evil.example/pixel.png',
      'javascript:alert(3)',
      '\\x1b[31m',
    ])
      expect(text).toContain(shown);
    expect(page.url().startsWith(web.origin)).toBe(true);
    expect(faults).toEqual([]);
  });

  test('a text that takes for ever to read, or stands in itself too deep, is shown as it is', async () => {
    const texts = [
      '_a'.repeat(60_000),
      `${'>'.repeat(29_000)} x`,
      `${'- '.repeat(14_500)}x`,
      `${'\t'.repeat(29_000)}x`,
      '['.repeat(29_000),
    ];
    const rig = await begun(...texts.map((_unused, i) => [`task ${i}`]));
    for (const [i, text] of texts.entries()) {
      await rig.ok(['worker', 'claim', 'w', `task-00${i + 1}`]);
      await rig.ok(['worker', 'done', 'w', `task-00${i + 1}`, '-'], { input: `before ${text}` });
    }
    const { page, faults } = await open(browser, await serveWeb(rig));
    await page.evaluate(() => {
      const longest = { ms: 0 };
      Object.assign(globalThis, { longest });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest.ms = Math.max(longest.ms, duration);
      }).observe({ type: 'longtask', buffered: true });
    });
    for (const i of texts.keys()) {
      await show(page, `board/task-00${i + 1}`);
      await page.locator('.pane .part', { hasText: 'before' }).first().waitFor();
    }
    // About a tenth of a second; else it is one or more for each.
    expect(await page.evaluate(() => (globalThis as unknown as { longest: { ms: number } }).longest.ms)).toBeLessThan(
      1000,
    );
    expect(faults).toEqual([]);
  });

  test('no script runs but its own, whatever gets into it', async () => {
    const { page } = await open(browser, await serveWeb(await begun(['one'])));
    const ran = await page.evaluate(async () => {
      const tried: string[] = [];
      const attempt = (what: string, work: () => unknown): void => {
        try {
          work();
          tried.push(`${what} went through`);
        } catch {
          tried.push(`${what} refused`);
        }
      };
      Object.assign(globalThis, { ran: 0 });
      attempt('html', () => (document.createElement('div').innerHTML = '<b>x</b>'));
      attempt('write', () => document.write('<b>x</b>'));
      const script = document.createElement('script');
      attempt('text', () => (script.textContent = 'ran = 1'));
      document.body.append(script);
      await fetch('http://127.0.0.1:9/').catch(() => tried.push('fetch refused'));
      return [...tried, String((globalThis as { ran?: number }).ran)];
    });
    expect(ran).toEqual(['html refused', 'write refused', 'text refused', 'fetch refused', '0']);
  });
});

describe.skipIf(!HAS_BROWSER)('when the server goes away', () => {
  test('after a crash the page goes on by itself, with what happened meanwhile', async () => {
    const rig = await begun(['one']);
    const web = await serveWeb(rig);
    const { page, faults } = await open(browser, web);
    await page.waitForSelector('.line.is-live');
    await web.kill();
    await page.waitForSelector('.line.is-lost');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Take it back' }).click();
    await page.locator('dialog [role="alert"]').getByText('does not answer').waitFor();
    await page.getByRole('button', { name: 'Close the window' }).click();
    await rig.ok(['leader', 'add-task', 'while it was away']);
    const again = await serveWeb(rig);
    expect(again.origin).toBe(web.origin);
    await column(page, 'Claimable').getByText('while it was away').waitFor();
    await page.waitForSelector('.line.is-live');
    await rig.ok(['leader', 'add-task', 'afterwards']);
    await column(page, 'Claimable').getByText('afterwards').waitFor();
    expect(faults.filter((fault) => !fault.includes('ERR_CONNECTION'))).toEqual([]);
  });

  test('a board that is away is said to be, and comes back', async () => {
    const rig = await begun(['one']);
    const { page } = await open(browser, await serveWeb(rig));
    await page.waitForSelector('.line.is-live');
    renameSync(rig.path('.coordination'), rig.path('away'));
    await page.locator('.trouble').waitFor();
    expect(await column(page, 'Claimable').locator('.card').count()).toBe(1);
    renameSync(rig.path('away'), rig.path('.coordination'));
    await page.locator('.trouble').waitFor({ state: 'detached' });
    await rig.ok(['leader', 'add-task', 'afterwards']);
    await column(page, 'Claimable').getByText('afterwards').waitFor();
    // Whoever comes meanwhile is told as well.
    renameSync(rig.path('.coordination'), rig.path('away'));
    await page.locator('.trouble').waitFor();
    await page.reload();
    await page.locator('.trouble').waitFor();
    await page.waitForSelector('.line.is-live');
    renameSync(rig.path('away'), rig.path('.coordination'));
    await page.locator('.trouble').waitFor({ state: 'detached' });
  });

  test('a new link in an old tab is taken', async () => {
    const rig = await begun(['one']);
    const web = await serveWeb(rig);
    const { page } = await open(browser, web);
    await page.waitForSelector('.line.is-live');
    await web.stop();
    await page.getByText('This link holds no longer').waitFor(); // at once: the server has said so
    const again = await serveWeb(rig, ['--port', new URL(web.origin).port]);
    await page.goto(again.url);
    await page.waitForSelector('.card');
    expect(page.url()).toBe(`${web.origin}/#/board`);
  });

  test('another program that has taken the port of a server that crashed is not told its token', async () => {
    const rig = await begun(['one']);
    const web = await serveWeb(rig);
    const { page } = await open(browser, web);
    await page.waitForSelector('.line.is-live');
    await web.kill();
    await page.waitForSelector('.line.is-lost');
    const http = await import('node:http');
    const told: string[] = [];
    const stranger = http.createServer((request, response) => {
      told.push(`${request.url} ${JSON.stringify(request.headers)}`);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ proof: '00'.repeat(32) }));
    });
    await new Promise<void>((resolve) => stranger.listen(Number(new URL(web.origin).port), '127.0.0.1', resolve));
    await page.getByText('This link holds no longer').waitFor();
    expect(told.every((one) => one.startsWith('/api/hello'))).toBe(true);
    await new Promise<void>((resolve) => {
      stranger.closeAllConnections();
      stranger.close(() => resolve());
    });
    expect(told.length).toBeGreaterThan(0);
    expect(told.join()).not.toContain(web.token);
  });

  test('who was cut off for a moment misses nothing', async () => {
    const rig = await begun(['one']);
    const web = await serveWeb(rig);
    const line = await lineTo(web.origin);
    const { page } = await open(browser, { ...web, origin: line.origin, url: `${line.origin}/#${web.token}` });
    await page.waitForSelector('.line.is-live');
    const resumed: string[] = [];
    page.on('request', (request) => {
      const id = request.headers()['last-event-id'];
      if (id !== undefined) resumed.push(id);
    });
    await rig.ok(['leader', 'add-task', 'before the cut']);
    await column(page, 'Claimable').getByText('before the cut').waitFor();
    line.cut();
    await page.waitForSelector('.line.is-lost');
    await rig.ok(['leader', 'add-task', 'during the cut']);
    line.mend();
    await column(page, 'Claimable').getByText('during the cut').waitFor();
    expect(resumed.length).toBeGreaterThan(0);
  });
});
