/** Results as people read them in results/, and back. */
import { checkText } from '../../model/evidence.ts';
import type { Result } from '../../model/views/report.ts';
import type { ResultOf } from '../local-copy.ts';

/** The result as people read it: a heading, who and when, the files, and the worker's text. */
export function resultText({ task, output, files_modified, files_created, checks = [] }: ResultOf): string {
  const lines = [
    `# ${task.id}: ${task.description.replace(/\s+/g, ' ')}`,
    '',
    `- Worker: ${task.claimed_by}`,
    `- Attempt: ${task.attempt}`,
    `- Completed: ${task.completed_at}`,
    ...(files_modified.length > 0 ? [`- Modified: ${JSON.stringify(files_modified).slice(1, -1)}`] : []),
    ...(files_created.length > 0 ? [`- Created: ${JSON.stringify(files_created).slice(1, -1)}`] : []),
    ...checks.map((run) => `- Checked: ${checkText(run).replace(/\s+/g, ' ')}`),
  ];
  return `${lines.join('\n')}\n\n${output}${output.endsWith('\n') ? '' : '\n'}`;
}

/** Reads what {@link resultText} wrote; a file written by hand is all output. */
export function parseResult(text: string): Pick<Result, 'output' | 'files_modified' | 'files_created'> {
  const head = /^# [^\n]*\n\n((?:- [A-Z][a-z]+: [^\n]*\n)+)\n/.exec(text);
  if (!head) return { output: text, files_modified: [], files_created: [] };
  return {
    output: text.slice(head[0].length).replace(/\n$/, ''),
    files_modified: filesIn(head[1] ?? '', 'Modified'),
    files_created: filesIn(head[1] ?? '', 'Created'),
  };
}

function filesIn(head: string, label: string): string[] {
  const list = new RegExp(`^- ${label}: (.*)$`, 'm').exec(head)?.[1];
  if (list === undefined) return [];
  try {
    const files: unknown = JSON.parse(`[${list}]`);
    return Array.isArray(files) ? files.map(String) : [];
  } catch {
    return list.split(',').map((file) => file.trim());
  }
}
