// The page: how fast its server starts, what it holds, and how soon a change on a board of 5,000 tasks is seen in a browser.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const BIN = fileURLToPath(new URL('../bin/coord.cjs', import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** @param tools  of bench.mjs: `board`, `time`, `median`, `report`, `env`, `folders`, `RUNS` */
export async function benchWeb({ board, time, median, report, env, folders, RUNS }) {
  console.log('\nthe page');
  const state = mkdtempSync(join(tmpdir(), 'coord-bench-'));
  folders.push(state);
  const serve = async (cwd) => {
    const start = performance.now();
    const child = spawn(process.execPath, [BIN, 'web'], {
      cwd,
      env: { ...env, XDG_STATE_HOME: state },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const url = (await new Promise((resolve) => child.stdout.once('data', resolve))).toString().trim();
    return { ms: performance.now() - start, child, url };
  };
  const end = async ({ child }) => {
    child.kill('SIGINT');
    await new Promise((resolve) => child.once('exit', resolve));
  };

  const { cwd } = await board(50);
  const nodes = [];
  const starts = [];
  for (let run = -2; run < RUNS; run++) {
    const node = time(cwd, ['-e', '0']).ms;
    const served = await serve(cwd);
    if (run >= 0) {
      nodes.push(node);
      starts.push(served.ms);
    }
    await end(served);
  }
  report('coord web, from start to its link / node -e 0', median(starts) / median(nodes), 4);

  const idle = await serve(cwd);
  const [origin, token] = idle.url.split('/#');
  const headers = { authorization: `Bearer ${token}` };
  const { id } = await (await fetch(`${origin}/api/board`, { headers })).json();
  const gone = new AbortController();
  await fetch(`${origin}/api/events?after=${id}`, { headers, signal: gone.signal });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(idle.child.pid)], { encoding: 'utf8' });
  report('resident memory of its idle server, one page listening', Number(stdout) / 1000, 90, ' MB');
  gone.abort();
  await end(idle);

  if (!existsSync(CHROMIUM)) return console.log('No Chromium here: a change in a browser was not timed.');
  const many = await board(5000);
  const served = await serve(many.cwd);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage();
  await page.goto(served.url);
  await page.waitForSelector('.line.is-live');
  const late = [];
  for (let i = 0; i < RUNS; i++) {
    const seen = page.evaluate(
      (text) =>
        new Promise((resolve) => {
          const observer = new MutationObserver(() => {
            if (!document.querySelector('.columns')?.textContent.includes(text)) return;
            observer.disconnect();
            resolve(Date.now());
          });
          observer.observe(document.body, { subtree: true, childList: true, characterData: true });
        }),
      `change ${i},`,
    );
    await many.store.editTask({ task_id: 'task-001', description: `change ${i}, seen at once` });
    const committed = Date.now();
    late.push((await seen) - committed);
  }
  report('a change on 5,000 tasks, from its commit until it is on the page', median(late), 100, ' ms');
  await browser.close();
  return end(served);
}
