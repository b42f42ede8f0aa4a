/** Sentences on a forecast, the same ones for the same numbers: `explanation` of each answer. */
import type { Forecast, SeriesExplanation } from '@tollama/core/forecast-response';
import { confidenceOf, meanChangePercent, type Outlook } from './outlook.ts';

/** Four significant digits, without a tail of zeros. */
export const shortNumber = (value: number): string => String(Number(value.toPrecision(4)));

const percent = (level: number): string => `${shortNumber(100 * level)}%`;

export const confidenceText = (outlook: Outlook): string => {
  const level = confidenceOf(outlook);
  const { band, points } = outlook;
  if (!band) return 'unknown: the forecast has no band of quantiles';
  const width = `the ${percent(band.low)} to ${percent(band.high)} band is ${shortNumber(band.ratio)} times as wide as the history's own spread`;
  return points < 8
    ? `${level}: ${points} points of history are few; ${width}`
    : `${level}: ${width}`;
};

export const comparisonText = (outlook: Outlook): string => {
  const { forecastMean, historyMean } = outlook;
  const means = `the forecast's mean ${shortNumber(forecastMean)}`;
  const change = meanChangePercent(outlook);
  if (change === null) return `${means}, the history's mean is 0`;
  if (Math.abs(change) < 0.05) return `${means} is the history's mean`;
  const side = change > 0 ? 'above' : 'below';
  return `${means} is ${shortNumber(Math.abs(change))}% ${side} the history's mean ${shortNumber(historyMean)}`;
};

/** What stands out in the history or in the forecast; empty where nothing does. */
export const notablePatterns = (outlook: Outlook): string[] => {
  const { season, outliers, missing, points } = outlook;
  const range = `${shortNumber(outlook.historyLowest)} to ${shortNumber(outlook.historyHighest)}`;
  const patterns: (string | false)[] = [
    season !== undefined &&
      `repeats every ${season.period} steps (autocorrelation ${shortNumber(season.strength)})`,
    outlook.historyDeviation === 0 && points > 1 && 'the history is constant',
    outlook.forecastHighest > outlook.historyHighest &&
      `the forecast rises above the history's range ${range}`,
    outlook.forecastLowest < outlook.historyLowest &&
      `the forecast falls below the history's range ${range}`,
    outliers.length > 0 && `${outliers.length} far outliers in the history`,
    missing > 0 && `${missing} of ${points} values of the history are missing`,
  ];
  return patterns.filter((pattern) => pattern !== false);
};

/** The explanation of one series; `isDetailed` adds the numbers behind it. */
export const explain = (
  { id, explanation }: Forecast,
  outlook: Outlook,
  isDetailed: boolean,
): SeriesExplanation => ({
  id,
  trend_direction: outlook.direction,
  confidence_assessment: confidenceText(outlook),
  historical_comparison: comparisonText(outlook),
  notable_patterns: notablePatterns(outlook),
  ...(explanation && { model_explanation: explanation }),
  ...(isDetailed && {
    evidence: {
      history: {
        points: outlook.points,
        missing: outlook.missing,
        mean: outlook.historyMean,
        deviation: outlook.historyDeviation,
        slope: outlook.historySlope,
      },
      forecast: { mean: outlook.forecastMean, deviation: outlook.forecastDeviation },
      band: outlook.band ?? null,
      season: outlook.season ?? null,
      outliers: outlook.outliers,
    },
  }),
});
