/** In a file of its own, since every command asks, and most need nothing else of the store. */
import { isAbsolute, join } from 'node:path';

/** Where this user's own records lie by the environment. @see https://specifications.freedesktop.org/basedir-spec/latest/ */
export function stateFolderOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const given = env['XDG_STATE_HOME'];
  return given !== undefined && isAbsolute(given) ? join(given, 'coord') : undefined;
}
