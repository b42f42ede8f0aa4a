/**
 * The present state of a training step and room for the next one. A step writes into the room; taking it over
 * swaps the two.
 */
import { TollamaError } from '@tollama/core/errors';
import type { Feeds, TensorValue } from '@tollama/graph';
import type { Group, Place } from './layout.ts';
import { momentName, nextName, parametersName } from './step-graphs.ts';
import type { TrainingState } from './training-step.ts';

/** One flat tensor, twice. */
interface FlatPair {
  readonly name: string;
  readonly places: readonly Place[];
  /** What a state calls the part of a tensor. */
  readonly partName: (tensor: string) => string;
  readonly isMoment: boolean;
  /** Whether a step gives it anew. */
  readonly changes: boolean;
  present: Float32Array<ArrayBuffer>;
  next: Float32Array<ArrayBuffer>;
}

const pairsOf = (group: Group): readonly FlatPair[] => {
  const changes = group.rule.kind !== 'rest';
  const pair = (name: string, isMoment: boolean, partName: FlatPair['partName']): FlatPair => ({
    name,
    places: group.places,
    partName,
    isMoment,
    changes,
    present: new Float32Array(group.size),
    next: new Float32Array(changes ? group.size : 0),
  });
  return [
    pair(parametersName(group), false, (tensor) => tensor),
    ...group.moments.map((moment) =>
      pair(momentName(group, moment), true, (tensor) => `${moment}.${tensor}`),
    ),
  ];
};

const flatValue = (data: Float32Array): TensorValue => ({
  dtype: 'float32',
  dims: [data.length],
  data,
});

const partOf = (data: Float32Array, { shape, start, end }: Place): TensorValue => ({
  dtype: 'float32',
  dims: shape,
  data: data.subarray(start, end),
});

const fitting = (name: string, place: Place, value: TensorValue | undefined): Float32Array => {
  const size = place.end - place.start;
  const found = value ? `${value.dtype}[${value.dims}]` : 'missing';
  const fits =
    value?.data instanceof Float32Array &&
    value.data.length === size &&
    value.dims.join() === place.shape.join();
  if (fits) return value.data as Float32Array;
  throw new TollamaError(
    'CHECKPOINT_INVALID',
    `the state's tensor '${name}' is ${found}, expected float32[${place.shape}]`,
    { hint: 'load a state of the same model, adapter and optimizer' },
  );
};

export class StateBuffers {
  readonly #pairs: readonly FlatPair[];
  #step = 0;
  #births: ReadonlyMap<string, number> = new Map();

  constructor(groups: readonly Group[]) {
    this.#pairs = groups.flatMap(pairsOf);
  }

  /** Committed steps. */
  get step(): number {
    return this.#step;
  }

  /** Committed steps before the first one of a cohort. */
  birthOf(cohort: string | undefined): number {
    return (cohort !== undefined && this.#births.get(cohort)) || 0;
  }

  /** The present values of these inputs of a graph. */
  feeds(names: ReadonlySet<string>): Feeds {
    const own = this.#pairs.filter(({ name }) => names.has(name));
    return Object.fromEntries(own.map(({ name, present }) => [name, flatValue(present)]));
  }

  /** Where a step puts the next values. */
  room(): Readonly<Record<string, TensorValue>> {
    const changing = this.#pairs.filter(({ changes }) => changes);
    return Object.fromEntries(changing.map(({ name, next }) => [nextName(name), flatValue(next)]));
  }

  /** Makes the next values the present ones. */
  swap(): void {
    for (const pair of this.#pairs) {
      if (pair.changes) [pair.present, pair.next] = [pair.next, pair.present];
    }
    this.#step++;
  }

  /** Views of the present values. */
  state(): TrainingState {
    const parts = (isMoment: boolean): ReadonlyMap<string, TensorValue> =>
      new Map(
        this.#pairs
          .filter((pair) => pair.isMoment === isMoment)
          .flatMap(({ places, partName, present }) =>
            places.map((place): [string, TensorValue] => [
              partName(place.name),
              partOf(present, place),
            ]),
          ),
      );
    return {
      ...{ parameters: parts(false), moments: parts(true), step: this.#step },
      births: this.#births,
    };
  }

  /** Copies a state in, all of it or nothing. */
  load({ parameters, moments, step, births = new Map() }: TrainingState): void {
    const copies = this.#pairs.flatMap((pair) =>
      pair.places.map((place) => {
        const name = pair.partName(place.name);
        const source = fitting(name, place, (pair.isMoment ? moments : parameters).get(name));
        return { pair, place, source };
      }),
    );
    for (const { pair, place, source } of copies) pair.present.set(source, place.start);
    this.#step = step;
    this.#births = new Map(births);
  }

  /** Sets the parameters alone, before the first step. */
  initialize(parameters: ReadonlyMap<string, TensorValue>): void {
    for (const pair of this.#pairs.filter(({ isMoment }) => !isMoment)) {
      for (const place of pair.places) {
        pair.present.set(fitting(place.name, place, parameters.get(place.name)), place.start);
      }
    }
  }
}
