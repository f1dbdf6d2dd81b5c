/** People and agents edit tasks.json by hand, and nobody's edit is lost. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileContract } from '../../../src/contract/files.ts';
import { initStore, openStore } from '../../../src/store/open.ts';

fileContract('file', async (cwd, { goal, notice }) => {
  const options = { cwd, ...(notice ? { notice } : {}) };
  return goal === undefined ? openStore(options) : (await initStore({ goal }, options)).store;
});

test('every saved version of the format still loads', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'coord-versions-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const { store } = await initStore({ goal: 'versions' }, { cwd });
  await store.addTasks({ tasks: [{ description: 'one' }] });
  const dir = join(cwd, '.coordination');
  const file = join(dir, 'tasks.json');
  const folder = new URL('../../fixtures/versions/', import.meta.url);
  for (const name of readdirSync(folder)) {
    rmSync(join(dir, '.commits'), { recursive: true });
    writeFileSync(file, readFileSync(new URL(name, folder)));
    const board = await openStore({ dir }).read();
    expect(
      board.tasks.map((t) => [t.id, t.status]),
      name,
    ).toEqual([
      ['task-001', 'done'],
      ['task-002', 'claimed'],
      ['task-003', 'available'],
    ]);
  }
});
