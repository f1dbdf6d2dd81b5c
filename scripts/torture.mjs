// npm run torture [-- processes operations seconds]: bundles the torture, since Node 20 runs no TypeScript, and runs it.
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { rolldown } from 'rolldown';

const dir = 'node_modules/.cache/coord-torture';
const bundle = await rolldown({
  input: { torture: 'test/support/torture-main.ts', 'torture-child': 'test/support/torture-child.ts' },
  platform: 'node',
});
await bundle.write({ dir, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' });
copyFileSync('test/support/faults.cjs', `${dir}/faults.cjs`);
const { status } = spawnSync(process.execPath, [`${dir}/torture.mjs`, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
