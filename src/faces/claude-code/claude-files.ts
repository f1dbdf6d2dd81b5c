/**
 * Everything that Claude Code is told about coord: the server, the hooks, the skills, the slash commands. Pure; `coord setup
 * claude` merges it into settings, and the build makes a plugin of it. The advice is that of the prompts.
 */
import { LEADER_COMMANDS, shellRules, WORKER_COMMANDS } from '../../runner/agent-commands.ts';
import { leaderPrompt, workerPrompt } from '../prompts.ts';

export const SERVER = 'coordination';
export const SERVER_ENTRY = { type: 'stdio', command: 'coord', args: ['mcp'] };
/** By name, never all of coord: `coord worker run` would be any command. */
export const PERMISSIONS = [
  ...shellRules('worker', WORKER_COMMANDS),
  ...shellRules('leader', LEADER_COMMANDS),
  'Bash(coord inbox)',
  'Bash(coord inbox *)',
];
/** Only beside an entry for the server that is ours. */
export const SERVER_PERMISSION = `mcp__${SERVER}`;
/** What 0.1 wrote, and nobody should keep. */
export const OLD_PERMISSION = 'Bash(coord *)';

interface HookEntry {
  type: 'command';
  command: string;
  timeout: number;
  async?: boolean;
  asyncRewake?: boolean;
  /** A crash or a time-out of the hook counts as a refusal, where the client knows the field. */
  onFailure?: 'block';
}
export interface HookGroup {
  matcher?: string;
  hooks: HookEntry[];
}

/** Seconds that Claude Code gives a hook; each answers within a fraction of one. */
const SOON = 10;
/** An idle terminal is woken for up to an hour after it stopped. */
const AN_HOUR = 3600;

const command = (event: string, more: Partial<HookEntry> = {}): HookEntry => ({
  type: 'command',
  command: `coord hook ${event}`,
  timeout: SOON,
  ...more,
});

/** Stands beside an idle terminal, from the start of a session on. */
const WAITER = command('wake', { async: true, asyncRewake: true, timeout: AN_HOUR });

export const HOOKS: Record<string, HookGroup[]> = {
  SessionStart: [{ hooks: [command('session-start'), WAITER] }],
  UserPromptSubmit: [{ hooks: [command('user-prompt-submit')] }],
  PreToolUse: [{ matcher: 'Edit|MultiEdit|Write|NotebookEdit', hooks: [command('pre-tool-use')] }],
  PostToolUse: [{ matcher: 'Bash|Edit|Write|Read|mcp__.*', hooks: [command('post-tool-use', { async: true })] }],
  // Once for all tools of a request, and before the next one.
  PostToolBatch: [{ hooks: [command('post-tool-batch')] }],
  Stop: [{ hooks: [command('stop'), WAITER] }],
  SessionEnd: [{ hooks: [command('session-end')] }],
};

/** The guard that says no where it cannot answer; COORD_GUARD=off is the way out, since a broken one would lock every edit. */
export const STRICT_GUARD: HookGroup = {
  matcher: 'Edit|MultiEdit|Write|NotebookEdit',
  hooks: [
    {
      ...command('pre-tool-use'),
      command: '[ "$COORD_GUARD" = off ] || coord hook pre-tool-use --strict',
      onFailure: 'block',
    },
  ],
};

/** Skills by their folder: what the model finds by itself when a task fits. */
export const SKILLS: Record<string, string> = {
  'coord-worker': skill(
    'coord-worker',
    "Work as one of several agents on this project's task queue. Use it when asked to take tasks, or given a name such as terminal-2.",
    `Your name is the value of COORD_WORKER, or what the user calls this terminal; ask for it if there is neither. Below it stands as
WORKER.

${workerPrompt('WORKER')}`,
  ),
  'coord-leader': skill(
    'coord-leader',
    'Lead several agents on one task queue. Use it when asked to lead, to plan work for several terminals, or to add to the board.',
    leaderPrompt('what the user asks for'),
  ),
};

function skill(name: string, description: string, body: string): string {
  return `---\nname: ${name}\ndescription: ${JSON.stringify(description)}\n---\n\n${body}`;
}

/** The plugin, path to text. */
export function pluginFiles(version: string): Record<string, string> {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  return {
    '.claude-plugin/plugin.json': json({
      name: 'coord',
      version,
      description:
        'One task queue for several Claude Code terminals: a leader adds tasks, workers claim them, nobody collides.',
      author: { name: 'The coord authors' },
      license: 'MIT',
      keywords: ['coordination', 'task-queue', 'agents'],
    }),
    '.mcp.json': json({ mcpServers: { [SERVER]: SERVER_ENTRY } }),
    'hooks/hooks.json': json({ hooks: HOOKS }),
    ...Object.fromEntries(Object.entries(SKILLS).map(([name, text]) => [`skills/${name}/SKILL.md`, text])),
    'commands/lead.md': `---\ndescription: Lead several agents to a goal\nargument-hint: <goal>\n---\n\n${leaderPrompt('$ARGUMENTS')}`,
    'commands/work.md': `---\ndescription: Work through the task queue under a name of your own\nargument-hint: <name, such as terminal-2>\n---\n\n${workerPrompt('$ARGUMENTS')}`,
    'commands/status.md': `---\ndescription: How the task queue stands\nallowed-tools: Bash(coord leader status)\n---\n\nThis is how the task queue of this project stands:\n\n!\`coord leader status\`\n\nTell me in a few sentences what is done, who works on what, what is next, and what is stuck and why. Change nothing.\n`,
  };
}
