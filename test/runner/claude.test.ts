/** One process of the stand-in at a time: the endings that take patience. */
import { expect, test } from 'vitest';
import type { Outcome } from '../../src/runner/agent.ts';
import { Claude } from '../../src/runner/agents/claude/claude.ts';
import { Project, STAND_IN } from '../support/claude.ts';
import { BIN, scrubbedEnv } from '../support/rig.ts';

function runJob(project: Project, description: string): Promise<Outcome> {
  const claude = new Claude({
    executable: STAND_IN,
    env: scrubbedEnv(project.env),
    coord: [process.execPath, BIN],
    boardDir: () => project.path('.coordination'),
    silenceMs: 500,
    backgroundMs: 300,
    graceMs: 300,
  });
  return claude.run({
    worker: 'worker-1',
    task: null,
    prompt: `# task-001\n\n> ${description}`,
    cwd: project.cwd,
    isReadOnly: false,
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    onStart: async () => {},
    onAction: () => {},
    onWarning: () => {},
    onLine: () => {},
  });
}

test('one that falls silent is stalled, and ended', async () => {
  const project = new Project();
  expect(await runJob(project, '[silent]')).toMatchObject({
    ok: false,
    kind: 'stalled',
    reason: expect.stringMatching(/nothing was heard/) as string,
  });
  expect(project.alive()).toEqual([]);
});

test('background shells may end for a while after the result, which stands', async () => {
  const project = new Project();
  expect(await runJob(project, '[background] [lingers]')).toMatchObject({
    ok: true,
    text: 'Did task-001 as worker-1.',
  });
  expect(project.noted().some((one) => one.event === 'child')).toBe(true);
  expect(project.alive()).toEqual([]);
});

test('one that cannot be started at all has crashed, with the reason', async () => {
  const project = new Project();
  const claude = new Claude({ executable: '/nowhere', env: {}, coord: ['coord'], boardDir: () => project.cwd });
  await expect(claude.check()).rejects.toMatchObject({ code: 'claude-not-found' });
});
