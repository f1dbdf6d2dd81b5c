/** The handlers of `coord trust`. What is allowed here is a person's word, so no agent may say it. */
import { CoordError } from '../../model/errors.ts';
import { visible } from '../../model/text.ts';
import { openAllowedChecks, openAllowedStores, openCheckRecords, openTrust, revokeCheck } from '../../store/open.ts';
import { type Context, isAgent, isPerson, type Reply, withStore } from '../io.ts';

export async function trust(context: Context, path: string): Promise<Reply> {
  refuseAgent(context);
  const board = openTrust(context.openOptions).add(path);
  return {
    text: `${visible(board.path)} is allowed, of user ${board.owner}`,
    json: { board },
    notes: ['Whoever can write there can give your agents tasks, and read what they hand in.'],
  };
}

/** One command line, its words as they were typed. */
export async function trustCheck(context: Context, words: string[]): Promise<Reply> {
  if (!isPerson(context.io))
    throw new CoordError('not-allowed', 'What may be run is for a person to say, at a terminal without an agent.');
  const command = words.join(' ').trim();
  if (command === '') throw new CoordError('usage', 'The command is empty.');
  return withStore(context, async (store) => {
    const records = await openCheckRecords(store, context.openOptions, (await store.read()).commit);
    records.allow(command);
    return { text: `allowed as a check of ${visible(store.location)}: ${visible(command)}`, json: { command } };
  });
}

export async function list(context: Context): Promise<Reply> {
  const boards = openTrust(context.openOptions).all();
  const checks = await openAllowedChecks(context.openOptions);
  const stores = (await openAllowedStores(context.openOptions)).all();
  return {
    text:
      boards.length + checks.length + stores.length === 0
        ? 'Nothing is allowed: no check, no board of another user, and no server.'
        : [
            ...boards.map(({ path, owner }) => `${visible(path)} (user ${owner})`),
            ...checks.map(({ command, board }) => `check ${visible(command)} (of ${visible(board)})`),
            ...stores.map((url) => `store ${visible(url)}`),
          ].join('\n'),
    json: { boards, checks: checks.map(({ command, board }) => ({ command, board })) },
  };
}

export async function revoke(context: Context, what: string): Promise<Reply> {
  refuseAgent(context);
  const stores = await openAllowedStores(context.openOptions);
  const had =
    (await revokeCheck(context.openOptions, what)) ||
    stores.remove(what) ||
    openTrust(context.openOptions).remove(what);
  return {
    text: had ? `${visible(what)} is not allowed any more` : `${visible(what)} was not allowed`,
    json: { revoked: had },
  };
}

function refuseAgent({ io }: Context): void {
  if (!isAgent(io)) return;
  throw new CoordError('not-allowed', 'What is allowed is for a person to say, in a terminal without an agent.');
}
