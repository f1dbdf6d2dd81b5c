/**
 * Shell completion. The scripts are short and never lag behind: they ask `coord complete` what may stand at the cursor, which
 * goes by the command tree and by the board.
 */
import type { Argument, Command, Option } from 'commander';
import { assertNever, CoordError } from '../../model/errors.ts';
import { clip, visible } from '../../model/text.ts';
import type { Board } from '../../model/board.ts';
import { type Context, type Reply, withStore } from '../io.ts';

type Shell = 'bash' | 'zsh' | 'fish' | 'powershell';

export function completion(program: Command, shell: string): Reply {
  const script = scriptFor(shell as Shell, program.name()); // commander admits no other word
  return { text: script.trimEnd(), json: { shell, script } };
}

/** What may be typed, and a word about it. */
interface Candidate {
  word: string;
  about: string;
}

/** Says that files may follow, which shells complete best themselves. */
const FILES = ':files';

/**
 * What may stand at the cursor: a line each, with a tab before what it means; `:files` alone where it is a path.
 *
 * @param words  of the command line, `coord` first; the one at the cursor last, perhaps empty
 */
export async function complete(context: Context, program: Command, words: readonly string[]): Promise<Reply> {
  const current = (words.at(-1) ?? '').replace(/^""$/, ''); // as PowerShell writes what is empty
  const found = await candidates(context, program, words.slice(1, -1), current);
  const shown = found === 'files' ? [] : found.filter(({ word }) => word.startsWith(current));
  const text =
    found === 'files'
      ? FILES
      : shown.map(({ word, about }) => (about === '' ? word : `${word}\t${visible(clip(about, 70))}`)).join('\n');
  return { text, json: found === 'files' ? { files: true } : { candidates: shown } };
}

async function candidates(
  context: Context,
  program: Command,
  before: readonly string[],
  current: string,
): Promise<Candidate[] | 'files'> {
  let command = program;
  let option: Option | undefined;
  const operands: string[] = [];
  for (const word of before) {
    if (option) {
      option = undefined; // its value
      continue;
    }
    if (word.startsWith('-')) {
      const named = optionsOf(program, command).find((one) => one.long === word || one.short === word);
      option = named && (named.required || named.optional) ? named : undefined;
      continue;
    }
    const sub = operands.length === 0 ? subcommand(command, word) : undefined;
    if (sub) command = sub;
    else operands.push(word);
  }
  if (option) return valuesOf(context, option);
  if (current.startsWith('-'))
    return optionsOf(program, command).map((one) => ({ word: one.long ?? one.short ?? '', about: one.description }));
  const help = command.createHelp();
  const subs = help.visibleCommands(command).map((sub) => ({ word: sub.name(), about: sub.description() }));
  if (subs.length > 0 && operands.length === 0) return subs;
  const { registeredArguments } = command;
  const argument = registeredArguments[operands.length] ?? registeredArguments.findLast(({ variadic }) => variadic);
  return argument ? argumentValues(context, command, argument) : [];
}

function subcommand(command: Command, word: string): Command | undefined {
  return command.commands.find((sub) => sub.name() === word || sub.aliases().includes(word));
}

function optionsOf(program: Command, command: Command): Option[] {
  const help = command.createHelp();
  return [...help.visibleOptions(command), ...(command === program ? [] : help.visibleOptions(program))];
}

async function valuesOf(context: Context, option: Option): Promise<Candidate[] | 'files'> {
  if (option.argChoices) return option.argChoices.map((word) => ({ word, about: '' }));
  switch (option.attributeName()) {
    case 'depends':
    case 'task':
      return tasksOf(context, () => true);
    case 'worker':
    case 'agent':
      return workersOf(context);
    case 'tag':
      return tagsOf(context);
    case 'status': {
      const { LISTABLE } = await import('../../model/views/listing.ts');
      return LISTABLE.map((word) => ({ word, about: '' }));
    }
    case 'clear':
      return ['depends', 'files', 'hints', 'tag'].map((word) => ({ word, about: '' }));
    case 'priority':
      return Array.from({ length: 10 }, (_, i) => ({ word: String(i + 1), about: '' }));
    case 'files':
    case 'modified':
    case 'created':
    case 'output':
    case 'tasks':
    case 'dir':
      return 'files';
    default:
      return [];
  }
}

/** Which tasks a command is about, by what it does to them. */
const STATUS_FOR: Readonly<Record<string, readonly string[]>> = {
  claim: ['available'],
  done: ['claimed'],
  approve: ['submitted'],
  'send-back': ['submitted'],
  review: ['submitted'],
  accept: ['available', 'claimed', 'failed'],
  fail: ['claimed'],
  release: ['claimed'],
  retry: ['failed', 'cancelled'],
  reopen: ['done'],
  cancel: ['available', 'claimed', 'submitted', 'failed'],
  results: ['submitted', 'done'],
};

async function argumentValues(context: Context, command: Command, argument: Argument): Promise<Candidate[] | 'files'> {
  if (argument.argChoices) return argument.argChoices.map((word) => ({ word, about: '' }));
  switch (argument.name()) {
    case 'task':
    case 'tasks': {
      const wanted = STATUS_FOR[command.name()];
      return tasksOf(context, ({ status }) => wanted === undefined || wanted.includes(status));
    }
    case 'worker':
    case 'name':
      return workersOf(context);
    case 'file':
    case 'path':
    case 'command':
      return 'files';
    default:
      return [];
  }
}

async function tasksOf(context: Context, isWanted: (task: Board['tasks'][number]) => boolean): Promise<Candidate[]> {
  const board = await boardOf(context);
  return (board?.tasks ?? []).filter(isWanted).map(({ id, description }) => ({ word: id, about: description }));
}

async function workersOf(context: Context): Promise<Candidate[]> {
  const own = context.io.env['COORD_WORKER'];
  const names = (await boardOf(context))?.tasks.flatMap(({ claimed_by }) => claimed_by ?? []) ?? [];
  return [...new Set([...(own ? [own] : []), ...names])].map((word) => ({ word, about: '' }));
}

async function tagsOf(context: Context): Promise<Candidate[]> {
  const tags = (await boardOf(context))?.tasks.flatMap((task) => task.tags) ?? [];
  return [...new Set(tags)].toSorted((a, b) => a.localeCompare(b)).map((word) => ({ word, about: '' }));
}

/** Nobody who presses Tab wants to read an error. */
async function boardOf(context: Context): Promise<Board | undefined> {
  try {
    return await withStore(context, (store) => store.read());
  } catch (error) {
    if (error instanceof CoordError) return undefined;
    throw error;
  }
}

function scriptFor(shell: Shell, name: string): string {
  switch (shell) {
    case 'bash':
      return bash(name);
    case 'zsh':
      return zsh(name);
    case 'fish':
      return fish(name);
    case 'powershell':
      return powershell(name);
    default:
      return assertNever(shell);
  }
}

function bash(name: string): string {
  return `# bash completion for ${name}
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = "${FILES}" ]; then
      compopt -o filenames 2>/dev/null
      local IFS=$'\\n'
      COMPREPLY=($(compgen -f -- "$current"))
      return
    fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
}
complete -F _${name} ${name}
`;
}

function zsh(name: string): string {
  return `#compdef ${name}
# zsh completion for ${name}
_${name}() {
  local line
  local -a candidates
  for line in "\${(@f)$("\${words[1]}" complete -- "\${(@)words[1,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == "${FILES}" ]]; then _files; return; fi
    [[ -n $line ]] && candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}")
  done
  (( \${#candidates} )) && _describe '${name}' candidates
}
if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function fish(name: string): string {
  return `# fish completion for ${name}
function __${name}_complete
  set -l tokens (commandline -opc) (commandline -ct)
  set -l found (${name} complete -- $tokens 2>/dev/null)
  if test "$found" = "${FILES}"
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c ${name} -f -a '(__${name}_complete)'
`;
}

function powershell(name: string): string {
  return `# PowerShell completion for ${name}
Register-ArgumentCompleter -Native -CommandName ${name} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
  if ($wordToComplete -eq '') { $words += '""' }
  & ${name} complete -- @words 2>$null | ForEach-Object {
    $word, $about = $_ -split "\`t", 2
    if ($word -eq '${FILES}') { return }
    if (-not $about) { $about = $word }
    [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $about)
  }
}
`;
}
