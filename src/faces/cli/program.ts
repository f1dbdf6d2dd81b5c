/**
 * The command tree: names, flags, help, examples. Reads as a table of contents; the handlers load when they are needed.
 * Long because it is one table: a reader looks for a command from top to bottom, and nowhere else.
 */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { Context, Reply } from '../io.ts';
import { parseDuration } from '../durations.ts';
import { EXPORTS, FORMATS } from '../../formats/names.ts';
import { SORTS } from '../../model/limits.ts';

/** What a handler is given after its context: arguments in their order, then the options. */
// oxlint-disable-next-line no-explicit-any -- commander types neither; the handlers do, and the schemas check
type Handler = (context: Context, ...args: any[]) => Promise<Reply>;
/** Runs a handler with the context of this call, and prints what it answers. */
export type Run = (command: Command, handler: Handler, args: unknown[]) => Promise<void>;

const EXIT_CODES = `
Exit codes: 0 done, 1 error, 2 usage, 3 nothing to claim, 4 refused, 5 timed out, 70 our bug, 130 interrupted.
Durations: 90s, 10m, 1h, or seconds.`;

/** First words that need no group, or only their own. */
const KNOWN = [
  'status',
  'check',
  'leader',
  'worker',
  'mcp',
  'web',
  'orchestrate',
  'log',
  'doctor',
  'prompt',
  'hook',
  'setup',
  'trust',
  'land',
  'worktree',
  'store',
  'inbox',
];

/**
 * The whole tree. `run` is handed every action; nothing runs before `parseAsync`.
 *
 * @param typed  the words; where the first is known, other groups stay empty: what is typed should not pay for what is not
 */
export function buildProgram(version: string, run: Run, typed: readonly string[] = []): Command {
  const [first = '', second] = typed;
  const program = new Command('coord')
    .description(
      'One task queue for several Claude Code terminals: a leader adds tasks, workers claim them, nobody collides.',
    )
    .version(version, '-V, --version', 'print the version')
    .option('--dir <path>', 'the project root or its .coordination/ (default: found upwards; or COORDINATION_DIR)')
    .option('--json', 'print one JSON document, errors too')
    .option('--no-color', 'no colours (also NO_COLOR)')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText(
      'after',
      `${examples('coord leader init "Build a REST API"', 'coord leader add-task "Create User model" -p 1', 'coord worker claim terminal-2')}\n${EXIT_CODES}`,
    );

  /** Hands commander's call over: it passes arguments, then options, then the command. */
  const action = (load: () => Promise<Handler>) =>
    async function (this: Command, ...args: unknown[]): Promise<void> {
      await run(this, await load(), args.slice(0, -1));
    };
  const leader = program.command('leader').description('Terminal 1: set the goal, add tasks, watch, sum up.');
  /** With options first, as in `coord --dir x mcp`, nobody knows yet: then all are filled. */
  const isWanted = (group: string): boolean => !KNOWN.includes(first) || first === group;
  if (isWanted('leader')) addCommands(leader, LEADER, action, second);
  const worker = program
    .command('worker')
    .description('Terminals 2, 3 …: claim a task, do it, hand in the result, again.');
  if (isWanted('worker')) addCommands(worker, WORKER, action, second);

  program
    .command('status')
    .description('Show the board: how far it is, who works on what, what comes next, what is stuck.')
    .option('--watch', 'show it again at every change, until Ctrl-C')
    .addHelpText('after', examples('coord status', 'coord status --watch'))
    .action(action(async () => (await import('./leader.ts')).status));

  program
    .command('check')
    .description('Run the checks of a task, or of the board, as done would; changes nothing.')
    .argument('[task]', 'such as task-001; without it the checks of the board')
    .addHelpText('after', examples('coord check', 'coord check task-001'))
    .action(action(async () => (await import('./checks.ts')).check));

  program
    .command('land')
    .description("Land what is queued: merged, checked as merged, and then the board's branch moves.")
    .option('--loop', 'go on with whatever is queued later, until Ctrl-C')
    .option('--once', 'one task and no more')
    .addHelpText('after', examples('coord land', 'coord land --loop'))
    .action(action(async () => (await import('./worktrees.ts')).land));

  const worktree = program.command('worktree').description('The worktrees of claims, one each.');
  if (isWanted('worktree')) addCommands(worktree, WORKTREE, action, second);

  program
    .command('log')
    .description('Show what happened, newest last.')
    .option('-f, --follow', 'go on showing, until Ctrl-C')
    .option('--agent <name>', 'only of this worker, or of leader')
    .option('--task <id>', 'only about this task')
    .option('-n, --limit <n>', 'at most so many of the newest', wholeNumber(1), 20)
    .addHelpText('after', examples('coord log', 'coord log --follow', 'coord log --task task-001'))
    .action(action(async () => (await import('./board.ts')).log));

  program
    .command('inbox')
    .description('Show the messages to a worker, or to the leader, that were not seen yet.')
    .argument('[name]', 'leader, or such as terminal-2 (default: COORD_WORKER)')
    .option('--all', 'also those that were seen, of the last seven days')
    .option('--ack', 'they count as seen from now on')
    .addHelpText(
      'after',
      examples('coord inbox terminal-2', 'coord inbox leader --all', 'coord inbox terminal-2 --ack'),
    )
    .action(action(async () => (await import('./messages.ts')).inbox));

  program
    .command('doctor')
    .description('Examine the board and its files, and say what --fix would do.')
    .option('--fix', 'do it')
    .addHelpText('after', examples('coord doctor', 'coord doctor --fix'))
    .action(action(async () => (await import('./board.ts')).doctor));

  program
    .command('prompt')
    .description('Print the prompt to paste into a Claude Code terminal.')
    .addArgument(new Argument('<role>', 'which').choices(['leader', 'worker', 'handoff']))
    .argument('[name]', 'of the worker, such as terminal-2, or of the task to hand over')
    .addHelpText(
      'after',
      examples('coord prompt leader', 'coord prompt worker terminal-2', 'coord prompt handoff task-001'),
    )
    .action(action(async () => (await import('./board.ts')).prompt));

  const mcp = program
    .command('mcp')
    .description('Serve the board to agents over the Model Context Protocol, on stdin and stdout.');
  if (isWanted('mcp')) addMcpCommands(mcp, action);

  program
    .command('web')
    .description('Serve a page of the board to your own browser: look, and lead by clicking.')
    .option('--port <n>', 'where; 0 is any that is free', wholeNumber(0, 65_535))
    .option('--open', 'open it in your browser')
    .option('--read-only', 'it only shows')
    .option('--host <address>', 'of this machine, default 127.0.0.1')
    .option('--allow-host <names>', 'names under which others may call it', collectList)
    .option('--mcp', 'workers with a token reach MCP at /mcp of the same server')
    .addHelpText('after', examples('coord web', 'coord web --open', 'coord web --read-only --port 7434'))
    .action(action(async () => (await import('./web.ts')).web));

  const orchestrate = program
    .command('orchestrate')
    .description('Start Claude Code processes that plan a goal and work through it.');
  if (isWanted('orchestrate')) addCommands(orchestrate, ORCHESTRATE, action, second);

  program
    .command('hook', { hidden: true })
    .description('Answer a hook of Claude Code: its JSON on stdin, silent where there is nothing to say.')
    .argument(
      '<event>',
      'session-start, user-prompt-submit, pre-tool-use, post-tool-use, post-tool-batch, stop, wake or session-end',
    )
    .option('--strict', 'pre-tool-use: say no where nobody can tell whose file it is')
    .addHelpText('after', examples('coord hook session-start < event.json'))
    .action(action(async () => (await import('../claude-code/hook.ts')).hook));

  const setup = program.command('setup').description('Set a project up for Claude Code.');
  setup
    .command('claude')
    .description('Write the MCP server, permissions and skills into the settings of Claude Code; --hooks adds hooks.')
    .addOption(
      new Option('--scope <scope>', 'this project, or all of yours').choices(['project', 'user']).default('project'),
    )
    .option('--hooks', 'also hooks: they keep leases, wake idle terminals, and guard exclusive files')
    .option('--strict', 'with --hooks: where the guard of exclusive files cannot answer, nothing is written')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--remove', 'take away exactly what was written')
    .option('--plugin', 'say how to use it all as a plugin instead')
    .addHelpText(
      'after',
      examples(
        'coord setup claude --dry-run',
        'coord setup claude --hooks',
        'coord setup claude --remove',
        'coord setup claude --plugin',
      ),
    )
    .action(action(async () => (await import('../claude-code/setup.ts')).claude));

  const trust = program
    .command('trust')
    .description('Allow, on this machine: checks that a board asks for, and boards that another user has made.');
  if (isWanted('trust')) addCommands(trust, TRUST, action, second);

  const store = program
    .command('store')
    .description('Where the board is kept: in its folder, or by PostgreSQL for terminals on several machines.');
  if (isWanted('store')) addCommands(store, STORE, action, second);

  program
    .command('completion')
    .description('Print a completion script for your shell.')
    .addArgument(new Argument('<shell>', 'which').choices(['bash', 'zsh', 'fish', 'powershell']))
    .addHelpText(
      'after',
      examples(
        'eval "$(coord completion bash)"',
        'coord completion zsh > ~/.zfunc/_coord',
        'coord completion fish > ~/.config/fish/completions/coord.fish',
        'coord completion powershell | Out-String | Invoke-Expression',
      ),
    )
    .action(
      action(async () => {
        const { completion } = await import('./completion.ts');
        return async (_context, shell: string) => completion(program, shell);
      }),
    );

  program
    .command('complete', { hidden: true })
    .description('Say what may stand at the cursor: for the scripts of coord completion.')
    .argument('[words...]', 'of the command line, the one at the cursor last')
    .addHelpText('after', examples("coord complete -- coord leader show ''"))
    .action(
      action(async () => {
        const { complete } = await import('./completion.ts');
        return async (context, words: string[]) => complete(context, program, words);
      }),
    );

  return program;
}

type Action = (load: () => Promise<Handler>) => (this: Command, ...args: unknown[]) => Promise<void>;

/** The commands of a group, by name: each is given its place in the tree, and says what it takes. */
type Group = Readonly<Record<string, (command: Command, action: Action) => Command>>;

/** Adds the commands of a group, or just the one that was typed: building the others would take longer than running it. */
function addCommands(group: Command, commands: Group, action: Action, typed: string | undefined): void {
  const names = typed !== undefined && Object.hasOwn(commands, typed) ? [typed] : Object.keys(commands);
  for (const name of names) commands[name]?.(group.command(name), action);
}

/** `coord leader …` */
const LEADER: Group = {
  init: (command, action) =>
    withWorktreeOptions(
      withDefaultOptions(
        command
          .description('Make .coordination/ for a goal.')
          .argument('<goal>', 'what all tasks together should reach'),
      ),
    )
      .option('--approach <text>', 'how, for master-plan.md')
      .option('--force', 'put an existing board aside as a backup and start anew')
      .option('--store <address>', 'let PostgreSQL keep it: postgres://user@host/database, without a password')
      .option('--board <name>', 'its name there (default: that of the folder)')
      .addHelpText(
        'after',
        examples(
          'coord leader init "Build a REST API"',
          'coord leader init "Ship 2.0" --approach "API first, then the UI"',
          'coord leader init "Ship 2.0" --check "npm test" --review',
          'coord leader init "Ship 2.0" --worktrees --setup "npm ci" --check "npm test"',
          'coord leader init "Ship 2.0" --store postgres://ann@db.example.com/coord --board shop',
        ),
      )
      .action(action(async () => (await import('./leader.ts')).init)),

  plan: (command, action) =>
    command
      .description('Print master-plan.md, or replace it.')
      .argument('[text]', 'the new plan; - reads stdin')
      .option('--append', 'add to the plan instead of replacing it')
      .addHelpText(
        'after',
        examples(
          'coord leader plan',
          'coord leader plan --append "Auth by JWT, see src/auth.ts"',
          'coord leader plan - < plan.md',
        ),
      )
      .action(action(async () => (await import('./leader.ts')).plan)),

  'add-task': (command, action) =>
    withTaskOptions(
      command
        .description('Add one task to the queue.')
        .argument('<description>', 'one outcome, 5 to 15 minutes of work; - reads stdin'),
    )
      .option('--exclusive', 'never beside another claimed task that names one of its files')
      .option('--key <name>', 'adding the same key again gives the same task')
      .addHelpText(
        'after',
        examples(
          'coord leader add-task "Create User model" -p 1 -f src/models/user.ts',
          'coord leader add-task "Create login endpoint" -p 2 -d task-001 --hints "Use JWT"',
        ),
      )
      .action(action(async () => (await import('./leader-tasks.ts')).addTask)),

  import: (command, action) =>
    command
      .description('Add the tasks of a list in one transaction, all or none; twice adds nothing.')
      .argument('<file>', 'a file or folder of one of these kinds; - reads stdin')
      .option('--dry-run', 'show what would be added, and add nothing')
      .addOption(new Option('--from <kind>', 'say what it is, where its content leaves that open').choices(FORMATS))
      .option('--tag-of <name>', 'of task-master: the tag whose tasks are meant')
      .option('--prefix <text>', 'put before every key, where two lists number their items alike')
      .addHelpText(
        'after',
        `${examples('coord leader import tasks.json', 'coord leader import TODO.md --dry-run', 'gh issue list --json number,title,body,labels,state,url | coord leader import -', 'coord leader import .beads/issues.jsonl', 'coord leader import backlog/tasks')}

Kinds: JSON array, {"tasks": […]}, JSON Lines, YAML or CSV of the fields below; Markdown checklists (TODO.md, spec-kit, Kiro);
task-master; beads; gh issue list --json; Backlog.md; Claude Code's ~/.claude/tasks/<id>. What is done there is skipped.
Fields: description, key, priority, dependencies, files, hints, tags, max_attempts, exclusive. Dependencies name ids of
the board, ids or keys of the file, or task-1, task-2 … (or #1, #2 …) for the n-th task of the file.`,
      )
      .action(action(async () => (await import('./leader-import.ts')).importTasks)),

  export: (command, action) =>
    command
      .description('Print the tasks for other tools; import reads them back to the same.')
      .addOption(new Option('--format <format>', 'how').choices(EXPORTS).default('json'))
      .option('-o, --output <file>', 'write a file instead')
      .addHelpText(
        'after',
        examples('coord leader export > tasks.json', 'coord leader export --format markdown -o TASKS.md'),
      )
      .action(action(async () => (await import('./leader-import.ts')).exportBoard)),

  defaults: (command, action) =>
    withWorktreeOptions(
      withDefaultOptions(
        command.description(
          'Show or set what holds for tasks that say nothing else: checks, review, protected files, worktrees.',
        ),
      ),
    )
      .option('--no-review', 'nobody needs to look at what is handed in')
      .option(
        '--clear <fields>',
        'these say nothing any more: check, check-timeout, review, protect, worktrees',
        collectList,
      )
      .addHelpText(
        'after',
        examples(
          'coord leader defaults',
          'coord leader defaults --check "npm test" --check "npm run lint"',
          'coord leader defaults --review --protect package.json,.github/**',
          'coord leader defaults --clear check',
        ),
      )
      .action(action(async () => (await import('./checks.ts')).defaults)),

  approve: (command, action) =>
    command
      .description('Make what was handed in done, having looked at it.')
      .argument('<tasks...>', 'such as task-001')
      .addHelpText('after', examples('coord leader approve task-001'))
      .action(action(async () => (await import('./checks.ts')).approve)),

  'send-back': (command, action) =>
    command
      .description('Give what was handed in back, to be mended.')
      .argument('<task>', 'such as task-001')
      .argument('<reason>', 'what is wrong, and what would be right')
      .addHelpText('after', examples('coord leader send-back task-001 "The empty list is not handled"'))
      .action(action(async () => (await import('./checks.ts')).sendBack)),

  publish: (command, action) =>
    command
      .description("Bring a branch of yours forward to the board's, if it is a fast-forward.")
      .argument('[branch]', 'such as main; without it what is checked out here')
      .addHelpText('after', examples('coord leader publish', 'coord leader publish main'))
      .action(action(async () => (await import('./worktrees.ts')).publish)),

  accept: (command, action) =>
    command
      .description('Take a result that came too late, instead of what its holder may still hand in.')
      .argument('<task>', 'such as task-001')
      .argument('<result>', 'as coord leader show names it: task-001.terminal-2.1')
      .addHelpText('after', examples('coord leader accept task-001 task-001.terminal-2.1'))
      .action(action(async () => (await import('./checks.ts')).accept)),

  answer: (command, action) =>
    command
      .description('Answer what a worker asks about its task.')
      .argument('<task>', 'such as task-001')
      .argument('<text>', 'the answer; - reads stdin')
      .option('--question <n>', 'which of its questions, from 1 (default: the oldest that is open)', wholeNumber(1))
      .addHelpText('after', examples('coord leader answer task-001 "UTC, as everywhere"'))
      .action(action(async () => (await import('./messages.ts')).answer)),

  tell: (command, action) =>
    command
      .description('Tell a worker something, or all of them.')
      .argument('<worker>', 'such as terminal-2, or all')
      .argument('<text>', 'what; - reads stdin')
      .addHelpText(
        'after',
        examples('coord leader tell terminal-2 "Leave the migrations alone"', 'coord leader tell all "Freeze at five"'),
      )
      .action(action(async () => (await import('./messages.ts')).tell)),

  status: (command, action) =>
    command
      .description('Show counts, who works on what, what comes next, what is stuck and why.')
      .option('--watch', 'show it again at every change, until Ctrl-C')
      .addHelpText('after', examples('coord leader status', 'coord leader status --watch'))
      .action(action(async () => (await import('./leader.ts')).status)),

  list: (command, action) =>
    command
      .description('List tasks.')
      .option(
        '-s, --status <statuses>',
        'available, claimed, submitted, done, failed, cancelled, claimable, asking, blocked or stuck; several with commas',
        collectList,
      )
      .option('-t, --tag <tag>', 'only tasks with this tag')
      .option('-w, --worker <name>', 'only tasks of this worker')
      .option('--search <text>', 'only tasks with this in their text, hints, key or files')
      .addOption(new Option('--sort <by>', 'in another order than that of the board').choices(SORTS))
      .option('-n, --limit <n>', 'at most so many', wholeNumber(1), 20)
      .option('--all', 'however many there are')
      .option('--archived', 'those that were moved out of the board')
      .addHelpText(
        'after',
        examples(
          'coord leader list',
          'coord leader list --status failed,stuck',
          'coord leader list --worker terminal-2 --sort completed',
          'coord leader list --search login --all',
        ),
      )
      .action(action(async () => (await import('./leader.ts')).list)),

  results: (command, action) =>
    command
      .description('Show what workers have handed in.')
      .argument('[tasks...]', 'only of these')
      .option('-n, --limit <n>', 'at most so many of the newest', wholeNumber(1), 20)
      .addHelpText('after', examples('coord leader results', 'coord leader results task-001'))
      .action(action(async () => (await import('./leader.ts')).results)),

  discoveries: (command, action) =>
    command
      .description('Show what workers have found and shared.')
      .option('-t, --tag <tag>', 'only with this tag')
      .option('--search <text>', 'only with this in it')
      .option('-n, --limit <n>', 'at most so many of the newest', wholeNumber(1), 20)
      .addHelpText('after', examples('coord leader discoveries', 'coord leader discoveries --tag db'))
      .action(action(async () => (await import('./leader.ts')).discoveries)),

  show: (command, action) =>
    command
      .description('Show everything about one task.')
      .argument('<task>', 'such as task-001')
      .addHelpText('after', examples('coord leader show task-001'))
      .action(action(async () => (await import('./leader.ts')).show)),

  edit: (command, action) =>
    withTaskOptions(command.description('Change what a task says.').argument('<task>', 'such as task-001'))
      .option('--description <text>', 'another description')
      .option('--editor', 'all of it, in your own editor (VISUAL, EDITOR)')
      .option('--exclusive', 'never beside another claimed task that names one of its files')
      .option('--no-exclusive', 'the opposite')
      .option('--no-review', 'nobody needs to look at what is handed in')
      .option('--clear <fields>', 'empty these: depends, files, hints, tag, check', collectList)
      .addHelpText(
        'after',
        examples(
          'coord leader edit task-003 -p 1 --hints "The schema is in db/schema.sql"',
          'coord leader edit task-003 --clear depends',
        ),
      )
      .action(action(async () => (await import('./leader-tasks.ts')).edit)),

  retry: (command, action) =>
    command
      .description('Give failed or cancelled tasks another attempt.')
      .argument('<tasks...>', 'such as task-001')
      .option('--cascade', 'also what failed or was cancelled among all that wait for these')
      .addHelpText('after', examples('coord leader retry task-002', 'coord leader retry task-002 --cascade'))
      .action(action(async () => (await import('./leader-states.ts')).retry)),

  reopen: (command, action) =>
    command
      .description('Open done tasks again.')
      .argument('<tasks...>', 'such as task-001')
      .addHelpText('after', examples('coord leader reopen task-001'))
      .action(action(async () => (await import('./leader-states.ts')).reopen)),

  undo: (command, action) =>
    command
      .description('Take back what the leader changed last, as coord log names it.')
      .addHelpText('after', examples('coord leader undo'))
      .action(action(async () => (await import('./leader-states.ts')).undo)),

  archive: (command, action) =>
    command
      .description(
        'Move settled tasks out of tasks.json; show, list --archived, dependencies and aggregate still find them.',
      )
      .option('--older-than <duration>', 'only what was settled before that, such as 7d', span)
      .option('--dry-run', 'say how many, and move nothing')
      .addHelpText('after', examples('coord leader archive', 'coord leader archive --older-than 12h'))
      .action(action(async () => (await import('./leader-states.ts')).archive)),

  cancel: (command, action) =>
    command
      .description('Cancel tasks that are not done.')
      .argument('<tasks...>', 'such as task-001')
      .option('--cascade', 'also every task that waits for one of these')
      .addHelpText('after', examples('coord leader cancel task-002', 'coord leader cancel task-002 --cascade'))
      .action(action(async () => (await import('./leader-states.ts')).cancel)),

  release: (command, action) =>
    command
      .description('Take claims away from their workers.')
      .argument('<tasks...>', 'such as task-001')
      .addHelpText('after', examples('coord leader release task-002'))
      .action(action(async () => (await import('./leader-states.ts')).release)),

  graph: (command, action) =>
    command
      .description('Print the dependency graph with the state of each task and the critical path.')
      .addOption(new Option('--format <format>', 'how').choices(['text', 'mermaid', 'dot']).default('text'))
      .addHelpText(
        'after',
        examples(
          'coord leader graph',
          'coord leader graph --format mermaid',
          'coord leader graph --format dot | dot -Tsvg > graph.svg',
        ),
      )
      .action(action(async () => (await import('./leader.ts')).graph)),

  timeline: (command, action) =>
    command
      .description('Show who worked on what and when, one lane a worker.')
      .addOption(new Option('--format <format>', 'how').choices(['text', 'mermaid', 'svg']).default('text'))
      .addHelpText('after', examples('coord leader timeline', 'coord leader timeline --format svg > timeline.svg'))
      .action(action(async () => (await import('./leader.ts')).timeline)),

  wait: (command, action) =>
    withNotifyOptions(
      command
        .description(
          'Sleep until every task is settled or stuck, or a worker asks; then print the counts (exit 1 if any failed or is stuck).',
        )
        .option('--timeout <duration>', 'give up after this long (exit 5)', duration),
    )
      .addHelpText('after', examples('coord leader wait', 'coord leader wait --timeout 10m'))
      .action(action(async () => (await import('./leader-wait.ts')).wait)),

  aggregate: (command, action) =>
    command
      .description('Write results and discoveries into summary.md.')
      .option('-o, --output <file>', 'another file; - prints it')
      .addHelpText('after', examples('coord leader aggregate', 'coord leader aggregate -o - | less'))
      .action(action(async () => (await import('./leader.ts')).aggregate)),
};

/** `coord worker …` */
const WORKER: Group = {
  claim: (command, action) =>
    withWaitOptions(
      command
        .description('Claim the next task, or the one that you name.')
        .argument('<worker>', 'your name, such as terminal-2')
        .argument('[task]', 'this task and no other')
        .option('--wait', 'sleep until there is one, or every task is settled'),
    )
      .addHelpText(
        'after',
        examples(
          'coord worker claim terminal-2',
          'coord worker claim terminal-2 --wait --timeout 9m',
          'coord worker claim terminal-2 task-004',
        ),
      )
      .action(action(async () => (await import('./worker.ts')).claim)),

  done: (command, action) =>
    command
      .alias('complete')
      .description('Hand in the result of a task.')
      .argument('<worker>', 'your name')
      .argument('<task>', 'the task that you hold')
      .argument('[output]', 'what you did; - reads stdin')
      .option('-m, --modified <files>', 'files that you changed', collectList)
      .option('-c, --created <files>', 'files that you made', collectList)
      .option('-F, --file <file>', 'the result is in this file; - reads stdin')
      .option('--no-changes', 'there was nothing to change')
      .option('--attempt <n>', 'the attempt that the claim named: refuses if it is not yours any more', wholeNumber(1))
      .addHelpText(
        'after',
        examples(
          'coord worker done terminal-2 task-001 "User model with tests" -c src/user.ts',
          'npm test 2>&1 | coord worker done terminal-2 task-001 -',
        ),
      )
      .action(action(async () => (await import('./worker.ts')).complete)),

  review: (command, action) =>
    command
      .description('Look at what another worker has handed in: brief, result, evidence, diff.')
      .argument('<worker>', 'your name')
      .argument('[task]', 'this one; without it what waits longest')
      .addHelpText('after', examples('coord worker review terminal-3', 'coord worker review terminal-3 task-001'))
      .action(action(async () => (await import('./checks.ts')).review)),

  approve: (command, action) =>
    command
      .description('Make what another worker has handed in done, having looked at it.')
      .argument('<worker>', 'your name')
      .argument('<task>', 'such as task-001')
      .option(
        '--head <digest>',
        'what you have looked at, as coord worker review names it: refused if it is another by now',
      )
      .addHelpText('after', examples('coord worker approve terminal-3 task-001'))
      .action(action(async () => (await import('./checks.ts')).approveAsWorker)),

  'send-back': (command, action) =>
    command
      .description('Give what another worker has handed in back, to be mended.')
      .argument('<worker>', 'your name')
      .argument('<task>', 'such as task-001')
      .argument('<reason>', 'what is wrong, and what would be right')
      .addHelpText('after', examples('coord worker send-back terminal-3 task-001 "The empty list is not handled"'))
      .action(action(async () => (await import('./checks.ts')).sendBackBy)),

  ask: (command, action) =>
    command
      .description('Ask the leader about a task that you hold.')
      .argument('<worker>', 'your name')
      .argument('<task>', 'the task that you hold')
      .argument('<question>', 'what you cannot decide, and what hangs on it; - reads stdin')
      .option('--wait', 'sleep until it is answered; the lease is kept')
      .option('--park', 'give the task back until it is answered; that uses up no attempt')
      .option('--default <text>', 'what holds where nobody answers in time')
      .option('--after <duration>', 'how long that is, default 30m', span)
      .option('--timeout <duration>', 'with --wait: wait at most this long (exit 5)', duration)
      .option('--attempt <n>', 'the attempt that the claim named', wholeNumber(1))
      .addHelpText(
        'after',
        examples(
          'coord worker ask terminal-2 task-001 "Are dates UTC or local?" --wait --timeout 9m',
          'coord worker ask terminal-2 task-001 "May I drop the old table?" --park',
          'coord worker ask terminal-2 task-001 "Tabs or spaces?" --default spaces --after 10m',
        ),
      )
      .action(action(async () => (await import('./messages.ts')).ask)),

  tell: (command, action) =>
    command
      .description('Tell the leader, or another worker, something.')
      .argument('<worker>', 'your name')
      .argument('<to>', 'leader, or such as terminal-3')
      .argument('<text>', 'what; - reads stdin')
      .addHelpText('after', examples('coord worker tell terminal-2 leader "The staging key has run out"'))
      .action(action(async () => (await import('./messages.ts')).tellBy)),

  fail: (command, action) =>
    command
      .description('Give a task up; it is tried again until its attempts are used up.')
      .argument('<worker>', 'your name')
      .argument('<task>', 'the task that you hold')
      .argument('<reason>', 'what is wrong and what you tried; - reads stdin')
      .option('--no-retry', 'nobody should try again')
      .option('--attempt <n>', 'the attempt that the claim named', wholeNumber(1))
      .addHelpText('after', examples('coord worker fail terminal-2 task-001 "The schema of users is missing"'))
      .action(action(async () => (await import('./worker.ts')).fail)),

  release: (command, action) =>
    command
      .description('Give a task back unfinished.')
      .argument('<worker>', 'your name')
      .argument('<task>', 'the task that you hold')
      .argument('[reason]', 'notes for whoever claims it next; - reads stdin')
      .option('--attempt <n>', 'the attempt that the claim named', wholeNumber(1))
      .addHelpText('after', examples('coord worker release terminal-2 task-001 "Model done, tests missing"'))
      .action(action(async () => (await import('./worker.ts')).release)),

  heartbeat: (command, action) =>
    command
      .description('Renew the leases that you hold.')
      .argument('<worker>', 'your name')
      .addHelpText('after', examples('coord worker heartbeat terminal-2'))
      .action(action(async () => (await import('./worker.ts')).heartbeat)),

  list: (command, action) =>
    command
      .description('List what could be claimed now.')
      .addHelpText('after', examples('coord worker list'))
      .action(action(async () => (await import('./worker.ts')).list)),

  discover: (command, action) =>
    command
      .description('Share a finding with everybody.')
      .argument('<worker>', 'your name')
      .argument('<text>', 'the finding; - reads stdin')
      .option('-t, --tag <tags>', 'words to find it by', collectList)
      .option('--task <id>', 'the task it is about')
      .addHelpText('after', examples('coord worker discover terminal-2 "Dates are stored in UTC" -t db'))
      .action(action(async () => (await import('./worker.ts')).discover)),

  context: (command, action) =>
    command
      .description('Print the brief once more: task, plan, results it builds on, discoveries.')
      .argument('<worker>', 'your name')
      .addHelpText('after', examples('coord worker context terminal-2'))
      .action(action(async () => (await import('./worker.ts')).showContext)),

  run: (command, action) =>
    withWaitOptions(
      command
        .description('Loop: claim, run a command with the task, hand in what it prints, until every task is settled.')
        .argument('<worker>', 'your name')
        .argument('<command...>', 'after --: the command and its arguments')
        .option(
          '--task-timeout <duration>',
          'stop the command after this long; the attempt then counts as failed',
          duration,
        ),
    )
      .addHelpText(
        'after',
        `${examples('coord worker run terminal-2 -- ./do-task.sh', 'coord worker run terminal-2 -- claude -p "Do the task on stdin"')}

The command gets the brief on stdin and COORD_TASK_ID, COORD_TASK_DESCRIPTION, COORD_TASK_FILES (one a line),
COORD_TASK_HINTS, COORD_TASK_TAGS, COORD_TASK_PRIORITY, COORD_TASK_ATTEMPT, COORD_WORKER and COORDINATION_DIR.
Exit code 0: its stdout is the result. Otherwise the task fails with its stderr. The lease is renewed meanwhile.`,
      )
      .action(action(async () => (await import('./worker-run.ts')).run)),
};

function addMcpCommands(mcp: Command, action: Action): void {
  mcp
    .option('--worker <name>', 'who works through this server (default: COORD_WORKER, or a name of its own)')
    .option('--http', 'serve HTTP on 127.0.0.1 instead, with one token a worker')
    .option('--port <n>', 'port for --http, default 7433; 0 takes any', wholeNumber(0, 65_535))
    .option('--host <address>', 'address to listen on for --http, with --allow-host')
    .option('--allow-host <names>', 'names under which clients may reach it, besides localhost', collectList)
    .addHelpText(
      'after',
      `${examples(
        'claude mcp add --scope project coordination -- coord mcp',
        'coord mcp token terminal-2',
        'coord mcp --http --port 7433',
      )}

It ends when stdin ends, and renews the leases of its claims until then. COORD_MCP_WAIT_MAX sets the longest wait of
wait_for_task in seconds. With --http: no OAuth, no CORS; send "Authorization: Bearer <token>" to /mcp. Tokens may also come from
COORD_MCP_TOKENS="worker=token,worker=token".`,
    )
    .action(action(async () => (await import('../mcp/commands.ts')).serve));
  mcp
    .command('token')
    .description('Make a token for a worker that connects over HTTP; an earlier one stops working.')
    .argument('<worker>', 'such as terminal-2')
    .option('--revoke', 'take its token away instead')
    .addHelpText('after', examples('coord mcp token terminal-2', 'coord mcp token terminal-2 --revoke'))
    .action(action(async () => (await import('../mcp/commands.ts')).token));
  mcp
    .command('config')
    .description('Print the .mcp.json entry, with absolute paths, for clients that do not find coord.')
    .addHelpText('after', examples('coord mcp config > .mcp.json', 'coord mcp config --worker terminal-2'))
    .action(
      action(async () => {
        const { config } = await import('../mcp/commands.ts');
        return async (context) => config(context, mcp.opts()); // --worker belongs to the group
      }),
    );
}

/** `coord orchestrate …` */
const ORCHESTRATE: Group = {
  run: (command, action) =>
    withRunOptions(
      command
        .description('Plan a goal with one Claude Code, work through it with several, sum up.')
        .argument('<goal>', 'what to reach'),
    )
      .option('--no-plan', 'no planning: work through what is on the board, or in --tasks')
      .option('--tasks <file>', 'tasks to add first, in any format of coord leader import')
      .option('--plan-only', 'plan, show the tasks, and stop there')
      .addHelpText(
        'after',
        examples(
          'coord orchestrate run "Build a REST API for user management" -w 3',
          'coord orchestrate run "Build API" --no-plan --tasks my-tasks.json',
          `coord orchestrate run "Fix the flaky tests" --budget 5 --allowed-tools "Bash(npm test *)"`,
        ),
      )
      .action(action(async () => (await import('./orchestrate.ts')).run)),

  resume: (command, action) =>
    withRunOptions(command.description('Go on with the board as it is: after a crash, Ctrl-C or an edit.'))
      .addHelpText('after', examples('coord orchestrate resume -w 3'))
      .action(action(async () => (await import('./orchestrate.ts')).resume)),

  init: (command, action) =>
    command
      .description('Write orchestration.json for a goal.')
      .argument('<goal>', 'what to reach')
      .option('--force', 'replace the file that is there')
      .addHelpText('after', examples('coord orchestrate init "Build a REST API"'))
      .action(action(async () => (await import('./orchestrate.ts')).init)),

  'create-task': (command, action) =>
    command
      .description('Add a task to orchestration.json.')
      .argument('<description>', 'one outcome, 5 to 15 minutes of work; - reads stdin')
      .option('-p, --priority <n>', '1 (first) to 10 (last), default 5', wholeNumber(1, 10))
      .option('-d, --depends <ids>', 'task-1, task-2 …: the n-th of the file', collectList)
      .option('-f, --files <paths>', 'files that the task will touch; patterns such as src/**/*.ts too', collectList)
      .option('--hints <text>', 'what the worker should know')
      .addHelpText(
        'after',
        examples(
          'coord orchestrate create-task "Create User model" -p 1',
          'coord orchestrate create-task "Add login" -p 2 -d task-1',
        ),
      )
      .action(action(async () => (await import('./orchestrate.ts')).createTask)),

  'from-config': (command, action) =>
    withRunOptions(
      command
        .description('Work through the tasks of orchestration.json.')
        .argument('[file]', 'default orchestration.json'),
    )
      .addHelpText(
        'after',
        examples('coord orchestrate from-config', 'coord orchestrate from-config orchestration.json -w 2'),
      )
      .action(action(async () => (await import('./orchestrate.ts')).fromConfig)),

  status: (command, action) =>
    command
      .description('Show counts, who works on what, what is stuck and why.')
      .addHelpText('after', examples('coord orchestrate status'))
      .action(action(async () => (await import('./leader.ts')).status)),
};

/** `coord worktree …` */
const WORKTREE: Group = {
  list: (command, action) =>
    command
      .description('List them, with what is not committed and what has not landed.')
      .addHelpText('after', examples('coord worktree list'))
      .action(action(async () => (await import('./worktrees.ts')).list)),

  clean: (command, action) =>
    command
      .description('Remove those that have landed and that nobody is in; the others are named, with the reason.')
      .option('--dry-run', 'say what would be removed')
      .addHelpText('after', examples('coord worktree clean --dry-run', 'coord worktree clean'))
      .action(action(async () => (await import('./worktrees.ts')).clean)),
};

/** `coord trust …` */
const TRUST: Group = {
  board: (command, action) =>
    command
      .description('Use a board although somebody else owns it: whoever can write there can mislead you.')
      .argument('<path>', 'its .coordination/, or the folder around it')
      .addHelpText('after', examples('coord trust board /srv/shared/project'))
      .action(action(async () => (await import('./trust.ts')).trust)),

  check: (command, action) =>
    command
      .description('Allow a check of this board to be run on this machine: it runs as you, with all that you may do.')
      .argument('<command...>', 'its very text, quoted')
      .addHelpText('after', examples('coord trust check "npm test"'))
      .action(action(async () => (await import('./trust.ts')).trustCheck)),

  list: (command, action) =>
    command
      .description('List what you have allowed.')
      .addHelpText('after', examples('coord trust list'))
      .action(action(async () => (await import('./trust.ts')).list)),

  revoke: (command, action) =>
    command
      .description('Take it back.')
      .argument('<what>', 'a path or a check, as coord trust list shows it')
      .addHelpText('after', examples('coord trust revoke /srv/shared/project/.coordination'))
      .action(action(async () => (await import('./trust.ts')).revoke)),
};

/** `coord store …` */
const STORE: Group = {
  status: (command, action) =>
    command
      .description('Say where the board is kept, whether it is reachable, how fast, and whether it wakes who waits.')
      .argument('[address]', 'of a server (default: COORD_STORE, else what the folder says)')
      .addHelpText('after', examples('coord store status', 'coord store status postgres://ann@db.example.com/coord'))
      .action(action(async () => (await import('./store.ts')).status)),

  migrate: (command, action) =>
    command
      .description('Make or upgrade the tables, in a schema of their own; for the role that shall own them.')
      .argument('[address]', 'of a server (default: COORD_STORE, else what the folder says)')
      .option('--print', 'print the SQL instead')
      .addHelpText(
        'after',
        examples('coord store migrate postgres://ann@db.example.com/coord', 'coord store migrate --print > coord.sql'),
      )
      .action(action(async () => (await import('./store.ts')).migrate)),

  connect: (command, action) =>
    command
      .description('Lead this folder to a board that a server keeps, and let it have your password.')
      .argument('<address>', 'postgres://user@host/database, with ?board=<name> where there are several')
      .option('--board <name>', 'its name there')
      .addHelpText('after', examples('coord store connect postgres://ann@db.example.com/coord --board shop'))
      .action(action(async () => (await import('./store.ts')).connect)),

  copy: (command, action) =>
    command
      .description('Move a board from its folder to a server, or back: where it was, it ends.')
      .argument('<from>', 'a folder, or an address')
      .argument('<to>', 'the other')
      .addHelpText(
        'after',
        examples(
          'coord store copy . "postgres://ann@db.example.com/coord?board=shop"',
          'coord store copy "postgres://ann@db.example.com/coord?board=shop" .',
        ),
      )
      .action(action(async () => (await import('./store.ts')).copy)),
};

/** How a board gives each claim a worktree of its own. */
function withWorktreeOptions(command: Command): Command {
  return command
    .option('--worktrees', 'each claim gets a branch and a worktree; what is handed in lands on one branch')
    .option('--branch <name>', 'that branch, default coord/main')
    .option('--setup <command>', 'makes a new worktree ready to work in, such as "npm ci"')
    .option('--remote <name>', 'several clones share that branch by this remote');
}

/** Whom to tell, besides who looks. */
function withNotifyOptions(command: Command): Command {
  return command
    .option('--on-event <command>', 'run this when all is settled or stuck: COORD_EVENT, and JSON on stdin')
    .addOption(
      new Option('--notify <how>', 'ring the terminal, or show a notice of the desktop').choices(['bell', 'desktop']),
    );
}

/** What every run of agents can be told. Its defaults may come from the environment, so they are not set here. */
function withRunOptions(command: Command): Command {
  return withWorktreeOptions(withNotifyOptions(command))
    .option(
      '-w, --workers <n>',
      'Claude Code processes at the same time, default 3 (or MAX_WORKERS)',
      wholeNumber(1, 100),
    )
    .option('--model <name>', 'model for all of them, default their own (or CLAUDE_MODEL)')
    .option(
      '--timeout <duration>',
      'for one attempt at a task, default 10m (or TASK_TIMEOUT, in seconds)',
      wholeSeconds,
    )
    .option('--max-attempts <n>', 'attempts of a task before it counts as failed, default 3', wholeNumber(1, 100))
    .option('--budget <usd>', 'begin nothing new once this much is spent', money)
    .option('--max-turns <n>', 'turns of one process', wholeNumber(1))
    .option('--permission-mode <mode>', 'of Claude Code, default acceptEdits')
    .option(
      '--allowed-tools <rules>',
      'rules of Claude Code for what they may do besides, such as "Bash(npm test *)"',
      collectList,
    )
    .option('--check <command>', 'it must end well before a task is done; several: again', collect)
    .addOption(
      new Option('--review <by>', 'who looks at what is handed in: one more agent, or you').choices([
        'agent',
        'leader',
      ]),
    )
    .option('--keep-going', 'when all is settled or stuck, wait for more tasks, until Ctrl-C')
    .option('--summarize', 'let one more process write the summary in words');
}

function money(text: string): number {
  const usd = Number(text.replace(/^\$/, ''));
  if (Number.isFinite(usd) && usd > 0) return usd;
  throw new InvalidArgumentError('It must be an amount of US dollars, such as 5 or 2.50.');
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** The fields of a task that can be set when it is added and when it is changed. */
function withTaskOptions(command: Command): Command {
  return withCheckOptions(command)
    .option('-p, --priority <n>', '1 (first) to 10 (last), default 5', wholeNumber(1, 10))
    .option('-d, --depends <ids>', 'tasks that must be done first', collectList)
    .option('-f, --files <paths>', 'files that the task will touch; patterns such as src/**/*.ts too', collectList)
    .option('--hints <text>', 'what the worker should know')
    .option('-t, --tag <tags>', 'words to find it by', collectList)
    .option('--max-attempts <n>', 'claims before it counts as failed, default 3', wholeNumber(1, 100));
}

/** What holds for tasks: of a board, or of one. */
function withDefaultOptions(command: Command): Command {
  return withCheckOptions(command).option(
    '--protect <patterns>',
    'files that nobody changes without a review, such as package.json',
    collectList,
  );
}

function withCheckOptions(command: Command): Command {
  return command
    .option('--check <command>', 'it must end well before a task is done; several: again', collect)
    .option('--check-timeout <duration>', 'how long one may take, default 10m', duration)
    .option('--review', 'somebody else looks at what is handed in');
}

/** Command lines hold commas: each is an option of its own. */
function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function withWaitOptions(command: Command): Command {
  return command
    .option('--timeout <duration>', 'wait at most this long (exit 5)', duration)
    .option('--stay', 'wait on even when every task is settled or stuck')
    .option('--lease <duration>', 'how long the claim stands unless renewed, default 30m (or COORD_LEASE)');
}

/**
 * The values of a list option: `-f a,b` and `-f a -f b` are one. Never the word behind it, which may be what the command is
 * about. A comma between brackets is part of its value, as in `Bash(ls, pwd)`; so is one behind a backslash.
 */
function collectList(text: string, before: string[] | undefined): string[] {
  const values = [...text.matchAll(/(?:\\,|\([^()]*\)|\{[^{}]*\}|[^,])+/g)].map(([value]) =>
    value.replaceAll('\\,', ',').trim(),
  );
  return [...(before ?? []), ...values.filter((value) => value !== '')];
}

function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(
      `It must be a whole number ${most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`}.`,
    );
  };
}

/** A duration in whole seconds, at most a day. */
function wholeSeconds(text: string): number {
  const seconds = Math.round(duration(text) / 1000);
  if (seconds >= 1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('It must be from 1s to 24h.');
}

/** Milliseconds, days among them. */
function span(text: string): number {
  const days = /^(\d+)d$/.exec(text)?.[1];
  return days === undefined ? duration(text) : Number(days) * 86_400_000;
}

/** Milliseconds. */
function duration(text: string): number {
  const ms = parseDuration(text);
  // Longer than Node's timers can count (2^31 - 1 ms, about 24 days).
  if (ms !== undefined && ms > 0 && ms < 2 ** 31) return ms;
  throw new InvalidArgumentError('Durations: 90s, 10m, 1h, or seconds.');
}
