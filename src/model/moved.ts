/** A board that has moved to another place changes no more where it was. Pure. */
import { type Board, type Change, LEADER } from './board.ts';
import { CoordError } from './errors.ts';
import { isLive } from './lifecycle.ts';

/** @throws CoordError `board-moved` */
export function refuseMoved(board: Board): Board {
  if (board.moved_to === undefined) return board;
  throw movedAway(board.moved_to);
}

/** @param to  in words that people can use */
export function movedAway(to: string): CoordError {
  return new CoordError('board-moved', `This board has moved to ${to}.`, { details: { path: to } });
}

/**
 * Ends it here. Whoever works on a task would hand it in in vain.
 *
 * @param to  where it goes, in words that people can use
 * @throws CoordError `task-state` while somebody holds a task, `board-moved`
 */
export function moveAway(board: Board, to: string, now: string): Change<object> {
  if (board.moved_to === to) return { answer: {} }; // begun before
  refuseMoved(board);
  const held = board.tasks.find(
    (task) => isLive(task, now) || (task.landing !== undefined && task.landing.until > now),
  );
  if (held)
    throw new CoordError(
      'task-state',
      `${held.id} is held by ${held.claimed_by}: a board moves when nobody works on it.`,
      { details: { task_id: held.id, why: 'held', ...(held.claimed_by === null ? {} : { worker: held.claimed_by }) } },
    );
  return {
    board: { ...board, moved_to: to },
    answer: {},
    events: [{ agent: LEADER, event: 'move', message: `to ${to}` }],
  };
}

/** Goes on here after all. */
export function stay(board: Board): Change<object> {
  const { moved_to, ...rest } = board;
  if (moved_to === undefined) return { answer: {} };
  return { board: rest, answer: {}, events: [{ agent: LEADER, event: 'move', message: 'taken back' }] };
}
