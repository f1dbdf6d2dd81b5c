/** What is handed in, through the gate where the task asks for one. Who asks for none does not load it. */
import { CoordError } from '../model/errors.ts';
import type { Complete, CompleteAnswer } from '../model/verbs/complete.ts';
import type { Moment, Store } from '../store/store.ts';
import type { Gate, GateOptions } from '../work/gate.ts';

export type GateSurroundings = Omit<GateOptions, 'store'>;

export async function openGate(store: Store, surroundings: GateSurroundings): Promise<Gate> {
  const { Gate: GateOf } = await import('../work/gate.ts');
  return new GateOf({ ...surroundings, store });
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
