// npm run test:claude: installs the newest Claude Code that the registry has beside the project, and runs the tests that need
// it. It talks to a scripted model on loopback and to nobody else. An older release than the one that coord was written for
// proves nothing, so that is a failure, and so is none at all.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The release whose behaviour the hooks and prompts rely on. */
const LEAST = [2, 1, 331];
/** What the package asks for; where this Node is older, one of its own is taken from the registry. */
const NODE = 22;

const folder = resolve('node_modules', '.cache', 'claude-code');
const bin = join(folder, 'node_modules', '.bin');
const claude = process.env.COORD_TEST_CLAUDE ?? join(bin, 'claude');

function fail(message) {
  console.error(`FAILED: ${message}`);
  process.exit(1);
}

/** In a folder of its own and without engine-strict, which would silently take an old release. */
function npm(...args) {
  const ran = spawnSync('npm', [...args, '--engine-strict=false', '--no-audit', '--no-fund'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (ran.status !== 0) fail(`npm ${args.join(' ')}: ${ran.stderr}`);
  return ran.stdout.trim();
}

function versionOf(path) {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', env });
  return /^(\d+)\.(\d+)\.(\d+) \(Claude Code\)/
    .exec(stdout ?? '')
    ?.slice(1)
    .map(Number);
}

const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
if (!process.env.COORD_TEST_CLAUDE) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const newest = npm('view', '@anthropic-ai/claude-code', 'version');
  const node = Number(process.versions.node.split('.')[0]) < NODE ? ['node@24'] : [];
  if (!existsSync(claude) || versionOf(claude)?.join('.') !== newest) {
    console.log(`installing Claude Code ${newest} (some 360 MB) …`);
    npm('install', `@anthropic-ai/claude-code@${newest}`, ...node);
    // Where scripts are not run, the package is a stub until this has been.
    const install = join(folder, 'node_modules', '@anthropic-ai', 'claude-code', 'install.cjs');
    if (!versionOf(claude) && existsSync(install)) spawnSync(process.execPath, [install], { stdio: 'inherit' });
  }
}
const version = versionOf(claude);
if (!version) fail(`${claude} does not answer as Claude Code.`);
console.log(`with Claude Code ${version.join('.')}`);
const isOlder = LEAST.some(
  (least, i) => version[i] < least && LEAST.slice(0, i).every((part, j) => part === version[j]),
);
if (isOlder) fail(`it is older than ${LEAST.join('.')}, the release that these tests are about.`);

execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
const ran = spawnSync('npx', ['vitest', 'run', '--config', 'vitest.claude.config.ts'], {
  stdio: 'inherit',
  env: { ...env, COORD_TEST_CLAUDE: claude },
});
process.exitCode = ran.status ?? 1;
