/** Five thousand tasks: seen as soon as none, nearly, and changed as soon as they are committed. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../../src/index.ts';
import { HAS_BROWSER, launch, open } from '../../support/browser.ts';
import { Rig, until } from '../../support/rig.ts';
import { Events, serveWeb, type Served } from '../../support/web.ts';

const TASKS = 5000;
const LOADS = 7;
const CHANGES = 15;

let browser: Browser;
beforeAll(async () => {
  if (HAS_BROWSER) browser = await launch();
});
afterAll(() => browser?.close());

async function boardOf(count: number): Promise<Rig> {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'Many']);
  const tasks = Array.from({ length: count }, (_unused, i) => ({
    description: `Implement the endpoint number ${i + 1} with its validation`,
    key: `k${i}`,
    dependencies: i % 2 === 0 ? [] : [`k${i - 1}`],
    files: [`src/routes/endpoint-${i + 1}.ts`],
    hints: 'Use zod for validation',
  }));
  rig.write('tasks.json', JSON.stringify(tasks));
  if (count > 0) await rig.ok(['leader', 'import', 'tasks.json']);
  return rig;
}

const median = (list: number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Infinity;
const lowerQuartile = (list: number[]): number =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 4)] ?? Infinity;

/** Milliseconds from when the page was asked for until its columns stand. */
async function firstView(web: Served): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const seen = new MutationObserver(() => {
      if (!document.querySelector('.columns')) return;
      seen.disconnect();
      // When it has been drawn.
      requestAnimationFrame(() => setTimeout(() => Object.assign(globalThis, { firstView: performance.now() })));
    });
    seen.observe(document, { subtree: true, childList: true });
  });
  await page.goto(web.url);
  const asked = await page.waitForFunction(() => (globalThis as { firstView?: number }).firstView);
  const ms = (await asked.jsonValue()) ?? Infinity;
  await context.close();
  return ms;
}

/** When a text is first on the page: milliseconds since 1970. */
function whenSeen(page: Page, text: string): Promise<number> {
  return page.evaluate(
    (wanted) =>
      new Promise<number>((resolve) => {
        const isThere = (): boolean => document.querySelector('.columns')?.textContent.includes(wanted) === true;
        const seen = new MutationObserver(() => {
          if (!isThere()) return;
          seen.disconnect();
          resolve(Date.now());
        });
        seen.observe(document.body, { subtree: true, childList: true, characterData: true });
      }),
    text,
  );
}

test('its server starts in at most four times as long as Node, and idles in at most 90 MB', async () => {
  const rig = await boardOf(50);
  const starts: number[] = [];
  const nodes: number[] = [];
  for (let i = 0; i < 7; i++) {
    let begin = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    nodes.push(performance.now() - begin);
    begin = performance.now();
    const web = await serveWeb(rig);
    starts.push(performance.now() - begin);
    await web.stop();
  }
  // The best of each: what a busy machine adds is not the server's. `serveWeb` looks every 20 ms whether it stands.
  expect(Math.min(...starts) - 20).toBeLessThan(4 * Math.min(...nodes));
  const web = await serveWeb(rig);
  const { id } = await web.board();
  const events = new Events(web, id);
  await rig.ok(['leader', 'add-task', 'one more']);
  await until(() => events.all.length > 0, 'it to be told');
  const resident = (): number =>
    Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${web.pid}/status`, 'utf8'))?.[1]);
  await until(() => resident() < 90_000, 'its memory to be small');
  events.close();
});

describe.skipIf(!HAS_BROWSER)(`a board of ${TASKS} tasks`, () => {
  test('its first view takes at most three times that of an empty one', async () => {
    const [empty, many] = [await serveWeb(await boardOf(0)), await serveWeb(await boardOf(TASKS))];
    const times: { empty: number[]; many: number[] } = { empty: [], many: [] };
    // The first of each fills caches.
    for (let i = -1; i < LOADS; i++) {
      const [none, all] = [await firstView(empty), await firstView(many)];
      if (i < 0) continue;
      times.empty.push(none);
      times.many.push(all);
    }
    console.log(
      `first view: empty ${median(times.empty).toFixed(0)} ms, ${TASKS} tasks ${median(times.many).toFixed(0)} ms`,
    );
    expect(median(times.many) / median(times.empty)).toBeLessThan(3);
  });

  test('a change is seen within 100 ms of its commit, and little of it all is drawn', async () => {
    const rig = await boardOf(TASKS);
    const { page, faults } = await open(browser, await serveWeb(rig));
    await page.waitForSelector('.line.is-live');
    const store = openStore({ cwd: rig.cwd });
    const late: number[] = [];
    const nodes: number[] = [];
    for (let i = 0; i < CHANGES; i++) {
      const seen = whenSeen(page, `change number ${i},`);
      await store.editTask({ task_id: 'task-001', description: `change number ${i}, seen at once` });
      const committed = Date.now();
      late.push((await seen) - committed);
      const start = performance.now();
      spawnSync(process.execPath, ['-e', '0']);
      nodes.push(performance.now() - start);
    }
    await store.close();
    console.log(`a change is seen after: ${late.toSorted((a, b) => a - b).join(', ')} ms`);
    // Three starts of Node, which take 100 ms where nothing else runs: what a busy machine adds is not the page's.
    expect(lowerQuartile(late)).toBeLessThan(Math.max(100, 3 * median(nodes)));
    expect(await page.locator('.card').count()).toBeLessThan(120);
    const list = page.locator('.column[aria-label="Claimable"] .virtual');
    await list.evaluate((one) => (one.scrollTop = one.scrollHeight));
    await until(async () => (await page.getByText('endpoint number 4999').count()) === 1, 'the last card');
    expect(await page.locator('.card').count()).toBeLessThan(120);
    expect(faults).toEqual([]);
  });
});
