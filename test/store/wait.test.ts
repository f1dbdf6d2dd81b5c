/** The loops over a store: what wakes them, what ends them, and that nothing is missed while they sleep. */
import { getEventListeners } from 'node:events';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Board } from '../../src/model/board.ts';
import { CoordError, type ErrorCode } from '../../src/model/errors.ts';
import type { NotClaimed } from '../../src/model/views/idle.ts';
import { openMemoryStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { keepLease, nextTask, untilSettled, waitFor } from '../../src/store/wait.ts';
import { later, NOW } from '../support/boards.ts';
import { holdTime, pass } from '../support/time.ts';

/** A store some of whose parts are the test's. */
function withParts(store: Store, parts: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, key): unknown {
      if (Reflect.has(parts, key)) return Reflect.get(parts, key);
      const part: unknown = Reflect.get(target, key, target);
      return typeof part === 'function' ? part.bind(target) : part;
    },
  });
}

/** A board in memory while time is held. */
function quietStore(): Store {
  holdTime(NOW);
  return openMemoryStore('test');
}

const add = (store: Store, ...tasks: { dependencies?: string[]; max_attempts?: number }[]): Promise<unknown> =>
  store.addTasks({ tasks: tasks.map((one, i) => ({ description: `t${i}`, ...one })) });

/** How something ended, or that it has not. */
function outcomeOf<T>(promise: Promise<T>): { answer?: T; error?: unknown } {
  const outcome: { answer?: T; error?: unknown } = {};
  promise.then(
    (answer) => (outcome.answer = answer),
    (error: unknown) => (outcome.error = error),
  );
  return outcome;
}

/** Looks that find nothing until something is set from outside; and when they were made, since {@link NOW}. */
class Looks {
  found: string | undefined;
  wakeAt: string | null = null;
  readonly times: number[] = [];
  /** Instead of finding nothing. */
  fail: (() => never) | undefined;

  readonly look = async (): Promise<{ answer: string } | { wakeAt: string | null }> => {
    this.times.push(Date.now() - Date.parse(NOW));
    if (this.found !== undefined) return { answer: this.found };
    this.fail?.();
    return { wakeAt: this.wakeAt };
  };
}

const refuse = (code: ErrorCode) => (): never => {
  throw new CoordError(code, 'not now');
};

/** What `Math.random` draws from here on. */
function drawing(number: number): void {
  const draw = vi.spyOn(Math, 'random').mockReturnValue(number);
  onTestFinished(() => draw.mockRestore());
}

describe('a wait', () => {
  test('that finds its answer at once watches nothing', async () => {
    const store = withParts(openMemoryStore(), {
      changes: () => {
        throw new Error('watched');
      },
    });
    expect(await waitFor(store, async () => ({ answer: 5 }))).toBe(5);
  });

  test('whose first look fails ends with that error, and is not patient', async () => {
    const looks = new Looks();
    looks.fail = refuse('not-initialised');
    await expect(waitFor(openMemoryStore(), looks.look)).rejects.toMatchObject({ code: 'not-initialised' });
    expect(looks.times).toHaveLength(1);
  });

  test('looks a second time once the watcher stands, so that nothing falls between', async () => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look));
    looks.found = 'meanwhile';
    await pass(0);
    expect(outcome).toEqual({ answer: 'meanwhile' });
    expect(looks.times).toEqual([0, 0]);
  });

  test('looks in vain until the watcher stands are not made', async () => {
    const store = quietStore();
    const looks = new Looks();
    let stand = (): void => {};
    const slow = withParts(store, {
      async *changes() {
        await new Promise<void>((resolve) => (stand = resolve));
        yield;
      },
    });
    const outcome = outcomeOf(waitFor(slow, looks.look));
    await pass(20_000);
    expect(looks.times).toEqual([0]);
    looks.found = 'late';
    stand();
    await pass(0);
    expect(outcome).toEqual({ answer: 'late' });
  });

  test('does not miss a change that comes between the look and the sleep', async () => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(
      waitFor(store, async () => {
        const seen = await looks.look();
        if (looks.times.length === 2) {
          await add(store, {}); // after what this look has seen
          looks.found = 'found';
        }
        return seen;
      }),
    );
    await pass(10);
    expect(outcome).toEqual({ answer: 'found' });
  });

  test('wakes with each change, and spreads its looks further each time', async () => {
    const store = quietStore();
    drawing(0.999_999);
    const looks = new Looks();
    outcomeOf(waitFor(store, looks.look, { timeoutMs: 4000 }));
    await pass(100);
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      const before = Date.now() - Date.parse(NOW);
      await add(store, {});
      await pass(200);
      waits.push((looks.times.at(-1) ?? 0) - before);
    }
    expect(looks.times).toHaveLength(2 + 6);
    expect(waits).toEqual([8, 16, 32, 64, 64, 64].map((most) => most - 1));
  });

  test('that draws the first place looks at once', async () => {
    const store = quietStore();
    drawing(0);
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look));
    await pass(100);
    looks.found = 'first';
    await add(store, {});
    await pass(1);
    expect(outcome).toEqual({ answer: 'first' });
  });

  test('notices on the safety tick what no watcher reported', async () => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look));
    await pass(4999);
    expect(looks.times).toEqual([0, 0]);
    await pass(1);
    expect(looks.times).toEqual([0, 0, 5000]);
    looks.found = 'silent';
    await pass(5000);
    expect(outcome).toEqual({ answer: 'silent' });
    expect(looks.times).toEqual([0, 0, 5000, 10_000]);
  });

  test.each([
    ['in two seconds', 2, 2001],
    ['in an hour, but no later than the tick', 3600, 5000],
    ['at this moment', 0, 1],
    ['long ago', -60, 1],
  ])('looks again when it is due by the clock of the store: %s', async (_, seconds, due) => {
    holdTime(NOW);
    const hourAhead = (): string => new Date(Date.now() + 3_600_000).toISOString();
    const looks = new Looks();
    looks.wakeAt = later(3600 + seconds);
    const outcome = outcomeOf(waitFor(openMemoryStore('test', hourAhead), looks.look));
    await pass(due - 1);
    expect(looks.times).toEqual([0, 0]);
    looks.found = 'due';
    await pass(1);
    expect(looks.times).toEqual([0, 0, due]);
    expect(outcome).toEqual({ answer: 'due' });
  });

  test('ends at its time-out, not before, and says how long it was', async () => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look, { timeoutMs: 7500 }));
    await pass(7499);
    expect(outcome).toEqual({});
    await pass(1);
    expect(outcome.error).toMatchObject({ code: 'timed-out', message: 'Nothing happened within 7.5 s.' });
    expect(looks.times).toEqual([0, 0, 5000, 7500]);
  });

  test('looks a last time before it says that nothing happened', async () => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look, { timeoutMs: 1000 }));
    await pass(999);
    looks.found = 'just in time';
    await pass(1);
    expect(outcome).toEqual({ answer: 'just in time' });
  });

  test('without any time looks all the same', async () => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look, { timeoutMs: 0 }));
    await pass(0);
    expect(outcome.error).toMatchObject({ code: 'timed-out', message: 'Nothing happened within 0 s.' });
    expect(looks.times).toHaveLength(2);
  });

  test('without a time-out has none', async () => {
    const store = quietStore();
    const controller = new AbortController();
    const outcome = outcomeOf(waitFor(store, new Looks().look, { signal: controller.signal }));
    await pass(3_600_000);
    expect(outcome).toEqual({});
    controller.abort();
    await pass(0);
    expect(outcome.error).toMatchObject({ code: 'interrupted' });
  });

  test('ends with its signal in the middle of its sleep', async () => {
    const store = quietStore();
    const controller = new AbortController();
    const outcome = outcomeOf(waitFor(store, new Looks().look, { signal: controller.signal, timeoutMs: 60_000 }));
    await pass(1234);
    expect(outcome).toEqual({});
    controller.abort();
    await pass(0);
    expect(outcome.error).toMatchObject({ code: 'interrupted', message: 'Interrupted while waiting.' });
  });

  test('ends at once where the signal came before it', async () => {
    const store = quietStore();
    const outcome = outcomeOf(waitFor(store, new Looks().look, { signal: AbortSignal.abort() }));
    await pass(0);
    expect(outcome.error).toMatchObject({ code: 'interrupted' });
  });

  test('ends at once where the signal came before it and the watcher does not stand yet', async () => {
    const store = quietStore();
    const slow = withParts(store, {
      async *changes(signal) {
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        yield;
      },
    });
    const outcome = outcomeOf(waitFor(slow, new Looks().look, { signal: AbortSignal.abort() }));
    await pass(0);
    expect(outcome.error).toMatchObject({ code: 'interrupted' });
  });

  test('leaves no timer, no watcher and no listener behind', async () => {
    const store = quietStore();
    const controller = new AbortController();
    let watched: AbortSignal | undefined;
    let isReturned = false;
    const spied = withParts(store, {
      async *changes(signal) {
        watched = signal;
        try {
          yield* store.changes(signal);
        } finally {
          isReturned = true;
        }
      },
    });
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(spied, looks.look, { signal: controller.signal }));
    await pass(60_000);
    for (let i = 0; i < 5; i++) {
      await add(store, {});
      await pass(100);
    }
    expect(looks.times.length).toBeGreaterThan(16);
    if (!watched) throw new Error('nothing was watched');
    expect(getEventListeners(watched, 'abort').length).toBeLessThan(4);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(1);
    looks.found = 'end';
    await add(store, {});
    await pass(100);
    expect(outcome).toEqual({ answer: 'end' });
    expect(isReturned).toBe(true);
    expect(watched.aborted).toBe(true);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('ends with the error of a watcher that fails while it waits', async () => {
    const store = quietStore();
    const failing = withParts(store, {
      async *changes() {
        yield;
        throw new Error('no watcher');
      },
    });
    const outcome = outcomeOf(waitFor(failing, new Looks().look));
    await pass(0);
    expect(String(outcome.error)).toBe('Error: no watcher');
  });

  test('is not troubled by a watcher that fails while it ends, or that cannot be told to end', async () => {
    const store = quietStore();
    const failures: unknown[] = [];
    const note = (reason: unknown): void => void failures.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    let isFirst = true;
    const next = (signal: AbortSignal): Promise<IteratorResult<void>> => {
      if (isFirst) {
        isFirst = false;
        return Promise.resolve({ done: false, value: undefined });
      }
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
    };
    const failing = withParts(store, {
      changes: (signal) => ({ [Symbol.asyncIterator]: () => ({ next: () => next(signal) }) }),
    });
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(failing, looks.look));
    await pass(0);
    looks.found = 'fine';
    await pass(5000);
    await new Promise((resolve) => setImmediate(resolve)); // Node tells of a rejection after the microtasks
    expect(outcome).toEqual({ answer: 'fine' });
    expect(failures).toEqual([]);
  });
});

describe('a board that is away', () => {
  test.each<ErrorCode>(['not-initialised', 'store-unavailable'])('is waited for, twice a second: %s', async (code) => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look));
    await pass(0);
    looks.fail = refuse(code);
    await pass(5000);
    await pass(1400);
    expect(looks.times).toEqual([0, 0, 5000, 5500, 6000]);
    looks.found = 'back';
    await pass(100);
    expect(outcome).toEqual({ answer: 'back' });
  });

  test('may come back and go again, each time for a minute', async () => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look));
    for (let i = 0; i < 3; i++) {
      looks.fail = undefined;
      await pass(5500);
      looks.fail = refuse('not-initialised');
      await pass(50_000);
      expect(outcome).toEqual({});
    }
    looks.found = 'back';
    await pass(500);
    expect(outcome).toEqual({ answer: 'back' });
  });

  test('for more than a minute is away for good', async () => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look));
    await pass(0);
    looks.fail = refuse('not-initialised');
    await pass(5000 + 60_000);
    expect(outcome).toEqual({});
    await pass(500);
    expect(outcome.error).toMatchObject({ code: 'not-initialised' });
  });

  test('is waited for no longer than the time-out', async () => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look, { timeoutMs: 6000 }));
    await pass(0);
    looks.fail = refuse('store-unavailable');
    await pass(5999);
    expect(outcome).toEqual({});
    await pass(1);
    expect(outcome.error).toMatchObject({ code: 'store-unavailable' });
  });

  test('is not waited for once the signal came', async () => {
    const store = quietStore();
    const controller = new AbortController();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look, { signal: controller.signal }));
    await pass(0);
    looks.fail = refuse('store-unavailable');
    await pass(5600);
    expect(outcome).toEqual({});
    controller.abort();
    await pass(0);
    expect(outcome.error).toMatchObject({ code: 'store-unavailable' });
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ['another refusal', refuse('tasks-malformed'), 'CoordError: not now'],
    [
      'an error that is no refusal',
      (): never => {
        throw Object.assign(new Error('odd'), { code: 'not-initialised' });
      },
      'Error: odd',
    ],
  ])('is something else than %s, which ends the wait', async (_, fail, said) => {
    const store = quietStore();
    const looks = new Looks();
    const outcome = outcomeOf(waitFor(store, looks.look));
    await pass(0);
    looks.fail = fail;
    await pass(5000);
    expect(String(outcome.error)).toBe(said);
    expect(looks.times).toEqual([0, 0, 5000]);
  });
});

describe('the next task', () => {
  test('is claimed at once where there is one', async () => {
    const store = quietStore();
    await add(store, {}, {});
    expect(await nextTask(store, { worker: 'w', lease_seconds: 90 })).toMatchObject({
      task: { id: 'task-001', claimed_by: 'w', lease_expires_at: later(90) },
      already: false,
    });
  });

  test('is waited for on an empty board, and claimed when it comes', async () => {
    const store = quietStore();
    const told: NotClaimed[] = [];
    const outcome = outcomeOf(nextTask(store, { worker: 'w' }, { onIdle: (idle) => void told.push(idle) }));
    await pass(12_000);
    expect(outcome).toEqual({});
    expect(told).toMatchObject([{ reason: 'empty' }]);
    await add(store, {});
    await pass(64);
    expect(outcome.answer).toMatchObject({ task: { id: 'task-001' } });
  });

  test('comes no more once the board is drained', async () => {
    const store = quietStore();
    await add(store, {}, {});
    await store.cancelTasks({ task_ids: ['task-001'] });
    await store.claim({ worker: 'v' });
    const told: NotClaimed[] = [];
    const outcome = outcomeOf(nextTask(store, { worker: 'w' }, { onIdle: (idle) => void told.push(idle) }));
    await pass(100);
    expect(outcome).toEqual({});
    await store.complete({ worker: 'v', task_id: 'task-002', output: '' });
    await pass(100);
    expect(outcome.answer).toMatchObject({ task: null, reason: 'drained', open: 0 });
    expect(told.map((idle) => idle.reason)).toEqual(['blocked']);
  });

  test.each([undefined, false])('comes no more once the rest is stuck (stay: %s)', async (stay) => {
    const store = quietStore();
    await add(store, {}, {});
    await store.editTask({ task_id: 'task-002', dependencies: ['task-001'] });
    await store.cancelTasks({ task_ids: ['task-001'] });
    const onIdle = vi.fn<(idle: NotClaimed) => void>();
    expect(await nextTask(store, { worker: 'w' }, { stay, onIdle })).toMatchObject({
      task: null,
      reason: 'stuck',
      waiting_for: [{ task_id: 'task-001' }],
    });
    expect(onIdle).not.toHaveBeenCalled();
  });

  test('may be waited for even then, and each reason is told once', async () => {
    const store = quietStore();
    await add(store, {}, {});
    await store.editTask({ task_id: 'task-002', dependencies: ['task-001'] });
    await store.cancelTasks({ task_ids: ['task-001'] });
    const told: string[] = [];
    const outcome = outcomeOf(
      nextTask(
        store,
        { worker: 'w' },
        {
          stay: true,
          onIdle: (idle) => void told.push(`${idle.reason} ${idle.waiting_for.map((one) => one.task_id).join('+')}`),
        },
      ),
    );
    await pass(20_000);
    expect(told).toEqual(['stuck task-001']);
    await store.cancelTasks({ task_ids: ['task-002'] });
    await pass(20_000);
    expect(told).toEqual(['stuck task-001', 'drained ']);
    await store.addDiscovery({ worker: 'x', content: 'nothing that matters' });
    await store.addTasks({ tasks: [{ description: 'a', dependencies: ['task-002'] }] }).catch(() => {});
    await pass(20_000);
    expect(told).toEqual(['stuck task-001', 'drained ', 'stuck task-002']);
    expect(outcome).toEqual({});
    await add(store, {});
    await pass(100);
    expect(outcome.answer).toMatchObject({ task: { id: 'task-004' } });
  });

  test('is told as blocked again when it waits for others than before', async () => {
    const store = quietStore();
    await add(store, {}, {});
    await store.claim({ worker: 'a' });
    await store.claim({ worker: 'b' });
    const told: string[] = [];
    outcomeOf(
      nextTask(
        store,
        { worker: 'w' },
        {
          timeoutMs: 60_000,
          onIdle: (idle) => void told.push(idle.waiting_for.map((one) => `${one.task_id} ${one.worker}`).join()),
        },
      ),
    );
    await pass(6000);
    await store.renew({ worker: 'a' });
    await pass(6000);
    expect(told).toEqual(['task-001 a,task-002 b']);
    await store.complete({ worker: 'a', task_id: 'task-001', output: '' });
    await pass(6000);
    expect(told).toEqual(['task-001 a,task-002 b', 'task-002 b']);
    await add(store, {});
    await store.claim({ worker: 'c' });
    await store.complete({ worker: 'b', task_id: 'task-002', output: '' });
    await pass(6000);
    expect(told.slice(2)).toEqual(['task-003 c']);
    await pass(60_000);
  });

  test('is not claimed for again and again while there is none', async () => {
    const store = quietStore();
    await add(store, {});
    await store.claim({ worker: 'busy' });
    let claims = 0;
    const counted = withParts(store, {
      claim: (input) => {
        claims++;
        return store.claim(input);
      },
    });
    const outcome = outcomeOf(nextTask(counted, { worker: 'w' }));
    await pass(60_000);
    expect(claims).toBe(1);
    await store.release({ worker: 'busy', task_id: 'task-001' });
    await pass(100);
    expect(outcome.answer).toMatchObject({ task: { id: 'task-001' } });
    expect(claims).toBe(2);
  });

  test('is taken over at the very expiry of a lease', async () => {
    const store = quietStore();
    await add(store, {});
    await store.claim({ worker: 'dead', lease_seconds: 3 });
    const outcome = outcomeOf(nextTask(store, { worker: 'w' }));
    await pass(3000);
    expect(outcome).toEqual({});
    await pass(1);
    expect(outcome.answer).toMatchObject({ task: { id: 'task-001', attempt: 2 }, taken_over_from: 'dead' });
  });

  test('is waited for no longer than asked', async () => {
    const store = quietStore();
    const controller = new AbortController();
    const timed = outcomeOf(nextTask(store, { worker: 'w' }, { timeoutMs: 3000 }));
    const ended = outcomeOf(nextTask(store, { worker: 'v' }, { signal: controller.signal }));
    await pass(3000);
    controller.abort();
    await pass(0);
    expect(timed.error).toMatchObject({ code: 'timed-out' });
    expect(ended.error).toMatchObject({ code: 'interrupted' });
  });
});

describe('a task asked for by name', () => {
  test('is waited for while others hold what it needs, and then claimed', async () => {
    const store = quietStore();
    await add(store, {}, {}, {});
    await store.editTask({ task_id: 'task-003', dependencies: ['task-001'] });
    await store.claim({ worker: 'a' });
    await store.claim({ worker: 'b', lease_seconds: 60 });
    const told: NotClaimed[] = [];
    const outcome = outcomeOf(
      nextTask(store, { worker: 'w', task_id: 'task-003' }, { onIdle: (idle) => void told.push(idle) }),
    );
    await pass(11_000);
    expect(outcome).toEqual({});
    expect(told).toEqual([
      {
        task: null,
        reason: 'blocked',
        open: 3,
        waiting_for: [{ task_id: 'task-001', worker: 'a', status: 'claimed' }],
        next_expiry: later(1800),
      },
    ]);
    await store.complete({ worker: 'b', task_id: 'task-002', output: '' });
    await pass(100);
    expect(outcome).toEqual({});
    await store.complete({ worker: 'a', task_id: 'task-001', output: '' });
    await pass(100);
    expect(outcome.answer).toMatchObject({ task: { id: 'task-003', claimed_by: 'w' } });
  });

  test('that another holds is taken over when the lease of that one runs out, whatever else there is', async () => {
    const store = quietStore();
    await add(store, {}, {}, {});
    await store.cancelTasks({ task_ids: ['task-003'] });
    await store.claim({ worker: 'a', lease_seconds: 2 });
    const told: NotClaimed[] = [];
    const outcome = outcomeOf(
      nextTask(store, { worker: 'w', task_id: 'task-001' }, { onIdle: (idle) => void told.push(idle) }),
    );
    await pass(2000);
    expect(outcome).toEqual({});
    expect(told).toMatchObject([
      { open: 2, waiting_for: [{ task_id: 'task-001', worker: 'a' }], next_expiry: later(2) },
    ]);
    await pass(1);
    expect(outcome.answer).toMatchObject({ task: { id: 'task-001' }, taken_over_from: 'a' });
  });

  test('names at most five that it waits for, and only claimed ones', async () => {
    const store = quietStore();
    await add(store, {}, {}, {}, {}, {}, {}, {}, {});
    const needs = [1, 2, 3, 4, 5, 6, 7].map((n) => `task-00${n}`);
    await store.editTask({ task_id: 'task-008', dependencies: needs });
    for (const task_id of needs.slice(1)) await store.claim({ worker: task_id, task_id });
    const told: NotClaimed[] = [];
    const outcome = outcomeOf(
      nextTask(
        store,
        { worker: 'w', task_id: 'task-008' },
        { timeoutMs: 1000, onIdle: (idle) => void told.push(idle) },
      ),
    );
    await pass(1000);
    expect(told[0]?.waiting_for.map((one) => one.task_id)).toEqual(needs.slice(1, 6));
    expect(outcome.error).toMatchObject({ code: 'timed-out' });
  });

  test('is an error where it is settled, or becomes so', async () => {
    const store = quietStore();
    await add(store, {}, {});
    await store.cancelTasks({ task_ids: ['task-001'] });
    await expect(nextTask(store, { worker: 'w', task_id: 'task-001' })).rejects.toMatchObject({
      code: 'not-claimable',
      details: { why: 'settled' },
    });
    await store.claim({ worker: 'a' });
    const outcome = outcomeOf(nextTask(store, { worker: 'w', task_id: 'task-002' }));
    await pass(100);
    await store.complete({ worker: 'a', task_id: 'task-002', output: '' });
    await pass(100);
    expect(outcome.error).toMatchObject({ code: 'not-claimable' });
  });

  test('is an error where there is none of that name, or the worker holds another', async () => {
    const store = quietStore();
    await add(store, {}, {});
    await expect(nextTask(store, { worker: 'w', task_id: 'task-009' })).rejects.toMatchObject({
      code: 'task-not-found',
    });
    await store.claim({ worker: 'w' });
    await expect(nextTask(store, { worker: 'w', task_id: 'task-002' })).rejects.toMatchObject({ code: 'worker-busy' });
  });

  test('is an error where it was removed between the claim and the look', async () => {
    const store = quietStore();
    const removed = withParts(store, { claim: async () => refuse('not-claimable')() });
    const claim = { worker: 'w', task_id: 'task-001' };
    await expect(nextTask(removed, claim)).rejects.toMatchObject({ code: 'not-claimable' });
    await add(store, {});
    const odd = withParts(store, {
      claim: async () => {
        throw Object.assign(new Error('odd'), { code: 'not-claimable' });
      },
    });
    await expect(nextTask(odd, claim)).rejects.toThrow('odd');
  });
});

describe('the end of everything', () => {
  test('is there on an empty board', async () => {
    expect((await untilSettled(quietStore())).tasks).toEqual([]);
  });

  test('comes with the last task, and each board is shown once', async () => {
    const store = quietStore();
    await add(store, {}, {});
    const shown: number[] = [];
    const { revision } = await store.read();
    const outcome = outcomeOf(untilSettled(store, { onChange: (board: Board) => void shown.push(board.revision) }));
    await pass(20_000);
    expect(shown).toEqual([revision]);
    await store.claim({ worker: 'w' });
    await pass(20_000);
    await store.complete({ worker: 'w', task_id: 'task-001', output: '' });
    await pass(100);
    expect(outcome).toEqual({});
    await store.cancelTasks({ task_ids: ['task-002'] });
    await pass(100);
    expect(outcome.answer?.tasks.map((task) => task.status)).toEqual(['done', 'cancelled']);
    expect(shown).toEqual([0, 1, 2, 3].map((n) => revision + n));
  });

  test('is there when what is left is stuck, and not while something else is open', async () => {
    const store = quietStore();
    await add(store, {}, {}, {});
    await store.editTask({ task_id: 'task-002', dependencies: ['task-001'] });
    await store.cancelTasks({ task_ids: ['task-001'] });
    const outcome = outcomeOf(untilSettled(store));
    await pass(10_000);
    expect(outcome).toEqual({});
    await store.cancelTasks({ task_ids: ['task-003'] });
    await pass(100);
    expect(outcome.answer?.tasks.map((task) => task.status)).toEqual(['cancelled', 'available', 'cancelled']);
  });

  test('comes by itself when the last lease of the last attempt runs out', async () => {
    const store = quietStore();
    await add(store, { max_attempts: 1 });
    await store.claim({ worker: 'dead', lease_seconds: 3 });
    const outcome = outcomeOf(untilSettled(store));
    await pass(3000);
    expect(outcome).toEqual({});
    await pass(1);
    expect(outcome.answer?.tasks).toMatchObject([{ status: 'failed' }]);
  });

  test('is waited for no longer than asked', async () => {
    const store = quietStore();
    await add(store, {});
    const outcome = outcomeOf(untilSettled(store, { timeoutMs: 2000 }));
    await pass(2000);
    expect(outcome.error).toMatchObject({ code: 'timed-out', message: 'Nothing happened within 2 s.' });
  });
});

describe('a lease that is kept', () => {
  /** A worker with a claim, whose renewals are counted; `before` comes before each. */
  async function keeping(leaseSeconds: number, before: (n: number) => Promise<void> | void = () => {}) {
    const store = quietStore();
    await add(store, {}, {});
    await store.claim({ worker: 'w', lease_seconds: leaseSeconds });
    const times: number[] = [];
    const controller = new AbortController();
    const onLost = vi.fn<() => void>();
    const counted = withParts(store, {
      renew: async (input) => {
        times.push((Date.now() - Date.parse(NOW)) / 1000);
        await before(times.length);
        return store.renew(input);
      },
    });
    keepLease(counted, { worker: 'w', taskId: 'task-001', leaseSeconds }, controller.signal, onLost);
    onTestFinished(() => controller.abort());
    return { store, times, controller, onLost };
  }

  test('is renewed every third of it, and never runs out', async () => {
    const { store, times, onLost } = await keeping(90);
    await pass(29_999);
    expect(times).toEqual([]);
    await pass(1);
    expect(times).toEqual([30]);
    await pass(270_000);
    expect(times).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300]);
    expect(onLost).not.toHaveBeenCalled();
    expect((await store.read()).tasks[0]?.lease_expires_at).toBe(later(390));
  });

  test.each([1800, 31_536_000])('is renewed every ten minutes where it lasts %i seconds', async (seconds) => {
    const { times } = await keeping(seconds);
    await pass(1_800_000);
    expect(times).toEqual([600, 1200, 1800]);
  });

  test('ends with the signal', async () => {
    const { times, controller, onLost } = await keeping(90);
    await pass(30_000);
    controller.abort();
    await pass(300_000);
    expect(times).toEqual([30]);
    expect(onLost).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test.each([true, false])('is told once to be lost, and no longer renewed (holds another: %s)', async (another) => {
    const { store, times, onLost } = await keeping(90);
    await pass(30_000);
    await store.takeBackTasks({ task_ids: ['task-001'] });
    if (another) await store.claim({ worker: 'w', task_id: 'task-002' });
    await pass(29_999);
    expect(onLost).not.toHaveBeenCalled();
    await pass(1);
    expect(onLost).toHaveBeenCalledTimes(1);
    await pass(300_000);
    expect(onLost).toHaveBeenCalledTimes(1);
    expect(times).toEqual([30, 60]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is not told to be lost once the signal came, even during a renewal', async () => {
    let abort = (): void => {};
    const { store, controller, onLost } = await keeping(90, () => abort());
    abort = () => controller.abort();
    await store.takeBackTasks({ task_ids: ['task-001'] });
    await pass(300_000);
    expect(onLost).not.toHaveBeenCalled();
  });

  test('is renewed again where a renewal failed', async () => {
    const { store, times, onLost } = await keeping(90, (n) => {
      if (n === 1) refuse('store-unavailable')();
    });
    await pass(60_000);
    expect(times).toEqual([30, 60]);
    expect(onLost).not.toHaveBeenCalled();
    expect((await store.read()).tasks[0]?.lease_expires_at).toBe(later(150));
  });
});
