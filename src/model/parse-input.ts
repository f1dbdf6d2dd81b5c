/** Checks what comes in from outside, and says in words what does not fit. */
import en from 'zod/v4/locales/en.js';
import * as z from 'zod/mini';
import { CoordError } from './errors.ts';

// One check a process is the rule, and generating code for it takes longer than the check.
z.config({ ...en(), jitless: true });

/** Checks a value at the edge; what does not fit becomes `invalid-input`, naming the field. */
export function parseInput<S extends z.ZodMiniType>(schema: () => S, value: unknown): z.infer<S> {
  const parsed = schema().safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CoordError('invalid-input', describeIssues(parsed.error.issues), { cause: parsed.error });
}

/** The first few things wrong, each with its field: `tasks[3].priority: expected number`. */
export function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  const shown = issues.slice(0, 3).map((issue) => `${fieldName(issue.path)}: ${issueText(issue)}`);
  if (issues.length > shown.length) shown.push(`and ${issues.length - shown.length} more`);
  return shown.join('; ');
}

/** zod's own words, but for the misspelt field, where its name is what the reader needs. */
export function issueText(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  if (issue.code === 'too_big' && issue.origin === 'string') return `must be at most ${issue.maximum} characters`;
  return issue.message.replace(/^Invalid input: /, '');
}

export function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'input';
  return path.reduce<string>(
    (name, part) =>
      typeof part === 'number' ? `${name}[${part}]` : name === '' ? String(part) : `${name}.${String(part)}`,
    '',
  );
}
