// npm run test:claude: installs Claude Code beside the project, where its package is to be had, and runs the tests that need
// it. It talks to a scripted model on loopback and to nobody else.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = join('node_modules', '.cache', 'claude-code');
const claude = process.env.COORD_TEST_CLAUDE ?? join(process.cwd(), folder, 'node_modules', '.bin', 'claude');

const answers = () => spawnSync(claude, ['--version'], { encoding: 'utf8' }).stdout ?? '';
if (!existsSync(claude)) {
  console.log('installing @anthropic-ai/claude-code (some 360 MB) …');
  spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', folder, '@anthropic-ai/claude-code'],
    { stdio: 'ignore' },
  );
}
if (!/Claude Code/.test(answers())) {
  console.log('SKIPPED: @anthropic-ai/claude-code could not be installed or does not run here. Nothing was tested.');
  process.exit(0);
}
console.log(`with ${answers().trim()}`);
execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
const ran = spawnSync('npx', ['vitest', 'run', '--config', 'vitest.claude.config.ts'], {
  stdio: 'inherit',
  env: { ...process.env, COORD_TEST_CLAUDE: claude },
});
process.exitCode = ran.status ?? 1;
