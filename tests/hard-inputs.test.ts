/**
 * What every family does with requests at the edge: options of the wrong type, series of any magnitude, and a bad series
 * among good ones.
 */
import { resolve } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { type ModelSeries, openModel, type SeriesForecast } from '@tollama/models';
import { openBoxed } from '@tollama/models/in-the-box';
import { forecastStatistical, STATISTICAL_MODELS } from '@tollama/models/statistical';
import { watchOptions } from '@tollama/models/unread-options';
import { afterAll, describe, expect, test } from 'vitest';
import { Engine } from '../packages/runner/src/engine/engine.ts';

const golden = resolve(import.meta.dirname, '../golden');

/** One small checkpoint of each family. */
const CHECKPOINTS = [
  'chronos-2/tiny-a',
  'chronos-bolt/tiny-a',
  'chronos-t5/tiny-a',
  'flowstate/r1.1',
  'granite-ttm/r2-base',
  'granite-ttm/r3-dec',
  'lag-llama/tiny',
  'lag-llama/negative-binomial',
  'lag-llama/implicit-quantiles',
  'moirai/tiny-1head',
  'moirai2/tiny-1head',
  'patchtst-fm/r1-like',
  'sundial/tiny',
  'timer/tiny',
  'timesfm/v10-tiny',
  'timesfm/v25-tiny',
  'tirex/tiny',
  'toto/tiny',
  'toto2/tiny',
] as const;

const LENGTH = 120;
const HORIZON = 20;
const LEVELS = [0.1, 0.5, 0.9];

const wave = (k: number): Float64Array =>
  Float64Array.from(
    { length: LENGTH },
    (_, i) => 10 + 3 * Math.sin(i / (3 + k / 7)) + Math.cos(i * k) + 0.01 * i * k,
  );
const seriesOf = (id: string, target: ArrayLike<number>): ModelSeries => ({
  id,
  start: '2024-01-01T00:00:00',
  freq: 'h',
  targets: [target],
});

const taskOf = (
  series: readonly ModelSeries[],
  options: Readonly<Record<string, unknown>> = { num_samples: 4 },
) => ({ series, horizon: HORIZON, quantiles: LEVELS, options });

const numbersOf = ({ targets }: SeriesForecast): number[] =>
  targets.flatMap(({ mean, quantiles }) =>
    [mean, ...quantiles].flatMap((row) => [...Array.from(row)]),
  );

/** Values that no option takes. */
const WRONG = [{ no: 1 }, [['x']], Number.NaN];

/** Names of the options that a model looks up. */
const namesOf = async (
  forecast: (options: Record<string, unknown>) => Promise<unknown>,
): Promise<readonly string[]> => {
  const names = new Set<string>();
  const note = (_: object, name: string | symbol): false => {
    if (typeof name === 'string') names.add(name);
    return false;
  };
  await forecast(new Proxy({}, { get: (t, name) => void note(t, name), has: note }));
  return [...names].filter((name) => name !== 'parameters');
};

/** An option that nobody knows is not even copied, so that the runner sees that nobody read it. */
const expectUnread = async (
  forecast: (options: Readonly<Record<string, unknown>>) => Promise<unknown>,
): Promise<void> => {
  const { options, unread } = watchOptions({ no_such_option: 1 });
  await forecast(options);
  expect(unread()).toEqual(['no_such_option']);
};

/** Each option refuses what is no value of its type, by its name. */
const expectNamedRefusals = async (
  forecast: (options: Readonly<Record<string, unknown>>) => Promise<unknown>,
): Promise<void> => {
  for (const name of await namesOf(forecast)) {
    for (const value of WRONG) {
      const outcome = await forecast({ [name]: value }).then(
        () => 'no refusal',
        (error: unknown) => error,
      );
      const told = `${name} = ${JSON.stringify(value)}`;
      expect(outcome, told).toBeInstanceOf(TollamaError);
      expect(outcome, told).toMatchObject({ code: 'INVALID_REQUEST' });
      expect((outcome as TollamaError).message, told).toContain(`options.${name}`);
    }
  }
};

const map = (change: (value: number, i: number) => number): Float64Array => wave(1).map(change);

/** Series that are hard on float32. */
const HARD: Readonly<Record<string, Float64Array>> = {
  'of 1e-30': map((x) => x * 1e-30),
  'of denormal numbers': map((x) => x * 1e-45),
  'of 1e30': map((x) => x * 1e30),
  'of 1e38': map((x) => x * 1e37),
  'around the largest float32': map((x, i) => (i % 2 ? 1 : -1) * x * 1.5e37),
  'beyond float32': map((x) => x * 1e300),
  'with one huge value': map((x, i) => (i === 60 ? 1e38 : x)),
  'of one huge value': map(() => 1e38),
  'of zeros': map(() => 0),
};
const MISSING = map(() => Number.NaN);
const GOOD = 31;

describe.each(CHECKPOINTS)('%s', async (path) => {
  const folder = resolve(golden, path);
  const model = await openModel(folder, { threads: 1 });
  afterAll(() => model[Symbol.asyncDispose]());

  test('refuses options of the wrong type by their names', () =>
    expectNamedRefusals((options) => model.forecast(taskOf([seriesOf('a', wave(1))], options))));

  test('refuses numbers without measure by their names, or does with what there is', async () => {
    const ask = (options: Readonly<Record<string, unknown>>) =>
      model.forecast(taskOf([seriesOf('a', wave(1))], options));
    for (const name of await namesOf(ask)) {
      for (const value of [Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, -1]) {
        const told = `options.${name} = ${value}`;
        const outcome = await ask({ [name]: value }).catch((error: unknown) => error);
        if (outcome instanceof TollamaError) expect(outcome.code, told).toBe('INVALID_REQUEST');
        else if (outcome instanceof Error) expect.fail(`${told}: ${outcome.message}`);
        else {
          const { forecasts } = outcome as { readonly forecasts: readonly SeriesForecast[] };
          expect(forecasts.flatMap(numbersOf).every(Number.isFinite), told).toBe(true);
        }
      }
    }
  });

  test('leaves options that it does not know unread', () =>
    expectUnread((options) => model.forecast(taskOf([seriesOf('a', wave(1))], options))));

  const good = Array.from({ length: GOOD }, (_, k) => seriesOf(`good ${k}`, wave(k + 2)));
  const among = async (target: Float64Array): Promise<number[][]> => {
    const series = [...good.slice(0, 7), seriesOf('hard', target), ...good.slice(7)];
    const { forecasts } = await model.forecast(taskOf(series));
    return forecasts.filter((_, i) => i !== 7).map(numbersOf);
  };

  test('forecasts good series to the bit whatever stands among them', async () => {
    const want = await among(wave(1));
    expect(want.flat().every(Number.isFinite)).toBe(true);
    for (const [name, target] of Object.entries({ ...HARD, 'without a value': MISSING })) {
      const got = await among(target).catch((error: unknown) => error);
      // A family that cannot read a series says so by its name, and the others are asked again.
      if (got instanceof TollamaError) expect(got.message, name).toContain("'hard'");
      else expect(got, name).toEqual(want);
    }
  });

  test('answers with numbers or with the name of the series, in JSON without a hole', async () => {
    const lines: string[] = [];
    const { promise, resolve: done } = Promise.withResolvers<void>();
    let last = done;
    const hard = Object.entries(HARD);
    const engine = new Engine({ family: model.family, threads: 1 }, (line) => {
      lines.push(line);
      if (lines.length >= hard.length) last();
    });
    for (const [id, target] of hard) {
      const series = [
        { id, freq: 'h', timestamps: ['2024-01-01 00:00:00'], target: Array.from(target) },
      ];
      const params = { model: path, model_local_dir: folder, horizon: 8, quantiles: LEVELS };
      const options = { num_samples: 4 };
      engine.submit(
        JSON.stringify({ id, method: 'forecast', params: { ...params, series, options } }),
      );
    }
    await promise;
    for (const line of lines) {
      const { id, result, error } = JSON.parse(line) as {
        id: string;
        result?: { forecasts: readonly { mean: unknown[]; quantiles: object | null }[] };
        error?: { code: string; message: string };
      };
      if (error) expect(error.message, line).toContain(`'${id}'`);
      else {
        const { mean, quantiles } = result!.forecasts[0]!;
        const rows = [mean, ...Object.values(quantiles ?? {})].flat();
        expect(rows.every(Number.isFinite), line).toBe(true);
      }
    }
    const unloaded = Promise.withResolvers<void>();
    last = unloaded.resolve;
    engine.submit(JSON.stringify({ id: 'end', method: 'unload', params: {} }));
    await unloaded.promise;
  });
});

describe('models without a download', () => {
  const boxed = openBoxed('tollama-nano', { threads: 1, candidates: () => [24] });
  afterAll(() => boxed[Symbol.asyncDispose]());

  test('tollama-nano refuses options of the wrong type by their names', () =>
    expectNamedRefusals((options) => boxed.forecast(taskOf([seriesOf('a', wave(1))], options))));

  test('tollama-nano leaves options that it does not know unread', () =>
    expectUnread((options) => boxed.forecast(taskOf([seriesOf('a', wave(1))], options))));

  test.each(STATISTICAL_MODELS)('%s leaves options that it does not know unread', (name) =>
    expectUnread(async (options) =>
      forecastStatistical(name, taskOf([seriesOf('a', wave(1))], options), () => [24]),
    ),
  );

  test.each(STATISTICAL_MODELS)('%s refuses options of the wrong type by their names', (name) =>
    expectNamedRefusals(async (options) =>
      forecastStatistical(name, taskOf([seriesOf('a', wave(1))], options), () => [24]),
    ),
  );
});
