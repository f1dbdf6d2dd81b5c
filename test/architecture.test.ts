/** Imports only point down: the rules of the architecture, held by dependency-cruiser. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Calls } from './support/calls.ts';
import { Rig } from './support/rig.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Cruised {
  summary: { totalCruised: number; violations: { rule: { name: string }; from: string; to: string }[] };
}

function cruise(cwd: string): Cruised['summary'] {
  const args = [
    join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
    'src',
    '--config',
    join(root, 'test/architecture/rules.cjs'),
    '--output-type',
    'json',
  ];
  let json: string;
  try {
    json = execFileSync(process.execPath, args, { cwd, maxBuffer: 100_000_000, stdio: 'pipe' }).toString();
  } catch (error) {
    json = (error as { stdout: Buffer }).stdout.toString(); // violations make it exit with their number
  }
  return (JSON.parse(json) as Cruised).summary;
}

test('imports only point down', () => {
  const { totalCruised, violations } = cruise(root);
  expect(totalCruised, 'it cruised nothing: is TypeScript 7 installed?').toBeGreaterThan(100);
  expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
});

/** One breach for each rule, in a file of its own: what is planted where, and the rule that must catch it. */
const BREACHES: [rule: string, file: string, line: string][] = [
  [
    'no-upward-from-model',
    'model/breach-up.ts',
    "import type { Store } from '../store/store.ts'; export type X = Store;",
  ],
  ['no-upward-from-store', 'store/breach-up.ts', "export { Pool } from '../runner/pool.ts';"],
  ['no-upward-from-formats-work', 'formats/breach-up.ts', "export { Pool } from '../runner/pool.ts';"],
  ['no-upward-from-runner', 'runner/breach-up.ts', "export { withStore } from '../faces/io.ts';"],
  ['no-upward-from-faces', 'faces/breach-up.ts', "import '../main.ts';"],
  ['no-circular', 'model/breach-circle.ts', "import type { X } from './breach-circle-2.ts'; export type Y = X;"],
  ['no-circular', 'model/breach-circle-2.ts', "import type { Y } from './breach-circle.ts'; export type X = Y;"],
  ['faces-do-not-meet', 'faces/mcp/breach.ts', "export { hook } from '../claude-code/hook.ts';"],
  ['cli-loads-other-faces-late', 'faces/cli/breach-early.ts', "export { hook } from '../claude-code/hook.ts';"],
  ['formats-and-work-do-not-meet', 'work/breach.ts', "export { readTaskFile } from '../formats/task-file.ts';"],
  ['model-is-pure', 'model/breach-path.ts', "export { join } from 'node:path';"],
  ['only-open-names-adapters', 'store/breach-adapter.ts', "export { MemoryBackend } from './memory/backend.ts';"],
  ['adapters-do-not-meet', 'store/memory/breach.ts', "export { Tree } from '../file/tree.ts';"],
  ['fs-where-files-are', 'faces/cli/breach-fs.ts', "export { readFileSync } from 'node:fs';"],
  ['lock-and-watch-in-file-store', 'store/breach-watch.ts', "export { watch } from 'chokidar';"],
  ['child-process-where-processes-start', 'faces/breach-child.ts', "export { spawn } from 'node:child_process';"],
  ['sdk-in-mcp', 'runner/breach-sdk.ts', "export { McpServer } from '@modelcontextprotocol/server';"],
  ['pg-in-postgres', 'store/breach-pg.ts', "export { Client } from 'pg';"],
  ['commander-and-chalk-in-cli', 'faces/breach-chalk.ts', "export { Chalk } from 'chalk';"],
  ['terminal-packages-in-cli', 'faces/mcp/breach-width.ts', "export { default } from 'string-width';"],
  ['readers-in-formats', 'faces/cli/breach-yaml.ts', "export { parse } from 'yaml';"],
  ['markdown-where-it-is-read', 'faces/cli/breach-marked.ts', "export { marked } from 'marked';"],
  ['server-packages-in-web', 'faces/cli/breach-hono.ts', "export { Hono } from 'hono';"],
  ['page-packages-in-page', 'faces/web/breach-preact.ts', "export { h } from 'preact';"],
  ['page-knows-rules-only', 'faces/web/page/breach-store.ts', "export { openStore } from '../../../store/open.ts';"],
  ['page-is-no-program', 'faces/web/page/breach-core.ts', "export { join } from 'node:path';"],
  ['nobody-needs-the-page', 'faces/web/breach-page.ts', "export { routeIn } from './page/route.ts';"],
  ['settings-packages-in-claude-code', 'faces/cli/breach-jsonc.ts', "export { parse } from 'jsonc-parser';"],
  ['contract-knows-ports-only', 'contract/breach.ts', "export { Tree } from '../store/file/tree.ts';"],
  ['nobody-needs-the-contract', 'runner/breach-contract.ts', "export { storeContract } from '../contract/store.ts';"],
  ['not-unresolvable', 'model/breach-nowhere.ts', "export { x } from './nowhere.ts';"],
];

test('every rule bites: a planted breach of each is caught, and by that rule', () => {
  const copy = mkdtempSync(join(tmpdir(), 'coord-arch-'));
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  for (const [, file, line] of BREACHES) {
    mkdirSync(dirname(join(copy, 'src', file)), { recursive: true });
    writeFileSync(join(copy, 'src', file), `${line}\n`);
  }
  // A circle is told once, from one of its ends.
  const caught = new Set(
    cruise(copy).violations.map(({ rule, from }) => `${rule.name} ${from.replace('circle-2', 'circle')}`),
  );
  expect(
    BREACHES.map(([rule, file]) => `${rule} src/${file.replace('circle-2', 'circle')}`).filter(
      (breach) => !caught.has(breach),
    ),
  ).toEqual([]);
  const rules = (createRequire(import.meta.url)('./architecture/rules.cjs') as { forbidden: { name: string }[] })
    .forbidden;
  expect([...new Set(BREACHES.map(([rule]) => rule))].toSorted(), 'a rule without a breach').toEqual(
    rules.map(({ name }) => name).toSorted(),
  );
});

test('process and console stay at the edge', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  for (const name of files) {
    const text = readFileSync(join(root, 'src', name), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
    expect(text, name).not.toMatch(/\bconsole\./);
    expect(text, name).not.toMatch(/process\.exit\(/);
    // Facts about the machine may be asked anywhere; arguments, environment, streams and signals only at the edge.
    // index.ts is the edge of programs that import the package.
    if (name !== 'main.ts' && name !== 'index.ts')
      expect(text, name).not.toMatch(/\bprocess\.(argv|env|stdin|stdout|stderr|cwd|on|exitCode)\b/);
  }
});

/** What a process has loaded of the binary: packages, and files of src/. */
function partsLoaded(calls: Calls): Set<string> {
  const chunks = JSON.parse(readFileSync(join(root, 'dist/chunks.json'), 'utf8')) as Record<string, string[]>;
  const names = calls.since().flatMap((line) => /^read .*\/dist\/([\w-]+\.cjs)$/.exec(line)?.[1] ?? []);
  return new Set(names.flatMap((name) => chunks[name] ?? [`${name} is in no list of chunks`]));
}

const HEAVY = [
  'chokidar',
  'yaml',
  'marked',
  'jsonc-parser',
  'diff',
  '@modelcontextprotocol/server',
  'log-update',
  'cli-truncate',
  'hono',
];

test.each([
  { args: ['--version'], needs: ['commander'], not: [...HEAVY, 'zod', 'proper-lockfile', 'chalk'] },
  { args: ['worker', 'claim', 'w'], needs: ['zod', 'proper-lockfile'], not: [...HEAVY, 'chalk'] },
  { args: ['worker', 'done', 'w', 'task-001', 'x'], needs: ['zod'], not: [...HEAVY, 'chalk'] },
  { args: ['leader', 'add-task', 'b'], needs: ['zod'], not: [...HEAVY, 'chalk'] },
  { args: ['leader', 'status'], needs: ['cli-truncate'], not: HEAVY.filter((name) => name !== 'cli-truncate') },
  { args: ['hook', 'stop'], needs: [], not: [...HEAVY, 'chalk'] },
  { args: ['leader', 'import', 'tasks.json'], needs: ['src/formats/task-file.ts'], not: HEAVY },
  { args: ['leader', 'import', 'tasks.yaml'], needs: ['yaml'], not: HEAVY.filter((name) => name !== 'yaml') },
  {
    args: ['setup', 'claude', '--dry-run'],
    needs: ['jsonc-parser'],
    not: ['chokidar', 'yaml', 'src/store/file/watch.ts'],
  },
  { args: ['mcp'], needs: ['@modelcontextprotocol/server'], not: ['chokidar', 'yaml', 'src/faces/cli/tables.ts'] },
  {
    args: ['worker', 'claim', 'v', '--timeout', '1s'],
    needs: ['chokidar'],
    not: HEAVY.filter((name) => name !== 'chokidar'),
  },
])('coord $args loads what it needs, and nothing heavy besides', async ({ args, needs, not }) => {
  const rig = new Rig();
  await rig.ok(['leader', 'init', 'lazy']);
  await rig.ok(['leader', 'add-task', 'a']);
  if (args[1] === 'done' || args.includes('--timeout')) await rig.ok(['worker', 'claim', 'w']);
  rig.write('tasks.json', '[{"description":"j"}]');
  rig.write('tasks.yaml', '- description: y\n');
  const calls = new Calls(rig);
  const input = args[0] === 'hook' ? JSON.stringify({ session_id: 's', cwd: rig.cwd }) : '';
  await rig.coord(args, { input, env: { ...calls.env, COORD_WORKER: 'w' } });
  const loaded = partsLoaded(calls);
  for (const part of [...needs, ...not].filter((name) => name.startsWith('src/')))
    expect(existsSync(join(root, part)), part).toBe(true);
  expect([...loaded]).toEqual(expect.arrayContaining(['src/main.ts', ...needs]));
  expect([...loaded].filter((part) => not.includes(part))).toEqual([]);
});

test('the page stays small: one script, one style sheet', () => {
  const folder = join(root, 'dist/web');
  expect(readdirSync(folder).toSorted()).toEqual(['icon.svg', 'index.html', 'page.css', 'page.js']);
  expect(gzipSync(readFileSync(join(folder, 'page.js'))).length).toBeLessThan(120_000);
});

test('the binary stays small', () => {
  const size = readdirSync(join(root, 'dist'))
    .filter((name) => name.endsWith('.cjs'))
    .reduce((sum, name) => sum + readFileSync(join(root, 'dist', name)).length, 0);
  expect(size).toBeLessThan(2_000_000);
});

test('no test sleeps for luck', () => {
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  for (const name of tests.filter((one) => one.endsWith('.test.ts')))
    expect(readFileSync(join(root, 'test', name), 'utf8'), name).not.toMatch(/await new Promise\([^;]*setTimeout\(/);
});
