/**
 * What agents may run of the command line, by name: a rule that allows all of `coord` would allow any command at all, by way of
 * `coord worker run x -- …`. Set-up and the orchestrator write these into the permissions of Claude Code, and the command
 * line refuses the rest to a worker's session.
 */

/** `coord worker …` */
export const WORKER_COMMANDS = [
  'claim',
  'done',
  'fail',
  'release',
  'heartbeat',
  'discover',
  'context',
  'list',
  'ask',
  'tell',
  'review',
  'approve',
  'send-back',
] as const;

/** `coord leader …`; `aggregate` without a file of the caller's choice. */
export const LEADER_COMMANDS = [
  'init',
  'add-task',
  'import',
  'plan',
  'status',
  'list',
  'show',
  'edit',
  'retry',
  'cancel',
  'release',
  'graph',
  'timeline',
  'results',
  'discoveries',
  'export',
  'reopen',
  'undo',
  'archive',
  'wait',
  'aggregate',
  'tell',
  'answer',
  'approve',
  'send-back',
  'accept',
] as const;

/** What an orchestrated worker needs: claims and results are the orchestrator's. */
export const ORCHESTRATED_COMMANDS = ['discover', 'context', 'list', 'heartbeat', 'ask', 'tell'] as const;

/** Those that say something without an argument too. */
const ALONE = new Set([
  'list',
  'plan',
  'status',
  'graph',
  'timeline',
  'results',
  'discoveries',
  'export',
  'undo',
  'archive',
  'wait',
  'aggregate',
]);

/** Rules of Claude Code for shell commands: with arguments, and without where that makes sense. */
export function shellRules(group: 'worker' | 'leader', names: readonly string[]): string[] {
  return names.flatMap((name) => [
    ...(ALONE.has(name) ? [`Bash(coord ${group} ${name})`] : []),
    ...(name === 'aggregate' || name === 'export' ? [] : [`Bash(coord ${group} ${name} *)`]),
  ]);
}

/** What a worker's session must not do, though a leader's may. */
const OF_THE_LEADER = new Set(['approve', 'send-back', 'accept', 'answer', 'tell', 'defaults', 'undo']);
/** Options that would weaken what must hold before a task is done. */
const CHECK_OPTIONS = ['check', 'checkTimeout', 'review', 'protect', 'worktrees', 'branch', 'setup', 'remote'];

/** What of a command line is asked for: its words, and the options that matter here. */
export interface Asked {
  /** `worker claim`, `doctor`. */
  command: string;
  options: Readonly<Record<string, unknown>>;
}

/** Why whoever works as a worker, person or agent, may not run this: it would make done easier to reach. */
export function whyNotForWorkers({ command, options }: Asked): string | undefined {
  const [group = '', name = ''] = command.split(' ');
  if (group !== 'leader') return undefined;
  if (OF_THE_LEADER.has(name)) return 'it is for who leads; a worker has review, ask and tell of its own';
  if (name === 'init' && options['force'] === true) return '--force puts the whole board aside';
  if (options['editor'] === true) return '--editor may change its checks';
  const isChanging =
    CHECK_OPTIONS.some((option) => options[option] !== undefined) || listOf(options['clear']).includes('check');
  return name !== 'add-task' && isChanging ? 'a worker changes no check' : undefined;
}

/** Why a worker's session may not run this; undefined where it may. */
export function whyNotForAgents({ command, options }: Asked): string | undefined {
  const [group = '', name = ''] = command.split(' ');
  const why = whyNotForWorkers({ command, options });
  if (why !== undefined) return why;
  switch (group) {
    case 'worker':
      return isOne(WORKER_COMMANDS, name) ? undefined : 'it would run any command';
    case 'leader':
      if (!isOne(LEADER_COMMANDS, name)) return 'it is not among what agents may do';
      if (name === 'init' && options['force'] === true) return '--force puts the whole board aside';
      if (options['output'] !== undefined && options['output'] !== '-') return '--output writes any file';
      if (options['onEvent'] !== undefined) return '--on-event runs any command';
      if (options['editor'] === true) return '--editor waits for a person';
      return undefined;
    case 'doctor':
      return options['fix'] === true ? '--fix changes files of the board' : undefined;
    case 'mcp':
      return name !== '' || options['http'] === true ? 'it lets others in' : undefined;
    case 'status':
    case 'check':
    case 'log':
    case 'inbox':
    case 'land':
    case 'worktree':
    case 'prompt':
    case 'hook':
    case 'completion':
    case 'complete':
      return undefined;
    default:
      return 'it is not among what agents may do';
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isOne(list: readonly string[], name: string): boolean {
  return list.includes(name);
}
