/** Several workers on one branch: short here, with kills and two clones in `npm run torture`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { landingRun, type LandingRunOptions } from '../support/landing-run.ts';
import { GIT_ENV } from '../support/git-env.ts';
import { BIN, scrubbedEnv } from '../support/rig.ts';

function run(options: Partial<LandingRunOptions>) {
  const dir = mkdtempSync(join(tmpdir(), 'coord-run-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const env = scrubbedEnv({ ...GIT_ENV, XDG_STATE_HOME: join(dir, 'state'), COORD_DURABLE: '0' });
  return landingRun({ dir, bin: BIN, env, tasks: 8, workers: 3, shared: 2, checkMs: 100, ...options });
}

test('eight tasks that conflict, three workers: each landed once, the checkout of the user untouched', async () => {
  const { violations, figures } = await run({});
  expect(violations).toEqual([]);
  expect(figures.landed).toBe(8);
});

test('the same from two clones, through a bare remote', async () => {
  const { violations, figures } = await run({ clones: true, tasks: 6 });
  expect(violations).toEqual([]);
  expect(figures.landed).toBe(6);
});

test('two landers, and one of all is killed now and then', async () => {
  const { violations, figures } = await run({ landers: 2, killEveryMs: 1500, tasks: 6 });
  expect(violations).toEqual([]);
  expect(figures.kills).toBeGreaterThan(0);
});
