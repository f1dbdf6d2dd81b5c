#!/usr/bin/env node
'use strict';
// Starts dist/coord.cjs with V8's code cache: compiled functions from an earlier run of the same command on the same
// Node, so that a command does not compile them again. Without a cache everything works the same, a little slower.
const { Script, constants } = require('node:vm');
const fs = require('node:fs');
const path = require('node:path');

const dist = path.join(__dirname, '..', 'dist');
/** Builds besides the present one whose compiled code is kept: several Nodes may share a package. */
const KEPT_BUILDS = 4;
const KEPT_MS = 30 * 86_400_000;
const [group, name] = process.argv.slice(2);
const isWord = (word) => word !== undefined && /^[a-z-]{2,20}$/.test(word) && !word.startsWith('-');
// A board on a server needs other functions than one in files: what one has compiled is of little use to the other.
const isOnServer = !!process.env.COORD_STORE || fs.existsSync(path.join('.coordination', 'config.json'));
const verb = ['leader', 'worker'].includes(group) && isWord(name) ? `${group}-${name}` : group;
const command = isWord(group) ? `${verb}${isOnServer ? '-server' : ''}` : 'help';

/** The package's own folder, then the user's cache; each holds one folder a build, Node and processor. */
function cacheHomes() {
  const home = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(process.env.HOME, '.cache'));
  return [path.join(dist, '.cache'), ...(home ? [path.join(home, 'claude-coord')] : [])];
}

/**
 * Compiled code is code: it is taken only from what belongs to this user and nobody else can write. Windows keeps each
 * user's files apart by itself.
 */
function isPrivate(stat) {
  return !process.getuid || (stat.uid === process.getuid() && (stat.mode & 0o022) === 0);
}

/** Whether a folder may be read from. */
function isPrivateFolder(folder) {
  try {
    const stat = fs.lstatSync(folder);
    return stat.isDirectory() && isPrivate(stat);
  } catch {
    return false;
  }
}

/**
 * The code is stored twice, and taken where both copies agree: V8 does not check what it is given, and ends the process on a
 * flipped bit. Comparing two copies takes a twentieth of computing a checksum, most of which is loading node:crypto.
 */
function readCache(file) {
  let fd;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW || 0));
    const stat = fs.fstatSync(fd);
    if (!stat.isFile() || !isPrivate(stat)) return undefined;
    const bytes = fs.readFileSync(fd);
    const half = bytes.length / 2;
    const code = bytes.subarray(0, half);
    return Number.isInteger(half) && half > 0 && code.equals(bytes.subarray(half)) ? code : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

const isCached = process.env.COORD_CODE_CACHE !== '0';
const modules = new Map();
const fresh = [];
let key;
let cacheFolder;

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
  const source = fs.readFileSync(filename, 'latin1');
  let cachedData;
  if (isCached && cacheFolder) cachedData = readCache(path.join(cacheFolder, `${command}-${file}.bin`));
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
  for (const home of cacheHomes()) {
    const folder = path.join(home, key);
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (!isPrivateFolder(home) || !isPrivateFolder(folder)) continue;
      for (const { file, script } of fresh) {
        const target = path.join(folder, `${command}-${file}.bin`);
        const temp = `${target}.${process.pid}`;
        const code = script.createCachedData();
        fs.rmSync(temp, { force: true }); // of a process of the same number that was killed
        try {
          const fd = fs.openSync(temp, 'wx', 0o600);
          try {
            if (fs.writevSync(fd, [code, code]) === code.length * 2) fs.fsyncSync(fd);
            else throw new Error('short write');
          } finally {
            fs.closeSync(fd);
          }
          fs.renameSync(temp, target);
        } catch (error) {
          fs.rmSync(temp, { force: true });
          throw error;
        }
      }
      evict(home);
      return;
    } catch {
      // Not writable, or full: the next home, or none.
    }
  }
}

/** Builds that nobody has used for a month, and all but the last few: they are of no use to anybody else. */
function evict(home) {
  const builds = fs
    .readdirSync(home)
    .filter((entry) => /^[0-9a-f]{16}-[\d.]+[\w.-]*-\w+$/.test(entry) && entry !== key)
    .map((entry) => ({ old: path.join(home, entry), stat: fs.lstatSync(path.join(home, entry)) }))
    .filter(({ stat }) => stat.isDirectory())
    .toSorted((a, b) => b.stat.mtimeMs - a.stat.mtimeMs);
  for (const [i, { old, stat }] of builds.entries())
    if (i >= KEPT_BUILDS || Date.now() - stat.mtimeMs > KEPT_MS) fs.rmSync(old, { recursive: true, force: true });
}

const build = read(path.join(dist, 'build-id'))?.toString();
if (!build) {
  process.stderr.write('coord: it has not been built yet. Next: npm run build\n');
  process.exitCode = 1;
} else {
  key = `${build}-${process.versions.v8}-${process.arch}`;
  // Whoever could put another folder in its place would own that.
  cacheFolder = cacheHomes()
    .map((home) => path.join(home, key))
    .find(isPrivateFolder);
  process.on('exit', (code) => {
    if (fresh.length > 0 && code === 0 && isCached) save();
  });
  load('coord.cjs');
}
