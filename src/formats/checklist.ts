/** Markdown lists as people keep them: what is open in them. */
import { lexer, type Token, type Tokens } from 'marked';

export interface ChecklistTask {
  description: string;
  hints?: string;
}

/**
 * Every item of a list is a task, nested ones too; a ticked box was done before, so it is none. What else stands in an item is
 * its hints. What only looks like a list, as in a block of code, is none.
 */
export function checklistTasks(text: string): ChecklistTask[] {
  return listsIn(lexer(text)).flatMap((list) => list.items.flatMap(tasksOf));
}

function tasksOf(item: Tokens.ListItem): ChecklistTask[] {
  const own = item.tokens.filter((token) => token.type !== 'list').map((token) => token.raw);
  const [first = '', ...rest] = own
    .join('')
    .replace(/^\[[ xX]\]\s+/, '')
    .trim()
    .split('\n');
  const hints = rest.map((line) => line.trim()).filter((line) => line !== '');
  const task = { description: first.trim(), ...(hints.length > 0 ? { hints: hints.join('\n') } : {}) };
  const isOpen = item.checked !== true && task.description !== '';
  return [...(isOpen ? [task] : []), ...listsIn(item.tokens).flatMap((list) => list.items.flatMap(tasksOf))];
}

function listsIn(tokens: readonly Token[]): Tokens.List[] {
  return tokens.flatMap((token) => {
    if (token.type === 'list') return [token as Tokens.List]; // its type says so
    return token.type === 'blockquote' ? listsIn((token as Tokens.Blockquote).tokens) : [];
  });
}
