/** The checklist that `coord leader export --format markdown` writes: bullets are fields, blocks of code are long texts. */
import { Lexer, type Tokens } from 'marked';
import type { Listing } from './listing.ts';
import { readCoordTasks } from './coord-tasks.ts';

const FIELD = /^([a-z_]+): ?(.*)$/;
const ITEM = /^(?:\[[ xX]\][ \t]*)?(\S+)[ \t]*(.*)$/;

export function readExported(name: string, text: string): Listing {
  const items = new Lexer()
    .blockTokens(text.replace(/\r\n?/g, '\n'), [])
    .flatMap((token) => (token.type === 'list' ? (token as Tokens.List).items : []));
  return readCoordTasks(
    name,
    items.map((item, i) => ({ value: fieldsOf(item), where: () => `task ${i + 1}` })),
  );
}

function fieldsOf(item: Tokens.ListItem): Record<string, unknown> {
  const fields: Record<string, unknown> = { status: item.checked === true ? 'done' : 'available' };
  const files: string[] = [];
  const checks: string[] = [];
  for (const token of item.tokens) {
    if (token.type === 'text' || token.type === 'paragraph') {
      const [, id, description] = ITEM.exec(token.raw.trim()) ?? [];
      Object.assign(fields, { id, ...(description === '' ? {} : { description }) });
    } else if (token.type === 'code') {
      const { lang = '', text } = token as Tokens.Code;
      if (lang === 'check') checks.push(text);
      if (lang === 'hints' || lang === 'description') fields[lang] = text;
    } else if (token.type === 'list') {
      for (const bullet of (token as Tokens.List).items) {
        const [, field = '', value = ''] = FIELD.exec(bullet.text.trim()) ?? [];
        if (field === 'file') files.push(value);
        else if (field === 'dependencies' || field === 'tags')
          fields[field] = value.split(',').map((one) => one.trim());
        else if (field === 'priority' || field === 'max_attempts' || field === 'check_timeout')
          fields[field] = Number(value);
        else if (field === 'exclusive' || field === 'review') fields[field] = value === 'true';
        else if (field === 'key') fields[field] = value;
      }
    }
  }
  return { ...fields, ...(files.length > 0 ? { files } : {}), ...(checks.length > 0 ? { checks } : {}) };
}
