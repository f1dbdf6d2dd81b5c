/** The front door: argv to a command, its reply or error to the streams, and the exit code. */
import { CommanderError, type Command } from 'commander';
import { CoordError } from '../model/errors.ts';
import type { Context, Io } from './context.ts';
import { EXIT, paintFor, printError, printReply } from './output.ts';
import { buildProgram, type Run } from './program.ts';

/** Runs one command line. Never throws: whatever happens becomes output and an exit code. */
export async function runCli(io: Io, version: string): Promise<number> {
  let exitCode: number = EXIT.done;
  const run: Run = async (command, handler, args) => {
    const { json, dir, color } = command.optsWithGlobals<{ json?: boolean; dir?: string; color: boolean }>();
    const context = await makeContext(io, { json: json === true, dir, color, version });
    const reply = await handler(context, ...args);
    printReply(io, reply, context.json);
    for (const note of reply.notes ?? []) context.note(note);
    exitCode = reply.exitCode ?? EXIT.done;
  };
  const program = buildProgram(version, run, io.argv[0]);
  const json = wantsJson(io.argv);
  configureOutput(program, io, json);
  try {
    if (io.argv.length === 0) program.outputHelp();
    else if (json && io.argv.length === 1)
      throw new CoordError('usage', 'A command is missing.', { hint: 'coord --help' });
    else await program.parseAsync(io.argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      const { explainFailure } = await import('../store/open.ts');
      return printError(io, explainFailure(error), json, version);
    }
    if (error.exitCode === 0) return EXIT.done; // --help, --version
    // A group without a command has shown its help already.
    if (error.code === 'commander.help' && !json) return EXIT.usage;
    return printError(io, usageError(error), json, version);
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

function usageError(error: CommanderError): CoordError {
  const path = 'path' in error && typeof error.path === 'string' ? error.path : 'coord';
  if (error.code === 'commander.help')
    return new CoordError('usage', `${path} needs a command.`, { hint: `${path} --help` });
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = rest
    .join(' ')
    .trim()
    .replace(/^\(|\)$/g, '');
  return new CoordError('usage', `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.?$/, '.')}`, {
    hint: suggestion === '' ? `${path} --help` : suggestion,
  });
}

async function makeContext(
  io: Io,
  options: { json: boolean; dir: string | undefined; color: boolean; version: string },
): Promise<Context> {
  const note = (line: string): void => {
    if (!options.json) io.stderr.write(`${line}\n`);
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
      notice: (message) => io.stderr.write(`coord: ${message}\n`),
    },
  };
}
