/** The handlers of `coord trust`. What is allowed here is a person's word, so no agent may say it. */
import { CoordError } from '../../model/errors.ts';
import { visible } from '../../model/text.ts';
import { openTrust } from '../../store/open.ts';
import type { Context, Reply } from '../io.ts';

export async function trust(context: Context, path: string): Promise<Reply> {
  refuseAgent(context);
  const board = openTrust(context.openOptions).add(path);
  return {
    text: `${visible(board.path)} is allowed, of user ${board.owner}`,
    json: { board },
    notes: ['Whoever can write there can give your agents tasks, and read what they hand in.'],
  };
}

export async function list(context: Context): Promise<Reply> {
  const boards = openTrust(context.openOptions).all();
  return {
    text:
      boards.length === 0
        ? 'No board of another user is allowed.'
        : boards.map(({ path, owner }) => `${visible(path)} (user ${owner})`).join('\n'),
    json: { boards },
  };
}

export async function revoke(context: Context, path: string): Promise<Reply> {
  refuseAgent(context);
  const had = openTrust(context.openOptions).remove(path);
  return {
    text: had ? `${visible(path)} is not allowed any more` : `${visible(path)} was not allowed`,
    json: { revoked: had },
  };
}

function refuseAgent({ io }: Context): void {
  if (!io.env['CLAUDECODE'] && !io.env['COORD_WORKER'] && !io.env['COORD_ORCHESTRATED']) return;
  throw new CoordError('not-allowed', 'What is allowed is for a person to say, in a terminal without an agent.');
}
