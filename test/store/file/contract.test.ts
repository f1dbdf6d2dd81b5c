import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { initStore, type OpenOptions } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { storeContract } from '../../../src/contract/store.ts';

async function openFile(options: OpenOptions): Promise<Store> {
  const cwd = mkdtempSync(join(tmpdir(), 'coord-contract-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const { store } = await initStore({ goal: 'test' }, { cwd, ...options });
  return store;
}
const clock = (now: (() => string) | undefined): OpenOptions => (now ? { now } : {});

storeContract('file', (now) => openFile(clock(now)));
storeContract('file without links', (now) => openFile({ ...clock(now), canLink: false }));
storeContract('file without the lock', (now) => openFile({ ...clock(now), lock: false }));
storeContract('file with polling', (now) => openFile({ ...clock(now), poll: true }));
