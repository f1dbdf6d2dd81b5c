/** Locks beside each other: one process may hold several in one folder. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { STALE_MS, tryLock } from '../../../src/store/file/lock.ts';
import { until } from '../../support/rig.ts';

test('two locks of one folder are two, for as long as they are held', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coord-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [a, b] = ['a.lock', 'b.lock'].map((name) => tryLock(folder, join(folder, name)));
  if (typeof a !== 'function' || typeof b !== 'function') throw new Error('not locked');
  expect(tryLock(folder, join(folder, 'a.lock'))).toBe('held');
  a();
  // The other is refreshed all the same, past the time after which it would be taken for a dead one's.
  const made = Date.now();
  await until(() => statSync(join(folder, 'b.lock')).mtimeMs > made + STALE_MS, 'refreshed');
  expect(tryLock(folder, join(folder, 'b.lock'))).toBe('held');
  b();
  const again = tryLock(folder, join(folder, 'b.lock'));
  expect(again).toBeTypeOf('function');
  if (typeof again === 'function') again();
});
