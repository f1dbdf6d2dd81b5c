import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, onTestFinished } from 'vitest';
import { storeContract } from '../../../src/contract/store.ts';
import { initStore } from '../../../src/store/open.ts';
import { HAS_POSTGRES, newDatabase } from '../../support/postgres.ts';

describe.skipIf(!HAS_POSTGRES)('on a real server', () => {
  let address = '';
  let boards = 0;
  beforeAll(async () => {
    address = await newDatabase();
  });

  storeContract('PostgreSQL', async (now) => {
    const cwd = mkdtempSync(join(tmpdir(), 'coord-pg-'));
    const { store } = await initStore(
      { goal: 'test' },
      { cwd, stateFolder: cwd, store: address, board: `board-${boards++}`, now },
    );
    onTestFinished(async () => {
      await store.close();
      rmSync(cwd, { recursive: true, force: true });
    });
    return store;
  });
});
