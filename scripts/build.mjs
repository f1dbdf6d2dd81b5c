// Builds dist/: the binary as CommonJS chunks with everything bundled, since that starts fastest; the library as one
// ES module whose dependencies stay imports; the types of the library; the licences of what is bundled.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

/** Our own code. */
const SOURCES = join(import.meta.dirname, '../src/');

const require = createRequire(import.meta.url);
const CLIENT = require.resolve('pg/lib/client');
const CRYPTO_FILE = require.resolve('pg/lib/crypto/utils');
const CRYPTO = ['postgresMd5PasswordHash', 'randomBytes', 'deriveKey', 'sha256', 'hashByName', 'hmacSha256', 'md5'];

/**
 * What is loaded at every start and we do without: commander's node:child_process (2 ms) and our own node:os, loaded on use
 * instead; proper-lockfile's signal-exit, which listens to a dozen signals (2 ms) so that a killed process leaves no
 * lock (ours handles the signals that matter, a lock left behind is harmless, and the end of the process is enough); and
 * the MCP SDK's ajv (15 ms), which checks what users answer to elicitations: our server asks for none. Of pg we use the client:
 * not its pool, nor its native twin, nor the question whether this is Cloudflare, which loads Node's fetch (25 ms); its
 * cryptography where a server wants a password, and never node:dns (4 ms).
 */
const lighter = {
  name: 'lighter',
  resolveId(id, importer) {
    if (id === 'node:child_process' && importer?.includes('/commander/')) return '\0lazy-child-process';
    if (id === 'node:os' && importer?.startsWith(SOURCES)) return '\0lazy-os';
    if (id === '@modelcontextprotocol/server/_shims') return '\0no-elicitation';
    if (id === 'pg' && importer?.startsWith(SOURCES)) return '\0pg-client';
    if (id === './stream' && importer?.includes('/pg/lib/')) return '\0node-stream';
    if (id === 'dns' && importer?.includes('/pg/lib/')) return '\0no-dns';
    if (id === './crypto/utils' || (id === './utils' && importer?.includes('/pg/lib/crypto/'))) return '\0late-crypto';
    return id === 'signal-exit' ? '\0exit-only' : null;
  },
  load(id) {
    if (id === '\0lazy-child-process')
      return "module.exports = { get spawn() { return require('child_process').spawn; } };";
    if (id === '\0lazy-os')
      return `module.exports = { ${['devNull', 'homedir', 'hostname', 'tmpdir'].map((name) => `get ${name}() { return require('os').${name}; }`).join(', ')} };`;
    if (id === '\0no-elicitation')
      return "import process from 'node:process'; export { process }; export class DefaultJsonSchemaValidator { getValidator() { throw new Error('not built in'); } }";
    if (id === '\0pg-client')
      return `module.exports = { Client: require(${JSON.stringify(CLIENT)}), DatabaseError: require('pg-protocol').DatabaseError };`;
    if (id === '\0no-dns') return 'module.exports = {};';
    if (id === '\0late-crypto')
      return `module.exports = { ${CRYPTO.map((name) => `${name}: (...given) => require(${JSON.stringify(CRYPTO_FILE)}).${name}(...given)`).join(', ')} };`;
    if (id === '\0node-stream')
      return "module.exports = { getStream: () => new (require('net').Socket)(), getSecureStream: (options) => require('tls').connect(options) };";
    return id === '\0exit-only' ? "module.exports = (listener) => process.once('exit', listener);" : null;
  },
};
/**
 * Pure ASCII: read as one byte a character, and half the size in memory. And the function around it that bin/coord.cjs
 * calls: put around it there, it would cost a command two copies of its code, and one more garbage collection.
 */
const wrapped = {
  name: 'wrapped',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      const code = chunk.code?.replace(
        /[^\0-\x7f]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
      chunk.code = `(function(exports,require,module,__filename,__dirname){${code}\n})`;
    }
  },
};

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist', { recursive: true });

const binary = await rolldown({
  input: { coord: 'src/main.ts' },
  platform: 'node',
  plugins: [lighter, wrapped],
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
  // Each file costs a command half a millisecond: what is always loaded together is one. A hook needs the first, all else both.
  codeSplitting: {
    groups: [
      {
        name: 'words',
        test: /src\/(model\/(text|limits|errors|values)|store\/state-folder|faces\/durations)\.ts$/,
        priority: 3,
      },
      {
        name: 'base',
        test: /src\/(model\/(lifecycle|session-tag)|store\/(clock|commit-id|sessions)|store\/file\/(find|guard|errno|open-file|atomic|tree|trusted|own-records|scratch|sessions))\.ts$/,
        priority: 2,
      },
      {
        name: 'store',
        test: /(src\/(model\/(archived|board|defaults|dependencies|evidence|gate|undo|globs|graph|files|overlaps|fields|messages|moved|parse-input|questions|stored-board|views\/idle|views\/listing|verbs\/.*)|faces\/(io|hand-in)|store\/(open|place|address|board-store|places|queue|late-backend|late-results)|store\/file\/(backend|board-clock|board-text|config|commit-log|commit-name|commit-digests|discovery-text|documents|file-stamp|lock|mailbox|migrate|result-files|result-text|tasks-content|tasks-file))\.ts)$/,
        priority: 1,
      },
      {
        name: 'claim',
        test: /src\/(faces\/(claim-text|cli\/news)|model\/views\/questions)\.ts$/,
      },
    ],
  },
});

// What each chunk is made of, for the test that says what a command may load.
const partsOf = (ids) =>
  [
    ...new Set(
      ids.map((id) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? id.replace(/^.*?\/(?=src\/)/, '')),
    ),
  ].toSorted((a, b) => a.localeCompare(b));
writeFileSync(
  'dist/chunks.json',
  `${JSON.stringify(Object.fromEntries(output.map((chunk) => [chunk.fileName, partsOf(chunk.moduleIds ?? [])])), null, 1)}\n`,
);

// Whatever package it is, by any of its entries: what the library shares with its user must not come twice.
const library = await rolldown({
  input: { index: 'src/index.ts', contract: 'src/contract/index.ts' },
  platform: 'node',
  external: (id) => !/^(\.|\/|[A-Z]:)/i.test(id) && !id.startsWith('\0'),
});
await library.write({ dir: 'dist', format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' });

// The page of `coord web`: one script and one style sheet, which ask nobody else for anything.
const PAGE = 'src/faces/web/page';
const page = await rolldown({
  input: { page: join(PAGE, 'main.tsx') },
  platform: 'browser',
  transform: { target: 'es2023' },
});
const pageOutput = await page.write({
  dir: 'dist/web',
  format: 'esm',
  minify: true,
  entryFileNames: '[name].js',
  codeSplitting: false,
});
const styles = readdirSync(join(PAGE, 'style')).toSorted((a, b) => a.localeCompare(b));
writeFileSync('dist/web/page.css', styles.map((name) => readFileSync(join(PAGE, 'style', name), 'utf8')).join('\n'));
for (const name of ['index.html', 'icon.svg']) copyFileSync(join(PAGE, name), join('dist/web', name));

// The plugin for Claude Code, from the texts that `coord setup claude` writes.
const texts = await rolldown({ input: 'src/faces/claude-code/claude-files.ts', platform: 'node' });
const [{ code }] = (await texts.generate({ format: 'esm' })).output;
const { pluginFiles } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
for (const [path, text] of Object.entries(pluginFiles(manifest.version))) {
  mkdirSync(dirname(join('dist/plugin', path)), { recursive: true });
  writeFileSync(join('dist/plugin', path), text);
}

const hash = createHash('sha256');
for (const file of readdirSync('dist')
  .toSorted()
  .filter((name) => name.endsWith('js')))
  hash.update(file).update(readFileSync(join('dist', file)));
writeFileSync('dist/build-id', hash.digest('hex').slice(0, 16));

const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });

writeFileSync(
  'dist/THIRD-PARTY-LICENSES.txt',
  licences([...output, ...pageOutput.output].flatMap((chunk) => chunk.moduleIds ?? [])),
);

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
