/** What became of a command. */

export const BLOCKED_FACTORS = [
  'nonfinite_validation_loss',
  'slot_occupied',
  'unknown_slot',
  'unknown_seed',
  'unknown_blueprint',
  'capacity',
  'incomplete_alpha_schedule',
  'alpha_in_motion',
  'cooldown',
  'cooldown_below_zero',
  'wrong_stage',
  'stale_epoch',
  'malformed',
  'conservative_mode',
] as const;
export type BlockedFactor = (typeof BLOCKED_FACTORS)[number];

export type CommandOutcome =
  | { readonly status: 'applied'; readonly message: string }
  /** Stopped before any side effect. */
  | { readonly status: 'vetoed'; readonly factor: BlockedFactor; readonly message: string }
  /** Carried as far as a gate, which did not pass; the stage is what it was. */
  | { readonly status: 'held'; readonly message: string; readonly checks_failed: readonly string[] }
  | { readonly status: 'failed'; readonly message: string };
