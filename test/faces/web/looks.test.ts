/** For everyone: by keyboard, for screen readers, in light and dark, on a phone and on a wall; and drawings that can be read. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HAS_BROWSER, launch, open, seriousOf, show } from '../../support/browser.ts';
import { Rig, until } from '../../support/rig.ts';
import { serveWeb } from '../../support/web.ts';

let browser: Browser;
beforeAll(async () => {
  if (HAS_BROWSER) browser = await launch();
});
afterAll(() => browser?.close());

/** A board with something of everything. */
async function full(): Promise<Rig> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'A goal that is so long that it has no room in one line of a telephone']);
  const add = (...args: string[]) => rig.ok(['leader', 'add-task', ...args]);
  await add('one', '--review', '-f', 'src/a.ts');
  await add('two', '-d', 'task-001', '-t', 'slow');
  await add('three', '--max-attempts', '1');
  await add('four', '-d', 'task-003');
  await add('five');
  await add('six');
  await rig.ok(['worker', 'claim', 'w1', 'task-001']);
  await rig.ok([
    'worker',
    'done',
    'w1',
    'task-001',
    '## Done\n\n- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```',
  ]);
  await rig.ok(['worker', 'claim', 'w2', 'task-003']);
  await rig.ok(['worker', 'fail', 'w2', 'task-003', 'no way']);
  await rig.ok(['worker', 'claim', 'w2', 'task-005']);
  await rig.ok(['worker', 'ask', 'w2', 'task-005', 'Which one?']);
  await rig.ok(['worker', 'tell', 'w2', 'leader', 'a word']);
  await rig.ok(['worker', 'discover', 'w2', 'found it', '-t', 'x']);
  await rig.ok(['leader', 'cancel', 'task-006']);
  return rig;
}

const VIEWS: Readonly<Record<string, string>> = {
  board: '.card',
  asks: '.ask',
  graph: '.node',
  timeline: '.span',
  log: '.log-line',
  discoveries: '.discovery',
  'board/task-001': '.pane .part .markdown',
  'board/task-005': '.pane .ask',
};

/** What has the focus, in words. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement: one } = document;
    return (
      one?.getAttribute('aria-label') ??
      one?.querySelector('title')?.textContent ??
      one?.querySelector('.id')?.textContent ??
      one?.textContent ??
      ''
    );
  });
}

/** The focus follows a key once the page has drawn. */
const focusOn = (page: Page, what: string): Promise<void> =>
  until(async () => (await focused(page)) === what, `${what} to have the focus`);

describe.skipIf(!HAS_BROWSER)('for everyone', () => {
  test.each([
    { colorScheme: 'light' as const, viewport: { width: 1280, height: 800 } },
    { colorScheme: 'dark' as const, viewport: { width: 1280, height: 800 } },
    { colorScheme: 'light' as const, viewport: { width: 360, height: 640 } },
    { colorScheme: 'dark' as const, viewport: { width: 360, height: 640 } },
  ])('axe finds nothing serious: $colorScheme, $viewport.width pixels', async (options) => {
    const { page, faults } = await open(browser, await serveWeb(await full()), options);
    for (const [view, ready] of Object.entries(VIEWS)) {
      await show(page, view);
      await page.waitForSelector(ready);
      expect(await seriousOf(page), view).toEqual([]);
    }
    await show(page, 'board');
    for (const button of ['Add a task', 'Tell workers', 'Undo']) {
      await page.getByRole('button', { name: button }).click();
      await page.waitForSelector('dialog');
      expect(await seriousOf(page), button).toEqual([]);
      if (button === 'Undo') await page.keyboard.press('Escape');
      else await page.getByRole('button', { name: 'Close the window' }).click();
      await page.locator('dialog').waitFor({ state: 'detached' });
      await focusOn(page, button);
    }
    expect(faults).toEqual([]);
  });

  test('from 360 pixels to 4K nothing is wider than the page, and the view has room', async () => {
    const { page } = await open(browser, await serveWeb(await full()));
    for (const [width, height] of [
      [360, 640],
      [390, 844],
      [801, 600],
      [1280, 800],
      [3840, 2160],
    ] as const) {
      await page.setViewportSize({ width, height });
      for (const [view, ready] of Object.entries(VIEWS)) {
        await show(page, view);
        await page.waitForSelector(ready);
        const found = await page.evaluate(() => ({
          wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          tall: document.documentElement.scrollHeight - document.documentElement.clientHeight,
          room: document.querySelector('main')?.clientHeight ?? 0,
        }));
        expect(found, `${view} at ${width}`).toMatchObject({ wide: 0, tall: 0 });
        expect(found.room, `${view} at ${width}`).toBeGreaterThan(height / 3);
      }
    }
  });

  test('the focus stays with what one does', async () => {
    const rig = await full();
    const { page } = await open(browser, await serveWeb(rig));
    await page.getByRole('button', { name: 'Add a task' }).click();
    await page.getByLabel('What is to be done').fill('seven');
    await page.keyboard.press('Enter'); // a line of the text
    await page.getByLabel('Priority').press('Enter');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await focusOn(page, 'Add a task');
    await show(page, 'board/task-005');
    await page.getByRole('button', { name: 'Release' }).click();
    await focusOn(page, 'Yes');
    await page.getByRole('button', { name: 'No' }).click();
    await focusOn(page, 'Release');
    // A text that is not sent is not thrown away.
    await page.getByLabel('Tell w2').fill('half a sen');
    await page.keyboard.press('Escape');
    expect(await page.getByLabel('Tell w2').inputValue()).toBe('half a sen');
    await page.getByLabel('Tell w2').fill('');
    await page.keyboard.press('Escape');
    await page.locator('.pane').waitFor({ state: 'detached' });
    // A card that moves to another column takes it along.
    await page.locator('.card', { hasText: 'seven' }).focus();
    await rig.ok(['worker', 'claim', 'w3', 'task-007']);
    await page.locator('.column[aria-label="Claimed"] .card', { hasText: 'seven' }).waitFor();
    await focusOn(page, 'task-007');
    // What comes above it leaves it where it was.
    await show(page, 'log');
    await page.locator('.log-line').nth(2).focus();
    const line = await page.evaluate(() => document.activeElement?.textContent);
    await rig.ok(['leader', 'add-task', 'eight']);
    await page.locator('.log-line', { hasText: 'eight' }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(line);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowDown');
    await until(
      async () => (await page.evaluate(() => document.activeElement?.textContent)) === line,
      'the line again',
    );
  });

  test('a task that lies over the page keeps the focus within, and the counts have words on the smallest screen', async () => {
    const { page } = await open(browser, await serveWeb(await full()), { viewport: { width: 360, height: 640 } });
    for (const word of ['done', 'handed in', 'claimed', 'stuck', 'failed', 'cancelled'])
      expect(await page.locator('.progress .legend', { hasText: word }).isVisible(), word).toBe(true);
    await show(page, 'board/task-005');
    await page.locator('.pane .facts-list').waitFor();
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const isWithin = await page.evaluate(
        () => document.activeElement === document.body || document.activeElement?.closest('.pane') !== null,
      );
      expect(isWithin, await focused(page)).toBe(true);
    }
    await show(page, 'board');
    await page.locator('.card').first().focus();
    expect(await page.evaluate(() => document.activeElement?.className)).toContain('card');
  });

  test('all of it by keyboard', async () => {
    const { page } = await open(browser, await serveWeb(await full()));
    await page.waitForSelector('.card');
    await page.keyboard.press('Tab');
    await focusOn(page, 'Skip to the view');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await focusOn(page, 'task-004'); // stuck, at the head of the first column
    await page.keyboard.press('ArrowDown');
    await focusOn(page, 'task-002');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowRight');
    await focusOn(page, 'task-005'); // past the column without a card
    const outline = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement as Element);
      return { style: outlineStyle, width: Number.parseFloat(outlineWidth) };
    });
    expect(outline).toEqual({ style: 'solid', width: 3 });
    await page.keyboard.press('Enter');
    await page.waitForSelector('.pane');
    await focusOn(page, 'task-005');
    await page.getByRole('button', { name: 'Release' }).focus();
    await page.keyboard.press('Escape');
    await page.locator('.pane').waitFor({ state: 'detached' });
    await focusOn(page, 'task-005');
    expect(await page.evaluate(() => document.activeElement?.className)).toContain('card');

    await show(page, 'graph');
    await page.waitForSelector('.node');
    await page.locator('.node[tabindex="0"]').focus();
    const node = await focused(page);
    await page.keyboard.press('ArrowRight');
    await until(async () => (await focused(page)) !== node, 'another node to have the focus');
    const transform = (): Promise<string | null> =>
      page.locator('.canvas g[transform]').first().getAttribute('transform');
    const before = await transform();
    await page.keyboard.press('+');
    await until(async () => (await transform()) !== before, 'it to come closer');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.pane');

    await show(page, 'timeline');
    await page.waitForSelector('.span');
    await page.locator('.span[tabindex="0"]').focus();
    const bar = await focused(page);
    await page.keyboard.press('ArrowDown');
    await until(async () => (await focused(page)) !== bar, 'another bar to have the focus');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.pane');
  });

  test('no meaning by colour alone: each standing has a word and a shape of its own', async () => {
    const { page } = await open(browser, await serveWeb(await full()));
    await page.waitForSelector('.card');
    const shown = await page.evaluate(() =>
      [...document.querySelectorAll('.card')].map((card) => ({
        word: card.querySelector('.standing')?.textContent ?? '',
        shape: card.querySelector('.shape')?.innerHTML ?? '',
      })),
    );
    const shapes = new Map(shown.map(({ word, shape }) => [word, shape]));
    expect([...shapes.keys()].toSorted()).toEqual(['blocked', 'cancelled', 'claimed', 'failed', 'stuck', 'to review']);
    expect(new Set(shapes.values()).size).toBe(shapes.size);
  });
});

describe.skipIf(!HAS_BROWSER)('drawings', () => {
  /** Layers of tasks, each needing two of the layer before. */
  async function layered(layers: number, width: number): Promise<Rig> {
    const rig = new Rig();
    await rig.ok(['leader', 'init', 'Large']);
    const tasks = Array.from({ length: layers * width }, (_unused, i) => ({
      description: `task number ${i}`,
      key: `k${i}`,
      // Of the layer before, and each seventh of one long before.
      dependencies: [...new Set([i - width, i - width - 1, i % 7 === 0 ? i - 3 * width : -1])]
        .filter((n) => n >= 0)
        .map((n) => `k${n}`),
    }));
    rig.write('tasks.json', JSON.stringify(tasks));
    await rig.ok(['leader', 'import', 'tasks.json']);
    return rig;
  }

  test('a graph of 300 tasks: drawn, the critical path marked, moved, and folded', async () => {
    const rig = await layered(20, 15);
    const { page, faults } = await open(browser, await serveWeb(rig));
    await show(page, 'graph');
    await page.waitForSelector('.node');
    const nodes = page.locator('.node');
    expect(await nodes.count()).toBe(300);
    expect(await page.locator('.node.is-critical').count()).toBe(20);
    await page.getByText('Critical path, drawn thick: 20 tasks').waitFor();
    // Left to right, and nothing on top of something else.
    const boxes = await page.evaluate(() =>
      [...document.querySelectorAll('.node')].map((node) => {
        const { left, right, top, bottom } = (
          node.querySelector('rect:last-of-type') as Element
        ).getBoundingClientRect();
        return { id: node.getAttribute('href')?.split('/').at(-1) ?? '', left, right, top, bottom };
      }),
    );
    const byId = new Map(boxes.map((box) => [box.id, box]));
    for (const { id, dependencies } of rig.board().tasks)
      for (const needed of dependencies)
        expect(byId.get(needed)?.right, `${needed} -> ${id}`).toBeLessThan(byId.get(id)?.left ?? 0);
    // No line runs behind a task that it has nothing to do with.
    const crossed = await page.evaluate(() => {
      const rects = [...document.querySelectorAll('.node')].map((node) =>
        (node.querySelector('rect:last-of-type') as Element).getBoundingClientRect(),
      );
      let hits = 0;
      for (const path of document.querySelectorAll<SVGPathElement>('.edge')) {
        const matrix = path.getScreenCTM();
        const length = path.getTotalLength();
        for (let at = 4; at < length - 4; at += 6) {
          const { x, y } = path.getPointAtLength(at).matrixTransform(matrix ?? undefined);
          if (rects.some((box) => x > box.left + 2 && x < box.right - 2 && y > box.top + 2 && y < box.bottom - 2))
            hits++;
        }
      }
      return hits;
    });
    expect(crossed).toBe(0);
    const sorted = boxes.toSorted((a, b) => a.left - b.left);
    for (const [i, one] of sorted.entries())
      for (const other of sorted.slice(i + 1)) {
        if (other.left >= one.right) break;
        expect(other.top >= one.bottom || one.top >= other.bottom, `${one.id} and ${other.id}`).toBe(true);
      }
    // It begins large enough to be read: letters of 14 pixels, times how large it is drawn.
    const drawn = await page.evaluate(() => {
      const text = document.querySelector('.node-text') as HTMLElement;
      const scale = (document.querySelector('.canvas g[transform]') as SVGGElement).getScreenCTM()?.a ?? 0;
      return Number.parseFloat(getComputedStyle(text).fontSize) * scale;
    });
    expect(drawn).toBeGreaterThan(11.5);
    await page.getByRole('button', { name: 'All' }).click();
    await page.locator('.far').waitFor();
    await page.mouse.move(600, 500);
    await page.mouse.wheel(0, -900);
    await page.locator('.far').waitFor({ state: 'detached' });
    const left = async (): Promise<number> => (await nodes.first().boundingBox())?.x ?? 0;
    const from = await left();
    await page.mouse.down();
    await page.mouse.move(500, 500, { steps: 4 });
    await page.mouse.up();
    await until(async () => Math.abs((await left()) - from + 100) < 10, 'it to be dragged');
    expect(await page.locator('.pane').count()).toBe(0); // a drag opens nothing

    for (const task of rig.board().tasks.slice(0, 30)) await rig.ok(['leader', 'cancel', task.id]);
    await page.locator('.node.is-folded').first().waitFor();
    expect(await nodes.count()).toBeLessThan(300);
    await page.locator('.node.is-folded').first().focus();
    await page.keyboard.press('Enter');
    await until(async () => (await nodes.count()) === 300, 'it to be unfolded');
    const isInFrame = (): Promise<boolean> =>
      page.evaluate(() => {
        const frame = document.querySelector('.canvas')?.getBoundingClientRect();
        const { activeElement: one } = document;
        const box = (one?.classList.contains('node') ? one : document.querySelector('.node'))?.getBoundingClientRect();
        return (
          !!frame &&
          !!box &&
          box.left >= frame.left &&
          box.right <= frame.right &&
          box.top >= frame.top &&
          box.bottom <= frame.bottom
        );
      });
    await until(async () => (await focused(page)).startsWith('task-0'), 'one of what was unfolded to have the focus');
    await until(isInFrame, 'it to be seen');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await until(isInFrame, 'the next one to be seen');
    await page.getByLabel('Filter').fill('task-150');
    await until(async () => (await nodes.count()) < 10, 'what is near that one');
    await until(isInFrame, 'that to be seen');
    expect(faults).toEqual([]);
  });

  test.each([
    { layers: 30, width: 20 },
    { layers: 1, width: 600 },
  ])('too much for one drawing is said, and a filter helps: $layers layers of $width', async ({ layers, width }) => {
    const { page } = await open(browser, await serveWeb(await layered(layers, width)));
    await show(page, 'graph');
    await page.getByText('600 tasks are too many to draw').waitFor();
    await page.getByLabel('Filter').fill('number 42');
    await page.waitForSelector('.node');
  });

  test('a timeline: bars in lanes, reviews as marks, now as a line that moves', async () => {
    const { page, faults } = await open(browser, await serveWeb(await full()));
    await show(page, 'timeline');
    await page.waitForSelector('.span');
    const lanes = await page.locator('.lane-name').allTextContents();
    expect(lanes).toEqual(['w1', 'w2']);
    expect(
      await page
        .locator('.span')
        .evaluateAll((bars) => bars.map((bar) => bar.getAttribute('aria-label')?.split(',').slice(0, 2).join())),
    ).toEqual(['task-001, handed in', 'task-003, failed', 'task-005, working']);
    const now = page.locator('.now');
    const bar = page.locator('.span.is-claimed');
    const width = async (): Promise<number> => (await bar.boundingBox())?.width ?? 0;
    const rightEnd = async (): Promise<number> => ((await bar.boundingBox())?.x ?? 0) + (await width());
    const [before, x] = [await width(), (await now.boundingBox())?.x ?? 0];
    expect(Math.abs((await rightEnd()) - x)).toBeLessThan(6);
    await until(async () => (await width()) > before, 'the bar to grow');
    await page.getByRole('button', { name: 'Closer' }).click();
    await until(async () => (await page.locator('.timeline-body').boundingBox())!.width > 1400, 'it to be wider');
    expect(faults).toEqual([]);
  });

  test('a timeline of 5,000 attempts draws what is to be seen', async () => {
    const rig = new Rig();
    await rig.ok(['leader', 'init', 'Long']);
    await rig.ok(['leader', 'add-task', 'one']);
    mkdirSync(rig.path('.coordination/logs'), { recursive: true });
    const begin = Date.now() - 5000 * 60_000;
    const at = (minute: number): string => new Date(begin + minute * 60_000).toISOString();
    for (let worker = 0; worker < 50; worker++) {
      const lines = Array.from({ length: 100 }, (_unused, i) => {
        const id = `task-${String(worker * 100 + i + 1).padStart(4, '0')}`;
        return `${at(i * 50 + worker / 10)} claim ${id} attempt 1\n${at(i * 50 + 40)} complete ${id} attempt 1\n`;
      });
      writeFileSync(rig.path(`.coordination/logs/w${worker}.log`), lines.join(''));
    }
    const { page, faults } = await open(browser, await serveWeb(rig));
    await show(page, 'timeline');
    await page.waitForSelector('.span');
    const count = (): Promise<number> => page.locator('.timeline *').count();
    expect(await count()).toBeLessThan(6000);
    for (let i = 0; i < 12; i++) await page.getByRole('button', { name: 'Closer' }).click();
    await until(async () => (await count()) < 1500, 'few to be drawn');
    await page.locator('.timeline-frame').evaluate((frame) => (frame.scrollLeft = 1e9));
    await page.locator('.timeline-frame').evaluate((frame) => (frame.scrollTop = 1e9));
    await page.locator('.lane-name', { hasText: 'w49' }).waitFor();
    await page.locator('.span').first().waitFor();
    // However often one comes closer, the way back is as long.
    for (let i = 0; i < 40; i++) await page.getByRole('button', { name: 'Closer' }).click();
    const width = async (): Promise<number> => (await page.locator('.timeline-body').boundingBox())?.width ?? 0;
    const widest = await width();
    await page.getByRole('button', { name: 'Farther' }).click();
    await until(async () => (await width()) < widest, 'it to be narrower at once');
    await page.getByRole('button', { name: 'All' }).click();
    await page.locator('.axis').getByText(/\d{4}/).first().waitFor(); // three days: the axis says which
    expect(faults).toEqual([]);
  });
});
