/** What a board knows besides its tasks: shared by all machines, but for the processes of each. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { initStore } from '../../../src/store/open.ts';
import { openRegistry, placeOf } from '../../../src/store/place.ts';
import { HAS_POSTGRES, newDatabase } from '../../support/postgres.ts';
import { sql } from '../../support/postgres-server.ts';

describe.skipIf(!HAS_POSTGRES)('the registry', () => {
  test('keeps every change of many at once: tokens for all, processes for this machine alone', async () => {
    const address = await newDatabase();
    const machine = async () => {
      const cwd = mkdtempSync(join(tmpdir(), 'coord-registry-'));
      onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
      const options = { cwd, stateFolder: cwd, env: { COORD_STORE: `${address}?board=b` } };
      return { options, open: () => openRegistry(placeOf(options), options) };
    };
    const [here, there] = [await machine(), await machine()];
    const { store } = await initStore({ goal: 'x' }, here.options);
    await store.close();
    const agent = (n: number) => ({
      pid: 1000 + n,
      started: '1',
      mark: 'a'.repeat(16),
      host: 'h',
      worker: `w${n}`,
      task_id: '',
      attempt: 1,
    });
    const token = (n: number) => ({ worker: `w${n}`, fingerprint: 'f'.repeat(64) });
    await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        await (await here.open()).change(({ agents }) => ({ agents: [...agents, agent(n)] }));
        await (await (n % 2 ? here : there).open()).change(({ tokens }) => ({ tokens: [...tokens, token(n)] }));
      }),
    );
    const [own, other] = [await (await here.open()).read(), await (await there.open()).read()];
    const names = Array.from({ length: 8 }, (_, n) => `w${n}`);
    expect(own.agents.map(({ worker }) => worker).toSorted()).toEqual(names);
    expect(other.agents).toEqual([]);
    for (const { tokens } of [own, other]) expect(tokens.map(({ worker }) => worker).toSorted()).toEqual(names);
    const [row] = await sql<{ doc: object }>(address, 'SELECT doc FROM coord.registry');
    expect(Object.keys(row?.doc ?? {}).toSorted()).toEqual(['fence', 'orchestrator', 'revision', 'tokens']);
    // A connection of its own ends with its work.
    expect(
      await sql(
        address,
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'coord' AND state <> 'idle'",
      ),
    ).toEqual([]);
  });
});
