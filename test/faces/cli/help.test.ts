/** Every --help, as a snapshot: what people read is changed on purpose or not at all. */
import { expect, test } from 'vitest';
import { buildProgram } from '../../../src/faces/cli/program.ts';
import type { Command } from 'commander';

const program = buildProgram('0.0.0', async () => {});
const all: [string, Command][] = [];
const visit = (command: Command, path: string): void => {
  all.push([path, command]);
  for (const sub of command.commands) visit(sub, `${path} ${sub.name()}`);
};
visit(program, 'coord');

test.each(all)('%s --help', (_, command) => {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 100 });
  command.outputHelp();
  expect(text).toMatchSnapshot();
});

test('every command that does something opens with a sentence and has examples', () => {
  const leaves = all.filter(([, command]) => command.commands.length === 0);
  expect(leaves.length).toBeGreaterThan(25);
  for (const [path, command] of leaves) {
    expect(command.description(), path).toMatch(/^[A-Z].*\.$/);
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part) });
    command.outputHelp();
    expect(text, path).toMatch(new RegExp(`Examples:\n(.*\n)*.*${path}`));
  }
});
