/** What is handed in, through the gate where the task asks for one. Who asks for none does not load it. */
import type { Board } from '../model/board.ts';
import { CoordError } from '../model/errors.ts';
import type { Complete, CompleteAnswer } from '../model/verbs/complete.ts';
import { openCheckRecords, type OpenOptions } from '../store/open.ts';
import type { Moment, Store } from '../store/store.ts';
import type { Gate, GateOptions } from '../work/gate.ts';

export type GateSurroundings = Omit<GateOptions, 'store' | 'records'> & { openOptions: OpenOptions };

export async function openGate(store: Store, { openOptions, ...options }: GateSurroundings): Promise<Gate> {
  const { Gate: GateOf } = await import('../work/gate.ts');
  const records = (board: Board) => openCheckRecords(store, openOptions, board.commit);
  return new GateOf({ ...options, store, records });
}

/** @throws CoordError as the gate's `complete` */
export async function handIn(
  store: Store,
  input: Complete,
  surroundings: () => GateSurroundings | Promise<GateSurroundings>,
): Promise<CompleteAnswer & Moment> {
  try {
    return await store.complete(input);
  } catch (error) {
    if (!(error instanceof CoordError) || error.code !== 'unchecked') throw error;
  }
  return (await openGate(store, await surroundings())).complete(input);
}
