/** The places of a board by name, so that no face spells a path: a store says where they are, if they are anywhere. */
export type Ref =
  | { ref: 'plan' | 'discoveries' | 'summary' | 'results' }
  /** What was handed in for a task. */
  | { ref: 'result'; id: string }
  /** A result that was not accepted, by the name under which it is kept. */
  | { ref: 'refused'; name: string };
