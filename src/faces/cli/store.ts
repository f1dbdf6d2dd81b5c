/** The handlers of `coord store`. */
import { relative } from 'node:path';
import { CoordError } from '../../model/errors.ts';
import { plural, visible } from '../../model/text.ts';
import type { StoreStatus } from '../../store/server.ts';
import { openServers } from '../../store/open.ts';
import { type Context, isAgent, type Paint, type Reply } from '../io.ts';
import { hintOf, quotedWord } from './hints.ts';
import { EXIT } from './output.ts';

export async function status(context: Context, address: string | undefined): Promise<Reply> {
  const servers = await openServers(context.openOptions);
  const found = await servers.status(address);
  const { problem } = found;
  const isUsable = found.reachable && found.revision !== undefined && found.moved_to === undefined;
  const why = found.schema_version === 0 ? 'no-schema' : problem?.why;
  const next =
    why === undefined || why === 'unreachable' // that is what this command has said
      ? undefined
      : hintOf(new CoordError('store-unavailable', '', { details: { why, path: found.location } }));
  return {
    text: linesOf(found, context.paint)
      .map(([name, text]) => `${name.padEnd(10)} ${text}`)
      .join('\n'),
    json: found,
    notes: next === undefined ? [] : [`Next: ${next}`],
    exitCode: isUsable ? EXIT.done : EXIT.error,
  };
}

function linesOf(found: StoreStatus, paint: Paint): [string, string][] {
  const good = (isGood: boolean, text: string): string => (isGood ? text : paint.red(text));
  const { reachable, problem, schema_version: schema, notifications, revision, tasks = 0, board, boards = [] } = found;
  const source = found.source === undefined ? '' : `, as ${visible(found.source)} says`;
  const lines: [string, string][] = [['store', `${found.store}, ${visible(found.location)}${source}`]];
  if (found.store === 'postgres') {
    const reached = reachable ? `yes, in ${found.latency_ms} ms` : `no: ${visible(problem?.message ?? '')}`;
    lines.push(['reachable', good(reachable, reached)]);
  }
  if (found.server_version !== undefined) lines.push(['server', `PostgreSQL ${visible(found.server_version)}`]);
  if (schema !== undefined) {
    const version = schema === 0 ? 'none' : `version ${schema}; this coord knows ${found.known_schema_version}`;
    lines.push(['tables', good(schema > 0, version)]);
  }
  if (notifications !== undefined) {
    const wakes = notifications
      ? 'who waits, at once'
      : 'nobody: notifications do not arrive, as behind a pooler in transaction mode; who waits looks every 5 s';
    lines.push(['wakes', good(notifications, wakes)]);
  }
  const name = board === undefined ? '' : `${visible(board)}, `;
  if (revision !== undefined) lines.push(['board', `${name}${plural(tasks, 'task')}, revision ${revision}`]);
  else if (reachable && board !== undefined) {
    const others = boards.length === 0 ? 'no board is' : `there are: ${boards.slice(0, 10).map(visible).join(', ')}`;
    lines.push(['board', paint.red(`${visible(board)} is not there; ${others}`)]);
  }
  if (found.moved_to !== undefined)
    lines.push(['moved', paint.red(`to ${visible(found.moved_to)}: nothing changes here`)]);
  return lines;
}

export async function migrate(
  context: Context,
  address: string | undefined,
  options: { print?: boolean },
): Promise<Reply> {
  const servers = await openServers(context.openOptions);
  if (options.print === true) {
    const sql = servers.migrationScript();
    return { text: sql.trimEnd(), json: { sql } };
  }
  refuseAgent(context);
  const { from, to } = await servers.migrate(address);
  return {
    text:
      from === to
        ? `The tables are of version ${to} already.`
        : `${from === 0 ? 'Made the tables' : `Upgraded the tables from version ${from}`}, version ${to}.`,
    json: { from, to },
    notes: from === 0 ? ['Next: coord leader init "<goal>" --store <address>'] : [],
  };
}

export async function connect(context: Context, address: string, options: { board?: string }): Promise<Reply> {
  refuseAgent(context);
  const servers = await openServers(context.openOptions);
  const joined = await servers.connect(address, options.board);
  const dir = relative(context.io.cwd, joined.dir) || '.';
  return {
    text: `${dir}/ now leads to ${visible(joined.address)}, with ${plural(joined.tasks, 'task')}.`,
    json: joined,
    notes: [
      ...(joined.before === undefined ? [] : [`Before it led to ${visible(joined.before)}`]),
      'Next: coord status',
    ],
  };
}

/** What of a board is counted in words. */
const COUNTED = {
  tasks: ['task', 'tasks'],
  archived: ['archived task', 'archived tasks'],
  results: ['result', 'results'],
  late: ['late result', 'late results'],
  discoveries: ['discovery', 'discoveries'],
  log: ['line of the log', 'lines of the log'],
  tokens: ['token', 'tokens'],
} as const;

export async function copy(context: Context, from: string, to: string): Promise<Reply> {
  refuseAgent(context);
  const servers = await openServers(context.openOptions);
  const moved = await servers.move(from, to);
  const what = Object.entries(COUNTED).flatMap(([kind, [one, many]]) => {
    const count = moved.counts[kind] ?? 0;
    return count === 0 ? [] : [plural(count, one, many)];
  });
  return {
    text: `Moved the board to ${visible(moved.to)}: ${what.join(', ') || 'no tasks yet'}.`,
    json: moved,
    notes: [
      'Compared with what was there: equal.',
      'Restart what still runs on the old place: MCP servers and waiting workers.',
      ...(moved.isOnServer ? [`In other folders: coord store connect ${quotedWord(moved.to)}`] : []),
    ],
  };
}

/** Which server gets this user's password, and where the board is, is for people to say. */
function refuseAgent({ io }: Context): void {
  if (isAgent(io)) throw new CoordError('not-allowed', 'Where the board is kept is for a person to say.');
}
