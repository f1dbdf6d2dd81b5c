/** Imports only point down: the rules of the architecture, held by dependency-cruiser. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

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
  expect(totalCruised, 'it cruised nothing: is TypeScript 7 installed?').toBeGreaterThan(30);
  expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
});

test('the rules bite: planted breaches are caught', () => {
  const copy = mkdtempSync(join(root, 'node_modules/.cache/coord-arch-'));
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  const plant = (file: string, line: string): void =>
    writeFileSync(join(copy, 'src', file), `${line}\n${readFileSync(join(copy, 'src', file), 'utf8')}`);
  plant('model/text.ts', "import type { Store } from '../store/store.ts';");
  plant('store/wait.ts', "import { runCli } from '../cli/run.ts';");
  plant('cli/render.ts', "import { readFileSync } from 'node:fs';");
  plant('model/graph.ts', "import { join } from 'node:path';");
  plant('cli/durations.ts', "import { MemoryBackend } from '../store/memory.ts';");
  const caught = new Set(cruise(copy).violations.map(({ rule }) => rule.name));
  expect([...caught]).toEqual(
    expect.arrayContaining([
      'no-upward-from-model',
      'no-upward-from-store',
      'fs-in-file-store',
      'model-is-pure',
      'only-open-names-adapters',
    ]),
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

test('a command loads only what it needs', () => {
  const dist = (name: string): string => readFileSync(join(root, 'dist', name), 'utf8');
  for (const [chunk, heavy] of [
    ['coord.cjs', 'chokidar'],
    ['worker.cjs', 'chokidar'],
    ['coord.cjs', 'yaml'],
  ]) {
    expect(dist(chunk ?? ''), `${chunk} holds ${heavy}`).not.toMatch(new RegExp(`require\\([\`'"]${heavy}`));
  }
  // What a chunk loads with itself, and not only when it comes to that.
  const loads = (chunk: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(chunk)) return seen;
    seen.add(chunk);
    const eager = dist(chunk).replaceAll(/Promise\.resolve\(\)\.then\(\(\)\s*=>.*?\)\)/g, '');
    for (const [, next = ''] of eager.matchAll(/require\(["'`]\.\/([\w-]+\.cjs)/g)) loads(next, seen);
    return seen;
  };
  for (const chunk of ['coord.cjs', 'worker.cjs', 'leader.cjs'])
    for (const loaded of loads(chunk))
      expect(dist(loaded), `${chunk} loads ${loaded}`).not.toContain('server/discover');
  expect(dist('server.cjs')).toContain('server/discover');
  expect([...loads('mcp.cjs'), ...loads('server.cjs')]).not.toContain('render.cjs');
  const size = readdirSync(join(root, 'dist'))
    .filter((name) => name.endsWith('.cjs'))
    .reduce((sum, name) => sum + dist(name).length, 0);
  expect(size).toBeLessThan(1_200_000);
});
