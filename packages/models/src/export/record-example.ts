/**
 * What a forecast feeds to the graphs of its family, and what they answer: recorded from the real thing, so that
 * an exported model comes with inputs that can be run and outputs to hold against.
 */
import type { Feeds, TensorValue } from '@tollama/graph';
import type { OpenModel } from '../assemble-model.ts';
import type { Family, RunGraph, SeriesForecast, Task } from '../family.ts';
import { forecastVariates } from '../variates.ts';

export interface RecordedRun {
  readonly feeds: Feeds;
  readonly outputs: Readonly<Record<string, TensorValue>>;
}

export interface RecordedExample {
  readonly task: Task;
  readonly forecasts: readonly SeriesForecast[];
  /** The first run of each graph that the forecast used, in the order of their use. */
  readonly runs: ReadonlyMap<string, RecordedRun>;
  /** Runs of all graphs together. */
  readonly runCount: number;
}

export interface ExampleSize {
  readonly batch: number;
  readonly context: number;
  readonly horizon: number;
}

/** Waves with a slope, another for each series: smooth numbers that any family takes. */
const exampleSeries = ({ batch, context }: ExampleSize): Task['series'] =>
  Array.from({ length: batch }, (_, b) => ({
    id: `example-${b}`,
    targets: [
      Float32Array.from(
        { length: context },
        (_, t) => 10 + b + 3 * Math.sin((2 * Math.PI * (t + b)) / 24) + 0.01 * t,
      ),
    ],
    freq: 'h',
    start: '2024-01-01T00:00:00',
  }));

const copyOf = (values: Readonly<Record<string, TensorValue>>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { ...value, data: value.data.slice() }]),
  );

/** Forecasts an example once and keeps what went into the graphs and came out. */
export const recordExample = async (
  model: OpenModel,
  family: Family,
  size: ExampleSize,
): Promise<RecordedExample> => {
  const runs = new Map<string, RecordedRun>();
  let runCount = 0;
  const record: RunGraph = async (graph, feeds, outputs) => {
    runCount++;
    // All outputs of the first run: the exported graph has them all.
    const isFirst = !runs.has(graph);
    const kept = isFirst ? copyOf(feeds) : undefined;
    const results = await model.run(graph, feeds, isFirst ? undefined : outputs);
    if (kept) runs.set(graph, { feeds: kept, outputs: copyOf(results) });
    return results;
  };
  const task: Task = {
    series: exampleSeries(size),
    horizon: size.horizon,
    quantiles:
      model.capabilities.quantiles.length > 0 ? model.capabilities.quantiles : [0.1, 0.5, 0.9],
    options: { seed: 1 },
  };
  const { forecasts } = await forecastVariates(model.capabilities, task, (one) =>
    family.forecast(record, model.config, one),
  );
  return { task, forecasts, runs, runCount };
};
