/** Shell completions, made from the command tree itself, so that they can never lag behind it. */
import type { Command } from 'commander';
import { assertNever } from '../../model/errors.ts';
import type { Reply } from '../io.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** One place in the tree: the words that lead there, and what may follow. */
interface Place {
  path: string;
  words: { word: string; about: string }[];
}

export function completion(program: Command, shell: string): Reply {
  const name = program.name();
  const script = scriptFor(shell as Shell, name, places(program)); // commander admits no other word
  return { text: script.trimEnd(), json: { shell, script } };
}

function places(program: Command): Place[] {
  const found: Place[] = [];
  const visit = (command: Command, path: string[]): void => {
    const help = command.createHelp();
    const commands = help.visibleCommands(command).map((sub) => ({ word: sub.name(), about: sub.description() }));
    const choices = command.registeredArguments[0]?.argChoices?.map((word) => ({ word, about: '' })) ?? [];
    const own = [...help.visibleOptions(command), ...(command.parent ? help.visibleOptions(program) : [])];
    const options = new Map(own.map((option) => [option.long ?? option.short ?? '', option.description]));
    found.push({
      path: path.join(' '),
      words: [...commands, ...choices, ...[...options].map(([word, about]) => ({ word, about }))],
    });
    for (const sub of command.commands) visit(sub, [...path, sub.name()]);
  };
  visit(program, []);
  return found;
}

function scriptFor(shell: Shell, name: string, all: Place[]): string {
  switch (shell) {
    case 'bash':
      return bash(name, all);
    case 'zsh':
      return zsh(name, all);
    case 'fish':
      return fish(name, all);
    default:
      return assertNever(shell);
  }
}

function bash(name: string, all: Place[]): string {
  const cases = all.map(
    ({ path, words }) => `    ${quote(path)}) words=${quote(words.map(({ word }) => word).join(' '))} ;;`,
  );
  return `# bash completion for ${name}
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) continue ;; esac
    case "\${path:+$path }$word" in
${all
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${quote(path)}) path=${quote(path)} ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _${name} ${name}
`;
}

function zsh(name: string, all: Place[]): string {
  const cases = all.map(
    ({ path, words }) =>
      `    ${quote(path)})\n      words=(${words.map(({ word, about }) => quote(`${word.replaceAll(':', '\\:')}:${about}`)).join(' ')}) ;;`,
  );
  return `#compdef ${name}
# zsh completion for ${name}
_${name}() {
  local place="" word
  local -a words_before=("\${(@)words[2,CURRENT-1]}") 
  for word in $words_before; do
    [[ $word == -* ]] && continue
    case "\${place:+$place }$word" in
${all
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${quote(path)}) place=${quote(path)} ;;`)
  .join('\n')}
    esac
  done
  local -a candidates
  () {
    local -a words
    case "$place" in
${cases.join('\n')}
    esac
    candidates=("\${words[@]}")
  }
  _describe '${name}' candidates || _files
}
if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function fish(name: string, all: Place[]): string {
  const lines = all.flatMap(({ path, words }) =>
    words.map(({ word, about }) => {
      const what = word.startsWith('--')
        ? `-l ${word.slice(2)}`
        : word.startsWith('-')
          ? `-s ${word.slice(1)}`
          : `-f -a ${quote(word)}`;
      return `complete -c ${name} -n ${quote(`__${name}_at ${path === '' ? "''" : `'${path}'`}`)} ${what} -d ${quote(about)}`;
    }),
  );
  return `# fish completion for ${name}
function __${name}_at
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    set -l longer (string join ' ' $path $word)
    contains -- $longer ${all.map(({ path }) => quote(path)).join(' ')}; and set path $path $word
  end
  test (string join ' ' $path) = "$argv[1]"
end
${lines.join('\n')}
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
