/** The curves of a training out of its events. */

/** One validation. */
export interface EpochPoint {
  readonly epoch: number;
  readonly training: number | undefined;
  readonly validation: number | undefined;
}

export interface Curves {
  /** Losses of steps, in order. */
  readonly losses: readonly number[];
  readonly epochs: readonly EpochPoint[];
  /** What went wrong on the way, the latest last. */
  readonly notes: readonly { readonly seq: number; readonly text: string }[];
}

export const NO_CURVES: Curves = { losses: [], epochs: [], notes: [] };

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;

type Fields = Readonly<Record<string, unknown>>;

/** The curves after an event. */
export const withEvent = (before: Curves, name: string, data: Fields): Curves => {
  const {
    attributes = {},
    level,
    seq,
  } = data as {
    attributes?: Fields;
    level?: string;
    seq?: number;
  };
  const loss = numberOf(attributes.loss);
  if (name === 'training.progress' && loss !== undefined) {
    return { ...before, losses: [...before.losses, loss] };
  }
  if (name === 'training.epoch') {
    const point = {
      epoch: Number(attributes.epoch),
      training: numberOf(attributes.train_loss),
      validation: numberOf(attributes.validation_loss),
    };
    return { ...before, epochs: [...before.epochs, point] };
  }
  if (level !== 'warning' && level !== 'critical') return before;
  const why = attributes.reason ?? attributes.message ?? attributes.outcome;
  const text = `step ${String(data.step)}: ${name}${why ? `, ${String(why)}` : ''}`;
  return { ...before, notes: [...before.notes, { seq: seq ?? 0, text }] };
};
