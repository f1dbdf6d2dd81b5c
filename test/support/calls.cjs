// Preloaded into a process: writes down which files it opens, reads whole, looks at and gives names to, a line each, into the
// file that COORD_CALLS names. `read` is a whole file read, `lstat` a look, `link` and `rename` a new name.
const fs = require('node:fs');

const log = process.env.COORD_CALLS;
const { appendFileSync, openSync, readFileSync, lstatSync, linkSync, renameSync } = fs;
const paths = new Map();
const note = (what, path) => appendFileSync(log, `${what} ${path}\n`);
fs.openSync = (path, ...rest) => {
  const fd = openSync(path, ...rest);
  paths.set(fd, path);
  return fd;
};
fs.readFileSync = (path, ...rest) => {
  note('read', typeof path === 'number' ? (paths.get(path) ?? path) : path);
  return readFileSync(path, ...rest);
};
fs.lstatSync = (path, ...rest) => {
  note('lstat', path);
  return lstatSync(path, ...rest);
};
fs.linkSync = (from, to) => {
  note('link', to);
  return linkSync(from, to);
};
fs.renameSync = (from, to) => {
  note('rename', to);
  return renameSync(from, to);
};
