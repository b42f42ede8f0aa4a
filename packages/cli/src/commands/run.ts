import type { ForecastBody, ForecastResponse } from '@tollama/client';
import { EXIT, TollamaError } from '@tollama/core/errors';
import { DEFAULT_MODEL, isEmbeddedName, STATISTICAL_FAMILY } from '@tollama/core/statistical';
import type { SeriesInput } from '@tollama/ingest/read-series';
import { Command, InvalidArgumentError } from 'commander';
import { connectOrStart } from '../daemon/connect.ts';
import { type AskOptions, forecastChunks, pullingWhenMissing } from '../forecast/ask.ts';
import { defaultHorizon, latestPoints, requestSeries, seriesInChunks } from '../forecast/body.ts';
import { type HeldOut, holdOut } from '../forecast/holdout.ts';
import { modelAndFile } from '../forecast/model-and-file.ts';
import { printForecasts } from '../forecast/print.ts';
import { DEFAULT_QUANTILES, parseQuantiles } from '../forecast/quantile-list.ts';
import { checkOutput, writeOutput } from '../forecast/write-output.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { forecastJson, printJson } from '../terminal/json.ts';
import { createProgress, type ProgressMode } from '../terminal/progress.ts';
import {
  commaSeparated,
  positiveInteger,
  positiveNumber,
  progressMode,
  withExamples,
} from './options.ts';
import { INPUT_KINDS, readInput, type SeriesOptions, withSeriesOptions } from './series-options.ts';

interface RunOptions extends SeriesOptions {
  readonly input?: string;
  readonly horizon?: number;
  readonly quantiles?: number[];
  readonly covariates?: string[];
  readonly output?: string;
  readonly holdout?: boolean;
  readonly precision?: string;
  readonly device?: string;
  readonly option?: Readonly<Record<string, unknown>>;
  readonly keepAlive?: string;
  readonly stream: boolean;
  readonly dryRun?: boolean;
  readonly interactive?: boolean;
  /** Seconds. */
  readonly timeout?: number;
  readonly progress: ProgressMode;
}

/** name=value, the value read as JSON where it is. */
const modelOption = (
  text: string,
  known: Record<string, unknown> = {},
): Record<string, unknown> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('use name=value.');
  const value = text.slice(at + 1);
  let parsed: unknown = value;
  try {
    parsed = JSON.parse(value);
  } catch {
    // A word.
  }
  return { ...known, [text.slice(0, at)]: parsed };
};

const read = (options: RunOptions): Promise<SeriesInput> => {
  const { input = '-' } = options;
  if (input === '-' && process.stdin.isTTY) {
    throw new TollamaError('INVALID_REQUEST', 'there is nothing to forecast', {
      hint: 'give a file with --input, or pipe data in: cat sales.csv | tollama run --horizon 24',
    });
  }
  return readInput(input, options);
};

const modelOptions = ({ option, precision, device }: RunOptions): Record<string, unknown> => ({
  ...option,
  ...(precision && { precision }),
  ...(device && { device }),
});

/** Fields of a request that the command line sets; what it does not set stays as it was. */
const givenFields = (options: RunOptions): Record<string, unknown> => ({
  ...(options.horizon !== undefined && { horizon: options.horizon }),
  ...(options.quantiles && { quantiles: options.quantiles }),
  ...(options.keepAlive !== undefined && { keep_alive: options.keepAlive }),
  ...(options.timeout !== undefined && { timeout: options.timeout }),
});

/** Says whether the daemon would accept a request; runs nothing. */
const dryRun = async (request: unknown, { client, progress }: AskOptions): Promise<void> => {
  const verdict = await client.validate(request);
  progress.stop();
  printJson(verdict);
  if (!verdict.valid) process.exitCode = EXIT.usage;
};

/** A forecast request goes to the daemon as it is, and its answer to stdout. */
const runRequest = async (
  model: string | undefined,
  input: SeriesInput,
  options: RunOptions,
  ask: AskOptions,
): Promise<void> => {
  const given = input.request!;
  const body = {
    model: model ?? given.model ?? DEFAULT_MODEL,
    ...given,
    ...givenFields(options),
    ...(model && { model }),
    ...(Object.keys(modelOptions(options)).length > 0 && {
      options: { ...(given.options as object | undefined), ...modelOptions(options) },
    }),
    series: input.series.map(requestSeries),
  } as ForecastBody & { stream?: boolean };
  const { stream: _, ...request } = body;
  if (options.dryRun) return dryRun(request, ask);
  if (options.stream) {
    await pullingWhenMissing(request.model, ask, async () => {
      for await (const line of ask.client.forecastStream(request, { signal: ask.signal })) {
        ask.progress.stop();
        process.stdout.write(`${forecastJson(line)}\n`);
      }
    });
    return;
  }
  const response = await pullingWhenMissing(request.model, ask, () =>
    ask.client.forecast(request, { signal: ask.signal }),
  );
  ask.progress.stop();
  process.stdout.write(`${forecastJson(response)}\n`);
};

/** Data of a person: forecast it, draw it, or write it. */
const runData = async (
  model: string,
  input: SeriesInput,
  options: RunOptions,
  ask: AskOptions,
): Promise<void> => {
  if (options.output) checkOutput(options.output);
  const horizon = options.horizon ?? defaultHorizon(input.series[0]!, options.freq);
  const held = options.holdout ? input.series.map((one) => holdOut(one, horizon)) : undefined;
  const history = held?.map((one) => one.history) ?? input.series;
  const bodyOptions = { freq: options.freq, covariates: options.covariates };
  const latest = latestPoints(history, bodyOptions);
  for (const note of options.quiet ? [] : latest.notes) process.stderr.write(`note: ${note}\n`);
  const chunks = seriesInChunks(latest.series, bodyOptions);
  const quantiles = options.quantiles ?? [...DEFAULT_QUANTILES];
  const rest = {
    ...givenFields(options),
    model,
    horizon,
    quantiles,
    options: modelOptions(options),
  };
  if (options.dryRun) return dryRun({ ...rest, series: chunks.flat() }, ask);
  const response = await forecastChunks(chunks, rest, ask);
  const baseline =
    held && (await forecastChunks(chunks, { ...rest, model: 'seasonal-naive', options: {} }, ask));
  ask.progress.stop();
  for (const warning of options.quiet ? [] : (response.warnings ?? []))
    process.stderr.write(`warning: ${warning}\n`);
  await present(response, { options, history, held, baseline });
};

interface Presentation {
  readonly options: RunOptions;
  readonly history: SeriesInput['series'];
  readonly held: readonly HeldOut[] | undefined;
  readonly baseline: ForecastResponse | undefined;
}

const present = async (
  response: ForecastResponse,
  { options, history, held, baseline }: Presentation,
): Promise<void> => {
  if (options.output) {
    await writeOutput(options.output, response, history);
    if (!options.quiet)
      process.stderr.write(`wrote ${response.forecasts.length} forecasts to ${options.output}\n`);
  } else if (options.json) {
    process.stdout.write(`${forecastJson(response)}\n`);
  } else {
    printForecasts(response, { history, held, baseline });
  }
};

/** A session of questions at a prompt, with what the command line gave as its start. */
const interact = async (model: string, options: RunOptions): Promise<void> => {
  const { openPrompt } = await import('../interactive/prompt.ts');
  const progress = createProgress(options.progress, options.quiet);
  const client = await connectOrStart({ baseUrl: options.baseUrl }, progress);
  progress.stop();
  const { input, horizon, quantiles = DEFAULT_QUANTILES, freq } = options;
  await openPrompt({
    client,
    acceptLicense: options.acceptLicense ?? false,
    file: input,
    desk: { model, horizon, quantiles, freq, series: undefined, path: undefined, last: undefined },
  });
};

const run = async (
  first: string | undefined,
  second: string | undefined,
  given: RunOptions,
): Promise<void> => {
  const { model, input: file } = modelAndFile(first, second, given.input);
  const options = file === undefined ? given : { ...given, input: file };
  if (options.interactive) return interact(model ?? DEFAULT_MODEL, options);
  const signal = interruptSignal();
  const progress = createProgress(options.progress, options.quiet);
  const isTool = options.json === true || !process.stdout.isTTY;
  try {
    const input = await read(options);
    for (const note of options.quiet ? [] : input.notes) process.stderr.write(`note: ${note}\n`);
    const isStatistical = isEmbeddedName(model ?? DEFAULT_MODEL);
    const warm = isStatistical ? STATISTICAL_FAMILY : undefined;
    const client = await connectOrStart({ baseUrl: options.baseUrl, warm }, progress);
    const ask = {
      client,
      progress,
      signal,
      acceptLicense: options.acceptLicense ?? false,
      printsPull: isTool,
    };
    if (input.request) await runRequest(model, input, options, ask);
    else await runData(model ?? DEFAULT_MODEL, input, options, { ...ask, printsPull: false });
  } finally {
    progress.stop();
  }
};

export const runCommand = (): Command =>
  withExamples(
    withSeriesOptions(
      new Command('run')
        .alias('forecast')
        .description('forecast series of a file or of stdin; draws them, or prints JSON')
        .argument(
          '[model]',
          `a model, pulled when it is missing (default: ${DEFAULT_MODEL}, which needs no download)`,
        )
        .argument('[file]', 'the series, as --input')
        .option('-i, --input <file>', INPUT_KINDS)
        .option(
          '-h, --horizon <steps>',
          'steps to forecast (default: two seasons)',
          positiveInteger,
        )
        .option('--quantiles <levels>', 'levels of the fan, such as 0.1,0.5,0.9', parseQuantiles)
        .option(
          '--covariates <names>',
          'columns that the model may use as past covariates',
          commaSeparated,
        )
        .option(
          '-o, --output <file>',
          'write the forecasts as .csv, .json, .ndjson, .parquet, .arrow or .duckdb',
        )
        .option('--holdout', 'forecast the end of the series that is known, and print the error')
        .option('--precision <precision>', 'float32 (exact) or int8 (fast)')
        .option('--device <device>', 'cpu, cuda, webgpu, coreml or dml')
        .option(
          '--option <name=value>',
          "an option of the model's own; may be repeated",
          modelOption,
        )
        .option('--keep-alive <time>', 'how long the model stays loaded, such as 10m')
        .option('--no-stream', 'for a forecast request: one JSON object')
        .option('--dry-run', 'only check whether the daemon would accept it; exits 0 or 2')
        .option('--interactive', 'ask at a prompt: load, forecast, plot, compare, ...')
        .option('--timeout <seconds>', 'time that the forecast may take', positiveNumber)
        .option('--progress <mode>', 'auto, on or off', progressMode, 'auto')
        .helpOption('--help', 'print this help'),
    ).action(run),
    [
      'tollama run sales.csv --horizon 24',
      'tollama run chronos-bolt-small sales.parquet --horizon 48 --output forecast.csv',
      'tollama run --input co2.csv --horizon 24 --holdout',
      'tollama run chronos-bolt-small --interactive --input sales.csv',
      'cat request.json | tollama run chronos-bolt-small --no-stream',
    ],
  );
