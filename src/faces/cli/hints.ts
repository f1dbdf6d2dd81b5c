/** What to type next, for each refusal: the command line's own words for the facts that lower layers give. */
import type { CoordError, ErrorCode, ErrorDetails } from '../../model/errors.ts';

const REPEAT = 'coord leader status, then repeat the command if it was not';
const STATUS = 'coord leader status';
const NEXT_ONE = 'Claim without naming a task to get the next one.';
const INSTALL_CLAUDE = 'npm install -g @anthropic-ai/claude-code, or COORD_CLAUDE_BIN=/path/to/claude';
const LOG_IN = 'claude, then /login; or set ANTHROPIC_API_KEY';

type Hint = (details: ErrorDetails) => string | undefined;
const none: Hint = () => undefined;

const HINTS = {
  usage: none,
  'invalid-input': ({ why, path }) => {
    switch (why) {
      case 'config':
        return `Correct ${path}, or write it anew: coord store connect <address>`;
      case 'store-password':
        return 'Keep it in PGPASSWORD, in ~/.pgpass, or in COORD_STORE.';
      case 'store-address':
        return 'postgres://user@host/database?board=<name>';
      case 'two-stores':
        return 'unset COORD_STORE, or coord store copy . "$COORD_STORE"';
      default:
        return undefined;
    }
  },
  'import-malformed': ({ why }) =>
    why === 'config'
      ? 'Correct it, or begin anew: coord orchestrate init --force "<goal>"'
      : 'coord leader import --help says what it reads.',
  'not-initialised': ({ why }) =>
    why === 'several-boards' || why === 'only-copies'
      ? 'coord store connect <address>?board=<name>, or COORD_STORE=<address>'
      : why === 'no-board'
        ? 'coord store status; coord leader init "<goal>" --store <address>'
        : 'coord leader init "<goal>"',
  'board-moved': ({ path }) =>
    path?.startsWith('postgres') === true
      ? `coord store connect ${quotedWord(path)}; restart what still runs`
      : 'Work there.',
  'already-initialised': ({ why, path }) => {
    switch (why) {
      case 'here':
        return `${STATUS} to see it; coord leader init --force "<goal>" puts it aside and starts anew`;
      case 'above':
        return `${STATUS} to see it; coord leader init --dir . "<goal>" for a board of its own in ${path}`;
      case 'other-goal':
        return 'coord orchestrate resume goes on with them; coord leader init --force "<goal>" puts them aside';
      case 'on-server':
        return 'coord store connect <address>?board=<name> joins it; --board <name> makes another; --force puts it aside';
      case 'led':
        return `${STATUS} to see it; coord store connect <address> leads elsewhere; --force puts the board aside and starts anew`;
      case 'moved':
        return 'coord store status';
      case 'name-taken':
        return 'Take another name: …?board=<another>; coord store connect joins the one that is there';
      case 'files':
        return 'coord store copy . <address> moves it to a server; or work in another folder';
      case 'config':
        return 'coord orchestrate create-task "<description>" adds to it; coord orchestrate init --force "<goal>" replaces it';
      default:
        return STATUS;
    }
  },
  'tasks-malformed': ({ why }) =>
    why === 'conflict'
      ? 'Resolve the merge by hand, then repeat the command.'
      : 'Correct it, or put back what coord wrote last: coord doctor --fix',
  'version-unsupported': () => 'npm install -g claude-coord',
  'task-not-found': ({ other_id, why }) =>
    why === 'archived'
      ? 'coord leader list --archived'
      : other_id === undefined
        ? 'coord leader list'
        : `Did you mean ${other_id}?`,
  'dependency-unknown': () => 'coord leader list',
  'dependency-cycle': () => 'Leave out one of these dependencies.',
  'key-taken': ({ task_id, index }) =>
    `Take another key${index === undefined ? '' : ` for tasks[${index}]`}, or change ${task_id} with coord leader edit.`,
  'reader-unknown': ({ worker }) =>
    worker === 'all' ? 'coord prompt worker terminal-2 starts one' : 'coord leader status shows who works here',
  'inbox-full': ({ worker }) =>
    `coord inbox ${worker} shows them; coord inbox ${worker} --ack, where nobody works under that name any more`,
  'task-state': ({ why, task_id }) =>
    why === 'no-question'
      ? `coord leader show ${task_id}; coord leader tell <worker> "<text>" reaches who works on it`
      : why === 'moved'
        ? `coord worker review <worker> ${task_id} shows how it is now; or coord leader send-back ${task_id} "<reason>"`
        : why === 'held'
          ? `Wait until it is done, or take it away: coord leader release ${task_id}`
          : why === 'settled'
            ? 'coord leader add-task "<what remains>"'
            : `coord leader show ${task_id}`,
  'not-claimable': ({ why, task_id, other_id, status }) => {
    if (why === 'asks') return `coord leader answer ${task_id} "<answer>"`;
    if (why === 'exclusive') return `Wait until ${other_id} is settled.`;
    return why === 'settled' && status !== 'done' ? `coord leader retry ${task_id}` : NEXT_ONE;
  },
  'worker-busy': ({ worker, task_id, other_id }) =>
    `coord worker done ${worker} ${other_id} "<what you did>" (or fail, or release), then claim ${task_id}`,
  'claim-lost': ({ worker, task_id, status }) =>
    status === 'available' ? `coord worker claim ${worker} ${task_id}` : `coord worker claim ${worker}`,
  unchecked: ({ task_id }) => `coord check ${task_id}`,
  'check-failed': ({ times = 1, task_id, worker }) =>
    times >= 3
      ? `The same again and again: coord worker fail ${worker} ${task_id} "<what is wrong, what you tried>"`
      : 'The task is still yours: mend it, and repeat the command.',
  'check-broken': ({ task_id }) =>
    `For the leader: coord leader edit ${task_id} --check "<command>", or --check-timeout; the task is still yours.`,
  'check-not-allowed': ({ command }) =>
    `A person allows it, in a terminal: coord trust check ${quotedWord(command ?? '')}`,
  'not-committed': ({ why, path, branch }) => {
    switch (why) {
      case 'dirty':
        return `cd ${path} && git add -A && git commit -m "<what you did>", then repeat the command`;
      case 'empty':
        return `Commit your work in ${path}; --no-changes where there was nothing to change`;
      case 'branch':
        return `git -C ${path} switch ${branch}`;
      default:
        return 'coord worktree list';
    }
  },
  'git-failed': ({ why, branch, path }) =>
    why === 'checked-out'
      ? `git -C ${path} switch <another branch>, then coord land: nobody works on ${branch} itself`
      : why === 'no-repository'
        ? 'git init, add and commit your files; or init without --worktrees'
        : undefined,
  'outcome-unknown': () => REPEAT,
  'store-unavailable': unavailable,
  'board-unsafe': ({ why, path }) =>
    why === 'foreign'
      ? `If you trust whoever can write there: coord trust board ${path}`
      : `Look where it comes from, then remove it: ls -ld ${path}`,
  'not-allowed': ({ why }) =>
    why === 'store'
      ? 'If you trust it: coord store connect <its address>'
      : why === 'tell-all'
        ? 'coord worker discover <worker> "<finding>" shares what all should know'
        : undefined,
  'settings-malformed': none,
  'command-failed': none,
  'command-not-found': () => 'coord worker run <worker> -- <command…>',
  'claude-not-found': () => INSTALL_CLAUDE,
  'claude-too-old': () => 'claude update',
  'claude-not-authenticated': ({ why }) => (why === 'run' ? `${LOG_IN}. Then: coord orchestrate resume` : LOG_IN),
  'plan-invalid': ({ why }) =>
    why === 'failed'
      ? 'Run it again, or bring tasks of your own with --no-plan --tasks tasks.json'
      : 'Say the goal more precisely, or bring tasks of your own: coord orchestrate run --no-plan --tasks tasks.json "<goal>"',
  'already-running': ({ why, until }) =>
    why === 'other'
      ? `coord orchestrate status shows it; end it with Ctrl-C in its terminal, or, if it is gone, wait until ${until}`
      : 'coord orchestrate status',
  'timed-out': none,
  interrupted: none,
} satisfies Record<ErrorCode, Hint>;

function unavailable({ why, path }: ErrorDetails): string | undefined {
  switch (why) {
    case 'full':
      return 'Free some space and repeat the command.';
    case 'no-schema':
      return `coord store migrate ${quotedWord(path ?? '')}`;
    case 'no-database':
      return `createdb <name>, then coord store migrate ${quotedWord(path ?? '')}`;
    case 'login':
      return 'Set PGPASSWORD, or add a line to ~/.pgpass.';
    case 'privilege':
      return 'Its owner grants it: the documentation of coord says what, in docs/postgres.md.';
    case 'connections':
      return 'Raise max_connections of the server, or end some terminals.';
    case 'unreachable':
      return 'coord store status';
    case 'permission':
      return `Check who owns it and whether it is writable: ls -ld ${path}`;
    case 'gone':
      return 'Repeat the command.';
    case 'unreliable':
      return `Look what happened before you repeat the command: ${STATUS}`;
    case 'two-logs':
      return 'Move the one away that was put there, as from a backup; coord doctor says more.';
    case 'open-to-others':
      return `If nobody else has seen it: chmod 600 ${path}`;
    case 'tokens-damaged':
      return `rm ${path}, then make the tokens anew: coord mcp token <worker>`;
    case 'no-file':
      return 'coord leader aggregate -o - prints it';
    case 'import':
      return 'coord leader import <file>, or - for stdin';
    case 'config':
      return 'coord orchestrate init "<goal>"';
    default:
      return undefined;
  }
}

/** The next step after an error; undefined where its message says it all. */
export function hintOf({ code, hint, details }: CoordError): string | undefined {
  return hint ?? (details && HINTS[code](details));
}

/** As a shell takes it for one word. */
export function quotedWord(text: string): string {
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", String.raw`'\''`)}'` : `"${text}"`;
}
