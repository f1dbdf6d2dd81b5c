/**
 * `coord setup claude`: merges coord into the settings of Claude Code. What a user wrote stays as it is, comments and order
 * included; what was written can be taken away again, byte for byte where nobody has changed it since.
 */
import { basename, dirname, join, relative, resolve } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { applyEdits, modify } from 'jsonc-parser';
import { CoordError } from '../../model/errors.ts';
import { visible } from '../../model/text.ts';
import { type FileChange, readText, RECORD, refuseLinks, SetupRecord, writeAll } from './settings-files.ts';
import {
  HOOKS,
  OLD_PERMISSION,
  PERMISSIONS,
  SERVER,
  SERVER_ENTRY,
  SERVER_PERMISSION,
  SKILLS,
  STRICT_GUARD,
} from './claude-files.ts';
import type { Context, Reply } from '../io.ts';
import { isRecord } from '../../model/values.ts';
import { withLine, setIn, recordAt, parseSettings, formattingOf, withoutItems, withItems } from './settings-edits.ts';
import { projectRoot } from '../../store/open.ts';

interface SetupOptions {
  scope: 'project' | 'user';
  hooks?: boolean;
  strict?: boolean;
  dryRun?: boolean;
  remove?: boolean;
  plugin?: boolean;
}

/** Where Claude Code looks, by scope. */
interface Places {
  root: string;
  /** Holds `mcpServers`. */
  servers: string;
  settings: string;
  skills: string;
  record: string;
  gitignore: string | undefined;
}

/** Worktrees that Claude Code makes of itself. */
const IGNORED = '.claude/worktrees/';

export async function claude(context: Context, options: SetupOptions): Promise<Reply> {
  if (options.plugin === true) return plugin(context);
  if (options.strict === true && options.hooks !== true)
    throw new CoordError('usage', '--strict goes with --hooks.', { hint: 'coord setup claude --hooks --strict' });
  const places = placesOf(context, options.scope);
  const record = new SetupRecord(places.root, places.record);
  const notes: string[] = [];
  const changes = options.remove === true ? removal(places, record, notes) : addition(places, options, notes);
  const real = changes.filter(({ before, after }) => before !== after);
  if (options.dryRun === true) {
    return {
      text:
        real.length === 0 ? 'Nothing to change.' : visible(real.map((one) => diffText(places.root, one)).join('\n')),
      json: { changes: real.map(({ path }) => path) },
      notes: ['Nothing was written.', ...notes],
    };
  }
  if (options.scope === 'project') refuseLinks(places.root, [...real.map(({ path }) => path), record.path]);
  if (real.length > 0) {
    const last: FileChange =
      options.remove === true
        ? { path: record.path, before: readText(record.path), after: undefined }
        : record.with(real);
    writeAll([...real, last]);
  }
  const verb = options.remove === true ? 'restored' : 'wrote';
  // In a subfolder the settings belong to the project around it.
  const isElsewhere = options.scope === 'project' && places.root !== resolve(context.io.cwd);
  const where = isElsewhere && real.length > 0 ? [`In ${places.root}, the project's root.`] : [];
  return {
    text:
      real.length === 0
        ? 'Nothing to change.'
        : real.map(({ path }) => `${verb} ${relative(places.root, path)}`).join('\n'),
    json: { changes: real.map(({ path }) => path) },
    notes: [...where, ...notes, ...(options.remove === true ? [] : whatComes(options))],
  };
}

function placesOf(context: Context, scope: 'project' | 'user'): Places {
  if (scope === 'project') {
    const { dir: named } = context.openOptions;
    const dir = named === undefined ? projectRoot(context.io.cwd) : resolve(context.io.cwd, named);
    const root = basename(dir) === '.coordination' ? dirname(dir) : dir;
    return {
      root,
      servers: join(root, '.mcp.json'),
      settings: join(root, '.claude', 'settings.json'),
      skills: join(root, '.claude', 'skills'),
      record: join(root, '.claude', RECORD),
      gitignore: join(root, '.gitignore'),
    };
  }
  const home = context.io.env['HOME'] ?? context.io.env['USERPROFILE'];
  if (!home) throw new CoordError('usage', 'HOME is not set, so there are no settings of yours to change.');
  const configured = context.io.env['CLAUDE_CONFIG_DIR'];
  const folder = configured || join(home, '.claude');
  return {
    root: home,
    servers: join(configured || home, '.claude.json'),
    settings: join(folder, 'settings.json'),
    skills: join(folder, 'skills'),
    record: join(folder, RECORD),
    gitignore: undefined,
  };
}

function addition(places: Places, options: SetupOptions, notes: string[]): FileChange[] {
  const skills = Object.entries(SKILLS).map(([name, text]) => {
    const path = join(places.skills, name, 'SKILL.md');
    const before = readText(path);
    const isOurs =
      before === undefined ||
      new SetupRecord(places.root, places.record).read().some((one) => one.path === path && one.after === before);
    if (!isOurs && before !== text) notes.push(`${relative(places.root, path)} is yours and stays as it is.`);
    return { path, before, after: isOurs ? text : before };
  });
  const { gitignore } = places;
  const servers = change(places.servers, (text) => withServer(places.servers, text, notes));
  // An entry of that name that coord did not write is never approved beforehand.
  const isOurs = isOurServer(places.servers, servers.after);
  const ignored = gitignore === undefined ? [] : [change(gitignore, (text) => withLine(text, IGNORED))];
  return [
    servers,
    change(places.settings, (text) => withSettings(places.settings, text, options, isOurs)),
    ...skills,
    ...ignored,
  ];
}

function change(path: string, edit: (text: string | undefined) => string | undefined): FileChange {
  const before = readText(path);
  return { path, before, after: edit(before) };
}

function withServer(path: string, text: string | undefined, notes: string[]): string {
  const settings = parseSettings(path, text);
  const there = recordAt(path, settings, 'mcpServers')[SERVER];
  if (there === undefined) return setIn(text, ['mcpServers', SERVER], SERVER_ENTRY);
  if (JSON.stringify(there) !== JSON.stringify(SERVER_ENTRY))
    notes.push(
      `A server "${SERVER}" that coord did not write is there already, in ${path}; it stays as it is, and is not approved beforehand: look at its command.`,
    );
  return text ?? '';
}

function isOurServer(path: string, text: string | undefined): boolean {
  const there = recordAt(path, parseSettings(path, text), 'mcpServers')[SERVER];
  return JSON.stringify(there) === JSON.stringify(SERVER_ENTRY);
}

function withSettings(
  path: string,
  text: string | undefined,
  { scope, hooks, strict }: SetupOptions,
  isOurs: boolean,
): string {
  let next = text;
  const settings = parseSettings(path, text);
  if (scope === 'project' && isOurs) next = withItems(path, next, ['enabledMcpjsonServers'], [SERVER]);
  recordAt(path, settings, 'permissions');
  next = withoutItems(path, next, ['permissions', 'allow'], (item) => item === OLD_PERMISSION);
  next = withItems(path, next, ['permissions', 'allow'], isOurs ? [...PERMISSIONS, SERVER_PERMISSION] : PERMISSIONS);
  if (hooks === true) {
    const there = recordAt(path, settings, 'hooks');
    const wanted = strict === true ? { ...HOOKS, PreToolUse: [STRICT_GUARD] } : HOOKS;
    // One guard, of the kind that was asked for last.
    next = withoutItems(path, next, ['hooks', 'PreToolUse'], (item) => {
      const entry = JSON.stringify(item);
      return entry.includes('coord hook pre-tool-use') && entry.includes('--strict') !== (strict === true);
    });
    for (const [event, groups] of Object.entries(wanted)) {
      const known = JSON.stringify(there[event] ?? []);
      const missing = groups.filter(
        (group) => !group.hooks.every((one) => known.includes(JSON.stringify(one.command))),
      );
      next = withItems(path, next, ['hooks', event], missing);
    }
  }
  return next ?? '';
}

/** Back to what was there, where nobody has changed it since; otherwise without what is recognised as ours. */
function removal(places: Places, record: SetupRecord, notes: string[]): FileChange[] {
  const recorded = new Map(record.read().map((one) => [one.path, one]));
  const skills = Object.keys(SKILLS).map((name) => join(places.skills, name, 'SKILL.md'));
  const paths = [
    places.servers,
    places.settings,
    ...skills,
    ...(places.gitignore === undefined ? [] : [places.gitignore]),
  ];
  return paths.map((path) => {
    const before = readText(path);
    const known = recorded.get(path);
    if (before !== undefined && known?.after === before) return { path, before, after: known.before };
    if (before === undefined || !known) return { path, before, after: before };
    if (path.endsWith('.md')) {
      notes.push(`${relative(places.root, path)} was changed since; it stays.`);
      return { path, before, after: before };
    }
    return { path, before, after: path === places.gitignore ? withoutLine(before) : withoutOurs(path, before) };
  });
}

function withoutLine(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trimEnd() !== IGNORED)
    .join('\n');
}

function withoutOurs(path: string, text: string): string {
  let next = text;
  const drop = (place: (string | number)[]): void => {
    next = applyEdits(next, modify(next, place, undefined, { formattingOptions: formattingOf(next) }));
  };
  const at = (...place: string[]): unknown =>
    place.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), parseSettings(path, next));
  if (JSON.stringify(at('mcpServers', SERVER)) === JSON.stringify(SERVER_ENTRY)) drop(['mcpServers', SERVER]);
  const dropItems = (place: string[], isOurs: (item: unknown) => boolean): void => {
    next = withoutItems(path, next, place, isOurs) ?? next;
  };
  const permissions = [...PERMISSIONS, SERVER_PERMISSION, OLD_PERMISSION];
  dropItems(['enabledMcpjsonServers'], (item) => item === SERVER);
  dropItems(['permissions', 'allow'], (item) => permissions.includes(String(item)));
  for (const event of Object.keys(HOOKS))
    dropItems(['hooks', event], (item) => JSON.stringify(item).includes('coord hook '));
  return next;
}

function diffText(root: string, { path, before, after }: FileChange): string {
  const name = relative(root, path);
  return createTwoFilesPatch(
    before === undefined ? '/dev/null' : name,
    after === undefined ? '/dev/null' : name,
    before ?? '',
    after ?? '',
    '',
    '',
  ).trimEnd();
}

function whatComes({ scope, hooks, strict }: SetupOptions): string[] {
  return [
    ...(strict === true
      ? [
          'The guard says no where it cannot answer. Should it lock you out: COORD_GUARD=off claude, or coord setup claude --remove',
        ]
      : []),
    scope === 'project'
      ? 'Claude Code will ask whether you trust this folder, where Enter means no, and perhaps whether to use the new MCP server, where Enter means no as well: choose yes.'
      : 'The server and the skills are there in all your projects; a project needs a board: coord leader init "<goal>"',
    ...(hooks === true
      ? ['A terminal works under a name: COORD_WORKER=terminal-2 claude']
      : [
          'With --hooks a terminal keeps its leases, is woken when work arrives, and does not stop with a task half done.',
        ]),
    'Next: start claude in each terminal; /coord-leader in the first, /coord-worker in the others',
  ];
}

function plugin(context: Context): Reply {
  // Beside the script, wherever that really lies: a global install is a link to it.
  const folder = join(context.io.program.script, '..', '..', 'dist', 'plugin');
  return {
    text: `claude --plugin-dir ${folder}`,
    json: { dir: folder },
    notes: [
      'It brings the MCP server, the hooks, the skills and /coord:lead, /coord:work, /coord:status, for the sessions that are started with it.',
      'Use either the plugin or coord setup claude: with both, hooks run twice.',
    ],
  };
}
