// Loaded before a process (`node --require`), it makes calls of node:fs answer as bad disks and network mounts do, and lets
// the process's own clock be wrong. Told by the environment:
//
//   FAULTS       a JSON list of {call, on, error?, after?, stop?, short?, times?, chance?}
//     call       linkSync, renameSync, openSync, writeSync, writevSync, fsyncSync, mkdirSync, unlinkSync
//     on         part of a path that it is about (of both, for a rename)
//     error      the code to answer with; after: true carries the call out first
//     stop       pause here (SIGSTOP), until somebody lets the process go on
//     short      true: write only half of what was given, and say so
//     times      how often, default always; chance: of each call, 0 to 1
//   CLOCK_AHEAD  seconds by which this process believes it is later
'use strict';
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

const faults = JSON.parse(process.env.FAULTS ?? '[]');
const paths = new Map();
const errno = {
  EPERM: -1,
  ENOENT: -2,
  EIO: -5,
  EACCES: -13,
  EEXIST: -17,
  ENOSPC: -28,
  EDQUOT: -122,
  ESTALE: -116,
  ETIMEDOUT: -110,
};

function fail(call, code, path) {
  throw Object.assign(new Error(`${code}: injected, ${call} '${path}'`), {
    code,
    errno: errno[code] ?? -1,
    syscall: call.replace(/Sync$/, ''),
    path,
  });
}

function faultFor(call, path, isAfter) {
  const fault = faults.find(
    (one) => one.call === call && path.includes(one.on) && (one.after === true) === isAfter && one.times !== 0,
  );
  if (!fault || (fault.chance !== undefined && Math.random() >= fault.chance)) return undefined;
  if (fault.times !== undefined) fault.times--;
  return fault;
}

function wrap(call, pathOf, shorten) {
  const real = fs[call];
  fs[call] = (...args) => {
    const path = String(pathOf(...args));
    const before = faultFor(call, path, false);
    if (before?.stop) process.kill(process.pid, 'SIGSTOP');
    if (before?.error) fail(call, before.error, path);
    const result = before?.short && shorten ? shorten(real, args) : real(...args);
    const after = faultFor(call, path, true);
    if (after) fail(call, after.error, path);
    return result;
  };
}

const half = (bytes) => bytes.subarray(0, Math.ceil(bytes.length / 2));
const byFd = (fd) => paths.get(fd) ?? '';
wrap('linkSync', (_from, to) => to);
wrap('renameSync', (from, to) => `${from} -> ${to}`);
wrap('mkdirSync', (path) => path);
wrap('unlinkSync', (path) => path);
wrap('openSync', (path) => path);
wrap('fsyncSync', byFd);
wrap('writeSync', byFd, (real, [fd, data, ...rest]) =>
  typeof data === 'string' ? real(fd, half(Buffer.from(data))) : real(fd, half(data.subarray(rest[0] ?? 0))),
);
wrap('writevSync', byFd, (real, [fd, chunks]) => real(fd, [half(Buffer.concat(chunks))]));
const open = fs.openSync;
fs.openSync = (path, ...rest) => {
  const fd = open(path, ...rest);
  paths.set(fd, String(path));
  return fd;
};
syncBuiltinESMExports();

const ahead = Number(process.env.CLOCK_AHEAD ?? 0) * 1000;
if (ahead !== 0) {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...args) {
      super(...(args.length === 0 ? [Real.now() + ahead] : args));
    }
    static now() {
      return Real.now() + ahead;
    }
  };
}
