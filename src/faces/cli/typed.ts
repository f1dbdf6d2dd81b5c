/** What was typed, before it is parsed: the worker's name where the environment has it, and what was meant by what is unknown. */
import type { Command } from 'commander';

const TASK_ID = /^task-\d+$/;

/** Positionals of `coord worker …` besides the worker's name, at the least. */
const NEEDED: Readonly<Record<string, number>> = {
  claim: 0,
  done: 1,
  complete: 1,
  ask: 2,
  tell: 2,
  fail: 2,
  release: 1,
  heartbeat: 0,
  discover: 1,
  context: 0,
  run: 0,
};

/**
 * `COORD_WORKER` stands for the worker's name wherever one is asked and none is given. A task's id is none: whoever types one
 * first has left the name out.
 *
 * @param build  a tree to try the words on: parsing leaves its mark there
 */
export function withWorkerName(
  build: () => Command,
  argv: readonly string[],
  worker: string | undefined,
): readonly string[] {
  const at = argv.indexOf('worker');
  const name = argv[at + 1];
  const needed = name === undefined ? undefined : NEEDED[name];
  if (!worker || at === -1 || name === undefined || needed === undefined) return argv;
  const program = build();
  const before = program.parseOptions(argv.slice(0, at));
  const command = program.commands
    .find((group) => group.name() === 'worker')
    ?.commands.find((one) => one.name() === name || one.aliases().includes(name));
  if (before.operands.length > 0 || !command) return argv;
  const rest = argv.slice(at + 2);
  const end = rest.indexOf('--');
  const operands = command
    .parseOptions(end === -1 ? rest : rest.slice(0, end))
    .operands.filter((word) => word !== '--');
  const isGiven = TASK_ID.test(operands[0] ?? '') ? false : operands.length > needed;
  return isGiven ? argv : [...argv.slice(0, at + 2), worker, ...rest];
}

/** Commands that an unknown word may have meant, wherever in the tree they are; the best first. */
export async function suggestions(program: Command, word: string): Promise<string[]> {
  const paths: string[][] = [];
  const visit = (command: Command, path: string[]): void => {
    for (const sub of command.createHelp().visibleCommands(command)) {
      if (sub.name() === 'help') continue;
      for (const name of [sub.name(), ...sub.aliases()]) paths.push([...path, name]);
      visit(sub, [...path, sub.name()]);
    }
  };
  visit(program, [program.name()]);
  const same = paths.filter((path) => path.at(-1) === word);
  if (same.length > 0) return same.map((path) => path.join(' '));
  const { distance } = await import('fastest-levenshtein');
  const near = paths
    .map((path) => ({ path, far: distance(path.at(-1) ?? '', word) }))
    .filter(({ path, far }) => far <= Math.max(1, Math.floor((path.at(-1) ?? '').length / 3)))
    .toSorted((a, b) => a.far - b.far || a.path.length - b.path.length);
  return near.slice(0, 3).map(({ path }) => path.join(' '));
}
