/** Boards and tasks for the tests of the model. */
import type { Board } from '../../src/model/board.ts';
import { CoordError } from '../../src/model/errors.ts';
import type { Task, WrittenTask } from '../../src/model/task.ts';

export const NOW = '2026-01-01T12:00:00.000Z';

/** So many seconds after {@link NOW}. */
export function later(seconds: number): string {
  return new Date(Date.parse(NOW) + seconds * 1000).toISOString();
}

/** Any fields of a task. */
type Fields = { [K in keyof WrittenTask]?: WrittenTask[K] };

export function task(id: string, fields: Fields = {}): Task {
  return {
    id,
    description: `Do ${id}`,
    status: 'available',
    claimed_by: null,
    priority: 5,
    dependencies: [],
    context: { files: [], hints: '' },
    tags: [],
    attempt: 0,
    max_attempts: 3,
    created_at: NOW,
    claimed_at: null,
    lease_expires_at: null,
    completed_at: null,
    last_error: null,
    ...fields,
  } as Task; // a test may put together what contradicts itself
}

/** A task claimed at {@link NOW} with a lease of half an hour. */
export function claimed(id: string, worker: string, fields: Fields = {}): Task {
  return task(id, {
    status: 'claimed',
    claimed_by: worker,
    attempt: 1,
    claimed_at: NOW,
    lease_expires_at: later(1800),
    ...fields,
  });
}

export function board(...tasks: Task[]): Board {
  return { version: 1, revision: 1, tasks };
}

/** What an act is refused with, whole. */
export function refusal(act: () => unknown): Pick<CoordError, 'code' | 'message' | 'details'> | undefined {
  try {
    act();
  } catch (error) {
    if (!(error instanceof CoordError)) throw error;
    return { code: error.code, message: error.message, details: error.details };
  }
  return undefined;
}
