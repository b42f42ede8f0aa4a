/** The commands that a policy gives, one an epoch. */
import { z } from 'zod';
import { CURVES } from '../lifecycle/alpha-schedule.ts';

const Id = z.string().min(1).max(200);

/** Every command has an identity, a time and an epoch: a repeat is recognised, a stale one refused. */
const ISSUED = {
  command_id: Id,
  /** Milliseconds of the run's monotonic clock. */
  issued_at: z.number().nonnegative(),
  epoch: z.int().nonnegative(),
};

export const Command = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('WAIT'), ...ISSUED }),
  z.strictObject({ kind: z.literal('GERMINATE'), slot: Id, blueprint: Id, ...ISSUED }),
  z.strictObject({ kind: z.literal('ADVANCE'), seed: Id, ...ISSUED }),
  z.strictObject({
    kind: z.literal('SET_ALPHA'),
    seed: Id,
    target: z.number().min(0).max(1),
    /** Ticks of the ramp; 0 sets it at once. */
    steps: z.int().nonnegative(),
    curve: z.enum(CURVES),
    ...ISSUED,
  }),
  z.strictObject({ kind: z.literal('FOSSILIZE'), seed: Id, ...ISSUED }),
  z.strictObject({ kind: z.literal('CULL'), seed: Id, reason: Id, ...ISSUED }),
  z.strictObject({ kind: z.literal('PAUSE'), ...ISSUED }),
]);
export type Command = z.infer<typeof Command>;
export type CommandKind = Command['kind'];

type Unissued<C> = C extends Command ? Omit<C, keyof typeof ISSUED> : never;
/** A command before it has its identity. */
export type Intent = Unissued<Command>;
