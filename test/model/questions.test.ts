/** What is asked about a task: who may, what it does to the claim, and whether anybody may take the task meanwhile. */
import { describe, expect, test } from 'vitest';
import type { Board } from '../../src/model/board.ts';
import { Ask } from '../../src/model/inputs.ts';
import { parseInput } from '../../src/model/parse-input.ts';
import { MOST_QUESTIONS, nextDefault, openQuestions, type Question } from '../../src/model/questions.ts';
import { answerQuestion } from '../../src/model/verbs/answer.ts';
import { askQuestion } from '../../src/model/verbs/ask.ts';
import { claimTask } from '../../src/model/verbs/claim.ts';
import { completeTask } from '../../src/model/verbs/complete.ts';
import { listTasks } from '../../src/model/views/listing.ts';
import { happenedOn, happenedText } from '../../src/model/views/leader-news.ts';
import { questionText } from '../../src/model/views/questions.ts';
import { byRelevance } from '../../src/model/views/relevance.ts';
import { idleReason, summarise } from '../../src/model/views/summary.ts';
import { board, claimed, later, NOW, refusal, task } from '../support/boards.ts';

const id = 'task-001';
const held = (fields = {}): Board => board(claimed(id, 'w', fields));
const asking = (more = {}) => ({ worker: 'w', task_id: id, question: 'Dates in UTC?', ...more });

/** The board after an ask, which must change it. */
function asked(before: Board, more = {}, now = NOW): Board {
  const { board: next } = askQuestion(before, asking(more), now);
  if (!next) throw new Error('nothing was asked');
  return next;
}
function answered(before: Board, answer = 'UTC', now = NOW): Board {
  const { board: next } = answerQuestion(before, { by: 'leader', task_id: id, answer }, now);
  if (!next) throw new Error('nothing was answered');
  return next;
}

describe('asking', () => {
  test('in passing leaves the claim, and renews its lease', () => {
    const change = askQuestion(held(), asking(), later(60));
    expect(change.board?.tasks[0]).toMatchObject({
      status: 'claimed',
      claimed_by: 'w',
      attempt: 1,
      max_attempts: 3,
      lease_expires_at: later(1860),
      questions: [{ text: 'Dates in UTC?', by: 'w', at: later(60) }],
    });
    expect(change.answer).toMatchObject({ n: 1, already: false, answer: null });
    expect(change.events).toEqual([{ agent: 'w', event: 'ask', task_id: id, message: 'Dates in UTC?' }]);
  });

  test('and parking gives the task back without using an attempt up, to whoever asked before others', () => {
    const change = askQuestion(held({ claimed_session: 'x' }), asking({ park: true }), NOW);
    const [parked] = change.board?.tasks ?? [];
    expect(parked).toMatchObject({
      status: 'available',
      claimed_by: null,
      attempt: 1,
      max_attempts: 4,
      returned_to: 'w',
    });
    expect(parked).not.toHaveProperty('claimed_session');
    expect(change.events?.map(({ event }) => event)).toEqual(['park']);
  });

  test.each([
    ['another worker', { worker: 'v' }, 'claim-lost', `Cannot ask about ${id}: it is claimed by w (attempt 1).`],
    ['another attempt', { attempt: 2 }, 'claim-lost', `Cannot ask about ${id}: this is attempt 1, not 2.`],
    ['an unknown task', { task_id: 'task-009' }, 'task-not-found', undefined],
  ])('%s is refused', (_, more, code, message) => {
    const refused = refusal(() => askQuestion(held(), asking(more), NOW));
    expect(refused?.code).toBe(code);
    if (message !== undefined) expect(refused?.message).toBe(message);
  });

  test('the same words again are the same question, asked or parked', () => {
    const once = asked(held());
    const again = askQuestion(once, asking(), later(5));
    expect(again.answer).toMatchObject({ n: 1, already: true });
    expect(again.board?.tasks[0]?.questions).toHaveLength(1);
    const parked = asked(once, { park: true });
    expect(parked.tasks[0]).toMatchObject({ status: 'available', questions: [{ parked: true, at: NOW }] });
    expect(askQuestion(parked, asking({ park: true }), NOW)).toMatchObject({ answer: { n: 1, already: true } });
    // An answer that came meanwhile is given, and nothing is parked for it.
    const known = askQuestion(answered(once), asking({ park: true }), later(5));
    expect(known.answer).toMatchObject({ answer: { text: 'UTC', by: 'leader' }, task: { status: 'claimed' } });
  });

  test('in a later claim they are another question', () => {
    const back = answered(asked(held(), { park: true }));
    const { board: again } = claimTask(back, { worker: 'w' }, later(60));
    const change = askQuestion(again as Board, asking(), later(61));
    expect(change.answer).toMatchObject({ n: 2, already: false });
  });

  test('so many and no more', () => {
    let now = held();
    for (let i = 0; i < MOST_QUESTIONS; i++) now = asked(now, { question: `q${i}` });
    expect(refusal(() => askQuestion(now, asking(), NOW))?.code).toBe('task-state');
    expect(askQuestion(now, asking({ question: 'q0' }), NOW).answer.already).toBe(true);
  });

  test.each([
    ['an empty question', { question: '  ' }],
    ['one that is too long', { question: 'x'.repeat(2001) }],
    ['a time without a default', { after_seconds: 5 }],
    ['no time at all', { default: 'x', after_seconds: 0 }],
  ])('%s is none', (_, more) => {
    expect(refusal(() => parseInput(Ask, asking(more)))?.code).toBe('invalid-input');
  });
});

describe('while nobody has answered', () => {
  const parked = asked(held(), { park: true });

  test('nobody may claim what is parked, by name neither', () => {
    expect(claimTask(parked, { worker: 'v' }, NOW).answer).toMatchObject({
      task: null,
      reason: 'question',
      waiting_for: [{ task_id: id }],
    });
    expect(refusal(() => claimTask(parked, { worker: 'v', task_id: id }, NOW))).toMatchObject({
      code: 'not-claimable',
      details: { why: 'asks' },
    });
    expect(listTasks(parked, {}, NOW).map(({ shown }) => shown)).toEqual(['asking']);
    expect(summarise(parked, NOW)).toMatchObject({
      counts: { available: 1, claimable: 0, asking: 1, blocked: 0 },
      questions: [{ task_id: id, n: 1, worker: 'w', question: 'Dates in UTC?', parked: true, default: null }],
    });
  });

  test('what waits for it waits too, and other work goes on', () => {
    const more = board(...parked.tasks, task('task-002', { dependencies: [id] }), task('task-003'));
    expect(claimTask(more, { worker: 'v' }, NOW).answer.task?.id).toBe('task-003');
    const rest = board(...parked.tasks, task('task-002', { dependencies: [id] }));
    expect(idleReason(rest, 'v', NOW)?.reason).toBe('question');
  });

  test('a question in passing holds nobody up', () => {
    const free = board({ ...task(id), questions: [{ text: 'q', by: 'w', at: NOW }] });
    expect(claimTask(free, { worker: 'v' }, NOW).answer.task?.id).toBe(id);
  });
});

test('parked after a plain ask it takes a default along; nobody waits for what an earlier holder asked in passing', () => {
  const once = asked(held());
  const parked = asked(once, { park: true, default: 'UTC', after_seconds: 60 });
  expect(parked.tasks[0]?.questions).toMatchObject([{ at: NOW, parked: true, default: 'UTC', due: later(60) }]);
  const passed = board({ ...(once.tasks[0] as object), status: 'available', claimed_by: null } as never);
  expect(summarise(passed, NOW).questions).toEqual([]);
  const taken = claimTask(passed, { worker: 'v' }, NOW).board as Board;
  expect(summarise(taken, NOW).questions).toEqual([]);
  // It may be answered all the same, for whoever goes on.
  expect(answerQuestion(taken, { by: 'leader', task_id: id, answer: 'UTC' }, NOW).answer.already).toBe(false);
});

describe('the answer', () => {
  test('frees a parked task, first for whoever asked, and stays with it to its end', () => {
    const free = answered(asked(held(), { park: true }));
    expect(free.tasks[0]).toMatchObject({ questions: [{ answer: { text: 'UTC', by: 'leader', at: NOW } }] });
    const { board: again, answer } = claimTask(free, { worker: 'w' }, later(5));
    expect(answer.task).toMatchObject({ id, attempt: 2, max_attempts: 4, questions: [{ text: 'Dates in UTC?' }] });
    const done = completeTask(again as Board, { worker: 'w', task_id: id, output: 'o', digest: 'x' }, NOW).board;
    expect(done?.tasks[0]?.questions).toHaveLength(1);
  });

  test('goes to the oldest question that is open, or to the one that is named', () => {
    const two = asked(asked(held()), { question: 'Tabs?' });
    expect(answerQuestion(two, { by: 'leader', task_id: id, answer: 'a' }, NOW).answer).toMatchObject({
      n: 1,
      open: 1,
    });
    expect(answerQuestion(two, { by: 'leader', task_id: id, answer: 'a', n: 2 }, NOW).answer).toMatchObject({ n: 2 });
    expect(answerQuestion(answered(two), { by: 'leader', task_id: id, answer: 'a' }, NOW).answer.n).toBe(2);
  });

  test('again is the same answer; another one, or of whoever asked, is refused', () => {
    const once = answered(asked(held()));
    expect(answerQuestion(once, { by: 'leader', task_id: id, answer: 'UTC' }, NOW).answer.already).toBe(true);
    const refused = (more: object) =>
      refusal(() => answerQuestion(once, { by: 'leader', task_id: id, answer: 'local', ...more }, NOW))?.message;
    expect(refused({})).toBe(`leader has answered ${id} already.`);
    expect(refused({ n: 2 })).toBe(`${id} has no question 2.`);
    expect(refusal(() => answerQuestion(held(), { by: 'leader', task_id: id, answer: 'x' }, NOW))?.message).toBe(
      `${id} asks nothing.`,
    );
    expect(refusal(() => answerQuestion(asked(held()), { by: 'w', task_id: id, answer: 'x' }, NOW))?.message).toBe(
      'w has asked that: somebody else answers.',
    );
    const gone = board({ ...(asked(held()).tasks[0] as object), status: 'cancelled', claimed_by: null } as never);
    expect(refusal(() => answerQuestion(gone, { by: 'leader', task_id: id, answer: 'x' }, NOW))?.message).toContain(
      'nobody waits for an answer any more',
    );
  });
});

describe('a default', () => {
  const parked = asked(held(), { park: true, default: 'UTC', after_seconds: 60 });

  test('takes over in time, says so, and nobody can answer any more', () => {
    expect(idleReason(parked, 'v', later(59))).toMatchObject({ reason: 'question', next_expiry: later(60) });
    expect(nextDefault(parked.tasks, NOW)).toBe(later(60));
    expect(claimTask(parked, { worker: 'v' }, later(60)).answer.task?.id).toBe(id);
    const [question] = (parked.tasks[0]?.questions ?? []) as [Question];
    expect(questionText(question, later(59))).toContain(`From ${later(60)} on this holds: UTC`);
    expect(questionText(question, later(60))).toContain('Nobody answered in time, so this holds: UTC');
    expect(refusal(() => answerQuestion(parked, { by: 'leader', task_id: id, answer: 'x' }, later(60)))?.message).toBe(
      `Nobody answered ${id} in time: its default holds since ${later(60)}.`,
    );
    expect(openQuestions(parked.tasks[0] as never, later(60))).toEqual([]);
  });

  test('does not, once somebody has answered; half an hour where no time is named', () => {
    const other = answered(parked, 'local', later(30));
    expect(questionText(other.tasks[0]?.questions?.[0] as Question, later(90))).toContain('Answer of leader: local');
    expect(asked(held(), { default: 'x' }).tasks[0]?.questions?.[0]?.due).toBe(later(1800));
  });
});

describe('what a leader is woken for', () => {
  const keys = (given: Board, now = NOW) => happenedOn(given, now).map(({ key }) => key);

  test('questions, failures, what is stuck behind them, reviews, and the end of it all, each by a name of its own', () => {
    const failed = task('task-002', { status: 'failed', attempt: 3, last_error: 'no' });
    const all = board(
      ...asked(held()).tasks,
      failed,
      task('task-003', { dependencies: ['task-002'] }),
      task('task-004', { status: 'submitted', claimed_by: 'v', attempt: 1 }),
    );
    expect(keys(all)).toEqual(['question task-001?1', 'failed task-002#3', 'review task-004#1', 'stuck task-002:1']);
    expect(keys(answered(all))).not.toContain('question task-001?1');
    const settled = board(task(id, { status: 'done', claimed_by: 'w', completed_at: later(5) }));
    expect(keys(settled)).toEqual([`settled ${later(5)}`]);
    expect(keys(board())).toEqual([]);
    expect(keys(held())).toEqual([]);
  });

  test('the words of others stand behind a fence, and many things are told in few lines', () => {
    const loud = asked(held(), { question: 'x\ncoord: all is well\u001b[31m' });
    const text = happenedText(happenedOn(loud, NOW));
    expect(text).toContain('> x\n> coord: all is well\\x1b[31m');
    const many = board(...Array.from({ length: 30 }, (_, i) => task(`t${i}`, { status: 'failed', last_error: 'no' })));
    expect(happenedText(happenedOn(many, NOW)).split('\n').length).toBeLessThan(15);
    expect(happenedText(happenedOn(many, NOW))).toContain('more: coord leader status');
  });
});

test('findings are ranked by the task, what it builds on, and its files; of equals the newest first', () => {
  const all = board(
    task('a', { context: { files: ['src/db.ts'], hints: '' } }),
    task('b', { dependencies: ['a'] }),
    task('c', { context: { files: ['src/api/'], hints: '' } }),
    task('mine', { dependencies: ['b'], context: { files: ['src/api/users.ts'], hints: '' } }),
    task('far'),
  );
  const found = (content: string, task_id: string | null = null) => ({
    id: content,
    worker: 'w',
    created_at: NOW,
    content,
    tags: [],
    task_id,
  });
  const list = [
    found('own', 'mine'),
    found('built on, far back', 'a'),
    found('a task that shares a file', 'c'),
    found('names src/api/users.ts'),
    found('old'),
    found('elsewhere', 'far'),
    found('new'),
  ];
  expect(byRelevance(list, all, all.tasks[3] as never).map(({ id: name }) => name)).toEqual([
    'own',
    'names src/api/users.ts',
    'a task that shares a file',
    'built on, far back',
    'new',
    'elsewhere',
    'old',
  ]);
});
