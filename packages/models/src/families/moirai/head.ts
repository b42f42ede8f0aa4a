/** From the head's parameters to a distribution at every point of every forecast. */
import type { TensorValue } from '@tollama/graph';
import { type ComponentKind, componentKindOf } from './components.ts';
import { mixtureLogDensity, mixtureMean, mixtureQuantile, type Part } from './mixture.ts';

/** A distribution of the mixture as config.json names it. */
export interface ComponentConfig {
  readonly _target_: string;
  /** Of distributions whose scale is fixed. */
  readonly scale: number;
  /** Of the Pareto distribution whose shape is fixed. */
  readonly alpha: number;
}

/** Name of the graph's output that holds a parameter of component number `i`. */
export const outputName = (i: number, parameter: string): string => `components.${i}.${parameter}`;

/** Which tokens of the outputs [rows, variates * tokens, width] belong to which point. */
export interface HeadLayout {
  readonly variates: number;
  /** Future tokens of a variate. */
  readonly tokens: number;
  readonly patch: number;
}

/** The forecast of one point: loc + scale * Z, where Z is a mixture. */
export interface PointForecast {
  readonly loc: number;
  readonly scale: number;
  /** Parameters of the mixture by name, such as `student_t.df`; `weights` in the order of the components. */
  readonly parameters: Readonly<Record<string, number | readonly number[]>>;
  mean(): number;
  quantile(level: number): number;
  /** ln of the density at a value in raw units. */
  logDensity(value: number): number;
}

export interface Component {
  readonly kind: ComponentKind;
  /** The kind's name, numbered from its second component on. */
  readonly label: string;
  readonly config: ComponentConfig;
  readonly index: number;
}

const { fround } = Math;

type Outputs = Readonly<Record<string, TensorValue>>;

/** A mixture in raw units. */
export const pointForecast = (
  loc: number,
  scale: number,
  parts: readonly Part[],
  parameters: PointForecast['parameters'],
): PointForecast => ({
  loc,
  scale,
  parameters,
  mean: () => loc + scale * mixtureMean(parts),
  quantile: (level) => loc + scale * mixtureQuantile(parts, level),
  // In float32 as the reference: it shows where a component is very narrow.
  logDensity: (value) =>
    mixtureLogDensity(parts, fround(fround(value - loc) / scale)) - Math.log(scale),
});

/** The components of a mixture with their kinds and labels. */
export const componentsOf = (configs: readonly ComponentConfig[]): readonly Component[] => {
  const kinds = configs.map(({ _target_ }) => componentKindOf(_target_)!);
  return configs.map((config, index) => {
    const kind = kinds[index]!;
    const earlier = kinds.slice(0, index).filter((other) => other === kind).length;
    const label = earlier === 0 ? kind.name : `${kind.name}_${earlier + 1}`;
    return { kind, label, config, index };
  });
};

/** The distribution at a point: `at(row, variate, step)`, steps counted from the first of the horizon. */
export const readHead = (
  outputs: Outputs,
  configs: readonly ComponentConfig[],
  layout: HeadLayout,
): ((row: number, variate: number, step: number) => PointForecast) => {
  const { variates, tokens, patch } = layout;
  const data = (name: string): Float32Array => outputs[name]!.data as Float32Array;
  const [loc, scale] = [data('loc'), data('scale')];
  // One distribution alone has no weights.
  const weights = outputs.weights?.data as Float32Array | undefined;
  const components = componentsOf(configs);
  const columns = components.map(({ kind, index }) =>
    Object.keys(kind.parameters).map((name) => [name, data(outputName(index, name))] as const),
  );
  const { index, kind } = components[0]!;
  const [first] = Object.keys(kind.parameters);
  const width = outputs[outputName(index, first!)]!.dims.at(-1)!;
  return (row, variate, step) => {
    const token = (row * variates + variate) * tokens + Math.floor(step / patch);
    const offset = step % patch;
    const shares = components.map(
      ({ index }) => weights?.[(token * components.length + index) * width + offset] ?? 1,
    );
    const parameters: Record<string, number | readonly number[]> = { weights: shares };
    const parts = components.map(({ kind, label, config, index }): Part => {
      const values: Record<string, number> = { scale: config.scale, alpha: config.alpha };
      for (const [name, column] of columns[index]!) {
        values[name] = column[token * width + offset]!;
        parameters[`${label}.${name}`] = values[name];
      }
      const distribution = kind.at(values);
      return { weight: shares[index]!, isDiscrete: kind.isDiscrete, distribution };
    });
    return pointForecast(loc[token]!, scale[token]!, parts, parameters);
  };
};
