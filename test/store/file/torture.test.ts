/** The short torture; `npm run torture` is the long one. */
import { expect, test } from 'vitest';
import { CHILDREN } from '../../support/children.ts';
import { torture } from '../../support/torture.ts';

test.each([
  { lock: true, canLink: true, faults: true, editor: 'rename' as const },
  { lock: false, canLink: true, faults: false, editor: 'in place' as const },
  { lock: false, canLink: false, faults: true, editor: 'none' as const },
])('killed, paused and edited at random, nothing is lost and nothing doubled: %o', async (options) => {
  const { violations, figures } = await torture({
    ...options,
    processes: 8,
    operations: 2000,
    seconds: 10,
    children: CHILDREN,
    killEveryMs: 150,
    pauseEveryMs: 400,
  });
  expect(violations).toEqual([]);
  expect(figures['acknowledged']).toBeGreaterThan(50);
  expect(figures['kills']).toBeGreaterThan(0);
  expect(figures['pauses']).toBeGreaterThan(0);
  if (options.editor !== 'none') expect(figures['edits']).toBeGreaterThan(0);
});
