import type { AnalyzeRequest } from '@tollama/core/series-requests';
import { analyzeSeries, narrateAnalysis } from '../analysis/analyze.ts';

/** The analysis of all series of a request, as `/api/analyze` answers it. */
export const analyze = ({
  series,
  parameters,
  response_options,
}: Pick<AnalyzeRequest, 'series' | 'parameters' | 'response_options'>) => {
  const results = series.map((one) => analyzeSeries(one, parameters));
  const warnings = results.flatMap((result) =>
    (result.warnings ?? []).map((warning) => `series '${result.id}': ${warning}`),
  );
  return {
    results,
    warnings: warnings.length > 0 ? warnings : null,
    narrative: response_options.narrative ? { series: results.map(narrateAnalysis) } : null,
  };
};

export type Analysis = ReturnType<typeof analyze>;
