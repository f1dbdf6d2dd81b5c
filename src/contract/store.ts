/** What every store promises, whatever keeps the board: the tests that each adapter passes. */
import { describe, expect, test } from 'vitest';
import { CoordError } from '../model/errors.ts';
import type { Store } from '../store/store.ts';
import { nextTask, untilAnswered, untilSettled, waitFor } from '../store/wait.ts';

/** Opens an empty board; `now` is the clock of the store. */
export type Open = (now?: () => string) => Promise<Store>;

export function storeContract(name: string, open: Open): void {
  const add = async (store: Store, ...descriptions: string[]): Promise<string[]> =>
    (await store.addTasks({ tasks: descriptions.map((description) => ({ description })) })).tasks.map(
      (task) => task.id,
    );
  const code = async (verb: Promise<unknown>): Promise<string> => {
    const error: unknown = await verb.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return error instanceof CoordError ? error.code : String(error);
  };

  describe(`${name} store`, () => {
    test('an empty board is empty, and says so to a claim', async () => {
      const store = await open();
      expect((await store.read()).tasks).toEqual([]);
      expect(await store.claim({ worker: 'w' })).toMatchObject({ task: null, reason: 'empty' });
    });

    test('the revision counts up with every change, and only with a change', async () => {
      const store = await open();
      const { revision } = await store.read();
      await add(store, 'a');
      await store.claim({ worker: 'w' });
      await store.claim({ worker: 'v' });
      expect((await store.read()).revision).toBe(revision + 2);
    });

    test('of many claims at once every task goes to exactly one worker', async () => {
      const store = await open();
      const ids = await add(store, 'a', 'b', 'c', 'd', 'e');
      const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => store.claim({ worker: `w${i}` })));
      const won = answers.map((answer) => answer.task?.id).filter((id) => id !== undefined);
      expect(won.toSorted()).toEqual(ids);
    });

    test('of many adds at once none is lost, and no id is given twice', async () => {
      const store = await open();
      await Promise.all(Array.from({ length: 20 }, (_, i) => add(store, `t${i}`)));
      const { tasks } = await store.read();
      expect(new Set(tasks.map((task) => task.id)).size).toBe(20);
      expect(new Set(tasks.map((task) => task.description)).size).toBe(20);
    });

    test('a refused batch changes nothing', async () => {
      const store = await open();
      const before = await store.read();
      expect(
        await code(store.addTasks({ tasks: [{ description: 'a' }, { description: 'b', dependencies: ['nope'] }] })),
      ).toBe('dependency-unknown');
      expect(await store.read()).toEqual(before);
    });

    test('claim, complete, and the result is there with its files', async () => {
      const store = await open();
      await store.addTasks({
        tasks: [
          { description: 'a', key: 'a' },
          { description: 'b', dependencies: ['a'] },
        ],
      });
      await store.claim({ worker: 'w' });
      const done = await store.complete({
        worker: 'w',
        task_id: 'task-001',
        output: 'line 1\n\n- Modified: not a header',
        files_modified: ['a, b.ts'],
        files_created: ['c.ts'],
      });
      expect(done).toMatchObject({ already: false, now_claimable: ['task-002'] });
      expect(await store.results()).toEqual([
        expect.objectContaining({
          task_id: 'task-001',
          worker: 'w',
          attempt: 1,
          output: 'line 1\n\n- Modified: not a header',
          files_modified: ['a, b.ts'],
          files_created: ['c.ts'],
        }),
      ]);
    });

    test('the same completion again is a success; another one is refused and its text kept', async () => {
      const store = await open();
      await add(store, 'a');
      await store.claim({ worker: 'w' });
      const input = { worker: 'w', task_id: 'task-001', output: 'first' };
      await store.complete(input);
      expect(await store.complete(input)).toMatchObject({ already: true });
      await expect(store.complete({ ...input, output: 'second' })).rejects.toMatchObject({
        code: 'claim-lost',
        details: { kept: { ref: 'refused', name: 'task-001.w.1' } },
      });
      expect((await store.results())[0]?.output).toBe('first');
    });

    test('of many landers at once exactly one begins, and what lands is done', async () => {
      const store = await open();
      await store.setDefaults({ worktrees: { branch: 'coord/main' } });
      await add(store, 'a');
      await store.claim({ worker: 'w' });
      const head = 'a'.repeat(40);
      const handed = await store.complete({ worker: 'w', task_id: 'task-001', output: 'o', proof: { head } });
      expect(handed.task).toMatchObject({ status: 'submitted', branch: 'coord/task-001.1' });
      const tokens = Array.from({ length: 8 }, (_, n) => `token-number-${n}`);
      const begun = await Promise.allSettled(
        tokens.map((token) => store.beginLanding({ by: 'l', task_id: 'task-001', token, head })),
      );
      expect(begun.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const token = tokens[begun.findIndex(({ status }) => status === 'fulfilled')] ?? '';
      await store.renewLanding({ task_id: 'task-001', token });
      const landed = { task_id: 'task-001', commit: 'b'.repeat(40), branch: 'coord/main' };
      await expect(store.land({ ...landed, token: 'another-token' })).rejects.toMatchObject({ code: 'task-state' });
      expect((await store.land({ ...landed, token })).task).toMatchObject({
        status: 'done',
        landed: { branch: 'coord/main' },
      });
    });

    test('fail gives back, fail for good ends, retry begins again', async () => {
      const store = await open();
      await add(store, 'a');
      await store.claim({ worker: 'w' });
      expect((await store.fail({ worker: 'w', task_id: 'task-001', error: 'no' })).task.status).toBe('available');
      await store.claim({ worker: 'w' });
      expect((await store.fail({ worker: 'w', task_id: 'task-001', error: 'no', retry: false })).task.status).toBe(
        'failed',
      );
      expect((await store.retryTasks({ task_ids: ['task-001'] })).tasks[0]).toMatchObject({
        status: 'available',
        attempt: 2,
      });
    });

    test('edit, release and cancel do what the pure functions say', async () => {
      const store = await open();
      await add(store, 'a', 'b');
      await store.editTask({ task_id: 'task-001', priority: 9 });
      await store.claim({ worker: 'w' });
      await store.takeBackTasks({ task_ids: ['task-002'] });
      await store.claim({ worker: 'w', task_id: 'task-001' });
      await store.release({ worker: 'w', task_id: 'task-001', reason: 'half' });
      await store.cancelTasks({ task_ids: ['task-002'] });
      expect((await store.read()).tasks).toMatchObject([
        { priority: 9, status: 'available', note: 'w: half' },
        { status: 'cancelled' },
      ]);
    });

    test('a lease that ran out is taken over, and the late worker is refused', async () => {
      let seconds = 0;
      const store = await open(() => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString());
      await add(store, 'a');
      await store.claim({ worker: 'slow', lease_seconds: 60 });
      seconds = 61;
      expect(await store.claim({ worker: 'next' })).toMatchObject({ taken_over_from: 'slow', task: { attempt: 2 } });
      expect(await code(store.complete({ worker: 'slow', task_id: 'task-001', output: 'late' }))).toBe('claim-lost');
    });

    test('discoveries come back as they were given, in their order', async () => {
      const store = await open();
      await add(store, 'a');
      const content = 'first\n## 2026-01-01T00:00:00.000Z fake (task-001) #x\n\\## kept';
      await store.addDiscovery({ worker: 'w', content, tags: ['a', 'b'], task_id: 'task-001' });
      const { discovery } = await store.addDiscovery({ worker: 'v', content: 'second' });
      const found = await store.discoveries();
      expect(found).toMatchObject([
        { worker: 'w', content, tags: ['a', 'b'], task_id: 'task-001' },
        { worker: 'v', content: 'second', tags: [], task_id: null },
      ]);
      expect(found[1]?.id).toBe(discovery.id);
    });

    test('many discoveries at once are all kept whole', async () => {
      const store = await open();
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.addDiscovery({ worker: `w${i}`, content: `found ${i}` })),
      );
      expect((await store.discoveries()).map((found) => found.content).toSorted()).toEqual(
        Array.from({ length: 20 }, (_, i) => `found ${i}`).toSorted(),
      );
    });

    test('the plan is replaced and extended', async () => {
      const store = await open();
      await store.writePlan({ text: 'one' });
      await store.writePlan({ text: 'two', append: true });
      expect((await store.readPlan()).split(/\n+/).filter(Boolean)).toEqual(['one', 'two']);
    });

    test('the log tells who did what', async () => {
      const store = await open();
      await add(store, 'a');
      await store.claim({ worker: 'w' });
      const entries = (await store.log()).filter((entry) => entry.event !== 'init');
      expect(entries).toMatchObject([
        { agent: 'leader', event: 'add', task_id: 'task-001' },
        { agent: 'w', event: 'claim', task_id: 'task-001' },
      ]);
    });

    test('a waiting worker gets the task that comes later; of several exactly one', async () => {
      const store = await open();
      await add(store, 'first');
      await store.claim({ worker: 'busy' });
      const waiting = ['a', 'b', 'c'].map((worker) => nextTask(store, { worker }));
      const [id] = await add(store, 'second');
      const winner = await Promise.race(waiting);
      expect(winner.task?.id).toBe(id);
      await store.complete({ worker: 'busy', task_id: 'task-001', output: '' });
      await store.complete({ worker: winner.task?.claimed_by ?? '', task_id: id ?? '', output: '' });
      const reasons = (await Promise.all(waiting)).map(
        (answer) => answer.task?.id ?? ('reason' in answer ? answer.reason : ''),
      );
      expect(reasons.toSorted()).toEqual(['drained', 'drained', id]);
    });

    test('a wait ends at its time-out and when it is interrupted', async () => {
      const store = await open();
      await add(store, 'a');
      await store.claim({ worker: 'busy' });
      expect(await code(nextTask(store, { worker: 'w' }, { timeoutMs: 50 }))).toBe('timed-out');
      const controller = new AbortController();
      const waiting = code(nextTask(store, { worker: 'w' }, { signal: controller.signal }));
      controller.abort();
      expect(await waiting).toBe('interrupted');
    });

    test('a waiter takes over at the very expiry of a lease', async () => {
      const store = await open();
      await add(store, 'a');
      await store.claim({ worker: 'dead', lease_seconds: 1 });
      const answer = await nextTask(store, { worker: 'w' });
      expect(answer).toMatchObject({ taken_over_from: 'dead' });
    });

    test('a question is asked, answered, and stays with its task; a parked one is claimed by nobody before', async () => {
      const store = await open();
      await add(store, 'a', 'b');
      await store.claim({ worker: 'w', task_id: 'task-001' });
      await store.ask({ worker: 'w', task_id: 'task-001', question: 'q1?' });
      const parked = await store.ask({ worker: 'w', task_id: 'task-001', question: 'q2?', park: true });
      expect(parked).toMatchObject({ n: 2, task: { status: 'available', attempt: 1, max_attempts: 4 } });
      expect((await store.claim({ worker: 'v' })).task?.id).toBe('task-002');
      expect(await store.claim({ worker: 'u' })).toMatchObject({ task: null });
      expect(await code(store.claim({ worker: 'u', task_id: 'task-001' }))).toBe('not-claimable');
      await store.answer({ by: 'leader', task_id: 'task-001', answer: 'a1' });
      const answered = await store.answer({ by: 'leader', task_id: 'task-001', answer: 'a2' });
      expect(answered).toMatchObject({ n: 2, open: 0 });
      expect(await code(store.answer({ by: 'leader', task_id: 'task-001', answer: 'a3' }))).toBe('task-state');
      const { task } = await store.claim({ worker: 'w' });
      expect(task?.questions?.map(({ text, answer }) => [text, answer?.text])).toEqual([
        ['q1?', 'a1'],
        ['q2?', 'a2'],
      ]);
    });

    test('of many answers at once one holds', async () => {
      const store = await open();
      await add(store, 'a');
      await store.claim({ worker: 'w' });
      await store.ask({ worker: 'w', task_id: 'task-001', question: 'q?' });
      const codes = await Promise.all(
        Array.from({ length: 8 }, (_, i) => code(store.answer({ by: `v${i}`, task_id: 'task-001', answer: `a${i}` }))),
      );
      expect(codes.filter((one) => one === 'undefined')).toHaveLength(1);
      expect(codes.filter((one) => one === 'task-state')).toHaveLength(7);
    });

    test('whoever waits for an answer has it, and a default where nobody answers', async () => {
      const store = await open();
      await add(store, 'a');
      await store.claim({ worker: 'w' });
      const { n } = await store.ask({ worker: 'w', task_id: 'task-001', question: 'q?' });
      const waiting = untilAnswered(store, { worker: 'w', taskId: 'task-001', n });
      await store.answer({ by: 'leader', task_id: 'task-001', answer: 'a' });
      expect(await waiting).toMatchObject({ text: 'a', by: 'leader' });
      const other = await store.ask({
        worker: 'w',
        task_id: 'task-001',
        question: 'r?',
        default: 'd',
        after_seconds: 1,
      });
      expect(await untilAnswered(store, { worker: 'w', taskId: 'task-001', n: other.n })).toMatchObject({
        text: 'd',
        by: null,
      });
    });

    test('messages come in order, to whom they were sent, until they were seen; unknown readers and full ones are refused', async () => {
      const store = await open();
      for (const worker of ['a', 'b']) await store.addDiscovery({ worker, content: 'hello' });
      expect(await store.newestMessage()).toBe(0);
      const texts = async (reader: string, all = false) =>
        (await store.inbox({ reader, all })).messages.map(({ text }) => text);
      await store.tell({ from: 'leader', to: 'a', text: 'one' });
      await store.tell({ from: 'leader', to: 'all', text: 'two' });
      const { message } = await store.tell({ from: 'a', to: 'leader', text: 'three' });
      expect([await texts('a'), await texts('leader')]).toEqual([['one', 'two'], ['three']]);
      expect(await store.newestMessage()).toBe(message.id);
      await store.acknowledge({ reader: 'a', up_to: 1 });
      await store.acknowledge({ reader: 'a', up_to: 0 });
      expect(await texts('a')).toHaveLength(1);
      expect(await texts('a', true)).toHaveLength(2);
      expect(await code(store.tell({ from: 'leader', to: 'nobody', text: 'x' }))).toBe('reader-unknown');
      for (const text of ['', 'x'.repeat(2001)])
        expect(await code(store.tell({ from: 'leader', to: 'a', text }))).toBe('invalid-input');
      await Promise.all(Array.from({ length: 48 }, (_, i) => store.tell({ from: `s${i % 4}`, to: 'b', text: `${i}` })));
      const ids = (await store.inbox({ reader: 'b' })).messages.map(({ id }) => id);
      expect([ids.length, new Set(ids).size, ids.toSorted((x, y) => x - y)]).toEqual([49, 49, ids]);
      await store.tell({ from: 'leader', to: 'b', text: 'the fiftieth' });
      expect(await code(store.tell({ from: 'leader', to: 'b', text: 'x' }))).toBe('inbox-full');
      expect((await store.tell({ from: 'leader', to: 'all', text: 'x' })).full).toEqual(['b']);
    });

    test('a message wakes who waits', async () => {
      const store = await open();
      await store.addDiscovery({ worker: 'a', content: 'hello' });
      const waiting = waitFor(store, async () =>
        (await store.inbox({ reader: 'a' })).messages.length > 0 ? { answer: true } : { wakeAt: null },
      );
      await store.tell({ from: 'leader', to: 'a', text: 'x' });
      expect(await waiting).toBe(true);
    });

    test('the leader wakes when somebody asks', async () => {
      const store = await open();
      await add(store, 'a');
      await store.claim({ worker: 'w' });
      const settled = untilSettled(store);
      await store.ask({ worker: 'w', task_id: 'task-001', question: 'q?' });
      expect((await settled).tasks[0]?.status).toBe('claimed');
    });

    test('the leader wakes when everything is settled', async () => {
      const store = await open();
      await add(store, 'a');
      const settled = untilSettled(store);
      await store.claim({ worker: 'w' });
      await store.complete({ worker: 'w', task_id: 'task-001', output: '' });
      expect((await settled).tasks[0]?.status).toBe('done');
    });
  });
}
