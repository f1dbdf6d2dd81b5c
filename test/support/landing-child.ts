/** Lands what is queued, and ends itself, or stops, at one of the seven steps: `landing-child.ts <project> <step> <kill|stop|go>`. */
import { Lander } from '../../src/work/landing.ts';
import { openStore } from '../../src/store/open.ts';

const [cwd = '', wanted = '0', how = 'go'] = process.argv.slice(2);
const store = openStore({ cwd });
const lander = new Lander({
  store,
  openOptions: { cwd, stateFolder: `${process.env['XDG_STATE_HOME']}/coord` },
  cwd,
  env: process.env,
  signal: new AbortController().signal,
  by: 'lander',
  at: (step) => {
    console.log(`step ${step}`);
    if (step !== Number(wanted)) return;
    if (how === 'kill') process.kill(process.pid, 'SIGKILL');
    if (how === 'stop') process.kill(process.pid, 'SIGSTOP');
  },
});
const end = await lander.landNext();
console.log(end.end);
await store.close();
