/** Refusals as the page is told them: the status of HTTP, what happened, and what to do next. */
import { CoordError, type ErrorCode, type ErrorDetails } from '../../model/errors.ts';
import { visible } from '../../model/text.ts';
import { explainFailure } from '../../store/open.ts';
import type { Refusal } from './api.ts';

type Status = 400 | 403 | 404 | 409 | 500 | 503;
type Next = string | ((details: ErrorDetails) => string | undefined) | undefined;

const IN_TERMINAL = 'Look in a terminal: coord doctor';
const AGAIN = 'Look at the task again: it has changed meanwhile.';

const ANSWERS = {
  usage: [400, undefined],
  'invalid-input': [400, undefined],
  'import-malformed': [400, 'Correct the file, and drop it again.'],
  'not-initialised': [503, 'In a terminal: coord leader init "<goal>"'],
  'already-initialised': [409, undefined],
  'board-moved': [409, 'Start coord web where the board is now.'],
  'tasks-malformed': [503, IN_TERMINAL],
  'version-unsupported': [503, 'Update coord: npm install -g claude-coord'],
  'task-not-found': [404, ({ other_id }) => (other_id === undefined ? undefined : `Did you mean ${other_id}?`)],
  'dependency-unknown': [400, 'Name ids of tasks on this board.'],
  'dependency-cycle': [400, 'Leave out one of these dependencies.'],
  'key-taken': [409, 'Another task has that key: was the list changed, or is it another one?'],
  'reader-unknown': [404, 'Messages reach workers that have claimed something here.'],
  'inbox-full': [409, 'Wait until they have read some of it.'],
  'task-state': [409, ({ why }) => (why === 'held' ? 'Release it first, or wait until it is done.' : AGAIN)],
  'not-claimable': [409, AGAIN],
  'worker-busy': [409, AGAIN],
  'claim-lost': [409, AGAIN],
  unchecked: [409, 'Its checks must end well first: in a terminal, coord check'],
  'check-failed': [409, 'Send it back, and say what is to be mended.'],
  'check-broken': [409, 'The check itself must be mended: edit the task, or coord leader defaults.'],
  'check-not-allowed': [
    409,
    ({ command }) => `Allow it on this machine, in a terminal: coord trust check "${command ?? '<command>'}"`,
  ],
  'not-committed': [409, undefined],
  'git-failed': [500, undefined],
  'outcome-unknown': [503, 'Look whether it has happened before you repeat it.'],
  'store-unavailable': [503, IN_TERMINAL],
  'board-unsafe': [503, IN_TERMINAL],
  'not-allowed': [403, undefined],
  'settings-malformed': [500, undefined],
  'command-failed': [500, undefined],
  'command-not-found': [500, undefined],
  'claude-not-found': [500, undefined],
  'claude-too-old': [500, undefined],
  'claude-not-authenticated': [500, undefined],
  'plan-invalid': [500, undefined],
  'already-running': [409, undefined],
  'timed-out': [503, 'Try again.'],
  interrupted: [503, undefined],
} satisfies Record<ErrorCode, [Status, Next]>;

/** @returns `bug` where it is none of what coord refuses: then whoever serves should say more */
export function refusalOf(thrown: unknown): { status: Status; refusal: Refusal; bug: Error | undefined } {
  const error = explainFailure(thrown);
  if (!(error instanceof CoordError)) {
    const bug = error instanceof Error ? error : new Error(String(error));
    const message = `Something went wrong in coord itself: ${visible(bug.message)}`;
    return { status: 500, refusal: { error: { code: 'bug', message, hint: 'Its terminal says more.' } }, bug };
  }
  const { code, message, details = {} } = error;
  const [status, next]: [Status, Next] = ANSWERS[code];
  const hint = typeof next === 'function' ? next(details) : next;
  return {
    status,
    refusal: { error: { code, message: visible(message), ...(hint === undefined ? {} : { hint: visible(hint) }) } },
    bug: undefined,
  };
}
