/** The report of a suite: one HTML file that needs nothing else. */
import { compareLosses } from '../comparison/diebold-mariano.ts';
import type { ScoreTable } from '../gift-eval/leaderboard.ts';
import { LOSS_LEVELS } from '../gift-eval/metrics.ts';
import type { ModelResults, SuiteResult } from '../gift-eval/suite.ts';
import { comparePairs, scoresOf, standings, summarize } from '../gift-eval/summary.ts';
import { calibrationError, meanCoverage, pitDensities } from './calibration.ts';
import { calibrationPlot, escapeText, pitPlot, relativePlot } from './plot.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2330; --soft: #667085; --line: #d8dee8; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #343c4a; --paper: #12161d; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; fill: var(--ink); }
svg .title { font-weight: 600; font-size: 13px; } svg .tick, svg .axis { fill: var(--soft); }
svg .grid { stroke: var(--line); } svg .reference { stroke: var(--soft); stroke-dasharray: 4 3; fill: none; }
p.note { color: var(--soft); }
`;

const number = (value: number, digits = 4): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '-';

const tableOf = (header: readonly string[], rows: readonly (readonly string[])[]): string => {
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeText(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table><thead>${row(header, 'th')}</thead><tbody>${rows.map((cells) => row(cells, 'td')).join('')}</tbody></table></div>`;
};

/** The baseline first, each model once. */
const shown = ({ baseline, models }: SuiteResult): ModelResults[] => [
  baseline,
  ...models.filter(({ model }) => model !== baseline.model),
];

const summarySection = (suite: SuiteResult): string => {
  const rows = summarize(suite).map(({ model, mase, crps, configurations, replaced }) => [
    model,
    number(mase),
    number(crps),
    `${((1 - crps) * 100).toFixed(1)} %`,
    String(configurations),
    String(replaced),
  ]);
  return tableOf(
    [
      'model',
      'MASE / naive',
      'CRPS / naive',
      'skill (CRPS)',
      'configurations',
      'replaced forecasts',
    ],
    rows,
  );
};

const configurationSection = (suite: SuiteResult): string => {
  const all = shown(suite);
  const base = scoresOf(suite.baseline);
  const header = [
    'configuration',
    ...all.flatMap(({ model }) => [`${model} MASE`, `${model} CRPS`]),
  ];
  const rows = Object.keys(base).map((name) => [
    name,
    ...all.flatMap((one) => {
      const score = scoresOf(one)[name]!;
      return [number(score.mase), number(score.crps)];
    }),
  ]);
  return tableOf(header, rows);
};

const plotSection = (suite: SuiteResult): string => {
  const all = shown(suite);
  const base = scoresOf(suite.baseline);
  const models = all.slice(1);
  const coverages = all.map((one) => ({
    label: one.model,
    coverage: meanCoverage(one.results.map(({ coverage }) => coverage)),
  }));
  const relatives = (measure: 'mase' | 'crps') =>
    Object.keys(base).map((name) => ({
      label: name,
      values: models.map((one) => scoresOf(one)[name]![measure] / base[name]![measure]),
    }));
  const names = models.map(({ model }) => model);
  const lines = coverages.map(({ label, coverage }) => ({
    label: `${label} (mean miss ${number(calibrationError(coverage), 3)})`,
    points: LOSS_LEVELS.map((level, l) => ({ x: level, y: coverage[l]! })),
  }));
  const densities = coverages.map(({ label, coverage }) => ({
    label,
    densities: pitDensities(coverage),
  }));
  return `<div class="plots">${[
    calibrationPlot('Coverage of quantile levels', lines),
    pitPlot('Probability integral transform', densities),
    ...(models.length > 0
      ? [
          relativePlot('CRPS relative to seasonal naive', relatives('crps'), names),
          relativePlot('MASE relative to seasonal naive', relatives('mase'), names),
        ]
      : []),
  ].join('')}</div>`;
};

const pairSection = (suite: SuiteResult): string => {
  const rows = comparePairs(suite).map(({ a, b, ratio, interval, pValue, wins }) => [
    `${a} against ${b}`,
    number(ratio),
    `${number(interval[0])} to ${number(interval[1])}`,
    pValue < 0.0001 ? '< 0.0001' : number(pValue),
    `${Math.round(wins * 100)} %`,
  ]);
  return rows.length === 0
    ? ''
    : `<h2>Pairs of models</h2><p class="note">Geometric mean of the ratios of CRPS over configurations, its 95 % interval, two-sided p.</p>${tableOf(['pair', 'ratio', '95 % interval', 'p', 'better on'], rows)}`;
};

const LEAST_WINDOWS = 4;

/** Diebold-Mariano within configurations: losses of windows, oldest first, mean over the series. */
const windowSection = (suite: SuiteResult): string => {
  const models = shown(suite).slice(1);
  const rows = models.flatMap(({ model, results }) =>
    results.flatMap(({ configuration, windowLosses }, i) => {
      const base = suite.baseline.results[i]!.windowLosses;
      const known = windowLosses.filter((loss, w) => Number.isFinite(loss - base[w]!)).length;
      if (known < LEAST_WINDOWS) return [];
      const test = compareLosses(windowLosses, base);
      return [
        [
          `${configuration}: ${model}`,
          number(test.meanDifference),
          `${number(test.interval[0])} to ${number(test.interval[1])}`,
          number(test.statistic, 2),
          number(test.pValue),
          String(test.count),
        ],
      ];
    }),
  );
  return rows.length === 0
    ? ''
    : `<h2>Diebold-Mariano against seasonal naive</h2><p class="note">Scaled quantile loss of each window less that of seasonal naive: below 0 is better.</p>${tableOf(['configuration and model', 'difference', '95 % interval', 'statistic', 'p', 'windows'], rows)}`;
};

const leaderboardSection = (suite: SuiteResult, others: ScoreTable): string => {
  const rows = standings(suite, others).map(({ model, mase, crps, maseRank, crpsRank }) => [
    model,
    number(crps),
    number(mase),
    number(crpsRank, 2),
    number(maseRank, 2),
  ]);
  return tableOf(['model', 'CRPS / naive', 'MASE / naive', 'CRPS rank', 'MASE rank'], rows);
};

/** The whole page. `published`: scores of other models on the same configurations, for the leaderboard. */
export const suiteReport = (suite: SuiteResult, published: ScoreTable = {}): string => {
  const count = suite.configurations.length;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Evaluation</title><style>${STYLE}</style></head><body>
<h1>Evaluation on ${count} ${count === 1 ? 'configuration' : 'configurations'}</h1>
${summarySection(suite)}
${plotSection(suite)}
<h2>Leaderboard</h2>
${leaderboardSection(suite, published)}
${pairSection(suite)}
${windowSection(suite)}
<h2>Configurations</h2>
${configurationSection(suite)}
</body></html>
`;
};
