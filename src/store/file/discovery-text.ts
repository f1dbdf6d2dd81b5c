/** Discoveries as people read them in context/discoveries.md, and back. */
import type { Discovery } from '../../model/views/report.ts';

const DISCOVERY = /^## (\S+Z) ([A-Za-z0-9._-]+)(?: \(([A-Za-z0-9._-]+)\))?((?: #[A-Za-z0-9._-]+)*)$/;

export function discoveryText({ worker, created_at, content, tags, task_id }: Omit<Discovery, 'id'>): string {
  const heading = `## ${created_at} ${worker}${task_id === null ? '' : ` (${task_id})`}${tags.map((tag) => ` #${tag}`).join('')}`;
  // A line that looks like such a heading would start a discovery of its own: a backslash keeps it text.
  const body = content.split('\n').map((line) => (/^\\*## /.test(line) ? `\\${line}` : line));
  return `\n${heading}\n\n${body.join('\n')}\n`;
}

export function parseDiscoveries(text: string): Discovery[] {
  const found: Discovery[] = [];
  let body: string[] = [];
  const close = (): void => {
    const last = found.at(-1);
    if (last) last.content = body.join('\n').trim();
    body = [];
  };
  for (const line of text.split('\n')) {
    const heading = DISCOVERY.exec(line);
    if (!heading) {
      body.push(line.replace(/^\\(\\*## )/, '$1'));
      continue;
    }
    close();
    const [, created_at = '', worker = '', task_id, tags = ''] = heading;
    found.push({
      id: `discovery-${found.length + 1}`,
      worker,
      created_at,
      content: '',
      tags: tags.split(' #').filter((tag) => tag !== ''),
      task_id: task_id ?? null,
    });
  }
  close();
  return found;
}
