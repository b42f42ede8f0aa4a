/** all_results.csv in the form of the published results: 15 columns, a row for each configuration. */
import { TollamaError } from '@tollama/core/errors';
import type { ConfigurationResult } from './evaluate-configuration.ts';
import { METRIC_COLUMNS } from './metrics.ts';

export const RESULT_COLUMNS: readonly string[] = [
  'dataset',
  'model',
  ...METRIC_COLUMNS.map((metric) => `eval_metrics/${metric}`),
  'domain',
  'num_variates',
];

/** Shortest decimals that give the number back; empty where it is none. */
const cell = (value: number): string => (Number.isNaN(value) ? '' : String(value));

/** Rows of one model. */
export const resultRows = (model: string, results: readonly ConfigurationResult[]): string[] =>
  results.map(({ configuration, metrics, domain, variates }) =>
    [
      configuration,
      model,
      ...METRIC_COLUMNS.map((metric) => cell(metrics[metric])),
      domain,
      variates,
    ].join(','),
  );

/** The whole file: a header, then the rows. */
export const resultsCsv = (rows: readonly string[]): string =>
  `${[RESULT_COLUMNS.join(','), ...rows].join('\n')}\n`;

export interface PublishedRow {
  readonly configuration: string;
  readonly model: string;
  readonly mase: number;
  readonly crps: number;
}

const MASE = 'eval_metrics/MASE[0.5]';
const CRPS = 'eval_metrics/mean_weighted_sum_quantile_loss';

/** Reads an all_results.csv by the names of its columns; there may be more than the 15. */
export const readResultsCsv = (text: string, path: string): PublishedRow[] => {
  const [header = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const names = header.split(',');
  const at = (name: string): number => {
    const index = names.indexOf(name);
    if (index >= 0) return index;
    throw new TollamaError('INVALID_INPUT', `${path} has no column '${name}'`, {
      hint: 'give an all_results.csv as GIFT-Eval publishes it',
    });
  };
  const [configuration, model, mase, crps] = ['dataset', 'model', MASE, CRPS].map(at);
  return lines.map((line) => {
    const cells = line.split(',');
    return {
      configuration: cells[configuration!]!,
      model: cells[model!]!,
      mase: Number(cells[mase!]),
      crps: Number(cells[crps!]),
    };
  });
};
