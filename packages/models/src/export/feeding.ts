/** How series go into an exported graph and forecasts come out, for graphs that take plain series. */
import type { ExportedGraph } from './export-model.ts';

/** What an input holds: the series themselves, 1 where they are known, or nothing known of the future. */
export type InputRole = 'values' | 'observed' | 'unknown-future' | 'zeros-future';

export interface Feeding {
  readonly inputs: Readonly<Record<string, InputRole>>;
  /** Stands where a value is missing. */
  readonly missing: 'nan' | 'zero';
  /** The output with the forecast, and the meaning of its axes. */
  readonly output: string;
  readonly layout: readonly ('batch' | 'quantile' | 'step' | 'channel')[];
}

const FEEDINGS: Readonly<Record<string, Feeding>> = {
  'chronos-bolt': {
    inputs: { context: 'values' },
    missing: 'nan',
    output: 'quantiles',
    layout: ['batch', 'quantile', 'step'],
  },
  'chronos-2': {
    inputs: {
      context: 'values',
      context_mask: 'observed',
      future: 'unknown-future',
      future_mask: 'zeros-future',
    },
    missing: 'nan',
    output: 'quantile_preds',
    layout: ['batch', 'quantile', 'step'],
  },
  'granite-ttm': {
    inputs: { past_values: 'values', past_observed_mask: 'observed' },
    missing: 'zero',
    output: 'forecast',
    layout: ['batch', 'channel', 'step'],
  },
};

/** Undefined where the family prepares more than the series themselves; see the example for what it feeds. */
export const feedingOf = (family: string, { model }: ExportedGraph): Feeding | undefined => {
  const feeding = FEEDINGS[family];
  if (!feeding || !model.outputs.some(({ name }) => name === feeding.output)) return undefined;
  const names = model.inputs.map(({ name }) => name);
  const isWhole =
    names.length === Object.keys(feeding.inputs).length &&
    names.every((name) => Object.hasOwn(feeding.inputs, name));
  return isWhole ? feeding : undefined;
};
