/** What becomes of a task while it is worked on, apart from what it says. */

/** Fields that say who holds a task: they are merged as one, never half from each side. */
export const CLAIM_FIELDS = [
  'status',
  'claimed_by',
  'attempt',
  'claimed_at',
  'lease_expires_at',
  'lease_seconds',
  'completed_at',
  'last_error',
  'note',
  'result_digest',
  'head',
  'evidence',
  'reviewed',
  'bounces',
  'taken_from',
  'held_by',
  'returned_to',
  'begun_at',
  'branch',
  'landing',
  'landed',
  'turn',
  'questions',
  'claimed_session',
] as const;
