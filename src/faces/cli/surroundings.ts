/** What the gate is given by the command line. */
import { clip, visible } from '../../model/text.ts';
import { formatDuration } from '../durations.ts';
import type { GateSurroundings } from '../hand-in.ts';
import type { Context } from '../io.ts';

/** The gate of somebody at the command line, who sees on a terminal what runs. */
export function surroundings(context: Context): GateSurroundings {
  const { io, openOptions } = context;
  return {
    openOptions,
    cwd: io.cwd,
    env: io.env,
    signal: io.signal,
    onProgress: io.stderr.isTTY
      ? (command, seconds) =>
          context.note(`${visible(clip(command))} runs${seconds === 0 ? '' : ` for ${formatDuration(seconds * 1000)}`}`)
      : undefined,
  };
}
