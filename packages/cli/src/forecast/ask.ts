/** Asks the daemon, and pulls the model first when it is not there. */
import type { ForecastBody, ForecastResponse, TollamaClient } from '@tollama/client';
import { TollamaError } from '@tollama/core/errors';
import { showPull } from '../commands/pull.ts';
import { printJson } from '../terminal/json.ts';
import type { Progress } from '../terminal/progress.ts';

export interface AskOptions {
  readonly client: TollamaClient;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly acceptLicense: boolean;
  /** Print the pull's result on stdout, for programs that read it. */
  readonly printsPull: boolean;
}

/** Runs `ask`; when the model is not installed, pulls it and runs `ask` again. */
export const pullingWhenMissing = async <T>(
  model: string,
  options: AskOptions,
  ask: () => Promise<T>,
): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof TollamaError) || error.code !== 'MODEL_NOT_FOUND') throw error;
    const { client, progress, signal } = options;
    progress.status(`'${model}' is not installed; pulling it`);
    const last = await showPull(
      client,
      { model, accept_license: options.acceptLicense },
      progress,
      signal,
    );
    if (options.printsPull) printJson(last);
    return ask();
  }
};

/** One forecast of all series, asked for in as many requests as it takes. */
export const forecastChunks = async (
  chunks: readonly ForecastBody['series'][],
  rest: Omit<ForecastBody, 'series'>,
  options: AskOptions,
): Promise<ForecastResponse> => {
  const { client, progress, signal } = options;
  const answers: ForecastResponse[] = [];
  for (const [i, series] of chunks.entries()) {
    const part = chunks.length > 1 ? `, part ${i + 1} of ${chunks.length}` : '';
    progress.status(`forecasting with ${rest.model}${part}`);
    answers.push(
      await pullingWhenMissing(rest.model, options, () =>
        client.forecast({ ...rest, series }, { signal }),
      ),
    );
  }
  const [first] = answers;
  const warnings = [...new Set(answers.flatMap((answer) => answer.warnings ?? []))];
  return {
    ...first!,
    forecasts: answers.flatMap((answer) => answer.forecasts),
    warnings: warnings.length > 0 ? warnings : null,
  };
};
