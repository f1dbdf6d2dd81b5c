// Builds dist/: the binary as CommonJS chunks with everything bundled, since that starts fastest; the library as one
// ES module whose dependencies stay imports; the types of the library; the licences of what is bundled.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

/** commander loads node:child_process for a feature that we do not use; 2 ms at every start. Loaded on use instead. */
const lazyChildProcess = {
  name: 'lazy-child-process',
  resolveId: (id, importer) =>
    id === 'node:child_process' && importer?.includes('/commander/') ? '\0lazy-child-process' : null,
  load: (id) =>
    id === '\0lazy-child-process'
      ? "module.exports = { get spawn() { return require('child_process').spawn; } };"
      : null,
};

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist', { recursive: true });

const binary = await rolldown({
  input: { coord: 'src/main.ts' },
  platform: 'node',
  plugins: [lazyChildProcess],
  // proper-lockfile's graceful-fs retries on EMFILE, which a command with three open files does not need; 5 ms.
  // jsonc-parser's main is UMD, whose requires no bundler can follow.
  resolve: {
    alias: {
      'graceful-fs': 'node:fs',
      'jsonc-parser': join(import.meta.dirname, '../node_modules/jsonc-parser/lib/esm/main.js'),
    },
  },
  transform: { define: { COORD_VERSION: JSON.stringify(manifest.version) } },
});
const { output } = await binary.write({
  dir: 'dist',
  format: 'cjs',
  // Names stay, so that a stack trace in a bug report can be read.
  minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
});

const library = await rolldown({
  input: { index: 'src/index.ts' },
  platform: 'node',
  external: Object.keys(manifest.dependencies),
});
await library.write({ dir: 'dist', format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' });

const hash = createHash('sha256');
for (const file of readdirSync('dist').toSorted()) hash.update(file).update(readFileSync(join('dist', file)));
writeFileSync('dist/build-id', hash.digest('hex').slice(0, 16));

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });

writeFileSync('dist/THIRD-PARTY-LICENSES.txt', licences(output.flatMap((chunk) => chunk.moduleIds ?? [])));

/** The licence texts of the packages whose modules are in the bundle. */
function licences(modules) {
  const folders = new Set();
  for (const id of modules) {
    const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replaceAll('\\', '/')) ?? [];
    if (folder) folders.add(folder);
  }
  return [...folders]
    .toSorted((a, b) => a.localeCompare(b))
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), 'utf8').trim() : ''}\n`;
    })
    .join('\n----\n\n');
}
