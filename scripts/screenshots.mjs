// npm run screenshots: the page of `coord web` with a board in the middle of its work, at the width of a desk and of a hand, light and
// dark, into screenshots/; the two that the README shows into docs/images/. Needs Chromium: CHROMIUM, or /usr/bin/chromium.
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { initStore, openGate } from '../dist/index.js';

const ROOT = join(import.meta.dirname, '..');
const OUT = join(ROOT, 'screenshots');
const SIZES = { desk: { width: 1280, height: 800 }, hand: { width: 390, height: 844 } };
/** By its address, what is there once it has been drawn. */
const VIEWS = {
  board: '.card',
  asks: '.ask',
  graph: '.node',
  timeline: '.span',
  log: '.log-line',
  discoveries: '.discovery',
  'board/task-006': '.pane .facts-list',
};
/** What the README shows. */
const SHOWN = ['desk-light-board', 'desk-dark-graph'];

/** Its name is to be seen. */
const cwd = join(tmpdir(), 'coord-screenshots/users-api');
rmSync(cwd, { recursive: true, force: true });
mkdirSync(cwd, { recursive: true });
try {
  await demoBoard(cwd);
  await takeAll(cwd);
} finally {
  rmSync(cwd, { recursive: true, force: true });
}

/** A board as it looks after an hour: each step is done now, and dated when it would have been. */
async function demoBoard(folder) {
  const { store } = await initStore({ goal: 'Build a REST API for user management', review: true }, { cwd: folder });
  /** What the clock said when a step began, and which minute that shall have been. */
  const steps = [{ at: Date.parse(await store.now()), minute: 0 }];
  const step = async (minute, work) => {
    await new Promise((later) => setTimeout(later, 15)); // so that each has a moment of its own
    steps.push({ at: Date.parse(await store.now()), minute });
    await work();
  };
  const gate = openGate(store, { cwd: folder });
  const done = (worker, task_id, output, files = []) =>
    gate.complete({ worker, task_id, output, files_created: files });
  const claim = (worker) => store.claim({ worker });
  await step(0, () =>
    store.addTasks({
      tasks: [
        {
          description: 'Set the project up: TypeScript, tests, lint',
          priority: 1,
          files: ['package.json'],
          review: false,
        },
        {
          description: 'Create the User model with its validation',
          priority: 1,
          dependencies: ['#1'],
          files: ['src/models/user.ts'],
          review: false,
        },
        {
          description: 'Connect to the database, with migrations',
          priority: 2,
          dependencies: ['#1'],
          files: ['src/db/**'],
          review: false,
        },
        { description: 'Hash passwords with argon2', priority: 2, dependencies: ['#1'], files: ['src/auth/hash.ts'] },
        {
          description: 'POST /users: register, with an e-mail to confirm',
          priority: 2,
          dependencies: ['#2', '#3', '#4'],
          files: ['src/routes/register.ts'],
        },
        {
          description: 'POST /login: a session token',
          priority: 2,
          dependencies: ['#2', '#4'],
          files: ['src/routes/login.ts', 'src/auth/token.ts'],
        },
        {
          description: 'GET /users: pages of fifty, sorted',
          priority: 3,
          dependencies: ['#2', '#3'],
          files: ['src/routes/users.ts'],
        },
        { description: 'Rate limits for login and register', priority: 4, dependencies: ['#5', '#6'] },
        { description: 'Import users from the old system', priority: 3, dependencies: ['#3'], max_attempts: 1 },
        { description: 'Tell imported users their new address', priority: 6, dependencies: ['#9'] },
        {
          description: 'OpenAPI document of all routes',
          priority: 5,
          dependencies: ['#5', '#6', '#7'],
          files: ['docs/openapi.yaml'],
        },
        { description: 'Deploy to the test stage', priority: 7, dependencies: ['#8', '#11'] },
        { description: 'Write the changelog', priority: 8 },
        { description: 'GraphQL beside REST', priority: 9 },
      ],
    }),
  );
  await step(2, () => claim('terminal-2'));
  await step(9, () =>
    done('terminal-2', 'task-001', 'TypeScript 6, vitest, oxlint. `npm test` passes.', [
      'package.json',
      'tsconfig.json',
    ]),
  );
  await step(10, () => claim('terminal-2'));
  await step(11, () => claim('terminal-3'));
  await step(12, () => claim('terminal-4'));
  await step(17, () =>
    store.addDiscovery({
      worker: 'terminal-3',
      content: 'The test database must be **UTC**: dates shift by a day else.',
      tags: ['database'],
    }),
  );
  await step(22, () => done('terminal-2', 'task-002', 'Model and validation, 14 tests.', ['src/models/user.ts']));
  await step(25, () =>
    done('terminal-3', 'task-003', 'Pool, migrations, a test database in memory.', ['src/db/pool.ts']),
  );
  await step(26, () =>
    done('terminal-4', 'task-004', 'argon2id with the parameters that OWASP names.', ['src/auth/hash.ts']),
  );
  await step(29, () =>
    store.sendBack({ by: 'leader', task_id: 'task-004', reason: 'The salt is the same for everybody.' }),
  );
  await step(30, () => store.claim({ worker: 'terminal-4', task_id: 'task-004' }));
  await step(31, () => store.claim({ worker: 'terminal-3', task_id: 'task-009' }));
  await step(32, () => store.claim({ worker: 'terminal-2', task_id: 'task-007' }));
  await step(37, () =>
    done('terminal-4', 'task-004', 'A salt of 16 bytes for each user; the old test found it.', ['src/auth/hash.ts']),
  );
  await step(39, () => gate.approve({ by: 'leader', task_id: 'task-004' }));
  await step(40, () =>
    store.fail({
      worker: 'terminal-3',
      task_id: 'task-009',
      error: 'The old system answers 403: nobody has given us a key.',
    }),
  );
  await step(41, () => claim('terminal-4'));
  await step(42, () => store.claim({ worker: 'terminal-3', task_id: 'task-006' }));
  await step(46, () =>
    store.addDiscovery({
      worker: 'terminal-4',
      content: 'Mails go through `src/mail/queue.ts`; never call SMTP in a request.',
      tags: ['mail'],
      task_id: 'task-005',
    }),
  );
  await step(50, () =>
    done(
      'terminal-3',
      'task-006',
      '## What it does\n\nA token of 32 bytes, stored hashed, for 12 hours.\n\n- wrong password and unknown user take the same time\n- [x] tests\n',
      ['src/routes/login.ts', 'src/auth/token.ts'],
    ),
  );
  await step(52, () => store.cancelTasks({ task_ids: ['task-014'] }));
  await step(54, () =>
    store.ask({
      worker: 'terminal-4',
      task_id: 'task-005',
      question: 'How long is the link in the e-mail good for?',
      default: '24 hours',
      after_seconds: 3600,
    }),
  );
  await step(55, () => store.claim({ worker: 'terminal-3', task_id: 'task-013' }));
  await step(57, () =>
    store.tell({
      from: 'terminal-2',
      to: 'leader',
      text: 'GET /users needs an index on created_at; I add it in the same migration.',
    }),
  );
  await store.addCost({ cost_usd: 2.21 });
  steps.push({ at: Date.parse(await store.now()), minute: 61 });
  await store.close();
  redate(join(folder, '.coordination'), steps);
}

/** Moves every time in the board's files from when it was made to when it would have been. */
function redate(folder, steps) {
  const end = steps.at(-1);
  const begin = Date.now() - end.minute * 60_000;
  const moved = (time) => {
    const at = Date.parse(time);
    const i = steps.findLastIndex((one) => one.at <= at);
    const [from, to] = [steps[Math.max(0, i)], steps[i + 1]];
    const minutes = to
      ? from.minute + ((at - from.at) / Math.max(1, to.at - from.at)) * 0.1
      : from.minute + (at - from.at) / 60_000;
    return new Date(begin + minutes * 60_000).toISOString();
  };
  const visit = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const file = join(path, entry.name);
      if (entry.isDirectory() && !entry.name.startsWith('.')) visit(file);
      else if (/\.(json|log|md)$/.test(entry.name))
        writeFileSync(file, readFileSync(file, 'utf8').replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, moved));
    }
  };
  visit(folder);
}

async function takeAll(folder) {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  mkdirSync(join(ROOT, 'docs/images'), { recursive: true });
  const server = spawn(process.execPath, [join(ROOT, 'bin/coord.cjs'), 'web'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise((resolve) => server.stdout.once('data', (line) => resolve(line.toString().trim())));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) throw new Error('No Chromium: set CHROMIUM to its path.');
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    for (const [size, viewport] of Object.entries(SIZES))
      for (const colorScheme of ['light', 'dark']) {
        const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
        const page = await context.newPage();
        await page.goto(url);
        await page.waitForSelector('.card');
        for (const [view, ready] of Object.entries(VIEWS)) {
          await page.evaluate((hash) => (location.hash = hash), `#/${view}`);
          await page.waitForSelector(ready);
          await page.screenshot({ path: join(OUT, `${size}-${colorScheme}-${view.replace('/', '-')}.png`) });
        }
        await context.close();
      }
    for (const name of SHOWN) copyFileSync(join(OUT, `${name}.png`), join(ROOT, `docs/images/${name}.png`));
  } finally {
    await browser.close();
    server.kill('SIGINT');
  }
}
