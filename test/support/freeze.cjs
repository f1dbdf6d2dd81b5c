// Loaded before a process (`node --require`): it stops itself (SIGSTOP) once, before or after it sends what FREEZE names to a
// server, until somebody lets it go on.
//
//   FREEZE       part of a statement
//   FREEZE_WHEN  before or after
'use strict';
const { Socket } = require('node:net');

let isDone = false;
for (const name of ['_write', '_writev']) {
  const real = Socket.prototype[name];
  Socket.prototype[name] = function (data, ...rest) {
    const chunks = Array.isArray(data) ? data.map(({ chunk }) => chunk) : [data];
    const isIt = !isDone && chunks.some((chunk) => Buffer.from(chunk).includes(process.env.FREEZE));
    isDone ||= isIt;
    if (isIt && process.env.FREEZE_WHEN === 'before') process.kill(process.pid, 'SIGSTOP');
    const answer = real.call(this, data, ...rest);
    if (isIt && process.env.FREEZE_WHEN === 'after') process.kill(process.pid, 'SIGSTOP');
    return answer;
  };
}
