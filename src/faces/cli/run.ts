/** The front door: argv to a command, its reply or error to the streams, and the exit code. */
import { CommanderError, type Command } from 'commander';
import { CoordError } from '../../model/errors.ts';
import { LEADER } from '../../model/limits.ts';
import { visible } from '../../model/text.ts';
import { stateFolderOf } from '../../store/state-folder.ts';
import type { Context, Io } from '../io.ts';
import { EXIT, paintFor, printError, printReply } from './output.ts';
import { buildProgram, type Run } from './program.ts';
import { suggestions, withWorkerName } from './typed.ts';

/** Runs one command line. Never throws: whatever happens becomes output and an exit code. */
export async function runCli(io: Io, version: string): Promise<number> {
  let exitCode: number = EXIT.done;
  const run: Run = async (command, handler, args) => {
    const options = command.optsWithGlobals<{ json?: boolean; dir?: string; color: boolean }>();
    const { json, dir, color } = options;
    await refuseAgents(io, command, options);
    const context = await makeContext(io, { json: json === true, dir, color, version });
    const reply = await handler(context, ...args);
    printReply(io, reply, context.json);
    for (const note of reply.notes ?? []) context.note(note);
    exitCode = reply.exitCode ?? EXIT.done;
  };
  const program = buildProgram(version, run, io.argv);
  const json = wantsJson(io.argv);
  configureOutput(program, io, json);
  try {
    const argv = withWorkerName(() => buildProgram(version, run, io.argv), io.argv, io.env['COORD_WORKER']);
    if (argv.length === 0) await showBoardOrHelp(program);
    else if (json && io.argv.length === 1)
      throw new CoordError('usage', 'A command is missing.', { hint: 'coord --help' });
    else await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      const { explainFailure } = await import('../../store/open.ts');
      return printError(io, explainFailure(error), json, version);
    }
    if (error.exitCode === 0) return EXIT.done; // --help, --version
    // A group without a command has shown its help already.
    if (error.code === 'commander.help' && !json) return EXIT.usage;
    return printError(io, await usageError(error, version), json, version);
  }
}

/** Alone, `coord` shows the board that one stands in; elsewhere it says what there is. */
async function showBoardOrHelp(program: Command): Promise<void> {
  try {
    await program.parseAsync(['status'], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'not-initialised') throw error;
    program.outputHelp();
  }
}

/** What a worker's session may not run, whatever its rules allow: an agent must not get any command by way of coord. */
async function refuseAgents(io: Io, command: Command, options: Record<string, unknown>): Promise<void> {
  const { env } = io;
  const id = env['CLAUDE_CODE_SESSION_ID'];
  const isWorker = !!env['COORD_WORKER'] && env['COORD_WORKER'] !== LEADER;
  if (!env['COORD_ORCHESTRATED'] && !env['CLAUDECODE'] && !id && !isWorker) return;
  const words: string[] = [];
  for (let one: Command | null = command; one?.parent; one = one.parent) words.unshift(one.name());
  const { whyNotForAgents, whyNotForWorkers } = await import('../../runner/agent-commands.ts');
  const isAgents = !!env['COORD_ORCHESTRATED'] || !!env['CLAUDECODE'] || !!id;
  // A person may work under a worker's name too: what is refused to them is only what would make done easier to reach.
  const whyNot = isAgents ? whyNotForAgents : whyNotForWorkers;
  const why = whyNot({ command: words.join(' '), options });
  if (why === undefined) return;
  // Set-up allows the leader's commands with any argument: what these two start is for a person in every session.
  const startsPrograms = options['onEvent'] !== undefined || options['editor'] === true;
  if (!startsPrograms && !env['COORD_ORCHESTRATED'] && !isWorker && !(await hasClaimed(io, id, options['dir']))) return;
  throw new CoordError('not-allowed', `A worker's session may not run coord ${words.join(' ')}: ${why}.`, {
    hint: 'Ask the person you work for to run it in a terminal of their own.',
  });
}

/** Whether the session is a worker's without saying so in its environment: it has claimed on this board. */
async function hasClaimed(io: Io, id: string | undefined, dir: unknown): Promise<boolean> {
  if (id === undefined) return false;
  try {
    const { openSessions } = await import('../../store/sessions.ts');
    const place = typeof dir === 'string' ? dir : io.env['COORDINATION_DIR'] || undefined;
    const session = openSessions({ cwd: io.cwd, dir: place, stateFolder: stateFolderOf(io.env) }).get(id);
    return session !== undefined && session.worker !== LEADER;
  } catch {
    return false; // no board, no worker
  }
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

/** commander's messages come back as errors; only help goes to the streams directly. */
function configureOutput(program: Command, io: Io, json: boolean): void {
  const visit = (command: Command, path: string): void => {
    const remember = (error: CommanderError): never => {
      throw Object.assign(error, { path });
    };
    command.exitOverride(remember).configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => {
        if (!json) io.stderr.write(text);
      },
      outputError: () => {},
      getOutHelpWidth: () => Math.min(io.stdout.columns, 120),
      getErrHelpWidth: () => Math.min(io.stderr.columns, 120),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
    for (const sub of command.commands) visit(sub, `${path} ${sub.name()}`);
  };
  visit(program, program.name());
}

async function usageError(error: CommanderError, version: string): Promise<CoordError> {
  const path = 'path' in error && typeof error.path === 'string' ? error.path : 'coord';
  if (error.code === 'commander.help')
    return new CoordError('usage', `${path} needs a command.`, { hint: `${path} --help` });
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = rest
    .join(' ')
    .trim()
    .replace(/^\(|\)$/g, '');
  return new CoordError('usage', `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.?$/, '.')}`, {
    hint: (await hintFor(error, version)) ?? (suggestion === '' ? `${path} --help` : suggestion),
  });
}

async function hintFor(error: CommanderError, version: string): Promise<string | undefined> {
  if (error.code === 'commander.excessArguments')
    return 'Quote a text of several words; lists take commas, or their option again: -f a.ts,b.ts';
  const word = /^error: unknown command '(.*?)'/.exec(error.message)?.[1];
  if (word === undefined) return undefined;
  const meant = await suggestions(
    buildProgram(version, async () => {}),
    word,
  );
  return meant.length === 0 ? undefined : `Did you mean ${meant.join(', or ')}?`;
}

async function makeContext(
  io: Io,
  options: { json: boolean; dir: string | undefined; color: boolean; version: string },
): Promise<Context> {
  const note = (line: string): void => {
    if (!options.json) io.stderr.write(`${visible(line)}\n`);
  };
  return {
    io,
    json: options.json,
    version: options.version,
    paint: await paintFor(io.stdout, io.env, options.color),
    print: (reply) => printReply(io, reply, options.json),
    note,
    openOptions: {
      cwd: io.cwd,
      dir: options.dir ?? (io.env['COORDINATION_DIR'] || undefined),
      durable: io.env['COORD_DURABLE'] !== '0',
      poll: io.env['COORD_WATCH'] === 'poll',
      notice: (message) => io.stderr.write(`coord: ${visible(message)}\n`),
      stateFolder: stateFolderOf(io.env),
      env: io.env,
    },
  };
}
