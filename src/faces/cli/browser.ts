/** Opens something in the person's own browser. */
import { spawn } from 'node:child_process';
import { CoordError } from '../../model/errors.ts';
import type { Io } from '../io.ts';

/** What opens a file or an address, by Node's name of the system. */
const OPENERS: Readonly<Record<string, [command: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** @throws CoordError `command-failed` where there is no way to open one */
export async function openInBrowser({ env, cwd }: Io, target: string): Promise<void> {
  const named = env['BROWSER'];
  const [command, ...args] = named ? [named] : (OPENERS[process.platform] ?? ['xdg-open']);
  await new Promise<void>((resolve, reject) => {
    const child = spawn(command, [...args, target], { stdio: 'ignore', detached: true, cwd, env: { ...env } });
    child.once('spawn', () => resolve());
    child.once('error', (error) =>
      reject(new CoordError('command-failed', `No browser could be opened: ${command}: ${error.message}.`)),
    );
    child.unref();
  });
}
