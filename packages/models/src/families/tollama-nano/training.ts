/** How tollama-nano is tuned: the anchors rehearse on each window as they do on a series, the network learns on top. */
import { rearrange, type TensorValue } from '@tollama/graph';
import type { FamilyTraining, TrainingWish, Units } from '../../family.ts';
import { TRAINED_STEPS } from '../../training-rows.ts';
import { ANCHORS } from './anchors.ts';
import { LEVELS } from './network.ts';
import { CONTEXT_FEATURES, LONGEST_CONTEXT, STEP_FEATURES } from './prepare.ts';
import { type Asked, askSeries } from './series.ts';

/** A context shorter than this has nothing to rehearse on. */
const SHORTEST_CONTEXT = 16;

interface Rows {
  readonly feeds: Readonly<Record<string, TensorValue>>;
  readonly units: Units;
}

const tensor = (data: Float32Array, dims: readonly number[]): TensorValue => ({
  dtype: 'float32',
  dims,
  data,
});

/** Features of windows [size, length], and what turns the network's answer into their units, step by step. */
const rowsOf = (windows: readonly Asked[], horizon: number): Rows => {
  const size = windows.length;
  const context = new Float32Array(size * CONTEXT_FEATURES);
  const features = new Float32Array(size * horizon * STEP_FEATURES);
  const deviations = new Float32Array(size * horizon * ANCHORS.length);
  const loc = new Float32Array(size * horizon);
  const scale = new Float32Array(size * horizon).fill(1);
  windows.forEach(({ prepared, constant, steps }, b) => {
    if (!prepared) {
      loc.fill(constant, b * horizon, (b + 1) * horizon);
      return;
    }
    const rows = prepared.rows(steps);
    context.set(prepared.context, b * CONTEXT_FEATURES);
    features.set(rows.features, b * horizon * STEP_FEATURES);
    deviations.set(rows.deviations, b * horizon * ANCHORS.length);
    for (let k = 0; k < horizon; k++) {
      loc[b * horizon + k] = rows.centers[k]! * prepared.scale + prepared.shift;
      scale[b * horizon + k] = rows.scales[k]! * prepared.scale;
    }
  });
  return {
    feeds: {
      context: tensor(context, [size, CONTEXT_FEATURES]),
      features: tensor(features, [size, horizon, STEP_FEATURES]),
      deviations: tensor(deviations, [size, horizon, ANCHORS.length]),
    },
    units: { loc, scale },
  };
};

export const training = ({ horizon = TRAINED_STEPS, freq }: TrainingWish = {}): FamilyTraining => {
  const known = new WeakMap<Float32Array, Rows>();
  /** Rehearsals cost more than the network: once for feeds and units of a batch. */
  const rows = (contexts: Float32Array, size: number): Rows => {
    const before = known.get(contexts);
    if (before) return before;
    const length = contexts.length / size;
    const windows = Array.from({ length: size }, (_, b) => {
      const values = contexts.subarray(b * length, (b + 1) * length);
      const series = { id: String(b), targets: [values], ...(freq !== undefined && { freq }) };
      return askSeries(series, horizon, []);
    });
    const made = rowsOf(windows, horizon);
    known.set(contexts, made);
    return made;
  };
  return {
    graph: 'forward',
    contextLength: LONGEST_CONTEXT,
    shortestContext: SHORTEST_CONTEXT,
    horizon,
    levels: LEVELS,
    quantiles: (outputs) => rearrange(outputs.get('quantiles')!, 'b s q -> b q s'),
    feeds: (contexts, size) => rows(contexts, size).feeds,
    units: (contexts, size) => rows(contexts, size).units,
    unitsOf: 'steps',
    targets: 'all-linear',
    head: /^head\./,
  };
};
