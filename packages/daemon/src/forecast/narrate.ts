/** The forecast of one series as a short report: `narrative`, with response_options.narrative. */
import type { SeriesNarrative } from '@tollama/core/forecast-response';
import { comparisonText, confidenceText, notablePatterns, shortNumber } from './explain.ts';
import { confidenceOf, meanChangePercent, type Outlook } from './outlook.ts';

const MOVES = { up: 'rises', down: 'falls', flat: 'stays level' } as const;

const volatilityChange = ({
  historyDeviation,
  forecastDeviation,
}: Outlook): SeriesNarrative['comparison_to_history']['volatility_change'] => {
  if (historyDeviation === 0) return forecastDeviation === 0 ? 'stable' : 'higher';
  const ratio = forecastDeviation / historyDeviation;
  if (ratio < 0.75) return 'lower';
  return ratio > 1.25 ? 'higher' : 'stable';
};

export const narrate = (id: string, horizon: number, outlook: Outlook): SeriesNarrative => {
  const { direction, strength, season, outliers, band } = outlook;
  const steps = horizon === 1 ? 'the next step' : `the next ${horizon} steps`;
  const [insight] = notablePatterns(outlook);
  const level = confidenceOf(outlook);
  return {
    id,
    summary: `'${id}' ${MOVES[direction]} over ${steps} around ${shortNumber(outlook.forecastMean)}; confidence ${level}.`,
    trend: { direction, strength },
    confidence: { level, spread_ratio: band?.ratio ?? null, reason: confidenceText(outlook) },
    seasonality: { detected: season !== undefined, period: season?.period ?? null },
    anomalies: { count: outliers.length, indices: [...outliers] },
    key_insight: insight ?? comparisonText(outlook),
    comparison_to_history: {
      mean_delta_pct: meanChangePercent(outlook),
      volatility_change: volatilityChange(outlook),
    },
  };
};
