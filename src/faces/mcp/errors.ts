/** Refusals as a model reads them: what happened, and which call to make next. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { CoordError, type ErrorCode } from '../../model/errors.ts';
import { explainFailure } from '../../store/open.ts';

const CORRECT = 'correct the arguments and call again';
const TELL_USER = 'tell the user';

/** The hints of the command line name commands; these name tools. */
const NEXT = {
  usage: CORRECT,
  'invalid-input': CORRECT,
  'import-malformed': CORRECT,
  'not-initialised': 'init_coordination with the goal',
  'already-initialised': 'get_status',
  'board-moved': TELL_USER,
  'tasks-malformed': `${TELL_USER} to run: coord doctor`,
  'version-unsupported': `${TELL_USER} to update claude-coord`,
  'task-not-found': 'get_status {"view": "tasks"} lists the ids',
  'dependency-unknown': 'get_status {"view": "tasks"} lists the ids',
  'dependency-cycle': 'create_task again without the circle',
  'key-taken': 'create_task with another key',
  'reader-unknown': 'get_status {"view": "workers"} lists them',
  'inbox-full': 'wait until it has read some of them',
  'task-state': 'get_task shows how it stands',
  'not-claimable': 'claim_task without task_id takes the next one',
  'worker-busy': 'complete_task, fail_task or release_task first',
  'claim-lost': 'claim_task',
  unchecked: TELL_USER,
  'check-failed': 'mend it, then complete_task again; the task is still yours',
  'not-committed': 'commit in your worktree, then complete_task again; no_changes where there was nothing to change',
  'git-failed': TELL_USER,
  'check-broken': `${TELL_USER}: the check itself must be mended; the task is still yours`,
  'check-not-allowed': `${TELL_USER} to allow it: coord trust check`,
  'outcome-unknown': 'get_status, and repeat the call if it was not made',
  'store-unavailable': TELL_USER,
  'board-unsafe': TELL_USER,
  'not-allowed': TELL_USER,
  'settings-malformed': TELL_USER,
  'command-failed': TELL_USER,
  'command-not-found': TELL_USER,
  'claude-not-found': TELL_USER,
  'claude-too-old': TELL_USER,
  'claude-not-authenticated': TELL_USER,
  'plan-invalid': TELL_USER,
  'already-running': TELL_USER,
  'timed-out': 'call again',
  interrupted: 'call again',
} satisfies Record<ErrorCode, string>;

/** `code: what happened. Next: which call to make`, as the result of a tool. */
export function refusal(thrown: unknown, news: Record<string, unknown> = {}): CallToolResult {
  const error = explainFailure(thrown);
  const riding = Object.keys(news).length > 0 ? `\n${JSON.stringify(news)}` : '';
  return { content: [{ type: 'text', text: `${refusalText(error)}${riding}` }], isError: true };
}

export function refusalText(error: unknown): string {
  if (!(error instanceof CoordError)) {
    const message = error instanceof Error ? error.message : String(error);
    return `bug: ${message}. Next: tell the user to report this, with coord --version`;
  }
  const near = error.details?.other_id;
  return `${error.code}: ${error.message.replace(/\.?$/, '.')}${error.code === 'task-not-found' && near !== undefined ? ` Did you mean ${near}?` : ''} Next: ${(error.details?.times ?? 0) >= 3 ? 'the same again and again: fail_task with what you tried' : NEXT[error.code]}`;
}
