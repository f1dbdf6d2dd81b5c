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
  const [command, ...args] = browserIn(env['BROWSER']) ?? OPENERS[process.platform] ?? ['xdg-open'];
  const words = args.some((word) => word.includes('%s'))
    ? args.map((word) => word.replaceAll('%s', target))
    : [...args, target];
  await new Promise<void>((resolve, reject) => {
    const child = spawn(command, words, { stdio: 'ignore', detached: true, cwd, env: { ...env } });
    child.once('spawn', () => resolve());
    child.once('error', (error) =>
      reject(new CoordError('command-failed', `No browser could be opened: ${command}: ${error.message}.`)),
    );
    child.unref();
  });
}

/** The first of a list, with its arguments; `%s` stands for what is to be opened. @see https://man7.org/linux/man-pages/man1/man.1.html (BROWSER) */
function browserIn(list: string | undefined): [string, ...string[]] | undefined {
  const separator = process.platform === 'win32' ? ';' : ':';
  const [command, ...args] = (list ?? '').split(separator)[0]?.split(' ').filter(Boolean) ?? [];
  return command === undefined ? undefined : [command, ...args];
}
