/** The page of the test: a checkpoint from the server, a forecast, the numbers back. */
import { type OpenModel, openWebModel } from '@tollama/models/open-web-model';
import * as runtime from 'onnxruntime-web/wasm';

// A page without cross-origin isolation has one thread.
runtime.env.wasm.numThreads = 1;
runtime.env.wasm.wasmPaths = '/runtime/';

/** As JSON: null where a value is missing. */
export interface PageTask {
  readonly folder: string;
  readonly series: readonly (readonly (number | null)[])[];
  readonly horizon: number;
  readonly quantiles: readonly number[];
}

export interface PageForecast {
  readonly family: string;
  readonly forecasts: readonly {
    readonly mean: readonly number[];
    readonly quantiles: readonly (readonly number[])[];
  }[];
}

const fetchModel = async (folder: string): Promise<OpenModel> => {
  const [config, weights] = await Promise.all([
    fetch(`/models/${folder}/config.json`).then((response) => response.json()),
    fetch(`/models/${folder}/model.safetensors`).then((response) => response.arrayBuffer()),
  ]);
  return openWebModel({
    config,
    weights: { 'model.safetensors': new Uint8Array(weights) },
    runtime,
  });
};

const forecast = async ({
  folder,
  series,
  horizon,
  quantiles,
}: PageTask): Promise<PageForecast> => {
  await using model = await fetchModel(folder);
  const { forecasts } = await model.forecast({
    series: series.map((values, i) => ({
      id: String(i),
      freq: 'h',
      targets: [Float64Array.from(values, (value) => value ?? Number.NaN)],
    })),
    horizon,
    quantiles,
    options: {},
  });
  return {
    family: model.family,
    forecasts: forecasts.map(({ targets: [target] }) => ({
      mean: Array.from(target!.mean),
      quantiles: target!.quantiles.map((path) => Array.from(path)),
    })),
  };
};

Object.assign(globalThis, { forecast });
