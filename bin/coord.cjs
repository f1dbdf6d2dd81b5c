#!/usr/bin/env node
'use strict';
// Starts dist/coord.cjs with V8's code cache: compiled functions from an earlier run of the same command on the same
// Node, so that a command does not compile them again. Without a cache everything works the same, a little slower.
const { Script, constants } = require('node:vm');
const fs = require('node:fs');
const path = require('node:path');

const dist = path.join(__dirname, '..', 'dist');
const [group, name] = process.argv.slice(2);
const isWord = (word) => word !== undefined && /^[a-z-]{2,20}$/.test(word) && !word.startsWith('-');
const command = !isWord(group)
  ? 'help'
  : ['leader', 'worker'].includes(group) && isWord(name)
    ? `${group}-${name}`
    : group;

/** Folders that only the owner can write: the package's own, then the user's cache. Never a shared one such as /tmp. */
function cacheFolders(build) {
  const key = `${build}-${process.versions.v8}-${process.arch}`;
  const home = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(process.env.HOME, '.cache'));
  return [path.join(dist, '.cache', key), ...(home ? [path.join(home, 'claude-coord', key)] : [])];
}

const isCached = process.env.COORD_CODE_CACHE !== '0';
const modules = new Map();
const fresh = [];
let folders;

function read(file) {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

function load(file) {
  const known = modules.get(file);
  if (known) return known.exports;
  const module = { exports: {} };
  modules.set(file, module);
  const filename = path.join(dist, file);
  const source = `(function(exports,require,module,__filename,__dirname){${fs.readFileSync(filename, 'latin1')}\n})`;
  let cachedData;
  for (const folder of isCached ? folders : []) cachedData ??= read(path.join(folder, `${command}-${file}.bin`));
  const script = new Script(source, {
    filename,
    cachedData,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (!cachedData || script.cachedDataRejected) fresh.push({ file, script });
  const requireFrom = (id) => (id.startsWith('./') ? load(path.join(path.dirname(file), id)) : require(id));
  script.runInThisContext().call(module.exports, module.exports, requireFrom, module, filename, dist);
  return module.exports;
}

/** At the end, when the functions that this command needs are compiled. Synced and renamed, so never half a file. */
function save() {
  for (const folder of folders) {
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const { file, script } of fresh) {
        const target = path.join(folder, `${command}-${file}.bin`);
        const temp = `${target}.${process.pid}`;
        const fd = fs.openSync(temp, 'wx', 0o600);
        fs.writeSync(fd, script.createCachedData());
        fs.fsyncSync(fd);
        fs.closeSync(fd);
        fs.renameSync(temp, target);
      }
      return;
    } catch {
      // Not writable, or full: the next folder, or none.
    }
  }
}

const build = read(path.join(dist, 'build-id'));
if (!build) {
  process.stderr.write('coord: it has not been built yet. Next: npm run build\n');
  process.exitCode = 1;
} else {
  folders = cacheFolders(build.toString());
  process.on('exit', (code) => {
    if (fresh.length > 0 && code === 0 && isCached) save();
  });
  load('coord.cjs');
}
