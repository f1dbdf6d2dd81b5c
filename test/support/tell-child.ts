/** Tells messages one after the other, and kills itself at a point of it. Prints each that was acknowledged. */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/open.ts';

const [cwd = '', from = '', count = '', point = '', canLink = 'true'] = process.argv.slice(2);
const store = openStore({
  cwd,
  canLink: canLink === 'true',
  at: (reached) => {
    if (reached === point) process.kill(process.pid, 'SIGKILL');
  },
});
for (let i = 0; i < Number(count); i++) {
  const { message } = await store.tell({ from, to: 'a', text: `${from} ${i}` });
  writeSync(1, `${message.text}\n`);
}
await store.close();
